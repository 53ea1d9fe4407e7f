"""Lines that are too long for a narrow column: code goes on further in than it began, printed words as text does."""

import re

from docutils import nodes

from course.typography import TAG

BLOCK = re.compile(r'(<div class="highlight"><pre>(?:<span></span>)?)(.*?)(</pre>)', re.DOTALL)
COLUMNS = re.compile(r"\S {2,}\S|[│|]")


def lines(html: str) -> str:
    """Each line of highlighted code gets an element that knows where it begins; Pygments closes its tags at each.

    >>> print(lines('<div class="highlight"><pre>if x:\\n  y\\n</pre>').removeprefix('<div class="highlight">'))
    <pre><span class="code-line">if x:
    </span><span class="code-line" style="--in:2">  y
    </span></pre>
    """
    return BLOCK.sub(lambda block: block[1] + "".join(map(line, block[2].splitlines(keepends=True))) + block[3], html)


def line(html: str) -> str:
    """One line, in an element where it is not empty and its tags are its own."""
    text = TAG.sub("", html)
    columns = len(text) - len(text.lstrip(" "))
    whole = html.count("<span") == html.count("</span>")
    style = f' style="--in:{columns}"' if columns else ""
    return f'<span class="code-line"{style}>{breakable(html)}</span>' if whole and text.strip() else html


def breakable(html: str) -> str:
    """A line whose first word is long may be broken in it, or the word would leave its indentation to a line alone.

    >>> breakable('  <b>h</b>.add_<i>(</i>f<i>(</i>x, y<i>(</i>z')
    '  <b>h</b>.add_<i>(<wbr></i>f<i>(<wbr></i>x, y<i>(</i>z'
    """
    parts, begun = TAG.split(html), False
    for place, part in enumerate(parts):
        if part.startswith("<"):
            continue
        if begun and re.search(r"\s", part):
            break
        begun = begun or bool(part.strip())
        if part.endswith(("(", "[", "{")):
            parts[place] += "<wbr>"
    return "".join(parts)


def words(app, doctree, docname):
    """What a cell printed without columns may go on below on a phone."""
    for output in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell_output" in node["classes"]):
        for block in output.findall(nodes.literal_block):
            if not COLUMNS.search(block.astext()):
                block["classes"].append("words")


def body(app, pagename, templatename, context, doctree):
    """All blocks of a page."""
    if context.get("body"):
        context["body"] = lines(context["body"])


def connect(app):
    """Before the page is written."""
    app.connect("doctree-resolved", words)
    app.connect("html-page-context", body, priority=600)
