"""What chapter 10's experiments count is what they say: slips, powers, searches, strings and sums."""

import itertools

import pytest
import torch
from torch import nn

from rnncourse.chapters.c10_encoder_decoder.experiments import addition, copying, networks, sounds
from rnncourse.folders import course_root
from rnncourse.results.records import stored_results
from rnncourse.results.registry import find_experiment
from tests.oracles import assert_close

SIZES = {"sources": 13, "targets": 13, "embedding": 6, "hidden_size": 8}


def untrained(seed=0):
    torch.manual_seed(seed)
    model = networks.make_model("reversed", **SIZES)
    with torch.no_grad():
        model.decoder.readout.weight.mul_(4)  # sure of itself, so that what it hears matters
    return model


def test_strings_are_asked_in_their_own_order_and_are_drawn_anew_at_every_step():
    batch = copying.strings(30, length=(1, 6), seed=1)
    for inputs, length, target in zip(*(batch[i].tolist() for i in (0, 2, 1)), strict=True):
        assert target[: length + 2] == [1, *inputs[:length], 2]
        assert not any(target[length + 2 :])
    first, again, other = (list(itertools.islice(copying.endless(5, seed), 3)) for seed in (0, 0, 1))
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].inputs[:, :1], first[1].inputs[:, :1])
    assert not torch.equal(first[0].inputs[:, :1], other[0].inputs[:, :1])


def test_a_slip_is_the_first_wrong_step_and_nothing_else_is_changed():
    model, batch = untrained(), copying.strings(40, length=(2, 6), seed=2)
    true, slip, slipped = sounds.slip_cost(model, batch, after=3)
    sums, words = torch.zeros(2, 3), torch.zeros(3)
    counted = 0
    for row, length in enumerate(batch.target_lengths.tolist()):
        one = networks.Batch(*(part[row : row + 1] for part in batch))
        asked = batch.targets[row, 1:length]
        said = networks.forced(model, one)[0, : length - 1].argmax(-1)
        wrong = [t for t in range(length - 1) if said[t] != asked[t]]
        if not wrong or 2 in (said[wrong[0]], asked[wrong[0]]):
            continue
        counted += 1
        heard = one.targets.clone()
        heard[0, wrong[0] + 1] = said[wrong[0]]
        for which, targets in enumerate((one.targets, heard)):
            log_p = networks.forced(model, one._replace(targets=targets))[0].log_softmax(-1)
            for far in range(1, 4):
                if wrong[0] + far < length - 1:
                    sums[which, far - 1] -= log_p[wrong[0] + far, asked[wrong[0] + far]].detach()
                    words[far - 1] += which
    assert counted == slipped > 5
    assert_close(torch.tensor([true, slip]), sums / words, "surprise")
    assert not torch.allclose(torch.tensor(true), torch.tensor(slip), rtol=1e-3)


def test_the_truths_log_probability_is_the_sum_over_its_steps():
    model, batch = untrained(1), copying.strings(5, length=(1, 4), seed=3)
    for row, (found, length) in enumerate(
        zip(sounds.truth_log_probability(model, batch), batch.target_lengths.tolist(), strict=True)
    ):
        one = networks.Batch(*(part[row : row + 1] for part in batch))
        state, total = networks.encoded(model, one), 0.0
        for t in range(length - 1):
            logits, state = model.decoder(one.targets[:, t : t + 1], state)
            total = total + logits[0, -1].log_softmax(-1)[one.targets[0, t + 1]]
        assert_close(found, total.detach(), "log-probability")


def test_exact_words_and_the_power_are_counted_by_letters():
    model, batch = untrained(2), copying.strings(50, length=(3, 5), seed=4)
    with torch.no_grad():  # always the letter that comes first in the alphabet: right now and then
        model.decoder.readout.bias[3] += 3.0
    found = sounds.exact_by_length(model, batch)
    right = sounds.steps_right(model, batch)
    mask = batch.target_mask[:, 1:]
    p = found["step"][0]
    assert p == pytest.approx(float(right[mask].float().mean()))
    assert 0 < p < 1
    for place, letters in enumerate(sounds.LENGTHS):
        chosen = batch.lengths == letters
        assert found["words"][place] == int(chosen.sum())
        if chosen.any():
            assert found["power"][place] == pytest.approx(p ** (letters + 1), rel=1e-5)
            assert found["exact"][place] == pytest.approx(float(right[chosen].all(1).float().mean()))


def test_a_search_of_one_place_is_level_with_greedy_and_errors_are_shares():
    data = sounds.dictionary(400)
    model, _ = sounds.train_sounds("reversed", seed=0, steps=2, lr=1e-2, budget=8_000, words=400)
    found = sounds.searched(model, data, [1, 3])
    assert found["lost"][0] == 0
    assert all(0 <= share <= 1 for name in ("wer", "lost", "preferred") for share in found[name])
    per, wer = sounds.rates_of(networks.decode(model, data.test.batch()), data)
    assert (per, wer) == (found["per"][0], found["wer"][0])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("digits", [1, 3])
def test_every_answer_is_the_sum_and_no_sum_comes_twice(digits, reverse):
    count = 55 if digits == 1 else 300
    sums = addition.draw_sums(count, digits=digits, reverse=reverse, seed=0)
    assert sums.questions.shape == (count, 2 * digits + 1)
    assert sums.answers.shape == (count, digits + 1)
    seen = set()
    for question, answer in zip(sums.questions, sums.answers, strict=True):
        text = addition.written(question)
        a, b = map(int, (text[::-1] if reverse else text).split("+"))
        assert int(addition.written(answer)) == a + b
        assert max(a, b) < 10**digits
        seen.add(tuple(sorted((a, b))))
    assert len(seen) == count


@pytest.mark.bad_input
def test_more_sums_than_there_are_is_refused():
    with pytest.raises(ValueError, match="count is 56; it should be from 1 to 55"):
        addition.draw_sums(56, digits=1, reverse=False, seed=0)


def test_the_adder_is_two_lstms_of_torch_with_the_context_at_every_step():
    torch.manual_seed(0)
    model = addition.Adder(5, 3).double()
    reader, writer = nn.LSTM(12, 5, batch_first=True).double(), nn.LSTM(5, 5, batch_first=True).double()
    for mine, theirs in ((model.reader, reader), (model.writer, writer)):
        theirs.load_state_dict({f"{name}_l0": value for name, value in mine.cell.state_dict().items()})
    questions = addition.draw_sums(6, digits=2, reverse=True, seed=1).questions
    hidden, _ = reader(nn.functional.one_hot(questions, 12).double())
    expected = model.readout(writer(hidden[:, -1:].expand(-1, 3, -1))[0])
    answered = model(questions)
    assert_close(answered, expected, "answers")
    weight = torch.randn_like(answered)
    (answered * weight).sum().backward()
    (expected * weight).sum().backward()
    for mine, theirs in ((model.reader, reader), (model.writer, writer)):
        for name, parameter in mine.cell.named_parameters():
            assert_close(parameter.grad, getattr(theirs, f"{name}_l0").grad, name)


def test_the_adder_starts_as_the_example_does():
    torch.manual_seed(0)
    model = addition.Adder(64, 3)
    for layer in (model.reader, model.writer):
        weights = dict(layer.cell.named_parameters())
        bias = (weights["bias_ih"] + weights["bias_hh"]).detach().chunk(4)
        assert [part.unique().tolist() for part in bias] == [[0.0], [1.0], [0.0], [0.0]]
        rows, columns = weights["weight_ih"].shape
        limit = (6 / (rows + columns)) ** 0.5
        assert 0.97 * limit < float(weights["weight_ih"].detach().abs().max()) <= limit
        for block in weights["weight_hh"].detach().chunk(4):
            assert_close(block @ block.T, torch.eye(64), "recurrent block")
    assert not model.readout.bias.any()


def test_characters_and_whole_answers_are_counted_apart():
    class Fixed(nn.Module):
        def forward(self, questions):
            return nn.functional.one_hot(questions[:, :3], 12).float()

    answers = torch.tensor([[3, 4, 0], [3, 5, 0]])
    sums = addition.Sums(torch.tensor([[3, 4, 0, 1, 1], [3, 4, 0, 1, 1]]), answers)
    by_character, whole = addition.judged(Fixed(), sums)
    assert by_character == pytest.approx(5 / 6)
    assert whole == 0.5


def test_every_round_goes_through_all_sums_once_in_a_new_order():
    sums = addition.draw_sums(50, digits=2, reverse=False, seed=0)
    rows = addition.Rows(sums, 8, seed=0)
    rounds = [torch.cat([part.questions for part in rows]).tolist() for _ in range(2)]
    assert rounds[0] != rounds[1]
    assert sorted(rounds[0]) == sorted(rounds[1]) == sorted(sums.questions.tolist())


def test_a_tenth_of_the_sums_is_never_trained_on():
    model, unseen, history = addition.learn_sums(seed=0, digits=2, count=100, epochs=2, reverse=True, hidden_size=4)
    assert len(unseen.answers) == 10
    assert history.steps == 2 * -(-90 // 32)
    assert isinstance(model, addition.Adder)


SWEPT = {"copying": "copying_rates", "sounds": "sound_rates", "forcing": "forcing_rates"}


def test_the_full_runs_use_the_rates_that_validated_best():
    results = stored_results(course_root(), "10")
    for name, sweep in SWEPT.items():
        if f"10.{sweep}" not in results:
            continue  # still to be run
        swept = results[f"10.{sweep}"]
        (validated,) = swept.runs
        used = find_experiment(f"10.{name}").scales["full"]["rates"]
        for competitor, errors in validated.items():
            assert errors[swept.config["rates"].index(used[competitor])] == min(errors), competitor
