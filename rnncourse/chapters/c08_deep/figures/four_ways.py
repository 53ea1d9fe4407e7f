"""The four places where a recurrent network can be made deep, in one drawing."""

from typing import NamedTuple

from matplotlib.figure import Figure

from rnncourse.checks import check_choice
from rnncourse.viz.diagrams import Part, Sketch

PANELS = ("shallow", "stacked", "deep_input", "deep_transition", "deep_output")
TITLES = {
    "shallow": "shallow",
    "stacked": "1 stacked",
    "deep_input": "2 deep input",
    "deep_transition": "3 deep transition",
    "deep_output": "4 deep output",
}
WIDTH, HEIGHT, STEP = 2.35, 3.5, 1.15
BOTTOM, MIDDLE, UPPER, TOP = 0.42, 1.42, 2.2, 2.95


class Column(NamedTuple):
    """One time step of a panel: where the layers are joined to those of the next step."""

    lower: Part
    upper: Part | None


def four_ways(kinds: tuple[str, ...] = PANELS) -> Figure:
    """Draws two time steps of each kind of network; a circle is a state, a box a feedforward layer with its tanh.

    Args:
        kinds: Which of :data:`PANELS`, from left to right; more than three take two rows.

    Returns:
        A figure.

    Raises:
        ValueError: If there is no such kind.
    """
    for kind in kinds:
        check_choice("an entry of kinds", kind, PANELS)
    a_row = 3
    rows = -(-len(kinds) // a_row)
    sketch = Sketch(WIDTH * min(len(kinds), a_row), HEIGHT * rows)
    for place, kind in enumerate(kinds):
        x, y = WIDTH * (place % a_row), HEIGHT * (rows - 1 - place // a_row)
        sketch.text(x + WIDTH / 2, y + HEIGHT - 0.15, TITLES[kind], size=10.5)
        before, after = (_column(sketch, kind, x + 0.6 + STEP * step, y, late=bool(step)) for step in (0, 1))
        _time(sketch, kind, before, after)
    if len(kinds) == len(PANELS):
        _legend(sketch, WIDTH * (len(kinds) % a_row), 0)
    return sketch.figure


def _legend(sketch: Sketch, x: float, y: float) -> None:
    sketch.node(x + 0.5, y + UPPER, "", colour="green", radius=0.2)
    sketch.text(x + 0.9, y + UPPER, "a state, carried", size=9.5, align="left")
    sketch.box(x + 0.5, y + MIDDLE, "", width=0.5, height=0.22)
    sketch.text(x + 0.9, y + MIDDLE, "a layer with its tanh", size=9.5, align="left")


def _column(sketch: Sketch, kind: str, x: float, y: float, *, late: bool) -> Column:
    when = "t" if late else "t-1"
    inputs = sketch.node(x, y + BOTTOM, f"$x_{{{when}}}$", radius=0.25)
    state = sketch.node(x, y + MIDDLE, f"$h_{{{when}}}$", colour="green", radius=0.25)
    if kind == "deep_input":
        layer = sketch.box(x, y + (BOTTOM + MIDDLE) / 2, "", width=0.5, height=0.22)
        sketch.line(inputs, layer.bottom)
        sketch.arrow(layer.top, state)
    else:
        sketch.arrow(inputs, state)
    outputs = sketch.node(x, y + TOP, f"$y_{{{when}}}$", colour="purple", radius=0.25)
    if kind == "stacked":
        upper = sketch.node(x, y + UPPER, "$h^{(2)}_{" + when + "}$", colour="green", radius=0.25)
        sketch.arrow(state, upper)
        sketch.arrow(upper, outputs)
        return Column(state, upper)
    if kind == "deep_output":
        layer = sketch.box(x, y + UPPER, "", width=0.5, height=0.22)
        sketch.line(state, layer.bottom)
        sketch.arrow(layer.top, outputs)
    else:
        sketch.arrow(state, outputs)
    return Column(state, None)


def _time(sketch: Sketch, kind: str, before: Column, after: Column) -> None:
    if kind == "deep_transition":
        middle = (before.lower.x + after.lower.x) / 2
        layer = sketch.box(middle, before.lower.y, "", width=0.22, height=0.5)
        sketch.line(before.lower, layer.left)
        sketch.arrow(layer.right, after.lower)
    else:
        sketch.arrow(before.lower, after.lower)
    if before.upper is not None and after.upper is not None:
        sketch.arrow(before.upper, after.upper)
