"""The benchmark's figures, each from the record that ``rnncourse bench`` saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from rnncourse.signatures import checked
from rnncourse.viz import style

#: What each candidate is called in a figure, and its colour.
CANDIDATES = {
    "kernel": ("ours: hand-written BPTT", "blue"),
    "loop": ("ours: readable loop, autograd", "green"),
    "textbook": ("textbook loop", "orange"),
    "products": ("its matrix products alone", "ink"),
    "torch.nn": ("torch.nn", "muted"),
    "packed torch.nn": ("torch.nn, packed", "red"),
    "checkpoint": ("ours: √T checkpoints", "purple"),
    "truncated": ("ours: windows of 50", "sky"),
    "sequential": ("sequential", "blue"),
    "chunked": ("chunked", "purple"),
    "odd_even": ("odd–even", "orange"),
    "log_space": ("log space", "red"),
}


def _colour(candidate: str) -> str:
    return style.COLOURS[CANDIDATES[candidate][1]]


@checked
def speed_figure(record: dict[str, Any], work: str = "forward+backward") -> Figure:
    """How long each candidate takes as a multiple of ``torch.nn``, for every cell and size.

    Args:
        record: The benchmark's record, with a section ``layers``.
        work: ``"forward+backward"`` or ``"forward"``.

    Returns:
        One panel for each cell; a dot is a median over the rounds, its bar the range; left of the line is faster. An
        upright stroke is the time of the matrix products alone.
    """
    rows = [row for row in record["sections"]["layers"]["rows"] if row["work"] == work]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    sizes = list(dict.fromkeys(tuple(row["size"].values()) for row in rows))
    figure, axes = style.figure(7.6, 0.9 + 0.42 * len(sizes), ncols=len(cells), sharey=True, squeeze=False)
    for axis, cell in zip(axes[0], cells, strict=True):
        axis.axvline(1, color=style.COLOURS["ink"], linewidth=1)
        for row in (row for row in rows if row["cell"] == cell):
            place = -sizes.index(tuple(row["size"].values()))
            for shift, name in zip((0.22, 0, -0.22), ("kernel", "loop", "textbook"), strict=True):
                ratio = row["ratio"][name]
                axis.plot([ratio["low"], ratio["high"]], [place + shift] * 2, color=_colour(name), linewidth=1.6)
                axis.plot(ratio["median"], place + shift, "o", color=_colour(name), markersize=4.5)
            axis.plot([row["ratio"]["products"]["median"]] * 2, [place - 0.34, place + 0.34], color=_colour("products"))
        axis.set(title=cell, xscale="log", xlabel="time / torch.nn")
        ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8, 16) if axis.get_xlim()[0] <= tick <= axis.get_xlim()[1]]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_xticks([], minor=True)
    axes[0, 0].set_yticks([-i for i in range(len(sizes))], [", ".join(map(str, size)) for size in sizes])
    axes[0, 0].set_ylabel("time, batch, input, hidden")
    handles = [
        mpl.lines.Line2D([], [], marker="o", color=_colour(name), label=CANDIDATES[name][0])
        for name in ("kernel", "loop", "textbook")
    ]
    handles.append(
        mpl.lines.Line2D([], [], ls="", marker="|", color=_colour("products"), label=CANDIDATES["products"][0])
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _curve(axis: Any, times: list[int], points: list[dict[str, float]], candidate: str, label: str) -> None:
    median, low, high = (np.array([point[key] for point in points]) for key in ("median", "low", "high"))
    axis.plot(times, median, "o-", color=_colour(candidate), markersize=4, label=label)
    axis.fill_between(times, low, high, color=_colour(candidate), alpha=0.2, linewidth=0)


def _logarithmic(axis: Any, times: list[int], xlabel: str) -> None:
    axis.set(xscale="log", yscale="log", xlabel=xlabel)
    axis.set_xticks(times, [str(time) for time in times])
    axis.set_xticks([], minor=True)


@checked
def lengths_figure(record: dict[str, Any]) -> Figure:
    """Time of a batch of sequences of many lengths: ours with their lengths, torch.nn packed.

    Args:
        record: The benchmark's record, with a section ``lengths``.

    Returns:
        One panel for each cell, milliseconds against the largest length, both logarithmic.
    """
    rows = record["sections"]["lengths"]["rows"]
    rows = [row for row in rows if row["batch"] == rows[0]["batch"]]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure, axes = style.figure(7, 2.9, ncols=len(cells), sharey=True, squeeze=False)
    for axis, cell in zip(axes[0], cells, strict=True):
        mine = [row for row in rows if row["cell"] == cell]
        times = [row["time"] for row in mine]
        for name in ("packed torch.nn", "kernel"):
            label = "ours, given the lengths" if name == "kernel" else CANDIDATES[name][0]
            _curve(axis, times, [row["milliseconds"][name] for row in mine], name, label)
        _logarithmic(axis, times, "largest length T")
        axis.set_title(cell)
    axes[0, 0].set_ylabel("forward + backward, ms")
    axes[0, 0].legend()
    return figure


@checked
def growth_figure(record: dict[str, Any]) -> Figure:
    """How time grows with the length of the sequence, with the fitted exponents.

    Args:
        record: The benchmark's record, with a section ``growth``.

    Returns:
        One panel for each cell, milliseconds against T, both logarithmic.
    """
    rows = record["sections"]["growth"]["rows"]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure, axes = style.figure(7.6, 3.0, ncols=len(cells), sharey=True, squeeze=False)
    for axis, cell in zip(axes[0], cells, strict=True):
        mine = [row for row in rows if row["cell"] == cell]
        for row in mine:
            label = f"{CANDIDATES[row['candidate']][0].partition(':')[0]}: $T^{{{row['exponent']:.2f}}}$"
            _curve(axis, row["time"], row["milliseconds"], row["candidate"], label)
        _logarithmic(axis, mine[0]["time"], "steps T")
        axis.tick_params(axis="x", labelsize=8)
        axis.set_title(cell)
        axis.legend(fontsize=8, loc="lower right")
    axes[0, 0].set_ylim(bottom=axes[0, 0].get_ylim()[0] / 4)  # room for the legends below the curves
    axes[0, 0].set_ylabel("forward + backward, ms")
    return figure


@checked
def memory_figure(record: dict[str, Any]) -> Figure:
    """Peak memory of one forward and backward pass over a long sequence, and its time.

    Args:
        record: The benchmark's record, with a section ``memory``.

    Returns:
        A bar for each candidate, its time as a multiple of torch.nn's written beside it.
    """
    rows = record["sections"]["memory"]["rows"]
    figure, axis = style.figure(7, 0.9 + 0.38 * len(rows))
    for place, row in enumerate(rows):
        size = row["megabytes"]["median"]
        axis.barh(-place, size, color=_colour(row["candidate"]), height=0.62)
        time = row["time_ratio"]["median"] if row["time_ratio"] else 1
        axis.text(size, -place, f"  {size:,.0f} MB, time × {time:.2f}", va="center")
    axis.set_yticks([-i for i in range(len(rows))], [CANDIDATES[row["candidate"]][0] for row in rows])
    axis.set_xlim(0, 1.5 * max(row["megabytes"]["median"] for row in rows))
    axis.set_xlabel(f"peak memory above the inputs, MB ({rows[0]['cell']}, T = {rows[0]['time']:,})")
    axis.grid(axis="y", visible=False)
    return figure


@checked
def scan_figure(record: dict[str, Any]) -> Figure:
    """How long a minGRU takes by each scan, by its readable loop, and a GRU of ``torch.nn``, as the sequence grows.

    Args:
        record: The benchmark's record, with a section ``scan``.

    Returns:
        One panel for each width, milliseconds against T, both logarithmic.
    """
    rows = [row for row in record["sections"]["scan"]["rows"] if row["kind"] == "time"]
    widths = list(dict.fromkeys((row["batch"], row["hidden"]) for row in rows))
    figure, axes = style.figure(7.6, 3.4, ncols=len(widths), sharey=True, squeeze=False)
    for axis, (batch, hidden) in zip(axes[0], widths, strict=True):
        mine = [row for row in rows if (row["batch"], row["hidden"]) == (batch, hidden)]
        times = [row["time"] for row in mine]
        for name in ("torch.nn", "loop", "log_space", "sequential", "chunked", "odd_even"):
            label = {"torch.nn": "GRU of torch.nn", "loop": "readable loop"}.get(name, CANDIDATES[name][0])
            _curve(axis, times, [row["milliseconds"][name] for row in mine], name, label)
        _logarithmic(axis, times, "steps T")
        axis.tick_params(axis="x", labelsize=8)
        axis.set_title(f"batch {batch}, {hidden} units")
    axes[0, 0].set_ylabel("forward + backward, ms")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


FIGURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "layers": speed_figure,
    "lengths": lengths_figure,
    "growth": growth_figure,
    "memory": memory_figure,
    "scan": scan_figure,
}


@checked
def save_all(record: dict[str, Any], folder: Path) -> list[Path]:
    """Draw what the record has and save it as ``bench_NAME.svg``, the same bytes for the same numbers.

    Args:
        record: The benchmark's record.
        folder: Where to; made if it is not there.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context({**style.SETTINGS, "svg.hashsalt": "rnncourse", "svg.fonttype": "path"}):
        for name, draw in FIGURES.items():
            if record["sections"].get(name, {}).get("rows"):
                figure = draw(record)
                paths.append(folder / f"bench_{name}.svg")
                figure.savefig(paths[-1], metadata={"Date": None})
                mpl.pyplot.close(figure)
    return paths
