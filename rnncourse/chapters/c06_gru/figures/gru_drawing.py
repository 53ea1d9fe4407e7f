"""One step of the GRU in the frame and the language of :mod:`rnncourse.viz.cell_drawings`, any part of it lit."""

from matplotlib.figure import Figure

from rnncourse.viz.cell_drawings import BOXES, HEIGHT, INPUT, LEFT, LOWER, RIGHT, UPPER, WIDTH, LitSketch, outline
from rnncourse.viz.diagrams import Part, Point

EQUATIONS = {
    "reset": r"$r_t = \sigma(U_r x_t + W_r h_{t-1} + b_r)$",
    "update": r"$z_t = \sigma(U_z x_t + W_z h_{t-1} + b_z)$",
    "candidate": r"$n_t = \tanh(U_n x_t + b_n + r_t \odot (W_n h_{t-1} + b_{hn}))$",
    "candidate, before": r"$n_t = \tanh(U_n x_t + b_n + W_n (r_t \odot h_{t-1}))$",
    "blend": r"$h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}$",
}
"""The four steps of the GRU, in the order in which they are taken; the candidate in its two forms."""

GATE_Z, GATE_R, TAKE = 1.95, 2.75, 5.3
"""Where the two gates stand, and where the candidate is taken in."""

MIDDLE, MEMORY, HIGH = 2.1, 2.42, 2.76
"""The lines of the candidate, of the old state on its way to it, and of 1 - z."""


def gru_cell(highlight: str | None = None, *, reset: str = "after") -> Figure:
    """Draws one step of the GRU: one state along the top, two gates, one candidate.

    Args:
        highlight: The step in full colour, its equation written below: ``"reset"``, ``"update"``, ``"candidate"`` or
            ``"blend"``; the whole cell if not given.
        reset: Whether the reset gate acts ``"after"`` the matrix product (PyTorch) or ``"before"`` it (as published).

    Returns:
        A figure.

    Raises:
        ValueError: If there is no such step or no such place for the reset.
    """
    if reset not in ("after", "before"):
        raise ValueError(f"reset is {reset!r}; it should be 'after' or 'before'")
    sketch = LitSketch(WIDTH, HEIGHT, lit=highlight)
    outline(sketch, "GRU cell")
    sketch.text(5.92, 1.08, f"reset {reset} the product", size=8.5, colour="muted", align="right")

    with sketch.part("blend", "reset", "update", "candidate"):
        old_h = sketch.node(LEFT, UPPER, "$h_{t-1}$", colour="green", radius=0.3)
        copy = sketch.fork(INPUT, UPPER)
        sketch.line(old_h, copy)
    with sketch.part("reset", "update", "candidate"):
        new_x = sketch.node(INPUT, 0.42, "$x_t$")
        memory = sketch.fork(INPUT, MEMORY)
        sketch.line(copy, memory)
    with sketch.part("reset", "update"):
        joint = sketch.merge(INPUT, LOWER)
        sketch.line(memory, joint.top)
        sketch.line(new_x, joint.bottom)

    with sketch.part("reset", "update"):
        sketch.line(joint.right, (GATE_Z, LOWER))
        sketch.fork(GATE_Z, LOWER)
    with sketch.part("update"):
        box_z = sketch.box(GATE_Z, BOXES, "σ", width=0.6, height=0.4)
        sketch.arrow((GATE_Z, LOWER), box_z.bottom)
        sketch.text(GATE_Z - 0.28, 1.49, "$U_z, W_z$", size=8, colour="orange")
    with sketch.part("reset"):
        box_r = sketch.box(GATE_R, 1.72, "σ", width=0.6, height=0.36)
        sketch.path([(GATE_Z, LOWER), (GATE_R, LOWER), box_r.bottom], corner=0.06)
        sketch.text(GATE_R + 0.3, 1.42, "$U_r, W_r$", size=8, colour="orange")

    with sketch.part("update", "blend"):
        keep = sketch.op(GATE_Z, UPPER, "×")
        split = sketch.fork(GATE_Z, HIGH)
        sketch.line(box_z.top, split)
        sketch.arrow(split, keep.bottom)
        sketch.text(GATE_Z + 0.19, 2.2, "$z_t$", size=11)
    with sketch.part("blend"):
        sketch.line(copy, keep)
        other = sketch.op(4.3, HIGH, "1−", radius=0.19)
        sketch.line(split, other)
        take, add = sketch.op(TAKE, HIGH, "×"), sketch.op(TAKE, UPPER, "+", radius=0.15)
        sketch.arrow(other.right, take.left)
        sketch.line(take.top, add.bottom)
        sketch.arrow(keep.right, add.left)
        out = sketch.fork(5.72, UPPER)
        sketch.line(add, out)
        sketch.arrow(out, sketch.node(RIGHT, UPPER, "$h_t$", colour="green").left)
        sketch.arrow(out, sketch.node(5.72, 3.98, "$h_t$", colour="green").bottom)

    with sketch.part("candidate"):
        squash = _candidate(sketch, memory.right, box_r.right, new_x.top, reset)
    with sketch.part("candidate", "blend"):
        sketch.path([squash.right, (TAKE, MIDDLE), take.bottom])
        sketch.text(TAKE + 0.2, 2.38, "$n_t$", size=11)
    equation = f"{highlight}, before" if (highlight, reset) == ("candidate", "before") else highlight
    if equation in EQUATIONS:
        sketch.text(4.15, 0.4, EQUATIONS[equation], size=12)
    sketch.check_lit()
    return sketch.figure


def _candidate(sketch: LitSketch, memory: Point, gate: Point, new_x: Point, reset: str) -> Part:
    """Draws the candidate: the old state, scaled by the reset gate before or after its weights, plus the input's share.

    Returns:
        The tanh at its end.
    """
    after = reset == "after"
    scale = sketch.op(3.45, MIDDLE, "×")
    add = sketch.op(4.3, MIDDLE, "+")
    for start, end in ((memory, (GATE_Z - 0.08, MEMORY)), ((GATE_Z + 0.08, MEMORY), (GATE_R, MEMORY))):
        sketch.line(start, end)  # a gap: it passes below the update gate's line
    if after:
        weights = sketch.box(GATE_R, MEMORY, "$W_n$", width=0.6, height=0.36)
        sketch.path([weights.right, (3.45, MEMORY), scale.top], corner=0.06)
        sketch.arrow(scale.right, add.left)
    else:
        weights = sketch.box(3.9, MIDDLE, "$W_n$", width=0.38, height=0.36)
        sketch.path([(GATE_R, MEMORY), (3.45, MEMORY), scale.top], corner=0.06)
        sketch.line(scale.right, weights.left)
        sketch.line(weights.right, add.left)
    sketch.path([gate, (3.45, gate[1]), scale.bottom], corner=0.06)
    sketch.text(3.65, 1.76, "$r_t$", size=11)
    sketch.line(new_x, sketch.fork(new_x[0], 1.05))
    source = sketch.box(4.3, 1.5, "$U_n$", width=0.6, height=0.36)
    sketch.path([(new_x[0], 1.05), (4.3, 1.05), source.bottom])
    sketch.arrow(source.top, add.bottom)
    squash = sketch.op(4.85, MIDDLE, "tanh", radius=0.21)
    sketch.line(add.right, squash.left)
    return squash
