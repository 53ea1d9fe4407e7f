"""The glossary's words, each with what it means."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Word", "read_words"]

GLOSSARY = re.compile(r"^(?P<fence>:{3,}|`{3,})\{glossary\}\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Word:
    """One entry: its spellings, the name its place has here, and what it means, in MyST."""

    names: tuple[str, ...]
    anchor: str
    meaning: str


def read_words(path: Path) -> dict[str, Word]:
    """Returns the words of a glossary page by their spelling in small letters, synonyms included."""
    found: dict[str, Word] = {}
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for glossary in GLOSSARY.finditer(text):
        names: list[str] = []
        meaning: list[str] = []
        for line in [*glossary["body"].splitlines(), "end"]:
            if line.startswith(":"):
                continue
            if line[:1].isspace():
                meaning.append(line.strip())
            elif line:
                if meaning:
                    word = Word(tuple(names), _anchor(names[0]), " ".join(meaning))
                    found |= dict.fromkeys((name.lower() for name in names), word)
                    names, meaning = [], []
                names.append(line.strip())
    return found


def _anchor(name: str) -> str:
    return "word-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
