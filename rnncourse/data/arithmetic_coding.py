"""Yes-or-no decisions in as few bytes as they are surprising: an arithmetic coder whose probabilities are counts.

What is likely costs a small part of a bit. Writer and reader count alike, so that no probability has to be stored. Both
keep an interval of numbers that agree with all decisions so far, and leave behind each leading byte that can no longer
change; their loops are written out, since a call for every decision would cost most of the time.
"""

from collections import defaultdict

import numpy as np
from jaxtyping import Bool, Int

from rnncourse.signatures import checked

_BYTES = 6  # of the interval's ends
_TOP = 2 ** (8 * _BYTES) - 1
_SHIFT = 8 * (_BYTES - 1)


class DecisionWriter:
    """Writes decisions as bytes.

    The interval of all numbers is split at each decision in proportion to how often decisions of its kind were yes so
    far, half a count added to both answers; what remains at the end is named by its leading bytes.

    References:
        Rissanen and Langdon, Arithmetic coding, IBM Journal of Research and Development 23, 1979; Krichevsky and
        Trofimov, The performance of universal encoding, 1981, for the half count (both from secondary sources).

    Example:
        >>> writer = DecisionWriter()
        >>> writer.write(np.arange(8000) % 100 == 0, np.zeros(8000, dtype=int))
        >>> len(writer.finish())  # 0.08 bits a decision; a bit each would take 1000 bytes
        82
    """

    def __init__(self) -> None:
        self._low, self._high = 0, _TOP
        self._yes: dict[int, int] = defaultdict(lambda: 1)  # twice the count, and one
        self._all: dict[int, int] = defaultdict(lambda: 2)
        self._bytes = bytearray()

    @checked
    def write(self, decisions: Bool[np.ndarray, " decisions"], keys: Int[np.ndarray, " decisions"]) -> None:
        """Adds decisions.

        Args:
            decisions: Yes or no.
            keys: Of which kind each is; those of one kind share their counts.

        Raises:
            ValueError: If there is not one key a decision.
        """
        if len(decisions) != len(keys):
            raise ValueError(f"there are {len(decisions)} decisions and {len(keys)} keys; there should be as many")
        low, high, yes, seen, content = self._low, self._high, self._yes, self._all, self._bytes
        for decision, key in zip(decisions.tolist(), keys.tolist(), strict=True):
            count, of = yes[key], seen[key]
            border = low + ((high - low) >> 16) * ((count << 16) // of or 1)
            if decision:
                high, yes[key] = border, count + 2
            else:
                low = border + 1
            seen[key] = of + 2
            while (low ^ high) >> _SHIFT == 0:
                content.append(high >> _SHIFT)
                low, high = (low << 8) & _TOP, ((high << 8) & _TOP) | 255
        self._low, self._high = low, high

    def finish(self) -> bytes:
        """All that was written.

        Returns:
            The bytes; the reader takes zeros for those that are left out at the end.
        """
        leading = (self._low >> _SHIFT) + 1 if self._low else 0  # within the interval, since its ends' bytes differ
        return bytes(self._bytes + leading.to_bytes(1)).rstrip(b"\0")


class DecisionReader:
    """Reads what :class:`DecisionWriter` wrote, in the same order and with the same keys.

    Args:
        stored: The bytes.

    Example:
        >>> writer = DecisionWriter()
        >>> writer.write(np.array([True, False, True]), np.array([0, 1, 0]))
        >>> DecisionReader(writer.finish()).read(np.array([0, 1, 0])).tolist()
        [True, False, True]
    """

    @checked
    def __init__(self, stored: bytes) -> None:
        self._low, self._high = 0, _TOP
        self._yes: dict[int, int] = defaultdict(lambda: 1)
        self._all: dict[int, int] = defaultdict(lambda: 2)
        self._number, self._rest = int.from_bytes(stored[:_BYTES].ljust(_BYTES, b"\0")), iter(stored[_BYTES:])

    def next(self, key: int) -> bool:
        """The next decision.

        Args:
            key: Of which kind it is.

        Returns:
            The decision.
        """
        count, of = self._yes[key], self._all[key]
        border = self._low + ((self._high - self._low) >> 16) * ((count << 16) // of or 1)
        decision = self._number <= border
        if decision:
            self._high, self._yes[key] = border, count + 2
        else:
            self._low = border + 1
        self._all[key] = of + 2
        while (self._low ^ self._high) >> _SHIFT == 0:
            self._low, self._high = (self._low << 8) & _TOP, ((self._high << 8) & _TOP) | 255
            self._number = ((self._number << 8) & _TOP) | next(self._rest, 0)
        return decision

    @checked
    def read(self, keys: Int[np.ndarray, " decisions"]) -> Bool[np.ndarray, " decisions"]:
        """Several decisions.

        Args:
            keys: Of which kind each is.

        Returns:
            The decisions.
        """
        return np.array([self.next(key) for key in keys.tolist()], dtype=bool)
