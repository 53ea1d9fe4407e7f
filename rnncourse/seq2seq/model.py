"""Encoder, bridge and decoder as one model."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_kind, check_probability
from rnncourse.models.tokens import check_tokens
from rnncourse.seq2seq.attentive import AttentionDecoder
from rnncourse.seq2seq.bridge import form
from rnncourse.seq2seq.decoder import Decoder
from rnncourse.seq2seq.encoder import Encoder
from rnncourse.seq2seq.forcing import teacher_forced

__all__ = ["SequenceToSequence"]


class SequenceToSequence(nn.Module):
    r"""Reads one sequence and writes another, of a length of its own.

    .. math:: p(y \mid x) = \prod_t p(y_t \mid y_1, \dots, y_{t-1}, x)

    where :math:`x` is the source, which the encoder reads, and :math:`y` the target, which the decoder writes.

    To train, call the model on sources and targets, ``logits, state = model(sources, targets, lengths)``, and score
    ``logits`` against ``targets[:, 1:]``, padding left out. To use it, decode from what :meth:`encode` returns:
    ``greedy(model.decoder, begin, model.encode(sources, lengths), …)``.

    Args:
        encoder: Reads the source.
        decoder: Writes the target.
        bridge: Makes the decoder's first state of the encoder's final one; if not given, it is taken as it is, for
            which the two must be of one form.

    Raises:
        ValueError: If a part is none, the states are of different forms and there is no bridge between them, or the
            decoder's attention expects other values than the encoder puts out.

    Source: Sutskever, Vinyals and Le (2014), from secondary sources.

    Example:
        >>> from rnncourse.attention import GeneralAttention
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent, Stacked
        >>> from rnncourse.seq2seq import Bridge, LuongDecoder, greedy
        >>> reader, writer = Stacked.of(GRUCell, 8, 16, bidirectional=True), Recurrent(GRUCell(8, 16))
        >>> decoder = LuongDecoder(writer, 12, GeneralAttention(16, 32))
        >>> model = SequenceToSequence(Encoder(reader, 27), decoder, Bridge(reader, writer))
        >>> sources, lengths = torch.randint(27, (2, 7)), torch.tensor([7, 4])
        >>> logits, state = model(sources, torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]]), lengths)
        >>> logits.shape
        torch.Size([2, 3, 12])
        >>> begin = torch.ones(2, 1, dtype=torch.long)
        >>> greedy(decoder, begin, model.encode(sources, lengths), eos=2, max_length=9).tokens.shape[0]
        2
    """

    def __init__(self, encoder: Encoder, decoder: Decoder | AttentionDecoder, bridge: nn.Module | None = None) -> None:
        super().__init__()
        check_kind("encoder", encoder, Encoder)
        check_kind("decoder", decoder, (Decoder, AttentionDecoder))
        comes, goes = (form(part.layer.initial_state(1)) for part in (encoder, decoder))
        if bridge is None and comes != goes:
            raise ValueError(
                f"the encoder's final state is of the form {comes} and the decoder's first one {goes}; without a "
                "bridge they should be the same, else give Bridge(encoder.layer, decoder.layer)"
            )
        check_kind("bridge", bridge, (nn.Module, type(None)))
        if isinstance(decoder, AttentionDecoder) and decoder.attention.value_size != encoder.layer.output_size:
            raise ValueError(
                f"the decoder's attention has value size {decoder.attention.value_size}; it should be "
                f"{encoder.layer.output_size}, the output size of the encoder"
            )
        self.encoder = encoder
        self.decoder = decoder
        self.bridge = nn.Identity() if bridge is None else bridge

    def encode(self, sources: Int[Tensor, "batch source"], lengths: Int[Tensor, "batch"] | None = None) -> Any:
        """Read the sources.

        Args:
            sources: Tokens, padded at the end with any token of the vocabulary.
            lengths: How many steps of each source are real; all if not given.

        Returns:
            The decoder's state before its first step: all that decoding needs.

        Raises:
            ValueError: If the sources are no tokens, or the lengths do not fit them.
        """
        check_tokens("sources", sources, self.encoder.vocab_size)
        outputs, state = self.encoder(sources, None, lengths)
        return self.decoder.start(self.bridge(state), outputs, lengths)

    def forward(
        self,
        sources: Int[Tensor, "batch source"],
        targets: Int[Tensor, "batch time"],
        lengths: Int[Tensor, "batch"] | None = None,
        *,
        teacher_forcing: float | int = 1.0,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "batch steps vocab"], Any]:
        """Predict each token of known targets.

        Args:
            sources: Tokens, padded at the end with any token of the vocabulary.
            targets: Tokens, each target from its begin mark to its end mark, padded at the end.
            lengths: How many steps of each source are real; all if not given.
            teacher_forcing: How often the decoder is given the true token, from 0 to 1; see
                :func:`~rnncourse.seq2seq.forcing.teacher_forced`.
            generator: The source of randomness where that is not always; by default torch's global one.

        Returns:
            Logits, where ``logits[:, t]`` is about ``targets[:, t + 1]``; and the decoder's state after the last step.

        Raises:
            ValueError: If tokens, lengths or the ratio are none.
        """
        check_probability("teacher_forcing", teacher_forcing)
        check_tokens("targets", targets, self.decoder.vocab_size)
        state = self.encode(sources, lengths)
        if len(targets) != len(sources):
            raise ValueError(f"targets has {len(targets)} rows; it should have {len(sources)}, as many as sources has")
        return teacher_forced(self.decoder, targets, state, ratio=teacher_forcing, generator=generator)
