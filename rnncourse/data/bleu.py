"""BLEU: how many runs of one to four words a translation shares with its reference, as sacrebleu counts them."""

from collections.abc import Sequence

from rnncourse.data.errors import EXTRA, DataError
from rnncourse.signatures import checked


@checked
def bleu(predicted: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    r"""BLEU-4 of translations against one reference each, counted over all of them together, in percent.

    .. math::

        \mathrm{BLEU} = 100 \cdot \min\!\bigl(1,\, e^{1 - r/c}\bigr) \cdot
        \Bigl(\prod_{n=1}^{4} p_n\Bigr)^{1/4}

    where :math:`p_n` is the share of the translations' runs of n words that stand in their reference, each counted no
    more often than it stands there; c is the number of words of the translations and r that of the references, so that
    the first factor punishes what is too short. A :math:`p_n` of zero is smoothed (sacrebleu's ``exp``). The words are
    taken as they are: nothing is cut, joined or lowered.

    Args:
        predicted: The words of each translation; one may be empty.
        references: The words of each reference, as many, none of them empty.

    Returns:
        From 0 to 100.

    Raises:
        ValueError: There are not as many references as translations, or none; or a word is empty or has a space in it.
        DataError: sacrebleu is not installed.

    Source: Papineni et al. (2002) for the measure, from secondary sources; Post (2018) for the program.

    Example:
        >>> round(bleu([["let", "there", "be", "light"]], [["let", "there", "be", "light"]]), 6)
        100.0
        >>> round(bleu([["let", "there", "be", "dark"]], [["let", "there", "be", "light"]]), 1)
        59.5
    """
    if len(predicted) != len(references) or not len(predicted):
        raise ValueError(
            f"predicted has {len(predicted)} translations and references {len(references)}; both should have the same "
            "number, at least 1"
        )
    for name, texts in (("predicted", predicted), ("references", references)):
        for words in texts:
            if isinstance(words, str) or any(not isinstance(word, str) or word.split() != [word] for word in words):
                raise ValueError(f"{name} holds {words!r}; it should hold lists of words without spaces")
    if not all(map(len, references)):
        raise ValueError("references holds an empty one; every reference should have a word at least")
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        raise DataError(f"BLEU needs the package 'sacrebleu': {EXTRA}") from None
    metric = BLEU(tokenize="none", smooth_method="exp", force=True)
    return metric.corpus_score(
        [" ".join(words) for words in predicted], [[" ".join(words) for words in references]]
    ).score
