"""One training loop for every chapter: clip, step, watch a validation measure, keep the best, say why it stopped.

It knows nothing of recurrent networks: a model is anything with parameters, a batch is whatever the loss understands.
"""

from rnncourse.training.history import Diverged, History
from rnncourse.training.interrupting import Interrupted
from rnncourse.training.loop import fit
from rnncourse.training.losses import accuracy, cross_entropy, mean_squared_error, nats_to_bits, perplexity
from rnncourse.training.measuring import average
from rnncourse.training.optimizers import OPTIMIZERS
from rnncourse.training.schedules import cosine

__all__ = [
    "OPTIMIZERS",
    "Diverged",
    "History",
    "Interrupted",
    "accuracy",
    "average",
    "cosine",
    "cross_entropy",
    "fit",
    "mean_squared_error",
    "nats_to_bits",
    "perplexity",
]
