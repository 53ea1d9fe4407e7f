"""What a language model is trained for and judged by on a text: the surprise at each next character."""

import torch
from torch import Tensor, nn

from rnncourse.checks import check_positive
from rnncourse.signatures import checked
from rnncourse.training.losses import cross_entropy, nats_to_bits

__all__ = ["next_character_loss", "text_bits"]


@checked
def next_character_loss(model: nn.Module, batch) -> Tensor:
    """The mean surprise, in nats, at the next character of independent windows.

    Args:
        model: A language model.
        batch: Windows and the same windows one character on.

    Returns:
        A scalar.
    """
    if not hasattr(batch, "inputs") or not hasattr(batch, "targets"):
        raise ValueError(f"batch is a {type(batch).__name__}; it should be a Batch with inputs and targets")
    logits, _ = model(batch.inputs)  # every window starts from an empty state
    return cross_entropy(logits, batch.targets)


@torch.no_grad()
@checked
def text_bits(model: nn.Module, codes: Tensor, *, streams: int = 64) -> float:
    """Bits per character on a text, read in a few long stretches side by side.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        streams: Number of stretches; each starts from an empty state, so fewer of them are a little fairer and slower.

    Returns:
        The mean of −log₂ p over all predicted characters.

    Raises:
        ValueError: If the text is no axis of whole numbers, or has too few of them for the streams.
    """
    check_positive("streams", streams)
    if codes.dim() != 1 or codes.dtype not in (torch.int64, torch.int32) or len(codes) <= streams or codes.min() < 0:
        raise ValueError(
            f"codes has dtype {codes.dtype} and shape {tuple(codes.shape)}; it should hold whole numbers in one "
            f"axis, more than streams = {streams} of them"
        )
    length = (len(codes) - 1) // streams
    inputs = codes[: streams * length].view(streams, length)
    targets = codes[1 : streams * length + 1].view(streams, length)
    nats, state = 0.0, None
    for start in range(0, length, 256):  # in pieces, for memory's sake; the state goes on
        logits, state = model(inputs[:, start : start + 256], state)
        piece = targets[:, start : start + 256]
        nats += float(cross_entropy(logits, piece)) * piece.numel()
    return nats_to_bits(nats / targets.numel())
