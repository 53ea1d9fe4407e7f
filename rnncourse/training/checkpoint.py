"""A run in a file, from which it goes on as if it had never ended."""

import os
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rnncourse.training.history import History
from rnncourse.training.place import Place
from rnncourse.training.watch import Watch

__all__ = ["Checkpoint", "check_checkpoint"]

FORMAT = "rnncourse.training.fit 1"


class Checkpoint:
    """All that a run needs to go on exactly: weights, optimiser, best weights, history, random numbers, and its place.

    Args:
        path: The file.
        model: What is trained.
        optimizer: Its optimiser.
        watch: Its best weights and its patience.
        place: Where in its batches it stands.
        settings: What a run has to have in common with the one in the file, by name.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        model: nn.Module,
        optimizer: Optimizer,
        watch: Watch,
        place: Place,
        settings: dict[str, Any],
    ) -> None:
        self.path = Path(path)
        self.model, self.optimizer, self.watch, self.place = model, optimizer, watch, place
        groups = [  # without lr, which changes from step to step; where it began stands among the settings
            {name: value for name, value in group.items() if name != "lr" and _is_plain(value)}
            for group in optimizer.param_groups
        ]
        batches = place.batches
        self.settings = {
            "model": {name: f"{tuple(value.shape)} {value.dtype}" for name, value in model.state_dict().items()},
            "optimizer": f"{type(optimizer).__name__} {groups}",
            "devices": len(place.devices),
            "batches": len(batches) if hasattr(batches, "__len__") else None,
            **settings,
        }

    def save(self) -> None:
        """Writes the file: at once or not at all, whatever happens meanwhile."""
        content = {
            "format": FORMAT,
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": asdict(self.watch.history),
            "best_weights": self.watch.best_weights,
            "since_best": self.watch.since_best,
            "place": self.place.state_dict(),
        }
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def load(self) -> bool:
        """Puts the run of the file in place of the one that is about to begin, if there is a file.

        Returns:
            Whether there was one.

        Raises:
            ValueError: If the file is no checkpoint, or one of another model or of a run with other settings; nothing
                has been changed then.
        """
        if not self.path.exists():
            return False
        content = self._read()
        for name, now in self.settings.items():
            then = content["settings"].get(name)
            if then != now:
                raise ValueError(
                    f"checkpoint {str(self.path)!r} is of a run with another {name}: {_difference(then, now)}; it "
                    "should be another file, or a call like the one that wrote it"
                )
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        for field in fields(History):
            setattr(self.watch.history, field.name, content["history"][field.name])
        self.watch.history.stopped = ""
        self.watch.best_weights, self.watch.since_best = content["best_weights"], content["since_best"]
        self.place.load_state_dict(content["place"])
        return True

    def _read(self) -> dict[str, Any]:
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever the reading of a foreign file comes upon
            raise ValueError(
                f"checkpoint is {str(self.path)!r}, which cannot be read as one ({type(error).__name__}); it should "
                "be a file that fit wrote, or none yet"
            ) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"checkpoint is {str(self.path)!r}; it should be a file that fit wrote, or none yet")
        return content


def check_checkpoint(checkpoint: Any, batches: Any) -> None:
    """Refuse what cannot be a checkpoint, and batches that cannot be gone on with.

    Args:
        checkpoint: Should be a path in a folder that is there.
        batches: Should be something that can be read from its start.

    Raises:
        ValueError: If one is not.
    """
    if not isinstance(checkpoint, (str, os.PathLike)) or not os.fspath(checkpoint):
        raise ValueError(f"checkpoint is a {type(checkpoint).__name__}; it should be the path of a file")
    if Path(checkpoint).is_dir() or not Path(checkpoint).absolute().parent.is_dir():
        raise ValueError(f"checkpoint is {str(checkpoint)!r}; it should be a file in a folder that is there")
    if hasattr(batches, "__next__") and not hasattr(batches, "state_dict"):
        raise ValueError(
            f"batches is a {type(batches).__name__}, which cannot be read from its start again; with a checkpoint it "
            "should be something that can (a list, Batches), or say its state_dict"
        )


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, type(None), tuple)) and not isinstance(value, Tensor)


def _difference(then: Any, now: Any) -> str:
    """What differs, in a few words."""
    if isinstance(then, dict) and isinstance(now, dict):
        names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
        then, now = (f"{names[0]} {side.get(names[0], 'missing')}" for side in (then, now))
    return f"there {then}, here {now}"
