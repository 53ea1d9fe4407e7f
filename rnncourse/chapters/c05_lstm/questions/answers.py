"""What a judge of chapter 5 asks of an answer before it computes anything with it."""

import torch
from torch import Tensor

REAL = torch.float16, torch.bfloat16, torch.float32, torch.float64


def is_real(value, axes: int) -> bool:
    """Whether a value is an ordinary tensor of real numbers with so many axes."""
    plain = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_nested and not value.is_meta
    return plain and value.dtype in REAL and value.dim() == axes
