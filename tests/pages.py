"""What the tests of single pages share: a small site built by Sphinx, and a folder served to a browser."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from book._ext.serve import Handler
from tests.house import ROOT


def build_page(folder: Path, conf: str, text: str) -> tuple[Path, str]:
    """Builds one page of this text with these settings: the HTML file, and what Sphinx complained about."""
    out, said = build_site(folder, conf, {"index.md": text})
    return out / "index.html", said


def build_site(folder: Path, conf: str, files: dict[str, str]) -> tuple[Path, str]:
    """Builds these files with these settings: the folder of the site, and what Sphinx complained about."""
    for name, text in {"conf.py": conf, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "--no-color", str(folder), str(folder / "out")]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "book" / "_ext"), str(ROOT)])}
    run = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder / "out", run.stderr


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine, over HTTP, while the block runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
