"""The wheel in an empty environment, as a learner without git uses it: start, exercise, check, graded, progress."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import rnncourse
from rnncourse.grading.walls.sandbox import find_sandbox
from tests.house import ROOT, need, on_ci

pytestmark = pytest.mark.slow
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built as `make dist` does, but with the build tools that are here instead of downloaded ones."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def learner(wheel, tmp_path_factory):
    """Runs a command in a new environment that holds the wheel; torch and the others are lent by ours.

    A path file lends our site-packages without what is installed there as editable, so the course that answers is the
    wheel's and not the checkout's.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / SCRIPTS / ("python.exe" if os.name == "nt" else "python")
    ours = sysconfig.get_paths()["purelib"]
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    theirs = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, "--disable-pip-version-check", str(wheel)], check=True, capture_output=True)
    (Path(theirs) / "lent.pth").write_text(ours + "\n")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "RNNCOURSE"))}
    clean["RNNCOURSE_STATE"] = str(home / "state")

    def run(*words: str, cwd: Path) -> subprocess.CompletedProcess:
        program = [str(home / SCRIPTS / "rnncourse")] if words[0] == "rnncourse" else [str(python)]
        return subprocess.run([*program, *words[1:]], cwd=cwd, env=clean, capture_output=True, text=True, timeout=200)

    return run


def test_the_wheel_carries_chapters_and_exercises_and_no_solutions(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    files = zipfile.ZipFile(wheel)
    for folder in ("book", "exercises"):
        there = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("[0-9][0-9]_*.ipynb")}
        inside = f"rnncourse/_course/{folder}/"
        assert {n.removeprefix(inside) for n in names if n.startswith(inside) and n.endswith(".ipynb")} == there
        for name in there:
            text = files.read(f"rnncourse/_course/{folder}/{name}").decode()
            assert '"edition": "plain"' in text
            assert not re.search(r"\{(glue:text|doc|term|cite:[pt])\}`", text), name
    assert not [name for name in names if "solution" in name]


@pytest.mark.sandbox
def test_a_learner_without_git_walks_the_whole_path(learner, tmp_path):
    bwrap, reason = find_sandbox()
    bwrap or need("a sandbox", reason)
    where = learner("python", "-c", "import rnncourse; print(rnncourse.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where.stdout, "the wheel's own package should answer"

    started = learner("rnncourse", "start", "my-course", cwd=tmp_path)
    assert started.returncode == 0, started.stdout + started.stderr
    for word in ("Python", "torch", "data", "JupyterLab", "sandbox"):
        assert re.search(rf"^  ok  .*{word}", started.stdout, re.MULTILINE), started.stdout
    assert "jupyter lab" in started.stdout
    folder = tmp_path / "my-course"
    exercise = folder / "exercises" / "02_vanilla_rnn.ipynb"
    untouched = exercise.read_bytes()

    # The self-check, outside Jupyter, from the folder of the exercise.
    script = "import rnncourse; rnncourse.check('2.1', lambda *arguments: None)"
    checked = learner("python", "-c", script, cwd=exercise.parent)
    assert "is there a `return`?" in checked.stdout, checked.stderr

    # Graded as it is, then solved: the learner types what stands in the solution.
    first = learner("rnncourse", "grade", "exercises/02_vanilla_rnn.ipynb", cwd=folder)
    assert first.returncode == 1, first.stderr
    assert "0 of 19 points" in first.stdout
    exercise.write_bytes((ROOT / "solutions" / exercise.name).read_bytes())
    last = learner("rnncourse", "grade", "exercises/02_vanilla_rnn.ipynb", "--json", "report.json", cwd=folder)
    assert last.returncode == 0, last.stdout + last.stderr
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))["reports"][0]
    assert (report["points"], report["out_of"], report["isolation"]) == (19, 19, "bubblewrap")
    assert report["course"] == rnncourse.__version__

    untouched_too = learner("rnncourse", "grade", "exercises/03_backpropagation_through_time.ipynb", cwd=folder)
    assert untouched_too.returncode == 1, untouched_too.stderr
    went = learner("rnncourse", "progress", cwd=folder)
    other = next(line for line in went.stdout.splitlines() if line.startswith("3 "))
    assert "not started" in other
    assert " 0 of " in other
    row = next(line for line in went.stdout.splitlines() if line.startswith("2 "))
    assert "19 of 19" in row
    assert row.rstrip().endswith("done")

    again = learner("rnncourse", "start", "my-course", cwd=tmp_path)
    assert "0 notebooks laid out" in again.stdout
    assert exercise.read_bytes() != untouched


def lend_torch(python: Path) -> None:
    """Torch is large and its range is published: links let pip find ours installed, at its own version."""
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    theirs = Path(subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip())
    ours = Path(sysconfig.get_paths()["purelib"])
    for path in [*ours.glob("torch"), *ours.glob("torchgen"), *ours.glob("functorch"), *ours.glob("torch-*.dist-info")]:
        (theirs / path.name).symlink_to(path)


@pytest.mark.network
@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_an_install_with_the_newest_of_everything_has_the_data_that_the_cards_describe(wheel, tmp_path):
    """No constraints: what pip chooses today, within what the wheel asks for. It takes minutes: only where CI=true."""
    if not (on_ci() or os.environ.get("RNNCOURSE_FRESH_INSTALL")):
        pytest.skip("installs a hundred packages; set RNNCOURSE_FRESH_INSTALL=1 to run it here")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / SCRIPTS / "python"
    lend_torch(python)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RNNCOURSE", "PIP_CONSTRAINT"))}
    clean["RNNCOURSE_STATE"] = str(tmp_path / "state")

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(words, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=1200)

    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    installed = run(*pip, "install", "--quiet", "--prefer-binary", f"{wheel}[learn]")
    assert installed.returncode == 0, installed.stderr
    checked = run(*pip, "check")
    assert checked.returncode == 0, checked.stdout
    command = str(python.with_name("rnncourse"))
    started = run(command, "start", "mine")
    assert re.search(r"^  ok  data: all \d+ sets", started.stdout, re.MULTILINE), started.stdout + started.stderr
    verified = run(command, "data")
    assert verified.returncode == 0, verified.stdout
    assert "NOT VERIFIED" not in verified.stdout
