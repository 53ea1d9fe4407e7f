"""Lines that are too long for a narrow column: code goes on further in than it began, printed words as text does."""

import re

from docutils import nodes

BLOCK = re.compile(r'(<div class="highlight"><pre>(?:<span></span>)?)(.*?)(</pre>)', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
COLUMNS = re.compile(r"\S {2,}\S|[│|]")


def indented(html: str) -> str:
    """Each indented line of highlighted code gets an element that knows by how much; Pygments closes its tags at each.

    >>> indented('<div class="highlight"><pre><span></span>if x:\\n  y\\n</pre>')
    '<div class="highlight"><pre><span></span>if x:\\n<span class="indented" style="--in:2">  y\\n</span></pre>'
    """
    return BLOCK.sub(lambda block: block[1] + "".join(map(line, block[2].splitlines(keepends=True))) + block[3], html)


def line(html: str) -> str:
    """One line, in an element where it is indented and its tags are its own."""
    text = TAG.sub("", html)
    columns = len(text) - len(text.lstrip(" "))
    whole = html.count("<span") == html.count("</span>")
    return (
        f'<span class="indented" style="--in:{columns}">{html}</span>' if columns and whole and text.strip() else html
    )


def words(app, doctree, docname):
    """What a cell printed without columns may go on below on a phone."""
    for output in doctree.findall(lambda node: isinstance(node, nodes.container) and "cell_output" in node["classes"]):
        for block in output.findall(nodes.literal_block):
            if not COLUMNS.search(block.astext()):
                block["classes"].append("words")


def body(app, pagename, templatename, context, doctree):
    """All blocks of a page."""
    if context.get("body"):
        context["body"] = indented(context["body"])


def connect(app):
    """Before the page is written."""
    app.connect("doctree-resolved", words)
    app.connect("html-page-context", body, priority=600)
