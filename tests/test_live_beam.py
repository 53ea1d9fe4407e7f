"""The beam, step by step: at every step the figure keeps what the package keeps, and its walk can be walked."""

import ast
import json
import re
import sys

import numpy as np
import pytest
import torch

from book._ext.live_export import BEAM
from rnncourse.cells import RNNCell
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.notebooks import read
from rnncourse.seq2seq import Hypotheses, beam_search
from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.test_live_figures import DATA, data, tensors

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from course import nodejs

pytestmark = pytest.mark.site
MODELS, WIDTHS, PENALTIES = ("lord", "she", "table"), (1, 2, 3, 4, 9), (0.0, 0.25, 0.5, 0.75, 1.0)
BARE = "({tokens, total, ended}) => ({tokens, total, ended})"


def from_chapter(first_words: str) -> dict:
    """What the chapter's cell that begins with these words defines."""
    cells = read(ROOT / "book" / "10_encoder_decoder.ipynb").cells
    found = [cell.source for cell in cells if cell.cell_type == "code" and cell.source.startswith(first_words)]
    assert len(found) == 1
    kept = [part for part in ast.parse(found[0]).body if isinstance(part, ast.Assign | ast.FunctionDef)]
    names = {"np": np, "torch": torch}
    exec(compile(ast.Module(kept, []), "chapter 10", "exec"), names)
    return names


def scripted(tokens: torch.Tensor, read=None):
    """The figure's table as a model; its begin mark is one more symbol."""
    read = tokens if read is None else torch.cat([read, tokens], dim=1)
    symbols = BEAM["symbols"] + "^"  # a free place may hold a begin mark
    beginnings = ["".join(symbols[token] for token in row[1:]) for row in read.tolist()]
    rows = [[*BEAM["table"].get(beginning, BEAM["otherwise"]), 0.0] for beginning in beginnings]
    return torch.tensor(rows, dtype=torch.float64).log()[:, None], read


def letter_model() -> LanguageModel:
    """The letter network of the home page, in double precision."""
    letters = data("unrolled")
    weights, symbols = tensors(letters["weights"]), len(letters["alphabet"])
    model = LanguageModel(Recurrent(RNNCell(symbols, len(weights["b"]))), symbols, one_hot=True).double()
    cell = {"weight_ih": weights["U"], "weight_hh": weights["W"], "bias_ih": weights["b"]}
    cell["bias_hh"] = torch.zeros_like(weights["b"])
    layer = {f"layer.cell.{name}": weight for name, weight in cell.items()}
    model.load_state_dict(layer | {"readout.weight": weights["V"], "readout.bias": weights["c"]})
    return model


def packaged(name: str, width: int, steps: int, penalty: float = 0.0) -> Hypotheses:
    """What the package's search has after so many steps, best first; places that nothing took are left out."""
    if name == "table":
        model, start, eos = scripted, torch.tensor([[len(BEAM["symbols"])]]), 0
    else:
        alphabet = data("unrolled")["alphabet"]
        start = torch.tensor([[alphabet.index(letter) for letter in BEAM["begun"][name]]])
        model, eos = letter_model(), alphabet.index(" ")
    with torch.no_grad():
        found = beam_search(model, start, width=width, eos=eos, max_length=steps, length_penalty=penalty)
    taken = found.lengths[0] > 0
    return Hypotheses(*(part[0][taken] for part in found))


@pytest.fixture(scope="module")
def runs() -> dict[str, list]:
    """Every step of every search, as the browser computes it."""
    each = f"((m, w) => course.figures.beam.found({{model: m, width: w}}).steps.map((s) => [s.waiting.map({BARE}), "
    each += f"s.kept.map({BARE}), s.dropped.map({BARE})]))"
    asked = [f"'{m} {w}': {each}('{m}', {w})" for m in MODELS for w in WIDTHS]
    return nodejs.evaluate("beam", f"({{{', '.join(asked)}}})")


@pytest.fixture(scope="module")
def rankings() -> dict[str, list]:
    """The last ranking of every search and length penalty."""
    each = f"((v) => course.figures.beam.ranked(v).map({BARE}))"
    asked = [
        f"'{m} {w} {a}': {each}({{model: '{m}', width: {w}, penalty: {a}}})"
        for m in MODELS
        for w in WIDTHS
        for a in PENALTIES
    ]
    return nodejs.evaluate("beam", f"({{{', '.join(asked)}}})")


def hold_equal(ours: list[dict], theirs: Hypotheses, ties: bool, ordered: bool) -> None:
    """The same hypotheses to 1e-5; where several are equally likely, as many of the same likelihood."""
    rows = zip(*(part.tolist() for part in theirs), strict=True)
    wanted = [(tuple(tokens[:length]), total, ended) for tokens, length, total, ended in rows]
    got = [(tuple(one["tokens"]), one["total"], one["ended"]) for one in ours]
    if not ordered:
        got, wanted = (sorted(side, key=lambda one: (-round(one[1], 9), one[0])) for side in (got, wanted))
    assert [one[1] for one in got] == pytest.approx([one[1] for one in wanted], rel=1e-5)
    if not ties:
        assert [one[::2] for one in got] == [one[::2] for one in wanted]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_every_step_keeps_what_the_package_keeps(runs, name, width):
    steps = runs[f"{name} {width}"]
    for number, (waiting, kept, _) in enumerate(steps, start=1):
        hold_equal(waiting + kept, packaged(name, width, number), ties=name == "table", ordered=False)
    whole = packaged(name, width, BEAM["steps"]["table" if name == "table" else "letters"])
    assert len(steps) == int(whole.lengths.max())  # it stops when all have ended, and no later


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_the_last_ranking_is_the_packages(rankings, name, width, penalty):
    theirs = packaged(name, width, BEAM["steps"]["table" if name == "table" else "letters"], penalty)
    hold_equal(rankings[f"{name} {width} {penalty}"], theirs, ties=name == "table", ordered=True)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_lost_between_kept_and_dropped(runs, name, width):
    open_before, ended_before = [{"tokens": [], "total": 0.0}], []
    for waiting, kept, dropped in runs[f"{name} {width}"]:
        assert waiting == ended_before
        assert len(waiting) + len(kept) <= width
        grown = kept + dropped
        assert [one["total"] for one in grown] == sorted((one["total"] for one in grown), reverse=True)
        assert len({tuple(one["tokens"]) for one in grown}) == len(grown)
        if name != "table":
            assert len(grown) == 27 * len(open_before)
        for parent in open_before:  # what follows one beginning has the probability of that beginning
            children = [one["total"] for one in grown if one["tokens"][:-1] == parent["tokens"]]
            assert torch.tensor(children).logsumexp(0).item() == pytest.approx(parent["total"], abs=1e-5)
        ended_before = waiting + [one for one in kept if one["ended"]]
        open_before = [one for one in kept if not one["ended"]]


def test_the_table_is_the_chapters_and_ties_are_broken_as_there(rankings):
    assert data("beam") == json.loads(json.dumps(BEAM))
    chapter = from_chapter("END, A, B, C = range(4)") | {"beam": from_chapter("def beam(next_log_p")["beam"]}
    table = {"".join(BEAM["symbols"][token] for token in read): row for read, row in chapter["script"].items()}
    assert table == BEAM["table"]
    assert chapter["fork"] == BEAM["otherwise"]
    for width in (1, 2, 3, 4):
        theirs = chapter["beam"](chapter["next_log_p"], width, steps=3)
        ours = rankings[f"table {width} 0.0"]
        assert [tuple(one["tokens"]) for one in ours] == [tokens for _, tokens in theirs]
        assert [one["total"] for one in ours] == pytest.approx([total for total, _ in theirs], rel=1e-5)


def test_the_figure_shows_what_its_caption_promises(rankings):
    alphabet = data("unrolled")["alphabet"]

    def first(name, width, penalty=0.0):
        best = rankings[f"{name} {width} {penalty}"][0]
        return "".join((BEAM["symbols"] if name == "table" else alphabet)[token] for token in best["tokens"])

    assert [first("lord", width) for width in WIDTHS[:4]] == ["the ", "and ", "and ", "and "]
    assert [first("table", width) for width in WIDTHS[:4]] == ["AA·", "CBC", "AA·", "AA·"]
    assert [first("she", 2, penalty) for penalty in (0.0, 1.0)] == ["the ", "shall "]
    total = {key: best[0]["total"] for key, best in rankings.items()}
    assert total["lord 2 0.0"] > total["lord 1 0.0"] + 0.1  # greedy loses
    assert total["table 1 0.0"] > total["table 2 0.0"] + 0.1  # the beam loses to greedy


@pytest.mark.parametrize("narrow", [False, True])
def test_every_drawing_shows_the_whole_beam_and_keeps_its_height(narrow):
    drawn = f"course.figures.beam.view({{model: m, width: w, penalty: 0.5, step: k}}, {json.dumps(narrow)})"
    program = (
        f"{json.dumps(MODELS)}.flatMap((m) => [1, 2, 3, 4].map((w) => [{{waiting: [], kept: []}}, "
        "...course.figures.beam.found({model: m, width: w}).steps]"
        f".map((s, k) => [s.waiting.length + s.kept.length, {drawn}])))"
    )
    for walk in nodejs.evaluate("beam", program):
        assert len({drawing["svg"].split(' height="')[1].split('"')[0] for _, drawing in walk}) == 1
        for step, (places, drawing) in enumerate(walk):
            svg, words = drawing["svg"], drawing["words"]
            assert not any(wrong in svg + words for wrong in ("NaN", "undefined", "Infinity"))
            boxes = len(re.findall(r'class="lf-(?:kept|ended)"', svg)) - 2  # two are the key's
            before = sum(count for count, _ in walk[max(0, step - 2) if narrow else 0 : step])
            beginning = not narrow or step <= 3
            assert boxes == before + places + beginning
            assert words.startswith("The search is over. First stands" if step == len(walk) - 1 else ("One", "Step"))


@pytest.fixture
def page(browser, tmp_path):  # noqa: F811
    """The figure alone, opened from the disk on a phone that is touched."""
    scripts = "".join(f'<script src="{(DATA / file).as_uri()}" defer></script>' for file in nodejs.scripts("beam"))
    style = (ROOT / "book" / "_static" / "course.css").as_uri()
    inside = nodejs.evaluate("beam", "course.live.markup('beam')")
    head = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    body = f'<figure class="interactive" data-figure="beam">{inside}</figure>{scripts}'
    (tmp_path / "beam.html").write_text(f'{head}<link rel="stylesheet" href="{style}">{body}', encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    tab = context.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto((tmp_path / "beam.html").as_uri())
    tab.wait_for_selector("fieldset:enabled")
    yield tab
    context.close()
    assert complaints == []


def says(tab, words: str) -> None:
    """Wait until the figure says so."""
    tab.wait_for_function("(words) => document.querySelector('.lf-words').innerText.includes(words)", arg=words)


def test_the_steps_are_walked_by_touch_and_by_keyboard(page):
    says(page, "here greedy loses")
    page.get_by_role("button", name="Step: back").tap()
    says(page, "Step 3:")
    page.get_by_role("button", name="Step: forward").tap()
    says(page, "The search is over")
    page.get_by_role("button", name="Step: forward").tap()  # there is no more
    assert page.inner_text("output[for=live-beam-step]") == "4 of 4"
    page.locator("#live-beam-step").focus()
    page.keyboard.press("Home")
    says(page, "One beginning, the empty one")
    page.keyboard.press("ArrowRight")
    says(page, "Step 1: 27 continuations. Kept: t (−1.73), a (−1.87).")


def test_a_shorter_search_takes_the_step_back_to_its_end(page):
    page.locator("#live-beam-width").focus()
    page.keyboard.press("End")
    says(page, "Step 4: 81 continuations. Ended before")
    assert page.inner_text("output[for=live-beam-step]") == "4 of 6"
    page.locator("#live-beam-model").select_option("table")
    says(page, "what greedy decoding finds, too")
    assert page.inner_text("output[for=live-beam-step]") == "3 of 3"


TEXTS = """() => [...document.querySelectorAll('.lf-narrow text')].map((t) => { const r = t.getBoundingClientRect();
  const scale = r.height / t.getBBox().height;
  return [t.textContent, r.left, r.top, r.right, r.bottom, parseFloat(getComputedStyle(t).fontSize) * scale]; })"""


def test_on_a_phone_every_word_is_legible_and_no_two_overlap(page):
    frame = page.locator(".lf-narrow svg").bounding_box()
    for model in MODELS:
        page.locator("#live-beam-model").select_option(model)
        for width in "1234":
            page.locator("#live-beam-width").fill(width)
            page.locator("#live-beam-step").fill("6")
            says(page, "The search is over")
            texts = page.evaluate(TEXTS)
            assert min(size for *_, size in texts) >= 9
            for k, (words, left, top, right, bottom, _) in enumerate(texts):
                assert frame["x"] <= left, words
                assert right <= frame["x"] + frame["width"] + 0.5, words
                for other, left_2, top_2, right_2, bottom_2, _ in texts[:k]:
                    apart = right <= left_2 or right_2 <= left or bottom - 3 <= top_2 or bottom_2 - 3 <= top
                    assert apart, (model, width, words, other)
