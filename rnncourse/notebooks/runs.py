"""Run a chapter at another size, through papermill, without touching the chapter itself."""

import os
import warnings
from pathlib import Path
from typing import Any

from rnncourse.folders import course_root
from rnncourse.notebooks.execution import QUIET_KERNEL, CellFailure, NotebookFailed, head_of, kernel_environment


def runs_folder(root: Path | None = None) -> Path:
    """Returns the folder where runs are written: ``_build/runs`` in the checkout, else in the working directory."""
    root = root or course_root()
    return (root if (root / "pyproject.toml").is_file() else Path.cwd()) / "_build" / "runs"


def ensure_writable(folder: Path) -> None:
    """Makes a folder and finds out whether files can be written there, before any work is done.

    Args:
        folder: It need not exist yet.

    Raises:
        ValueError: If nothing can be written there.
    """
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"cannot write to {folder} ({error.strerror}); choose a folder with --output") from error


def known_parameters(path: Path) -> list[str]:
    """Returns the names in a notebook's cell tagged ``parameters``."""
    import papermill

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # papermill warns where a notebook has no such cell; an empty list says so
        return list(papermill.inspect_notebook(str(path)))


def run_notebook(
    path: Path, scale: str, parameters: dict[str, Any], folder: Path, *, progress_bar: bool = True
) -> Path:
    """Executes a copy of a notebook with other parameters.

    Args:
        path: The notebook; its folder is the working directory.
        scale: "smoke", "page" or "full".
        parameters: More values for names of the parameters cell.
        folder: Where the executed copy goes.
        progress_bar: Show one on stderr.

    Returns:
        The executed copy. When a cell failed it exists too, up to that cell and marked; of an interrupted run nothing
        is kept, and an earlier copy stays as it was.

    Raises:
        ValueError: If the notebook has no parameter of that name.
        NotebookFailed: If a cell raises.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    known = known_parameters(path)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        listed = ", ".join(known) or "none"
        raise ValueError(f"{path.name} has no parameter {unknown[0]!r}; its parameters are: {listed}")
    ensure_writable(folder)
    output = folder / f"{path.stem}.{scale}.ipynb"
    running = folder / f".{path.stem}.{scale}.{os.getpid()}.unfinished.ipynb"  # what papermill writes after each cell
    values = ({"scale": scale} if "scale" in known else {}) | parameters
    before = dict(os.environ)
    os.environ.update(kernel_environment())
    try:
        papermill.execute_notebook(
            str(path),
            str(running),
            values,
            cwd=str(path.parent),
            kernel_name="python3",
            progress_bar=progress_bar,
            extra_arguments=QUIET_KERNEL,
        )
    except PapermillExecutionError as error:
        running.replace(output)  # papermill marks the cell that failed, at the top and where it stands
        failure = CellFailure(error.exec_count, head_of(error.source), f"{error.ename}: {error.evalue}")
        raise NotebookFailed(output, failure) from None
    else:
        running.replace(output)
    finally:
        running.unlink(missing_ok=True)  # of a run that was interrupted nothing stays that could look finished
        os.environ.clear()
        os.environ.update(before)
    return output
