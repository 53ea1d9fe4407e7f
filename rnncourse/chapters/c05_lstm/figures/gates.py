"""Gates: a soft mask on numbers, how open trained gates are, and what they do along a text."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from rnncourse.viz.heatmaps import draw_cell, ink_on
from rnncourse.viz.style import COLOURS, CYCLE, DIVERGING, figure, plain

OPEN = ScalarMappable(Normalize(0, 1), "YlOrBr")
"""The colours of a gate: light is shut, dark is open."""


def mask(
    gate: Sequence[float], values: Sequence[float], *, gate_name: str = "the gate", value_name: str = "what it gates"
) -> Figure:
    """Draws a gate as a mask: a row of numbers, times a row of numbers between 0 and 1, is what is let through.

    Args:
        gate: The gate's values, from 0 to 1.
        values: The numbers that it gates, as many.
        gate_name: What to call the gate.
        value_name: What to call the numbers.

    Returns:
        A figure.

    Raises:
        ValueError: If the two are not of one length, or the gate leaves 0 to 1.
    """
    gate, values = np.asarray(gate, dtype=float), np.asarray(values, dtype=float)
    if gate.shape != values.shape or gate.ndim != 1 or not gate.size:
        raise ValueError(f"values has shape {values.shape}; it should be as long as gate, of shape {gate.shape}")
    if gate.min() < 0 or gate.max() > 1:
        raise ValueError(f"gate runs from {gate.min():g} to {gate.max():g}; it should lie between 0 and 1")
    fig, axes = figure(7.0, 1.75)
    plain(axes)
    reach = max(np.abs(values).max(), 1e-12)
    signed = ScalarMappable(TwoSlopeNorm(0, -reach, reach), DIVERGING)
    rows = ((value_name, values, signed), ("× " + gate_name, gate, OPEN), ("= let through", gate * values, signed))
    for row, (name, numbers, colours) in enumerate(rows):
        axes.text(-0.2, -row, name, ha="right", va="center", fontsize=9.5)
        for place, number in enumerate(numbers):
            axes.add_patch(
                FancyBboxPatch(
                    (place + 0.06, -row - 0.36), 0.88, 0.72, boxstyle="round,pad=0,rounding_size=0.08",
                    facecolor=colours.to_rgba(number), edgecolor=COLOURS["line"], lw=0.8,
                )
            )  # fmt: skip
            shown = f"{number:.2f}".replace("-", "−")
            axes.text(
                place + 0.5, -row, "0.00" if shown == "−0.00" else shown, ha="center", va="center", fontsize=9.5,
                color=ink_on(colours, number),
            )  # fmt: skip
    axes.set(xlim=(-2.9, len(gate) + 0.1), ylim=(-2.55, 0.5))
    return fig


def histograms(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draws how gate values are spread between 0 and 1.

    Args:
        panels: From a gate's name to the share of its values in equal bins from 0 to 1, under a label for each network.

    Returns:
        A figure of one panel a gate.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not panels:
        raise ValueError("panels is empty; it should hold at least one gate")
    fig, axes = figure(7.2, 2.7, ncols=len(panels), sharey=True, squeeze=False)
    for axis, (title, networks) in zip(axes[0], panels.items(), strict=True):
        for (label, shares), colour, filled in zip(networks.items(), CYCLE, (True, False, False), strict=False):
            shares = np.asarray(shares, dtype=float)
            edges = np.linspace(0, 1, len(shares) + 1)
            axis.stairs(
                100 * shares, edges, fill=filled, color=colour, alpha=0.75 if filled else 1, lw=1.6, label=label
            )
        axis.set(title=title, xlabel="value of the gate", xlim=(0, 1))
    axes[0, 0].set_ylabel("share of all values, %")
    if len(next(iter(panels.values()))) > 1:
        axes[0, 0].legend(loc="best")
    return fig


def over_text(
    text: str, rows: Mapping[str, Sequence[float]], *, signed: Sequence[str] = (), per_line: int = 64
) -> Figure:
    """Draws what gates and states do along a text, one row each under the characters.

    Args:
        text: The characters that are read.
        rows: From a name to one number for each character: gates from 0 (light) to 1 (dark).
        signed: The names of those rows that hold numbers of both signs: blue below zero, orange above, each row on a
            scale of its own.
        per_line: After how many characters the text is broken.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw, or a row does not fit the text.
    """
    if not rows or not text:
        raise ValueError("rows or text is empty; there should be at least one row and one character")
    numbers = {name: np.asarray(values, dtype=float) for name, values in rows.items()}
    for name, values in numbers.items():
        if values.shape != (len(text),):
            raise ValueError(f"rows has {values.shape} numbers under {name!r}; it should have {len(text)}")
    colours = {}
    for name, values in numbers.items():
        reach = max(np.abs(values).max(), 1e-12)
        colours[name] = ScalarMappable(TwoSlopeNorm(0, -reach, reach), DIVERGING) if name in signed else OPEN
    starts = range(0, len(text), per_line)
    block = len(rows) + 0.5
    fig, axes = figure(7.2, 0.15 + 0.235 * block * len(starts))
    for line, start in enumerate(starts):
        for row, (name, values) in enumerate(numbers.items()):
            y = -line * block - row
            axes.text(-0.6, y, name, ha="right", va="center", fontsize=8, color=COLOURS["muted"])
            for place, (character, number) in enumerate(
                zip(text[start : start + per_line], values[start : start + per_line], strict=True)
            ):
                draw_cell(axes, place, y, 1.0, character, colours[name], number)
    axes.set(xlim=(-0.2, min(per_line, len(text)) + 0.1), ylim=(0.6 - block * len(starts), 0.6))
    axes.set_axis_off()
    return fig
