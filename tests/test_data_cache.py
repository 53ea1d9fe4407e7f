"""The cache is never believed blindly, never required and safe in parallel; packages are checked by hash."""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from rnncourse import data
from rnncourse.data import registry, sources
from rnncourse.data.cache import cache_folder, cached
from rnncourse.data.card_page import markdown


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNCOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_second_call_builds_nothing_and_says_nothing(folder, capsys):
    made = []

    def build():
        made.append(1)
        return b"content"

    assert cached("thing", "key", build, about="making a thing") == b"content"
    first = capsys.readouterr()
    assert "making a thing, once" in first.err
    assert first.out == ""
    assert cached("thing", "key", build, about="making a thing") == b"content"
    assert capsys.readouterr().err == ""
    assert made == [1]
    assert cached("thing", "other key", build, about="making") == b"content"
    assert made == [1, 1]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_built_again(folder, damage):
    cached("thing", "key", lambda: b"content", about="x")
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert cached("thing", "key", lambda: b"content", about="x") == b"content"
    assert hashlib.sha256(path.read_bytes()[32:]).digest() == path.read_bytes()[:32]


def test_a_folder_that_cannot_be_written_is_only_a_warning(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    monkeypatch.setenv("RNNCOURSE_CACHE", str(blocker / "cache"))
    with pytest.warns(data.CacheWarning, match="working from memory; set RNNCOURSE_CACHE"):
        assert cached("thing", "key", lambda: b"content", about="x") == b"content"


def test_a_full_disk_leaves_no_half_file(folder, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(data.CacheWarning, match="No space left on device"):
        assert cached("thing", "key", lambda: b"content", about="x") == b"content"
    assert list(folder.iterdir()) == []


def test_a_read_only_cache_still_loads_a_data_set(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("RNNCOURSE_CACHE", str(blocker / "x"))
    monkeypatch.setattr("rnncourse.data.mnist1d._generate", small_mnist)
    with pytest.warns(data.CacheWarning):
        assert len(data.load("mnist1d").test) == 3


def small_mnist() -> bytes:
    import io

    import numpy as np

    file = io.BytesIO()
    x, y = np.zeros((9, 40), dtype=np.float32), np.arange(9)
    np.savez(file, x=x, y=y, x_test=x[:3], y_test=y[:3])
    return file.getvalue()


def test_parallel_processes_agree(folder):
    script = (
        "import sys; from rnncourse.data.cache import cached;"
        "sys.stdout.buffer.write(cached('big', 'key', lambda: b'x' * 3_000_000, about='x')[-3:])"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [run.communicate()[0] for run in runs] == [b"xxx"] * 2
    assert len(list(folder.iterdir())) == 1


def test_the_cache_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("RNNCOURSE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("RNNCOURSE_CACHE")
    assert cache_folder().name == "rnncourse"


@pytest.mark.parametrize("name", [name for name, card in data.cards().items() if card.package])
def test_a_missing_package_is_one_clear_line(name, monkeypatch):
    def missing(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(data.MissingDataPackage) as caught:
        data.load(name)
    message = str(caught.value)
    assert "\n" not in message
    assert f"the data set {name!r} needs the package {data.cards()[name].package!r}: pip install" in message
    assert isinstance(caught.value, ImportError)
    assert not data.verify(name)[0].ok


class Changed:
    """An installed package whose files hold something else."""

    version = "9.9"

    def __init__(self, folder: Path, missing: bool = False) -> None:
        self.folder, self.missing = folder, missing
        self.files = [Path("sympy/core/a.py")]

    def locate_file(self, path):
        if not self.missing:
            target = self.folder / Path(path).name
            target.write_bytes(b"changed")
            return target
        return self.folder / "absent"


@pytest.mark.parametrize("name", [name for name, card in data.cards().items() if card.package])
def test_changed_bytes_are_refused_with_both_hashes_and_the_version(name, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.metadata, "distribution", lambda package: Changed(tmp_path))
    card = data.cards()[name]
    with pytest.raises(data.HashMismatch) as caught:
        data.load(name)
    message = str(caught.value)
    assert card.sha256 in message
    assert "version 9.9" in message
    assert f"install version {card.version}" in message
    assert len(set(__import__("re").findall("[0-9a-f]{64}", message))) == 2
    (check,) = data.verify(name)
    assert not check.ok
    assert card.sha256 in check.detail


def test_a_missing_file_says_how_to_reinstall(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.metadata, "distribution", lambda package: Changed(tmp_path, missing=True))
    with pytest.raises(data.DataError, match="cannot read .*No such file.*pip install --force-reinstall"):
        data.load("santa_fe_laser")


def test_sha256_is_that_of_the_joined_parts():
    assert sources.sha256(b"ab", b"", b"c") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("name", data.names())
def test_every_card_is_complete_and_its_hash_holds(name):
    card = data.cards()[name]
    assert card.name == name
    for field in ("title", "kind", "task", "citation", "source", "size", "split", "data_license", "code_license"):
        assert getattr(card, field).strip(), field
    assert bool(card.package) == bool(card.version)
    (check,) = data.verify(name)
    assert check.ok, check.detail


def test_the_report_names_every_set_and_marks_a_wrong_hash(monkeypatch):
    text = data.report(verify=False)
    for name, card in data.cards().items():
        assert f"{name}: {card.title}" in text
        assert card.sha256 in text
    monkeypatch.setattr("rnncourse.data.copying.fingerprint", lambda: "0" * 64)
    wrong = data.report("copying")
    assert "NOT VERIFIED" in wrong
    assert "0 of 1 data sets verified" in wrong
    assert "[verified]" in data.report("parity")


def test_unknown_names_and_options_are_named():
    with pytest.raises(ValueError, match="name is 'shakspere'; it should be one of prose, "):
        data.load("shakspere")
    with pytest.raises(
        ValueError, match="lenght is no option of 'adding'; it should be one of length, variant, held_out"
    ):
        data.load("adding", lenght=3)
    with pytest.raises(ValueError, match="name is 'x'"):
        data.verify("x")


def test_every_module_with_a_card_is_registered():
    package = Path(data.__file__).parent
    carded = {path.stem for path in package.glob("*.py") if "\nCARD = " in path.read_text(encoding="utf-8")}
    assert carded == set(registry.names())


def test_the_page_of_cards_is_what_the_code_renders():
    page = Path(data.__file__).parents[2] / "book" / "data_cards.md"
    assert page.read_text(encoding="utf-8") == markdown(data.cards())


def test_no_data_set_uses_a_network(folder, monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError("a data set opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("prose", "mnist1d", "dates", "santa_fe_laser"):
            data.load(name)


def test_data_imports_nothing_of_the_package_but_itself_and_what_refuses():
    package = Path(data.__file__).parent
    for path in package.glob("*.py"):
        lines = [
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.startswith(("from rnncourse", "import rnncourse"))
        ]
        for line in lines:
            allowed = ("from rnncourse.data", "from rnncourse.checks ", "from rnncourse.signatures ")
            assert line.startswith(allowed), f"{path.name}: {line}"
