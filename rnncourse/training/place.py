"""Where in its batches a run stands, so that it can be gone on with from there."""

import itertools
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

__all__ = ["Place", "random_state", "set_random_state"]


class Place:
    """The batches taken of an epoch, and what they were drawn from when it began.

    The batches of an epoch are drawn again from the same random numbers, those that were taken are passed over, and the
    generators are set to where the run left them. What an object of batches counts by itself it says in
    ``state_dict()`` and takes back in ``load_state_dict(…)``, as :class:`~rnncourse.data.Batches` does.

    Args:
        batches: What is read, again for each epoch.
        devices: Indices of the CUDA devices whose generators take part.
    """

    def __init__(self, batches: Iterable[Any], devices: list[int]) -> None:
        self.batches, self.devices = batches, devices
        self.taken = 0
        self._began: dict[str, Any] | None = None  # None between epochs

    def epoch(self) -> Iterator[Any]:
        """The batches of an epoch from this place on.

        Yields:
            Batches, each counted as taken when it is handed out.
        """
        if self._began is None:
            self.taken, self._began = 0, self._now()
            iterator = iter(self.batches)
        else:
            now = random_state(self.devices)
            self._go_to(self._began)
            iterator = iter(self.batches)
            for _ in itertools.islice(iterator, self.taken):
                pass
            set_random_state(now, self.devices)
        for batch in iterator:
            self.taken += 1
            yield batch
        self.taken, self._began = 0, None

    def state_dict(self) -> dict[str, Any]:
        """The place, and torch's random numbers there."""
        return {"taken": self.taken, "began": self._began, "now": self._now()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to a place.

        Args:
            state: What :meth:`state_dict` returned.
        """
        self.taken, self._began = state["taken"], state["began"]
        self._go_to(state["now"])

    def _now(self) -> dict[str, Any]:
        own = self.batches.state_dict() if hasattr(self.batches, "state_dict") else None
        return {"random": random_state(self.devices), "batches": deepcopy(own)}

    def _go_to(self, there: dict[str, Any]) -> None:
        set_random_state(there["random"], self.devices)
        if there["batches"] is not None and hasattr(self.batches, "load_state_dict"):
            self.batches.load_state_dict(deepcopy(there["batches"]))


def random_state(devices: list[int]) -> list[Tensor]:
    """The states of torch's generators.

    Args:
        devices: Indices of CUDA devices.

    Returns:
        The processor's and that of each device.
    """
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in devices)]


def set_random_state(states: list[Tensor], devices: list[int]) -> None:
    """Sets torch's generators.

    Args:
        states: What :func:`random_state` returned.
        devices: Indices of CUDA devices.
    """
    torch.set_rng_state(states[0])
    for state, device in zip(states[1:], devices, strict=True):
        torch.cuda.set_rng_state(state, device)
