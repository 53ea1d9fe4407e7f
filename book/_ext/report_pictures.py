"""The pictures of book/grading.md, from a graded run: ``python -m book._ext.report_pictures``.

A solved notebook gets one mistake of each kind, is graded with a fixed seed, and its reports are drawn: the terminal's
as SVG, the HTML page as two screenshots. Needs bubblewrap and a Chromium.
"""

import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from rich import _export_format, terminal_theme
from rich.console import Console

from book._ext.browsers import chromium
from rnncourse.course import grade
from rnncourse.grading.classes.jobs import report_to_dict
from rnncourse.grading.page import as_html
from rnncourse.grading.report import as_table
from rnncourse.grading.walls.sandbox import Limits

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "book" / "figures"
SEED = 2
LIMITS = Limits(cell_seconds=5.0)
MISTAKES = {  # what somebody typed instead
    "torch.cat([weight_hh, weight_ih], dim=1)": "torch.cat([weight_ih, weight_hh], dim=1)",
    "torch.cat([h, x_t], dim=1)": "torch.cat([x_t, h], dim=1)",
    "h = torch.where(running, (1 - leak) * h + leak * n_t, h)": "h = (1 - leak) * h + leak * n_t",
    "bits = nats[real].mean() / math.log(2)": "bits = nats[real].mean() / math.log(2",
    "    p = torch.softmax(logits / temperature, dim=-1)\n    ordered": "    while True: pass\n    ordered",
}


def notebook(folder: Path) -> Path:
    """Chapter 2's exercise as somebody might hand it in: one question right, and one of each kind of trouble."""
    text = (ROOT / "solutions" / "02_vanilla_rnn.ipynb").read_text(encoding="utf-8")
    content = json.loads(text)
    done = set()
    for cell in content["cells"]:
        source = "".join(cell["source"])
        for right, typed in MISTAKES.items():
            if right in source:
                done.add(right)
                source = source.replace(right, typed)
        cell["source"] = source
    # The cells that only show something would run into the same endless loop.
    content["cells"] = [
        cell
        for cell in content["cells"]
        if "sampling_probabilities(logits" not in cell["source"][:400] or cell["source"].startswith("def ")
    ]
    assert done == set(MISTAKES), set(MISTAKES) - done
    path = folder / "02_vanilla_rnn.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def graded() -> dict[str, Any]:
    """The report of a graded run of that notebook."""
    with tempfile.TemporaryDirectory() as folder:
        return report_to_dict(grade(notebook(Path(folder)), seed=SEED, limits=LIMITS))


def terminal(report: dict[str, Any]) -> str:
    """The terminal's report as SVG, without a font from anywhere else."""
    screen = Console(record=True, width=92, file=io.StringIO(), highlight=False, emoji=False, markup=False)
    screen.print("$ rnncourse grade exercises/02_vanilla_rnn.ipynb")
    screen.print(as_table(report))
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", _export_format.CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    theme = terminal_theme.DEFAULT_TERMINAL_THEME
    svg = screen.export_svg(title="", theme=theme, code_format=form, unique_id="report")
    return "".join(line.rstrip() + "\n" for line in svg.splitlines())


def screenshots(report: dict[str, Any]) -> dict[str, bytes]:
    """The HTML report in light and dark, as small PNGs."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    pictures = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        path = Path(folder) / "report.html"
        path.write_text(as_html([report]), encoding="utf-8")
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 700, "height": 620}, color_scheme=scheme)
            page.goto(path.as_uri())
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(32, dither=Image.Dither.NONE)
            out = io.BytesIO()
            picture.save(out, "PNG", optimize=True)
            pictures[scheme] = out.getvalue()
        browser.close()
    return pictures


def main() -> None:
    """Writes the three pictures."""
    report = graded()
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / "grading_terminal.svg").write_text(terminal(report), encoding="utf-8")
    for scheme, data in screenshots(report).items():
        (FIGURES / f"grading_page_{scheme}.png").write_bytes(data)


if __name__ == "__main__":
    main()
