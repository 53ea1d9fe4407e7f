"""What a page needs at its end once it stands alone: the works it cites and the words it uses."""

from rnncourse.notebooks.plain.links import linked
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.text import plain_text

__all__ = ["closing_texts"]


def closing_texts(page: Page) -> list[str]:
    """Returns the text cells that close a notebook; what was used is known once all of its text was rewritten.

    Args:
        page: The notebook.
    """
    words = _words(page)  # its definitions may speak of further words
    return [text for text in (words, _works(page)) if text]


def _words(page: Page) -> str:
    lines: dict[str, str] = {}
    told: set[str] = set()
    while waiting := [spelling for spelling in page.spoken if spelling not in told]:
        for spelling in waiting:
            told.add(spelling)
            word = page.book.words[spelling]
            if word.anchor not in lines:
                meaning = plain_text(word.meaning, page)
                lines[word.anchor] = f'- <a id="{word.anchor}"></a>**{", ".join(word.names)}**: {meaning}'
    return "\n".join(["## Words", "", *(lines[name] for name in sorted(lines))]) if lines else ""


def _works(page: Page) -> str:
    works = [(key, page.book.works[key]) for key in page.cited]
    works.sort(key=lambda pair: (pair[1].names.lower(), pair[1].year))
    lines = [
        f'- <a id="work-{key}"></a>{work.entry}' + (f" {linked(work.address, work.address)}" if work.address else "")
        for key, work in works
    ]
    return "\n".join(["## Works cited here", "", *lines]) if lines else ""
