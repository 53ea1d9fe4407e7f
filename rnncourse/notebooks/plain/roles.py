"""Roles: what stands in a sentence in the place of ``{name}`text```."""

import re
from collections.abc import Callable

from rnncourse.notebooks.plain import equations
from rnncourse.notebooks.plain.citations import Work
from rnncourse.notebooks.plain.links import linked, site_id
from rnncourse.notebooks.plain.numbers import formatted
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.refusals import NoPlainForm

__all__ = ["ROLES", "said"]

EXPLICIT = re.compile(r"(?P<text>.+?)\s*<(?P<target>[^<>]+)>", re.DOTALL)


def said(name: str, content: str, page: Page) -> str:
    """Returns what a role says, in plain Markdown.

    Raises:
        NoPlainForm: If the role is not known here, or what it points at does not exist.
    """
    role = ROLES.get(name) or (_code if name.startswith("py:") else None)
    if role is None:
        raise NoPlainForm(f"the role {{{name}}} has no plain form; give it one in rnncourse/notebooks/plain/roles.py")
    return role(content, page)


def _split(content: str) -> tuple[str, str]:
    """``text <target>`` taken apart; without a target the text is one."""
    found = EXPLICIT.fullmatch(content)
    return (found["text"], found["target"]) if found else ("", content)


def _number(content: str, page: Page) -> str:
    return formatted(content, page.numbers)


def _cited(content: str, page: Page) -> list[tuple[Work, str]]:
    """The works, each with where it is to be had: elsewhere, or on the list at the notebook's end."""
    works = []
    for key in (part.strip() for part in content.split(",")):
        if key not in page.book.works:
            raise NoPlainForm(f"no work {key!r} is in book/references.bib")
        page.cited[key] = None
        work = page.book.works[key]
        works.append((work, work.address or f"#work-{key}"))
    return works


def _in_brackets(content: str, page: Page) -> str:
    return "(" + "; ".join(linked(f"{w.names}, {w.year}", where) for w, where in _cited(content, page)) + ")"


def _in_the_text(content: str, page: Page) -> str:
    works = [linked(f"{work.names} ({work.year})", where) for work, where in _cited(content, page)]
    return works[0] if len(works) == 1 else f"{', '.join(works[:-1])} and {works[-1]}"


def _document(content: str, page: Page) -> str:
    text, target = _split(content)
    name = target.rpartition("/")[2].removesuffix(".md").removesuffix(".ipynb")
    title = page.book.titles.get(name, "")
    if name in page.book.chapters:
        return linked(text or title, page.links.chapter(name))
    if title:
        address = page.links.page(f"book/{name}")
        return linked(text or title, address) if address else text or f"*{title}* (on the course's website)"
    if found := re.match(r"(\d\d)_\w+$", name):  # a chapter that is not written yet
        return text or f"chapter {int(found[1])}"
    if "/" in target and text:  # the reference, which only the website has
        return linked(text, page.links.page(f"book/{target.lstrip('/').removeprefix('book/')}"))
    raise NoPlainForm(f"there is no page {target!r}")


def _section(content: str, page: Page) -> str:
    text, target = _split(content)
    if place := page.book.sections.get(target):
        return linked(text or place.called, page.links.chapter(place.stem, target, site_id(target)))
    if place := page.book.equations.get(target):
        return _equation(target, page)
    raise NoPlainForm(f"there is no label {target!r}")


def _equation(content: str, page: Page) -> str:
    place = page.book.equations.get(content)
    if place is None:
        raise NoPlainForm(f"there is no equation {content!r}")
    address = page.links.chapter(place.stem, equations.anchor(content), f"equation-{content}")
    return linked(f"({place.called})", address)


def _word(content: str, page: Page) -> str:
    text, target = _split(content)
    word = page.book.words.get(target.lower())
    if word is None:
        raise NoPlainForm(f"the glossary has no word {target!r}")
    page.spoken[target.lower()] = None
    return linked(text or target, f"#{word.anchor}")


def _code(content: str, page: Page) -> str:
    text, target = _split(content)
    return f"`{text or (target.rpartition('.')[2] if target.startswith('~') else target)}`"


def _function(content: str, page: Page) -> str:
    plain = _code(content, page)
    return plain if plain.endswith(")`") or " " in plain else f"{plain[:-1]}()`"


def _formula(content: str, page: Page) -> str:
    return f"${content}$"


def _minutes(content: str, page: Page) -> str:
    if content not in page.book.minutes:
        raise NoPlainForm(f"there is no page {content!r} whose reading takes minutes")
    return f"{page.book.minutes[content]} minutes"


def _html(tag: str) -> Callable[[str, Page], str]:
    return lambda content, page: f"<{tag}>{content}</{tag}>"


def _plain(content: str, page: Page) -> str:
    return _split(content)[0] or content


def _abbreviation(content: str, page: Page) -> str:
    found = re.fullmatch(r"(.+?)\s*\((.+)\)", content)
    return f"{found[1]} ({found[2]})" if found else content


ROLES: dict[str, Callable[[str, Page], str]] = {
    "glue": _number,
    "glue:": _number,
    "glue:any": _number,
    "glue:text": _number,
    "cite": _in_brackets,
    "cite:p": _in_brackets,
    "cite:ps": _in_brackets,
    "cite:t": _in_the_text,
    "cite:ts": _in_the_text,
    "doc": _document,
    "ref": _section,
    "eq": _equation,
    "math:numref": _equation,
    "term": _word,
    "minutes": _minutes,
    "py:func": _function,
    "py:meth": _function,
    "code": _code,
    "math": _formula,
    "sub": _html("sub"),
    "sup": _html("sup"),
    "kbd": _html("kbd"),
    "abbr": _abbreviation,
    "guilabel": _plain,
    "file": _code,
}
