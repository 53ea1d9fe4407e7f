"""The Santa Fe laser: an infrared laser's intensity in a chaotic state, to be predicted one step ahead."""

import io

import numpy as np
import torch

from rnncourse.data.baselines import linear_autoregression, persistence
from rnncourse.data.batches import Batch, tagged
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.sources import read_files
from rnncourse.data.splits import Split
from rnncourse.data.synthetic import check_at_least
from rnncourse.signatures import checked

CARD = Card(
    name="santa_fe_laser",
    title="The Santa Fe laser",
    kind="real",
    task="Predict the next intensity of a far-infrared laser from those before it.",
    citation="Hübner, Abraham and Weiss, Phys. Rev. A 40, 1989; data set A of Weigend and Gershenfeld, Time series "
    "prediction, 1994.",
    source="`santafe_laser.npy` of `reservoirpy`, read without importing it.",
    size="10,093 intensities, whole numbers from 0 to 255, divided by 255",
    split="By time, 80/10/10 %: the first part to fit, the last to test. A series has no items to hash: neighbouring "
    "steps are all but copies.",
    data_license="no licence of its own; released for the Santa Fe competition of 1991 and passed on freely since",
    code_license="MIT",
    sha256="8c07281200935596f8e28bc94e1bb25e9964ab7d7f63c5e27ac87b810ac3b33a",
    package="reservoirpy",
    version="0.4.2",
    notes="The competition asked for 100 steps after the first 1,000; this course asks for one step ahead.",
)
FILES = ["reservoirpy/datasets/santafe_laser.npy"]
SCALE = 255.0


@checked
def windows(series: np.ndarray, window: int, stride: int) -> Batch:
    """Cut a series into windows whose targets are the next values.

    Args:
        series: Shape (steps,), more than ``window`` of them.
        window: Steps a window, at least 1.
        stride: Steps from the start of one window to the next, at least 1.

    Returns:
        Inputs and targets (windows, window, 1), float32.

    Raises:
        ValueError: A size is below 1, or the series too short.
    """
    check_at_least("window", window, 1)
    check_at_least("stride", stride, 1)
    if len(series) <= window:
        raise ValueError(f"window is {window}; it should be below the {len(series)} steps of the series")
    cut = np.lib.stride_tricks.sliding_window_view(series.astype(np.float32), window + 1)[::stride]
    values = torch.from_numpy(cut.copy()).unsqueeze(2)
    return tagged(values[:, :-1], values[:, 1:])


def series() -> dict[str, np.ndarray]:
    """The three parts of the series, scaled to [0, 1].

    Returns:
        Arrays of shape (steps,) under ``"train"``, ``"valid"`` and ``"test"``.

    Raises:
        MissingDataPackage: The package ``reservoirpy`` is not installed.
        HashMismatch: It carries another file.
    """
    (content,) = read_files(CARD, FILES)
    values = np.load(io.BytesIO(content), allow_pickle=False)[:, 0] / SCALE
    first, second = int(0.8 * len(values)), int(0.9 * len(values))
    return {"train": values[:first], "valid": values[first:second], "test": values[second:]}


@checked
def load(*, window: int = 100, stride: int | None = None, order: int = 16) -> Dataset:
    """The laser as windows for one-step prediction.

    Args:
        window: Steps a window.
        stride: Steps between the starts of training windows; ``window`` where not given (no overlap). Valid and test
            never overlap.
        order: How many values the linear autoregression looks back.

    Returns:
        The data set; its baselines are persistence and linear autoregression, in the laser's own unit (multiply errors
        by 255).

    Raises:
        ValueError: A size is below 1, or a window longer than the test part.
    """
    parts = series()
    steps = {"train": window if stride is None else stride, "valid": window, "test": window}
    splits = {name: Split(windows(part, window, steps[name])) for name, part in parts.items()}
    linear = linear_autoregression(parts["train"], parts["test"], order=order).rmse
    metric = "root mean squared error, 0 to 255"
    baselines = {
        "persistence": Baseline(
            "persistence", SCALE * persistence(parts["test"]), metric, "lower", "the next value is this one"
        ),
        "linear": Baseline(
            "linear", SCALE * linear, metric, "lower", f"least squares on the last {order} values, fitted on train"
        ),
    }
    return Dataset("santa_fe_laser", CARD, splits, baselines=baselines)


def fingerprint() -> str:
    """SHA-256 of the series as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, FILES)
    return CARD.sha256
