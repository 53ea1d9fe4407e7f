"""What is known while one notebook's text is rewritten, and what it turns out to use."""

from dataclasses import dataclass, field

from rnncourse.notebooks.plain.book import Book
from rnncourse.notebooks.plain.links import Links

__all__ = ["Page"]


@dataclass
class Page:
    """One notebook on its way into plain text.

    Attributes:
        book: What the other notebooks hold.
        links: Addresses as seen from this one.
        numbers: What its cells stored, by name.
        cited: Keys of the works it cites, in order.
        spoken: Spellings of the glossary's words that it uses, in order.
    """

    book: Book
    links: Links
    numbers: dict[str, str]
    cited: dict[str, None] = field(default_factory=dict)
    spoken: dict[str, None] = field(default_factory=dict)
