"""Numbers too small to matter, and how not to wait for them."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Rounds numbers below about 1e-38 to zero for as long as the block runs.

    A gradient that vanishes over a hundred steps ends among them, and processors compute with such numbers several
    times more slowly than with others. Where the processor cannot round them the block merely runs slowly.

    Example:
        >>> with denormals_as_zero():
        ...     tiny = torch.tensor(1e-30) * 1e-10
        >>> float(tiny), float(torch.tensor(1e-30) * 1e-10) > 0
        (0.0, True)
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
