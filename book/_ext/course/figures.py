"""The figures of a chapter: numbered, captioned, sharp, in light and dark, of a known size and readable on a phone.

A notebook stores a figure once, drawn for white paper. A caption stands in its cell's metadata, as
``mystnb.figure.caption``; the number comes from here and is that of the plain edition. The dark variant is made from
the stored one, and the browser fetches only what it shows. Where the column is narrow a figure shrinks until its
smallest text would be under nine pixels, and then scrolls in its own box.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from PIL import Image

from course.darkness import dark_png

DENSITY, SMALLEST, LEGIBLE = 130, 8.0, 9  # rnncourse.viz.style's pixels to the inch and points; pixels on the screen
CHAPTER = re.compile(r"book/(?:deeper/)?(\d\d)_")  # a deeper page's figures are 5A.1, 5A.2
PICTURE = re.compile(r'<img\b(?P<attributes>[^>]*?\bsrc="(?P<source>[^"]*_images/(?P<name>[^"/]+))"[^>]*?)\s*/?>')
DRAWN = re.compile(r"[0-9a-f]{64}\.png")  # the name of a picture that came out of a cell
NOTHING = "\u200b"  # a space of no width: Sphinx counts no figure whose caption is empty
LENGTH = re.compile(r"([\d.]+)(pt|px|)$")


def outputs(doctree):
    """Every figure that a cell drew, in order: the node that holds all forms in which it was stored."""
    for bundle in doctree.findall(nodes.container):
        if bundle.get("nb_element") == "mime_bundle" and any(bundle.findall(nodes.image)):
            yield bundle


def number(app, doctree):
    """Each becomes a figure with a place that can be linked to; Sphinx counts them."""
    found = CHAPTER.match(app.env.docname)
    if not found:
        return
    for count, bundle in enumerate(list(outputs(doctree)), start=1):
        figure = bundle.parent
        if not isinstance(figure, nodes.figure):
            figure = nodes.figure()
            bundle.replace_self(figure)
            figure += bundle
        if not any(isinstance(child, nodes.caption) for child in figure):
            figure += nodes.caption("", NOTHING)
        if not figure["ids"]:
            figure["ids"].append(f"figure-{int(found[1])}-{count}")
        figure["classes"].append("drawn")
        for image in bundle.findall(nodes.image):
            for length in ("width", "height"):
                image.attributes.pop(length, None)  # a notebook's own; the page's are written below


@cache
def size(file: Path) -> tuple[int, int] | None:
    """A picture's width and height in the page's pixels; a drawing's density is written in it."""
    if file.suffix == ".svg":
        return svg_size(file.read_text(encoding="utf-8"))
    with Image.open(file) as image:
        density = image.info.get("dpi", (DENSITY,))[0] if DRAWN.fullmatch(file.name) else DENSITY
        return tuple(round(length * DENSITY / density) for length in image.size)


def svg_size(text: str) -> tuple[int, int] | None:
    """What a drawing says of its own size.

    >>> svg_size('<svg width="30" height="20">'), svg_size('<svg viewBox="0 0 8 4">'), svg_size("<svg>")
    ((30, 20), (8, 4), None)
    """
    head = re.search(r"<svg\b[^>]*>", text)[0]
    said = [re.search(rf'\s{name}="([^"]+)"', head) for name in ("width", "height")]
    lengths = [LENGTH.match(found[1]) for found in said if found]
    if len(lengths) == 2 and all(lengths):
        return tuple(round(float(found[1]) * (4 / 3 if found[2] == "pt" else 1)) for found in lengths)
    box = re.search(r'viewBox="([^"]+)"', head)
    return tuple(round(float(length)) for length in box[1].split()[2:]) if box else None


def least_width(width: int) -> int:
    """How narrow a figure may be shown: its smallest text is then as small as it may be.

    >>> least_width(1000)
    623
    """
    return round(width * LEGIBLE / (SMALLEST * DENSITY / 72))


def dress(html: str, folder: Path) -> str:
    """Sizes for every picture that lies in this folder, and for those that a cell drew two variants in a box."""

    def dressed(found: re.Match) -> str:
        file = folder / found["name"]
        measured = size(file) if file.exists() else None
        if measured is None or "width=" in found["attributes"]:
            return found[0]
        attributes = f'{found["attributes"].strip()} width="{measured[0]}" height="{measured[1]}"'
        if not DRAWN.fullmatch(file.name):
            return f"<img {attributes} />"
        dark = file.with_name(f"{file.stem}-dark.png")
        if not dark.exists():
            dark.write_bytes(dark_png(file.read_bytes()))
        attributes += f' style="--least: {least_width(measured[0])}px" loading="lazy" decoding="async"'
        night = attributes.replace(found["source"], found["source"].replace(file.name, dark.name))
        return f'<span class="scroll"><img class="only-light" {attributes} /><img class="only-dark" {night} /></span>'

    return PICTURE.sub(dressed, html)


def finish(app, exception):
    """When the pictures have been copied; a page that was written before is left as it is."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_images"
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (better := dress(text, folder)) != text:
            page.write_text(better, encoding="utf-8")


def connect(app):
    """Number while reading, so that references find a number; dress when all is written."""
    app.connect("doctree-read", number)
    app.connect("build-finished", finish)
