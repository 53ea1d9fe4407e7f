r"""Displayed formulas with their numbers, in the LaTeX that MathJax and KaTeX both read.

A label becomes ``\tag`` with the number that the website prints, and an anchor in front. Environments that number by
themselves become their part-of-a-formula forms, because notebooks disagree about the former.
"""

import re

__all__ = ["anchor", "displayed"]

PARTS = {"align": "aligned", "gather": "gathered", "alignat": "alignedat", "flalign": "aligned", "eqnarray": "aligned"}
WHOLE = re.compile(r"\\(begin|end)\{(align|gather|alignat|flalign|eqnarray|equation|multline)\*?\}")


def displayed(latex: str, number: str = "", label: str = "", *, quoted: bool = False) -> str:
    r"""Returns a formula on lines of its own.

    >>> displayed("a = b", "3.1", quoted=True)
    '$$a = b \\tag{3.1}$$'

    Args:
        latex: The formula, or an environment of amsmath.
        number: What it is called by, where it has a label.
        label: The label.
        quoted: Whether it stands in a block quote; JupyterLab would read the quote's marks as part of the formula, so
            it is written in one line.
    """
    body = WHOLE.sub(lambda found: _part(found[1], found[2]), latex.strip())
    body = "\n".join(line for line in body.splitlines() if line.strip())  # a blank line would end the formula
    if r"\\" in body and not body.startswith(r"\begin{"):
        body = f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
    if number:
        body += rf" \tag{{{number}}}"
    if quoted:
        return f"$${' '.join(body.split())}$$"
    named = f'<a id="{anchor(label)}"></a>\n\n' if label else ""
    return f"{named}$$\n{body}\n$$"


def anchor(label: str) -> str:
    """Returns the name of an equation's place."""
    return f"eq-{label}"


def _part(edge: str, name: str) -> str:
    return rf"\{edge}{{{PARTS[name]}}}" if name in PARTS else ""
