"""What the website needs beyond Jupyter Book: one small module per concern."""

from course import api, glossary, live, maths, numbers, page, questions, references, repository

CONCERNS = (repository, api, maths, live, numbers, references, glossary, questions, page)


def setup(app):
    """Connect every concern to the build."""
    for concern in CONCERNS:
        concern.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
