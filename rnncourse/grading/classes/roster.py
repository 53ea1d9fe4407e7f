"""The lecturer's list of a class, as Canvas or Moodle export it or as a plain table, and who on it handed in what.

Three kinds of CSV are read:

- Canvas's gradebook export (columns ``Student``, ``ID``, ``SIS User ID``, ``SIS Login ID``, ``Section``);
- Moodle's grading worksheet of an assignment (columns ``Identifier``, ``Full name``, ``Grade`` …);
- a plain table with a column ``learner``, perhaps ``notebook`` (a file below the class's folder), and any others.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rnncourse.grading.classes.submissions import Learner
from rnncourse.grading.names import file_stem, look, visible

__all__ = ["Roster", "read_roster"]

NAMING = {  # the columns that can say who somebody is
    "canvas": ("ID", "SIS User ID", "SIS Login ID", "Integration ID", "Student"),
    "moodle": ("Identifier", "Username", "ID number", "Email address", "Full name"),
    "plain": ("learner", "id", "email", "login", "name"),
}
NAME = {"canvas": "Student", "moodle": "Full name", "plain": "learner"}


@dataclass
class Roster:
    """A class list.

    Args:
        kind: "canvas", "moodle" or "plain".
        header: The columns, in order.
        people: A dictionary for each person.
        above: Rows before the people that are nobody's, such as Canvas's possible points.
    """

    kind: str
    header: list[str]
    people: list[dict[str, str]]
    above: list[dict[str, str]] = field(default_factory=list)

    def name(self, person: int) -> str:
        """What to call somebody on the list."""
        return self.people[person].get(NAME[self.kind], "")

    def match(self, learners: Iterable[Learner]) -> dict[tuple[str, str], int]:
        """Whose submission is whose: (name, number) of a learner → the place on the list.

        A platform's number decides where there is one, else a name or an address that exactly one person on the list
        has. Where two learners would be the same person, neither is: a grade is never entered on a guess.
        """
        if "notebook" in self.header:  # the list itself says whose file is whose, perhaps in several rows
            first = {person["learner"]: place for place, person in reversed(list(enumerate(self.people)))}
            return {(learner.name, learner.number): first[learner.name] for learner in learners}
        by_number: dict[str, set[int]] = defaultdict(set)
        by_name: dict[str, set[int]] = defaultdict(set)
        for place, person in enumerate(self.people):
            words = [person.get(column, "") for column in NAMING[self.kind]]
            by_name[look(file_stem(self.name(place)))].add(place)  # a folder of the handout, handed in as it was
            for word in words:
                by_name[look(word)].add(place)
                if self.kind == "canvas":  # its downloads are called leeann_…, for "Lee, Ann"
                    by_name[re.sub(r"[^\w]", "", look(word))].add(place)
            if digits := re.fullmatch(r"(?:\D* )?(\d+)", words[0]):  # "Participant 12345"
                by_number[digits[1]].add(place)
        places = {}
        for learner in learners:
            found = by_number.get(learner.number, set()) if learner.number else by_name.get(look(learner.name), set())
            if len(found) == 1:
                places[learner.name, learner.number] = next(iter(found))
        taken = list(places.values())
        return {key: place for key, place in places.items() if taken.count(place) == 1}

    def learners(self, folder: Path) -> list[Learner] | None:
        """The learners, where the list itself says which file is whose; else None.

        Raises:
            ValueError: If a file of the list does not lie below the folder.
        """
        if "notebook" not in self.header:
            return None
        found: dict[str, Learner] = {}
        for person in self.people:
            learner = found.setdefault(person["learner"], Learner(person["learner"]))
            written = PurePosixPath(person["notebook"])
            if written.is_absolute() or ".." in written.parts:
                raise ValueError(f"the list's notebook {visible(str(written))} should lie below {visible(folder)}")
            if person["notebook"]:
                learner.notebooks += (folder / written,)
        for learner in found.values():
            learner.trouble = "" if learner.notebooks else "the list names no notebook"
        return list(found.values())


def read_roster(path: Path) -> Roster:
    """Reads a class list.

    Raises:
        ValueError: If it cannot be read, or is none of the three kinds.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not CSV in UTF-8"
        raise ValueError(f"{visible(path)} cannot be read as a class list ({reason})") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    if len(set(header)) != len(header):
        raise ValueError(f"{visible(path)} has two columns of one name")
    if {"Student", "ID", "Section"} <= set(header):
        kind = "canvas"
    elif {"Identifier", "Grade"} <= set(header):
        kind = "moodle"
    elif "learner" in header:
        kind = "plain"
    else:
        raise ValueError(
            f"{visible(path)} is no class list: it should be Canvas's gradebook export, Moodle's grading worksheet, or "
            "have a column called learner"
        )
    people = [dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False)) for row in rows[1:]]
    if kind != "plain" and "notebook" in header:
        raise ValueError(f"{visible(path)}: only a list with a column learner says whose notebook is whose")
    above = []
    if kind == "canvas":  # rows about the assignments stand before the students, and have no ID
        above = [person for person in people if not person["ID"].strip() and not person["Section"].strip()]
        people = [person for person in people if person not in above]
    return Roster(kind, header, people, above)
