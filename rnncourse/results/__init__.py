"""Named experiments: what needs many seeds or minutes is run once, written down, and loaded by the pages."""

from rnncourse.results.foresight import Pace, expected_seconds, in_words
from rnncourse.results.ledger import Row, ledger_page, ledger_rows
from rnncourse.results.records import (
    MissingResult,
    Result,
    StaleResult,
    load_result,
    note_challenge,
    require_fresh,
)
from rnncourse.results.refreshing import compare_versions, confirm_result
from rnncourse.results.registry import Experiment, Published, experiment, experiment_names, find_experiment
from rnncourse.results.runner import run_chapter_experiments, run_experiment
from rnncourse.results.verdicts import verdict

__all__ = [
    "Experiment",
    "MissingResult",
    "Pace",
    "Published",
    "Result",
    "Row",
    "StaleResult",
    "compare_versions",
    "confirm_result",
    "expected_seconds",
    "experiment",
    "experiment_names",
    "find_experiment",
    "in_words",
    "ledger_page",
    "ledger_rows",
    "load_result",
    "note_challenge",
    "require_fresh",
    "run_chapter_experiments",
    "run_experiment",
    "verdict",
]
