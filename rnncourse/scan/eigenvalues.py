"""The eigenvalues of a diagonal recurrence, parametrised so that no step of an optimiser makes it unstable."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rnncourse.checks import check_choice, check_positive
from rnncourse.signatures import checked

__all__ = ["EIGENVALUES", "Eigenvalues"]

EIGENVALUES = ("complex", "signed", "positive")
"""The kinds: inside the unit disc, in (-1, 1) and in (0, 1)."""


class Eigenvalues(nn.Module):
    r"""Learned eigenvalues of modulus below one.

    .. math::

        \text{complex:}\quad & \lambda = \exp(-e^{\nu} + i\, e^{\theta}) \\
        \text{positive:}\quad & \lambda = \exp(-e^{\nu}) \\
        \text{signed:}\quad & \lambda = \tanh \rho

    where :math:`\nu` is ``log_decay``, :math:`\theta` is ``log_phase`` and :math:`\rho` is ``raw``, each of shape
    (state,). At the start :math:`|\lambda|^2` is even between the squares of two bounds, so that complex ones lie
    evenly in a ring; their phases are even up to ``max_phase``, signs are drawn by a coin.

    Args:
        state_size: How many there are.
        kind: ``"complex"``, ``"signed"`` or ``"positive"``.
        min_modulus: The least modulus at the start, at least 0 and below ``max_modulus``.
        max_modulus: The largest, at most 1.
        max_phase: The largest phase at the start, in radians, at most 2π.

    Raises:
        ValueError: If the size is not at least 1, the kind is unknown, or a bound makes no sense.

    Source: Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", whose abstract was read;
    the parametrisation and the ring from secondary sources. The signed ones are not the paper's.

    Example:
        >>> eigenvalues = Eigenvalues(4, "signed", min_modulus=0.9, max_modulus=0.99)
        >>> bool(((0.9 <= eigenvalues().abs()) & (eigenvalues().abs() <= 0.99)).all())
        True
    """

    @checked
    def __init__(
        self,
        state_size: int,
        kind: str = "complex",
        *,
        min_modulus: float | int = 0.0,
        max_modulus: float | int = 1.0,
        max_phase: float | int = 2 * math.pi,
    ) -> None:
        super().__init__()
        check_positive("state_size", state_size)
        check_choice("kind", kind, EIGENVALUES)
        if not 0 <= min_modulus < max_modulus <= 1:
            bounds = f"min_modulus is {min_modulus!r} and max_modulus is {max_modulus!r}"
            raise ValueError(f"{bounds}; it should be 0 ≤ min_modulus < max_modulus ≤ 1")
        if not 0 < max_phase <= 2 * math.pi:
            raise ValueError(f"max_phase is {max_phase!r}; it should be above 0 and at most 2π")
        self.kind = kind
        self.min_modulus, self.max_modulus, self.max_phase = min_modulus, max_modulus, max_phase
        for name in {"complex": ["log_decay", "log_phase"], "positive": ["log_decay"], "signed": ["raw"]}[kind]:
            self.register_parameter(name, nn.Parameter(torch.empty(state_size)))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all eigenvalues anew."""
        example = next(self.parameters())
        share = torch.rand_like(example).clamp(1e-6, 1 - 1e-6)  # neither a modulus of 0 nor one of 1
        squared = self.min_modulus**2 + (self.max_modulus**2 - self.min_modulus**2) * share
        if self.kind == "signed":
            self.raw.copy_(squared.sqrt().atanh() * torch.randint_like(example, 2).mul(2).sub(1))
            return
        self.log_decay.copy_((-squared.log() / 2).log())
        if self.kind == "complex":
            self.log_phase.copy_((self.max_phase * torch.rand_like(example).clamp(min=1e-6)).log())

    def forward(self) -> Tensor:
        """The eigenvalues.

        Returns:
            A tensor of shape (state,), complex or real.
        """
        if self.kind == "signed":
            return torch.tanh(self.raw)
        decay = torch.exp(self.log_decay)
        return (
            torch.exp(torch.complex(-decay, torch.exp(self.log_phase))) if self.kind == "complex" else torch.exp(-decay)
        )

    def log_gamma(self) -> Tensor:
        r"""The logarithms of the norms that make a state as large as its inputs.

        .. math:: \gamma = \sqrt{1 - |\lambda|^2}

        since the variance of :math:`\sum_s \lambda^s u_s` is that of the inputs over :math:`1 - |\lambda|^2`, for
        inputs :math:`u_s` that know nothing of each other.

        Returns:
            A tensor of shape (state,), exact also where :math:`|\lambda|` is near one.

        Example:
            >>> eigenvalues = Eigenvalues(1, "positive")
            >>> bool((eigenvalues.log_gamma().exp() ** 2 + eigenvalues() ** 2 - 1).abs() < 1e-5)
            True
        """
        if self.kind == "signed":
            return -torch.cosh(self.raw).log()
        return torch.log(-torch.expm1(-2 * torch.exp(self.log_decay))) / 2
