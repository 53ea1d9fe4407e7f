"""How far ahead lies the letter that decides how a letter is spoken? Read off the dictionary, without any network."""

import numpy as np

from rnncourse.data.letter_to_sound import Tagged


def deciding_distances(words: list[Tagged]) -> dict[str, np.ndarray]:
    r"""For each letter of each word, how many letters ahead have to be read until only one tag is left.

    .. math::

        d_t = \min \{ k \ge 0 : \text{all words that begin with } x_1 \dots x_{t+k} \text{ have one tag at } t \}

    where :math:`x_1 \dots x_n` is the word and :math:`x_{n+1}` its end, which counts as a letter. A network that has
    read fewer letters than :math:`t + d_t` cannot tell this word from another one whose letter t is tagged otherwise.

    Args:
        words: The dictionary: every spelling once, with one tag for each letter.

    Returns:
        Spelling → distances, shape (letters,).

    Raises:
        ValueError: If a spelling comes twice.

    Example:
        >>> from rnncourse.data.pronunciation import Word
        >>> mat = Tagged(Word("mat", ()), ("M", "AE", "T"))
        >>> mate = Tagged(Word("mate", ()), ("M", "EY", "T", "-"))
        >>> deciding_distances([mat, mate])["mate"].tolist()  # the vowel waits for the e; the rest is sure at once
        [0, 2, 0, 0]
    """
    words = sorted(words, key=lambda item: item.word.letters)
    spellings = [item.word.letters for item in words]
    if len(set(spellings)) < len(spellings):
        raise ValueError("words has a spelling twice; every spelling should come once")
    longest = max(map(len, spellings))
    table = np.zeros((len(words), longest + 1), dtype=np.int64)  # code points; END pads
    tags = np.full((len(words), longest), -1)
    numbers: dict[str, int] = {}
    for row, item in enumerate(words):
        table[row, : len(item.tags)] = [ord(letter) for letter in item.word.letters]
        tags[row, : len(item.tags)] = [numbers.setdefault(tag, len(numbers)) for tag in item.tags]
    same = table[1:] == table[:-1]
    shared = np.where(same.all(1), longest + 1, same.argmin(1))  # letters that a word shares with the one before
    lengths = np.array([len(spelling) for spelling in spellings])

    distances = np.full((len(words), longest), -1)
    for t in range(longest):
        for k in range(longest + 1 - t):
            open_still = (lengths > t) & (distances[:, t] < 0)
            if not open_still.any():
                break
            starts = np.flatnonzero(np.concatenate([[True], shared < t + 1 + k]))  # words with x_1 … x_{t+k} in common
            sure = np.minimum.reduceat(tags[:, t], starts) == np.maximum.reduceat(tags[:, t], starts)
            group = np.repeat(np.arange(len(starts)), np.diff([*starts, len(words)]))
            distances[open_still & sure[group], t] = k
    return {spelling: row[:length] for spelling, row, length in zip(spellings, distances, lengths, strict=True)}
