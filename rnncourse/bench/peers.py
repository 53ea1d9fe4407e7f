"""XLA's scan beside ours: the recurrent layers of flax and equinox, with jax on the CPU, where they are installed.

A peer gets torch.nn's weights and the same inputs, does the same work (outputs, or outputs and every gradient, one
function compiled whole), and is compared before it is timed. Compiling happens before the first timed round; how long
it took is written down beside the times. One core is shown to XLA while it starts, since it makes as many threads as it
sees cores, and calls are waited for.

Each library is used as its documentation shows: ``flax.linen.RNN`` over a cell, and for equinox, which has no layer
over time, ``jax.lax.scan`` over a cell, mapped over the batch. equinox has no vanilla cell.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

PEERS = ("flax", "equinox")
FLAX_CELLS = {"RNN": "SimpleCell", "GRU": "GRUCell", "LSTM": "OptimizedLSTMCell"}
FLAX_GATES = {"RNN": ("",), "GRU": ("r", "z", "n"), "LSTM": ("i", "f", "g", "o")}


def missing(peer: str, cell: str) -> str | None:
    """Why a peer cannot take part, in words; None if it can.

    Args:
        peer: "flax" or "equinox".
        cell: "RNN", "GRU" or "LSTM".
    """
    absent = [name for name in ("jax", peer) if find_spec(name) is None]
    if absent:
        return f"{peer} skipped: {' and '.join(absent)} not installed (pip install rnncourse[bench])"
    if peer == "equinox" and cell == "RNN":
        return "equinox skipped: it has no vanilla cell"
    return None


@contextmanager
def _one_core() -> Iterator[None]:
    """Show this thread, and threads that it starts meanwhile, a single core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _jax() -> ModuleType:
    """jax on the CPU, with one thread; its settings are made before its first computation."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if flags not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    with _one_core():
        import jax

        jax.config.update("jax_enable_x64", True)  # arrays keep the type that they come with
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        jax.devices()
    return jax


class Peer:
    """One peer at one size: its compiled passes, and its results in torch's order.

    Args:
        peer: "flax" or "equinox".
        cell: "RNN", "GRU" or "LSTM".
        reference: The layer of torch.nn whose weights it gets; batch first, one layer, one direction.
        x: Inputs of shape (batch, time, input).
        dy: What is sent back through the outputs.

    Attributes:
        compile_seconds: Processor time that compiling took, by kind of work, filled when the work is first prepared.
    """

    def __init__(self, peer: str, cell: str, reference: nn.RNNBase, x: Tensor, dy: Tensor) -> None:
        self.jax = _jax()
        build = _flax if peer == "flax" else _equinox
        self.parameters, function, self._gradients = build(self.jax, cell, reference, x.shape[0])
        self.x, self.dy = self._array(x), self._array(dy)
        self.compile_seconds: dict[str, float] = {}
        self._compiled: dict[str, Any] = {}

        def both(parameters: Any, x: Any, dy: Any) -> Any:
            y, back = self.jax.vjp(function, parameters, x)
            return y, back(dy)

        self._functions = {"forward": function, "forward+backward": both}

    def _array(self, tensor: Tensor) -> Any:
        return self.jax.numpy.asarray(tensor.detach().numpy())

    def work(self, kind: str) -> Callable[[], Any]:
        """A function that runs one compiled pass and waits for it.

        Args:
            kind: "forward" or "forward+backward".
        """
        arguments = (self.parameters, self.x, self.dy)[: 3 if kind == "forward+backward" else 2]
        if kind not in self._compiled:  # a second time jax would find it in its cache
            begin = time.process_time()
            self._compiled[kind] = self.jax.jit(self._functions[kind]).lower(*arguments).compile()
            self.compile_seconds[kind] = time.process_time() - begin
        compiled = self._compiled[kind]
        return lambda: self.jax.block_until_ready(compiled(*arguments))

    def results(self) -> list[Tensor]:
        """What :func:`rnncourse.bench.pairs.results` gives for a module, from the compiled pass."""
        y, (parameters, dx) = self.work("forward+backward")()
        return [torch.tensor(_numpy(each)) for each in (y, dx, *self._gradients(parameters))]


def _numpy(array: Any) -> Any:
    import numpy as np

    return np.asarray(array)


def _weights(reference: nn.RNNBase) -> tuple[Any, ...]:
    return tuple(getattr(reference, f"{name}_l0").detach().numpy() for name in _NAMES)


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _flax(jax: ModuleType, cell: str, reference: nn.RNNBase, batch: int) -> tuple[Any, Callable[..., Any], Any]:
    """flax's parameters, its pass, and how its gradients are put together to torch's."""
    import flax.linen as flax
    import numpy as np

    gates, hidden = FLAX_GATES[cell], reference.hidden_size
    W_ih, W_hh, b_ih, b_hh = (np.split(weight, len(gates)) for weight in _weights(reference))
    inner: dict[str, dict[str, Any]] = {}
    for place, gate in enumerate(gates):
        both = b_ih[place] + b_hh[place]
        inner[f"i{gate}"] = {"kernel": W_ih[place].T}
        inner[f"h{gate}"] = {"kernel": W_hh[place].T}
        if cell == "GRU" and gate == "n":  # the one bias that stands inside the reset
            inner["in"]["bias"], inner["hn"]["bias"] = b_ih[place], b_hh[place]
        else:
            inner[f"h{gate}" if cell == "LSTM" else f"i{gate}"]["bias"] = both
    parameters = {"params": {"cell": jax.tree.map(jax.numpy.asarray, inner)}}
    layer = flax.RNN(getattr(flax, FLAX_CELLS[cell])(features=hidden, param_dtype=W_ih[0].dtype))

    def function(parameters: Any, x: Any) -> Any:
        return layer.apply(parameters, x)

    def gradients(found: Any) -> Sequence[Any]:
        of = found["params"]["cell"]
        side = "h" if cell == "LSTM" else "i"
        return (
            np.concatenate([_numpy(of[f"i{gate}"]["kernel"]).T for gate in gates]),
            np.concatenate([_numpy(of[f"h{gate}"]["kernel"]).T for gate in gates]),
            np.concatenate([_numpy(of[f"{side}{gate}"]["bias"]) for gate in gates]),
        )

    return parameters, function, gradients


def _equinox(jax: ModuleType, cell: str, reference: nn.RNNBase, batch: int) -> tuple[Any, Callable[..., Any], Any]:
    """The same for equinox."""
    import equinox

    hidden = reference.hidden_size
    W_ih, W_hh, b_ih, b_hh = map(jax.numpy.asarray, _weights(reference))
    kind = getattr(equinox.nn, f"{cell}Cell")
    empty = kind(reference.input_size, hidden, dtype=W_ih.dtype, key=jax.random.key(0))
    if cell == "LSTM":
        names, values = ("weight_ih", "weight_hh", "bias"), (W_ih, W_hh, b_ih + b_hh)
    else:
        inside = slice(2 * hidden, None)
        names = ("weight_ih", "weight_hh", "bias", "bias_n")
        values = (W_ih, W_hh, (b_ih + b_hh).at[inside].set(b_ih[inside]), b_hh[inside])
    parameters = equinox.tree_at(lambda one: [getattr(one, name) for name in names], empty, list(values))
    zero = jax.numpy.zeros(hidden, W_ih.dtype)

    def one_sequence(cell_: Any, x: Any) -> Any:
        def step(state: Any, x_t: Any) -> Any:
            state = cell_(x_t, state)
            return state, state[0] if cell == "LSTM" else state

        return jax.lax.scan(step, (zero, zero) if cell == "LSTM" else zero, x)[1]

    def function(parameters: Any, x: Any) -> Any:
        return jax.vmap(one_sequence, in_axes=(None, 0))(parameters, x)

    return parameters, function, lambda found: [getattr(found, name) for name in names[:3]]
