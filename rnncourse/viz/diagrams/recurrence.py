"""A recurrent network: one step, folded, over time, and what is computed from what."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from rnncourse.signatures import checked
from rnncourse.viz.diagrams.part import Part, Point
from rnncourse.viz.diagrams.sketch import Sketch
from rnncourse.viz.style import COLOURS

__all__ = ["cycle", "rnn_cell", "unrolled_rnn"]


def rnn_cell() -> Figure:
    """Draws one step of the vanilla RNN: old state and input joined, a learned layer, the state copied, the output.

    Returns:
        A figure.
    """
    sketch = Sketch(5.6, 2.7)
    sketch.frame(1.15, 0.75, 3.1, 1.35, "RNN cell")
    y = 1.3
    old = sketch.node(0.4, y, "$h_{t-1}$", colour="green", radius=0.3)
    new_x = sketch.node(1.9, 0.3, "$x_t$")
    joint = sketch.merge(1.9, y)
    sketch.line(old, joint.left)
    sketch.line(new_x, joint.bottom)
    layer = sketch.box(3.05, y, "tanh")
    sketch.arrow(joint.right, layer.left)
    copy = sketch.fork(3.8, y)
    sketch.line(layer.right, copy)
    sketch.arrow(copy, sketch.node(5.1, y, "$h_t$", colour="green", radius=0.3).left)
    readout = sketch.node(3.8, 2.4, "$y_t$", colour="purple")
    sketch.arrow(copy, readout.bottom)
    sketch.text(4.32, 2.26, "$V,\\ b_y$", size=11, colour="orange")
    sketch.text(2.27, y + 0.18, "$[h, x]$", size=10, colour="muted")
    sketch.text(3.05, 0.93, "$U,\\ W,\\ b$", size=11, colour="orange")
    return sketch.figure


def cycle() -> Figure:
    """Draws a recurrent network folded: one cell whose state comes back to it.

    Returns:
        A figure.
    """
    sketch = Sketch(2.2, 2.7)
    _folded(sketch, 0.9, 1.35)
    return sketch.figure


@checked
def unrolled_rnn(steps: int = 4, *, folded: bool = True, outputs: bool = True, gradient: bool = False) -> Figure:
    """Draws a recurrent network over time: the same weights at every step.

    Args:
        steps: How many steps, 2 to 8.
        folded: Draw the folded network and an equals sign before it.
        outputs: Draw an output at each step.
        gradient: Draw in red how the gradient of the last step's loss comes back.

    Returns:
        A figure.

    Raises:
        ValueError: If steps is out of range.
    """
    _check_steps(steps)
    offset = 3.0 if folded else 1.3
    spacing = 1.25
    sketch = Sketch(offset + spacing * (steps - 1) + 1.1, 2.7)
    if folded:
        _folded(sketch, 0.7, 1.35)
        sketch.text(1.65, 1.35, "=", size=20, colour="muted")
    states = []
    previous: Part | None = None
    for step in range(1, steps + 1):
        x = offset + spacing * (step - 1)
        name = _subscript(step, steps)
        state = sketch.node(x, 1.35, f"$h_{{{name}}}$", colour="green")
        sketch.arrow(sketch.node(x, 0.38, f"$x_{{{name}}}$"), state, label="$U$" if step == 1 else "")
        if outputs:
            sketch.arrow(
                state, sketch.node(x, 2.32, f"$y_{{{name}}}$", colour="purple"), label="$V$" if step == 1 else ""
            )
        start: Part | Point = previous or sketch.node(x - 0.92, 1.35, "$h_0$", colour="green", radius=0.2)
        sketch.arrow(start, state, label="$\\cdots$" if step == steps else "$W$", dashed=step == steps)
        previous = state
        states.append(state)
    sketch.arrow(states[-1], (states[-1].x + 0.75, 1.35))
    if gradient:
        for before, after in zip(states, states[1:], strict=False):
            sketch.arrow((after.x - 0.2, 1.17), (before.x + 0.2, 1.17), bend=-0.25, colour="red", dashed=True)
        sketch.arrow((states[-1].x - 0.12, 2.1), (states[-1].x - 0.12, 1.6), colour="red", dashed=True)
    return sketch.figure


def _folded(sketch: Sketch, x: float, y: float) -> None:
    state = sketch.node(x, y, "$h_t$", colour="green")
    sketch.arrow(sketch.node(x, y - 0.97, "$x_t$"), state, label="$U$")
    sketch.arrow(state, sketch.node(x, y + 0.97, "$y_t$", colour="purple"), label="$V$")
    out, into = (x + 0.2, y + 0.17), (x + 0.2, y - 0.17)
    sketch.axes.add_patch(
        FancyArrowPatch(
            out, into, arrowstyle="-|>", mutation_scale=11, color=COLOURS["ink"], lw=1.5, shrinkA=0, shrinkB=0,
            connectionstyle="arc3,rad=-1.6", zorder=2,
        )
    )  # fmt: skip
    sketch.text(x + 0.67, y, "$W$", size=10.5)


def _subscript(step: int, steps: int) -> str:
    return str(step) if step < steps else "T"


def _check_steps(steps: Any) -> None:
    if not isinstance(steps, int) or not 2 <= steps <= 8:
        raise ValueError(f"steps is {steps!r}; it should be a whole number from 2 to 8")
