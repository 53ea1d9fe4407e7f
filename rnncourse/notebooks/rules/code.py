"""Rules for the code of a notebook: run whole and in order, seeded, with its scale in one cell."""

import ast
import re
from itertools import zip_longest

from rnncourse.notebooks.colab import COLAB_TAG
from rnncourse.notebooks.execution import source_chain
from rnncourse.notebooks.files import Notebook, has_tag, normalise, to_text
from rnncourse.notebooks.markers import near_misses
from rnncourse.notebooks.rules.reading import code_cells, parse
from rnncourse.notebooks.rules.table import Found, rule

INSTALL = re.compile(r"^\s*[!%]\s*(pip|conda|mamba|uv)\b", re.MULTILINE)
TRAINS = re.compile(r"\bfit\(|\.backward\(\)[\s\S]*\.step\(\)")
MAX_NOTEBOOK_BYTES = 1_000_000


@rule
def executed_in_order(notebook: Notebook) -> Found:
    """Counts run 1…n: strict nbval passes, and checks nothing, on cells that were never run."""
    for expected, (number, cell) in enumerate(code_cells(notebook), start=1):
        if cell.get("execution_count") != expected:
            found = cell.get("execution_count")
            yield number, f"execution count {found} should be {expected}; run the whole notebook: rnncourse execute"
            return


@rule
def outputs_belong_to_the_sources(notebook: Notebook) -> Found:
    """No cell was edited after it ran: what a page shows is what its code gives."""
    ran = notebook.metadata.get("rnncourse", {}).get("ran", [])
    for (number, _), was, now in zip_longest(code_cells(notebook), ran, source_chain(notebook), fillvalue=(None, None)):
        if was != now:
            yield number, "it or a cell before it was edited since it ran; run: rnncourse execute"
            return


@rule
def normal_form(notebook: Notebook) -> Found:
    """The file is what `rnncourse execute` writes: no editor's metadata, no ids by chance."""
    if to_text(normalise(notebook)) != to_text(notebook):
        yield None, "is not in normal form; run: rnncourse execute"


@rule
def seeds_and_one_thread_first(notebook: Notebook) -> Found:
    """The first code cell seeds and sets one thread, so that two runs agree."""
    first = next(((number, cell) for number, cell in code_cells(notebook) if not has_tag(cell, COLAB_TAG)), None)
    if first is None:
        yield None, "has no code"
        return
    for wanted in ("torch.manual_seed(", "torch.set_num_threads(1)"):
        if wanted not in first[1].source:
            yield first[0], f"the first code cell should call {wanted.removesuffix('(')}"


@rule
def parameters_cell_where_it_trains(notebook: Notebook) -> Found:
    """A notebook that trains says its scale in one cell of plain assignments, which papermill can replace."""
    tagged = [(number, cell) for number, cell in code_cells(notebook) if has_tag(cell, "parameters")]
    if len(tagged) > 1:
        yield tagged[1][0], "is a second cell tagged 'parameters'"
    if not tagged and any(TRAINS.search(cell.source) for _, cell in code_cells(notebook)):
        yield None, "trains, so it needs a cell tagged 'parameters' that says: scale = \"page\""
    for number, cell in tagged:
        body = parse(cell.source).body
        imports = (ast.Import, ast.ImportFrom)
        if not all(isinstance(one, (ast.Assign, ast.AnnAssign, *imports)) for one in body):
            yield number, "the 'parameters' cell should hold plain assignments only"
        names = {t.id for one in body if isinstance(one, ast.Assign) for t in one.targets if isinstance(t, ast.Name)}
        if "scale" not in names or '"page"' not in cell.source:
            yield number, "the 'parameters' cell should say: scale = \"page\""


@rule
def no_trailing_semicolon(notebook: Notebook) -> Found:
    """nbval does not silence `;`: end a cell that plots with plt.show(), or return the figure."""
    for number, cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if lines and lines[-1].rstrip().endswith(";"):
            yield number, "ends with ';'; end with plt.show() or return the figure"


@rule
def no_install(notebook: Notebook) -> Found:
    """Nothing is installed from a notebook, but for the guarded cell that Colab needs."""
    for number, cell in code_cells(notebook):
        if has_tag(cell, COLAB_TAG):
            missing = [tag for tag in ("nbval-skip", "remove-cell") if not has_tag(cell, tag)]
            if missing or "google.colab" not in cell.source:
                yield number, "the Colab cell should be tagged nbval-skip and remove-cell and ask for google.colab"
        elif match := INSTALL.search(cell.source):
            yield number, f"runs {match[0].strip()}; the set-up page says how to install"


@rule
def markers_to_the_letter(notebook: Notebook) -> Found:
    """What is nearly ``### BEGIN SOLUTION`` marks nothing, and the exercise would hand the solution out."""
    yield from near_misses(notebook)


@rule
def under_one_megabyte(notebook: Notebook) -> Found:
    """Notebooks stay small enough to read in a diff."""
    size = len(to_text(notebook).encode())
    if size > MAX_NOTEBOOK_BYTES:
        yield None, f"has {size} bytes; at most {MAX_NOTEBOOK_BYTES} are allowed"
