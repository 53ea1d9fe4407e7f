"""The competitors of chapter 11: a decoder that gets a state, one that gets a mean, and decoders that look."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncourse.attention import AdditiveAttention, DotAttention, GeneralAttention, UniformAttention
from rnncourse.cells import GRUCell
from rnncourse.chapters.c10_encoder_decoder.experiments.networks import BOS, EOS, symbols
from rnncourse.checks import check_choice
from rnncourse.data.batches import Batch
from rnncourse.data.splits import Split
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models.tokens import check_tokens
from rnncourse.modes import evaluating
from rnncourse.seq2seq import Bridge, Decoder, Encoder, LuongDecoder, SequenceToSequence, greedy
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import cross_entropy

READERS = {
    "state": "final state only",
    "mean": "one mean vector",
    "dot": "attention, dot",
    "general": "attention, general",
    "additive": "attention, additive",
}
"""From the name of a competitor to what figures and tables call it."""


def make_model(
    reader: str, sources: int, targets: int, *, embedding_size: int, hidden_size: int, dropout: float = 0.0
) -> SequenceToSequence:
    """An untrained network by the name of a competitor: the same encoder and bridge for all, GRUs throughout.

    ``"state"`` is the encoder–decoder of chapter 10: its decoder gets the encoder's final state and nothing else. All
    others share one decoder, which takes a step, makes a context of the encoder's outputs, and speaks from both; they
    differ in the weights alone: equal for ``"mean"``, by a score for the rest.

    Args:
        reader: A key of :data:`READERS`.
        sources: Symbols of the sources.
        targets: Symbols of the targets.
        embedding_size: Features of a symbol's vector, on both sides; also those that are read out, by the same matrix.
        hidden_size: Units of the decoder, and of the encoder's two directions together; even.
        dropout: The probability of dropout on embeddings, the encoder's outputs and what is read out.

    Returns:
        The network.

    Raises:
        ValueError: If there is no such competitor, or the hidden size is odd.

    Example:
        >>> sum(p.numel() for p in make_model("mean", 9, 7, embedding_size=4, hidden_size=6).parameters())
        543
    """
    check_choice("reader", reader, tuple(READERS))
    if hidden_size % 2:
        raise ValueError(f"hidden_size is {hidden_size}; it should be even, half for each direction of the encoder")
    layer = Stacked.of(GRUCell, embedding_size, hidden_size // 2, bidirectional=True, implementation="kernel")
    encoder = Encoder(layer, sources, dropout=dropout)
    writer = Recurrent(GRUCell(embedding_size, hidden_size), implementation="kernel")
    options = {"attentional_size": embedding_size, "dropout": dropout, "tie_weights": True}
    decoder: nn.Module
    if reader == "state":
        decoder = StateDecoder(writer, targets, dropout=dropout)
    else:
        attention = {
            "mean": lambda: UniformAttention(hidden_size, hidden_size),
            "dot": lambda: DotAttention(hidden_size),
            "general": lambda: GeneralAttention(hidden_size, hidden_size),
            "additive": lambda: AdditiveAttention(hidden_size, hidden_size, hidden_size // 2),
        }[reader]()
        decoder = LuongDecoder(writer, targets, attention, **options)
    return SequenceToSequence(encoder, decoder, Bridge(encoder.layer, writer))


class StateDecoder(Decoder):
    r"""Chapter 10's decoder, speaking the way its competitors do: through a vector as wide as the embedding.

    .. math:: \tilde h_t = \tanh(W_c h_t + b_c), \qquad p(y_t \mid \dots) = \mathrm{softmax}(E \tilde h_t + b_y)

    where :math:`h_t` is the layer's output and E the embedding's matrix.

    Args:
        layer: Reads forward.
        vocab_size: How many tokens there are.
        dropout: The probability of dropout on embeddings and on what is read out.
    """

    def __init__(self, layer: nn.Module, vocab_size: int, *, dropout: float) -> None:
        super().__init__(layer, vocab_size, dropout=dropout)
        self.combine = nn.Linear(layer.output_size, layer.input_size)
        self.readout = nn.Linear(layer.input_size, vocab_size)
        self.readout.weight = self.embedding.weight

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores of each next token, and the state after the last one; as the base class."""
        check_tokens("tokens", tokens, self.vocab_size)
        h, state = self.layer(self.dropout(self.embedding(tokens)), state)
        return self.readout(self.dropout(torch.tanh(self.combine(h)))), state


def model_of_budget(
    reader: str, sources: int, targets: int, *, budget: int, embedding_size: int, dropout: float, seed: int
) -> SequenceToSequence:
    """An untrained network whose parameters come closest to a budget: what one does not spend on looking is units.

    Args:
        reader: A key of :data:`READERS`.
        sources: Symbols of the sources.
        targets: Symbols of the targets.
        budget: Parameters to spend, embeddings included.
        embedding_size: As for :func:`make_model`.
        dropout: As for :func:`make_model`.
        seed: Draws the weights.

    Returns:
        The network.
    """
    sizes = {"embedding_size": embedding_size, "dropout": dropout}

    def build(pairs: int) -> SequenceToSequence:
        return make_model(reader, sources, targets, hidden_size=2 * pairs, **sizes)

    pairs = matched_hidden_size(build, budget)
    torch.manual_seed(seed)
    return build(pairs)


def target_loss(model: SequenceToSequence, batch: Batch) -> Tensor:
    """The mean surprise, in nats, at the tokens of known targets, the end mark included.

    Args:
        model: The network.
        batch: Sources and targets.

    Returns:
        A scalar.
    """
    logits, _ = model(batch.inputs, batch.targets, batch.lengths)
    return cross_entropy(logits, batch.targets[:, 1:], batch.target_mask[:, 1:])


@torch.no_grad()
def held_out_loss(model: SequenceToSequence, split: Split, batch_size: int = 256) -> float:
    """The same over a whole split, each token counting alike.

    Args:
        model: The network.
        split: Sources and targets.
        batch_size: Pairs at once.

    Returns:
        Nats a token.
    """
    total = tokens = 0.0
    for batch in split.batches(batch_size, shuffle=False, bucket=True):
        count = int(batch.target_mask[:, 1:].sum())
        total += float(target_loss(model, batch)) * count
        tokens += count
    return total / tokens


def write(model: SequenceToSequence, split: Split, *, max_length: int, batch_size: int = 256) -> list[list[int]]:
    """What the network writes for each source of a split, greedily, without marks.

    Args:
        model: The network.
        split: The sources.
        max_length: Where a target without an end is cut off.
        batch_size: Sources at once.

    Returns:
        Tokens, in the order of the split's items.
    """
    written: list[list[int]] = []
    with evaluating(model):
        for start in range(0, len(split), batch_size):
            batch = split[start : start + batch_size]
            begin = torch.full((len(batch.inputs), 1), BOS)
            state = model.encode(batch.inputs, batch.lengths)
            written += symbols(greedy(model.decoder, begin, state, eos=EOS, max_length=max_length))
    return written


def learn(
    model: SequenceToSequence,
    train: Split,
    valid: Split,
    *,
    steps: int,
    lr: float,
    seed: int,
    batch_size: int = 64,
    points: int = 4,
) -> History:
    """Trains a network with teacher forcing; the weights that validate best are kept.

    Args:
        model: Trained in place.
        train: What to learn from.
        valid: By whose loss the weights are kept.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it rises for a while and falls along a cosine to zero.
        seed: Of the batches' order and of dropout, the same for every competitor.
        batch_size: Pairs a step.
        points: How often to look at the validation split.

    Returns:
        How it went.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    return fit(
        model,
        train.batches(batch_size, seed=seed, bucket=True, drop_last=True),
        loss=target_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(100, steps // 2)),
        validate=lambda model: held_out_loss(model, valid),
        validate_every=max(1, steps // points),
        seed=seed,
        progress=False,
    )
