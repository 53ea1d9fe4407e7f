"""The API reference: a page for every module that is there to be used, written from a walk over the package's files."""

import ast
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PACKAGE = "rnncourse"
# The order of the floors, lowest first; what is not named here follows by name.
FLOORS = """
checks shapes functional kernels unroll cells layers convert depth trees attention scan models seq2seq
training bptt diagnostics data viz provenance results chapters grading course notebooks cli bench
"""
ORDER = FLOORS.split()
# No reference: the rooms of the chapters hold the worked solutions, and the others are machinery that nobody calls.
LEFT_OUT = {"bench", "chapters", "cli", "grading"}


def modules(root: Path) -> list[str]:
    """Every public module of the package that the reference shows, found without importing it."""
    found = []
    for file in sorted((root / PACKAGE).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts[1:]) and not left_out(".".join(parts)):
            found.append(".".join(parts))
    return sorted(set(found), key=rank)


def left_out(name: str) -> bool:
    """Whether a module, or something in it, has no page.

    >>> left_out("rnncourse.chapters.c02_vanilla_rnn"), left_out("rnncourse.cells")
    (True, False)
    """
    parts = name.split(".")
    return parts[0] == PACKAGE and len(parts) > 1 and parts[1] in LEFT_OUT


def rank(module: str) -> tuple:
    """Where a module stands in the reference: by floor, then by name."""
    parts = module.split(".")
    floor = ORDER.index(parts[1]) if len(parts) > 1 and parts[1] in ORDER else (-1 if len(parts) == 1 else len(ORDER))
    return floor, parts


def source_of(root: Path, module: str) -> Path:
    """The file of a module."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def summary(root: Path, module: str) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(source_of(root, module).read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=[.:])\s", " ".join(text.split("\n\n")[0].split()), maxsplit=1)[0].rstrip(":")


def page(module: str) -> str:
    """The page of one module."""
    return (
        f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n"
        "   :ignore-module-all:\n```\n"
    )


def write_pages(root: Path) -> list[str]:
    """Write the pages that changed, delete those whose module is gone, return the modules."""
    folder = root / "book" / "api"
    wanted = {folder / f"{module}.md": page(module) for module in modules(root)}
    for stale in set(folder.glob(f"{PACKAGE}*.md")) - set(wanted):
        stale.unlink()
    for file, text in wanted.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    return modules(root)


class CourseModules(SphinxDirective):
    """``{course-modules}``: a table of all modules, each with the first sentence of its docstring."""

    def run(self):
        """A definition-like table, one row per module."""
        root = Path(self.env.srcdir)
        rows = ["```{list-table}", ":header-rows: 1", ":widths: 30 70", "", "* - Module", "  - What it holds"]
        for module in modules(root):
            rows += [f"* - {{doc}}`{module} </book/api/{module}>`", f"  - {summary_markup(summary(root, module))}"]
            self.env.note_dependency(str(source_of(root, module)))
        box = nodes.container()
        self.state.nested_parse([*rows, "```"], 0, box)
        return box.children


def summary_markup(text: str) -> str:
    """A docstring's RST sentence as Markdown: roles and double backticks become code."""
    text = re.sub(r":[\w:]+:`~?([^`]+)`", r"`\1`", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def skip(app, what, name, obj, skipped, options):
    """Leave out what only a machine wrote: the numbered fields of a NamedTuple."""
    if type(obj).__name__ == "_tuplegetter" and str(obj.__doc__).startswith("Alias for field number"):
        return True
    return None


def keep_module(app, module, attribute):
    """A field of a NamedTuple is shown in the source of its own class, not of a module that collections made up."""
    return module if "." in attribute else None


def connect(app):
    """Write the pages before Sphinx looks for documents."""
    write_pages(Path(app.srcdir))
    app.add_directive("course-modules", CourseModules)
    app.connect("autodoc-skip-member", skip)
    app.connect("viewcode-follow-imported", keep_module)
