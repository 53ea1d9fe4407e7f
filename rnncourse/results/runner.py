"""Run experiments: seed by seed, written down after each seed, so that a stop in the middle loses one run at most."""

import datetime
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from rnncourse.provenance import environment
from rnncourse.results.records import plain, read_results, write_result
from rnncourse.results.registry import Experiment, experiment_names, find_experiment


def run_chapter_experiments(
    chapter: str,
    scale: str,
    *,
    names: Sequence[str] = (),
    results: Path,
    unfinished: Path,
    say: Callable[[str], None] = print,
) -> Path:
    """Runs a chapter's experiments and writes their results.

    Args:
        chapter: Its number or stem.
        scale: "smoke", "page" or "full".
        names: Only these; by default all of the chapter.
        results: The folder of the results files.
        unfinished: The folder where finished seeds are kept until all are.
        say: Gets a line for each run.

    Returns:
        The chapter's results file.

    Raises:
        ValueError: If there is no such experiment in the chapter.
    """
    number = f"{int(chapter):02d}" if chapter.isdigit() else chapter[:2]
    known = experiment_names(number)
    for name in names:
        if name not in known:
            raise ValueError(f"chapter {number} has no experiment {name!r}; it has: {', '.join(known) or 'none'}")
    file = results / f"{number}.json"
    read_results(file)  # a file that is broken is said before hours of work
    for name in names or known:
        record = run_experiment(find_experiment(name), scale, unfinished=unfinished, say=say)
        write_result(file, name, record)
        say(f"{name}: written to {file}")
    return file


def run_experiment(
    experiment: Experiment, scale: str, *, unfinished: Path | None = None, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Runs an experiment once for each seed.

    Args:
        experiment: which.
        scale: "smoke", "page" or "full".
        unfinished: A folder where finished seeds are kept until all are; a later call with the same code and sizes
            takes them from there.
        say: Gets a line for each run.

    Returns:
        The record of the result, as :func:`rnncourse.results.records.write_result` takes it.
    """
    config = plain(experiment.scales[scale], experiment.name)
    code = experiment.code()
    kept = unfinished / f"{experiment.name}.{scale}.{code}.json" if unfinished else None
    runs = _kept_runs(kept, config)
    sizes = {key: value for key, value in experiment.scales[scale].items() if key != "seeds"}
    for seed in range(len(runs), config["seeds"]):
        started = time.perf_counter()
        values = run_seed(experiment, seed, sizes)
        runs.append({"seed": seed, "seconds": round(time.perf_counter() - started, 1), "values": values})
        say(f"{experiment.name}: seed {seed} of {config['seeds']} done in {runs[-1]['seconds']} s")
        if kept and seed + 1 < config["seeds"]:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"config": config, "runs": runs}), encoding="utf-8")
    if kept:
        kept.unlink(missing_ok=True)
    return {
        "scale": scale,
        "config": config,
        "command": experiment.command(scale),
        "made": datetime.date.today().isoformat(),
        "seconds": round(sum(run["seconds"] for run in runs), 1),
        "versions": environment(),
        "code": code,
        "runs": runs,
    }


def run_seed(experiment: Experiment, seed: int, sizes: dict[str, Any]) -> dict[str, Any]:
    """Runs one seed of an experiment on one thread and returns its values as plain data."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order: the same seed gives the same numbers
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            values = experiment.function(seed=seed, **sizes)
    finally:
        torch.set_num_threads(threads)
    return plain(values, experiment.name)


def _kept_runs(kept: Path | None, config: dict[str, Any]) -> list[dict[str, Any]]:
    if kept is None or not kept.is_file():
        return []
    content = json.loads(kept.read_text(encoding="utf-8"))
    return content["runs"] if content["config"] == config else []
