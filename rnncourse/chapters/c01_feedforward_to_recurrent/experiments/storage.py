"""A network's weights in fewer bits: how many bytes they take, and the network that they give back."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from rnncourse.checks import check_choice

BITS = (32, 16, 8)
"""The widths in which weights are stored."""


class Stored(NamedTuple):
    """A network as stored.

    Attributes:
        model: What is computed with after reading it back.
        bytes: The bytes of all that was stored.
    """

    model: nn.Module
    bytes: int


@torch.no_grad()
def stored(model: nn.Module, bits: int) -> Stored:
    r"""Stores a network's parameters in so many bits each, and reads them back.

    At eight bits each row of a matrix has a scale of its own,

    .. math:: \hat w = s \operatorname{round}(w / s), \qquad s = \max_j |w_j| / 127

    where :math:`w` is an entry of the row and :math:`\hat w` what is read back; the scale takes another 16 bits a row,
    and vectors, such as biases, stay at 16 bits.

    Args:
        model: Stays as it is.
        bits: One of :data:`BITS`.

    Returns:
        A copy with the parameters as read back, and the bytes of the stored arrays.

    Raises:
        ValueError: If there is no such width.

    Example:
        >>> layer = nn.Linear(10, 4)
        >>> [stored(layer, bits).bytes for bits in BITS]  # at eight: 40 weights, 4 scales and 4 biases of two bytes
        [176, 88, 56]
    """
    check_choice("bits", bits, BITS)
    again, size = copy.deepcopy(model), 0
    for parameter in again.parameters():
        arrays, values = _stored_array(parameter.numpy(), bits)
        size += sum(array.nbytes for array in arrays)
        parameter.copy_(torch.from_numpy(values))
    return Stored(again, size)


def _stored_array(values: np.ndarray, bits: int) -> tuple[list[np.ndarray], np.ndarray]:
    """What is stored, and what it gives back."""
    if bits == 32:
        return [values], values
    half = values.astype(np.float16)
    if bits == 16 or values.ndim < 2:
        return [half], half.astype(np.float32)
    rows = values.reshape(-1, values.shape[-1])
    scales = np.maximum(np.abs(rows).max(1, keepdims=True) / 127, 1e-7).astype(np.float16)
    whole = np.clip(np.rint(rows / scales.astype(np.float32)), -127, 127).astype(np.int8)
    return [whole, scales], (whole * scales.astype(np.float32)).reshape(values.shape)
