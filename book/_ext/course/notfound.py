"""The page for an address that leads nowhere: ``404.html``, which carries its own style.

A server shows it in the place of any missing page, at whatever depth, in a subfolder as much as at the top. So nothing
in it may hang on where it seems to lie: its style is inside it, and its links start from the site's address where that
is known. Where it is not, they are right beside the site's own pages, as from the disk; elsewhere a few lines find out.
"""

import re
from urllib.parse import urlsplit

CHAPTER = re.compile(r"book/(\d\d)_")


def root(baseurl: str) -> str:
    """Where the site begins on its host, or nothing when its address is not known.

    >>> root("https://someone.github.io/rnncourse/"), root("https://rnn.example"), root("")
    ('/rnncourse/', '/', '')
    """
    return urlsplit(baseurl).path.rstrip("/") + "/" if baseurl else ""


def chapters(app) -> list[tuple[int, str, str]]:
    """The chapters in the book: number, address and title."""
    found = ((CHAPTER.match(name), name) for name in sorted(app.env.found_docs))
    return [
        (int(match[1]), app.builder.get_target_uri(name), app.env.titles[name].astext())
        for match, name in found
        if match and name in app.env.titles
    ]


def collect(app):
    """One more page for the builder to write."""
    yield "404", {"site": root(app.config.html_baseurl), "chapters": chapters(app)}, "404.html"


def connect(app):
    app.connect("html-collect-pages", collect)
