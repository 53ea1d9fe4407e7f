"""A glossary term's link carries its definition's first sentence, which ``js/cards.js`` shows on a card."""

import re

from docutils import nodes
from sphinx import addnodes

LONGEST = 220


def first_sentence(text: str) -> str:
    """The first sentence of a definition, cut at a word where it is very long.

    >>> first_sentence("What is carried. More here.")
    'What is carried.'
    >>> first_sentence("Gates (Gers et al. 2000) open. They close.")
    'Gates (Gers et al. 2000) open.'
    """
    sentence = re.split(r"(?<=[.!?])(?<!et al\.)(?<!e\.g\.)(?<!i\.e\.)\s", " ".join(text.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= LONGEST else sentence[:LONGEST].rsplit(" ", 1)[0] + " …"


def plain(node) -> str:
    """A node's words, with formulas left out where they stand alone."""
    return node.astext()


def collect(app, doctree):
    """Remember each term's definition while the glossary page is read."""
    terms = getattr(app.env, "course_terms", None)
    if terms is None:
        terms = app.env.course_terms = {}
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            definition = next(iter(item.findall(nodes.definition)), None)
            for term in item.findall(nodes.term):
                for identifier in term["ids"]:
                    terms[identifier] = first_sentence(plain(definition)) if definition is not None else ""


def annotate(app, doctree, docname):
    """Give each link to a term its tip."""
    terms = getattr(app.env, "course_terms", {})
    for reference in doctree.findall(nodes.reference):
        identifier = reference.get("refid") or (reference.get("refuri") or "").partition("#")[2]
        if identifier.startswith("term-") and terms.get(identifier):
            reference["reftitle"] = terms[identifier]
            reference["classes"].append("term")


def merge(app, env, docnames, other):
    """Join what parallel readers found."""
    env.course_terms = {**getattr(env, "course_terms", {}), **getattr(other, "course_terms", {})}


def connect(app):
    """Collect while reading, annotate while writing."""
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", annotate)
    app.connect("env-merge-info", merge)
