"""The role ``{minutes}``: how long a page takes to read, computed from the page."""

from pathlib import Path

from docutils import nodes

from rnncourse.notebooks import length, read


def minutes(name, rawtext, text, lineno, inliner, options=None, content=None):
    """``{minutes}`05_lstm``` becomes "50 minutes"; a page that is not there is an error."""
    env = inliner.document.settings.env
    for folder in ("book", "book/deeper"):
        path = Path(env.srcdir) / folder / f"{text}.ipynb"
        if path.is_file():
            env.note_dependency(str(path))
            return [nodes.Text(f"{length(read(path)).minutes} minutes")], []
    message = inliner.reporter.error(f"there is no page {text!r} whose reading takes minutes", line=lineno)
    return [inliner.problematic(rawtext, rawtext, message)], [message]


def connect(app):
    app.add_role("minutes", minutes)
