"""What a reader takes away from a chapter's page: the plain edition of the chapter and of its exercises."""

import shutil
import tempfile
from pathlib import Path

from docutils import nodes

from rnncourse.notebooks.plain import write_edition

BRANCH = "notebooks"  # where the workflow that publishes the site puts what Colab opens


def buttons(app, pagename, templatename, context, doctree):
    """Beside the chapter's own button one for its exercises; the launch button opens the plain edition."""
    stem = Path(pagename).name
    exercises = (Path(app.srcdir) / "exercises" / f"{stem}.ipynb").exists() and pagename == f"book/{stem}"
    for group in context.get("header_buttons") or []:
        inside = group.get("buttons", [])
        if exercises and group.get("label") == "download-buttons":
            inside.insert(1, exercise_button(f"{context['pathto']('_sources', 1)}/exercises/{stem}.ipynb"))
        for button in inside:
            if button.get("url"):
                button["url"] = plain_address(button["url"], app.config.html_theme_options)


def links(app, doctree, docname):
    """Where a page names the notebook of an exercise, the name downloads it."""
    if app.builder.name != "html":
        return
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext()
        if name.startswith("exercises/") and (Path(app.srcdir) / name).is_file():
            address = f"{'../' * docname.count('/')}_sources/{name}"
            literal.replace_self(nodes.reference("", "", literal.deepcopy(), internal=True, refuri=address))


def exercise_button(url: str) -> dict[str, str]:
    """A button of the download group, as the theme describes one."""
    return {
        "type": "link",
        "url": url,
        "text": "exercises",
        "tooltip": "Download the exercises of this chapter",
        "icon": "fas fa-file",
        "label": "download-exercises-button",
    }


def plain_address(url: str, options) -> str:
    """A launch button's address, led to the plain edition.

    >>> plain_address("https://colab.research.google.com/github/a/b/blob/main/book/02_x.ipynb", {})
    'https://colab.research.google.com/github/a/b/blob/notebooks/chapters/02_x.ipynb'
    """
    branch = options.get("repository_branch") or "main"
    return url.replace(f"/blob/{branch}/book/", f"/blob/{BRANCH}/chapters/") if "colab." in url else url


def deliver(app, exception):
    """The download button leads to the page's source; there the plain edition takes its place."""
    sources = Path(app.outdir) / "_sources"
    if exception or app.builder.format != "html" or not sources.is_dir():
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in write_edition(Path(app.srcdir), Path(folder), online=True):
            target = sources / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def connect(app):
    """After the theme has made its buttons (priority 500), and when everything is written."""
    app.connect("html-page-context", buttons, priority=900)
    app.connect("doctree-resolved", links)
    app.connect("build-finished", deliver)
