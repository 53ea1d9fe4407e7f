"""The live figures: their numbers are the package's, and what a reader does with them works."""

import json
import sys

import pytest
import torch

from rnncourse.cells import LSTMCell, RNNCell
from rnncourse.diagnostics import jacobian_norms, spectral_radius
from rnncourse.functional import lstm_step, rnn_step
from rnncourse.shapes import LSTMState
from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.pages import build_page

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from course import nodejs

pytestmark = pytest.mark.site
DATA = nodejs.SCRIPTS


def data(name: str) -> dict:
    """What a data script assigns."""
    return json.loads((DATA / f"{name}-data.js").read_text(encoding="utf-8").split(" = ", 1)[1].rstrip(";\n"))


def tensors(weights: dict) -> dict[str, torch.Tensor]:
    """Lists as float64 tensors."""
    return {name: torch.tensor(weight, dtype=torch.float64) for name, weight in weights.items()}


def close(ours, theirs) -> None:
    """Equal to 1e-5 of the largest number, as the page promises."""
    ours, theirs = torch.as_tensor(ours, dtype=torch.float64), torch.as_tensor(theirs, dtype=torch.float64)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max().clamp(min=1e-30)))


@pytest.mark.parametrize("words", ["a", "and the lord said", "Selah! 7 times", "zzzz qqqq"])
def test_the_unrolled_network_reads_as_the_package_does(words):
    letters = data("unrolled")
    weights = tensors(letters["weights"])
    known = [letter if letter in letters["alphabet"] else " " for letter in words.lower()]
    h = torch.zeros(1, len(weights["b"]), dtype=torch.float64)
    states, chances = [], []
    for letter in known:
        x = torch.nn.functional.one_hot(torch.tensor([letters["alphabet"].index(letter)]), len(letters["alphabet"]))
        h = rnn_step(x.double(), h, weights["U"], weights["W"], weights["b"])
        states.append(h[0])
        chances.append(torch.softmax(weights["V"] @ h[0] + weights["c"], 0))
    steps = nodejs.evaluate("unrolled", f"course.figures.unrolled.read({json.dumps(words)})")
    assert [step["letter"] for step in steps] == known
    close([step["h"] for step in steps], torch.stack(states))
    close([step["next"] for step in steps], torch.stack(chances))


GATES = {"forget": 1.5, "input": -1.0, "output": 0.5, "recurrent": 1.25, "pattern": "noise"}


@pytest.mark.parametrize(
    "change", [{}, {"recurrent": 0}, {"recurrent": -3, "pattern": "two"}, {"forget": 6, "pattern": "pulse"}]
)
def test_the_gates_and_their_gradients_are_the_packages(change):
    values = GATES | change
    expression = "((v) => ({run: course.figures.gates.run(v), w: course.figures.gates.weightsOf(v),"
    found = nodejs.evaluate(
        "gates", f"{expression} x: course.figures.gates.inputs(v.pattern)}}))({json.dumps(values)})"
    )
    weights, inputs = tensors(found["w"]), torch.tensor(found["x"], dtype=torch.float64)
    state = LSTMState(*(torch.zeros(1, 1, dtype=torch.float64, requires_grad=True) for _ in range(2)))
    states = []
    for x in inputs:
        state = lstm_step(x.view(1, 1), state, weights["U"], weights["W"], weights["b"])
        states.append(state)
    close([step["c"][0] for step in found["run"]["steps"]], torch.cat([s.c.detach()[0] for s in states]))
    close([step["h"][0] for step in found["run"]["steps"]], torch.cat([s.h.detach()[0] for s in states]))
    whole = torch.autograd.grad(states[-1].c.sum(), [s.c for s in states])
    close(found["run"]["whole"], torch.cat([slope[0] for slope in whole]))
    forget = torch.tensor([step["f"][0] for step in found["run"]["steps"]], dtype=torch.float64)
    close(found["run"]["highway"], torch.stack([forget[t:].prod() for t in range(1, len(forget) + 1)]))


LAB = [(1.0, 0.5, 40), (0.3, 0.0, 60), (1.8, 3.0, 60), (1.2, 1.0, 5)]


def without_biases(cell, **weights):
    """The cell in float64, with these weights and its biases at zero."""
    cell = cell.double().requires_grad_(False)
    for name, parameter in cell.named_parameters():
        parameter.copy_(weights[name]) if name in weights else parameter.zero_()
    return cell


def lab(kind: str, **values) -> list[float]:
    """One curve of the gradient lab, as the browser computes it."""
    values = {"radius": 1, "activation": "tanh", "size": 1, "lag": 20, "forget": 1} | values
    return nodejs.evaluate("gradients", f"course.figures.gradients.{kind}Norms({json.dumps(values)})")


def each_close(ours: list[float], theirs: torch.Tensor) -> None:
    """Each by itself: the curves run over twenty powers of ten."""
    for mine, norm in zip(ours, theirs.tolist(), strict=True):
        assert mine == pytest.approx(norm, rel=1e-5, abs=1e-200)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("radius", "size", "lag"), LAB)
def test_the_gradient_lab_measures_what_the_package_measures(activation, radius, size, lag):
    draws = data("gradients")
    weights = tensors(draws["rnn"])
    cell = RNNCell(weights["U"].shape[1], len(weights["W"]), nonlinearity=activation)
    cell = without_biases(cell, weight_ih=weights["U"], weight_hh=radius * weights["W"])
    x = size * torch.tensor(draws["inputs"], dtype=torch.float64)[None, :lag]
    each_close(lab("rnn", radius=radius, activation=activation, size=size, lag=lag), jacobian_norms(cell, x))


@pytest.mark.parametrize("radius", [0.2, 1.0, 1.8])
def test_without_an_activation_the_lab_shows_powers_of_the_matrix(radius):
    recurrent = radius * tensors(data("gradients")["rnn"])["W"]
    powers = [torch.linalg.matrix_norm(torch.linalg.matrix_power(recurrent, k), 2) for k in range(61)]
    each_close(lab("rnn", radius=radius, activation="identity", lag=60), torch.stack(powers))


def test_the_labs_matrix_has_radius_one():
    assert spectral_radius(torch.tensor(data("gradients")["rnn"]["W"])) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("forget", "size", "lag"), [(1, 0.5, 40), (-2, 3, 20), (6, 0, 60)])
def test_the_labs_lstm_is_the_packages(forget, size, lag):
    draws = data("gradients")
    weights = tensors(draws["lstm"])
    units = weights["W"].shape[1]
    bias = torch.zeros(4 * units)
    bias[units : 2 * units] = forget
    cell = LSTMCell(weights["U"].shape[1], units)
    cell = without_biases(cell, weight_ih=weights["U"], weight_hh=weights["W"], bias_ih=bias)
    x = size * torch.tensor(draws["inputs"], dtype=torch.float64)[None, :lag]
    each_close(lab("lstm", forget=forget, size=size, lag=lag), jacobian_norms(cell, x, field="c"))


@pytest.mark.parametrize("name", nodejs.FIGURES)
def test_a_figure_is_drawn_without_a_browser_and_says_what_it_shows(name):
    markup = nodejs.evaluate(name, f"course.live.markup({name!r})")
    assert "NaN" not in markup
    assert "undefined" not in markup
    assert markup.count("<svg") == 2  # a wide one and a narrow one
    assert markup.count('role="img" aria-label="') == 2
    labels = nodejs.evaluate(name, f"course.figures.{name}.controls.map((c) => c.label)")
    assert all(f">{label}</label>" in markup for label in labels)


def test_markup_that_a_reader_types_stays_text():
    drawn = nodejs.evaluate(
        "unrolled", "course.figures.unrolled.view({words: '<img src=x onerror=alert(1)>\"&'}, false)"
    )
    assert "<img" not in drawn["svg"]


def test_controls_redraw_by_keyboard_from_the_disk(browser, tmp_path):  # noqa: F811
    for name in nodejs.FIGURES:
        scripts = "".join(f'<script src="{(DATA / file).as_uri()}" defer></script>' for file in nodejs.scripts(name))
        inside = nodejs.evaluate(name, f"course.live.markup({name!r})")
        page = f'<!doctype html><meta charset="utf-8"><figure data-figure="{name}">{inside}</figure>{scripts}'
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    for name in nodejs.FIGURES:
        page = browser.new_page()
        complaints = []
        page.on("pageerror", lambda error, said=complaints: said.append(str(error)))
        page.goto((tmp_path / f"{name}.html").as_uri())
        page.wait_for_selector("fieldset:enabled")
        before = page.inner_text(".lf-words")
        first = page.locator("fieldset :is(input, select)").first
        first.focus()
        page.keyboard.press("End")
        if name == "unrolled":
            page.keyboard.type("zq")
        page.wait_for_function("(before) => document.querySelector('.lf-words').innerText !== before", arg=before)
        assert complaints == []
        page.close()


CONF = """
extensions = ["myst_parser"]
html_theme = "basic"

def setup(app):
    from course import live
    live.connect(app)
"""


def test_a_page_shows_a_figure_with_its_caption_and_loads_its_scripts_alone(tmp_path):
    page, complaints = build_page(tmp_path, CONF, "# A page\n\n```{live} gates\nRaise the *forget* bias.\n```\n")
    html = page.read_text(encoding="utf-8")
    assert '<figure class="interactive" data-figure="gates"><fieldset class="lf-controls" disabled>' in html
    assert "<figcaption>" in html
    assert "<em>forget</em>" in html
    loaded = [file for file in ("networks", "mount", "gates", "gradients", "unrolled") if f"live/{file}.js" in html]
    assert loaded == ["networks", "mount", "gates"]
    assert "error" not in complaints.lower()


def test_an_unknown_figure_is_an_error_that_names_the_known_ones(tmp_path):
    _, complaints = build_page(tmp_path, CONF, "# A page\n\n```{live} gate\n```\n")
    assert "there is no live figure 'gate'; there are unrolled, gates, gradients, beam" in complaints
