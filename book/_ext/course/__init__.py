"""What the website needs beyond Jupyter Book: one small module per concern."""

from course import (
    api,
    cards,
    code,
    downloads,
    figures,
    glossary,
    icons,
    live,
    maths,
    minutes,
    notfound,
    numbers,
    page,
    questions,
    references,
    repository,
    search,
    typography,
)

# What changes a page once it is written runs in this order.
CONCERNS = (repository, api, maths, live, minutes, numbers, references, glossary, search, questions)
CONCERNS += (notfound, page, code, typography, downloads, figures, cards, icons)


def setup(app):
    """Connect every concern to the build."""
    for concern in CONCERNS:
        concern.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
