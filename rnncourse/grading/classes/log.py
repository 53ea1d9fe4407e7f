"""The log of a class: a line for every notebook as soon as it is graded, and nothing is ever taken back.

A line is written with one call and is on the disk before the next notebook's grade is looked at. A run that is killed
leaves at most one torn line, which is no JSON and is skipped: its notebook is graded again, and no other.
"""

import json
import os
from pathlib import Path
from typing import Any

from rnncourse.grading.names import visible

__all__ = ["SCHEMA", "Log"]

SCHEMA = 1  # raised when a key changes its meaning


class Log:
    """An append-only file of records, one JSON object a line, that one run at a time may write to.

    Args:
        path: The file; made when it is not there.
        header: What the class is graded with; written at the start of a new log.

    Attributes:
        header: Of this log: the one given for a new log, else what stands in it.
        entries: Key → the last record under it.
        torn: How many lines could not be read.

    Raises:
        ValueError: If it cannot be opened, another run has it open, or it was begun by another version.
    """

    def __init__(self, path: Path, header: dict[str, Any]):
        self.path, self.entries, self.torn = path, {}, 0
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            self.handle = os.open(path, flags, 0o600)
        except OSError as error:
            raise ValueError(f"{visible(path)} cannot be opened ({error.strerror}); nothing was graded") from None
        try:
            self._lock()
            found = self._read()
            if found is None:
                self._write({"kind": "class", "schema": SCHEMA} | header)
                found = header
            elif found.get("schema") != SCHEMA:
                raise ValueError(f"{visible(path)} was written by another version of the course; name another folder")
            self.header = found
        except BaseException:
            os.close(self.handle)
            raise

    def add(self, key: str, record: dict[str, Any]) -> None:
        """Writes a record under a key; from then on it is the key's."""
        record = {"kind": "notebook", "key": key} | record
        self._write(record)
        self.entries[key] = record

    def close(self) -> None:
        """Lets go of the file. Everything is in it already."""
        os.close(self.handle)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"another run is grading into {visible(self.path.parent)}") from None

    def _read(self) -> dict[str, Any] | None:
        with open(os.dup(self.handle), "rb") as file:
            content = file.read()
        if content and not content.endswith(b"\n"):
            os.write(self.handle, b"\n")  # what the killed run began stays a line of its own
        header = None
        for line in content.splitlines():
            try:
                record = json.loads(line)
                kind = record["kind"]
            except (ValueError, KeyError, TypeError):
                self.torn += bool(line.strip())
                continue
            if kind == "class" and header is None:
                header = record
            elif kind == "notebook":
                self.entries[record["key"]] = record
        return header

    def _write(self, record: dict[str, Any]) -> None:
        line = memoryview(json.dumps(record, ensure_ascii=True).encode("ascii") + b"\n")
        while line:  # a signal or a full disk can cut a write short; the next one goes on or says why not
            line = line[os.write(self.handle, line) :]
        os.fsync(self.handle)
