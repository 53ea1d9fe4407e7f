"""Works of the bibliography, as a sentence names them and as a list shows them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Work", "read_works"]

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class Work:
    """One entry.

    Attributes:
        names: Who wrote it, short: "Cho et al.".
        year: When.
        entry: All of it, in Markdown, without a link.
        address: Where it can be found, or nothing.
    """

    names: str
    year: str
    entry: str
    address: str


def read_works(path: Path) -> dict[str, Work]:
    """Returns the works of a BibTeX file by key, and none where there is no file."""
    if not path.is_file():
        return {}
    from pybtex.database import parse_string

    entries = parse_string(path.read_text(encoding="utf-8"), "bibtex").entries
    return {key: _work(entry) for key, entry in entries.items()}


def _work(entry: Any) -> Work:
    fields = {name: _text(value) for name, value in entry.fields.items()}
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    last = [_text(" ".join([*person.prelast_names, *person.last_names])) for person in people]
    full = [" ".join([*map(_initial, person.first_names), name]) for person, name in zip(people, last, strict=True)]
    year = fields.get("year", "no year")
    where = fields.get("journal") or fields.get("booktitle") or fields.get("publisher") or fields.get("school")
    if fields.get("eprint"):
        where = where or f"arXiv:{fields['eprint']}"
    if where and fields.get("volume"):
        where += f" {fields['volume']}" + (f"({fields['number']})" if fields.get("number") else "")
    if where and fields.get("pages"):
        where += f", {fields['pages']}"
    parts = [f"{_listed(full)} ({year}).", f"*{fields.get('title', '')}*.", f"{where}." if where else ""]
    parts += [f"{fields['note'].rstrip('.')}." if fields.get("note") else ""]
    return Work(_short(last), year, " ".join(filter(None, parts)), _address(fields))


def _text(latex: str) -> str:
    """LaTeX as plain text: accents as letters, braces gone."""
    from pybtex.richtext import Text

    return str(Text.from_latex(latex)).replace("--", "–").replace("\xa0", " ")


def _initial(name: str) -> str:
    return _text(name)[:1] + "."


def _short(last: list[str]) -> str:
    if len(last) > 2:
        return f"{last[0]} et al."
    return " and ".join(last)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _address(fields: dict[str, str]) -> str:
    if fields.get("doi"):
        return f"https://doi.org/{fields['doi']}"
    number = fields.get("eprint") or next(iter(ARXIV.findall(fields.get("note", ""))), "")
    return f"https://arxiv.org/abs/{number}" if number else fields.get("url", "")
