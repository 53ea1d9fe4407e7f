"""Calls the package's public callables wrongly, one argument at a time, and says what came of each call.

A call is *refused* when our own code raises a ValueError or TypeError that names an argument, *accepted* when it
returns, and *obscure* otherwise: another exception, one from the depths of a library, or one that names nothing.
"""

import contextlib
import copy
import functools
import importlib
import inspect
import io
import itertools
import re
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from tests.house import ROOT
from tests.valid_calls import BY_CALL, BY_NAME, HANDED_ON, HOOKS, LEFT_OUT

PACKAGES = [
    "attention",
    "bptt",
    "cells",
    "convert",
    "data",
    "depth",
    "diagnostics",
    "functional",
    "kernels",
    "layers",
    "models",
    "scan",
    "seq2seq",
    "shapes",
    "training",
    "trees",
    "unroll",
    "viz",
]
# Rooms without a door that names all: there every function of these modules is public.
MODULES = [
    "data.adding",
    "data.anbn",
    "data.baselines",
    "data.batches",
    "data.boolean_expressions",
    "data.continual_reber",
    "data.copying",
    "data.listops",
    "data.metrics",
    "data.ngrams",
    "data.padding",
    "data.parity",
    "data.prose",
    "data.reber",
    "data.reverse",
    "data.selective_copying",
    "data.splits",
    "data.temporal_order",
    "data.trees",
    "models.text",
    "training.measuring",
    "training.drawing",
    "viz.cell_drawings",
    "viz.curves",
    "viz.gradients",
    "viz.heatmaps",
    "viz.sweeps",
    "viz.tradeoff",
]


# What the equations call an argument: an error about "h" is about the state.
LETTERS = {
    "state": ("h", "children"),
    "x_t": ("x",),
    "inputs": ("x_t", "x"),
    "states": ("state",),
    "x": ("inputs",),  # of the module that it is handed to
}


class Outcome(NamedTuple):
    """What came of one wrong call."""

    callable: str
    argument: str
    kind: str
    given: str
    verdict: str
    error: str


def public() -> dict[str, Callable[..., Any]]:
    """Every public callable but plain records and errors, by its name: functions, classes, and classes' methods."""
    found: dict[str, Callable[..., Any]] = {}
    for name in (*PACKAGES, *MODULES):
        module = importlib.import_module(f"rnncourse.{name}")
        for public_name in getattr(module, "__all__", None) or [key for key in vars(module) if key[0] != "_"]:
            value = getattr(module, public_name)
            home = getattr(value, "__module__", "")
            if not home.startswith("rnncourse.") or not isinstance(value, (type, types.FunctionType)):
                continue
            if name in MODULES and home != module.__name__:
                continue
            if isinstance(value, type) and (
                issubclass(value, (BaseException, tuple)) or hasattr(value, "__dataclass_fields__")
            ):
                continue
            address = f"{home.removeprefix('rnncourse.').split('.')[0]}.{value.__qualname__}"
            if name in MODULES and not name.startswith("viz."):
                address = f"{home.removeprefix('rnncourse.')}.{value.__qualname__}"
            if value in found.values():
                continue
            found[address] = value
            if isinstance(value, type):
                found.update(_methods(address, value))
    return found


def _methods(address: str, kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, method in inspect.getmembers(kind):
        home = getattr(method, "__module__", "") or ""
        ours = home.startswith("rnncourse.") and name not in HOOKS and (name[0] != "_" or name == "__getitem__")
        if ours and inspect.isroutine(method) and len(_signature(method).parameters) > 1 - inspect.ismethod(method):
            yield f"{address}.{name}", method


def valid(address: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of a valid call, made afresh: for a method without the object that it belongs to."""
    special = BY_CALL.get(address, {})
    arguments = {}
    for name, parameter in _signature(function).parameters.items():
        if name == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if name in special:
            arguments[name] = _fresh(special[name])
        elif parameter.default is not parameter.empty and name not in BY_NAME:
            arguments[name] = parameter.default
        elif name in BY_NAME:
            arguments[name] = _fresh(BY_NAME[name])
        else:
            raise LookupError(f"{address} has an argument {name!r} for which there is no valid value")
    return arguments


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _fresh(value: Any) -> Any:
    return value.make() if hasattr(value, "make") else copy.deepcopy(value)


def call(address: str, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Calls it, reading the first few things from what would yield them."""
    positional: list[Any] = []
    if _is_method(address, function):
        owner = address.rpartition(".")[0]
        positional.append(BY_CALL[address]["self"].make() if "self" in BY_CALL.get(address, {}) else _object(owner))
    named = dict(arguments)
    for name, parameter in _signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:  # what stands before it cannot be named
            positional += [
                *(named.pop(before) for before in list(named) if before != name and _before(function, before, name))
            ]
            positional += named.pop(name)
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(named.pop(name))
    answer = function(*positional, **named)
    return list(itertools.islice(answer, 3)) if isinstance(answer, Iterator) else answer


def _before(function: Callable[..., Any], one: str, other: str) -> bool:
    names = list(_signature(function).parameters)
    return names.index(one) < names.index(other)


def _is_method(address: str, function: Callable[..., Any]) -> bool:
    return next(iter(_signature(function).parameters), "") == "self"


def _object(address: str) -> Any:
    kind = public()[address] if address not in _KINDS else _KINDS[address]
    return call(address, kind, valid(address, kind))


_KINDS: dict[str, Any] = {}


def wrong_values(value: Any, annotation: str) -> Iterator[tuple[str, Any]]:
    """Wrong values in place of a valid one, each with a word for its kind."""
    yield "None", None
    yield "text", "wrong"
    yield "number", -1
    yield "number", 0
    yield "number", 2.5
    yield "nan", float("nan")
    yield "infinity", float("inf")
    yield "object", object()
    yield "list", []
    yield "list", ["wrong"]
    yield "dict", {"wrong": 1}
    yield "function", lambda *_: None
    yield "rank", torch.zeros(2, 2, 2, 2, 2)
    yield "type", np.zeros((2, 2))
    if isinstance(value, bool) or "bool" in re.split(r"\W", annotation):
        yield "flag", "False"
        if "float" not in annotation:
            yield "flag", 2
    if isinstance(value, torch.Tensor):
        yield "rank", value.unsqueeze(0)
        if value.dim():
            yield "rank", value[0]
            yield "type", value.tolist()
        for axis in range(value.dim()):
            yield "size", torch.cat([value, value.narrow(axis, 0, 1)], axis)
            yield "size", value.narrow(axis, 0, 0)
        yield "type", value.double() if value.dtype != torch.float64 else value.float()
        yield "type", value.long() if value.dtype != torch.int64 else value.bool()
        yield "type", value.to(torch.complex64)
        if value.is_floating_point():
            yield "nan", torch.full_like(value, float("nan"))
        elif value.dtype == torch.int64:
            yield "number", torch.full_like(value, -1)
            yield "number", torch.full_like(value, 10**6)
    elif isinstance(value, (tuple, list)) and value:
        yield "size", value[:-1]
        yield "size", type(value)() if type(value) in (tuple, list) else tuple(value)
        yield "type", [None for _ in value]
        yield "type", [-1 for _ in value]
    elif isinstance(value, nn.Module):
        yield "type", type(value)
        yield "type", nn.Linear(3, 4)


def outcomes(address: str, function: Callable[..., Any]) -> Iterator[Outcome]:
    """Everything that comes of calling one callable wrongly, one argument at a time."""
    names = valid(address, function)
    parameters = _signature(function).parameters
    for name, right in names.items():
        if HANDED_ON.get(address) == name:
            continue
        annotation = str(parameters[name].annotation)
        for kind, wrong in wrong_values(right, annotation):
            arguments = valid(address, function)
            arguments[name] = (wrong,) if parameters[name].kind is parameters[name].VAR_POSITIONAL else wrong
            verdict, error = _verdict(address, function, arguments)
            yield Outcome(address, name, kind, _short(wrong), verdict, error)


def _verdict(address: str, function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[str, str]:
    try:
        with quiet():
            call(address, function, arguments)
    except Exception as error:
        return ("refused" if names_an_argument(error, arguments) else "obscure"), f"{type(error).__name__}: {error}"
    return "accepted", ""


def names_an_argument(error: Exception, arguments: dict[str, Any]) -> bool:
    """Whether our own code refused, naming an argument of the call."""
    if not isinstance(error, (ValueError, TypeError)):
        return False
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    ours = str(ROOT / "rnncourse") in trace.tb_frame.f_code.co_filename
    names = [letter for name in arguments for letter in (name, *LETTERS.get(name, ()))]
    return ours and any(re.search(rf"\b{re.escape(name)}\b", str(error)) for name in names)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without warnings and output, with figures closed and the global generator put back afterwards."""
    import matplotlib.pyplot as plt

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            plt.close("all")


def _short(value: Any) -> str:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"{type(value).__name__}{tuple(value.shape)} {value.dtype}"
    return f"{type(value).__name__} {value!r}"[:60].split(" at 0x")[0]


def survey() -> tuple[list[Outcome], dict[str, str]]:
    """All outcomes; and the callables of which no valid call could be made, each with the reason."""
    found, unbuilt = [], {}
    everything = public()
    _KINDS.update({address: one for address, one in everything.items() if isinstance(one, type)})
    for address, function in everything.items():
        if address in LEFT_OUT or address.rpartition(".")[0] in LEFT_OUT:
            continue
        try:
            with quiet():
                call(address, function, valid(address, function))
        except Exception as error:
            unbuilt[address] = f"{type(error).__name__}: {error}"
            continue
        found.extend(outcomes(address, function))
    return found, unbuilt


def table(found: list[Outcome]) -> str:
    """The counts, whole and by room."""
    lines = []
    rooms = sorted({one.callable.split(".")[0] for one in found})
    for room in ["", *rooms]:
        counts = Counter(one.verdict for one in found if one.callable.startswith(room))
        callables = len({one.callable for one in found if one.callable.startswith(room)})
        lines.append(
            f"{room or 'all':12} {callables:4} callables {sum(counts.values()):6} calls "
            f"{counts['refused']:6} refused {counts['accepted']:6} accepted {counts['obscure']:5} obscure"
        )
    return "\n".join(lines)
