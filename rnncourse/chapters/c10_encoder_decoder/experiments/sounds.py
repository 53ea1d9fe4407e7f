"""Letters to phonemes without an alignment: how the source is read, how the answer is searched, where it fails."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from rnncourse.chapters.c07_bidirectional.experiments.rates import swept
from rnncourse.chapters.c10_encoder_decoder.experiments.networks import (
    EOS,
    KINDS,
    decode,
    forced,
    model_of_budget,
    symbol_errors,
    symbols,
    train,
    truths,
)
from rnncourse.data import load
from rnncourse.data.batches import Batch
from rnncourse.data.dataset import Dataset
from rnncourse.data.grapheme_to_phoneme import score
from rnncourse.results import Published, experiment
from rnncourse.seq2seq import Hypotheses, SequenceToSequence
from rnncourse.training import History

EMBEDDING, BATCH_SIZE = 32, 64
LENGTHS = range(3, 15)
"""Letters of the words whose exact matches are counted by length."""


@cache
def dictionary(max_words: int | None) -> Dataset:
    """The data set, loaded once.

    Args:
        max_words: As for :func:`rnncourse.data.grapheme_to_phoneme.load`.

    Returns:
        The data set ``grapheme_to_phoneme``.
    """
    return load("grapheme_to_phoneme", max_words=max_words)


def train_sounds(
    kind: str, *, seed: int, steps: int, lr: float, budget: int, words: int | None, ratio: float = 1.0
) -> tuple[SequenceToSequence, History]:
    """One network, drawn and trained; the weights with the fewest edits on validation words are kept.

    Args:
        kind: One of :data:`~rnncourse.chapters.c10_encoder_decoder.experiments.networks.KINDS`.
        seed: Of weights, order and coins.
        steps: Gradient steps of 64 words each.
        lr: Learning rate.
        budget: Parameters.
        words: Training words.
        ratio: How often the decoder is given the true phoneme.

    Returns:
        The model, and how its training went; validation values are edits a phoneme.
    """
    data = dictionary(words)
    torch.manual_seed(seed)
    sizes = {"sources": len(data.vocabulary), "targets": len(data.target_vocabulary), "embedding": EMBEDDING}
    model = model_of_budget(kind, budget, **sizes)
    held_out = data.valid.batch()
    history = train(
        model,
        data.train.batches(BATCH_SIZE, seed=seed, bucket=True),
        valid=lambda model: symbol_errors(model, held_out),
        steps=steps,
        lr=lr,
        seed=seed,
        ratio=ratio,
    )
    return model, history


def rates_of(written: Hypotheses, data: Dataset) -> tuple[float, float]:
    """Phoneme and word error rate on the test words, each judged by the nearest of its pronunciations.

    Args:
        written: One hypothesis for each.
        data: The data set.

    Returns:
        The two rates.
    """
    said = [data.target_vocabulary.decode(row) for row in symbols(written)]
    found = score(said, data.test.items)
    return found.per, found.wer


@torch.no_grad()
def steps_right(model: SequenceToSequence, batch: Batch) -> Tensor:
    """Whether each prediction is right when everything before it is given; padding counts as right.

    Args:
        model: Of this task.
        batch: Words.

    Returns:
        Shape (batch, steps).
    """
    return (forced(model, batch).argmax(-1) == batch.targets[:, 1:]) | ~batch.target_mask[:, 1:]


def exact_by_length(model: SequenceToSequence, batch: Batch) -> dict[str, list[float]]:
    """Words whose first pronunciation is said exactly, by their letters, and what single steps lead one to expect.

    If every step were right with one probability p, whatever the word and whatever the other steps, a word of n
    phonemes and an end mark would come out exactly with p to the power n + 1.

    Args:
        model: Of this task.
        batch: Words.

    Returns:
        For each of :data:`LENGTHS` the share exact (``exact``), the mean power (``power``) and the words (``words``);
        and p (``step``), in a list of its own.
    """
    right = steps_right(model, batch)
    exact = right.all(1)
    mask = batch.target_mask[:, 1:]
    p = float(right[mask].float().mean())
    power = p ** mask.sum(1)
    rows = [batch.lengths == length for length in LENGTHS]
    return {
        "exact": [float(exact[chosen].float().mean()) for chosen in rows],
        "power": [float(power[chosen].mean()) for chosen in rows],
        "words": [int(chosen.sum()) for chosen in rows],
        "step": [p],
    }


@torch.no_grad()
def slip_cost(model: SequenceToSequence, batch: Batch, after: int = 4) -> tuple[list[float], list[float], int]:
    """What a single wrong phoneme in the decoder's ear does to the steps after it.

    In each word the first step whose prediction is wrong is looked for. Then everything is given truly but for the
    input after that step, which is what the model would have said itself. Words whose first wrong prediction is the
    end, or missed the end, are left out.

    Args:
        model: Of this task.
        batch: Words.
        after: How many steps to look at.

    Returns:
        The mean surprise in nats at the true phoneme 1, 2, … steps after the slip: with the truth in its ear, and
        with the slip; and the number of words.
    """
    logits, targets = forced(model, batch), batch.targets[:, 1:]
    said = logits.argmax(-1)
    wrong = (said != targets) & batch.target_mask[:, 1:]
    first = wrong.long().argmax(1)
    row = torch.arange(len(first))
    slipped = wrong.any(1) & (said[row, first] != EOS) & (targets[row, first] != EOS)
    heard = batch.targets.clone()
    heard[row[slipped], first[slipped] + 1] = said[row[slipped], first[slipped]]
    other = forced(model, batch._replace(targets=heard))
    surprises = []
    for scores in (logits, other):
        nats = -torch.log_softmax(scores, -1).gather(-1, targets[..., None]).squeeze(-1)
        rows = []
        for far in range(1, after + 1):
            place = first + far
            there = slipped & (place < batch.target_lengths - 1)
            rows.append(float(nats[row[there], place[there]].mean()) if there.any() else float("nan"))
        surprises.append(rows)
    return surprises[0], surprises[1], int(slipped.sum())


@torch.no_grad()
def truth_log_probability(model: SequenceToSequence, batch: Batch) -> Tensor:
    """The log-probability of each first pronunciation, its end mark included.

    Args:
        model: Of this task.
        batch: Words.

    Returns:
        Nats, of shape (batch,).
    """
    log_p = torch.log_softmax(forced(model, batch), -1)
    nats = log_p.gather(-1, batch.targets[:, 1:, None]).squeeze(-1)
    return (nats * batch.target_mask[:, 1:]).sum(1)


def searched(model: SequenceToSequence, data: Dataset, widths: list[int]) -> dict[str, list[float]]:
    """Test words decoded by beams of several widths.

    Args:
        model: Of this task.
        data: The data set.
        widths: Of the beams.

    Returns:
        For each width the phoneme and word error rates, the mean log-probability of what was found, the share of words
        where that is less likely than what greedy decoding found (``lost``), and the share of wrong answers that the
        model holds more likely than the first pronunciation (``preferred``): no search would have saved those.
    """
    batch = data.test.batch()
    alone = decode(model, batch)
    truth = truth_log_probability(model, batch)
    right = truths(batch)
    values: dict[str, list[float]] = {name: [] for name in ("per", "wer", "nats", "lost", "preferred")}
    for width in widths:
        found = decode(model, batch, width=width)
        per, wer = rates_of(found, data)
        wrong = torch.tensor([a != b for a, b in zip(symbols(found), right, strict=True)])
        lost = found.log_probabilities < alone.log_probabilities - 1e-4
        preferred = (found.log_probabilities > truth)[wrong].float().mean() if wrong.any() else torch.tensor(0.0)
        values["per"].append(per)
        values["wer"].append(wer)
        values["nats"].append(float(found.log_probabilities.mean()))
        values["lost"].append(float(lost.float().mean()))
        values["preferred"].append(float(preferred))
    return values


@experiment(
    "10.sound_rates",
    smoke={"seeds": 1, "rates": [1e-2], "steps": 2, "budget": 10_000, "words": 400},
    page={"seeds": 1, "rates": [3e-3, 1e-2], "steps": 300, "budget": 120_000, "words": 20_000},
    full={"seeds": 1, "rates": [1e-3, 2e-3, 5e-3, 1e-2, 2e-2], "steps": 2_000, "budget": 200_000, "words": None},
)
def sound_rates(*, seed: int, rates: list[float], steps: int, budget: int, words: int | None) -> dict:
    """The learning rate of each network of ``10.sounds``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights and order.
        rates: Learning rates to try, the same for all.
        steps: Gradient steps of each run.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each way to read the source the fewest edits a phoneme on validation words, at every rate.
    """
    sizes = {"seed": seed, "steps": steps, "budget": budget, "words": words}
    return {kind: swept(rates, lambda lr, kind=kind: train_sounds(kind, lr=lr, **sizes)[1]) for kind in KINDS}


@experiment(
    "10.sounds",
    smoke={"seeds": 1, "rates": {"forward": 1e-2, "reversed": 1e-2}, "steps": 2, "budget": 10_000, "words": 400,
           "widths": [1, 2]},
    page={"seeds": 1, "rates": {"reversed": 1e-2}, "steps": 1_000, "budget": 120_000, "words": 20_000,
          "widths": [1, 4]},
    full={"seeds": 3, "rates": {"forward": 5e-3, "reversed": 5e-3, "two ways": 5e-3}, "steps": 2_000,
          "budget": 200_000, "words": None, "widths": [1, 2, 4, 8, 16]},
    published=[
        Published(
            "reversed_wer[0]",
            0.2355,
            cite="yao2015sequence",
            read="from a secondary source",
            unit="words wrong, a word",
            size="bidirectional LSTM with alignments given, more layers and units, all words of the dictionary",
            comparable=False,
            why="theirs is given the alignment of letters and phonemes, and searches with a beam; ours has one vector "
            "and writes greedily, after a short training, and our split keeps word families together",
            what="letters to phonemes, encoder-decoder, words wrong",
        ),
        Published(
            "reversed_per[0]",
            0.0545,
            cite="yao2015sequence",
            read="from a secondary source",
            unit="phoneme errors a phoneme",
            size="bidirectional LSTM with alignments given, more layers and units, all words of the dictionary",
            comparable=False,
            why="as for the words",
            what="letters to phonemes, encoder-decoder, phonemes wrong",
        ),
    ],
)  # fmt: skip
def sounds(
    *, seed: int, rates: dict[str, float], steps: int, budget: int, words: int | None, widths: list[int]
) -> dict:
    """The sentence hoped for: at equal parameters and equal steps, each at its own best rate, a network that reads the
    word reversed makes fewer phoneme errors, decoded greedily, than one that reads it as it is, on each of three seeds;
    refuted by one seed. The network that reads from both ends stands beside them, and nothing is hoped of it.

    Args:
        seed: Of weights and order.
        rates: From a way to read the source to its learning rate, as ``10.sound_rates`` chose it.
        steps: Gradient steps.
        budget: Parameters of each.
        words: Training words.
        widths: Of the beams; the first should be 1.

    Returns:
        For each way: units, parameters, edits a phoneme on validation words; all of :func:`searched` for every width;
        exact matches by length as :func:`exact_by_length` counts them; and the cost of a slip with the truth
        (``_true``) and with the slip (``_slip``) in the decoder's ear.
    """
    data = dictionary(words)
    batch = data.test.batch()
    values: dict = {name: baseline.value for name, baseline in data.baselines.items()}
    for kind, lr in rates.items():
        model, history = train_sounds(kind, seed=seed, steps=steps, lr=lr, budget=budget, words=words)
        true, slip, slipped = slip_cost(model, batch)
        found = {**searched(model, data, widths), **exact_by_length(model, batch)}
        found |= {"true": true, "slip": slip, "slipped": slipped, "valid": history.best}
        found["hidden"] = model.decoder.layer.output_size
        found["parameters"] = sum(parameter.numel() for parameter in model.parameters())
        values |= {f"{kind}_{name}": value for name, value in found.items()}
    return values


RATIOS = [1.0, 0.9, 0.7]


@experiment(
    "10.forcing_rates",
    smoke={"seeds": 1, "ratios": [1.0, 0.5], "rates": [1e-2], "steps": 2, "budget": 10_000, "words": 400},
    page={"seeds": 1, "ratios": [1.0, 0.7], "rates": [3e-3, 1e-2], "steps": 100, "budget": 60_000, "words": 20_000},
    full={"seeds": 1, "ratios": RATIOS, "rates": [2e-3, 5e-3, 1e-2, 2e-2, 4e-2], "steps": 800, "budget": 60_000,
          "words": 20_000},
)  # fmt: skip
def forcing_rates(
    *, seed: int, ratios: list[float], rates: list[float], steps: int, budget: int, words: int | None
) -> dict:
    """The learning rate of each ratio of ``10.forcing``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights, order and coins.
        ratios: How often the true phoneme is given.
        rates: Learning rates to try, the same for all.
        steps: Gradient steps of each run.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each ratio the fewest edits a phoneme on validation words, at every rate.
    """
    sizes = {"seed": seed, "steps": steps, "budget": budget, "words": words}
    return {
        f"{ratio:g}": swept(rates, lambda lr, ratio=ratio: train_sounds("reversed", lr=lr, ratio=ratio, **sizes)[1])
        for ratio in ratios
    }


@experiment(
    "10.forcing",
    smoke={"seeds": 1, "rates": {"1": 1e-2, "0.5": 1e-2}, "steps": 2, "budget": 10_000, "words": 400},
    page={"seeds": 1, "rates": {"1": 1e-2, "0.7": 1e-2}, "steps": 200, "budget": 60_000, "words": 20_000},
    full={"seeds": 3, "rates": {f"{ratio:g}": 1e-2 for ratio in RATIOS}, "steps": 800, "budget": 60_000,
          "words": 20_000},
)  # fmt: skip
def forcing(*, seed: int, rates: dict[str, float], steps: int, budget: int, words: int | None) -> dict:
    """The sentence hoped for: at equal steps, a decoder that heard its own phonemes now and then while it learned
    suffers less from a slip of its own than one that always heard the truth; refuted if the rise in surprise one step
    after a slip is not smaller on each of three seeds. Whether its words come out better is asked, not hoped.

    Args:
        seed: Of weights, order and coins.
        rates: From a ratio, in writing, to its learning rate, as ``10.forcing_rates`` chose it.
        steps: Gradient steps.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each ratio: phoneme and word error rates of greedy decoding, the share of steps wrong under teacher forcing
        (``_forced``), and the cost of a slip (``_true``, ``_slip``).
    """
    data = dictionary(words)
    batch = data.test.batch()
    values: dict = {}
    for ratio, lr in rates.items():
        sizes = {"steps": steps, "lr": lr, "budget": budget, "words": words}
        model, _ = train_sounds("reversed", seed=seed, ratio=float(ratio), **sizes)
        per, wer = rates_of(decode(model, batch), data)
        true, slip, slipped = slip_cost(model, batch)
        wrong = 1 - float(steps_right(model, batch)[batch.target_mask[:, 1:]].float().mean())
        found = {"per": per, "wer": wer, "forced": wrong, "true": true, "slip": slip, "slipped": slipped}
        values |= {f"{ratio}_{name}": value for name, value in found.items()}
    return values
