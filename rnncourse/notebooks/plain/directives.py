"""Directives: what stands in the place of a fenced block that begins with ``{name}``."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rnncourse.notebooks.plain.equations import displayed
from rnncourse.notebooks.plain.links import linked
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.refusals import NoPlainForm

__all__ = ["DIRECTIVES", "Block", "read_block", "rewritten"]

NAMED = re.compile(r"\{(?P<name>[\w:+-]+)\}\s*(?P<argument>.*)", re.DOTALL)
OPTION = re.compile(r":(?P<name>[\w-]+):\s*(?P<value>.*)")
TITLES = """
attention caution danger error hint important note seealso tip todo warning
exercise solution prf:theorem prf:lemma prf:proof prf:definition prf:example prf:remark prf:proposition prf:algorithm
"""
CONTAINERS = "card container div grid grid-item grid-item-card margin sidebar tab-item tab-set topic"
TITLED = {"card", "grid-item-card", "margin", "sidebar", "tab-item", "topic"}  # whose argument is a title, not a layout
BOXES = {name: name.rpartition(":")[2].capitalize() for name in TITLES.split()} | {"seealso": "See also"}


@dataclass(frozen=True)
class Block:
    """A directive taken apart.

    Attributes:
        name: Such as "admonition".
        argument: What follows the name in its first line.
        options: The ``:name: value`` lines below it.
        body: The rest.
        say: Rewrites a piece of the body, or of the argument, that stands in a quote or does not.
        quoted: Whether the directive itself stands in a quote.
        page: The notebook that it is part of.
    """

    name: str
    argument: str
    options: dict[str, str]
    body: str
    say: Callable[[str, bool], str]
    quoted: bool
    page: Page

    @property
    def title(self) -> str:
        """The argument, rewritten."""
        return self.say(self.argument, True).strip()


def read_block(info: str, content: str) -> tuple[str, str, dict[str, str], str] | None:
    """Returns a fence's name, argument, options and body, or None where it is a fence of code.

    >>> read_block("{note}", ":class: aside" + chr(10) + "Text")
    ('note', '', {'class': 'aside'}, 'Text')
    """
    named = NAMED.fullmatch(info.strip())
    if named is None:
        return None
    lines, options = content.splitlines(), {}
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:]):
        end = next(place for place, line in enumerate(lines[1:], start=1) if line.strip() == "---")
        pairs = (line.partition(":") for line in lines[1:end])
        options, lines = {name.strip(): value.strip() for name, _, value in pairs}, lines[end + 1 :]
    while lines and (found := OPTION.fullmatch(lines[0].strip())):
        options[found["name"]] = found["value"]
        lines = lines[1:]
    return named["name"], named["argument"].strip(), options, "\n".join(lines).strip("\n")


def rewritten(block: Block) -> str:
    """Returns a directive in plain Markdown.

    Raises:
        NoPlainForm: If it is not known here.
    """
    if block.name in BOXES:
        return _box(block)
    if block.name not in DIRECTIVES:
        raise NoPlainForm(
            f"the directive {{{block.name}}} has no plain form; give it one in rnncourse/notebooks/plain/directives.py"
        )
    return DIRECTIVES[block.name](block)


def _box(block: Block) -> str:
    if "dropdown" in block.options.get("class", "").split() or "dropdown" in block.options:
        return _folded(block)
    known = BOXES.get(block.name, "")
    title = f"{known}: {block.title}" if known and block.argument else known or block.title
    return _quote("\n\n".join(filter(None, [f"**{title}**" if title else "", block.say(block.body, True)])))


def _folded(block: Block) -> str:
    """What opens on a click; the blank lines let Markdown be read inside."""
    title = re.sub(r"`([^`]+)`", r"<code>\1</code>", block.title or BOXES.get(block.name, "More"))
    return f"<details>\n<summary><b>{title}</b></summary>\n\n{block.say(block.body, block.quoted)}\n\n</details>"


def _container(block: Block) -> str:
    """What only lays out: its content, under its title where it has one."""
    titled = block.argument and block.name in TITLED
    return "\n\n".join(filter(None, [f"**{block.title}**" if titled else "", block.say(block.body, block.quoted)]))


def _quotation(block: Block) -> str:
    return _quote(block.say(block.body, True))


def _formula(block: Block) -> str:
    label = block.options.get("label", "")
    number = block.page.book.equations[label].called if label else ""
    return displayed("\n".join(filter(None, [block.argument, block.body])), number, label, quoted=block.quoted)


def _code(block: Block) -> str:
    fence = "`" * (3 + 2 * ("```" in block.body))
    return f"{fence}{block.argument}\n{block.body}\n{fence}"


def _table(block: Block) -> str:
    caption = [f"*{block.title}*"] if block.argument else []
    return "\n\n".join([*caption, block.say(block.body, block.quoted)])


def _list_table(block: Block) -> str:
    """A list of lists of one-line entries as a table of bars."""
    rows: list[list[str]] = []
    for line in block.body.splitlines():
        if found := re.match(r"(?P<row>\*\s+)?\s*-\s?(?P<entry>.*)", line.rstrip()):
            rows = [*rows, []] if found["row"] else rows
            rows[-1].append(found["entry"])
        elif line.strip():
            rows[-1][-1] += " " + line.strip()
    if not int(block.options.get("header-rows", "0")):
        rows.insert(0, [""] * len(rows[0]))
    lines = [f"| {' | '.join(block.say(entry, True).strip() for entry in row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    caption = [f"*{block.title}*", ""] if block.argument else []
    return "\n".join([*caption, *lines])


def _raw(block: Block) -> str:
    """HTML stays, less its scripts, which no notebook would run."""
    return re.sub(r"<script\b.*?</script>", "", block.body, flags=re.DOTALL).strip() if block.argument == "html" else ""


def _live(block: Block) -> str:
    """A figure that moves needs the website; here stands what it shows, and where it is."""
    links = block.page.links
    title = linked("A figure to move, on the course's website", links.page(f"book/{links.here}"))
    return _quote("\n\n".join(filter(None, [f"**{title}**", block.say(block.body, True)])))


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


DIRECTIVES: dict[str, Callable[[Block], str]] = {
    "admonition": _box,
    "dropdown": _folded,
    "toggle": _folded,
    "epigraph": _quotation,
    "highlights": _quotation,
    "pull-quote": _quotation,
    "math": _formula,
    "code": _code,
    "code-block": _code,
    "sourcecode": _code,
    "table": _table,
    "list-table": _list_table,
    "raw": _raw,
    "live": _live,
    **dict.fromkeys(CONTAINERS.split(), _container),
}
