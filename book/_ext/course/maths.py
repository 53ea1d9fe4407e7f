r"""Formulas are rendered once, at build time: the reader's browser runs nothing for them.

sphinxcontrib-katex talks to KaTeX in Node; here Node comes from a wheel, a formula that KaTeX does not
understand becomes a warning (and so, with ``-W``, a failed build) instead of red text on the page.
"""

import re
import socket
import subprocess
import time
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinxcontrib import katex

from course.nodejs import node_binary

logger = logging.getLogger(__name__)

DEPTH = re.compile(r"(\\\\|\\[{}]|\\(?:begin|end|left|right|qquad)(?![A-Za-z])|[{}])")  # what opens, closes or parts
# No macros of our own: JupyterLab, VS Code and Colab read the same formulas and know none.
OPTIONS = {"throwOnError": True, "strict": "ignore", "fleqn": False}


def split_lines(latex: str) -> str:
    r"""Sphinx lets a formula have ``&`` and ``\\`` without an environment; KaTeX wants one.

    >>> split_lines("a = b")
    'a = b'
    >>> split_lines(r"a &= b \\ c &= d")
    '\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}'
    """
    if r"\\" in latex and not latex.lstrip().startswith(r"\begin{"):
        return rf"\begin{{aligned}}{latex}\end{{aligned}}"
    return latex


def without_numbers(latex: str) -> str:
    """KaTeX would number ``align`` by itself; the book numbers labelled equations only."""
    for name in ("align", "equation", "gather"):
        latex = latex.replace(rf"\begin{{{name}}}", rf"\begin{{{name}*}}").replace(
            rf"\end{{{name}}}", rf"\end{{{name}*}}"
        )
    return latex


def side_by_side(latex: str) -> list[str]:
    r"""The formulas that stand in one line with a ``\qquad`` between them; on a phone each has a line of its own.

    >>> side_by_side(r"a_t = \frac{b \qquad c}{d}, \qquad e = f")
    ['a_t = \\frac{b \\qquad c}{d},', 'e = f']
    >>> side_by_side(r"a &= b \qquad c \\ &= d")  # lines that are aligned stay together
    ['a &= b \\qquad c \\\\ &= d']
    """
    parts, depth = [""], 0
    for piece in DEPTH.split(latex):
        depth += {"{": 1, r"\begin": 1, r"\left": 1, "}": -1, r"\end": -1, r"\right": -1}.get(piece, 0)
        if piece == r"\\" and depth == 0:
            return [latex]
        if piece == r"\qquad" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def render(latex: str, display: bool, node) -> str:
    """One formula as HTML, or a warning that fails the build."""
    try:
        return katex.render_latex(latex, {**OPTIONS, "displayMode": display})
    except katex.KaTeXError as error:
        logger.warning("KaTeX cannot read %r: %s", latex, error, location=node, type="maths")
        return f"<code>{latex}</code>"


def inline(self, node):
    """A formula inside a sentence."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(render(katex.get_latex(node), False, node) + "</span>")
    raise katex.nodes.SkipNode


def display(self, node):
    """A formula on its own line, with its number when it has a label."""
    self.body.append(self.starttag(node, "div", "", CLASS="math notranslate", tabindex="0"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({katex.get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    parts = side_by_side(katex.get_latex(node))
    formulas = "".join(render(without_numbers(split_lines(part)), True, node) for part in parts)
    self.body.append(f'<span class="formulas">{formulas}</span></div>\n' if len(parts) > 1 else f"{formulas}</div>\n")
    raise katex.nodes.SkipNode


class PunctuationStays(SphinxPostTransform):
    """Keep commas and brackets on the line of their formula; a browser may break a line on both sides of it."""

    default_priority = 900
    formats = ("html",)
    marks = re.compile(r"[.,;:!?)\]’”]+")
    openings = re.compile(r"[(\[‘“]+$")

    def run(self, **_):
        """Put each formula in a sentence into one box with the marks that follow it, and those that open before it."""
        for formula in list(self.document.findall(nodes.math)):
            before, after = formula.previous_sibling(), formula.next_node(descend=False, siblings=True)
            opened = self.openings.search(before) if isinstance(before, nodes.Text) else None
            found = self.marks.match(after) if isinstance(after, nodes.Text) else None
            if found:
                after.parent.replace(after, nodes.Text(after[found.end() :]))
            if opened:
                before.parent.replace(before, nodes.Text(before[: opened.start()]))
            if found or opened:
                kept = nodes.inline(classes=["kept"])
                formula.replace_self(kept)
                kept.extend([nodes.Text(opened[0] if opened else ""), formula, nodes.Text(found[0] if found else "")])


def start_renderer(cls, rundir: Path, timeout: float) -> tuple[subprocess.Popen, socket.socket]:
    """KaTeX in Node and a connection to it, awaited until it answers.

    A Unix socket's file is there as soon as Node has bound it, a moment before Node listens. sphinxcontrib-katex
    connects once, when it sees the file, and on a busy machine is refused: here a refusal is waited out as well.
    """
    path = rundir / "katex.sock"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(cls.build_command(socket=path), cwd=rundir, **quiet)
    end = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < end:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
        else:
            return process, connection
    if process.poll() is not None:
        raise katex.KaTeXError(f"Node ended with exit code {process.returncode} before it rendered a formula")
    process.kill()
    process.wait()
    raise cls.timeout_error(timeout)


def patient() -> None:
    """Give a loaded machine time to start Node and to render."""
    katex.NODEJS_BINARY = node_binary()
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 120.0
    katex.KaTeXServer.start_server_process = classmethod(start_renderer)


def connect(app):
    """Take the place of the two visitors, and keep punctuation with its formula."""
    patient()
    app.add_post_transform(PunctuationStays)
    renderers = app.registry
    renderers.html_inline_math_renderers["katex"] = (inline, None)
    renderers.html_block_math_renderers["katex"] = (display, None)
