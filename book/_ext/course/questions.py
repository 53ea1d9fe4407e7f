"""What the reader answers on the page: predictions before an output is shown, and the quiz.

In the notebooks both are plain Markdown: a list "a) …, b) …", and for the quiz a folded answer that begins with the
right letter in bold. Here they get the classes and the button that ``js/questions.js`` works with. Without scripts
outputs are open and the answers fold by themselves.
"""

import re
from itertools import dropwhile, takewhile

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


def output(cell):
    """Where a cell shows what came out, or None."""
    return next((node for node in cell.children if "cell_output" in node.get("classes", [])), None)


def ends(node) -> bool:
    """Whether a prediction's part of the page ends here: at the next heading, or the next prediction."""
    return isinstance(node, nodes.section) or (isinstance(node, nodes.admonition) and "predict" in node["classes"])


def predictions(doctree) -> None:
    """What follows a prediction waits for the reader: the outputs below it, and all else up to the next heading.

    The cells that stand next to one another first keep their code in sight, and one of them gets the button.
    """
    for box in [node for node in doctree.findall(nodes.admonition) if "predict" in node["classes"]]:
        for choices in box.findall(nodes.bullet_list):
            if options(choices):
                choices["classes"].append("choices")
        after = box.parent.children[box.parent.index(box) + 1 :]
        part = list(takewhile(lambda node: not ends(node), after))
        rest = list(dropwhile(lambda node: not is_cell(node), part))
        run = list(takewhile(lambda node: is_cell(node) or isinstance(node, nodes.comment | nodes.target), rest))
        cells = [node for node in run if is_cell(node)]
        if not cells:
            continue
        for cell in cells:
            cell["classes"].append("predicted")
        asked = next((cell for cell in cells if output(cell)), cells[-1])
        place = asked.index(output(asked)) if output(asked) else len(asked)
        asked.insert(place, nodes.raw("", BUTTON, format="html"))
        told = rest[len(run) :]
        if told:
            place = box.parent.index(told[0])
            for node in told:
                box.parent.remove(node)
            box.parent.insert(place, nodes.container("", *told, classes=["told"]))


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
