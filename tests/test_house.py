"""The house itself: pins, commands, what is committed, and what the wheel carries."""

import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml

from tests import run
from tests.house import ROOT, committed_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cff", ".bib", ".json", ".ipynb", ".css", ".js", ".svg", ""}


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """The constraints: name to exact version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {normal(line.split("==")[0]): line.split("==")[1] for line in lines if line and not line.startswith("#")}


def asked() -> set[str]:
    """Every distribution that pyproject.toml names, but this one."""
    listed = [
        *PROJECT["dependencies"],
        *(item for extra in PROJECT["optional-dependencies"].values() for item in extra),
    ]
    return {normal(re.match(r"[A-Za-z0-9._-]+", item)[0]) for item in listed} - {"rnncourse"}


def test_every_requirement_is_pinned():
    assert asked() - set(pins()) == set()


def test_pins_are_exact_and_public():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==\d[\w.]*", line), line


def test_installed_versions_are_the_pinned_ones():
    wrong = {}
    for name, version in pins().items():
        try:
            installed = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
        if installed != version:
            wrong[name] = f"{installed} is installed, {version} is pinned"
    assert wrong == {}


def test_the_version_is_the_same_everywhere():
    package = importlib.import_module("rnncourse").__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert package == PROJECT["version"] == str(citation)
    assert f"## {package}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def make_targets() -> dict[str, str]:
    """Targets of the Makefile that say what they do, with their python lines."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {
        name: body.strip().replace('"$(PY)"', "python")
        for name, body in re.findall(r"^([a-z-]+):[^\n=]*## [^\n]*\n((?:\t[^\n]*\n)*)", text, re.MULTILINE)
    }


def test_every_target_is_one_line_of_python():
    targets = make_targets()
    for name in ("book", "test", "lab", "serve", "execute", "exercises", "grade", "bench", "dist"):
        assert re.fullmatch(r"python -m [\w.]+[^\n;&|]*", targets[name]), f"{name}: {targets[name]}"


@pytest.mark.parametrize("page", ["README.md", "book/setup.md"])
def test_the_lines_for_windows_are_the_makefiles(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [
        line for name, line in make_targets().items() if line.startswith("python -m") and f"`{line}`" not in text
    ]
    assert missing == []


def test_each_module_named_in_the_makefile_exists():
    for name, line in make_targets().items():
        if line.startswith("python -m"):
            module = line.split()[2]
            assert importlib.util.find_spec(module) is not None, f"make {name} runs {module}"


PRIVATE_INDEXES = "|".join(("arti" + "factory", "jf" + "rog", "nex" + "us"))


def forbidden(text: str) -> list[str]:
    """Addresses of one machine or one network that must not be committed."""
    patterns = [
        r"/(?:work|root|home)/\w+",
        r"/opt/(?:wheels|pypi)",
        rf"[\w.-]*(?:{PRIVATE_INDEXES})[\w.-]*",
        r"(?i)C:\\+Users\\+\w+",
    ]
    return [found for pattern in patterns for found in re.findall(pattern, text)]


def test_forbidden_words_are_seen():
    for text in ("see /" + "work/main", "/" + "root/x", "--find-links /opt/" + "wheels", "https://x.jf" + "rog.io/y"):
        assert forbidden(text) != []
    assert forbidden("a homework/main path, roots, and /home") == []


def test_no_machine_is_named_in_what_is_committed():
    found = {}
    for path in committed_files():
        if path.suffix in TEXT and path.stat().st_size < 5_000_000:
            said = forbidden(path.read_text(encoding="utf-8", errors="replace"))
            if said:
                found[str(path.relative_to(ROOT))] = sorted(set(said))
    assert found == {}


def test_committed_files_stay_small():
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for path in committed_files()
        if path.stat().st_size > 1_000_000
    }
    assert large == {}


def test_every_workflow_runs_the_same_commands():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    assert any(step.get("run") == ".ci/run" for step in workflow["jobs"]["everything"]["steps"])
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make ci-deps$", ci, re.MULTILINE)
    assert re.search(r"^make test$", ci, re.MULTILINE)


def test_an_unknown_part_is_named(capsys):
    with pytest.raises(SystemExit) as stop:
        run.main(["nonsense"])
    assert stop.value.code == 2
    assert "no part named nonsense" in capsys.readouterr().err


def test_what_takes_long_runs_only_when_it_is_named(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(run, "run", lambda part: ran.append((part.name, part.env)))
    run.main([])
    assert ("notebooks", {}) in ran
    assert "processor" not in dict(ran)
    ran.clear()
    run.main(["processor"])
    assert ran == [("processor", run.OLDER)]
    run.main(["--list"])
    assert re.search(r"^processor .*only if named", capsys.readouterr().out, re.MULTILINE)


def test_a_part_has_its_own_environment(capsys):
    code = "import os; print('1 passed in 0.10s' if os.environ['MKL_CBWR'] == 'COMPATIBLE' else '')"
    part = run.Part("older", "", 1, [[sys.executable, "-c", code]], env=run.OLDER)
    run.run(part)
    assert not part.failed


def test_the_notebooks_find_their_data_made():
    from rnncourse.data import names

    assert {"dates", "python_syntax"} <= set(run.MADE) <= set(names())


def test_a_failing_or_empty_part_fails_the_run(capsys):
    bad = run.Part("bad", "", 1, [[sys.executable, "-c", "print('1 failed, 2 passed in 0.10s'); raise SystemExit(1)"]])
    empty = run.Part("empty", "", 1, [[sys.executable, "-c", "print('no tests ran in 0.10s')"]])
    good = run.Part("good", "", 1, [[sys.executable, "-c", "print('== 5 passed, 1 skipped in 0.10s ==')"]])
    for part in (bad, empty, good):
        run.run(part)
    said = run.table([bad, empty, good])
    assert bad.failed
    assert empty.failed
    assert not good.failed
    assert "7 passed, 1 failed, 1 skipped" in said
    assert "FAILED: bad, empty" in said


def test_ci_does_not_skip(monkeypatch):
    from tests.house import need

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs a thing"):
        need("a thing", "get it")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="needs a thing"):
        need("a thing", "get it")


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The wheel and the source archive, built as `make dist` builds them."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "Could not find a version" in done.stdout + done.stderr:
        from tests.house import need

        need("a package index", "the build backend (hatchling) is installed for the build")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.mark.slow
def test_the_wheel_carries_the_notebooks(archives):
    names = zipfile.ZipFile(archives[0]).namelist()
    for folder in ("book", "exercises"):
        ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.ipynb")}
        carried = (name.removeprefix("rnncourse/_course/") for name in names if name.endswith(".ipynb"))
        assert {name for name in carried if name.startswith(f"{folder}/")} == ours
    assert "rnncourse/__init__.py" in names
    outside = [name for name in names if not name.startswith(("rnncourse/", "rnncourse-"))]
    assert outside == []
    assert not [name for name in names if "/_ext/" in name or "/_static/" in name or "solutions" in name]


@pytest.mark.slow
def test_the_source_archive_builds_the_book(archives):
    import tarfile

    with tarfile.open(archives[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "Makefile",
        "_config.yml",
        "_toc.yml",
        "constraints.txt",
        "book/index.md",
        "book/_ext/build.py",
        "tests/run.py",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith((".venv", "_build", "dist/"))]


def test_the_index_says_the_size_of_the_package_truly():
    from tests.test_layering import NUMBERS

    def lines(files) -> int:
        return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)

    files = list((ROOT / "rnncourse").rglob("*.py"))
    core = [
        file
        for file in files
        if file.relative_to(ROOT / "rnncourse").parts[0].removesuffix(".py") in NUMBERS - {"data"}
    ]
    text = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    said = [int(number.replace(",", "")) for number in re.findall(r"about (\d+,000)\b", text)]
    assert len(said) == 2
    for number, found in zip(said, (lines(core), lines(files)), strict=True):
        assert abs(found - number) < 0.1 * number, f"the index says {number:,} lines; there are {found:,}"
