"""Task heads: what turns a recurrent layer into a language model, a classifier or a tagger.

Each takes any layer of the grammar, ``outputs, state = layer(inputs, state, lengths)``, and speaks the same sentence
itself: ``logits, state = model(inputs, state)``.
"""

from rnncourse.models.classifier import SequenceClassifier
from rnncourse.models.generation import generate
from rnncourse.models.language_model import LanguageModel
from rnncourse.models.tagger import SequenceTagger
from rnncourse.models.tokens import OneHot
from rnncourse.models.tree_classifier import TreeClassifier

__all__ = [
    "LanguageModel",
    "OneHot",
    "SequenceClassifier",
    "SequenceTagger",
    "TreeClassifier",
    "generate",
]
