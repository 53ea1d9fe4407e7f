"""Symbols and their numbers."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from rnncourse.signatures import checked

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"


class Vocabulary:
    """A fixed list of symbols; a symbol's number is its place in the list.

    Args:
        symbols: Distinct strings. Where a set is padded, ``"<pad>"`` stands first, so that padding is 0.

    Attributes:
        symbols: All symbols in order.
        number: Each symbol's number.

    Raises:
        ValueError: A symbol occurs twice.

    Example:
        >>> v = Vocabulary.of("hello")
        >>> v.symbols, v.encode("hole").tolist()
        (('e', 'h', 'l', 'o'), [1, 3, 2, 0])
        >>> v.text(v.encode("hole"))
        'hole'
    """

    @checked
    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)
        self.number = {symbol: number for number, symbol in enumerate(self.symbols)}
        if len(self.number) != len(self.symbols):
            twice = next(symbol for symbol in self.symbols if self.symbols.count(symbol) > 1)
            raise ValueError(f"symbols holds {twice!r} twice; every symbol should occur once")

    @classmethod
    @checked
    def of(cls, items: Iterable[str], *, special: Sequence[str] = ()) -> "Vocabulary":
        """The vocabulary of everything that occurs, sorted, after the special symbols.

        Args:
            items: Symbols, with repetitions; a string counts as its characters.
            special: Symbols that come first, such as ``"<pad>"``.

        Returns:
            The vocabulary.
        """
        return cls([*special, *sorted(set(items) - set(special))])

    def __len__(self) -> int:
        return len(self.symbols)

    @checked
    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise ValueError(f"number is {number}; it should be from 0 to {len(self) - 1}")
        return self.symbols[number]

    def __contains__(self, symbol: str) -> bool:
        return symbol in self.number

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} symbols)"

    @checked
    def index(self, symbol: str) -> int:
        """The number of a symbol.

        Args:
            symbol: One of :attr:`symbols`.

        Returns:
            Its number, from 0.

        Raises:
            ValueError: The symbol is unknown.
        """
        if symbol not in self.number:
            raise ValueError(f"symbol is {symbol!r}; it should be one of the {len(self)} symbols of this vocabulary")
        return self.number[symbol]

    def _special(self, symbol: str) -> int | None:
        return self.number.get(symbol)

    @property
    def pad(self) -> int | None:
        """Number of ``"<pad>"``, or None."""
        return self._special(PAD)

    @property
    def bos(self) -> int | None:
        """Number of ``"<bos>"``, the beginning of a sequence, or None."""
        return self._special(BOS)

    @property
    def eos(self) -> int | None:
        """Number of ``"<eos>"``, the end of a sequence, or None."""
        return self._special(EOS)

    @checked
    def encode(self, symbols: Iterable[str]) -> Tensor:
        """Symbols to numbers.

        Args:
            symbols: A list of symbols, or a string of one-character symbols.

        Returns:
            Shape (time,), int64.

        Raises:
            ValueError: A symbol is unknown.
        """
        try:
            return torch.tensor([self.number[symbol] for symbol in symbols], dtype=torch.int64)
        except KeyError as error:
            raise ValueError(
                f"symbols holds {error.args[0]!r}; every symbol should be one of the {len(self)} of this vocabulary"
            ) from None

    @checked
    def decode(self, numbers: Tensor | Sequence[int]) -> list[str]:
        """Numbers to symbols.

        Args:
            numbers: Shape (time,), each from 0 to ``len(self) - 1``.

        Returns:
            The symbols, special ones included.

        Raises:
            ValueError: A number is none of a symbol.
        """
        numbers = numbers.tolist() if isinstance(numbers, Tensor) else [int(number) for number in numbers]
        for number in numbers:
            if not isinstance(number, int) or not 0 <= number < len(self):
                raise ValueError(f"numbers holds {number!r}; each should be a whole number from 0 to {len(self) - 1}")
        return [self.symbols[number] for number in numbers]

    @checked
    def text(self, numbers: Tensor | Sequence[int]) -> str:
        """Numbers to one string, special symbols left out.

        Args:
            numbers: Shape (time,).

        Returns:
            The symbols joined.
        """
        return "".join(symbol for symbol in self.decode(numbers) if symbol not in (PAD, BOS, EOS))
