"""Results on disk: one JSON file a chapter, which says how each number was made, and refuses to be used when stale."""

import json
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnncourse.folders import course_root
from rnncourse.results.registry import Experiment, experiment_names, find_experiment


class MissingResult(ValueError):
    """No result of that name has been written yet."""


class StaleResult(ValueError):
    """A result whose code or sizes have changed since it was made."""


@dataclass(frozen=True)
class Result:
    """What an experiment found, and how.

    Attributes:
        name: The experiment's.
        scale: "smoke", "page" or "full".
        config: The sizes it ran at.
        seeds: The seeds, one run each.
        runs: The values of each run, in the order of the seeds.
        command: What to type to make it again.
        seconds: Wall-clock time of all runs together.
        versions: Of Python and the libraries.
        code: The hash of the code that made it.
        made: The day.
        challenge: What was tried to overturn what the page says of it: ``tried``, ``reached`` and ``outcome`` each.
    """

    name: str
    scale: str
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    runs: tuple[Mapping[str, Any], ...]
    command: str
    seconds: float
    versions: Mapping[str, str]
    code: str
    made: str
    challenge: tuple[Mapping[str, str], ...] = ()

    def __getitem__(self, key: str) -> np.ndarray:
        """The values of all seeds as an array, seeds along the first axis; what was not a number is NaN."""
        if key not in self.runs[0]:
            raise KeyError(f"{self.name} has no value {key!r}; it has: {', '.join(self.runs[0])}")
        return np.array([_with_nan(run[key]) for run in self.runs], dtype=float)

    def mean(self, key: str) -> Any:
        """The mean over seeds: a number, or an array for a list."""
        mean = self[key].mean(0)
        return float(mean) if mean.ndim == 0 else mean

    def spread(self, key: str) -> Any:
        """The sample standard deviation over seeds; zero for a single seed, which says nothing."""
        values = self[key]
        spread = values.std(0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1:])
        return float(spread) if spread.ndim == 0 else spread

    def summary(self, key: str, digits: int = 2) -> str:
        """The mean and spread of a number in words, like "2.10 ± 0.02 (3 seeds)"."""
        seeds = len(self.seeds)
        if seeds == 1:
            return f"{self.mean(key):.{digits}f} (1 seed)"
        return f"{self.mean(key):.{digits}f} ± {self.spread(key):.{digits}f} ({seeds} seeds)"

    def challenged(self, width: int = 80) -> str:
        """What was tried to overturn what the page says of this, and what it reached, in lines for a page to print."""
        said = (f"challenge: {one['tried']}: {one['reached']}" for one in self.challenge)
        return "\n".join(textwrap.fill(text, width) for text in said)


def results_file(root: Path, chapter: str) -> Path:
    """Returns where the committed results of a chapter are."""
    return root / "book" / "results" / f"{chapter}.json"


def load_result(name: str, root: Path | None = None) -> Result:
    """Returns a committed result, if it still is what the code would make.

    Args:
        name: The experiment's name, like "02.compact".
        root: The course's folder; by default the course's own.

    Returns:
        The result.

    Raises:
        MissingResult: If none was written; the message says what to type.
        StaleResult: If the code or the sizes changed since; the message says what to type.
        ValueError: If there is no such experiment.
    """
    experiment = find_experiment(name)
    result = stored_results(_root(root), experiment.chapter).get(name)
    if result is None:
        raise MissingResult(f"there is no result of {name} yet; make it with: {experiment.command('full')}")
    reason = why_stale(result, experiment)
    if reason:
        raise StaleResult(f"the result of {name} is stale ({reason}); make it again with: {experiment.command('full')}")
    return result


def require_fresh(root: Path | None = None) -> int:
    """Looks at every committed result.

    Args:
        root: The course's folder; by default the course's own.

    Returns:
        How many there are.

    Raises:
        StaleResult: If any is stale, naming the command that mends the first.
    """
    root = _root(root)
    names = experiment_names()
    count = 0
    for file in sorted(results_file(root, "00").parent.glob("[0-9][0-9].json")):
        for name in stored_results(root, file.stem):
            if name not in names:
                raise StaleResult(f"{file.name} holds a result of {name}, an experiment that is gone; take it out")
            load_result(name, root)
            count += 1
    return count


def stale_results(root: Path) -> list[str]:
    """Returns the names of the committed results that the code would not make as they are.

    Args:
        root: The course's folder.

    Returns:
        Names of experiments that exist, sorted.
    """
    stale = []
    for name in experiment_names():
        experiment = find_experiment(name)
        result = stored_results(root, experiment.chapter).get(name)
        if result is not None and why_stale(result, experiment):
            stale.append(name)
    return stale


def stored_results(root: Path, chapter: str) -> dict[str, Result]:
    """Returns the committed results of a chapter, stale or not, by name."""
    return {name: _result(name, record) for name, record in read_results(results_file(root, chapter)).items()}


def why_stale(result: Result, experiment: Experiment) -> str:
    """Returns why a result is not what the code would make now, or an empty string."""
    if dict(result.config) != plain(experiment.scales[result.scale], result.name):
        return "its sizes changed"
    return "the code that made it changed" if result.code != experiment.code() else ""


def read_results(file: Path) -> dict[str, Any]:
    """Returns the records of a results file by experiment; none where there is no file.

    Raises:
        ValueError: If the file is not a results file.
    """
    if not file.is_file():
        return {}
    try:
        records = json.loads(file.read_text(encoding="utf-8"))["experiments"]
        for name, record in records.items():
            _result(name, record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file} is not a results file ({error}); restore it: git checkout {file.name}") from error
    return records


def write_result(file: Path, name: str, record: Mapping[str, Any]) -> None:
    """Puts one record into a results file; the others stay, and a crash leaves the old file."""
    from filelock import FileLock  # comes with torch

    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(f".{file.name}.lock")
    with FileLock(lock):
        records = read_results(file) | {name: dict(record)}
        content = {"chapter": file.stem, "experiments": dict(sorted(records.items()))}
        temporary = file.with_name(f"{file.name}.writing")
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8", newline="\n")
        temporary.replace(file)
    lock.unlink(missing_ok=True)


def note_challenge(root: Path, name: str, *, tried: str, reached: str, outcome: str) -> None:
    """Writes beside a result what somebody tried to overturn what the page says of it; a new run starts without.

    Args:
        root: The course's folder.
        name: The experiment's.
        tried: What was tried: another initialisation, rate, width, storage, a rule of three lines.
        reached: The best that it reached.
        outcome: What became of the page's sentence.

    Raises:
        MissingResult: If there is no result of that name.
        ValueError: If there is no such experiment, or a text is empty.
    """
    for key, text in (("tried", tried), ("reached", reached), ("outcome", outcome)):
        if not text.strip():
            raise ValueError(f"{key} is empty; the ledger prints it")
    file = results_file(root, find_experiment(name).chapter)
    record = read_results(file).get(name)
    if record is None:
        raise MissingResult(f"there is no result of {name} yet; make it with: {find_experiment(name).command('full')}")
    challenge = [*record.get("challenge", ()), {"tried": tried, "reached": reached, "outcome": outcome}]
    write_result(file, name, {**record, "challenge": challenge})


def plain(value: Any, where: str) -> Any:
    """Returns a value as JSON can hold it: numbers, lists, dictionaries; what is not a number becomes null.

    Raises:
        ValueError: For anything else, naming where it stands.
    """
    if hasattr(value, "tolist"):  # tensors, arrays and their scalars
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(one, f"{where}[{key!r}]") for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, f"{where}[{n}]") for n, one in enumerate(value)]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    raise ValueError(f"{where} is a {type(value).__name__}; results hold numbers, texts, lists and dictionaries")


def _result(name: str, record: Mapping[str, Any]) -> Result:
    fields = ("scale", "config", "command", "seconds", "versions", "code", "made")
    runs = record["runs"]
    return Result(
        name=name,
        seeds=tuple(run["seed"] for run in runs),
        runs=tuple(run["values"] for run in runs),
        challenge=tuple(record.get("challenge", ())),
        **{field: record[field] for field in fields},
    )


def _with_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nan(one) for one in value]
    return math.nan if value is None else value


def _root(root: Path | None) -> Path:
    return root or course_root()
