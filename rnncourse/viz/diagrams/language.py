"""What the signs mean, and the shapes of problems drawn with them."""

from matplotlib.figure import Figure

from rnncourse.viz.diagrams.sketch import Sketch

__all__ = ["legend", "sequence_shapes"]


def legend() -> Figure:
    """Draws the visual language itself: what a line, a circle, a box, a merge and a fork mean.

    Returns:
        A figure.
    """
    sketch = Sketch(7.0, 1.15)
    y = 0.75
    sketch.node(0.55, y, "$x_t$")
    sketch.box(1.75, y, "tanh")
    sketch.op(2.95, y, "×")
    sketch.arrow((3.7, y), (4.5, y))
    joint = sketch.merge(5.4, y)
    sketch.line((5.0, y + 0.2), joint.left)
    sketch.line((5.0, y - 0.2), joint.left)
    sketch.arrow(joint.right, (5.8, y))
    dot = sketch.fork(6.4, y)
    sketch.line((6.05, y), dot)
    sketch.path([dot.right, (6.55, y), (6.55, y + 0.3)], corner=0.08)
    sketch.arrow(dot, (6.9, y))
    names = ("a vector", "learned layer", "entry by entry", "carries a vector", "joined", "copied")
    for x, name in zip((0.55, 1.75, 2.95, 4.1, 5.4, 6.45), names, strict=True):
        sketch.text(x, 0.22, name, size=8.5, colour="muted")
    return sketch.figure


def sequence_shapes() -> Figure:
    """Draws the five shapes of sequence problems in two rows, all made of the same cell.

    A dashed arrow is an output that is fed back: the next input of a network that has read and now writes.

    Returns:
        A figure.
    """
    rows: tuple[tuple[tuple[str, str, tuple[int, ...], tuple[int, ...], int], ...], ...] = (
        (
            ("one to one", "image → label", (0,), (0,), 1),
            ("one to many", "image → caption", (0,), (0, 1, 2), 3),
            ("many to one", "review → rating", (0, 1, 2), (2,), 3),
        ),
        (
            ("many to many, in step", "word → its tag", (0, 1, 2), (0, 1, 2), 3),
            ("many to many, delayed", "sentence → translation", (0, 1, 2), (3, 4), 5),
        ),
    )
    width, height, spacing = 6.4, 2.2, 0.5  # of a row, and from state to state
    sketch = Sketch(width, height * len(rows))
    for row, shapes in enumerate(rows):
        bottom = height * (len(rows) - 1 - row)
        room = (width - sum(spacing * (count - 1) for *_, count in shapes)) / len(
            shapes
        )  # shared out between the shapes
        x = room / 2
        for title, example, inputs, outputs, count in shapes:
            states = [
                sketch.node(x + spacing * n, bottom + 1.12, "", colour="green", radius=0.15) for n in range(count)
            ]
            for before, after in zip(states, states[1:], strict=False):
                sketch.arrow(before, after)
            for n in inputs:
                sketch.arrow(sketch.node(states[n].x, bottom + 0.6, "", radius=0.15), states[n])
            written = [sketch.node(states[n].x, bottom + 1.64, "", colour="purple", radius=0.15) for n in outputs]
            for n, output in zip(outputs, written, strict=True):
                sketch.arrow(states[n], output)
                if not set(inputs) & set(outputs) and n != outputs[-1]:  # reading is over: it hears what it writes
                    sketch.arrow(output, states[n + 1], dashed=True)
            middle = (states[0].x + states[-1].x) / 2
            sketch.text(middle, bottom + 1.98, title, size=9.5)
            sketch.text(middle, bottom + 0.25, example, size=9, colour="muted")
            x = states[-1].x + room
    return sketch.figure
