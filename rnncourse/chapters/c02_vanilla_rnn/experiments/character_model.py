"""Chapter 2's network: one vanilla recurrent layer that reads and predicts characters."""

from rnncourse.cells import RNNCell
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel


def character_model(vocabulary_size: int, *, hidden_size: int, embedding_size: int = 32) -> LanguageModel:
    """A language model with one vanilla recurrent layer, its recurrent matrix orthogonal at the start.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.
        embedding_size: Length of the vector that each character is given.

    Returns:
        The untrained model.

    Example:
        >>> model = character_model(65, hidden_size=256)
        >>> sum(parameter.numel() for parameter in model.parameters())
        93025
    """
    return LanguageModel(
        Recurrent(RNNCell(embedding_size, hidden_size, init="orthogonal"), implementation="kernel"), vocabulary_size
    )
