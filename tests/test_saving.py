"""What the package's modules hand out can be saved with ``torch.save`` and fetched again with ``weights_only=True``."""

import importlib
import io
import pkgutil
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import Tensor

import rnncourse
from rnncourse.shapes import LSTMState
from tests.oracles import tensors

# The rooms whose modules take and return states; the others hold data, tools and machinery.
ROOMS = ("attention", "bptt", "cells", "depth", "functional", "layers", "models", "scan", "seq2seq", "shapes", "trees")


def holds_tensors(hint: Any) -> bool:
    """Whether a field of this type may hold tensors: itself, in a tuple of them, or as anything that a cell carries."""
    if get_origin(hint) is tuple:
        return any(map(holds_tensors, get_args(hint)))
    named = getattr(hint, "_fields", None)
    if named is not None:
        return any(map(holds_tensors, get_type_hints(hint).values()))
    return hint is Any or getattr(hint, "array_type", hint) is Tensor


def named_tuples() -> dict[str, type]:
    """Every public named tuple of these rooms that holds tensors, by its address."""
    found = {}
    for module in pkgutil.walk_packages(rnncourse.__path__, "rnncourse."):
        if module.name.split(".")[1] in ROOMS:
            for name, value in vars(importlib.import_module(module.name)).items():
                own = isinstance(value, type) and value.__module__ == module.name and not name.startswith("_")
                if own and issubclass(value, tuple) and holds_tensors(value):
                    found[f"{module.name}.{name}"] = value
    return found


FOUND = named_tuples()


def filled(hint: Any) -> Any:
    """Something of this type, of random numbers."""
    if hasattr(hint, "_fields"):
        return hint(*map(filled, get_type_hints(hint).values()))
    if get_origin(hint) is tuple:
        return (filled(get_args(hint)[0]),) * 2
    if hint is Any:
        return LSTMState(torch.randn(2, 3), torch.randn(2, 3))
    return 3 if hint is int else torch.randn(2, 3)


def same_types(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (not isinstance(a, tuple) or all(map(same_types, a, b)))


@pytest.mark.parametrize("address", FOUND)
def test_what_holds_tensors_is_saved_and_fetched_as_weights(address):
    state, file = filled(FOUND[address]), io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    again = torch.load(file, weights_only=True)
    assert same_types(again, state)
    for a, b in zip(tensors(again), tensors(state), strict=True):
        assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))


def test_the_states_of_all_rooms_are_among_them():
    names = {address.rsplit(".", 1)[1] for address in FOUND}
    assert names >= {"LSTMState", "BidirectionalState", "DroppedState", "DecoderState", "Memory", "KeyValues"}
    assert names >= {"TransformerState", "ComplexState", "Forest", "Hypotheses", "Peepholes"}
