"""One step of a cell, drawn: the same frame and the same places for every kind, any part of it lit, the rest pale.

A line carries a vector, a circle acts entry by entry, a box is a learned layer, a bar joins, a dot copies: the language
of :mod:`rnncourse.viz.diagrams`. A :class:`LitSketch` adds that what is drawn inside ``with sketch.part("forget"):``
belongs to a part with that name, so that one drawing, lit four times, tells four steps.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text

from rnncourse.signatures import checked
from rnncourse.viz.diagrams import Part, Sketch

WIDTH, HEIGHT = 7.0, 4.35
"""A drawing of one cell, in inches."""

LEFT, RIGHT = 0.42, 6.58
"""Where the old state comes from and where the new one goes."""

LOWER, BOXES, UPPER = 1.3, 1.85, 3.15
"""The line of the hidden state, the row of learned layers, and the line of the cell state."""

INPUT = 1.35
"""Where the input comes in and is joined to the old hidden state."""

PALE = 0.83
"""How much white is mixed into what is not lit."""


class LitSketch(Sketch):
    """A sketch of parts, one of which may be lit while the others are drawn pale.

    Args:
        width: Of the drawing, in inches.
        height: Of the drawing, in inches.
        lit: The name of the part in full colour; all are if not given.

    Example:
        >>> sketch = LitSketch(3, 1, lit="gate")
        >>> with sketch.part("gate"):
        ...     gate = sketch.box(1, 0.5, "σ")
        >>> with sketch.part("readout"):
        ...     readout = sketch.op(2, 0.5, "×")
        >>> sketch.is_pale(sketch.axes.patches[0]), sketch.is_pale(sketch.axes.patches[1])
        (False, True)
    """

    def __init__(self, width: float, height: float, *, lit: str | None = None):
        super().__init__(width, height)
        self.lit = lit
        self.parts: set[str] = set()
        self._pale: set[Patch | Text] = set()

    @contextmanager
    def part(self, *names: str) -> Iterator[None]:
        """Draws what follows as belonging to these parts: pale, if something else is lit.

        Args:
            *names: The parts, at least one.
        """
        self.parts.update(names)
        artists = (self.axes.patches, self.axes.texts)
        before = [len(kind) for kind in artists]
        yield
        if self.lit is not None and self.lit not in names:
            for kind, count in zip(artists, before, strict=True):
                for artist in list(kind)[count:]:
                    self._fade(artist)

    def is_pale(self, artist: Patch | Text) -> bool:
        """Whether something drawn belongs to a part that is not lit."""
        return artist in self._pale

    def _fade(self, artist: Patch | Text) -> None:
        if artist in self._pale:
            return
        self._pale.add(artist)
        if isinstance(artist, Text):
            artist.set_color(_pale(artist.get_color()))
        else:
            edge, face, filled = artist.get_edgecolor(), artist.get_facecolor(), artist.get_fill()
            artist.set_edgecolor(_pale(edge))
            if filled:
                artist.set_facecolor(_pale(face))
        artist.set_zorder(1 + artist.get_zorder() / 10)  # on the frame, in their order, under every lit line

    def check_lit(self) -> None:
        """Refuses a name that no part has, once everything is drawn."""
        if self.lit is not None and self.lit not in self.parts:
            raise ValueError(f"highlight is {self.lit!r}; it should be one of {', '.join(sorted(self.parts))}, or None")


def _pale(colour: object) -> tuple[float, float, float]:
    red, green, blue = to_rgb(colour)
    return tuple(PALE + (1 - PALE) * channel for channel in (red, green, blue))


@checked
def outline(sketch: Sketch, title: str) -> Part:
    """Draws the frame that all cells share.

    Args:
        sketch: Where to.
        title: The kind of cell.

    Returns:
        The frame.
    """
    return sketch.frame(0.95, 0.92, 5.1, 2.6, title)


@checked
def vanilla_cell(highlight: str | None = None) -> Figure:
    """Draws one step of the vanilla cell: one learned layer, whose output has two jobs.

    Args:
        highlight: ``"decide"`` or ``"carry"``, one of the two jobs; both if not given.

    Returns:
        A figure.

    Raises:
        ValueError: If there is no such part.
    """
    sketch = LitSketch(WIDTH, HEIGHT, lit=highlight)
    outline(sketch, "vanilla cell")
    both = ("decide", "carry")
    with sketch.part(*both):
        joint = _join(sketch, LOWER)
        layer = sketch.box(3.0, LOWER, "tanh")
        sketch.arrow(joint.right, layer.left)
        copy = sketch.fork(4.6, LOWER)
        sketch.line(layer.right, copy)
        sketch.text(3.0, LOWER + 0.36, "the only learned layer", size=8.5, colour="muted")
    with sketch.part("carry"):
        sketch.arrow(copy, sketch.node(RIGHT, LOWER, "$h_t$", colour="green").left)
        sketch.text(5.35, LOWER - 0.2, "carry onward", size=9, colour="blue")
    with sketch.part("decide"):
        readout = sketch.node(4.6, 3.95, "$h_t$", colour="green")
        sketch.arrow(copy, readout.bottom)
        sketch.text(5.13, 2.55, "decide now", size=9, colour="purple")
    sketch.check_lit()
    return sketch.figure


EQUATIONS = {
    "forget": r"$f_t = \sigma(U_f x_t + W_f h_{t-1} + b_f)$",
    "input": r"$i_t = \sigma(U_i x_t + W_i h_{t-1} + b_i) \qquad g_t = \tanh(U_g x_t + W_g h_{t-1} + b_g)$",
    "update": r"$c_t = f_t \odot c_{t-1} + i_t \odot g_t$",
    "output": r"$o_t = \sigma(U_o x_t + W_o h_{t-1} + b_o) \qquad h_t = o_t \odot \tanh(c_t)$",
}
"""The four steps of the LSTM, in the order in which they are taken."""


@checked
def lstm_cell(highlight: str | None = None) -> Figure:
    """Draws one step of the LSTM: four learned layers, and the cell state's line along the top.

    Args:
        highlight: The step in full colour, its equation written below: ``"forget"``, ``"input"`` (with the candidate),
            ``"update"`` or ``"output"``; the whole cell if not given.

    Returns:
        A figure.

    Raises:
        ValueError: If there is no such step.
    """
    sketch = LitSketch(WIDTH, HEIGHT, lit=highlight)
    outline(sketch, "LSTM cell")
    f, i, g, o, out = 1.95, 2.75, 3.55, 4.35, 5.25

    layers = ("forget", "input", "output")
    with sketch.part(*layers):
        joint = _join(sketch, LOWER)
    ways = ((f, "σ", "f", layers, ("forget",)), (i, "σ", "i", layers[1:], ("input",)))
    ways += ((g, "tanh", "g", layers[1:], ("input",)), (o, "σ", "o", layers[2:], ("output",)))
    boxes, start = {}, joint.right
    for x, function, letter, reach, own in ways:
        with sketch.part(*reach):
            sketch.line(start, (x, LOWER))
        with sketch.part(*own):
            if letter != "o":
                sketch.fork(x, LOWER)
            boxes[letter] = sketch.box(x, BOXES, function, width=0.6, height=0.4)
            sketch.arrow((x, LOWER), boxes[letter].bottom)
        start = (x, LOWER)

    with sketch.part("update"):
        add = sketch.op(g, UPPER, "+")
    with sketch.part("forget", "update"):
        keep = sketch.op(f, UPPER, "×")
        old_c = sketch.node(LEFT, UPPER, "$c_{t-1}$", colour="orange", radius=0.3)
        sketch.line(old_c, keep.left)
        sketch.arrow(boxes["f"].top, keep.bottom)
        sketch.text(f - 0.2, 2.45, "$f_t$", size=11)
    with sketch.part("update", "input"):
        take = sketch.op(g, 2.55, "×")
        sketch.path([boxes["i"].top, (i, 2.55), take.left])
        sketch.arrow(boxes["g"].top, take.bottom)
        sketch.text(i - 0.17, 2.3, "$i_t$", size=11)
        sketch.text(g + 0.2, 2.22, "$g_t$", size=11)
    with sketch.part("update"):
        sketch.arrow(keep.right, add.left)
        sketch.arrow(take.top, add.bottom)
    with sketch.part("update", "output"):
        copy = sketch.fork(out, UPPER)
        sketch.line(add.right, copy)
    with sketch.part("update"):
        sketch.arrow(copy, sketch.node(RIGHT, UPPER, "$c_t$", colour="orange").left)

    with sketch.part("output"):
        squash = sketch.op(out, 2.77, "tanh", radius=0.21)
        show = sketch.op(out, 2.3, "×")
        sketch.arrow(copy, squash.top)
        sketch.arrow(squash.bottom, show.top)
        sketch.path([boxes["o"].top, (o, 2.3), show.left])
        sketch.text(4.78, 2.46, "$o_t$", size=11)
        split = sketch.fork(5.72, LOWER)
        sketch.path([show.bottom, (out, LOWER), split.left], head=False)
        sketch.arrow(split, sketch.node(RIGHT, LOWER, "$h_t$", colour="green").left)
        sketch.line(split, (5.72, UPPER - 0.08))  # a gap: it passes below the cell state's line
        sketch.arrow((5.72, UPPER + 0.08), sketch.node(5.72, 3.98, "$h_t$", colour="green").bottom)
    if highlight in EQUATIONS:
        sketch.text(4.15, 0.4, EQUATIONS[highlight], size=12)
    sketch.check_lit()
    return sketch.figure


def _join(sketch: LitSketch, y: float) -> Part:
    """Draws the old hidden state and the input, joined end to end."""
    old_h = sketch.node(LEFT, y, "$h_{t-1}$", colour="green", radius=0.3)
    new_x = sketch.node(INPUT, 0.42, "$x_t$")
    joint = sketch.merge(INPUT, y)
    sketch.line(old_h, joint.left)
    sketch.line(new_x, joint.bottom)
    return joint


@checked
def conveyor_belt(steps: int = 3, *, gradient: bool = False) -> Figure:
    """Draws the cell states over time: at every step one product and one sum, and nothing else on the line.

    Args:
        steps: How many steps, 2 to 5.
        gradient: Draw in red how the gradient comes back along the line.

    Returns:
        A figure.

    Raises:
        ValueError: If steps is out of range.
    """
    if not isinstance(steps, int) or not 2 <= steps <= 5:
        raise ValueError(f"steps is {steps!r}; it should be a whole number from 2 to 5")
    spacing = 2.05
    sketch = Sketch(1.1 + spacing * steps, 2.1)
    y = 1.15
    names = [f"T-{steps - n}" if n < steps else "T" for n in range(steps + 1)]
    before = sketch.node(0.45, y, f"$c_{{{names[0]}}}$", colour="orange", radius=0.31)
    for step in range(1, steps + 1):
        x = 0.45 + spacing * step
        keep, add = sketch.op(x - 1.37, y, "×"), sketch.op(x - 0.77, y, "+")
        after = sketch.node(x, y, f"$c_{{{names[step]}}}$", colour="orange", radius=0.31)
        sketch.line(before, keep)
        sketch.line(keep, add)
        sketch.arrow(add, after)
        sketch.arrow((keep.x, 0.48), keep.bottom)
        sketch.arrow((add.x, 0.48), add.bottom)
        sketch.text(keep.x - 0.1, 0.3, f"$f_{{{names[step]}}}$", size=10.5)
        sketch.text(add.x + 0.17, 0.3, f"$i_{{{names[step]}}} \\odot g_{{{names[step]}}}$", size=10.5)
        if gradient:
            sketch.arrow((x - 0.1, y + 0.42), (x - spacing + 0.1, y + 0.42), bend=0.12, colour="red", dashed=True)
            sketch.text(x - spacing / 2, y + 0.8, f"$\\odot f_{{{names[step]}}}$", size=10.5, colour="red")
        before = after
    return sketch.figure
