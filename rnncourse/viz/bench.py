"""The benchmark's figures, each from what ``rnncourse bench`` measured: one row of panels for each machine.

A record is a machine's name and its sections, as :func:`rnncourse.bench.records.read_all` gives them.
"""

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
    "auto": ("ours: by default", "purple"),
    "fused": ("ours: PyTorch's fused layer", "muted"),
    "kernel": ("ours: hand-written BPTT", "blue"),
    "loop": ("ours: readable loop, autograd", "green"),
    "textbook": ("textbook loop", "orange"),
    "products": ("its matrix products alone", "ink"),
    "torch.nn": ("torch.nn", "muted"),
    "packed torch.nn": ("torch.nn, packed", "red"),
    "masked torch.nn": ("torch.nn, padded and masked", "muted"),
    "flax": ("flax (XLA)", "red"),
    "equinox": ("equinox (XLA)", "sky"),
    "checkpoint": ("ours: √T checkpoints", "purple"),
    "truncated": ("ours: windows of 50", "sky"),
    "sequential": ("sequential", "blue"),
    "chunked": ("chunked", "purple"),
    "odd_even": ("odd–even", "orange"),
    "log_space": ("log space", "red"),
}


def _colour(candidate: str) -> str:
    return style.COLOURS[CANDIDATES[candidate][1]]


def _with(records: tuple[dict[str, Any], ...], section: str) -> list[dict[str, Any]]:
    """The records that have a section."""
    found = [record for record in records if record["sections"].get(section, {}).get("rows")]
    if not found:
        raise ValueError(f"no record has a section {section!r}; measure it: rnncourse bench --sections {section}")
    return found


def _panels(records: list[dict[str, Any]], height: float, ncols: int, **options: Any) -> tuple[Figure, Any]:
    """A row of panels for each machine, which stands over its first panel where there is more than one."""
    figure, axes = style.figure(7.6, height * len(records), nrows=len(records), ncols=ncols, squeeze=False, **options)
    return figure, axes


def _title(axis: Any, title: str, record: dict[str, Any], first: bool) -> None:
    axis.set_title(f"{record['machine']}\n{title}" if first else title, loc="left" if first else "center")


#: Whom the figure of speed shows beside the products, from the top: those of them that every machine measured.
SHOWN = ("auto", "kernel", "loop", "textbook", "flax", "equinox")


@checked
def speed_figure(*records: dict[str, Any], work: str = "forward+backward") -> Figure:
    """How long each candidate takes as a multiple of ``torch.nn``, for every machine, cell and size.

    Args:
        *records: What was measured, a record for each machine; those without a section ``layers`` are left out.
        work: ``"forward+backward"`` or ``"forward"``.

    Returns:
        One panel for each machine and cell; a dot is a median over the rounds, its bar the range; left of the line is
        faster. An upright stroke is the time of the matrix products alone.

    Raises:
        ValueError: If no record has the section.
    """
    found = _with(records, "layers")
    all_rows = [row for record in found for row in record["sections"]["layers"]["rows"] if row["work"] == work]
    cells = list(dict.fromkeys(row["cell"] for row in all_rows))
    sizes = list(dict.fromkeys(tuple(row["size"].values()) for row in all_rows))
    names = [name for name in SHOWN if any(name in row["ratio"] for row in all_rows)]
    places = dict(zip(names, np.linspace(0.3, -0.3, len(names)), strict=True))
    figure, axes = _panels(found, 1.6 + 0.42 * len(sizes), len(cells), sharex="col", sharey=True)
    for line, record in zip(axes, found, strict=True):
        rows = [row for row in record["sections"]["layers"]["rows"] if row["work"] == work]
        for axis, cell in zip(line, cells, strict=True):
            axis.axvline(1, color=style.COLOURS["ink"], linewidth=1)
            for row in (row for row in rows if row["cell"] == cell):
                place = -sizes.index(tuple(row["size"].values()))
                for name in (name for name in names if name in row["ratio"]):
                    ratio, at = row["ratio"][name], place + places[name]
                    axis.plot([ratio["low"], ratio["high"]], [at] * 2, color=_colour(name), linewidth=1.4)
                    axis.plot(ratio["median"], at, "o", color=_colour(name), markersize=4)
                products = row["ratio"]["products"]["median"]
                axis.plot([products] * 2, [place - 0.38, place + 0.38], color=_colour("products"))
            _title(axis, cell, record, axis is line[0])
            axis.set(xscale="log")
        line[0].set_yticks([-i for i in range(len(sizes))], [", ".join(map(str, size)) for size in sizes])
        line[0].set_ylabel("time, batch, input, hidden")
    for axis in axes[-1]:
        axis.set_xlabel("time / torch.nn")
        low, high = axis.get_xlim()
        every = 2 if high / low > 32 else 1  # labels stand apart however far the slowest is
        ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8, 16)[::every] if low <= tick <= high]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_xticks([], minor=True)
    handles = [mpl.lines.Line2D([], [], marker="o", color=_colour(name), label=CANDIDATES[name][0]) for name in names]
    handles.append(
        mpl.lines.Line2D([], [], ls="", marker="|", color=_colour("products"), label=CANDIDATES["products"][0])
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
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
def lengths_figure(*records: dict[str, Any]) -> Figure:
    """Time of a batch of sequences of many lengths: ours with their lengths, torch.nn packed, and padded and masked.

    Args:
        *records: What was measured, a record for each machine; those without a section ``lengths`` are left out.

    Returns:
        One panel for each machine and cell, milliseconds against the largest length, both logarithmic.

    Raises:
        ValueError: If no record has the section.
    """
    found = _with(records, "lengths")
    cells = list(dict.fromkeys(row["cell"] for record in found for row in record["sections"]["lengths"]["rows"]))
    figure, axes = _panels(found, 2.9, len(cells), sharey=True)
    for line, record in zip(axes, found, strict=True):
        rows = record["sections"]["lengths"]["rows"]
        rows = [row for row in rows if row["batch"] == rows[0]["batch"]]
        for axis, cell in zip(line, cells, strict=True):
            mine = sorted((row for row in rows if row["cell"] == cell), key=lambda row: row["time"])
            if not mine:
                axis.set_visible(False)
                continue
            times = [row["time"] for row in mine]
            for name in mine[0]["milliseconds"]:
                label = {"kernel": "ours, given the lengths", "auto": "ours, by default"}.get(name)
                points = [row["milliseconds"][name] for row in mine]
                _curve(axis, times, points, name, label or CANDIDATES[name][0])
            _logarithmic(axis, times, "largest length T")
            _title(axis, cell, record, axis is line[0])
        line[0].set_ylabel("forward + backward, ms")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


@checked
def growth_figure(*records: dict[str, Any]) -> Figure:
    """How time grows with the length of the sequence, with the fitted exponents.

    Args:
        *records: What was measured, a record for each machine; those without a section ``growth`` are left out.

    Returns:
        One panel for each machine and cell, milliseconds against T, both logarithmic.

    Raises:
        ValueError: If no record has the section.
    """
    found = _with(records, "growth")
    cells = list(dict.fromkeys(row["cell"] for record in found for row in record["sections"]["growth"]["rows"]))
    figure, axes = _panels(found, 3.0, len(cells), sharey=True)
    for line, record in zip(axes, found, strict=True):
        for axis, cell in zip(line, cells, strict=True):
            mine = [row for row in record["sections"]["growth"]["rows"] if row["cell"] == cell]
            for row in mine:
                name = row["candidate"]
                said = {"auto": "by default", "kernel": "by hand"}.get(name, CANDIDATES[name][0])
                label = f"{said}: $T^{{{row['exponent']:.2f}}}$"
                _curve(axis, row["time"], row["milliseconds"], row["candidate"], label)
            _logarithmic(axis, mine[0]["time"], "steps T")
            axis.tick_params(axis="x", labelsize=8)
            _title(axis, cell, record, axis is line[0])
            axis.legend(fontsize=8, loc="lower right")
    axes[0, 0].set_ylim(bottom=axes[0, 0].get_ylim()[0] / 4)  # room for the legends below the curves
    for line in axes:
        line[0].set_ylabel("forward + backward, ms")
    return figure


@checked
def memory_figure(*records: dict[str, Any]) -> Figure:
    """Peak memory of one forward and backward pass over a long sequence, and its time.

    Args:
        *records: What was measured, a record for each machine; those without a section ``memory`` are left out.

    Returns:
        One panel for each machine: a bar for each candidate, its time as a multiple of torch.nn's written beside it.

    Raises:
        ValueError: If no record has the section.
    """
    found = _with(records, "memory")
    most = max(len(record["sections"]["memory"]["rows"]) for record in found)
    figure, axes = _panels(found, 0.9 + 0.38 * most, 1, sharex=True)
    largest = 0.0
    for (axis,), record in zip(axes, found, strict=True):
        rows = record["sections"]["memory"]["rows"]
        for place, row in enumerate(rows):
            size = row["megabytes"]["median"]
            axis.barh(-place, size, color=_colour(row["candidate"]), height=0.62)
            time = row["time_ratio"]["median"] if row["time_ratio"] else 1
            axis.text(size, -place, f"  {size:,.0f} MB, time × {time:.2f}", va="center")
            largest = max(largest, size)
        axis.set_yticks([-i for i in range(len(rows))], [CANDIDATES[row["candidate"]][0] for row in rows])
        axis.grid(axis="y", visible=False)
        axis.set_title(record["machine"], loc="left")
    axes[-1, 0].set_xlim(0, 1.5 * largest)
    axes[-1, 0].set_xlabel(f"peak memory above the inputs, MB ({rows[0]['cell']}, T = {rows[0]['time']:,})")
    return figure


@checked
def scan_figure(*records: dict[str, Any]) -> Figure:
    """How long a minGRU takes by each scan, by its readable loop, and a GRU of ``torch.nn``, as the sequence grows.

    Args:
        *records: What was measured, a record for each machine; those without a section ``scan`` are left out.

    Returns:
        One panel for each machine and width, milliseconds against T, both logarithmic.

    Raises:
        ValueError: If no record has the section.
    """
    found = _with(records, "scan")
    by_machine = [[row for row in one["sections"]["scan"]["rows"] if row["kind"] == "time"] for one in found]
    widths = list(dict.fromkeys((row["batch"], row["hidden"]) for rows in by_machine for row in rows))
    figure, axes = _panels(found, 3.4, len(widths), sharey=True)
    for line, record, rows in zip(axes, found, by_machine, strict=True):
        for axis, (batch, hidden) in zip(line, widths, strict=True):
            mine = [row for row in rows if (row["batch"], row["hidden"]) == (batch, hidden)]
            times = [row["time"] for row in mine]
            for name in ("torch.nn", "loop", "log_space", "sequential", "chunked", "odd_even"):
                label = {"torch.nn": "GRU of torch.nn", "loop": "readable loop"}.get(name, CANDIDATES[name][0])
                _curve(axis, times, [row["milliseconds"][name] for row in mine], name, label)
            _logarithmic(axis, times, "steps T")
            axis.tick_params(axis="x", labelsize=8)
            _title(axis, f"batch {batch}, {hidden} units", record, axis is line[0])
        line[0].set_ylabel("forward + backward, ms")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {
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
        record: A machine's name and its sections.
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
