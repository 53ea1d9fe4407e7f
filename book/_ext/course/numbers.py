"""A chapter's number is the number in its file name; its deeper pages are counted by letters: 5, 5A, 5B."""

import re

from sphinx_external_toc.collectors import TocTreeCollectorWithStyles as Collector

from rnncourse.notebooks import page_number

CHAPTER = re.compile(r"book/(deeper/)?(\d\d_\w+)")
_assign = Collector.assign_section_numbers


def assign_section_numbers(self, env):
    """Sphinx's numbers, then each page's own; sections inside a page carry none."""
    changed = _assign(self, env)
    pages = sorted(env.found_docs & set(env.tocs))
    deeper = [found[2] for page in pages if (found := CHAPTER.fullmatch(page)) and found[1]]
    for document in pages:
        found = CHAPTER.fullmatch(document)
        if not found:
            continue
        number = (page_number(found[2], deeper),)
        numbers = {}
        references = env.tocs[document].findall(lambda node: "anchorname" in getattr(node, "attributes", {}))
        for position, reference in enumerate(references):
            numbers[reference["anchorname"]] = () if position else number
            reference["secnumber"] = None if position else list(number)
        numbers.setdefault("", number)
        env.toc_secnumbers[document] = numbers
        env.titles[document]["secnumber"] = number
    return changed


def connect(app):
    """Replace Sphinx's numbering, which counts the entries of a table of contents."""
    Collector.assign_section_numbers = assign_section_numbers
