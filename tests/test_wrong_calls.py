"""What a wrong call says: nearly always which argument was wrong.

``python -m tests.test_wrong_calls`` prints the counts and what was obscure.
"""

from collections import Counter

import pytest

from tests.valid_calls import HANDED_ON, LEFT_OUT
from tests.wrong_calls import names_an_argument, public, survey, table

OBSCURE = 60
"""No more than so many of some seventeen thousand."""


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    import contextlib

    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)  # as a user's calls are
    with contextlib.chdir(tmp_path_factory.mktemp("calls")):  # "wrong" is a good name for a file
        outcomes = survey()
    yield outcomes
    jaxtyping.config.update("jaxtyping_disable", False)


def test_wrong_calls_are_refused_by_name(surveyed):
    outcomes, _ = surveyed
    obscure = [one for one in outcomes if one.verdict == "obscure"]
    print(table(outcomes))
    assert len(outcomes) > 15_000
    assert len(obscure) < OBSCURE, "\n".join(map(str, obscure))


def test_nothing_but_true_and_false_is_a_flag(surveyed):
    flags = [one for one in surveyed[0] if one.kind == "flag"]
    assert len({(one.callable, one.argument) for one in flags}) > 55
    assert [one for one in flags if one.verdict == "accepted"] == []


def test_text_and_what_is_no_number_are_no_sizes(surveyed):
    """What an annotation calls a whole number takes no text, no fraction, no NaN, and nothing in brackets."""
    everything, wrong = public(), []
    for one in surveyed[0]:
        annotation = everything[one.callable].__annotations__.get(one.argument, "")
        whole = annotation in (int, "int")
        if whole and one.verdict == "accepted" and one.kind in ("text", "nan", "list", "dict", "object", "function"):
            wrong.append(one)
    assert wrong == []


def test_every_public_callable_is_called(surveyed):
    outcomes, unbuilt = surveyed
    assert unbuilt == {}
    everything = public()
    assert set(LEFT_OUT) <= set(everything), "no longer there"
    rooms = Counter(name.split(".")[0] for name in everything)
    assert len(everything) > 330, rooms
    called = {one.callable for one in outcomes}
    left = {name for name in everything if name in LEFT_OUT or name.rpartition(".")[0] in LEFT_OUT}
    takes_nothing = {name for name in everything if name not in called and name not in left}
    assert len(left) < 60  # base classes, cells tested with their layer, and what reads whole data sets
    assert len(HANDED_ON) < 5
    assert len(takes_nothing) < 20, sorted(takes_nothing)


def test_the_instrument_tells_a_refusal_from_a_stumble():
    def verdict(call, arguments):
        with pytest.raises(Exception) as caught:
            call()
        return names_an_argument(caught.value, arguments)

    from rnncourse.cells import GRUCell
    from rnncourse.data import Vocabulary

    assert verdict(lambda: GRUCell(0, 3), {"input_size": 0})
    assert not verdict(lambda: GRUCell(0, 3), {"somewhere": 0})
    assert not verdict(lambda: [] + 1, {"list": 1})
    assert not verdict(lambda: Vocabulary("ab")["input_size"], {"input": 1})


if __name__ == "__main__":
    outcomes, unbuilt = survey()
    print(table(outcomes))
    print(*(f"no valid call: {name}: {why}" for name, why in unbuilt.items()), sep="\n")
    print(*(one for one in outcomes if one.verdict == "obscure"), sep="\n")
