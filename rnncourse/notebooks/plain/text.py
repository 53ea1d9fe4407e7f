"""A text cell rewritten: what the parser calls a role, a directive, a label or a formula is replaced, the rest stays.

The parser says which lines a block takes, and in which order the parts of a sentence come; each part is then looked
for from where the one before it ended. So the words of the chapter stay as they were typed.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it.token import Token

from rnncourse.notebooks.plain import equations
from rnncourse.notebooks.plain.directives import Block, read_block, rewritten
from rnncourse.notebooks.plain.links import site_id
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.parsing import line_starts, tokens
from rnncourse.notebooks.plain.refusals import NoPlainForm
from rnncourse.notebooks.plain.roles import said

__all__ = ["plain_text"]

ATTRIBUTES = re.compile(r"^[ ]*\{[.#%][^{}\n]*\}[ ]*$", re.MULTILINE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:")
NOTEBOOK = re.compile(r"exercises/(\d\d_\w+)\.ipynb")


def plain_text(text: str, page: Page, quoted: bool = False) -> str:
    """Returns a piece of a chapter's text in Markdown that needs no extension.

    Args:
        text: MyST.
        page: The notebook that it is part of.
        quoted: Whether it stands in a block quote.

    Raises:
        NoPlainForm: If something in it has no plain form.
    """
    rewriting = _Rewriting(text, page, quoted)
    for token in tokens(text):
        rewriting.look_at(token)
    return rewriting.result()


@dataclass
class _Rewriting:
    text: str
    page: Page
    quoted: bool
    here: int = 0  # everything before has been dealt with
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    links: list[tuple[str, bool]] = field(default_factory=list)  # those that are open

    def __post_init__(self) -> None:
        self.starts = line_starts(self.text)

    def look_at(self, token: Token) -> None:
        """Rewrites one block, or the parts of one sentence."""
        if token.type == "inline":
            self.here = max(self.here, self.starts[token.map[0]])
            for child, next_one in pairwise([*(token.children or []), None]):
                self._look_into(child, next_one)
        elif token.type in {"fence", "colon_fence"}:
            if (named := read_block(token.info, token.content)) is not None:
                name, argument, options, body = named
                block = Block(name, argument, options, body, self._say, self.quoted, self.page)
                self._replace_block(token, rewritten(block))
        elif token.type in {"math_block", "math_block_label", "amsmath"}:
            label = token.info if token.type == "math_block_label" else ""
            number = self.page.book.equations[label].called if label else ""
            formula = equations.displayed(token.content, number, label, quoted=self.quoted)
            self._replace_block(token, formula)
        elif token.type == "myst_target":
            label = token.content
            known = label in self.page.book.sections and not label.startswith("chapter-")
            self._replace_block(token, f'<a id="{label}"></a>\n' if known else "")
        elif token.type in {"myst_line_comment", "myst_block_break"}:
            self._replace_block(token, "")

    def result(self) -> str:
        """The text with all replacements made."""
        parts, end = [], 0
        for start, stop, new in self.edits:
            parts += [self.text[end:start], new]
            end = stop
        return ATTRIBUTES.sub("", "".join([*parts, self.text[end:]])).strip("\n")

    def _say(self, text: str, quoted: bool) -> str:
        return plain_text(text, self.page, quoted)

    def _look_into(self, child: Token, next_one: Token | None) -> None:
        if child.type == "myst_role":
            start, stop = self._find(rf"\{{{re.escape(child.meta['name'])}\}}(`+){_spaced(child.content)}\1")
            self._replace(start, stop, said(child.meta["name"], child.content, self.page))
        elif child.type == "code_inline":
            mark = re.escape(child.markup)
            start, stop = self._find(rf"{mark}\s?{_spaced(child.content)}\s?{mark}")
            if (found := NOTEBOOK.fullmatch(child.content)) and self.page.links.exercise(found[1]):
                self._replace(start, stop, f"[`{child.content}`]({self.page.links.exercise(found[1])})")
        elif child.type in {"math_inline", "math_inline_double"}:
            self._find(rf"{re.escape(child.markup)}{_spaced(child.content)}{re.escape(child.markup)}")
        elif child.type == "link_open":
            self.links.append((str(child.attrs["href"]), next_one is not None and next_one.type == "link_close"))
        elif child.type == "link_close":
            self._relink(*self.links.pop())

    def _relink(self, target: str, empty: bool) -> None:
        """A link to another page of the book, or to a label, leads where that is in the plain edition."""
        if ADDRESS.match(target):
            return
        if empty:  # the website puts the title in
            start, stop = self._find(rf"\[\]\({re.escape(target)}\)")
            name = target.lstrip("#")
            role = "ref" if name in self.page.book.sections else "eq" if name in self.page.book.equations else "doc"
            self._replace(start, stop, said(role, name, self.page))
            return
        start, stop = self._find(rf"\]\({re.escape(target)}\)")
        self._replace(start, stop, f"]({self._address(target)})")

    def _address(self, target: str) -> str:
        path, _, fragment = target.partition("#")
        name = path.rpartition("/")[2].removesuffix(".md").removesuffix(".ipynb")
        if not path:
            place = self.page.book.sections.get(fragment)
            return self.page.links.chapter(place.stem, fragment, site_id(fragment)) if place else target
        if name in self.page.book.chapters:
            return self.page.links.chapter(name, fragment, fragment)
        if name in self.page.book.titles and self.page.links.site:
            return self.page.links.page(f"book/{name}", fragment)
        raise NoPlainForm(f"the link to {target!r} leads nowhere outside of the website; use {{doc}}")

    def _find(self, pattern: str) -> tuple[int, int]:
        found = re.compile(pattern).search(self.text, self.here)
        if found is None:
            raise NoPlainForm(f"cannot find {pattern!r} in {self.text[self.here : self.here + 80]!r}")
        self.here = found.end()
        return found.span()

    def _replace_block(self, token: Token, new: str) -> None:
        """Puts a block's plain form where it began; in a list its further lines are indented as far."""
        first, last = token.map
        if token.type == "amsmath":  # its plugin leaves the closing line out
            last = first + len(token.content.strip("\n").split("\n"))
        line = self.text[self.starts[first] :].split("\n", 1)[0]
        begin = re.match(r"(?:\s|[-*+]\s|\d+[.)]\s|>)*", line).end()
        if ">" in line[:begin]:
            raise NoPlainForm(f"{line.strip()!r} stands in a hand-made quote; use an admonition")
        stop = self.starts[last] - 1 if self.starts[last] < len(self.text) else len(self.text)
        indented = new.replace("\n", "\n" + " " * begin)
        self._replace(self.starts[first] + begin, max(stop, self.starts[first] + begin), indented)
        self.here = self.starts[last]

    def _replace(self, start: int, stop: int, new: str) -> None:
        self.edits.append((start, stop, new))


def _spaced(content: str) -> str:
    """A pattern for content whose line breaks, and indents after them, became single spaces."""
    return r"\s+(?:>\s?)?".join(map(re.escape, re.split(r"[ \n]+", content))) if content.strip() else re.escape(content)
