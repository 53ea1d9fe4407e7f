"""Networks as graphs: which way arrows run, and who is connected to whom."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from rnncourse.viz.diagrams import Sketch
from rnncourse.viz.style import COLOURS, figure


def feedforward_and_recurrent() -> Figure:
    """Draws a feedforward network and, beside it, the same with an arrow that comes back.

    Returns:
        A figure.
    """
    sketch = Sketch(5.6, 3.0)
    for x, title in ((1.2, "feedforward"), (3.8, "recurrent")):
        below = sketch.node(x, 0.75, "$x_t$")
        hidden = sketch.node(x, 1.65, "$h_t$", colour="green")
        above = sketch.node(x, 2.55, "$y_t$", colour="purple")
        sketch.arrow(below, hidden, label="$U$")
        sketch.arrow(hidden, above, label="$V$")
        sketch.text(x, 0.2, title, size=10, colour="muted")
        if title == "recurrent":
            sketch.axes.add_patch(
                FancyArrowPatch(
                    (x + 0.2, 1.82), (x + 0.2, 1.48), arrowstyle="-|>", mutation_scale=12, color=COLOURS["orange"],
                    lw=2.0, shrinkA=0, shrinkB=0, connectionstyle="arc3,rad=-1.7", zorder=2,
                )
            )  # fmt: skip
            sketch.text(x + 0.55, 1.74, "$W$", size=11.5, colour="orange", align="left")
            sketch.text(x + 0.55, 1.5, "one step later", size=8.5, colour="orange", align="left")
    return sketch.figure


def adjacency(graphs: Mapping[str, np.ndarray], *, groups: Sequence[int] = (), labels: Sequence[str] = ()) -> Figure:
    """Draws who feeds whom: one square of a row and a column a unit for each network.

    Args:
        graphs: Name → matrix of shape (units, units), nonzero where the column's unit feeds the row's.
        groups: Sizes of the groups of units, in order; lines are drawn between them.
        labels: The groups' names.

    Returns:
        A figure.

    Raises:
        ValueError: If a matrix is not square, or there is a label too many or too few.
    """
    if labels and len(labels) != len(groups):
        raise ValueError(f"labels has {len(labels)} entries; it should have {len(groups)}, one for each group")
    made, panels = figure(2.35 * len(graphs), 2.6, ncols=len(graphs), squeeze=False)
    for axes, (name, graph) in zip(panels[0], graphs.items(), strict=True):
        matrix = np.asarray(graph) != 0
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"graph {name!r} has shape {matrix.shape}; it should be square")
        picture = np.where(matrix, np.where(matrix.T, 2, 1), 0)  # 1: one way, 2: both ways
        colours = np.array([[0.945, 0.953, 0.961], _rgb("blue"), _rgb("orange")])
        axes.imshow(colours[picture], aspect="equal", interpolation="nearest")
        middles = np.cumsum([0, *groups])[:-1] + (np.array(groups) - 1) / 2 if groups else []
        for edge in np.cumsum(groups)[:-1]:
            axes.axhline(edge - 0.5, color=COLOURS["paper"], lw=2)
            axes.axvline(edge - 0.5, color=COLOURS["paper"], lw=2)
        axes.set_xticks(middles, labels, fontsize=8)
        axes.set_yticks(middles, labels if axes is panels[0][0] else [""] * len(labels), fontsize=8)
        axes.tick_params(length=0)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set_title(name)
        axes.set_xlabel("from")
    panels[0][0].set_ylabel("to")
    return made


def _rgb(name: str) -> list[float]:
    return [int(COLOURS[name][i : i + 2], 16) / 255 for i in (1, 3, 5)]
