"""A bidirectional network over time: two chains, one from each end, that meet in every output."""

from matplotlib.figure import Figure

from rnncourse.viz.diagrams import Sketch

LETTERS, SPACING, LEFT = "mate", 1.45, 1.15


def two_ways(word: str = LETTERS) -> Figure:
    """Draws two independent networks over a short word, and what is said from both of their states.

    Args:
        word: One letter a step, 2 to 6 of them.

    Returns:
        A figure.

    Raises:
        ValueError: If the word is too short or too long.
    """
    if not 2 <= len(word) <= 6:
        raise ValueError(f"word is {word!r}; it should have 2 to 6 letters")
    sketch = Sketch(LEFT + SPACING * (len(word) - 1) + 1.15, 3.9)
    ahead, back = [], []
    for t, letter in enumerate(word, start=1):
        x = LEFT + SPACING * (t - 1)
        name = "n" if t == len(word) else str(t)
        read = sketch.node(x, 0.4, f"$x_{{{name}}}$")
        sketch.text(x + 0.36, 0.24, letter, size=9.5, colour="muted", align="left")
        said = sketch.node(x, 3.5, f"$y_{{{name}}}$", colour="purple")
        joint = sketch.merge(x, 2.9)
        ahead.append(sketch.node(x - 0.28, 1.3, f"$h^f_{{{name}}}$", colour="green", radius=0.27))
        back.append(sketch.node(x + 0.28, 2.15, f"$h^b_{{{name}}}$", colour="orange", radius=0.27))
        sketch.arrow(read, ahead[-1])
        sketch.arrow(read, back[-1])
        sketch.line(ahead[-1], (x - 0.015, 2.81))
        sketch.line(back[-1], (x + 0.015, 2.81))
        sketch.arrow(joint.top, said)
    for one, other in zip(ahead, ahead[1:], strict=False):
        sketch.arrow(one, other)
    for one, other in zip(back, back[1:], strict=False):
        sketch.arrow(other, one)
    sketch.arrow((ahead[0].x - 0.72, ahead[0].y), ahead[0])
    sketch.arrow((back[-1].x + 0.72, back[-1].y), back[-1])
    sketch.text(0.12, 1.62, "forward", size=9, colour="green", align="left")
    sketch.text(sketch.axes.get_xlim()[1] - 0.1, 2.47, "backward", size=9, colour="orange", align="right")
    return sketch.figure
