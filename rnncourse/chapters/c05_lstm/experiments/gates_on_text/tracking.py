"""What a unit might keep track of in a text, and which unit's cell state goes along with it."""

from collections.abc import Callable

import numpy as np
from torch import Tensor


def tracked(characters: str) -> dict[str, np.ndarray]:
    """Things that a unit might keep track of, known at each character from what was read until then.

    Args:
        characters: A text.

    Returns:
        A number for each character: ``"word"``, letters since the word began (0 between words); ``"capital"``, 1
        inside a word that began with a capital letter; ``"clause"``, characters since the last punctuation mark;
        ``"sentence"``, characters since the last full stop, question or exclamation mark; ``"half"``, 1 where a colon
        or semicolon has come since then.

    Example:
        >>> things = tracked("So be: Amen. I")
        >>> things["word"].tolist()
        [1, 2, 0, 1, 2, 0, 0, 1, 2, 3, 4, 0, 0, 1]
        >>> things["half"].tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    """
    letters = np.array([character.isalpha() or character == "'" for character in characters])
    capitals = np.array([character.isupper() for character in characters])
    ends = np.array([character in ".?!" for character in characters])
    middles = np.array([character in ":;" for character in characters])
    word = _since(~letters)
    first = np.arange(len(characters)) - np.maximum(word - 1, 0)
    sentence = _since(ends)
    return {
        "word": word * letters,
        "capital": (capitals[first] & letters).astype(int),
        "clause": _since(np.array([character in ".?!,:;" for character in characters])),
        "sentence": sentence,
        "half": (_since(middles) < sentence).astype(int),
    }


MATTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "word": lambda value: value >= 5,
    "capital": lambda value: value == 1,
    "clause": lambda value: value >= 40,
    "sentence": lambda value: value >= 120,
    "half": lambda value: value == 1,
}
"""Where each thing of :func:`tracked` is taken to matter for what comes next, fixed before anything was measured."""


def find_tracking_unit(c: Tensor, values: Tensor) -> tuple[int, float]:
    """The unit whose cell state goes along best with something in the text.

    Args:
        c: Cell states, (streams, time, hidden).
        values: What might be tracked, (streams, time).

    Returns:
        The unit, and the absolute value of its correlation.

    Example:
        >>> import torch
        >>> values = torch.tensor([[0.0, 1.0, 2.0, 0.0]])
        >>> unit, r = find_tracking_unit(torch.stack([torch.tensor([[3.0, 1, 4, 1]]), -values], -1), values)
        >>> unit, round(r, 6)
        (1, 1.0)
    """
    found = correlations(c, values)
    unit = int(found.argmax())
    return unit, float(found[unit])


def correlations(c: Tensor, values: Tensor) -> Tensor:
    """The absolute correlation of every unit's cell state with something in the text.

    Args:
        c: Cell states, (streams, time, hidden).
        values: What might be tracked, (streams, time).

    Returns:
        Between 0 and 1, (hidden,); 0 where a unit or the thing never changes.
    """
    c, values = c.flatten(0, 1).double(), values.flatten().double()
    c, values = c - c.mean(0), values - values.mean()
    scale = c.norm(dim=0) * values.norm()
    return ((values @ c) / scale.clamp(min=1e-12)).abs()


def _since(marks: np.ndarray) -> np.ndarray:
    """How many characters ago the last mark was, 0 at the mark itself; as if there were one just before the text."""
    places = np.arange(len(marks))
    return places - np.maximum.accumulate(np.where(marks, places, -1))
