"""Build the website with Jupyter Book: ``python -m book._ext.build [--fresh] [--force]``.

The site lands in ``_build/html``. A second call with nothing changed returns at once; a call after a failed one starts
afresh, because Sphinx would not repeat the warnings of pages it has already read.
"""

import argparse
import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "_build"
SITE = OUT / "html"
STAMP = OUT / "html.digest"
SOURCES = ("book", "rnncourse", "_config.yml", "_toc.yml", "pyproject.toml", "constraints.txt", "CITATION.cff")
IGNORED = {"__pycache__", ".ipynb_checkpoints"}


def source_files() -> list[Path]:
    """Everything that the site is made of, except what the build itself writes."""
    found = []
    for name in SOURCES:
        path = ROOT / name
        found += sorted(path.rglob("*")) if path.is_dir() else [path]
    generated = ROOT / "book" / "api"
    return [
        path
        for path in found
        if path.is_file()
        and not IGNORED & set(path.parts)
        and not (path.parent == generated and path.name.startswith("rnncourse"))
    ]


def digest() -> str:
    """One hash over the names and bytes of all sources."""
    whole = hashlib.sha256()
    for path in source_files():
        whole.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def stamp() -> list[str]:
    """What the last successful build wrote down: the hash of all sources, and of the table of contents."""
    return STAMP.read_text().split() if STAMP.exists() and (SITE / "index.html").exists() else []


def shape() -> str:
    """Changes when pages come or go, or a setting changes: then everything is built again."""
    names = sorted(path.relative_to(ROOT).as_posix() for path in source_files())
    names += [(ROOT / name).read_text(encoding="utf-8") for name in ("_config.yml", "_toc.yml")]
    ours = [path for path in sorted((ROOT / "book" / "_ext").rglob("*")) if path.suffix in {".py", ".yml", ".js"}]
    names += [path.read_text(encoding="utf-8") for path in ours]
    return hashlib.sha256("\0".join(names).encode()).hexdigest()


def build(fresh: bool = False, force: bool = False) -> int:
    """Build what changed; 0 when the site is good."""
    now, before = digest(), stamp()
    if before[:1] == [now] and not (fresh or force):
        print(f"The site is up to date: {SITE / 'index.html'}")
        return 0
    if fresh or before[1:] != [shape()]:
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.rmtree(OUT / "jupyter_execute", ignore_errors=True)
    STAMP.unlink(missing_ok=True)
    OUT.mkdir(exist_ok=True)
    started = time.monotonic()
    print("Building the site (some minutes from nothing, less for a page) …", flush=True)
    code = run_jupyter_book()
    if code:
        shutil.rmtree(SITE / ".doctrees", ignore_errors=True)
        shutil.rmtree(OUT / ".doctrees", ignore_errors=True)
        print("The site was NOT built without warnings; each is listed above.", file=sys.stderr)
        return code
    STAMP.write_text(f"{now} {shape()}\n")
    print(f"Built in {time.monotonic() - started:.0f} s. Open {SITE / 'index.html'}, or type: make serve")
    return 0


def run_jupyter_book() -> int:
    """`jupyter-book build . -W -n --keep-going`, in this process."""
    from jupyter_book.cli.main import main

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.chdir(ROOT)
    try:
        main(["build", ".", "-W", "-n", "--keep-going", "-q"], standalone_mode=False)
    except SystemExit as stop:
        return int(stop.code or 0)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m book._ext.build", description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="remove the old site first")
    parser.add_argument("--force", action="store_true", help="run even when nothing changed")
    options = parser.parse_args()
    sys.exit(build(options.fresh, options.force))
