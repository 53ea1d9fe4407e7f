"""One look for all figures: a few colours that differ in lightness as well as in hue, drawn for white paper."""

import sys
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure

COLOURS = {
    "ink": "#1d2733",
    "muted": "#66727f",
    "line": "#d5dbe1",
    "paper": "#ffffff",
    "blue": "#1b66ab",
    "orange": "#d1660f",
    "green": "#22804d",
    "red": "#b8324a",
    "purple": "#7448a3",
    "sky": "#4a9cc9",
}
"""The colours by name; each of the six hues stands out from white by 3 to 1 or more, as lines should."""

FILLS = {"blue": "#dbe9f6", "orange": "#fdebd3", "green": "#e3f2e8", "red": "#f9dfe3", "purple": "#ebe2f5"}
"""Light fills that go with them, for shapes with dark text inside."""

CYCLE = tuple(COLOURS[name] for name in ("blue", "orange", "green", "purple", "red", "sky"))
"""The order in which lines are coloured."""

DIVERGING = LinearSegmentedColormap.from_list("course", [COLOURS["blue"], "#f7f7f7", COLOURS["orange"]])
"""A colour map from below a centre (blue) over the centre (near white) to above it (orange)."""

DENSITY = 130
"""Pixels to the inch at which a figure is laid out; what a notebook stores has twice as many in each direction."""

SMALLEST = 8.0
"""The size in points below which no text in a figure goes; the website shrinks figures no further than it allows."""

SETTINGS: dict[str, Any] = {
    "figure.dpi": DENSITY,
    "savefig.dpi": DENSITY,
    "figure.facecolor": COLOURS["paper"],
    "savefig.facecolor": COLOURS["paper"],
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "mathtext.fontset": "cm",
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.7,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.handlelength": 2.8,  # long enough for dashes to look dashed
    "image.cmap": "viridis",
}


def use() -> None:
    """Makes every figure from here on look like the course's, also those drawn with pyplot alone."""
    mpl.rcParams.update(SETTINGS)
    sharp()


def sharp() -> None:
    """Makes a notebook store its figures with twice the pixels, for the screens of today; elsewhere it does nothing.

    Example:
        >>> sharp()  # no notebook here, so nothing happens
    """
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib_inline.config import InlineBackend

    backend = InlineBackend.instance(parent=shell)
    if backend.figure_formats != {"retina"}:
        backend.figure_formats = {"retina"}


def figure(width: float = 7.0, height: float = 3.0, **subplots: Any) -> tuple[Figure, Any]:
    """Returns a figure in the course's style and its axes.

    Args:
        width: In inches.
        height: In inches.
        **subplots: What ``matplotlib.pyplot.subplots`` takes, like ``ncols=2``.

    Returns:
        The pair (figure, axes), axes being an array where there are several.

    Example:
        >>> made, axes = figure(6, 2, ncols=2)
        >>> len(axes), made.get_size_inches().tolist()
        (2, [6.0, 2.0])
        >>> plt.close(made)
    """
    sharp()
    with mpl.rc_context(SETTINGS):
        return plt.subplots(figsize=(width, height), **subplots)


def legible(colour: str) -> str:
    """Returns a colour as dark as small words need it to be on white and on the light fills: 4.5 to 1 or more.

    Args:
        colour: A name of the palette, or any colour that matplotlib knows.

    Example:
        >>> legible("blue") == COLOURS["blue"], legible("orange")
        (True, '#9f4e0b')
    """
    rgb = np.array(to_rgb(COLOURS.get(colour, colour)))
    while 1.05 / (_luminance(rgb) + 0.05) < 5.8:  # on white; on the darkest fill it is 4.5
        rgb = 0.99 * rgb
    return to_hex(rgb)


def _luminance(rgb: np.ndarray) -> float:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # as WCAG 2 defines it
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def plain(axes: Axes) -> Axes:
    """Takes an axes' frame, ticks and grid away, for drawings."""
    axes.set_axis_off()
    axes.set_aspect("equal")
    return axes
