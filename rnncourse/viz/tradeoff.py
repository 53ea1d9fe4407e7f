"""What a byte of memory buys: bits per character against the size of the model, one point or curve for each."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from rnncourse.signatures import checked
from rnncourse.viz import style


@checked
def sizes_and_bits(
    curves: Mapping[str, Sequence[tuple[float, float, str]]],
    points: Mapping[str, tuple[float, float]],
    *,
    levels: Mapping[str, float] | None = None,
) -> Figure:
    """Draws bits per character against bytes of memory, where down and to the left is better.

    Args:
        curves: For each family of models its members, as (bytes, bits per character, the name beside the mark).
        points: For each single model (bytes, bits per character).
        levels: What has no size to speak of, such as a compressor: its name and its bits per character.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> figure = sizes_and_bits({"tables": [(1e4, 3.3, "2"), (1e5, 2.5, "3")]}, {"network": (8e4, 2.2)})
        >>> figure.axes[0].get_xscale()
        'log'
    """
    if not curves and not points:
        raise ValueError("curves and points are both empty; there should be something to draw")
    figure, axes = style.figure(width=7, height=3.6)
    colours = iter(style.CYCLE)
    marks = [(size, bits, family) for family, members in enumerate(curves.values()) for size, bits, _ in members]
    for family, (name, members) in enumerate(curves.items()):
        colour = next(colours)
        axes.plot(
            [size / 1000 for size, _, _ in members], [bits for _, bits, _ in members], "o-", color=colour, label=name
        )
        for size, bits, label in members:
            offset, side = _place((size, bits, family), marks)
            point, words = (size / 1000, bits), style.legible(colour)
            axes.annotate(label, point, xytext=offset, textcoords="offset points", ha=side, color=words)
    for name, (size, bits) in points.items():
        axes.plot([size / 1000], [bits], "*", markersize=15, color=next(colours), label=name)
    for name, bits in (levels or {}).items():
        axes.axhline(bits, color=style.COLOURS["muted"], linewidth=1, linestyle=":")
        axes.annotate(
            name,
            (0, bits),
            xycoords=("axes fraction", "data"),
            xytext=(4, 2),
            textcoords="offset points",
            ha="left",
            va="bottom",
            color=style.COLOURS["muted"],
            fontsize=8,
        )
    axes.set(xscale="log", xlabel="memory of the model, kB", ylabel="bits per character")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(0.08)  # room for the names
    figure.legend(loc="outside upper left", ncols=2)  # inside it would lie on a name
    return figure


def _place(mark: tuple[float, float, int], marks: Sequence[tuple[float, float, int]]) -> tuple[tuple[int, int], str]:
    """Where a name stands: above its mark or below, away from the next mark of about its size; beside it if between."""
    size, bits, family = mark
    others = [(other - bits, number) for near, other, number in marks if size / 1.15 < near < 1.15 * size]
    above = min((gap for gap, number in others if (gap, -number) > (0, -family)), default=math.inf)
    below = min((-gap for gap, number in others if (gap, -number) < (0, -family)), default=math.inf)
    if above == below == 0:
        return (-7, -4), "right"
    return ((0, 6) if above >= below else (0, -15)), "center"
