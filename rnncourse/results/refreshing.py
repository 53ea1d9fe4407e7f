"""Renew a result whose code changed though it says the same: by its first seed, or by both versions side by side."""

import datetime
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnncourse.provenance.scope import PACKAGE_FOLDER
from rnncourse.results.records import plain, read_results, write_result
from rnncourse.results.registry import Experiment
from rnncourse.results.runner import run_seed

__all__ = ["compare_versions", "confirm_result", "largest_difference"]


def confirm_result(experiment: Experiment, file: Path, *, say: Callable[[str], None] = print) -> None:
    """Renews a stale result by running its first seed again: if every number comes out the same, the code may change.

    Writing a step in another way makes a result stale without changing what it says. Where one run comes out equal in
    every value, to the last bit, the stored runs are kept and the record says that they were confirmed. This needs a
    processor of the kind that made the result: another rounds sums in another order.

    Args:
        experiment: Whose result.
        file: The chapter's results file.
        say: Gets a line on what was done.

    Raises:
        ValueError: If there is no result, its sizes changed, or a value came out differently; nothing is written then.
    """
    record = read_results(file).get(experiment.name)
    if record is None:
        raise ValueError(f"{file} has no result of {experiment.name} to confirm; run it without --confirm")
    scale = record["scale"]
    if record["config"] != plain(experiment.scales[scale], experiment.name):
        raise ValueError(f"the sizes of {experiment.name} changed; run it without --confirm")
    first = record["runs"][0]
    code = experiment.code()
    sizes = {key: value for key, value in experiment.scales[scale].items() if key != "seeds"}
    values = run_seed(experiment, first["seed"], sizes)
    different = [key for key in sorted({*values, *first["values"]}) if values.get(key) != first["values"].get(key)]
    if different:
        raise ValueError(
            f"{experiment.name} came out differently in {', '.join(different)}; its result is left as it was: "
            f"make it again with: {experiment.command(scale)}"
        )
    _renew(file, experiment.name, record, code, {"seed": first["seed"]})
    say(f"{experiment.name}: seed {first['seed']} came out the same; confirmed in {file}")


def compare_versions(
    experiment: Experiment,
    file: Path,
    former: Path,
    *,
    within: float = 0.0,
    say: Callable[[str], None] = print,
) -> None:
    """Renews a stale result by running the code that made it and the code that is here, side by side, at smoke size.

    Where both give equal values, to the last bit, on this machine, the stored runs are kept and the record says so. It
    works on any processor, takes seconds, and proves less than :func:`confirm_result`: a difference that needs many
    steps to show is not seen.

    Where the new code rounds in another order, no bit need be the same. Then a bound may be stated, within which
    numbers count as equal; the largest difference that was found goes into the record.

    Args:
        experiment: Whose result.
        file: The chapter's results file.
        former: A checkout whose package is the code that made the result.
        within: The relative difference up to which two numbers count as equal; none by default.
        say: Gets a line on what was done.

    Raises:
        ValueError: If there is no result, its sizes changed, ``former`` is not what made it, or a value came out
            differently; nothing is written then.
    """
    record = read_results(file).get(experiment.name)
    if record is None:
        raise ValueError(f"{file} has no result of {experiment.name} to renew; run it first")
    if record["config"] != plain(experiment.scales[record["scale"]], experiment.name):
        raise ValueError(f"the sizes of {experiment.name} changed; run it again")
    if not (former / "rnncourse").is_dir():
        raise ValueError(
            f"{former} has no folder rnncourse; it should be a checkout of the version that made the result"
        )
    before, after = (_smoke_values(tree, experiment) for tree in (former, PACKAGE_FOLDER.parent))
    differences = {key: largest_difference(before.get(key), after.get(key)) for key in sorted({*before, *after})}
    different = [key for key, difference in differences.items() if difference > within]
    if different:
        raise ValueError(f"{experiment.name} comes out differently in {', '.join(different)}; run it again")
    largest = max(differences.values(), default=0.0)
    how = "both versions side by side"
    if largest:
        how += f"; arithmetic changed in the last bits: largest relative difference {largest:.1e}, bound {within:.0e}"
    _renew(file, experiment.name, record, experiment.code(), {"scale": "smoke", "how": how})
    same = f"values equal within {largest:.1e}" if largest else f"the same {len(after)} values"
    say(f"{experiment.name}: both versions give {same} at smoke size; renewed in {file}")


def largest_difference(one: Any, other: Any) -> float:
    """The largest relative difference between the numbers at the same places of two values.

    Args:
        one: A number, text, truth value or nothing, or a list or dict of such.
        other: Another one.

    Returns:
        Zero where they are equal; infinity where they differ in anything but numbers with a fraction.

    Example:
        >>> largest_difference({"loss": [2.0, 4.0]}, {"loss": [2.0, 4.5]})
        0.1111111111111111
        >>> largest_difference({"epochs": 3}, {"epochs": 4})
        inf
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((largest_difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max((largest_difference(a, b) for a, b in zip(one, other, strict=True)), default=0.0)
    if isinstance(one, float) and isinstance(other, float) and math.isfinite(one) and math.isfinite(other):
        return 0.0 if one == other else abs(one - other) / max(abs(one), abs(other))
    return 0.0 if type(one) is type(other) and (one == other or one != one and other != other) else math.inf


def _smoke_values(tree: Path, experiment: Experiment) -> dict[str, Any]:
    """The values of the first seed at smoke size, by the code of another tree, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(tree.resolve()), "RNNCOURSE_ROOT": str(tree.resolve())}
        words = ["-m", "rnncourse", "run", experiment.chapter, "--scale", "smoke", "--experiment", experiment.name]
        done = subprocess.run(
            [sys.executable, *words, "--output", folder, "--quiet"],
            cwd=tree, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ValueError(f"{experiment.name} does not run in {tree}: {done.stderr.strip()[-300:]}")
        written = Path(folder) / "results" / f"{experiment.chapter}.json"
        return json.loads(written.read_text(encoding="utf-8"))["experiments"][experiment.name]["runs"][0]["values"]


def _renew(file: Path, name: str, record: Mapping[str, Any], code: str, how: Mapping[str, Any]) -> None:
    confirmed = {**how, "made": datetime.date.today().isoformat(), "made_by": record["code"]}
    write_result(file, name, {**record, "code": code, "confirmed": confirmed})
