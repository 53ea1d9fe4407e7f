"""Chapter 11's competitors are of one size and differ in what they are said to differ in; their scores count truly."""

import numpy as np
import pytest
import torch

from rnncourse.attention import UniformAttention
from rnncourse.chapters.c11_attention.experiments import cost, dates, sounds, verses
from rnncourse.chapters.c11_attention.experiments.networks import (
    BOS,
    EOS,
    READERS,
    held_out_loss,
    learn,
    make_model,
    model_of_budget,
    target_loss,
    write,
)
from rnncourse.chapters.c11_attention.figures.alignment import draw_grid, draw_lines
from rnncourse.data.padding import transduction
from rnncourse.data.pronunciation import Word
from rnncourse.data.splits import Split
from rnncourse.folders import course_root
from rnncourse.results.records import stored_results
from rnncourse.results.registry import find_experiment

SIZES = {"embedding_size": 6, "hidden_size": 8}


def backwards(count, seed, least=3, most=7):
    """Sequences of symbols 4 to 8, to be written backwards."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(4, 9, size=int(rng.integers(least, most + 1))).tolist() for _ in range(count)]
    return Split(transduction(rows, [row[::-1] for row in rows], bos=BOS, eos=EOS), rows)


@pytest.mark.parametrize("budget", [3_000, 20_000])
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_comes_close_to_the_budget(reader, budget):
    model = model_of_budget(reader, 9, 9, budget=budget, embedding_size=6, dropout=0.0, seed=0)
    units = model.decoder.layer.output_size

    def count(units):
        return sum(p.numel() for p in make_model(reader, 9, 9, embedding_size=6, hidden_size=units).parameters())

    assert count(units) == sum(p.numel() for p in model.parameters())
    assert abs(count(units) - budget) <= min(abs(count(units + d) - budget) for d in (-2, 2))


@pytest.mark.parametrize("reader", READERS)
def test_only_the_readers_that_look_hear_of_the_encoders_outputs(reader):
    torch.manual_seed(0)
    model = make_model(reader, 9, 9, **SIZES).eval()
    tokens = torch.randint(3, 9, (2, 4))
    outputs, state = model.encoder(torch.randint(3, 9, (2, 5)))
    first, second = (
        model.decoder(tokens, model.decoder.start(model.bridge(state), given))[0] for given in (outputs, outputs + 1)
    )
    assert torch.equal(first, second) == (reader == "state")


def test_the_control_differs_from_attention_in_the_weights_alone():
    torch.manual_seed(0)
    looking, control = (make_model(reader, 9, 9, **SIZES).eval() for reader in ("dot", "mean"))
    control.load_state_dict(looking.state_dict())  # the same parameters, name by name
    batch = backwards(6, 1).batch()
    assert not torch.allclose(target_loss(looking, batch), target_loss(control, batch))
    looking.decoder.attention = UniformAttention(8, 8)
    assert torch.equal(target_loss(looking, batch), target_loss(control, batch))


@pytest.mark.parametrize("reader", READERS)
def test_a_source_is_read_alike_alone_and_beside_a_longer_one(reader):
    torch.manual_seed(0)
    model = make_model(reader, 9, 9, **SIZES).double().eval()
    both = backwards(2, 3, 3, 9).batch()
    short = int(both.lengths.argmin())
    alone = Split(both)[short]
    length, target = int(alone.lengths), int(alone.target_lengths)
    cut = alone._replace(inputs=alone.inputs[:, :length], targets=alone.targets[:, :target])
    padded = model(both.inputs, both.targets, both.lengths)[0][short, : target - 1]
    assert torch.allclose(model(cut.inputs, cut.targets, cut.lengths)[0][0], padded, atol=1e-10)


def test_the_loss_of_a_split_is_the_mean_over_its_tokens():
    torch.manual_seed(0)
    model, split = make_model("general", 9, 9, **SIZES).eval(), backwards(10, 2)
    whole = target_loss(model, split.batch()).item()
    assert held_out_loss(model, split, batch_size=3) == pytest.approx(whole, rel=1e-5)


def test_what_is_written_stands_in_the_splits_order_and_without_marks():
    torch.manual_seed(0)
    model, split = make_model("general", 9, 9, **SIZES), backwards(7, 4)
    together = write(model, split, max_length=9, batch_size=7)
    assert together == write(model, split, max_length=9, batch_size=2)
    assert all(EOS not in row and len(row) <= 9 for row in together)


def test_the_reader_that_looks_learns_to_write_backwards_sooner():
    train, test = backwards(2_000, 5), backwards(100, 6)
    right = {}
    for reader in ("mean", "general"):
        model = model_of_budget(reader, 9, 9, budget=20_000, embedding_size=16, dropout=0.0, seed=0)
        history = learn(model, train, test, steps=150, lr=1e-2, seed=0, points=1)
        assert history.steps == 150
        said = write(model, test, max_length=10)
        right[reader] = np.mean([one == row[::-1] for one, row in zip(said, test.items, strict=True)])
    assert right["general"] > right["mean"] + 0.2, right


def test_an_alignments_rows_are_the_steps_that_were_written():
    torch.manual_seed(0)
    data = sounds.sounds(200)
    model = sounds.make_speller("general", data, budget=12_000, seed=0)
    said, weights = verses.where_it_looks(model, data, "test", 3)
    assert said[-1] == "<eos>"
    assert weights.shape == (len(said), len(data.test.items[3].letters))
    assert torch.allclose(weights.sum(1), torch.ones(len(said)))
    with pytest.raises(ValueError, match="decoder with attention"):
        verses.where_it_looks(sounds.make_speller("state", data, budget=12_000, seed=0), data, "test", 3)


def test_errors_are_grouped_by_the_letters_of_the_word():
    items = [Word("abcd", ("A", "B")), Word("abcde", ("A",)), Word("a" * 13, ("A", "B", "C", "D"))]
    said = [["A", "B"], ["B"], ["A", "B", "C", "X"]]
    found = sounds.by_length(said, items)
    assert found["words"] == [1, 1, 0, 0, 0, 1]
    assert found["exact"] == [1, 0, 0, 0, 0, 0]
    assert found["per"] == pytest.approx([0, 1, 0, 0, 0, 0.25])
    right = 1 - 2 / 7  # two errors in seven phonemes
    assert found["independent"] == pytest.approx([right**2, right, 0, 0, 0, right**4])
    assert sounds.long_error(said, items) == 0.25


def test_bleu_by_length_takes_each_verse_once():
    items = list(verses.bible(300).test.items)
    exact = [list(verse.target) for verse in items]
    found = verses.score_by_length(exact, items, ends=(10, 18))
    assert len(found) == 3
    assert all(one == pytest.approx(100) or one == 0 for one in found)
    assert found[0] > 0
    broken = [words if len(verse.source) > 10 else ["x"] for words, verse in zip(exact, items, strict=True)]
    assert verses.score_by_length(broken, items, ends=(10, 18))[0] < 1
    assert verses.score_by_length(broken, items, ends=(10, 18))[1:] == found[1:]


def test_dates_are_right_as_a_whole_or_not_at_all(monkeypatch):
    data = dates.written_dates(300)
    isos = [data.target_vocabulary.encode(iso).tolist() for _, iso in data.test.items]
    monkeypatch.setattr(dates, "write", lambda *_, **__: isos)
    assert dates.exact(None, data, "test") == 1
    assert dates.right_places(None, data, "test") == [1] * 10
    wrong = [iso[:-1] for iso in isos[:3]] + isos[3:]
    monkeypatch.setattr(dates, "write", lambda *_, **__: wrong)
    assert dates.exact(None, data, "test") == pytest.approx(1 - 3 / len(isos))
    assert dates.right_places(None, data, "test") == pytest.approx([1] * 9 + [1 - 3 / len(isos)])


def test_every_competitor_is_timed():
    train = cost.training_milliseconds(["mean", "general"], 5, units=4, batch_size=2, repeats=1, seed=0)
    writing = cost.writing_milliseconds(["mean", "general"], 5, units=4, steps=2, repeats=1, seed=0)
    assert set(train) == set(writing) == {"mean", "general"}
    assert min(*train.values(), *writing.values()) > 0


@pytest.mark.parametrize("draw", [draw_lines, draw_grid])
def test_an_alignment_is_drawn_with_every_symbol(draw):
    weights = np.array([[0.9, 0.1, 0.0], [0.0, 0.5, 0.5]])
    fig = draw(["a", "b", "c"], ["X", "Y"], weights)
    axes = fig.axes[0]
    shown = {text.get_text() for text in axes.texts}
    shown |= {label.get_text() for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]}
    assert {"a", "b", "c", "X", "Y"} <= shown
    if draw is draw_lines:
        assert len(axes.lines) == 4  # a weight of nought has no line
    with pytest.raises(ValueError, match=r"weights has shape \(2, 3\)"):
        draw(["a", "b"], ["X", "Y"], weights)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_model("sum", 9, 9, **SIZES), "reader is 'sum'"),
        (lambda: make_model("dot", 9, 9, embedding_size=6, hidden_size=7), "hidden_size is 7"),
    ],
)
def test_an_unknown_reader_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


STORED = stored_results(course_root(), "11")
SWEPT = [
    (sweep, used)
    for sweep, used in (
        ("11.date_rates", "11.dates"),
        ("11.sound_rates", "11.sounds"),
        ("11.sound_rates", "11.patience"),
        ("11.sound_rates", "11.width"),
        ("11.verse_rates", "11.verses"),
        ("11.verse_rates_mean", "11.verses"),
    )
    if sweep in STORED
]


@pytest.mark.parametrize(("sweep", "used"), SWEPT)
def test_the_full_runs_use_the_rates_that_validated_best(sweep, used):
    (validated,) = STORED[sweep].runs
    for reader, rate in find_experiment(used).scales["full"]["rates"].items():
        if f"{reader}_rate" in validated:
            assert validated[f"{reader}_rate"] == rate, reader
