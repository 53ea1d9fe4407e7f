"""Print the site as a PDF: ``python -m book._ext.pdf [05_lstm …] [--out FILE]``; without names, the whole book.

The pages are those of the built site, so that formulas, figures and numbers are the same. They are joined into one
page with one table of contents, links between them lead inside the document, what was folded is open, and the quiz's
answers stand at the end. A Chromium or Chrome prints it.
"""

import argparse
import posixpath
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urldefrag

from bs4 import BeautifulSoup, Tag

from book._ext.browsers import chromium
from book._ext.build import OUT, SITE

FRONT = ("index", "setup", "notation")
BACK = ("glossary", "data_cards", "ledger", "bibliography")
STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-center { content: counter(page); font: 10px sans-serif; } }
html, body { background: #fff; }
body { max-width: none; margin: 0; font-size: 15px; }
article.bd-article { padding: 0; break-before: page; }
article.bd-article:first-of-type { break-before: auto; }
a.headerlink, .copybtn, .reveal, .lf-controls, .start-reading, .toctree-wrapper { display: none !important; }
div.highlight pre, div.cell_output pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 11px; }
div.wide, .math, .bd-article div.math { overflow: visible; }
div.wide table { font-size: 11px; width: 100%; }
img, svg { max-width: 100%; break-inside: avoid; }
h1, h2, h3, h4 { break-after: avoid; }
.lf-narrow { display: none; }
nav.contents li { list-style: none; }
"""


def chapters() -> list[str]:
    """The chapters on the site, in order, each with its deeper pages after it."""
    found = [*(SITE / "book").glob("[0-9][0-9]_*.html"), *(SITE / "book" / "deeper").glob("[0-9][0-9]_*.html")]
    in_order = sorted(found, key=lambda page: (page.stem[:2], page.parent.name == "deeper", page.stem))
    return [page.relative_to(SITE / "book").with_suffix("").as_posix() for page in in_order]


def article(name: str) -> Tag:
    """What stands on a page, without the frame around it, with addresses as they are seen from the folder ``book``."""
    page = SITE / "book" / f"{name}.html"
    if not page.exists():
        raise SystemExit(f"there is no page {name!r} on the site; the chapters are {', '.join(chapters())}")
    return seen_from_book(name, parsed(page).select_one("article.bd-article"))


def parsed(page: Path) -> BeautifulSoup:
    """A page of the site."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def seen_from_book(name: str, part: Tag) -> Tag:
    """A part of a page in a folder below, whose pictures, sheets and links are to be found from the folder above."""
    folder = posixpath.dirname(name)
    for tag in part.find_all(["a", "img", "link"]) if folder else []:
        for key in ("href", "src"):
            if tag.get(key) and not re.match(r"[a-z]+:|#", tag[key]):
                tag[key] = posixpath.normpath(posixpath.join(folder, tag[key]))
    return part


def joined(names: list[str]) -> str:
    """One page out of many, as HTML that lies beside the site's own pages."""
    head = seen_from_book(names[0], parsed(SITE / "book" / f"{names[0]}.html").head)
    sheets = "".join(str(link) for link in head.select('link[rel~="stylesheet"]'))
    articles = {posixpath.basename(name): article(name) for name in names}
    for name, one in articles.items():
        settle(one, name, list(articles))
    answers = "".join(folded_answers(name, one) for name, one in articles.items())
    title = head.title.get_text()
    contents = "".join(f'<li><a href="#{name}">{heading(one)}</a></li>' for name, one in articles.items())
    body = "".join(f'<div id="{name}">{one}</div>' for name, one in articles.items())
    ending = f'<article class="bd-article"><h1>Answers to the quizzes</h1>{answers}</article>' if answers else ""
    start = f'<nav class="contents"><h1>{title}</h1><ul>{contents}</ul></nav>' if len(names) > 1 else ""
    return (
        f'<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>{title}</title>{sheets}'
        f"<style>{STYLE}</style><body>{start}{body}{ending}</body></html>"
    )


def heading(one: Tag) -> str:
    """A page's title without its link."""
    title = one.find("h1")
    return title.get_text().rstrip("#").strip() if title else ""


def settle(one: Tag, name: str, names: list[str]) -> None:
    """Names that are unique in the whole document, links that stay in it, and nothing folded."""
    for tag in one.find_all(id=True):
        tag["id"] = f"{name}--{tag['id']}"
    for link in one.find_all("a", href=True):
        page, anchor = urldefrag(link["href"])
        target = Path(page).stem if page.endswith(".html") else name if not page else ""
        if target in names:
            link["href"] = f"#{target}--{anchor}" if anchor else f"#{target}"
        elif not page.startswith(("http:", "https:", "mailto:")):
            link.name = "span"  # a page that is not printed
            del link["href"]
    for unneeded in one.find_all(["script", "button", "input"]):
        unneeded.decompose()


def folded_answers(name: str, one: Tag) -> str:
    """Take the quiz's answers out of a chapter, to print them at the end; whatever else is folded is opened."""
    taken = []
    for folded in one.find_all("details"):
        title = folded.find("summary").get_text(" ", strip=True)
        if title.startswith("Answer"):
            folded.find("summary").decompose()
            taken.append(folded.decode_contents())
            folded.decompose()
        else:
            folded["open"] = ""
    if not taken:
        return ""
    listed = "".join(f"<li>{answer}</li>" for answer in taken)
    return f"<h2>{heading(one)}</h2><ol>{listed}</ol>"


def print_pages(names: list[str], out: Path) -> int:
    """Join, print, and say where; 0 when the file is there."""
    if not (SITE / "index.html").exists():
        print("There is no site yet. Type: make book (or python -m book._ext.build)", file=sys.stderr)
        return 1
    browser = chromium()
    if browser is None:
        raise SystemExit("no browser was found; install Chromium or Chrome, or set CHROMIUM=/path/to/it")
    page = SITE / "book" / "print.html"
    page.write_text(joined(names), encoding="utf-8")
    out.parent.mkdir(parents=True, exist_ok=True)
    print(f"Printing {len(names)} page(s) (up to a minute) …", flush=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={out.resolve()}", page.resolve().as_uri()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    page.unlink()
    if run.returncode or not out.exists():
        print(f"The browser did not print:\n{run.stderr[-2000:]}", file=sys.stderr)
        return 1
    print(f"{out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m book._ext.pdf", description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 05_lstm; the whole book without any")
    parser.add_argument("--out", type=Path, help="where to write (default: _build/pdf/NAME.pdf)")
    options = parser.parse_args()
    wanted = options.chapters or [*FRONT, *chapters(), *BACK]
    name = "-".join(map(posixpath.basename, options.chapters)) or "rnncourse"
    sys.exit(print_pages(wanted, options.out or OUT / "pdf" / f"{name}.pdf"))
