"""Within a chapter a letter means one thing: the meanings that readers stumbled over do not come back."""

import re

import pytest

from rnncourse.notebooks import has_tag, read
from rnncourse.notebooks.length import UNSEEN
from tests.house import ROOT

# Chapter, letter, what it means there, the second meaning that it must not have as well, and an example of that.
ONE_MEANING = [
    ("04_tanh_and_gradients", "g", "the gradient that is clipped", r"gain \$g|\bg\^2\b|\$g = 1\$", "the gain $g$"),
    (
        "04_tanh_and_gradients",
        "s",
        "the length of a shortcut",
        r"\bs\s*\(1\s*-\s*s\)|, s = torch",
        "h, s = torch.tanh(a)",
    ),
    ("04_tanh_and_gradients", "n", "steps back", r"\bn_t\b|for n, \w+ in", "n_t"),
    ("05_lstm", "s", "nothing", r"\bs\^|\bs\s*\(1\s*-\s*s\)|\bfor s in\b|\bs \* nudge", "s(1-s)"),
    ("05_lstm", "f", "the forget gate", r"\bf\(a_t\)|\bf'\(", "h_t = f(a_t)"),
    ("05_lstm", "n", "steps back", r"\bn_t\b", "the candidate n_t"),
    ("05_lstm", "g", "the candidate", r"gradient \$g\$|gain \$g", "a gradient $g$"),
    ("06_gru", "n", "the candidate", r"T\s*-\s*n\b|\$n\$ counts|steps back, \$n", "h_{T-n}"),
    ("06_gru", "h_n", "PyTorch's last state", r"h_n\b[^\n]*\.chunk|h_n = \(h @", "h_r, h_z, h_n = (h @ W.T).chunk(3)"),
    ("06_gru", "s", "nothing", r"\\partial s_|\bs_T\b|\bs \\odot", r"\partial s_T"),
]


def shown(stem: str) -> str:
    """The text of a chapter and the code that it shows."""
    cells = read(ROOT / "book" / f"{stem}.ipynb").cells
    return "\n".join(cell.source for cell in cells if not any(has_tag(cell, tag) for tag in UNSEEN))


@pytest.mark.parametrize(("stem", "letter", "means", "other", "example"), ONE_MEANING)
def test_a_letter_means_one_thing_in_a_chapter(stem, letter, means, other, example):
    found = re.findall(f"[^\n]*(?:{other})[^\n]*", shown(stem))
    assert found == [], f"{letter} means {means} in {stem}"
    assert re.search(other, example), "the pattern should see its own example"
