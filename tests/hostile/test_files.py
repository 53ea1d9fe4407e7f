"""Notebooks that are hostile as files: whatever they are made of, reading them is bounded and ends in one line."""

import contextlib
import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.grading.notebook import SIZE_LIMIT, TooMuch, read_submission, without_outputs


def cells(*sources, **outputs) -> bytes:
    content = [{"cell_type": "code", "metadata": {}, "source": source, **outputs} for source in sources]
    return json.dumps({"cells": content, "metadata": {}, "nbformat": 4}).encode()


REFUSED = {
    "nothing": b"",
    "one bracket": b"[",
    "brackets": b"[" * 900_000,
    "brackets closed": b"[" * 400_000 + b"]" * 400_000,
    "more brackets": b"{}," * 3_000_000,
    "objects in objects": b'{"a":' * 300_000,
    "an endless string": b'{"cells": "' + b"x" * 9_000_000,
    "backslashes": b'{"cells": "' + b"\\" * 9_000_001,
    "quotes": b'"' * 3_000_000,
    "escaped quotes": b'\\"' * 3_000_000,
    "spaces": b" " * 50_000_000,
    "zeros": bytes(50_000_000),
    "many digits": b'{"cells": ' + b"9" * 4_000_000 + b"}",
    "an exponent": b'{"cells": 1e999999999}',
    "half of UTF-8": b'{"cells": [{"cell_type": "code", "source": "\xff\xfe"}]}',
    "no cells": b'{"cells": {}}',
    "cells of cells": b'{"cells": [[[]]], "cells": 3}',
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "an archive": b"PK\x03\x04" + bytes(1000),
    "outputs without an end": b'{"cells": [{"outputs": [' + b'"x",' * 1000,
    "outputs at the end": b'{"cells": [], "outputs": ',
    "numbers as source": cells(3),
    "objects as source": cells({"a": 1}),
    "lists of numbers": cells([1, 2]),
    "six hundred cells": cells(*["1"] * 600),
    "a large source": cells("x" * (SIZE_LIMIT + 1)),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_notebook_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "02_x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"02_x\.ipynb"):
        read_submission(path)


def test_a_sparse_file_and_what_is_no_file_are_refused_unread(tmp_path):
    path = tmp_path / "02_x.ipynb"
    with open(path, "wb") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match="100 MB is the limit"):
        read_submission(path)
    os.mkfifo(tmp_path / "02_fifo.ipynb")
    (tmp_path / "02_loop.ipynb").symlink_to("02_loop.ipynb")
    (tmp_path / "02_zero.ipynb").symlink_to("/dev/zero")
    for name in ("02_fifo", "02_loop", "02_zero"):
        with pytest.raises(ValueError, match="does not exist"):
            read_submission(tmp_path / f"{name}.ipynb")


def test_plots_are_no_reason_to_refuse_a_notebook(tmp_path):
    picture = {"output_type": "display_data", "data": {"image/png": 'iVBOR"]}' * 1_000_000}, "metadata": {}}
    path = tmp_path / "02_x.ipynb"
    path.write_bytes(cells("x = 1", "y = 2", outputs=[picture] * 2))
    assert path.stat().st_size > 4 * SIZE_LIMIT
    assert [cell.source for cell in read_submission(path).cells] == ["x = 1", "y = 2"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(['"outputs": [', "]}", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(json_values, json_values, st.booleans(), st.sampled_from([None, 1]))
def test_without_its_outputs_a_notebook_is_otherwise_the_same(output, other, escaped, indent):
    content = {"source": other, "outputs": [output], "metadata": {"outputs": {"deep": output}, "outputs2": other}}
    text = json.dumps([content, other], ensure_ascii=escaped, indent=indent).encode()
    expected = {"source": other, "outputs": None, "metadata": {"outputs": None, "outputs2": other}}
    assert json.loads(without_outputs(text)) == [expected, other]


@given(st.binary(max_size=60))
def test_no_bytes_break_the_scanner(text):
    with contextlib.suppress(ValueError, TooMuch):
        json.loads(without_outputs(text))


def test_asking_which_chapter_takes_time_in_proportion(tmp_path):
    """Counting each of a hundred thousand different calls among all of them took a minute."""
    calls = [f"check('{n % 90 + 1}.{n % 997 + 1}'\n" for n in range(100_000)]
    path = tmp_path / "mine.ipynb"

    def seconds(count: int) -> float:
        path.write_bytes(cells("".join(calls[:count])))
        began = time.process_time()
        read_submission(path)
        return time.process_time() - began

    short, long = min(seconds(10_000) for _ in range(3)), min(seconds(100_000) for _ in range(3))
    assert long < 40 * short


@pytest.mark.parametrize(
    "name", [b"02_\xff\xfe.ipynb", b"02_\x1b[31m.ipynb", "02_\u202egnp.ipynb".encode(), b"02_-rf.ipynb"]
)
def test_a_name_of_any_bytes_is_a_name(name, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    with open(path, "wb") as file:
        file.write(cells("x = 1"))
    submission = read_submission(path)
    assert submission.chapter == 2
    submission.name.encode("utf-8")  # it can be written down
    with open(path, "wb") as file:
        file.write(b"{")
    with pytest.raises(ValueError, match="not JSON"):
        read_submission(path)


def test_two_names_that_are_no_text_stay_two(tmp_path):
    names = set()
    for byte in (b"\xff", b"\xfe", b"\\xff"):
        path = os.fsdecode(os.fsencode(tmp_path) + b"/02_" + byte + b".ipynb")
        with open(path, "wb") as file:
            file.write(cells("x = 1"))
        names.add(read_submission(path).name)
    assert len(names) >= 2
