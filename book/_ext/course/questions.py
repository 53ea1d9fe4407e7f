"""What the reader answers on the page: predictions before an output is shown, and the quiz.

In the notebooks both are plain Markdown: a list "a) …, b) …", and for the quiz a folded answer that begins with the
right letter in bold. Here they get the classes and the button that ``js/questions.js`` works with. Without scripts
outputs are open and the answers fold by themselves.
"""

import re

from docutils import nodes

OPTION = re.compile(r"^([a-h])\) ")
BUTTON = '<p class="reveal"><button type="button">Show what comes out</button></p>'


def options(node) -> list[str]:
    """The letters of a list whose every item is an option, else nothing."""
    if not isinstance(node, nodes.bullet_list):
        return []
    found = [OPTION.match(item.astext()) for item in node.children]
    return [match[1] for match in found] if all(found) else []


def answer(node) -> str:
    """The letter with which a folded answer begins, or nothing."""
    if "dropdown" not in type(node).__name__ and "sd-dropdown" not in node.get("classes", []):
        return ""
    strong = next(iter(node.findall(nodes.strong)), None)
    letter = (strong.astext() if strong is not None else "").strip(" .:)").lower()
    return letter if len(letter) == 1 else ""


def is_cell(node) -> bool:
    """Whether this is a cell with its output."""
    return isinstance(node, nodes.container) and "cell" in node.get("classes", [])


def following(node):
    """The next node in the same parent that a reader sees."""
    after = node.parent.children[node.parent.index(node) + 1 :]
    return next((other for other in after if not isinstance(other, nodes.comment | nodes.target)), None)


def predictions(doctree) -> None:
    """The cell below a prediction, and the paragraph that tells its answer, wait for the reader."""
    for box in list(doctree.findall(nodes.admonition)):
        cell = following(box) if "predict" in box["classes"] else None
        if cell is None or not is_cell(cell):
            continue
        cell["classes"].append("predicted")
        told = following(cell)
        if isinstance(told, nodes.paragraph):
            told["classes"].append("told")
        cell.insert(1, nodes.raw("", BUTTON, format="html"))
        for choices in box.findall(nodes.bullet_list):
            if options(choices):
                choices["classes"].append("choices")


def quiz(doctree) -> None:
    """A list of options before a folded answer can be answered by a click or a key."""
    for choices in list(doctree.findall(nodes.bullet_list)):
        letters = options(choices)
        folded = following(choices) if letters and choices.parent is not None else None
        letter = answer(folded) if isinstance(folded, nodes.Element) else None
        if letter in letters:
            choices["classes"] += ["choices", "quiz", f"answer-{letter}"]


def mark(app, doctree, docname):
    """Both, on pages for the browser."""
    if app.builder.format == "html":
        predictions(doctree)
        quiz(doctree)


def scripts(app, pagename, templatename, context, doctree):
    """The page says early that scripts run, so that nothing jumps; the questions' script loads where there are any."""
    app.add_js_file(None, body='document.documentElement.classList.add("scripts")', priority=100)
    if 'class="choices' in (context.get("body") or "") or "reveal" in (context.get("body") or ""):
        app.add_js_file("js/questions.js", defer="defer")


def connect(app):
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", scripts, priority=400)
