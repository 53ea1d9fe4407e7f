"""The notation page says what the code does: its names exist, its identities hold in double precision."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.functional import gru_step, gru_trace, lstm_step, rnn_step
from rnncourse.notebooks import read
from rnncourse.shapes import LSTMState

PAGE = (Path(__file__).parent.parent / "book" / "notation.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"(?<![`{}\w])`([^`\n]+)`(?!`)", PAGE))

# What the page quotes from elsewhere or as a turn of phrase, and no installed package can confirm.
FOREIGN = {"reset_after=False", "linear_before_reset=1", "unit_forget_bias"}
PHRASES = {
    "output, state = module(input, state)",
    "x_t @ weight_ih.T",
    "(batch, time, input)",
    "(batch, hidden)",
    "tests/test_notation.py",
}
LOCALS = {"time", "x_t", "h_t", "c_t", "y_t", "i", "f", "o", "g", "r", "z", "n", "h", "c"}


def resolve(name: str):
    """The object behind a dotted name."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def test_every_dotted_name_on_the_page_exists():
    names = {name for name in CODE if re.fullmatch(r"(rnncourse|torch)(\.\w+)+", name)}
    assert len(names) >= 7
    for name in names:
        assert resolve(name) is not None


def test_every_other_code_name_on_the_page_is_accounted_for():
    parameters = {name for name, _ in RNNCell(2, 3).named_parameters()}
    torch_names = {f"{name}_l0" for name in parameters}
    assert torch_names == {name for name, _ in nn.RNN(2, 3).named_parameters()}
    arguments = {"input_size", "hidden_size", "nonlinearity"}
    assert arguments <= set(nn.RNN(2, 3).__dict__)
    assert arguments <= set(RNNCell.__init__.__annotations__)
    assert hasattr(nn.RNN, "load_state_dict")
    known = parameters | torch_names | arguments | FOREIGN | PHRASES | LOCALS | {"load_state_dict", "h_n", "rnncourse"}
    dotted = {name for name in CODE if re.fullmatch(r"(rnncourse|torch)(\.\w+)+", name)}
    assert CODE - dotted == known & CODE, CODE - dotted - known


def test_the_name_check_sees_a_wrong_name():
    with pytest.raises((ModuleNotFoundError, AttributeError)):
        resolve("rnncourse.functional.rnn_stop")


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + 97 * sum(shape)))


def close(a, b):
    return torch.allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("D", "H", "batch"), [(3, 5, 2), (1, 1, 1), (4, 4, 3)])
def test_four_dialects_and_the_joint_form_are_one(D, H, batch):
    x, h, U, W, b = draw(batch, D), draw(batch, H), draw(H, D), draw(H, H, seed=1), draw(H, seed=2)
    goodfellow = torch.tanh(x @ U.T + h @ W.T + b)
    W_jm, U_jm = U, W  # Jurafsky and Martin swap the letters
    jurafsky_martin = torch.tanh(h @ U_jm.T + x @ W_jm.T + b)
    W_hx, W_hh = U, W
    coursera = torch.tanh(h @ W_hh.T + x @ W_hx.T + b)
    joint = torch.tanh(torch.cat([h, x], dim=1) @ torch.cat([W_hh, W_hx], dim=1).T + b)
    cell = nn.RNNCell(D, H).double()
    cell.load_state_dict({"weight_ih": U, "weight_hh": W, "bias_ih": b / 4, "bias_hh": 3 * b / 4})
    ours = rnn_step(x, h, U, W, b)
    for other in (goodfellow, jurafsky_martin, coursera, joint, cell(x, h)):
        assert close(ours, other)


def permuted(weight, stored: str, wanted: str):
    """Blocks of rows put from one order of gates into another."""
    blocks = dict(zip(stored, weight.chunk(len(stored)), strict=True))
    return torch.cat([blocks[gate] for gate in wanted])


@pytest.mark.parametrize("order", ["igfo", "iofg", "ifgo"])
def test_lstm_gate_orders_are_permutations_of_blocks(order):
    x, state = draw(2, 3), LSTMState(draw(2, 5), draw(2, 5, seed=1))
    weights = [draw(20, 3), draw(20, 5), draw(20), draw(20, seed=1)]
    there = [permuted(weight, "ifgo", order) for weight in weights]
    assert all(torch.equal(permuted(a, order, "ifgo"), b) for a, b in zip(there, weights, strict=True))

    w_ih, w_hh, b_ih, b_hh = there
    gates = dict(zip(order, (x @ w_ih.T + state.h @ w_hh.T + b_ih + b_hh).chunk(4, dim=1), strict=True))
    c = torch.sigmoid(gates["f"]) * state.c + torch.sigmoid(gates["i"]) * torch.tanh(gates["g"])
    h = torch.sigmoid(gates["o"]) * torch.tanh(c)
    ours = lstm_step(x, state, *weights)
    assert close(ours.h, h)
    assert close(ours.c, c)


def test_gru_gate_orders_are_permutations_of_blocks():
    x, h = draw(2, 3), draw(2, 5)
    weights = [draw(15, 3), draw(15, 5), draw(15), draw(15, seed=1)]
    w_ih, w_hh, b_ih, b_hh = (permuted(weight, "rzn", "zrn") for weight in weights)
    (x_z, x_r, x_n), (h_z, h_r, h_n) = (x @ w_ih.T + b_ih).chunk(3, 1), (h @ w_hh.T + b_hh).chunk(3, 1)
    z, r = torch.sigmoid(x_z + h_z), torch.sigmoid(x_r + h_r)
    keras = z * h + (1 - z) * torch.tanh(x_n + r * h_n)
    assert close(gru_step(x, h, *weights), keras)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_negating_the_update_gate_exchanges_the_two_blends(reset):
    x, h = draw(2, 3), draw(2, 5)
    weights = [draw(15, 3), draw(15, 5), draw(15), draw(15, seed=1)]
    negated = [torch.cat([w[:5], -w[5:10], w[10:]]) for w in weights]
    keep = gru_step(x, h, *weights, reset=reset, blend="keep")
    assert close(keep, gru_step(x, h, *negated, reset=reset, blend="replace"))
    assert not torch.allclose(keep, gru_step(x, h, *weights, reset=reset, blend="replace"), atol=1e-3)


def test_reset_before_and_after_agree_for_a_diagonal_matrix_and_no_inner_bias():
    x, h = draw(2, 3), draw(2, 5)
    w_ih, w_hh, b_ih = draw(15, 3), draw(15, 5), draw(15)
    b_hh = torch.cat([draw(10), torch.zeros(5, dtype=torch.float64)])
    before = gru_step(x, h, w_ih, w_hh, b_ih, b_hh, reset="before")
    assert not torch.allclose(before, gru_step(x, h, w_ih, w_hh, b_ih, b_hh, reset="after"), atol=1e-3)
    w_hh[10:] = torch.diag(draw(5))
    before = gru_step(x, h, w_ih, w_hh, b_ih, b_hh, reset="before")
    assert close(before, gru_step(x, h, w_ih, w_hh, b_ih, b_hh, reset="after"))


def test_no_after_cell_has_the_candidate_of_the_before_cell_on_the_page():
    """The page's counterexample: the ratio of the two slopes is e^x, where an *after* cell's cannot move."""
    w_ih = torch.tensor([[1.0], [-1.0], [0], [0], [0], [0]], dtype=torch.float64)
    w_hh = torch.zeros(6, 2, dtype=torch.float64)
    w_hh[4] = 1.0

    def argument(x, h, **options):
        x, h = torch.tensor([[x]], dtype=torch.float64), torch.tensor([h], dtype=torch.float64)
        return torch.atanh(gru_trace(x, h, w_ih, w_hh, **options).n[0, 0])

    def slopes(x, **options):
        at_zero = argument(x, [0.0, 0.0], **options)
        return [argument(x, h, **options) - at_zero for h in ([0.1, 0.0], [0.0, 0.1])]

    for x in (-1.0, 0.0, 2.0):
        first, second = slopes(x, reset="before")
        assert torch.isclose(first / second, torch.tensor(x, dtype=torch.float64).exp())
        first, second = slopes(x, reset="after")
        assert torch.isclose(first / second, torch.ones((), dtype=torch.float64))


def test_stored_parameters_are_those_of_torch():
    for ours, theirs in ((RNNCell, nn.RNN), (LSTMCell, nn.LSTM), (GRUCell, nn.GRU)):
        stored = {f"{name}_l0": value.shape for name, value in ours(3, 5).state_dict().items()}
        assert stored == {name: value.shape for name, value in theirs(3, 5).state_dict().items()}
    assert RNNCell(3, 5).weight_ih.shape == (5, 3)  # weight_ih is U, untransposed


def test_state_is_named_h_then_c():
    assert LSTMState._fields == ("h", "c")


# One letter, one meaning within a chapter

WORDS = re.compile(  # in formulas: text, operators, fonts that say "transposed", layout; the command alone goes last
    r"\\(?:text|operatorname|mathrm|begin|end)\*?\{[^{}]*\}|\\(?:mathsf|mathbf) ?\{?\w\}?|\\[A-Za-z]+"
)
GREEK = re.compile(r"\\(?:alpha|gamma|delta|epsilon|theta|kappa|lambda|mu|phi|rho|sigma|tau)(?![A-Za-z])")


def letters(text: str) -> set[str]:
    """The letters of all formulas in a text, those of subscripts among them."""
    found = set()
    for formula in re.findall(r"\$\$[\s\S]+?\$\$|(?<!\$)\$[^$\n]+\$", text):
        inside = re.sub(r"\\(?:text|operatorname|mathrm)\{[^{}]*\}", " ", formula)
        found |= set(GREEK.findall(inside))
        found |= set(re.findall(r"[A-Za-z]", WORDS.sub(" ", inside)))
    return found


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = PAGE.split(heading, 1)[1].split("\n#", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return rows[2:]


EVERYWHERE = [row[0] for row in rows_of("## The letters of this course")]
EVERYWHERE = letters(" ".join(EVERYWHERE[: EVERYWHERE.index("$[\\,h, x\\,]$") + 1]))
OWN = {chapter: [row[1] for row in rows_of("### Letters of one chapter") if row[0] == chapter] for chapter in "1234"}


@pytest.mark.parametrize("chapter", OWN)
def test_a_letter_has_one_meaning_within_a_chapter(chapter):
    own = [letter for cell in OWN[chapter] for letter in letters(cell)]
    assert len(own) == len(set(own)) == len(OWN[chapter]) > 0, "a letter is listed twice"
    assert not set(own) & EVERYWHERE
    (page,) = (Path(__file__).parent.parent / "book").glob(f"0{chapter}_*.ipynb")
    cells = [cell.source for cell in read(page).cells if cell.cell_type == "markdown"]
    used = letters("\n".join(cells))
    assert used - EVERYWHERE == set(own)


def test_letters_are_found_in_formulas_and_nowhere_else():
    assert letters(r"a $x_t = \tanh(W_{hh} h + \delta)$ b $$\operatorname{diag}(r)\text{ and } E^{\mathsf T}$$") == {
        "x", "t", "W", "h", r"\delta", "r", "E"
    }  # fmt: skip
