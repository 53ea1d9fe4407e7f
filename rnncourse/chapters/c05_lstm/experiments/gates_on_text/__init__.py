"""The gates of an LSTM on real prose: how often they are shut or open, and whether what a unit tracks is used.

That a unit's cell state goes along with something in the text says only that the network *could* use it. The test is to
hold the unit still and to see which predictions suffer, against doing the same to every other unit.
"""

from rnncourse.chapters.c05_lstm.experiments.gates_on_text.model import (
    EMBEDDING_SIZE,
    LEARNING_RATE,
    read_on,
    text_lstm,
    train_text_lstm,
)
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.opening import (
    Opened,
    bits_at,
    cut,
    gates_of,
    open_gates,
    saturation_by_unit,
    stretches,
)
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.removal import removal_test, remove_unit, rises
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.run import PARTS, WARM_UP, gates_on_text
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.tracking import (
    MATTERS,
    correlations,
    find_tracking_unit,
    tracked,
)

__all__ = [
    "EMBEDDING_SIZE",
    "LEARNING_RATE",
    "MATTERS",
    "PARTS",
    "WARM_UP",
    "Opened",
    "bits_at",
    "correlations",
    "cut",
    "find_tracking_unit",
    "gates_of",
    "gates_on_text",
    "open_gates",
    "read_on",
    "removal_test",
    "remove_unit",
    "rises",
    "saturation_by_unit",
    "stretches",
    "text_lstm",
    "tracked",
    "train_text_lstm",
]
