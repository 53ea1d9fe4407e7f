"""What several test modules share: the root of the tree, and what to do when a machine lacks something."""

import os
import shutil
from pathlib import Path

import pytest

from book._ext import browsers

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"


def on_ci() -> bool:
    """Whether this is a continuous-integration run, where nothing may be missing."""
    return os.environ.get("CI", "").lower() == "true"


def need(what: str, how: str):
    """Skip the test, saying what is missing and how to get it; on CI that is a failure instead."""
    message = f"needs {what}, which this machine lacks: {how}"
    if on_ci():
        pytest.fail(f"{message} (CI=true, so this is a failure)", pytrace=False)
    pytest.skip(message)


def chromium() -> str:
    """The path of a Chromium or Chrome."""
    return browsers.chromium() or need("a browser", "install Chromium or Chrome, or set CHROMIUM=/path/to/it")


def site() -> Path:
    """The built site."""
    if not (SITE / "index.html").exists():
        need("the built site", "make book (python -m book._ext.build)")
    return SITE


def committed_files() -> list[Path]:
    """Every file that belongs to the project: git's list, or without git a walk over what is not ignored."""
    import subprocess

    if (ROOT / ".git").exists() and shutil.which("git"):
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        if listing.returncode == 0:
            names = listing.stdout.decode().split("\0")
            return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    skipped = {"_build", "dist", "build", "__pycache__", "node_modules"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            part in skipped or part.endswith(".egg-info") or (part.startswith(".") and part not in {".ci", ".github"})
            for part in path.relative_to(ROOT).parts[:-1]
        )
        and not (path.parent == ROOT / "book" / "api" and path.name.startswith("rnncourse"))
    ]
