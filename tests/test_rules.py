"""Each house rule passes a good notebook, and each can fail: here is the smallest notebook that breaks it."""

import copy

import nbformat
import pytest

from rnncourse.notebooks.colab import with_colab_cell
from rnncourse.notebooks.execution import source_chain
from rnncourse.notebooks.files import normalise
from rnncourse.notebooks.pictures import shrink_png
from rnncourse.notebooks.rules import CHAPTER_RULES, RULES, complaints
from rnncourse.viz.tables import Table
from tests.test_notebooks import notebook, png

v4 = nbformat.v4
ALT = {"mystnb": {"image": {"alt": "A line that falls from left to right."}}}
SEEDED = "import torch\ntorch.manual_seed(0)\ntorch.set_num_threads(1)"
PARTS = """\
:::{admonition} What you will learn
:class: learn
:::

## The problem
It took {glue:text}`x:.2f` bits, where {cite:t}`somebody1999word` has 1.23, and {math}`x = 1.5` or $y = 2.5$ or `3.5`.

:::{admonition} Predict, then run
:class: predict
:::

## The idea

## The equations

## From scratch
See Exercise 2.1, section 3.2 and Python 3.12.

## The same, packaged

:::{admonition} Predict, then run
:class: predict
:::

## What breaks

## Take-away

## Quiz

## Graded exercises

## Further reading"""


def picture(mime="image/png"):
    return v4.new_output("display_data", data={mime: shrink_png(png(40, 30, noise=False)), "text/plain": "<Figure>"})


@pytest.fixture
def good():
    made = notebook(
        "# Title",
        SEEDED,
        ('scale = "page"', ["parameters"]),
        f"md:{PARTS}",
        "import matplotlib.pyplot as plt\nplt.show()",
        ("history = fit(model)\nprint(history.losses[-1])", ["nbval-ignore-output"]),
        "assert round(2 / 3, 2) == 0.67",
        "md:Two thirds is about 0.67.",
    )
    made.cells[4].metadata.update(ALT)
    made.cells[4].outputs = [picture()]
    made.cells[6].outputs = [glue("x", "2.31"), glue("y", "'3.5 bits'")]
    made.cells[5].outputs = [v4.new_output("stream", name="stdout", text="1.234\n")]
    for count, cell in enumerate((cell for cell in made.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    return ran(normalise(made))


def ran(made):
    """Notes what the outputs were made by, as executing does."""
    made.metadata["rnncourse"] = {"ran": source_chain(made)}
    return made


def test_a_good_chapter_has_nothing_against_it(good):
    assert complaints("book/01_good.ipynb", good) == []


def test_a_good_chapter_stays_good_with_its_colab_cell(good):
    with_cell = with_colab_cell(good, "https://example.org/a/b")
    for count, cell in enumerate((cell for cell in with_cell.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    assert complaints("book/01_good.ipynb", ran(normalise(with_cell))) == []


def change(position, **to):
    def apply(made):
        cell = made.cells[position]
        for key, value in to.items():
            cell[key] = value

    return apply


def tag(position, *tags):
    return change(position, metadata={"tags": list(tags)})


def add_output(position, output):
    return lambda made: made.cells[position].outputs.append(output)


def glue(name, value):
    data = {"application/papermill.record/text/plain": value}
    record = {"scrapbook": {"mime_prefix": "application/papermill.record/", "name": name}}
    return v4.new_output("display_data", data=data, metadata=record)


def prose(text):
    return change(7, source=text)


BREAKS = {
    "executed_in_order": [
        change(1, execution_count=None),
        change(1, execution_count=2),
        change(6, execution_count=7),
        lambda made: made.cells.insert(1, made.cells.pop(2)),
    ],
    "outputs_belong_to_the_sources": [
        change(6, source="assert 2"),
        lambda made: made.cells.pop(6),
        lambda made: made.metadata.pop("rnncourse"),
    ],
    "normal_form": [
        change(0, id="by-hand"),
        lambda made: made.metadata.update(authors=["me"]),
        lambda made: made.cells[1].metadata.update(scrolled=True),
    ],
    "seeds_and_one_thread_first": [
        change(1, source="import torch\ntorch.manual_seed(0)"),
        change(1, source="import torch\ntorch.set_num_threads(1)"),
        lambda made: setattr(made, "cells", made.cells[:1]),
    ],
    "parameters_cell_where_it_trains": [
        tag(2),
        change(2, source="scale = 'smoke'"),
        change(2, source='scale = "page"\nprint(scale)'),
        tag(6, "parameters"),
    ],
    "no_trailing_semicolon": [change(6, source="assert 1\nplt.plot(x);"), change(6, source="assert 1\nf();  \n# so")],
    "pictures_are_small_pngs": [
        add_output(4, picture("image/svg+xml")),
        add_output(4, v4.new_output("display_data", data={"image/png": png(40, 30, noise=True)})),
    ],
    "pictures_have_alt_text": [
        change(4, metadata={}),
        change(4, metadata={"mystnb": {"image": {"alt": "a figure"}}}),
    ],
    "no_progress_bars_or_widgets": [
        change(6, source="from tqdm import tqdm\nassert 1"),
        change(6, source="%%time\nassert 1"),
        change(6, source="%timeit f()\nassert 1"),
        add_output(6, v4.new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}})),
    ],
    "no_install": [
        change(6, source="!pip install torch\nassert 1"),
        change(6, source="if True:\n    %pip install torch\nassert 1"),
        lambda made: made.cells[6].update(metadata={"tags": ["colab-install"]}),
    ],
    "no_errors_or_warnings": [
        tag(6, "raises-exception"),
        add_output(6, v4.new_output("error", ename="E", evalue="v", traceback=[])),
        add_output(6, v4.new_output("stream", name="stderr", text="UserWarning: so\n")),
    ],
    "no_addresses_or_paths": [
        add_output(6, v4.new_output("execute_result", data={"text/plain": "<Line2D at 0x7f0123456789>"})),
        add_output(6, v4.new_output("stream", name="stdout", text="/tmp/ipykernel_12/3.py\n")),
    ],
    "ignored_outputs_are_asserted": [change(6, source="x = 1")],
    "clocks_and_training_are_ignored": [
        tag(5),
        lambda made: made.cells[6].update(
            source="time.perf_counter()\nassert 1", outputs=[v4.new_output("stream", name="stdout", text="3 s\n")]
        ),
    ],
    "no_stray_nbval_tags": [tag(6, "nbval-skip")],
    "numbers_in_prose_are_computed": [
        prose("It reached 2.31 bits."),
        prose("It is 12 % better."),
        prose("It is 0.6 of it."),
        prose("{cite:p}`a2000b` says so.\n\nWe found 1.9 bits."),
    ],
    "markers_to_the_letter": [
        change(7, source="x = 1\n###BEGIN SOLUTION"),
        change(7, source="### End Solution\nx = 1"),
    ],
    "under_one_megabyte": [change(7, source="long " * 210_000)],
    "one_title": [change(0, source="Title"), change(7, source="# Another"), lambda made: made.cells.pop(0)],
    "glued_values_are_plain": [
        add_output(6, glue("x", "np.float64(0.5)")),
        add_output(6, glue("x", "tensor(0.5)")),
        add_output(6, glue("x", "0.7352587174984433")),
        add_output(6, glue("x", "-7.352587174984433e-05")),
        add_output(6, glue("x", "nan")),
    ],
    "tables_have_captions": [
        add_output(6, v4.new_output("display_data", data={"text/html": Table(["bits"], {"RNN": [2.0]})._repr_html_()}))
    ],
    "rounding_is_ignored": [change(6, source='print(f"off by {(one - other).abs().max():.0e}")')],
    "glued_names_are_used_once": [lambda made: made.cells[6].outputs.extend([glue("x", "1.0"), glue("x", "2.0")])],
    "follows_the_template": [
        change(3, source=PARTS.replace("## Quiz", "")),
        change(3, source=PARTS.replace("## The idea", "## Idea").replace("## Quiz", "## The idea")),
        change(3, source=PARTS.replace(":class: predict", ":class: note", 1)),
    ],
}


def test_every_rule_is_shown_to_fail():
    assert set(BREAKS) == set(RULES) | set(CHAPTER_RULES)


@pytest.mark.parametrize(("rule", "number"), [(rule, n) for rule, ways in BREAKS.items() for n in range(len(ways))])
def test_each_rule_can_fail(good, rule, number):
    bad = copy.deepcopy(good)
    BREAKS[rule][number](bad)
    found = [one for one in complaints("book/01_bad.ipynb", bad) if one.rule == rule]
    assert found, f"{rule} has nothing against it"
    assert all(one.reason and "\n" not in str(one) for one in found)


def test_solutions_need_not_follow_the_chapters_template(good):
    bad = copy.deepcopy(good)
    BREAKS["follows_the_template"][0](bad)
    assert complaints("solutions/01_bad.ipynb", bad) == [
        one for one in complaints("book/01_bad.ipynb", bad) if one.rule not in CHAPTER_RULES
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Chapter 3 has 12 cells and 4 steps; see section 2.1 and Exercise 5.2.",
        "In code: `x = 2.31`, in maths $p = 0.5$ and $$q = 0.25$$ and {math}`0.1`.",
        "A link [2.31](https://example.org/2.31) no: <https://example.org/1.5>.",
        "```{code-block} python\nx = 2.31\n```",
        "{cite:t}`elman1990finding` reports 2.31.",
        "{glue:text}`02-bits:.2f` bits",
        "Python 3.12 or PyTorch 2.13",
    ],
)
def test_numbers_that_are_no_claims_are_let_be(good, text):
    if text.startswith("A link"):
        text = text.replace("[2.31]", "[here]")
    made = copy.deepcopy(good)
    prose(text)(made)
    assert [one for one in complaints("book/x.ipynb", made) if one.rule == "numbers_in_prose_are_computed"] == []
