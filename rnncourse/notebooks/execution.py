"""Run a notebook from top to bottom in a fresh kernel, and write it back only when all of it ran."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncourse.notebooks.colab import repository_address, with_colab_cell
from rnncourse.notebooks.files import Notebook, has_tag, normalise, output_text, read, write
from rnncourse.notebooks.pictures import PictureTooLarge, shrink_png
from rnncourse.provenance import environment, source_hash

SECONDS_PER_CELL = 1800
QUIET_KERNEL = ["--log-level=50"]  # neither its advice on sockets nor its stop at the end is news to a reader


@dataclass(frozen=True)
class CellFailure:
    """Where a notebook stopped: which code cell, how it begins, and the error."""

    number: int
    head: tuple[str, ...]
    error: str

    def __str__(self) -> str:
        lines = "\n".join(f"    | {line}" for line in self.head)
        return f"code cell {self.number} failed: {self.error}\n{lines}"


class NotebookFailed(Exception):
    """A notebook whose run stopped at a cell; nothing was written."""

    def __init__(self, path: Path, failure: CellFailure):
        super().__init__(f"{path}: {failure}")
        self.failure = failure


def execute_file(path: Path | str, *, fresh: bool = False, on_cell: Callable[[int, int], None] | None = None) -> bool:
    """Executes a notebook in place: fresh kernel, counts from 1, small pictures, normal form.

    What is not exactly repeatable (pictures; text in cells tagged ``nbval-ignore-output``) keeps its old bytes as long
    as nothing that could have changed it did: the code cells up to it, the package's code that the notebook reaches,
    and the versions of the libraries. Executing an unchanged notebook therefore leaves its file alone.

    Args:
        path: A notebook; its folder is the working directory.
        fresh: Take all outputs anew.
        on_cell: Called with (number, of how many) before each code cell.

    Returns:
        Whether the file changed.

    Raises:
        NotebookFailed: If a cell raises; the file is then left as it was.
        ValueError: If the file is not a notebook, or a picture stays too large.
    """
    path = Path(path)
    old = normalise(with_colab_cell(read(path), repository_address(_course_above(path))))
    new = execute_notebook(old, path, on_cell=on_cell)
    made_by = {"code": _fingerprint(new), "ran": source_chain(new)}
    new.metadata["rnncourse"] = {**old.metadata.get("rnncourse", {}), **made_by}
    if not fresh:
        _keep_unrepeatable(old, new)
    return write(path, new)


def execute_notebook(notebook: Notebook, path: Path, *, on_cell: Callable[[int, int], None] | None = None) -> Notebook:
    """Returns a copy of a notebook with the outputs of a run in a fresh kernel.

    Args:
        notebook: What to run.
        path: Where it lives: its folder is the working directory, its name stands in messages.
        on_cell: Called with (number, of how many) before each code cell.

    Returns:
        The executed notebook in normal form, pictures shrunk.

    Raises:
        NotebookFailed: If a cell raises or takes longer than ``SECONDS_PER_CELL``.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    running = normalise(notebook)
    code_cells = [cell for cell in running.cells if cell.cell_type == "code"]
    for cell in code_cells:
        cell.outputs, cell.execution_count = [], None
    started: list[Any] = []

    def note_start(cell: Any, cell_index: int) -> None:
        if cell.cell_type == "code":
            started.append(cell)
            if on_cell:
                on_cell(len(started), len(code_cells))

    client = NotebookClient(
        running,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=QUIET_KERNEL,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=note_start,
    )
    try:
        client.execute(env=kernel_environment())
    except CellExecutionError as error:
        raise NotebookFailed(path, _failure(started, f"{error.ename}: {error.evalue}")) from None
    except CellTimeoutError:
        raise NotebookFailed(path, _failure(started, f"took longer than {SECONDS_PER_CELL} s")) from None
    except DeadKernelError:
        raise NotebookFailed(path, _failure(started, "the kernel died (out of memory?)")) from None
    for number, cell in enumerate(code_cells, start=1):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                try:
                    output.data["image/png"] = shrink_png(output.data["image/png"])
                except PictureTooLarge as error:
                    raise PictureTooLarge(f"{path}: code cell {number}: {error}") from None
    return normalise(running)


def kernel_environment() -> dict[str, str]:
    """Returns the environment for kernels: one thread, and the same order of sets each time."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def head_of(source: str, lines: int = 3) -> tuple[str, ...]:
    """Returns a cell's first lines that say something, for a message."""
    return tuple(line for line in source.splitlines() if line.strip())[:lines]


def source_chain(notebook: Notebook) -> list[str]:
    """Returns a hash for each code cell, over its source and those of all code cells before it.

    Kept beside the outputs, it tells which cells were edited since they ran.
    """
    chain, digest = [], hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(f"{cell.source}\0".encode())
            chain.append(digest.hexdigest()[:8])
    return chain


def _course_above(path: Path) -> Path:
    """The folder with the settings of the course that a notebook lies in, however deep; else the folder above it."""
    above = path.resolve().parents[1:]
    return next((folder for folder in above if (folder / "_config.yml").is_file()), above[0])


def _failure(started: list[Any], error: str) -> CellFailure:
    return CellFailure(len(started), head_of(started[-1].source) if started else (), error.strip())


def _fingerprint(notebook: Notebook) -> str:
    """What the outputs hang on besides the notebook: the package's code that it reaches, and the libraries."""
    source = "\n".join(
        "\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!")))
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    return source_hash(source, extra=environment())


def _keep_unrepeatable(old: Notebook, new: Notebook) -> None:
    """Puts old bytes back where new ones can differ only by chance."""
    was, now = old.metadata.get("rnncourse", {}), new.metadata["rnncourse"]
    if was.get("code") != now["code"]:
        return
    old_code = [cell for cell in old.cells if cell.cell_type == "code"]
    new_code = [cell for cell in new.cells if cell.cell_type == "code"]
    for before, after, ran, runs in zip(old_code, new_code, was.get("ran", []), now["ran"], strict=False):
        if ran != runs:
            return
        if not _same_kind(before, after):
            continue
        if has_tag(after, "nbval-ignore-output"):
            after.outputs = before.outputs
            continue
        for kept, fresh in zip(before.outputs, after.outputs, strict=True):
            if "image/png" in fresh.get("data", {}):
                fresh.data["image/png"] = kept.data["image/png"]


def _same_kind(before: Any, after: Any) -> bool:
    """Whether two cells' outputs are the same but for chance: same types in the same order, same figure sizes."""
    ignored = has_tag(after, "nbval-ignore-output")

    def kind(output: Any) -> tuple[Any, ...]:
        data = output.get("data", {})
        text = "" if ignored and "image/png" not in data else output_text(output)
        return output.output_type, output.get("name"), tuple(sorted(data)), text

    return [kind(output) for output in before.outputs] == [kind(output) for output in after.outputs]
