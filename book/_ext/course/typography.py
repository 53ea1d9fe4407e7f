"""Small things that a typesetter would see: what belongs together stays on a line, and tables have a true minus.

What is code stays as it is, so that it can be copied.
"""

import re
from collections.abc import Callable

CODE = re.compile(r"<(pre|code|script|style|svg)\b.*?</\1>", re.DOTALL)
CELL = re.compile(r"(<(?:t[dh]|caption)\b[^>]*>)(.*?)(</(?:t[dh]|caption)>)", re.DOTALL)
TAG = re.compile(r"(<[^>]*>)")
MINUS = re.compile(r"(?<![\w.−-])-(?=\d)")
APOSTROPHE = re.compile(r"(?<=\w)(?:'|&#x27;|&#39;)(?=\w)")
NAME = re.compile(r"\b[A-Z][A-Za-z]+-\d\w*")
POWER = re.compile(r"(?<![\w.])(\d(?:\.\d+)?)e([+-])0?(\d+)\b")


def outside_code(html: str, change: Callable[[str], str]) -> str:
    """Changes what is not code."""
    kept, place = [], 0
    for code in CODE.finditer(html):
        kept += [change(html[place : code.start()]), code[0]]
        place = code.end()
    return "".join([*kept, change(html[place:])])


def together(html: str) -> str:
    """A number stays on the line of the % or ± after it, and a name on that of its number.

    >>> together("<p><span>13</span> % and 0.3 ± 0.1, 7 % 3</p>").replace(chr(160), "_")
    '<p><span>13</span>_% and 0.3_±_0.1, 7_% 3</p>'
    >>> together('<a href="MNIST-1D.html">MNIST-1D</a>')
    '<a href="MNIST-1D.html"><span class="whole">MNIST-1D</span></a>'
    """
    html = re.sub(r"(\d(?:</\w+>)*) (?=%|±)", "\\1\u00a0", html)
    html = re.sub(r"± (?=(?:<[^>]*>)*\d)", "±\u00a0", html)
    return between_tags(html, lambda text: NAME.sub(r'<span class="whole">\g<0></span>', text))


def results(html: str) -> str:
    """Numbers in tables have a minus sign, powers of ten are written as such, and an apostrophe is one.

    >>> results("<table><tr><td>-1.5</td><td>4e-07</td><td><code>-1</code></td></tr></table>")
    '<table><tr><td>−1.5</td><td>4·10<sup>−7</sup></td><td><code>-1</code></td></tr></table>'
    >>> results("<table><tr><th>PyTorch&#x27;s draw</th></tr></table>")
    '<table><tr><th>PyTorch’s draw</th></tr></table>'
    """

    def cell(match: re.Match) -> str:
        return match[1] + outside_code(match[2], lambda html: between_tags(html, _typeset)) + match[3]

    return re.sub(r"<table\b.*?</table>", lambda table: CELL.sub(cell, table[0]), html, flags=re.DOTALL)


def between_tags(html: str, change: Callable[[str], str]) -> str:
    """Changes the text, and no tag or its attributes."""
    return "".join(part if part.startswith("<") else change(part) for part in TAG.split(html))


def _typeset(text: str) -> str:
    text = POWER.sub(lambda m: "0" if float(m[1]) == 0 else f"{m[1]}·10<sup>{'−' * (m[2] == '-')}{m[3]}</sup>", text)
    return APOSTROPHE.sub("’", MINUS.sub("−", text))


def body(app, pagename, templatename, context, doctree):
    """All of a page's text."""
    if context.get("body") and doctree is not None:
        context["body"] = outside_code(results(context["body"]), together)


def connect(app):
    """Before the page is written."""
    app.connect("html-page-context", body, priority=610)
