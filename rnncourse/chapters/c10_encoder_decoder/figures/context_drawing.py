"""Two networks and the one vector between them, with the values that flow; and shares against length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from rnncourse.viz.style import COLOURS, CYCLE, FILLS, figure, legible

MARKS = ("o-", "s-", "^--", "d--", "v--", "x--")
STATE_ROW, TOKEN_ROW, SAID_ROW = 0.0, -1.15, 1.15


def draw_context(
    source: Sequence[str], read: Sequence[str], said: Sequence[str], states: Tensor, context: Tensor, written: Tensor
) -> Figure:
    """Draws an encoder-decoder unrolled over one example, with the numbers in its states.

    Args:
        source: The source's symbols.
        read: What the decoder is given at each step, the begin mark first.
        said: What it says at each step.
        states: The encoder's states (steps, hidden).
        context: What passes from one to the other (hidden,).
        written: The decoder's states (steps, hidden).

    Returns:
        A figure.

    Raises:
        ValueError: If the numbers of steps do not fit.

    Example:
        >>> import torch
        >>> fig = draw_context("ab", ["<bos>"], ["x"], torch.zeros(2, 2), torch.zeros(2), torch.zeros(1, 2))
    """
    for name, given, rows in (("source", source, states), ("read", read, written), ("said", said, written)):
        if len(given) != len(rows):
            raise ValueError(f"{name} has {len(given)} symbols and there are {len(rows)} states; it should be as many")
    fig, axes = figure(max(5.4, 1.15 * (len(source) + len(read) + 1)), 3.0)
    middle = len(source)
    for step, (symbol, state) in enumerate(zip(source, states, strict=True)):
        _box(axes, step, STATE_ROW, _numbers(state), "blue")
        _box(axes, step, TOKEN_ROW, symbol, None)
        _arrow(axes, (step, TOKEN_ROW), (step, STATE_ROW))
        _arrow(axes, (step, STATE_ROW), (step + 1, STATE_ROW))
    _box(axes, middle, STATE_ROW, _numbers(context), "orange")
    for step, (given, symbol, state) in enumerate(zip(read, said, written, strict=True), start=middle + 1):
        _box(axes, step, STATE_ROW, _numbers(state), "green")
        _box(axes, step, TOKEN_ROW, given, None)
        _box(axes, step, SAID_ROW, symbol, None)
        _arrow(axes, (step - 1, STATE_ROW), (step, STATE_ROW))
        _arrow(axes, (step, TOKEN_ROW), (step, STATE_ROW))
        _arrow(axes, (step, STATE_ROW), (step, SAID_ROW))
    for x, text, colour in (
        ((middle - 1) / 2, "encoder", "blue"),
        (middle, "context", "orange"),
        (middle + 1 + (len(read) - 1) / 2, "decoder", "green"),
    ):
        axes.text(x, -1.85, text, ha="center", va="center", fontsize=10, color=legible(colour))
    axes.set(xlim=(-0.6, middle + len(read) + 0.6), ylim=(-2.1, 1.6))
    axes.axis("off")
    return fig


def _numbers(state: Tensor) -> str:
    return "\n".join(f"{value:+.2f}" for value in state.tolist())


def _box(axes: Axes, x: float, y: float, text: str, colour: str | None) -> None:
    box = {"boxstyle": "round,pad=0.3", "fc": FILLS[colour], "ec": COLOURS[colour]} if colour else None
    axes.text(x, y, text, ha="center", va="center", fontsize=9, bbox=box)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    flat = start[1] == end[1]
    shrink = {"shrinkA": 22, "shrinkB": 22} if flat else {"shrinkA": 20 if start[1] == STATE_ROW else 9,
                                                          "shrinkB": 20 if end[1] == STATE_ROW else 9}  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": COLOURS["muted"], **shrink})


def by_length(
    lengths: Sequence[int], curves: Mapping[str, Sequence[float]], *, xlabel: str, ylabel: str = "share exactly right"
) -> Figure:
    """Draws shares against length.

    Args:
        lengths: Along the axis.
        curves: From a name to one share a length.
        xlabel: What the lengths are.
        ylabel: What the shares are.

    Returns:
        A figure.

    Raises:
        ValueError: If a curve does not fit the lengths.

    Example:
        >>> fig = by_length([1, 2], {"reversed": [1.0, 0.9]}, xlabel="letters")
    """
    fig, axes = figure(6.2, 3.0)
    for (name, shares), colour, mark in zip(curves.items(), CYCLE, MARKS, strict=False):
        if len(shares) != len(lengths):
            raise ValueError(f"curves has {len(shares)} shares under {name!r}; it should have {len(lengths)}")
        axes.plot(lengths, shares, mark, color=colour, ms=4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.03, 1.03), xticks=list(lengths))
    axes.legend(fontsize=8)
    return fig
