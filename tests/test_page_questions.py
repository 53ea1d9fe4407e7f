"""Predictions and quizzes on the page: they wait, they judge, and without scripts nothing is out of reach."""

import pytest

from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.pages import build_page

pytestmark = pytest.mark.site

CONF = """
extensions = ["myst_parser", "sphinx_design"]
myst_enable_extensions = ["colon_fence", "attrs_block"]
html_theme = "basic"
html_static_path = ["_static"]
html_css_files = ["course.css"]

def setup(app):
    from course import questions
    questions.connect(app)
"""
PAGE = """# A page

:::{admonition} Predict, then run
:class: predict
How many?

- a) one
- b) two
:::

First the numbers are drawn.

::::{container} cell
:::{container} cell_input
draws
:::
::::

::::{container} cell
:::{container} cell_input
adds
:::
{.cell_output}
FORTY-TWO

::::

::::{container} cell
{.cell_output}
A PICTURE

::::

The answer is **b**.

(equation)=
More text.

## The quiz

**1.** Which?

- a) this
- b) that
- c) neither

:::{dropdown} Answer to question 1
**c.** Because.
:::

**2.** Why?

:::{dropdown} Answer to question 2
Since it is so.
:::

- a) a list
- b) of options without an answer
"""


ANSWERS = ("FORTY-TWO", "A PICTURE", "The answer is", "More text.")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's address on the disk."""
    folder = tmp_path_factory.mktemp("questions")
    (folder / "_static").symlink_to(ROOT / "book" / "_static")
    return build_page(folder, CONF, PAGE)[0].as_uri()


def test_an_output_waits_until_the_reader_opens_it_by_key(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    for hidden in ANSWERS:
        assert not tab.get_by_text(hidden).is_visible()
    for open_ in ("First the numbers", "draws", "adds", "The quiz"):
        assert tab.get_by_text(open_).first.is_visible()
    tab.get_by_role("button", name="Show what comes out").focus()
    tab.keyboard.press("Enter")
    for hidden in ANSWERS:
        assert tab.get_by_text(hidden).is_visible()
    assert not tab.get_by_role("button", name="Show what comes out").is_visible()
    tab.close()


def test_a_link_to_what_waits_opens_it(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    assert not tab.get_by_text("More text.").is_visible()
    tab.evaluate("location.hash = '#the-quiz'")
    assert not tab.get_by_text("More text.").is_visible()
    tab.evaluate("location.hash = '#equation'")
    tab.get_by_text("More text.").wait_for()
    tab.close()
    tab = browser.new_page()
    tab.goto(f"{page}#equation")
    assert tab.get_by_text("More text.").is_visible()
    tab.close()


def test_outputs_are_open_in_print_and_without_scripts(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    tab.emulate_media(media="print")
    for hidden in ANSWERS:
        assert tab.get_by_text(hidden).is_visible()
    assert not tab.get_by_role("button", name="Show what comes out").is_visible()
    tab.close()
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(page)
    for hidden in ANSWERS:
        assert bare.get_by_text(hidden).is_visible()
    assert not bare.locator(".reveal").is_visible()
    assert bare.locator(".choices input").count() == 0
    context.close()


def test_the_quiz_judges_and_opens_its_answer(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    wrong = tab.get_by_label("a) this")
    wrong.check()
    assert tab.get_by_role("status").inner_text().startswith("Not that one")
    assert not tab.get_by_text("Because.").is_visible()
    wrong.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert tab.get_by_label("c) neither").is_checked()
    assert tab.get_by_role("status").inner_text().startswith("Right")
    assert tab.get_by_text("Because.").is_visible()
    assert not tab.get_by_text("Since it is so.").is_visible()
    tab.close()


def test_only_lists_with_an_answer_are_a_quiz(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    assert tab.locator("ul.quiz").count() == 1
    assert tab.locator("ul.choices").count() == 2  # the quiz's and the prediction's
    tab.close()


def test_nothing_jumps_when_the_scripts_arrive(browser, page):  # noqa: F811
    tab = browser.new_page()
    tab.goto(page)
    shift = tab.evaluate(
        "new Promise(r => { let s = 0; new PerformanceObserver(l => l.getEntries().forEach(e => s += e.value))"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => r(s), 300); })"
    )
    assert shift < 0.02
    tab.close()
