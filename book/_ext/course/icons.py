"""The few icons that the pages use, cut out of the theme's icon font: five kilobytes instead of 150 on every page.

They become a font of their own inside ``_static/icons.css``, under the theme's name for it. A browser asks the later of
two fonts with one name first and never fetches the other, unless a page shows an icon that is not among these.
"""

import base64
import io
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONT = "vendor/fontawesome/webfonts/fa-solid-900.ttf"
SHAPE = re.compile(r'([^{}]+):before\{content:"\\(f[0-9a-f]{3})"\}')
USED = re.compile(r'class="[^"]*\bfa[srb]?\b[^"]*"|class="[^"]*\bfa-[^"]*"')
NAMED = re.compile(r'--pst-icon-[a-z-]+:"\\(f[0-9a-f]{3})"')
CARET = 0xF107  # sphinx-book-theme's own style names it by its number


def codes(static: Path, pages: list[str]) -> list[int]:
    """The places in the font of every icon on these pages, and of those that the theme's style draws by itself."""
    style = (static / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    icons = r"fa-[a-z0-9-]+"
    shapes = {name: int(code, 16) for names, code in SHAPE.findall(style) for name in re.findall(icons, names)}
    used = {name for page in pages for group in USED.findall(page) for name in re.findall(icons, group)}
    named = {int(code, 16) for code in NAMED.findall(style)}
    return sorted({shapes[name] for name in used if name in shapes} | named | {CARET})


def stylesheet(font: Path, wanted: list[int]) -> str:
    """A style that carries these icons."""
    whole = TTFont(font)
    # Without compression by Brotli, which needs another package, the older of the two packings does.
    options = subset.Options(flavor="woff", layout_features=[], name_IDs=[], notdef_outline=False, hinting=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(whole)
    whole.flavor = "woff"
    out = io.BytesIO()
    whole.save(out)
    ranges = ", ".join(f"U+{code:X}" for code in wanted)
    return (
        "/* Icons of Font Awesome Free 6 (CC BY 4.0, fontawesome.com), those alone that the pages show. */\n"
        '@font-face{font-family:"Font Awesome 6 Free";font-weight:900;font-style:normal;font-display:block;'
        f"src:url(data:font/woff;base64,{base64.b64encode(out.getvalue()).decode()}) format('woff');"
        f"unicode-range:{ranges}}}\n"
    )


def finish(app, exception):
    """When all pages are written, the icons on them are known."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    if (static / FONT).exists():
        pages = [page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html")]
        (static / "icons.css").write_text(stylesheet(static / FONT, codes(static, pages)), encoding="utf-8")


def connect(app):
    app.add_css_file("icons.css")
    app.connect("build-finished", finish)
