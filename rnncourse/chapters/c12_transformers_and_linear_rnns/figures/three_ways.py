"""Three ways from the first step to the last: step by step, all at once, and in pairs; and costs against length."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnncourse.viz.style import COLOURS, CYCLE, FILLS, figure

MARKS = ("o-", "s-", "^-", "o--", "s--", "^--")


def _dots(axes: Axes, places: Sequence[tuple[float, float]], colour: str) -> None:
    for x, y in places:
        axes.plot(x, y, "o", ms=9, mfc=FILLS[colour], mec=COLOURS[colour], mew=1.3, zorder=3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, strong: bool) -> None:
    colour = COLOURS["red" if strong else "muted"]
    arrow = {"arrowstyle": "->", "color": colour, "lw": 1.8 if strong else 0.9, "shrinkA": 6, "shrinkB": 6}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)


def draw_ways(steps: int = 8) -> Figure:
    """Draws what has to wait for what, the way from the first step to the last in red.

    Args:
        steps: How many steps, a power of two.

    Returns:
        A figure of three panels.

    Raises:
        ValueError: If the number of steps is no power of two from 2 on.

    Example:
        >>> fig = draw_ways(4)
        >>> [axes.get_title() for axes in fig.axes]
        ['recurrence: 3 in a row', 'attention: 1', 'joining pairs: 2']
    """
    if not isinstance(steps, int) or steps < 2 or steps & (steps - 1):
        raise ValueError(f"steps is {steps}; it should be a power of two, at least 2")
    rounds = steps.bit_length() - 1
    fig, (chain, pairs, scan) = figure(7.2, 2.5, ncols=3)
    states = [(float(t), 0.0) for t in range(steps)]
    for before, after in zip(states, states[1:], strict=False):
        _arrow(chain, before, after, strong=True)
    _dots(chain, states, "blue")
    chain.set_title(f"recurrence: {steps - 1} in a row")

    above = [(float(t), 1.0) for t in range(steps)]
    for t, end in enumerate(above):
        for s in range(t + 1):
            _arrow(pairs, states[s], end, strong=(s, t) == (0, steps - 1))
    _dots(pairs, states, "orange")
    _dots(pairs, above, "orange")
    pairs.set_title("attention: 1")

    level = [(float(t), 0.0) for t in range(steps)]
    _dots(scan, level, "green")
    for number in range(rounds):
        joined = [(second[0], (number + 1) / rounds) for second in level[1::2]]
        for place, end in enumerate(joined):
            for start in level[2 * place : 2 * place + 2]:
                _arrow(scan, start, end, strong=place == 0 and start is level[0])
        _dots(scan, joined, "green")
        level = joined
    scan.set_title(f"joining pairs: {rounds}")
    for axes in (chain, pairs, scan):
        axes.set(xlim=(-0.6, steps - 0.4), ylim=(-0.25, 1.25))
        axes.axis("off")
    return fig


def against_length(
    lengths: Sequence[int], panels: Mapping[str, Mapping[str, Sequence[float]]], *, unit: Sequence[str]
) -> Figure:
    """Draws curves over the length of a sequence, both axes in powers of two and ten.

    Args:
        lengths: Along each axis.
        panels: From a panel's title to its curves, each a name and one number a length.
        unit: What is drawn upwards, for each panel.

    Returns:
        A figure of as many panels.

    Raises:
        ValueError: If a curve does not fit the lengths.

    Example:
        >>> fig = against_length([64, 128], {"training": {"LSTM": [3.0, 3.1]}}, unit=["µs"])
        >>> fig.axes[0].get_ylabel()
        'µs'
    """
    fig, panes = figure(7.2, 2.9, ncols=len(panels), squeeze=False)
    for axes, (title, curves), label in zip(panes[0], panels.items(), unit, strict=True):
        for (name, values), colour, mark in zip(curves.items(), CYCLE, MARKS, strict=False):
            if len(values) != len(lengths):
                raise ValueError(f"panels has {len(values)} numbers under {name!r}; it should have {len(lengths)}")
            axes.plot(lengths, values, mark, color=colour, ms=4, label=name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set(title=title, xlabel="length", ylabel=label)
    panes[0][0].legend(fontsize=8)
    return fig
