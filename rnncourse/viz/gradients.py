"""Gradients on their way back through time: how they shrink or grow, how clipping holds them, how far cells learn."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from rnncourse.signatures import checked
from rnncourse.viz.style import COLOURS, CYCLE, figure, legible, plain

LINES = {
    "measured": {"color": COLOURS["blue"], "lw": 2.4},
    "bound": {"color": COLOURS["red"], "ls": "--"},
    "asymptote": {"color": COLOURS["orange"], "ls": ":", "lw": 2.2},
}
"""How each kind of line is drawn, so that the three are told apart without colour."""


@checked
def credit_chain(steps: int = 6, *, shrink: float = 0.6) -> Figure:
    """Draws an unrolled network whose gradient, on its way back, shrinks in one row and grows in the other.

    Args:
        steps: How many hidden states, at least 2.
        shrink: The factor per step in the upper row; the lower row grows by its inverse. Between 0 and 1.

    Returns:
        A figure.

    Raises:
        ValueError: If there are fewer than 2 steps or the factor is out of range.
    """
    if steps < 2:
        raise ValueError(f"steps is {steps!r}; it should be at least 2")
    if not 0 < shrink < 1:
        raise ValueError(f"shrink is {shrink!r}; it should lie between 0 and 1")
    fig, axes = figure(7, 2.9)
    plain(axes)
    rows = [
        ("every step shrinks it: vanishing", shrink, 1.7, "blue"),
        ("every step stretches it: exploding", 1 / shrink, 0, "red"),
    ]
    for title, factor, y, colour in rows:
        axes.text(-0.45, y + 0.83, title, color=legible(colour), ha="left", fontsize=10)
        for i in range(steps):
            name = "$h_T$" if i == steps - 1 else f"$h_{{T-{steps - 1 - i}}}$"
            axes.text(1.5 * i, y, name, ha="center", va="center", fontsize=12)
            if i:
                axes.add_patch(
                    FancyArrowPatch(
                        (1.5 * i - 1.1, y),
                        (1.5 * i - 0.4, y),
                        arrowstyle="-|>",
                        mutation_scale=9,
                        color=COLOURS["muted"],
                    )
                )
                width = 3.0 * factor ** (steps - 1 - i) if factor < 1 else 0.5 * factor ** (steps - 1 - i)
                axes.add_patch(
                    FancyArrowPatch(
                        (1.5 * i - 0.1, y + 0.25),
                        (1.5 * i - 1.4, y + 0.25),
                        connectionstyle="arc3,rad=0.3",
                        arrowstyle="-|>",
                        mutation_scale=8 + 1.5 * width,
                        lw=width,
                        color=COLOURS[colour],
                    )
                )
        axes.text(1.5 * steps - 0.9, y + 0.2, "loss", color=legible(colour), va="center", fontsize=10)
    axes.set(xlim=(-0.6, 1.5 * steps - 0.2), ylim=(-0.4, 2.9))
    return fig


@checked
def activations(x: Sequence[float], functions: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draws activation functions beside their slopes.

    Args:
        x: Where they were evaluated.
        functions: From a name to (values, slopes) at ``x``.

    Returns:
        A figure of two panels.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if any(len(values) != len(x) for pair in functions.values() for values in pair) or not len(x):
        raise ValueError(
            f"x has {len(x)} places; it should have as many as each function's values and slopes, not none"
        )
    if not functions:
        raise ValueError("functions is empty; it should hold at least one function")
    fig, (left, right) = figure(7, 2.8, ncols=2)
    for (name, (values, slopes)), colour, style in zip(functions.items(), CYCLE, ("-", "--", "-.", ":"), strict=False):
        left.plot(x, values, style, color=colour, label=name)
        right.plot(x, slopes, style, color=colour, label=name)
    left.set(title="what comes out", xlabel="pre-activation $a$", ylim=(-1.2, 2.2))
    right.set(title="what the gradient is multiplied by", xlabel="pre-activation $a$", ylim=(-0.05, 1.2))
    left.legend()
    return fig


@checked
def decay(
    panels: Mapping[str, Mapping[str, Sequence[float]]], *, floor: float = 1e-12, ceiling: float = 1e12
) -> Figure:
    """Draws the norm of the product of Jacobians against distance, one panel for each network.

    Args:
        panels: From a title to named lines, each a sequence over lags 0, 1, …; the names "measured", "bound" and
            "asymptote" have their own looks.
        floor: The lowest value shown.
        ceiling: The highest value shown.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not panels:
        raise ValueError("panels is empty; it should hold at least one panel")
    fig, axes = figure(7.2 if len(panels) > 1 else 5.5, 3.0, ncols=len(panels), sharey=True, squeeze=False)
    for axis, (title, named) in zip(axes[0], panels.items(), strict=True):
        others = iter(CYCLE)
        for name, values in named.items():
            values = np.asarray(values, dtype=float)
            shown = np.where((values >= floor) & (values <= ceiling), values, np.nan)
            axis.plot(
                np.arange(len(values)), shown, label=name, **(LINES[name] if name in LINES else {"color": next(others)})
            )
        axis.axhline(1, color=COLOURS["muted"], lw=0.8)
        axis.set(yscale="log", xlabel="steps back, $n$", title=title)
    axes[0, 0].set_ylabel(r"$\Vert \partial h_T / \partial h_{T-n} \Vert$")
    axes[0, 0].legend(loc="best")
    return fig


@checked
def gradient_lines(lines: Mapping[str, Sequence[float]], *, ylabel: str, floor: float = 1e-12) -> Figure:
    """Draws gradient norms against the steps back from the loss, one line for each network.

    Args:
        lines: From a name to norms at lags 0, 1, ….
        ylabel: What the norms are.
        floor: Values below are not drawn.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not lines:
        raise ValueError("lines is empty; it should hold at least one line")
    fig, axes = figure(6.4, 3.1)
    styles = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
    for (name, values), colour, style in zip(lines.items(), CYCLE, styles, strict=False):
        values = np.asarray(values, dtype=float)
        axes.plot(np.arange(len(values)), np.where(values >= floor, values, np.nan), ls=style, color=colour, label=name)
    axes.set(yscale="log", xlabel="steps back from the loss, $n$", ylabel=ylabel)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig


@checked
def clipping(
    runs: Mapping[str, tuple[Sequence[float], Sequence[tuple[int, float]]]], *, baseline: float, clip: float
) -> Figure:
    """Draws gradient norms before clipping, and the validation error, of training runs.

    Args:
        runs: From a label to (gradient norms by step, validation errors as pairs of step and error).
        baseline: The error to beat, a dashed line.
        clip: The norm that is clipped at, a dashed line.

    Returns:
        A figure of two panels.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not runs:
        raise ValueError("runs is empty; it should hold at least one run")
    fig, (left, right) = figure(7.2, 3.0, ncols=2)
    for (label, (norms, validation)), colour, style in zip(runs.items(), CYCLE, ("-", "--", "-."), strict=False):
        left.plot(np.arange(1, len(norms) + 1), norms, color=colour, lw=0.8, alpha=0.8, label=label)
        right.plot(*zip(*validation, strict=True), ls=style, color=colour, label=label)
    left.axhline(clip, color=COLOURS["ink"], ls="--", lw=1)
    right.axhline(baseline, color=COLOURS["ink"], ls="--", lw=1)
    left.set(yscale="log", xlabel="training step", title="norm of the gradient")
    right.set(xlabel="training step", title="error on held-out sequences", ylim=(0, 1.6 * baseline))
    right.legend(loc="best")
    return fig


@checked
def horizons(reached: Mapping[str, Sequence[int]], *, lengths: Sequence[int], sequences: int) -> Figure:
    """Draws the longest sequence that each cell learned within one budget: a bar for the median, a dot for each seed.

    Args:
        reached: From a cell's name to the longest length solved, one a seed; 0 for none.
        lengths: The lengths that were tried.
        sequences: The budget at each length, in training sequences.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not reached:
        raise ValueError("reached is empty; it should hold at least one cell")
    unknown = {length for seeds in reached.values() for length in seeds} - {0, *lengths}
    if unknown:
        raise ValueError(f"reached holds {min(unknown)}, which is none of lengths; it should be, or 0 for none")
    fig, axes = figure(6.6, 0.6 + 0.5 * len(reached))
    place = {0: 0, **{length: i + 1 for i, length in enumerate(sorted(lengths))}}
    for row, (seeds, colour) in enumerate(zip(reached.values(), cycle(CYCLE), strict=False)):
        places = sorted(place[int(length)] for length in seeds)
        axes.barh(row, places[len(places) // 2], height=0.55, color=colour, alpha=0.35)
        spread = np.linspace(-0.15, 0.15, len(places)) if len(places) > 1 else np.zeros(1)
        axes.plot(places, row + spread, "o", color=colour, ms=5)
    axes.set_yticks(range(len(reached)), list(reached))
    axes.invert_yaxis()
    axes.set_xticks(list(place.values()), ["none", *map(str, sorted(lengths))])
    axes.set(xlim=(0, len(lengths) + 0.5), xlabel=f"longest sequence solved with {sequences:,} training sequences")
    axes.grid(axis="y", visible=False)
    return fig
