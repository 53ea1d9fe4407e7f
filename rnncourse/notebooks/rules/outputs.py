"""Rules for what a notebook shows: the same on every machine or said to differ, and readable by everybody."""

import ast
import re

from rnncourse.notebooks.colab import COLAB_TAG
from rnncourse.notebooks.files import Notebook, has_tag, output_text
from rnncourse.notebooks.pictures import MAX_BYTES, png_facts
from rnncourse.notebooks.plain.numbers import RECORD
from rnncourse.notebooks.rules.code import TRAINS
from rnncourse.notebooks.rules.reading import asserts, code_cells, outputs
from rnncourse.notebooks.rules.table import Found, rule

MIN_ALT_LENGTH = 20
IGNORED = "nbval-ignore-output"
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}|/ipykernel_\d+|/tmp/|/home/|/root/")
PROGRESS = re.compile(r"\btqdm\b|^%%?time(it)?\b", re.MULTILINE)
ROUNDING = re.compile(r"\([^(){}]* - [^(){}]*\)\.abs\(\)[^{}\n]*:\.\d+[eg]\}")  # how far apart, as 3e-08
CLOCK = re.compile(r"\bperf_counter\b|\btime\.time\(|\bprocess_time\b|\bbenchmark\.Timer\b")


@rule
def pictures_are_small_pngs(notebook: Notebook) -> Found:
    """Pictures are PNG with a palette, small enough to commit again and again."""
    for number, _, output in outputs(notebook):
        data = output.get("data", {})
        for mime in data:
            if mime.startswith("image/") and mime != "image/png":
                yield number, f"shows {mime}; figures should be PNG"
        if "image/png" in data:
            size, palette = png_facts(data["image/png"])
            if size > MAX_BYTES or not palette:
                yield (
                    number,
                    f"its figure has {size} bytes and {'a' if palette else 'no'} palette; run: rnncourse execute",
                )


@rule
def pictures_have_alt_text(notebook: Notebook) -> Found:
    """Who cannot see a figure reads its alt text; without one the page gives the file's path."""
    for number, cell, output in outputs(notebook):
        if any(mime.startswith("image/") for mime in output.get("data", {})):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if len(alt) < MIN_ALT_LENGTH:
                yield number, f"its figure needs alt text (mystnb.image.alt, {MIN_ALT_LENGTH} characters or more)"
                return


@rule
def tables_have_captions(notebook: Notebook) -> Found:
    """A reader who jumps to a table is told what it counts, and a screen reader what it is about."""
    for number, _, output in outputs(notebook):
        shown = output.get("data", {}).get("text/html", "")
        if "<table" in shown and "<caption>" not in shown:
            yield number, "shows a table without a caption; Table takes one as caption=…"


@rule
def no_progress_bars_or_widgets(notebook: Notebook) -> Found:
    """Bars, widgets and %%time differ from run to run, and widgets load scripts from other hosts."""
    for number, cell in code_cells(notebook):
        if match := PROGRESS.search(cell.source):
            yield number, f"uses {match[0]}; print a plain line in a cell tagged {IGNORED} instead"
    for number, _, output in outputs(notebook):
        if any("widget" in mime for mime in output.get("data", {})):
            yield number, "shows a widget; show text or a figure instead"


@rule
def no_errors_or_warnings(notebook: Notebook) -> Found:
    """No cell ends in an error (papermill would stop there) or writes to stderr."""
    for number, cell in code_cells(notebook):
        if has_tag(cell, "raises-exception") or has_tag(cell, "nbval-raises-exception"):
            yield number, "is tagged to raise; catch the error and show its message, so that papermill can run on"
    for number, _, output in outputs(notebook):
        if output.output_type == "error":
            yield number, f"ended in {output.ename}"
        if output.output_type == "stream" and output.get("name") == "stderr":
            yield number, f"wrote to stderr: {output.text.strip().splitlines()[0][:80]}"


@rule
def no_addresses_or_paths(notebook: Notebook) -> Found:
    """An object's address or a machine's path in an output differs in every run."""
    for number, _, output in outputs(notebook):
        if match := ADDRESS.search(output_text(output)):
            yield number, f"shows {match[0]!r}; end the cell with plt.show() or print what matters"


@rule
def ignored_outputs_are_asserted(notebook: Notebook) -> Found:
    """Where an output is not compared, something else must be: an assert in the cell or in the code cell beside it."""
    code = list(code_cells(notebook))
    for place, (number, cell) in enumerate(code):
        if has_tag(cell, IGNORED):
            beside = code[max(0, place - 1) : place + 2]
            if not any(asserts(one.source) for _, one in beside):
                yield number, f"is tagged {IGNORED}; assert something in it or in the code cell beside it"


@rule
def clocks_and_training_are_ignored(notebook: Notebook) -> Found:
    """Times and trained values differ between machines: a cell that trains or times and shows something is tagged."""
    for number, cell in code_cells(notebook):
        differs = TRAINS.search(cell.source) or CLOCK.search(cell.source)
        shows_text = any("image/png" not in output.get("data", {}) for output in cell.outputs)
        if differs and shows_text and not has_tag(cell, IGNORED):
            yield number, f"trains or times and shows text; tag it {IGNORED} and assert a threshold"


@rule
def rounding_is_ignored(notebook: Notebook) -> Found:
    """By how little two equal numbers differ is the processor's affair: a page says what it stays below."""
    for number, cell in code_cells(notebook):
        if (match := ROUNDING.search(cell.source)) and not has_tag(cell, IGNORED):
            yield number, f"shows {match[0]!r}, which differs between processors; print what it stays below"


@rule
def no_stray_nbval_tags(notebook: Notebook) -> Found:
    """nbval-skip hides a cell from every check; only the Colab cell may have it."""
    for number, cell in code_cells(notebook):
        if has_tag(cell, "nbval-skip") and not has_tag(cell, COLAB_TAG):
            yield number, "is tagged nbval-skip; only the Colab cell may be skipped"


@rule
def glued_values_are_plain(notebook: Notebook) -> Found:
    """What is glued in is a number of few digits: a type is no use in a sentence, and processors differ in the last."""
    for number, _, output in outputs(notebook):
        value = output.get("data", {}).get(RECORD)
        if value is not None and not _plain(value):
            yield number, f"glues {value[:40]!r}; glue of rnncourse.viz.numbers makes a short number of it"


def _plain(stored: str) -> bool:
    """True of words, whole numbers and numbers of no more digits than ``rnncourse.viz.numbers.glue`` keeps."""
    try:
        value = ast.literal_eval(stored)
    except (ValueError, SyntaxError):  # np.float64(0.5), tensor(0.5), nan
        return False
    return not isinstance(value, float) or value == float(f"{value:.9g}")


@rule
def glued_names_are_used_once(notebook: Notebook) -> Found:
    """A name stands for one value: of two, a sentence shows the later one, wherever it stands."""
    first: dict[str, int] = {}
    for number, _, output in outputs(notebook):
        if RECORD in output.get("data", {}):
            name = output["metadata"]["scrapbook"]["name"]
            if name in first:
                yield number, f"glues {name!r}, which cell {first[name]} glues already"
            first.setdefault(name, number)
