"""What a cell glues is stored as words or as a short number, whatever kind of number it was."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from rnncourse.notebooks.plain.numbers import RECORD
from rnncourse.notebooks.rules import outputs
from rnncourse.viz import numbers


@pytest.fixture
def stored(monkeypatch):
    """What is handed on to be stored, by its name."""
    found = {}
    monkeypatch.setattr(numbers.myst_nb, "glue", lambda name, value, display: found.update({name: value}))
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.10 ± 0.02", "2.10 ± 0.02"),
        (28800, "28800"),
        (123456789012, "123456789012"),
        (np.int64(7), "7"),
        (np.float64(0.5), "0.5"),
        (torch.tensor(0.25), "0.25"),
        (np.array([3.0]), "3.0"),
        (2 / 3, "0.666666667"),
        (-2e-7 / 3, "-6.66666667e-08"),
        (1234567.891234, "1234567.89"),
        (0.0012345678912, "0.00123456789"),
    ],
)
def test_a_value_is_words_or_a_short_number(value, expected, stored):
    numbers.glue("x", value)
    assert str(stored["x"]) == expected
    assert type(stored["x"]) in (str, int, float)
    assert outputs._plain(repr(stored["x"])), "the house rule takes it"


@pytest.mark.parametrize("value", [0.7352587174984433, 4.568142510814277, 211.19876098632812])
def test_neighbouring_numbers_are_stored_alike(value, stored):
    for name, one in {"below": np.nextafter(value, 0), "here": value, "above": np.nextafter(value, 999)}.items():
        numbers.glue(name, one)
    assert stored["below"] == stored["here"] == stored["above"] == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("value", [float("nan"), np.inf, torch.tensor(-np.inf), None, [1.0], {}])
def test_what_is_no_word_and_no_number_is_refused(value, stored):
    with pytest.raises(ValueError, match="what is glued as 'x' is "):
        numbers.glue("x", value)
    assert stored == {}


def test_a_notebook_stores_it_where_the_pages_look():
    code = "import json\nfrom IPython.utils.capture import capture_output as c\n"
    code += "from rnncourse.viz.numbers import glue\nwith c() as said: glue('x', 2 / 3)\n"
    code += "print(json.dumps([said.outputs[0].data, said.outputs[0].metadata]))"
    ran = subprocess.run([sys.executable, "-m", "IPython", "-c", code], capture_output=True, text=True, check=True)
    data, metadata = json.loads(ran.stdout.splitlines()[-1])
    assert data == {RECORD: "0.666666667"}
    assert metadata["scrapbook"]["name"] == "x"
