"""A class: whatever was handed in, graded once each, whatever happens in between.

What is done is what the log says. A run looks at the folder, takes away what the log has already, and grades the rest
in a pool here or on a cluster; every answer is in the log before the next one is looked at. The outputs are made from
the log alone, so that a run that was killed is finished by typing the same line again.
"""

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from rnncourse.grading import outputs
from rnncourse.grading.classes import seeds
from rnncourse.grading.classes.jobs import Options, make_job, read_bytes
from rnncourse.grading.classes.log import Log
from rnncourse.grading.classes.meter import Meter
from rnncourse.grading.classes.pool import COMMAND, in_parallel
from rnncourse.grading.classes.roster import Roster
from rnncourse.grading.classes.rows import Row, make_rows
from rnncourse.grading.classes.submissions import Learner, find_learners
from rnncourse.grading.classes.writing import write_class
from rnncourse.grading.names import file_stem, tell_apart, visible
from rnncourse.version import __version__

__all__ = ["LOG_NAME", "Class", "NoWalls", "People"]

LOG_NAME = "log.jsonl"
Key = tuple[str, str]  # a learner's name and number


class NoWalls(ValueError):
    """There is no sandbox: nothing was graded, and nobody has a zero for it."""


@dataclass(frozen=True)
class Work:
    """One notebook of a class: where it is, whose, what it is called in reports, and the log's key for it."""

    key: str
    learner: Key
    label: str
    path: Path
    name: str
    digest: str
    seed: int
    questions: tuple[str, ...]
    trouble: str = ""  # why it cannot even be read


@dataclass(frozen=True)
class People:
    """A class: its learners, their places on the lecturer's list, and what to call each."""

    learners: list[Learner]
    places: dict[Key, int]
    shown: dict[Key, str]


@dataclass
class Class:
    """A folder of submissions and what becomes of it.

    Args:
        folder: What was handed in.
        out: Where log and reports go.
        options: How every notebook is graded.
        seed: Of the class; by default the log's, or a fresh one.
        roster: The lecturer's list.
        variants: Learner → the questions that this learner was given.
        workers: How many notebooks at a time.
        scheduler: The address of a Dask scheduler to send the work to instead.
        again: Learners to grade again, with the seeds that their records hold.
        command: What starts an examiner.
    """

    folder: Path
    out: Path
    options: Options = Options()
    seed: int | None = None
    roster: Roster | None = None
    variants: Mapping[str, Sequence[str]] = field(default_factory=dict)
    workers: int = 1
    scheduler: str = ""
    again: Sequence[str] = ()
    command: Sequence[str] = COMMAND

    def grade(self, meter: Callable[[int, int], Meter] = Meter) -> list[Row]:
        """Grades what is not graded yet, writes all outputs, and returns a row for each learner.

        Args:
            meter: Makes the progress line from how many there are to grade and how many were graded before.

        Raises:
            ValueError: If the folder, the list or the log cannot be used; nothing has been graded then.
            NoWalls: If there is no sandbox for a stranger's notebook.
        """
        people = _everybody(self.folder, self.roster, self.options.chapter)
        outputs.ensure_folder(self.out)
        header = {"course": __version__, "seed": seeds.fresh() if self.seed is None else self.seed}
        with Log(self.out / LOG_NAME, header) as log:
            self._same_class(log.header)
            outputs.forget_halves(self.out)  # the log is ours alone, so nobody is writing
            work = list(self._work(people, log.header["seed"]))
            again = self._again(work, people)
            todo = [one for one in work if one.learner in again or not _final(log.entries.get(one.key))]
            counter = meter(len(todo), len(work) - len(todo))
            try:
                for one, answer in self._answers(todo, log, counter):
                    if answer.get("fault") == "sandbox":
                        raise NoWalls(answer["failure"])
                    log.add(one.key, _record(one, answer))
                    counter.step()
            finally:
                counter.clear()
            rows = self._rows(people, work, log)
            write_class(self, people, rows, log.header["seed"])
            return rows

    def _same_class(self, header: Mapping[str, Any]) -> None:
        where = f"{visible(self.out)} holds a class"
        if header["course"] != __version__:
            raise ValueError(
                f"{where} begun with course {header['course']}; finish it with that, or name another --out"
            )
        if self.seed is not None and header["seed"] != self.seed:
            raise ValueError(f"{where} with another seed ({header['seed']}); leave --seed out, or name another folder")

    @cached_property
    def _handout(self) -> dict[str, Sequence[str]]:
        return {file_stem(name): ids for name, ids in self.variants.items()} | dict(self.variants)

    def _given(self, learner: Key, people: People) -> tuple[str, ...] | None:
        """The questions that a learner was handed out, or None: by the list's name, the submission's, or the folder's.

        The folder's is the one that the handout made, handed in as it was.
        """
        names = [learner[0]]
        if self.roster and learner in people.places:
            names.insert(0, self.roster.name(people.places[learner]))
        return next((tuple(self._handout[name]) for name in names if name in self._handout), None)

    def _work(self, people: People, seed: int) -> Iterator[Work]:
        from rnncourse.grading.notebook import FILE_LIMIT

        paths = [path.relative_to(self.folder).as_posix() for one in people.learners for path in one.notebooks]
        labels = tell_apart(paths)
        for learner in people.learners:
            who = (learner.name, learner.number)
            questions = self._given(who, people) or ()
            for path in learner.notebooks:
                relative = path.relative_to(self.folder).as_posix()
                trouble = digest = ""
                try:
                    digest = hashlib.sha256(read_bytes(path, FILE_LIMIT)).hexdigest()
                except ValueError as error:
                    trouble = str(error)
                # A notebook that was handed in again, or is asked something else, is another piece of work.
                parts = [relative, digest, self.options.chapter, questions]
                key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
                own = seeds.learner_seed(seed, "\0".join(who))
                name = learner.file_name(path)
                yield Work(key, who, labels[relative], path, name, digest, own, questions, trouble)

    def _again(self, work: Sequence[Work], people: People) -> set[Key]:
        found = set()
        for wanted in self.again:
            keys = {one.learner for one in work if wanted in (*one.learner, people.shown[one.learner])}
            if len(keys) != 1:
                what = "nobody who handed in a notebook" if not keys else "more than one learner"
                raise ValueError(f"--again {visible(wanted)}: that is {what}")
            found |= keys
        return found

    def _answers(self, todo: Sequence[Work], log: Log, counter: Meter) -> Iterator[tuple[Work, dict]]:
        from rnncourse.grading.notebook import FILE_LIMIT

        def job(one: Work) -> dict[str, Any]:
            if one.trouble:
                raise ValueError(one.trouble)
            content = read_bytes(one.path, FILE_LIMIT)
            if hashlib.sha256(content).hexdigest() != one.digest:
                raise ValueError("it changed while the class was being graded; grade the class again")
            counter.say(one.label)
            before = log.entries.get(one.key, {})
            return make_job(one.label, one.name, content, before.get("seed", one.seed), self.options, one.questions)

        jobs = [(one, lambda one=one: job(one)) for one in todo]
        if self.scheduler and jobs:
            from rnncourse.grading.classes.cluster import on_a_cluster

            return on_a_cluster(self.scheduler, jobs, self.options.deadline, command=self.command)
        workers = max(1, min(self.workers, len(jobs)))
        return in_parallel(jobs, workers, self.options.deadline, command=self.command)

    def _rows(self, people: People, work: Sequence[Work], log: Log) -> list[Row]:
        """A row for everybody, from the log alone."""
        records: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
        for one in work:
            nothing = {"label": one.label, "failure": "it was not graded", "fault": "grader"}
            records[one.learner].append(log.entries.get(one.key, nothing))
        rows = make_rows(people.learners, people.shown, records)
        for row in rows if self.variants else ():
            if row.reports and self._given(row.key, people) is None:
                row.notes.insert(0, "is not in the handout: was asked all of the chapter's questions")
        return rows


def _everybody(folder: Path, roster: Roster | None, chapter: int | None) -> People:
    """Who handed in something, and whoever else is on the list."""
    learners = (roster.learners(folder) if roster else None) or find_learners(folder, chapter)
    places = roster.match(learners) if roster else {}
    there = {learner.name for learner in learners}
    for place in sorted(set(range(len(roster.people) if roster else 0)) - set(places.values())):
        if "notebook" in roster.header and roster.name(place) in there:
            continue  # another notebook of the same learner
        absent = Learner(roster.name(place), f"row {place + 1} of the list", trouble="nothing was handed in")
        learners.append(absent)
        places[absent.name, absent.number] = place
    if not learners:
        raise ValueError(f"{visible(folder)} holds no notebooks and no folders of learners")
    count = Counter(learner.name for learner in learners)
    names = {
        (one.name, one.number): one.name if count[one.name] == 1 else f"{one.name} ({one.number})" for one in learners
    }
    apart = tell_apart(names.values())
    return People(learners, places, {key: apart[name] for key, name in names.items()})


def _final(record: Mapping[str, Any] | None) -> bool:
    """Whether a record needs no other try: there is a report, or the notebook is at fault."""
    return record is not None and ("report" in record or record.get("fault") == "submission")


def _record(one: Work, answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "learner": list(one.learner),
        "label": one.label,
        "path": os.fspath(one.path),
        "sha256": one.digest,
        "seed": answer["report"]["seed"] if "report" in answer else one.seed,
        "questions": list(one.questions),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        **answer,
    }
