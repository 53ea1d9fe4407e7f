"""The one cell that installs something: on Colab, where the package is not there, and nowhere else.

It brings along what the chapters' data travel in, too. It is derived from one setting, the repository's address in
``_config.yml``; while that is unset there is no such cell.
"""

import re
from pathlib import Path

import nbformat

from rnncourse.notebooks.files import Notebook, has_tag

COLAB_TAG = "colab-install"
SOURCE = """import sys

if "google.colab" in sys.modules:
    %pip install -q "rnncourse[data,notebooks] @ git+{address}"
"""


def repository_address(root: Path) -> str:
    """Returns the repository's address as ``_config.yml`` sets it, or an empty string."""
    import yaml

    config = root / "_config.yml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) if config.is_file() else {}
    return ((settings or {}).get("repository") or {}).get("url") or ""


def pages_address(repository: str) -> str:
    """Returns where GitHub Pages serves a repository, or an empty string for any other host.

    >>> pages_address("https://github.com/someone/rnncourse")
    'https://someone.github.io/rnncourse/'
    >>> pages_address("")
    ''

    Args:
        repository: Its address.
    """
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?", repository)
    return f"https://{found[1].lower()}.github.io/{found[2]}/" if found else ""


def with_colab_cell(notebook: Notebook, address: str) -> Notebook:
    """Returns a copy with the install cell after the title, or without one where the address is empty.

    Args:
        notebook: Any notebook.
        address: The repository's address.

    Returns:
        A copy.
    """
    cells = [cell for cell in notebook.cells if not has_tag(cell, COLAB_TAG)]
    if address:
        source = SOURCE.format(address=address).rstrip()
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": [COLAB_TAG, "nbval-skip", "remove-cell"]})
        title = next((n for n, cell in enumerate(cells) if cell.cell_type == "markdown"), -1)
        cells.insert(title + 1, cell)
    return nbformat.from_dict({**notebook, "cells": cells})
