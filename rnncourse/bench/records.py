"""What was measured, one file for each machine: where it lies, how it is read and saved.

A machine's file holds its sections, each from its own moment: with the command, the versions, the machine as it was
then, the commit, and a hash of the code that was timed. What an earlier program did not write down is not there.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from .machine import model, processor, slug

#: A section that is measured cell by cell, so that each fits into a quiet moment, is read as one.
PARTS = {"layers": ("layers-rnn", "layers-gru", "layers-lstm")}


def folder_of(root: Path) -> Path:
    """Where a course keeps its machines' files."""
    return root / "book" / "results" / "bench"


def this_machine() -> str:
    """The name of this machine's file, without its ending."""
    return slug(processor(), model())


def sections_of(record: dict[str, Any]) -> dict[str, Any]:
    """A record's sections, those that were measured in parts put together under their common name.

    A section put together has the rows of all its parts and nothing else: what was written down about the measuring
    stands at each part.

    Args:
        record: A machine's record.
    """
    sections = dict(record["sections"])
    for whole, parts in PARTS.items():
        found = [sections.pop(part) for part in parts if part in sections]
        if found:
            sections[whole] = {"rows": [row for part in found for row in part["rows"]]}
    return sections


def read(path: Path) -> dict[str, Any]:
    """A machine's record; one without sections if there is no such file, or none that can be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if isinstance(record["sections"], dict) else {"sections": {}}
    except (OSError, ValueError, KeyError, TypeError):
        return {"sections": {}}


def name_of(record: dict[str, Any]) -> str:
    """What a machine is called on a page: its processor, and how many units torch's instructions work on if known.

    Args:
        record: A machine's record.

    Raises:
        ValueError: If its sections are of different processors, which one file never holds.
    """
    machines = [section["machine"] for section in record["sections"].values()]
    names = {machine["processor"] for machine in machines}
    if len(names) != 1:
        raise ValueError(f"the record's sections were measured on {sorted(names)}; it should be one processor")
    sets = sorted({str(machine["instruction_set"]) for machine in machines if machine.get("instruction_set")})
    return ", ".join([*names, *sets])


def measured(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says to a reader: ``machine``, its name, and ``sections``, put together where they have parts.

    Args:
        record: A machine's record, with at least one section.
    """
    return {"machine": name_of(record), "sections": sections_of(record)}


def read_all(folder: Path) -> list[dict[str, Any]]:
    """What was :func:`measured` on every machine that has a file, in the order of the files' names.

    Args:
        folder: Where the files are; :func:`folder_of` says where a course keeps them.
    """
    return [measured(record) for record in map(read, sorted(folder.glob("*.json"))) if record["sections"]]


def save(path: Path, record: dict[str, Any]) -> None:
    """Write beside and rename, so that an interrupted run leaves a whole file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8") as beside:
        json.dump(record, beside, indent=1, ensure_ascii=False)
        beside.write("\n")
    Path(beside.name).chmod(0o644)
    Path(beside.name).replace(path)
