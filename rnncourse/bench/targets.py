"""What was aimed at, what was measured, and whether it was reached."""

from typing import Any, NamedTuple

from .speed import LARGE
from .timing import geometric_mean


class Target(NamedTuple):
    """One aim: a name, what was measured, the limit, and on which side of it one should be."""

    name: str
    measured: float
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the measured value is on the right side of the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "reached    " if self.reached else "NOT reached"
        return f"{verdict}  {self.name}: {self.measured:.2f} ({sign} {self.limit:g})"


LIMITS = {"RNN": 0.90, "GRU": 0.90, "LSTM": 1.20}


def targets(sections: dict[str, Any]) -> list[Target]:
    """The aims that these sections can settle (a quick run, with other sizes, settles few).

    Args:
        sections: Section name to its record, with ``rows``.

    Returns:
        The aims in the order of the sections.
    """
    rows = {name: section["rows"] for name, section in sections.items()}
    found: list[Target] = []

    trained = {
        (row["cell"], tuple(row["size"].values())): row
        for row in rows.get("layers", ())
        if row["work"] == "forward+backward"
    }
    for cell, limit in LIMITS.items():
        four = [trained[cell, size]["ratio"]["kernel"]["median"] for size in LARGE if (cell, size) in trained]
        if len(four) == len(LARGE):
            found.append(
                Target(
                    f"{cell} forward+backward over torch.nn, geometric mean of four sizes", geometric_mean(four), limit
                )
            )
            found.append(Target(f"{cell} forward+backward over torch.nn, largest of the four", max(four), 1.5))
    for size in LARGE[:2]:
        if ("LSTM", size) in trained:
            row = trained["LSTM", size]
            faster, at_most = (row[f"textbook_over_{name}"]["median"] for name in ("kernel", "products"))
            name = f"textbook LSTM over ours at {size} (over its matrix products alone {at_most:.2f})"
            found.append(Target(name, faster, 1.8, at_least=True))

    for row in rows.get("lengths", ()):
        limit = {100: 0.3, 400: 0.1}.get(row["time"])
        if limit is not None:
            name = f"{row['cell']} on lengths up to {row['time']}, batch {row['batch']}, over packed torch.nn"
            found.append(Target(name, row["ratio"]["median"], limit))

    for row in rows.get("growth", ()):
        if row["candidate"] == "kernel" and row["time"][-1] == 4096:
            found.append(Target(f"{row['cell']} exponent in T up to 4096", row["exponent"], 1.1))

    for row in rows.get("memory", ()):
        if row["candidate"] == "checkpoint" and row["time"] == 5000:
            found.append(
                Target(f"checkpointed {row['cell']} memory over torch.nn at T = 5000", row["memory_ratio"], 0.4)
            )
            found.append(
                Target(f"checkpointed {row['cell']} time over torch.nn at T = 5000", row["time_ratio"]["median"], 1.2)
            )

    for row in rows.get("scan", ()):
        if row["kind"] == "growth" and row["time"][-1] == 8192 and row["candidate"] not in ("torch.nn", "loop"):
            name = f"{row['candidate']} scan's exponent in T up to 8192, batch {row['batch']}, hidden {row['hidden']}"
            found.append(Target(name, row["exponent"], 1.1))

    for row in rows.get("loading", ()):
        if "error" not in row:
            shown = "second" if row["cached"] else "first"
            found.append(Target(f"{row['name']}: {shown} load in seconds", row[f"{shown}_load"], 2.0))

    for row in rows.get("decoding", ()):
        opponent = {"greedy": "one by one", "beam": "by hypothesis"}.get(row["work"])
        if opponent and row["size"]["sentences"] == 64:
            name = f"{row['cell']} {row['work']} {opponent} over batched, 64 sentences"
            found.append(Target(name, row["ratio"][opponent]["median"], 8.0, at_least=True))
        if "exponent" in row and row["time"][-1] == 256:
            found.append(Target(f"{row['cell']} {row['work']}, exponent up to 256 tokens", row["exponent"], 1.1))
    for row in rows.get("trees", ()):
        if row["kind"] == "growth" and row["candidate"] == "levels" and row["nodes"][-1] > 8000:
            name = f"{row['cell']} by levels, exponent up to {row['nodes'][-1]} nodes, {row['trees']}"
            found.append(Target(name, row["exponent"], 1.1))
        elif row["kind"] == "speed" and row["work"] == "forward+backward" and row["size"]["batch"] == 64:
            name = f"{row['cell']} {row['work']}, recursion over levels, {row['trees']}, {row['size']['hidden']} units"
            found.append(Target(name, row["ratio"]["recursion"]["median"], 20.0, at_least=True))
    return found
