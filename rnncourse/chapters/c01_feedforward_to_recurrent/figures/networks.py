"""Networks as graphs: which way arrows run."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from rnncourse.viz.diagrams import Sketch
from rnncourse.viz.style import COLOURS


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
