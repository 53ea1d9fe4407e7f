"""The parts that make a network deep: a stepwise perceptron, a deep transition, and maps around a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import check_choice, check_flag, check_layer, check_lengths, check_positive, check_shape
from rnncourse.unroll import last_step, padding_mask

__all__ = ["Between", "DeepTransitionCell", "DeepTransitionTrace", "Perceptron"]

_FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu}


class Perceptron(nn.Module):
    r"""A feedforward network that is applied to every step on its own.

    .. math:: z^{(0)} = x_t, \qquad z^{(l)} = \varphi(A_l z^{(l-1)} + b_l), \qquad l = 1, \dots, L

    where :math:`A_l` and :math:`b_l` are the weights of layer l, and :math:`\varphi` is the nonlinearity; the last
    layer may be linear.

    Args:
        sizes: Features from the input to the last layer, at least two numbers.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        last: The last layer's nonlinearity, or ``None`` for a linear one.

    Raises:
        ValueError: If there are fewer than two sizes, one is no whole number of at least 1, or a nonlinearity is
            unknown.

    Example:
        >>> Perceptron([3, 8, 2], last=None)(torch.zeros(5, 7, 3)).shape
        torch.Size([5, 7, 2])
    """

    def __init__(self, sizes: Sequence[int], nonlinearity: str = "tanh", *, last: str | None = "tanh") -> None:
        super().__init__()
        if not isinstance(sizes, Sequence) or isinstance(sizes, str) or len(sizes) < 2:
            raise ValueError(f"sizes is {sizes!r}; it should be a list of at least an input and an output size")
        for size in sizes:
            check_positive("an entry of sizes", size)
        check_choice("nonlinearity", nonlinearity, _FUNCTIONS)
        check_choice("last", last, [*_FUNCTIONS, None])
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True))
        self.nonlinearities = [nonlinearity] * (len(sizes) - 2) + [last]

    @property
    def input_size(self) -> int:
        """Features going in."""
        return self.layers[0].in_features

    @property
    def output_size(self) -> int:
        """Features coming out."""
        return self.layers[-1].out_features

    def forward(self, x: Float[Tensor, "... input"]) -> Float[Tensor, "... output"]:
        """Apply the network to the last axis.

        Args:
            x: Features, in any number of leading axes.

        Returns:
            The last layer's values.

        Raises:
            ValueError: If ``x`` is no floating-point tensor with ``input_size`` features in its last axis, or has
                another dtype or device than the weights.
        """
        leading = {f"axis_{axis}": None for axis in range(x.dim() - 1)} if isinstance(x, Tensor) else {}
        check_shape("x", x, like=self.layers[0].weight, **leading, input=self.input_size)
        for layer, nonlinearity in zip(self.layers, self.nonlinearities, strict=True):
            x = layer(x)
            if nonlinearity is not None:
                x = _FUNCTIONS[nonlinearity](x)
        return x


class DeepTransitionTrace(NamedTuple):
    """The layers inside one deep transition.

    Attributes:
        z: The values of the layers from the first to the last, each (batch, hidden).
        h: The new hidden state, which is the last of them.
    """

    z: tuple[Tensor, ...]
    h: Tensor


torch.serialization.add_safe_globals([DeepTransitionTrace])  # for torch.load(…, weights_only=True)


class DeepTransitionCell(Cell):
    r"""A cell with several layers between one hidden state and the next (DT-RNN), with shortcuts if asked (DT(S)-RNN).

    .. math::
        z_t^{(1)} &= \varphi(U x_t + W_1 h_{t-1} + b_1), \\
        z_t^{(l)} &= \varphi(W_l z_t^{(l-1)} + S_l h_{t-1} + b_l), \qquad l = 2, \dots, L, \\
        h_t &= z_t^{(L)}

    where :math:`U` is ``weight_ih``, :math:`W_1` is ``weight_hh``, :math:`b_1` is ``bias_ih`` + ``bias_hh``, the
    deeper :math:`W_l` and :math:`b_l` are ``deep_weights`` and ``deep_biases``, and :math:`S_l` is
    ``shortcut_weights``, present only with ``shortcut=True``. Credit between states T steps apart crosses :math:`L T`
    nonlinearities; with the shortcuts there is also a path that crosses one a step.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state and of each layer in between.
        depth: Layers :math:`L` of the transition, at least 1; with 1 it is the vanilla cell.
        shortcut: Whether the old hidden state also reaches every layer after the first.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: Whether there are biases.
        init: ``"uniform"`` or ``"orthogonal"``; the latter makes each :math:`W_l` orthogonal.
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size or the depth is not at least 1, or a choice is unknown.

    Source: Pascanu et al. (2014), whose introduction was read in the paper; the equations, and that the shortcut is a
    weight matrix from the old state to every later layer, were read in the authors' own library, GroundHog
    (``RecurrentMultiLayerShortPath``).

    Example:
        >>> cell = DeepTransitionCell(3, 5, depth=3, shortcut=True)
        >>> output, state = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape, len(cell.deep_weights), len(cell.shortcut_weights)
        (torch.Size([2, 5]), 2, 2)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        depth: int = 2,
        shortcut: bool = False,
        nonlinearity: str = "tanh",
        bias: bool = True,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_positive("depth", depth)
        check_flag("shortcut", shortcut)
        check_flag("bias", bias)
        check_choice("nonlinearity", nonlinearity, _FUNCTIONS)
        self.depth, self.shortcut, self.nonlinearity, self.bias = depth, shortcut, nonlinearity, bias
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)

    def add_parameters(self) -> None:
        """Create the layers of the transition after the first."""
        later, square = range(self.depth - 1), (self.hidden_size, self.hidden_size)
        self.deep_weights = nn.ParameterList(torch.empty(square) for _ in later)
        self.deep_biases = nn.ParameterList(torch.empty(self.hidden_size) for _ in later if self.bias)
        self.shortcut_weights = nn.ParameterList(torch.empty(square) for _ in later if self.shortcut)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.init == "orthogonal":
            for weight in self.deep_weights:
                nn.init.orthogonal_(weight)

    def equations(self, x_t: Tensor, state: Tensor) -> DeepTransitionTrace:
        """One step, every layer of the transition kept.

        Raises:
            ValueError: If a shape, dtype or device does not fit the parameters.
        """
        check_shape("x_t", x_t, like=self.weight_ih, batch=None, input=self.input_size)
        check_shape("state", state, like=self.weight_ih, batch=x_t.shape[0], hidden=self.hidden_size)
        function = _FUNCTIONS[self.nonlinearity]
        layers = nn.functional.linear
        z = [function(layers(x_t, self.weight_ih, self.bias_ih) + layers(state, self.weight_hh, self.bias_hh))]
        for l, W in enumerate(self.deep_weights):
            a = layers(z[-1], W, self.deep_biases[l] if self.bias else None)
            if self.shortcut:
                a = a + layers(state, self.shortcut_weights[l])
            z.append(function(a))
        return DeepTransitionTrace(tuple(z), z[-1])

    def extra_repr(self) -> str:
        """The sizes and the depth, as ``repr`` shows them."""
        return f"{super().extra_repr()}, depth={self.depth}, shortcut={self.shortcut}"


class Between(nn.Module):
    r"""A recurrent layer between two maps that act on each step alone: depth before it, depth after it.

    .. math:: y_t = \mathrm{after}(h_t), \qquad h_t, s_t = \mathrm{layer}(\mathrm{before}(x_t), s_{t-1})

    where either map may be absent.

    Args:
        layer: Any layer of the grammar.
        before: A map on (batch, time, input), such as :class:`~rnncourse.depth.parts.Perceptron`: a deep
            input-to-hidden function.
        after: A map on (batch, time, hidden): a deep hidden-to-output function (DO-RNN).

    Raises:
        ValueError: If ``layer`` is none, a map is no module, or the sizes of neighbours, where both say theirs, do not
            fit.

    Source: Pascanu et al. (2014), whose introduction was read.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> from rnncourse.layers import Recurrent
        >>> layer = Between(Recurrent(RNNCell(8, 5)), before=Perceptron([3, 8]), after=Perceptron([5, 8, 2], last=None))
        >>> outputs, state = layer(torch.zeros(1, 7, 3))
        >>> outputs.shape, state.shape
        (torch.Size([1, 7, 2]), torch.Size([1, 5]))
    """

    def __init__(self, layer: nn.Module, *, before: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        check_layer("layer", layer)
        for name, part in (("before", before), ("after", after)):
            if part is not None and not isinstance(part, nn.Module):
                raise ValueError(f"{name} is a {type(part).__name__}; it should be a module, such as a Perceptron")
        if before is not None and getattr(before, "output_size", layer.input_size) != layer.input_size:
            raise ValueError(
                f"before puts out {before.output_size} features; it should be the layer's, {layer.input_size}"
            )
        if after is not None and getattr(after, "input_size", layer.output_size) != layer.output_size:
            raise ValueError(f"after takes {after.input_size} features; it should be the layer's, {layer.output_size}")
        self.before, self.layer, self.after = before, layer, after

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.layer.input_size if self.before is None else self.before.input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.layer.output_size if self.after is None else self.after.output_size

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: the layer's."""
        return self.layer.initial_state(batch_size)

    @property
    def bidirectional(self) -> bool:
        """Whether what the layer puts out has been read from both ends."""
        return self.layer.bidirectional

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What was put out when everything had been read, of shape (batch, output).

        Raises:
            ValueError: If a map after a layer of two directions has mixed what they put out.
        """
        if self.after is None:
            return self.layer.last_output(outputs, lengths)
        if self.layer.bidirectional:
            raise ValueError(
                "read='last' cannot tell two directions apart that what follows them mixes; use read='mean', or "
                "'concatenate' on top"
            )
        return last_step(outputs, lengths)

    def top_hidden(self, state: Any) -> Tensor:
        """The hidden state of the topmost cell, in a state of this layer."""
        return self.layer.top_hidden(state)

    def forward(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: Any = None,
        lengths: Int[Tensor, " batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Read sequences.

        Args:
            inputs: The sequences, padded to one number of steps.
            state: The layer's state to start from; its initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The outputs, zero at padding, and the layer's state at each sequence's own end.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit.
        """
        like = next(self.layer.parameters(), None)
        check_shape("inputs", inputs, like=like, batch=None, time=None, input=self.input_size)
        if lengths is not None:
            check_lengths(lengths, *inputs.shape[:2])
        features = inputs if self.before is None else self.before(inputs)
        outputs, state = self.layer(features, state, lengths)
        if self.after is not None:
            outputs = self.after(outputs)
            if lengths is not None:  # a bias would put something at the padding
                real = padding_mask(lengths.to(outputs.device), outputs.shape[1])
                outputs = torch.where(real.unsqueeze(2), outputs, torch.zeros_like(outputs))
        return outputs, state
