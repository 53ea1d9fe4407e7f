"""A drawing in inches, with a method for each sign of the language."""

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from rnncourse.viz.diagrams.part import Part, Point, ends, short_of
from rnncourse.viz.style import COLOURS, FILLS, figure, legible, plain

__all__ = ["Sketch"]


class Sketch:
    """A drawing in inches.

    Args:
        width: Of the drawing.
        height: Of the drawing.

    Example:
        >>> sketch = Sketch(3, 1)
        >>> x, h = sketch.node(0.5, 0.5, "$x_t$"), sketch.box(2, 0.5, "tanh")
        >>> sketch.arrow(x, h)
        >>> h.left
        (1.6, 0.5)
    """

    def __init__(self, width: float, height: float):
        self.figure, self.axes = figure(width, height)
        plain(self.axes).set(xlim=(0, width), ylim=(0, height))
        self.figure.set_layout_engine("none")
        self.axes.set_position((0, 0, 1, 1))

    def node(self, x: float, y: float, text: str, *, colour: str = "blue", radius: float = 0.26) -> Part:
        """Draws a vector with a name: an input, a state, an output."""
        return self._circle(x, y, text, radius, FILLS[colour], COLOURS[colour], 11.5)

    def box(self, x: float, y: float, text: str, *, width: float = 0.8, height: float = 0.42) -> Part:
        """Draws a learned layer: weights, a bias, and the function named in it."""
        self._rounded(x, y, width, height, FILLS["orange"], COLOURS["orange"], 0.06, 3)
        self.text(x, y, text, size=10.5)
        return Part(x, y, width / 2, height / 2)

    def op(self, x: float, y: float, text: str, *, radius: float = 0.17) -> Part:
        """Draws an operation entry by entry, without weights: ×, +, or a function."""
        return self._circle(x, y, text, radius, FILLS["red"], COLOURS["red"], 11 if len(text) == 1 else 7.5)

    def frame(self, x: float, y: float, width: float, height: float, title: str = "") -> Part:
        """Draws the outline of a cell or a layer, to be filled; x and y are its lower left corner."""
        self._rounded(x + width / 2, y + height / 2, width, height, FILLS["green"], COLOURS["green"], 0.15, 1)
        if title:
            self.text(x + 0.14, y + height - 0.16, title, size=9, colour="green", align="left")
        return Part(x + width / 2, y + height / 2, width / 2, height / 2)

    def line(self, start: Part | Point, end: Part | Point, *, colour: str = "ink", dashed: bool = False) -> None:
        """Draws a vector's way without an arrowhead."""
        self._connect(start, end, "-", colour, 0, dashed)

    def arrow(
        self,
        start: Part | Point,
        end: Part | Point,
        *,
        bend: float = 0,
        label: str = "",
        colour: str = "ink",
        dashed: bool = False,
    ) -> None:
        """Draws a vector's way from one part or point to another.

        Args:
            start: Where from.
            end: Where to.
            bend: How far it swings out to its right, as a share of its length.
            label: A name beside its middle.
            colour: A name of the palette.
            dashed: For gradients, or what is left out.
        """
        a, b = self._connect(start, end, "-|>", colour, bend, dashed)
        if label:
            along = np.array(b) - np.array(a)
            aside = np.array([-along[1], along[0]]) / (np.hypot(*along) or 1)
            aside = aside if (aside[1], aside[0]) > (0, 0) else -aside
            x, y = (np.array(a) + np.array(b)) / 2 + aside * 0.17
            self.text(float(x), float(y), label, size=10.5, colour=colour)

    def path(self, points: Sequence[Point], *, colour: str = "ink", head: bool = True, corner: float = 0.12) -> None:
        """Draws a vector's way around corners."""
        vertices, codes = [points[0]], [Path.MOVETO]
        for before, at, after in zip(points, points[1:], points[2:], strict=False):
            vertices += [short_of(at, before, corner), at, short_of(at, after, corner)]
            codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
        if not head:
            shape = Path([*vertices, points[-1]], [*codes, Path.LINETO])
            self.axes.add_patch(PathPatch(shape, fill=False, edgecolor=COLOURS[colour], lw=1.5, zorder=2))
            return
        shape = Path([*vertices, points[-1]], [*codes, Path.LINETO])
        self.axes.add_patch(
            FancyArrowPatch(path=shape, arrowstyle="-|>", mutation_scale=11, color=COLOURS[colour], lw=1.5, zorder=2)
        )

    def merge(self, x: float, y: float, *, colour: str = "ink") -> Part:
        """Marks where vectors are joined end to end into a longer one: a short bar."""
        self.axes.add_patch(
            FancyBboxPatch(
                (x - 0.02, y - 0.1),
                0.04,
                0.2,
                boxstyle="round,pad=0,rounding_size=0.02",
                color=COLOURS[colour],
                zorder=4,
            )
        )
        return Part(x, y, 0.02, 0.1)

    def fork(self, x: float, y: float, *, colour: str = "ink") -> Part:
        """Marks where a vector is copied: a dot."""
        self.axes.add_patch(Circle((x, y), 0.05, color=COLOURS[colour], zorder=4))
        return Part(x, y, 0.05, 0.05, round=True)

    def text(
        self, x: float, y: float, text: str, *, size: float = 10, colour: str = "ink", align: str = "center"
    ) -> None:
        """Writes."""
        self.axes.text(
            x, y, text, ha=align, va="center_baseline" if "$" not in text else "center",
            fontsize=size, color=legible(colour), math_fontfamily="cm", zorder=6,
        )  # fmt: skip

    def _circle(self, x: float, y: float, text: str, radius: float, fill: str, edge: str, size: float) -> Part:
        self.axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=edge, lw=1.4, zorder=5))
        self.text(x, y, text, size=size)
        return Part(x, y, radius, radius, round=True)

    def _rounded(
        self, x: float, y: float, width: float, height: float, fill: str, edge: str, corner: float, zorder: int
    ) -> None:
        style = f"round,pad=0,rounding_size={corner}"
        corner_at = (x - width / 2, y - height / 2)
        self.axes.add_patch(
            FancyBboxPatch(
                corner_at, width, height, boxstyle=style, facecolor=fill, edgecolor=edge, lw=1.4, zorder=zorder
            )
        )

    def _connect(
        self, start: Part | Point, end: Part | Point, arrowstyle: str, colour: str, bend: float, dashed: bool
    ) -> tuple[Point, Point]:
        a, b = ends(start, end)
        self.axes.add_patch(
            FancyArrowPatch(
                a, b, arrowstyle=arrowstyle, mutation_scale=11, color=COLOURS[colour], lw=1.5, shrinkA=0, shrinkB=0,
                connectionstyle=f"arc3,rad={bend}", linestyle=(0, (4, 2.5)) if dashed else "-", zorder=2,
            )
        )  # fmt: skip
        return a, b
