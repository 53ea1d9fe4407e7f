"""A chapter's figures on its page: counted, captioned, sharp, of a known size, dark in the dark, legible on a phone."""

import base64
import io
import itertools
import sys

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from nbformat import v4
from PIL import Image

from rnncourse.notebooks.pictures import shrink_png
from rnncourse.viz import style
from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.pages import build_site, served
from tests.test_viz import contrast

sys.path.insert(0, str(ROOT / "book" / "_ext"))
pytestmark = pytest.mark.site

CONF = """
extensions = ["myst_nb", "sphinx_book_theme", "sphinx_external_toc"]
external_toc_path = "_toc.yml"
html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = [["js/course.js", {"defer": "defer"}]]
nb_execution_mode = "off"
numfig = True
numfig_format = {"figure": "Figure %s"}

def setup(app):
    from course import figures, numbers, page
    figures.connect(app)
    numbers.connect(app)
    page.connect(app)
"""
TOC = "format: jb-book\nroot: index\nchapters:\n  - file: book/05_gates\n  - file: book/deeper/05_aside\n"
ALT = "A line that rises from left to right, and the words beside it."


def drawn(density: int, width: float = 6.0) -> str:
    """A figure of the course as a notebook stores it, at so many pixels to the inch."""
    figure = Figure(figsize=(width, 2), dpi=style.DENSITY, facecolor=style.COLOURS["paper"])
    axes = figure.subplots()
    for name, colour in style.COLOURS.items():
        axes.plot([0, 1], [len(name), 1 + len(name)], color=colour, linewidth=6)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=density)
    return shrink_png(base64.b64encode(buffer.getvalue()).decode())


def cell(*pictures: str, **metadata):
    """A code cell that shows these pictures."""
    shown = [v4.new_output("display_data", {"image/png": one, "text/plain": "<Figure>"}) for one in pictures]
    about = {"mystnb": {"image": {"alt": ALT}, **metadata}}
    return v4.new_code_cell("draw()", outputs=shown, execution_count=1, metadata=about)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A chapter with four figures, one as older runs stored it, one sharp, two of one cell; and a deeper page."""
    folder = tmp_path_factory.mktemp("figures")
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    chapter = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# Gates\n\n## One\n\nText before {numref}`the-sharp-one`."),
            cell(drawn(style.DENSITY)),
            cell(drawn(2 * style.DENSITY), figure={"caption": "It rises, as $x$ does.", "name": "the-sharp-one"}),
            cell(drawn(style.DENSITY, 4.0), drawn(style.DENSITY, 3.0)),
            v4.new_markdown_cell("Text after."),
        ],
        metadata=python,
    )
    aside = v4.new_notebook(cells=[v4.new_markdown_cell("# Aside"), cell(drawn(2 * style.DENSITY))], metadata=python)
    aside.cells[1].outputs[0].metadata = {"image/png": {"width": 847, "height": 418}}  # as a kernel may say
    (folder / "_static" / "js").mkdir(parents=True)
    for name in ("course.css", "js/course.js"):
        (folder / "_static" / name).write_bytes((ROOT / "book" / "_static" / name).read_bytes())
    files = {"_toc.yml": TOC, "index.md": "# A book\n"}
    files |= {"book/05_gates.ipynb": nbformat.writes(chapter), "book/deeper/05_aside.ipynb": nbformat.writes(aside)}
    out, said = build_site(folder, CONF, files)
    assert said == ""
    return out


@pytest.fixture(scope="module")
def page(site):
    """The chapter's page, parsed."""
    return BeautifulSoup((site / "book" / "05_gates.html").read_text(encoding="utf-8"), "html.parser")


def test_every_figure_has_its_number_and_what_its_cell_says_below_it(page):
    captions = [
        " ".join(one.get_text().strip().rstrip("#").replace("\u200b", "").split())
        for one in page.select("figure.drawn figcaption")
    ]
    assert [text.split(" It")[0] for text in captions] == [f"Figure 5.{count}" for count in (1, 2, 3, 4)]
    assert "It rises, as" in captions[1]
    assert "Figure 5.2" in page.find(string=lambda text: "Text before" in text).parent.get_text()


def test_a_deeper_pages_figure_is_dressed_alike(site):
    html = (site / "book" / "deeper" / "05_aside.html").read_text(encoding="utf-8")
    (figure,) = BeautifulSoup(html, "html.parser").select("figure.drawn")
    assert "Figure 5A.1" in figure.select_one("figcaption").get_text()
    for one in figure.select("img"):
        assert (one["width"], one["height"]) == ("780", "260")
        assert one["style"].startswith("--least")
    assert [one["class"] for one in figure.select("img")] == [["only-light"], ["only-dark"]]


def test_a_cell_of_the_book_draws_one_figure_so_that_the_plain_edition_counts_alike():
    from rnncourse.notebooks.files import read

    for path in sorted((ROOT / "book").rglob("[0-9][0-9]_*.ipynb")):
        for one in read(path).cells:
            assert sum("image/png" in output.get("data", {}) for output in one.get("outputs", [])) <= 1, path.name


def test_a_sharp_figure_is_shown_as_large_as_one_with_half_its_pixels(site, page):
    lights = page.select("figure.drawn img.only-light")
    shown = [(int(one["width"]), int(one["height"])) for one in lights]
    assert shown == [(780, 260), (780, 260), (520, 260), (390, 260)]
    stored = [pixels(site, one).shape[1::-1] for one in lights]
    assert stored == [(780, 260), (1560, 520), (520, 260), (390, 260)]


def test_the_dark_variant_is_the_same_drawing_in_turned_colours(site, page):
    from course.darkness import turned

    for light, dark in zip(page.select("img.only-light"), page.select("img.only-dark"), strict=True):
        assert light["alt"] == dark["alt"] == ALT
        day, night = (pixels(site, one) for one in (light, dark))
        colours, which = np.unique(day.reshape(-1, 3), axis=0, return_inverse=True)
        assert np.array_equal(turned(colours)[which.ravel()].reshape(day.shape), night)


@pytest.mark.parametrize("name", [name for name in style.COLOURS if name not in ("line", "paper")])
def test_what_stands_out_from_white_stands_out_from_the_dark(name):
    from course.darkness import DARK_PAPER, from_hex, turned

    (dark,) = turned(np.rint(from_hex(style.COLOURS[name]) * 255)[None])
    colour = "#" + bytes(dark.tolist()).hex()
    assert contrast(colour, DARK_PAPER) >= (4.5 if name in ("ink", "muted") else 3)
    for fill in style.FILLS.values():
        (ink, below) = turned(np.rint(np.stack([from_hex(style.COLOURS["ink"]), from_hex(fill)]) * 255))
        assert contrast("#" + bytes(ink.tolist()).hex(), "#" + bytes(below.tolist()).hex()) >= 7


def test_a_scale_of_colours_keeps_its_order_in_the_dark():
    from course.darkness import lab, turned

    grays = np.repeat(np.arange(30, 256)[:, None], 3, axis=1)
    lightness = lab(turned(grays) / 255)[:, 0]
    assert all(before >= after - 1e-3 for before, after in itertools.pairwise(lightness))
    assert lightness[0] > lightness[-1] + 0.5


def test_the_darks_colours_are_those_of_the_stylesheet():
    from course import darkness

    text = (ROOT / "book" / "_static" / "course.css").read_text(encoding="utf-8")
    dark = text.split('html[data-theme="dark"] {')[1].split("}")[0]
    assert f"--course-paper: {darkness.DARK_PAPER};" in dark
    assert f"--course-ink: {darkness.LIGHT_INK};" in dark
    assert style.COLOURS["ink"] == darkness.INK


def test_the_build_knows_how_figures_are_drawn():
    from course import figures

    assert (figures.DENSITY, figures.SMALLEST) == (style.DENSITY, style.SMALLEST)


SHOWN = """() => [...document.querySelectorAll('figure.drawn img')].filter(i => i.getClientRects().length)
  .map(i => ({width: i.getBoundingClientRect().width, scale: i.getBoundingClientRect().width / i.getAttribute('width'),
              name: i.className, ratio: i.getBoundingClientRect().width / i.getBoundingClientRect().height,
              box: i.parentElement.clientWidth, inside: i.parentElement.scrollWidth}))"""


def pixels(site, image):
    """A picture of the page as rows of red, green and blue."""
    with Image.open(site / "book" / image["src"]) as found:
        return np.array(found.convert("RGB"))


def opened(browser, address, width, theme):  # noqa: F811
    """The chapter in a browser of this width and theme, and the pictures that it asked for."""
    tab = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url) if "_images/" in request.url else None)
    tab.goto(f"{address}/book/05_gates.html", wait_until="networkidle")
    tab.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    tab.evaluate("document.querySelector('figcaption').scrollIntoView()")
    return tab, asked


@pytest.mark.browser
def test_text_is_legible_on_a_phone_and_the_whole_figure_can_be_reached(browser, site):  # noqa: F811
    smallest = style.SMALLEST * style.DENSITY / 72
    with served(site) as address:
        tab, _ = opened(browser, address, 390, "light")
        shown = tab.evaluate(SHOWN)
        assert len(shown) == 4
        for one in shown:
            assert one["scale"] * smallest >= 9 - 0.05
            assert one["inside"] >= one["width"] - 1
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        wide = [one for one in shown if one["inside"] > one["box"] + 1]
        assert len(wide) == 2
        reached = tab.locator(".scroll[tabindex='0']")
        assert reached.count() == len(wide)
        assert reached.first.get_attribute("role") == "group"
        tab.context.close()
        tab, _ = opened(browser, address, 1280, "light")
        assert all(one["inside"] <= one["box"] for one in tab.evaluate(SHOWN))
        tab.context.close()


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_browser_fetches_and_shows_only_the_variant_of_its_theme(browser, site, theme, other):  # noqa: F811
    with served(site) as address:
        tab, asked = opened(browser, address, 1280, theme)
        shown = tab.evaluate(SHOWN)
        assert {one["name"] for one in shown} == {f"only-{theme}"}
        assert asked
        assert {"-dark.png" in url for url in asked} == {theme == "dark"}
        tab.evaluate(f"document.documentElement.dataset.theme = {other!r}")
        assert {one["name"] for one in tab.evaluate(SHOWN)} == {f"only-{other}"}
        tab.context.close()


@pytest.mark.browser
def test_nothing_moves_when_the_figures_arrive(browser, site):  # noqa: F811
    with served(site) as address:
        tab = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        tab.route("**/_images/*", lambda route: (tab.wait_for_timeout(150), route.continue_()))
        tab.goto(f"{address}/book/05_gates.html", wait_until="networkidle")
        shift = tab.evaluate(
            "new Promise(r => { let s = 0; new PerformanceObserver(l => l.getEntries().forEach(e => s += e.value))"
            ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => r(s), 500); })"
        )
        assert shift < 0.02
        tab.context.close()
