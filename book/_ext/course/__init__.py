"""What the website needs beyond Jupyter Book: one small module per concern."""

from course import (
    api,
    downloads,
    glossary,
    live,
    maths,
    minutes,
    numbers,
    page,
    questions,
    references,
    repository,
    search,
)

CONCERNS = (repository, api, maths, live, minutes, numbers, references, glossary, search, questions, page, downloads)


def setup(app):
    """Connect every concern to the build."""
    for concern in CONCERNS:
        concern.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
