"""Curves and bars that show every seed's part in them: a mean, its spread, and the baselines it has to beat."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnncourse.signatures import checked
from rnncourse.viz.style import COLOURS, CYCLE, figure

Values = Sequence[float] | Sequence[Sequence[float]] | np.ndarray


@checked
def loss_curves(
    runs: Mapping[str, Any],
    *,
    smooth: float = 0.9,
    unit: str = "nats",
    baselines: Mapping[str, float] | None = None,
    logy: bool = False,
) -> Figure:
    """Draws losses over training steps, smoothed, with the raw losses faint behind them.

    Args:
        runs: From a label to a :class:`rnncourse.training.History`, a list of losses, or a list of those, one a seed
            (then the mean over seeds is drawn, in a band from the lowest to the highest).
        smooth: How much of the smoothed value is kept at each step, 0 ≤ smooth < 1.
        unit: Of the losses.
        baselines: Values to beat, drawn as dashed lines, by name.
        logy: Logarithmic losses.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw or smooth is out of range.
    """
    if not runs:
        raise ValueError("runs is empty; it should hold at least one run")
    if not 0 <= smooth < 1:
        raise ValueError(f"smooth is {smooth!r}; it should be at least 0 and less than 1")
    fig, axes = figure(6.4, 3.2)
    for (label, run), colour in zip(runs.items(), _colours(len(runs)), strict=True):
        losses = _table(getattr(run, "losses", run), label)
        steps = np.arange(1, losses.shape[1] + 1)
        smoothed = np.stack([_smoothed(row, smooth) for row in losses])
        if len(losses) == 1:
            axes.plot(steps, losses[0], color=colour, alpha=0.2, lw=0.7)
        else:
            axes.fill_between(steps, smoothed.min(0), smoothed.max(0), color=colour, alpha=0.2, lw=0)
        axes.plot(steps, smoothed.mean(0), color=colour, label=label)
    _baselines(axes, baselines)
    axes.set(xlabel="training step", ylabel=f"loss ({unit})", yscale="log" if logy else "linear")
    axes.legend(frameon=False)
    return fig


@checked
def lines(
    x: Sequence[float],
    series: Mapping[str, Values],
    *,
    xlabel: str,
    ylabel: str,
    logx: bool = False,
    logy: bool = False,
    baselines: Mapping[str, float] | None = None,
    marks: bool = True,
) -> Figure:
    """Draws lines over the same places; where there are several seeds, their mean, and a band of one deviation.

    Args:
        x: The places.
        series: From a label to values at those places, or to rows of them, one a seed.
        xlabel: What x is, with its unit.
        ylabel: What the values are, with their unit.
        logx: Logarithmic places.
        logy: Logarithmic values.
        baselines: Values to compare with, drawn as dashed lines, by name.
        marks: Mark each place.

    Returns:
        A figure.

    Raises:
        ValueError: If a series has another length than x, or there is none.
    """
    if not series:
        raise ValueError("series is empty; it should hold at least one line")
    places = np.asarray(x, dtype=float)
    fig, axes = figure(6.4, 3.2)
    for (label, values), colour in zip(series.items(), _colours(len(series)), strict=True):
        table = _table(values, label)
        if table.shape[1] != len(places):
            raise ValueError(
                f"series {label!r} has {table.shape[1]} values; it should have {len(places)}, one for each x"
            )
        mean = table.mean(0)
        if len(table) > 1:
            spread = table.std(0, ddof=1)
            low = np.maximum(mean - spread, table.min(0)) if logy else mean - spread
            axes.fill_between(places, low, mean + spread, color=colour, alpha=0.2, lw=0)
        axes.plot(places, mean, color=colour, marker="o" if marks else None, ms=3.5, label=label)
    _baselines(axes, baselines)
    axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if logx else "linear", yscale="log" if logy else "linear")
    if logx and len(places) <= 12:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.minorticks_off()
    axes.legend(frameon=False)
    return fig


@checked
def bars(
    values: Mapping[str, float | Sequence[float]], *, ylabel: str, baselines: Mapping[str, float] | None = None
) -> Figure:
    """Draws a bar for each label, a dot for each seed, and a whisker of one deviation.

    Args:
        values: From a label to a number, or to numbers, one a seed.
        ylabel: What they are, with their unit.
        baselines: Values to compare with, drawn as dashed lines, by name.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not values:
        raise ValueError("values is empty; it should hold at least one bar")
    fig, axes = figure(max(4.0, 1.0 + 0.95 * len(values)), 3.2)
    for place, (one, colour) in enumerate(zip(values.values(), _colours(len(values)), strict=True)):
        seeds = np.atleast_1d(np.asarray(one, dtype=float))
        spread = seeds.std(ddof=1) if len(seeds) > 1 else None
        axes.bar(place, seeds.mean(), width=0.62, color=colour, alpha=0.85, yerr=spread, capsize=4)
        if len(seeds) > 1:
            jitter = np.linspace(-0.12, 0.12, len(seeds))
            axes.plot(place + jitter, seeds, "o", ms=3.5, mfc="white", mec=COLOURS["ink"], mew=0.9)
        axes.annotate(
            f"{seeds.mean():.3g}",
            (place, seeds.mean() + (spread or 0)),
            (0, 3),
            textcoords="offset points",
            ha="center",
        )
    axes.margins(y=0.12)
    axes.grid(False, axis="x")
    axes.set_xticks(range(len(values)), [label.replace(" ", "\n", 1) for label in values])
    axes.set_ylabel(ylabel)
    _baselines(axes, baselines)
    return fig


def _baselines(axes: Axes, baselines: Mapping[str, float] | None) -> None:
    for name, value in (baselines or {}).items():
        axes.axhline(value, color=COLOURS["muted"], ls=(0, (5, 3)), lw=1.1, zorder=1)
        axes.annotate(
            name, (1, value), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
            va="bottom", fontsize=8.5, color=COLOURS["muted"],
        )  # fmt: skip


def _table(values: Any, label: str) -> np.ndarray:
    """Values as rows, one a seed; histories become their losses, and unequal runs end with the shortest."""
    rows = [getattr(row, "losses", row) for row in values]
    if not rows:
        raise ValueError(f"{label!r} is empty; it should hold at least one value")
    if np.ndim(rows[0]) == 0:
        rows = [rows]
    shortest = min(len(row) for row in rows)
    return np.array([np.asarray(row, dtype=float)[:shortest] for row in rows])


def _smoothed(values: np.ndarray, keep: float) -> np.ndarray:
    """A running mean that forgets, without the usual start at zero."""
    smoothed, total, weight = np.empty_like(values), 0.0, 0.0
    for place, value in enumerate(values):
        total, weight = keep * total + value, keep * weight + 1
        smoothed[place] = total / weight
    return smoothed


def _colours(count: int) -> list[str]:
    return [CYCLE[n % len(CYCLE)] for n in range(count)]
