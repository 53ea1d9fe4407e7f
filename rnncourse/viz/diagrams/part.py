"""Something drawn, and the places where lines can end on it."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Part", "Point", "ends", "short_of"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """Something drawn, with the places where lines can end.

    Attributes:
        x: Its middle.
        y: Its middle.
        half_width: From the middle to its left and right side.
        half_height: From the middle to its top and bottom.
        round: Whether lines to it end on a circle.
    """

    x: float
    y: float
    half_width: float
    half_height: float
    round: bool = False

    @property
    def left(self) -> Point:
        """The middle of its left side."""
        return self.x - self.half_width, self.y

    @property
    def right(self) -> Point:
        """The middle of its right side."""
        return self.x + self.half_width, self.y

    @property
    def top(self) -> Point:
        """The middle of its top."""
        return self.x, self.y + self.half_height

    @property
    def bottom(self) -> Point:
        """The middle of its bottom."""
        return self.x, self.y - self.half_height

    def towards(self, point: Point) -> Point:
        """The place on its outline where a straight line from its middle to a point leaves it."""
        dx, dy = point[0] - self.x, point[1] - self.y
        if dx == dy == 0:
            return self.x, self.y
        if self.round:
            scale = self.half_width / float(np.hypot(dx, dy))
        else:
            scale = min(self.half_width / abs(dx) if dx else np.inf, self.half_height / abs(dy) if dy else np.inf)
        return self.x + dx * scale, self.y + dy * scale


def ends(start: Part | Point, end: Part | Point) -> tuple[Point, Point]:
    """The two places where a straight line between two parts or points begins and ends.

    Args:
        start: Where from.
        end: Where to.

    Returns:
        Points: on the outline of a part, or as they were given.
    """
    middle_of_start: Point = (start.x, start.y) if isinstance(start, Part) else start
    middle_of_end: Point = (end.x, end.y) if isinstance(end, Part) else end
    a = start.towards(middle_of_end) if isinstance(start, Part) else start
    b = end.towards(middle_of_start) if isinstance(end, Part) else end
    return a, b


def short_of(corner: Point, other: Point, distance: float) -> Point:
    """The place near a corner, on the way to another point, where a rounded corner begins.

    Args:
        corner: Where the way turns.
        other: Where it comes from, or goes to.
        distance: How far from the corner; at most half of the way.

    Returns:
        A point.
    """
    away = np.array(other) - np.array(corner)
    length = float(np.hypot(*away))
    return tuple(np.array(corner) + away * min(distance, length / 2) / length)
