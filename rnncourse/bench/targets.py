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


LIMITS = {"RNN": 0.75, "GRU": 0.75, "LSTM": 1.02}


def ours(ratios: dict[str, Any]) -> str:
    """Which of our implementations an aim is about: what a layer does by default, ``auto``, if that was measured."""
    return "auto" if "auto" in ratios else "kernel"


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
        ratios = [trained[cell, size]["ratio"] for size in LARGE if (cell, size) in trained]
        if len(ratios) == len(LARGE):
            four = [ratio[ours(ratio)]["median"] for ratio in ratios]
            name = f"{cell} {ours(ratios[0])} forward+backward over torch.nn"
            found.append(Target(f"{name}, geometric mean of four sizes", geometric_mean(four), limit))
            found.append(Target(f"{name}, largest of the four", max(four), 1.05))
    for size in LARGE[:2]:
        if ("LSTM", size) in trained:
            row = trained["LSTM", size]
            faster, at_most = (row[f"textbook_over_{name}"]["median"] for name in ("kernel", "products"))
            name = f"textbook LSTM over ours at {size} (over its matrix products alone {at_most:.2f})"
            found.append(Target(name, faster, 1.8, at_least=True))

    for row in rows.get("lengths", ()):
        mine = ours(row["ratio"])
        name = f"{row['cell']} {mine} on lengths up to {row['time']}, batch {row['batch']}, over torch.nn"
        if row["time"] == 100:
            found.append(Target(f"{name} packed", row["ratio"][mine]["median"], 0.35))
        if row["time"] >= 100 and "over_masked" in row:  # an earlier program did not measure it
            found.append(Target(f"{name} padded and masked", row["over_masked"][mine]["median"], 1.05))

    for row in rows.get("growth", ()):
        if row["candidate"] in ("auto", "kernel") and row["time"][-1] == 4096:
            found.append(Target(f"{row['cell']} {row['candidate']}, exponent in T up to 4096", row["exponent"], 1.1))

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
