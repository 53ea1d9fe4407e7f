"""An exercise for each learner: some of a chapter's questions, drawn for each, and all choices worth the same.

The same seed and list hand out the same. What was handed out stands in ``variants.json``, and that file is all that
grading needs: it says who was given which questions.
"""

import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnncourse.grading import outputs
from rnncourse.grading.classes.roster import Roster
from rnncourse.grading.classes.variants import FILE_NAME
from rnncourse.grading.names import file_stem, visible
from rnncourse.grading.spec import Draw, Question

__all__ = ["choices", "drawn", "hand_out", "only"]

HEADING = re.compile(r"^##\s+Exercise\s+(\d+\.\d+)\b.*$", re.MULTILINE)


def choices(questions: Sequence[Question], number: int) -> list[tuple[str, ...]]:
    """The choices of so many of these questions that are all worth the same.

    Of the totals that occur, it is the one that most choices have; of several such, the one nearest to the share of
    all points that so many questions would have on average.

    Args:
        questions: A chapter's.
        number: How many to choose.

    Raises:
        ValueError: If there are not so many.
    """
    if not 1 <= number <= len(questions):
        raise ValueError(f"--questions should be from 1 to {len(questions)}, was {number}")
    by_total: dict[float, list[tuple[str, ...]]] = defaultdict(list)
    for chosen in itertools.combinations(questions, number):
        by_total[sum(question.points for question in chosen)].append(tuple(question.id for question in chosen))
    average = sum(question.points for question in questions) * number / len(questions)
    total = min(by_total, key=lambda points: (-len(by_total[points]), abs(points - average), points))
    return by_total[total]


def drawn(among: Sequence[tuple[str, ...]], seed: int, learner: str) -> tuple[str, ...]:
    """The choice of one learner."""
    return among[Draw(seed, "variant", learner).integer(0, len(among) - 1)]


def only(notebook: Mapping[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """An exercise notebook with these questions alone.

    A question is everything from its heading to the next heading of that height. What stands before the first
    question and after the last stays.

    Args:
        notebook: The exercise, as JSON.
        questions: Ids of the questions to keep.

    Raises:
        ValueError: If the notebook lacks one of them.
    """
    kept, keeping, found = [], True, set()
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and re.search(r"^##\s", text, re.MULTILINE):
            number = HEADING.search(text)
            keeping = number is None or number[1] in questions
            found |= {number[1]} if number else set()
        if keeping:
            kept.append(cell)
    if missing := set(questions) - found:
        raise ValueError(f"the exercise has no question {', '.join(sorted(missing))}")
    note = f"Your questions are {', '.join(questions)}; the text above speaks of all of the chapter's.\n"
    cell_id = hashlib.sha256(" ".join(questions).encode()).hexdigest()[:8]
    kept.insert(1, {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": [note]})
    return {**notebook, "cells": kept}


def hand_out(
    folder: Path,
    chapter: int,
    roster: Roster,
    questions: Sequence[Question],
    number: int,
    seed: int,
    root: Path,
) -> list[str]:
    """Writes everybody's exercise and who was given what.

    Args:
        folder: Where to; made when it does not exist.
        chapter: Whose exercise.
        roster: The class.
        questions: The chapter's questions.
        number: How many for each learner.
        seed: The same one hands out the same.
        root: The course's folder.

    Returns:
        What was done, a line each.

    Raises:
        ValueError: If there is no such exercise, somebody's name is missing or twice on the list, or the folder holds
            another handout.
    """
    sources = sorted((root / "exercises").glob(f"{chapter:02d}_*.ipynb"))
    if not sources or not questions:
        raise ValueError(f"chapter {chapter} has no exercise with graded questions")
    names = [roster.name(place) for place in range(len(roster.people))]
    if twice := {name for name in names if not name or names.count(name) > 1}:
        raise ValueError(
            f"the list has {visible(min(twice)) or 'an empty name'} more than once; give each a name of its own"
        )
    among = choices(questions, number)
    given = {name: drawn(among, seed, name) for name in names}
    content = {"chapter": chapter, "seed": seed, "questions": {name: list(ids) for name, ids in given.items()}}
    text = json.dumps(content, indent=1, ensure_ascii=True) + "\n"
    outputs.ensure_folder(folder)
    target = folder / FILE_NAME
    if target.exists() and target.read_text(encoding="ascii", errors="replace") != text:
        raise ValueError(f"{visible(folder)} holds another handout; name another folder")
    notebook = json.loads(sources[0].read_text(encoding="utf-8"))
    for name, ids in given.items():
        place = folder / file_stem(name)
        outputs.ensure_folder(place)
        if not (place / sources[0].name).exists():
            variant = json.dumps(only(notebook, ids), indent=1, ensure_ascii=False) + "\n"
            outputs.write(place / sources[0].name, variant)
    outputs.write(target, text)
    worth = sum(question.points for question in questions if question.id in among[0])
    return [
        f"{len(names)} exercises of {number} questions, {worth:g} points each, from {len(among)} choices",
        f"grade them with: rnncourse grade SUBMISSIONS --chapter {chapter} --variants {visible(target)}",
    ]
