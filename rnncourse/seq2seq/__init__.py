"""Sequence to sequence: one network reads, another writes; and the ways to decide what it writes.

An :class:`~rnncourse.seq2seq.encoder.Encoder` reads the source, a :class:`~rnncourse.seq2seq.bridge.Bridge` turns its
final state into the decoder's first one, and a decoder writes: :class:`~rnncourse.seq2seq.decoder.Decoder` from that
state alone, :class:`~rnncourse.seq2seq.luong.LuongDecoder` and
:class:`~rnncourse.seq2seq.bahdanau.BahdanauDecoder` with attention after and before the recurrent layer. All say
``logits, state = decoder(tokens, state)``, and :class:`~rnncourse.seq2seq.model.SequenceToSequence` puts them together.

:func:`~rnncourse.seq2seq.writing.greedy`, :func:`~rnncourse.seq2seq.writing.sample` and
:func:`~rnncourse.seq2seq.beam.beam_search` decode with anything that says that sentence: a decoder, a language model, a
Transformer.
"""

from rnncourse.seq2seq.attentive import AttentionDecoder, DecoderState, DecoderTrace
from rnncourse.seq2seq.bahdanau import BahdanauDecoder
from rnncourse.seq2seq.beam import beam_search
from rnncourse.seq2seq.bridge import Bridge
from rnncourse.seq2seq.decoder import Decoder
from rnncourse.seq2seq.encoder import Encoder
from rnncourse.seq2seq.forcing import teacher_forced
from rnncourse.seq2seq.hypotheses import Hypotheses
from rnncourse.seq2seq.luong import LuongDecoder
from rnncourse.seq2seq.model import SequenceToSequence
from rnncourse.seq2seq.writing import greedy, sample

__all__ = [
    "AttentionDecoder",
    "BahdanauDecoder",
    "Bridge",
    "Decoder",
    "DecoderState",
    "DecoderTrace",
    "Encoder",
    "Hypotheses",
    "LuongDecoder",
    "SequenceToSequence",
    "beam_search",
    "greedy",
    "sample",
    "teacher_forced",
]
