"""The files of the built website: self-contained, described, reachable, readable (tests/test_site_pages opens them)."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from rnncourse.notebooks import notebook_files
from rnncourse.notebooks.files import DEEPER
from tests.browsing import name, pages
from tests.house import ROOT, site

pytestmark = pytest.mark.site
sys.path.insert(0, str(ROOT / "book" / "_ext"))


@cache
def tree(page: Path):
    """A parsed page. (Hundreds are, so by the quickest parser.)"""
    return document_fromstring(page.read_bytes(), parser=HTMLParser(encoding="utf-8"))


def having(kind: str) -> str:
    """The XPath condition of a class."""
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {kind} ')"


def words(element) -> str:
    """An element's text in one line."""
    return " ".join(element.text_content().split())


def test_there_is_a_page_for_every_source():
    sources = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in (ROOT / "book").glob("*.md")}
    notebooks = notebook_files(ROOT, ("book", DEEPER))
    sources |= {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in notebooks}
    assert sources - {name(page) for page in pages()} == set()


def test_every_public_module_has_a_page_that_documents_it():
    from course import api

    missing = [module for module in api.modules(ROOT) if not (site() / "book" / "api" / f"{module}.html").exists()]
    assert missing == []
    index = (site() / "book" / "api" / "index.html").read_text(encoding="utf-8")
    assert [module for module in api.modules(ROOT) if f"{module}.html" not in index] == []


def test_answers_and_machinery_are_no_part_of_the_reference():
    shown = [name(page) for page in pages()] + [path.name for path in site().glob("_modules/**/*.html")]
    for room in ("chapters", "grading", "cli", "bench"):
        assert (ROOT / "rnncourse" / room).is_dir()
        assert not [page for page in shown if f"rnncourse.{room}" in page]
        assert not (site() / "_modules" / "rnncourse" / room).exists()


def test_the_download_is_the_plain_edition_and_the_exercises_lie_beside_it():
    for source in notebook_files(ROOT, ("book", DEEPER)):
        home = source.parent.relative_to(ROOT).as_posix()
        page = tree(site() / home / f"{source.stem}.html")
        links = set(page.xpath(f"//*[{having('dropdown-download-buttons')}]//a/@href"))
        for folder in (home, *(["exercises"] if home == "book" else [])):
            if (ROOT / folder / source.name).exists():
                up = "../" * (home.count("/") + 1)
                assert f"{up}_sources/{folder}/{source.name}" in links
                text = (site() / "_sources" / folder / source.name).read_text(encoding="utf-8")
                assert '"edition": "plain"' in text
                assert not re.search(r"\{(glue:text|doc|term|cite:[pt]|minutes)\}`", text)


def test_the_name_of_an_exercise_downloads_it():
    named = 0
    for page in pages():
        for code in tree(page).xpath("//code[starts-with(normalize-space(.), 'exercises/')]"):
            file = words(code).removesuffix(".ipynb")
            if (ROOT / f"{file}.ipynb").is_file():
                named += 1
                [address] = code.xpath("parent::a/@href")
                assert (page.parent / address).resolve() == site() / "_sources" / f"{file}.ipynb"
    assert named >= len(list((ROOT / "exercises").glob("[0-9]*.ipynb")))


def test_the_plain_edition_numbers_equations_as_the_site_does():
    from rnncourse.notebooks.plain import read_book

    printed = re.compile(r'class="eqno">\(([\dA-Z.]+)\)<a class="headerlink" href="#equation-([\w-]+)"')
    on_site = {}
    for page in pages():
        on_site |= {label: number for number, label in printed.findall(page.read_text(encoding="utf-8"))}
    ours = {label: place.called for label, place in read_book(ROOT).equations.items()}
    assert ours
    assert ours == {label: number for label, number in on_site.items() if label in ours}


def test_every_documented_object_is_public_and_described():
    bare, described = [], 0
    for page in pages():
        entries = tree(page).xpath(f"//dl[{having('py')}]/dt[{having('sig')}]")
        described += len(entries)
        for entry in entries:
            text = entry.xpath("following-sibling::dd[1]")
            if not (text and words(text[0])):
                bare.append(f"{name(page)}: {entry.get('id')}")
    assert bare == []
    assert described > 300


def external(tag) -> list[str]:
    """Addresses on other hosts that this tag makes a browser load (links that a reader clicks are fine)."""
    found = [tag.get(key) for key in ("src", "srcset", "poster", "data")]
    if tag.tag == "link" and not {"canonical", "license"} & set(tag.get("rel", "").split()):
        found.append(tag.get("href"))
    return [address for address in found if re.match(r"(https?:)?//", address or "")]


def loads(page) -> list[str]:
    """What a parsed page makes a browser load from other hosts."""
    return [address for tag in page.iter(etree.Element) for address in external(tag)]


def test_no_page_names_a_file_on_another_host():
    found = {name(page): loads(tree(page)) for page in site().rglob("*.html")}
    assert {page: addresses for page, addresses in found.items() if addresses} == {}


def test_a_file_on_another_host_is_seen():
    html = b"""<!doctype html><link rel="canonical" href="https://a.org/">
    <link rel="icon stylesheet" href="//b.org/x.css">
    <a href="https://c.org/">a link</a><svg><image src="x.png" /></svg><img src="https://d.org/x.png">"""
    assert loads(document_fromstring(html)) == ["//b.org/x.css", "https://d.org/x.png"]


def test_no_stylesheet_loads_from_another_host():
    pattern = re.compile(r"(?:url\(|@import\s*)[\"']?((?:https?:)?//[^)\"' ]+)")
    found = {name(file): pattern.findall(file.read_text(encoding="utf-8")) for file in site().rglob("*.css")}
    assert {file: addresses for file, addresses in found.items() if addresses} == {}


def test_every_formula_was_rendered():
    rendered = 0
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert "katex-error" not in text, name(page)
        assert "#cc0000" not in text, name(page)
        formulas = tree(page).xpath(f"//*[{having('math')}]")
        assert [words(one)[:60] for one in formulas if not one.xpath(f".//*[{having('katex')}]")] == [], name(page)
        rendered += len(formulas)
    assert rendered > 1000


def test_an_unreadable_formula_is_reported(monkeypatch):
    from course import maths

    said = []
    maths.patient()
    monkeypatch.setattr(maths.logger, "warning", lambda *arguments, **_: said.append(arguments))
    assert 'class="katex"' in maths.render(r"h_t = \tanh(W h_{t-1})", True, None)
    assert said == []
    maths.render(r"\undefinedmacro x", False, None)
    maths.render(r"\frac{1", False, None)
    assert len(said) == 2


def test_every_image_says_what_it_shows():
    silent, seen = [], 0
    for page in pages():
        for image in tree(page).xpath("//article//img | //article//svg[@role='img']"):
            spoken = ("alt",) if image.tag == "img" else ("aria-labelledby", "aria-label")
            says = next((image.get(key) for key in spoken if image.get(key)), "")
            if len(says.strip()) < 5 or re.search(r"\.(png|svg|jpe?g)$|^_images", says):
                silent.append(f"{name(page)}: {image.get('src', image.tag)} says {says!r}")
            seen += 1
    assert silent == []
    assert seen > 100


CAPTION = ("caption-number", "caption-text")


def test_every_figure_of_a_cell_has_a_number_a_caption_and_a_dark_variant():
    drawn = 0
    for page in pages():
        for image in tree(page).xpath(f"//*[{having('cell_output')}]//img"):
            figure = image.xpath(f"ancestor::figure[{having('drawn')}]")
            assert figure, (name(page), image.get("alt"))
            assert figure[0].xpath(f".//img[{having('only-dark')}]"), (name(page), image.get("alt"))
            number, caption = (figure[0].xpath(f".//figcaption//*[{having(part)}]") for part in CAPTION)
            assert re.fullmatch(r"Figure \d+[A-Z]?\.\d+", words(number[0])), (name(page), image.get("alt"))
            assert len(words(caption[0]).strip("\u200b #")) > 5, (name(page), image.get("alt"))
            drawn += 1
    assert drawn > 100


def test_every_page_has_one_title_and_ordered_headings():
    for page in pages():
        ranks = " or ".join(f"self::h{rank}" for rank in range(1, 7))
        headings = tree(page).xpath(f"//article//*[{ranks}][not({having('rubric')})]")
        levels = [int(heading.tag[1]) for heading in headings]
        assert levels.count(1) == 1, name(page)
        jumps = [(a, b) for a, b in zip(levels, levels[1:], strict=False) if b > a + 1]
        assert jumps == [], name(page)


def test_every_page_of_the_book_says_what_it_is_about():
    for page in site().glob("book/*.html"):
        about = tree(page).xpath("//meta[@name='description']/@content")
        assert about, name(page)
        assert 40 < len(about[0]) <= 160, name(page)


def test_every_link_inside_the_site_leads_somewhere():
    broken = []
    identifiers = cache(lambda page: set(tree(page).xpath("//@id | //a/@name")))
    followed = 0
    for page in pages():
        for link in tree(page).xpath("//a/@href"):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.exists():
                broken.append(f"{name(page)} -> {link}")
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in identifiers(target):
                broken.append(f"{name(page)} -> {link} (no such place)")
            followed += 1
    assert broken == []
    assert followed > 10_000


def test_lychee_finds_no_broken_link():
    command = [
        "lychee",
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--root-dir",
        str(site()),
        "--exclude-path",
        "_static/.*webpack",
        "--exclude-path",
        "404.html",
        str(site() / "book"),
    ]
    lychee = Path(sys.executable).with_name("lychee")
    command[0] = str(lychee) if lychee.exists() else "lychee"
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def chapter_pages():
    """Chapters, without the deeper pages beside them."""
    return [page for page in pages() if re.match(r"\d\d_", page.name) and page.parent.name == "book"]


def test_code_in_chapters_links_to_the_reference():
    assert chapter_pages(), "no chapter is on the site"
    for page in chapter_pages():
        links = tree(page).xpath(f"//a[{having('sphinx-codeautolink-a')}]/@href")
        assert any("api/rnncourse" in link for link in links), f"{name(page)} links no code to the reference"


def test_a_pages_number_is_that_of_its_file():
    for page in pages():
        found = re.match(r"(\d\d)_", page.name)
        if found:
            said = words(tree(page).xpath(f"//article//h1//*[{having('section-number')}]")[0])
            letter = "" if page.parent.name == "book" else "[A-Z]"  # a deeper page is 5A, 5B, …
            assert re.fullmatch(rf"{int(found[1])}{letter}\.", said), (name(page), said)


def test_every_icon_has_a_shape():
    style = (site() / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    classes = {kinds for page in pages() for kinds in tree(page).xpath("//@class[contains(., 'fa-')]")}
    used = {kind for kinds in classes for kind in kinds.split() if kind.startswith("fa-")}
    assert used
    assert [
        icon
        for icon in sorted(used - {"fa-solid", "fa-brands", "fa-regular", "fa-lg"})
        if f".{icon}:before" not in style
    ] == []


def test_the_repository_is_one_setting(tmp_path):
    import yaml

    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    chapter = next(page for page in pages() if re.match(r"\d\d_", page.name))
    text = chapter.read_text(encoding="utf-8")
    shown = {"colab.research.google.com" in text, "/edit/" in text, "/issues/new" in text}
    assert shown == {bool(config["repository"]["url"])}
