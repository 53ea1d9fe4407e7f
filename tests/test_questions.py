"""Every question of the course, held to what a question has to be; a new module of questions joins by being there."""

import dataclasses
import functools
import importlib
import inspect
import json
import pkgutil
import re

import pytest
import torch

import rnncourse
from rnncourse.chapters import all_questions
from rnncourse.grading import marking
from rnncourse.grading.edits import Edited
from rnncourse.grading.marking import Failure, mark
from rnncourse.grading.selfcheck import describe, examine
from rnncourse.grading.spec import Question, Wrong
from rnncourse.grading.wire import decode, encode, plain
from tests.seeds import answers, faults, of_the_day

QUESTIONS = list(all_questions().values())
SEEDS = range(12)
every_question = pytest.mark.parametrize("question", QUESTIONS, ids=[question.id for question in QUESTIONS])


@pytest.fixture
def asked_once(monkeypatch):
    """Marking asks each of our own functions once about the same inputs: it says the same again (tested below).

    A mistake is found among all mistakes, so that to find each of them asks each of them about as often as there are.
    """
    ask, known = marking._ask, {}

    def remembered(question, function, arguments):
        tree, tensors = encode(plain(arguments))
        numbers = tuple((tensor.dtype, tensor.shape, tensor.numpy().tobytes()) for tensor in tensors.values())
        key = function, json.dumps(tree), numbers
        if key not in known:
            known[key] = ask(question, function, arguments)
        return known[key]

    monkeypatch.setattr(marking, "_ask", remembered)


@every_question
def test_the_reference_scores_full(question):
    for seed in SEEDS:
        result = mark(question, answers(question, question.reference, seed), seed)
        assert result.full, result.problems
        assert (result.mistake, result.hint) == ("", "")


@pytest.mark.usefixtures("asked_once")
@every_question
def test_on_todays_seeds_there_is_an_answer_and_every_named_mistake_is_known_by_its_name(question):
    """Other seeds every day; ``python -m tests.seeds`` tries thousands."""
    assert {seed: said for seed in of_the_day(2) if (said := faults(question, seed))} == {}


def test_a_mistake_that_is_right_or_taken_for_another_is_seen():
    """What the line above would say of a question whose mistakes coincide, or whose reference fails."""

    def cases(draw):
        return (draw.integer(0, 1),)

    def twice(n):
        return 2 * n

    wrong = (Wrong("square", lambda n: n * n, "a"), Wrong("power", lambda n: n**3, "b"))
    one = Question(id="9.1", title="x", points=1, reference=twice, wrong=wrong, hints=("x",), cases={"a number": cases})
    said = {tuple(faults(one, seed)) for seed in range(20)}
    assert said == {("'square' is right", "'power' is right"), ("'power' was taken for 'square'",)}
    failing = dataclasses.replace(one, reference=lambda n: 1 // n, name="f")
    assert any("finds no answer (ZeroDivisionError" in line for seed in range(20) for line in faults(failing, seed))


@every_question
def test_the_reference_says_the_same_twice_and_no_nan(question):
    first, second = (answers(question, question.reference, 0) for _ in range(2))
    assert str(first) == str(second)
    for tensor in encode(plain(first))[1].values():
        assert not tensor.is_floating_point() or not tensor.isnan().any()


@every_question
def test_every_edit_matches_its_solution_once(question):
    for wrong in question.wrong:
        if isinstance(wrong.answer, Edited):
            assert wrong.answer.function is not question.reference, wrong.name


@pytest.mark.usefixtures("asked_once")
@every_question
def test_each_wrong_answer_is_refused_by_its_own_name(question):
    for wrong in question.wrong:
        for seed in SEEDS:
            result = mark(question, answers(question, wrong.answer, seed), seed)
            assert not result.full, f"{wrong.name!r} is right at seed {seed}"
            assert result.mistake == wrong.name, f"{wrong.name!r} was taken for {result.mistake!r} at seed {seed}"
            assert result.hint == wrong.hint


@every_question
def test_a_stub_scores_zero_and_is_told_so(question):
    def stub(*arguments):
        raise NotImplementedError("Exercise")

    result = examine(question, stub if question.kind == "function" else None)
    assert result.points == 0
    said = describe(result, question, question.hints[:1])
    assert question.hints[0] in said
    assert question.kind == "value" or "not written yet" in said


@every_question
def test_no_answer_at_all_scores_zero_with_the_reason(question):
    result = mark(question, dict.fromkeys(question.cases, Failure("the process ended")), 0)
    assert (result.points, result.message, result.verdict) == (0, "the process ended", "no answer")


@every_question
def test_arguments_survive_the_pipe(question):
    for arguments in question.inputs(3).values():
        assert str(decode(*encode(plain(arguments)))) == str(plain(arguments))


@every_question
def test_fresh_seeds_give_fresh_inputs(question):
    if question.kind == "function":
        assert str(question.inputs(0)) == str(question.inputs(0)) != str(question.inputs(1))


@every_question
def test_hints_do_not_give_the_code_away(question):
    source = inspect.getsource(question.reference)
    lines = {line.strip() for line in source.splitlines()[1:] if len(line.strip()) > 12}
    for hint in [*question.hints, *(wrong.hint for wrong in question.wrong)]:
        assert not any(line in hint for line in lines)


# All of torch's namespace would include functions that abort the process when called with the wrong things.
TENSOR_FUNCTIONS = re.compile(
    r"(quantized_)?(rnn|lstm|gru|tanh|sigmoid|relu|(log_)?softmax|matmul|chain_matmul|b?mm|addb?mm|baddbmm|einsum|cat$|"
    r"[hv]?stack|cumsum|cumprod|norm|outer|dot|kron|tensordot|conv[123]d|where|lerp|topk|sort|mean|sum|logsumexp)"
)


NOT_THE_CORE = ["grading", "notebooks", "viz", "experiments", "bench", "cli", "data", "chapters", "course", "__main__"]


@functools.cache
def library() -> dict:
    """Functions that somebody might hope to pass off as an answer: torch's, and the course's own core."""
    modules = [torch.nn.functional, torch.linalg, torch.special]
    for info in pkgutil.walk_packages(rnncourse.__path__, "rnncourse."):
        room = info.name.split(".")[1]
        if room not in NOT_THE_CORE:
            modules.append(importlib.import_module(info.name))
    # Functions that write files, change the process or wait for another one.
    harmful = ("save", "load", "set_", "compile", "seed", "fork", "wait", "init", "use_", "from_file", "manual", "jit")
    found = {f"torch.{name}": value for name, value in vars(torch).items() if TENSOR_FUNCTIONS.match(name)}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, type) or not callable(value):  # a class makes a module, and a module is no answer
                continue
            if name.startswith("_") or name.endswith("_") or any(word in name for word in harmful):
                continue
            found[f"{module.__name__}.{name}"] = value
    return found


@every_question
def test_no_single_library_call_answers_it(question, monkeypatch):
    monkeypatch.setattr(marking, "recognise", lambda *_: None)  # right or not is all that is asked here
    if question.kind == "value":
        return
    cases = question.inputs(1)
    shortcuts = []
    for name, function in library().items():
        given = {}
        for label, arguments in cases.items():
            try:
                with torch.no_grad():
                    given[label] = plain(function(*plain(arguments)))
            except Exception:
                break
        else:
            if mark(question, given, 1).full:
                shortcuts.append(name)
    assert not shortcuts


NO_ANSWERS = {
    "a number": 7,
    "a string": "right",
    "nothing": (),
    "as many strings": ("", "", "", ""),
    "numbers that are none": (torch.full((2, 3, 2), float("nan")),) * 3,
    "infinite tensors": (torch.full((1, 2, 2), float("inf")),) * 3,
    "tensors of integers": (torch.ones(1, 2, 2, dtype=torch.int64),) * 3,
    "tensors that are too large": (torch.ones(1, 100_000, 2),) * 3,
    "tensors without entries": (torch.ones(0, 0, 2),) * 3,
    "weights that are none": (torch.full((4, 2), float("nan")), torch.ones(4, 1), torch.ones(4), torch.ones(4)),
    "nested nothing": (((),) * 4,) * 3,
}


@pytest.mark.parametrize("given", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
@every_question
def test_what_is_no_answer_earns_nothing_and_is_told_why(question, given):
    result = mark(question, dict.fromkeys(question.cases, given), 0)
    assert result.points == 0
    assert all(result.problems.values())


def noted(question, source):
    return any(re.search(flag, source) for flag in question.flags)


@every_question
def test_the_packages_own_steps_are_noted_for_a_human(question):
    for source in (
        "from rnncourse.functional import gru_step",
        "from rnncourse import functional",
        "import rnncourse.kernels as k",
        "i, f, g, o, c, h = lstm_trace(x, state, *weights)",
    ):
        assert noted(question, source), source
    assert not noted(question, "h = rnn_step(x, h)\nprint(torch.trace(a), a.trace())")


def test_derivatives_that_pytorch_computes_are_noted_where_they_are_asked_for_by_hand():
    by_hand = [question for question in QUESTIONS if noted(question, "loss.backward()")]
    asked = "3.1 3.2 3.3 3.4 3.6 4.1 4.2 4.5 4.6 5.4 5.5 6.3 9.3"
    assert {question.id for question in by_hand} >= set(asked.split())
    for question in by_hand:
        for source in (
            "torch.autograd.grad(loss, h)",
            "from torch.func import grad",
            "from torch import func, nn",
            "torch.func.jacrev(f)(h)",
            "torch.autograd.functional.jacobian(f, h)",
            "import functorch",
            "out, back = vjp(f, h)",
        ):
            assert noted(question, source), (question.id, source)
        honest = "jacobian = torch.eye(3)\nfunc = torch.tanh\nbackward = h @ W"
        assert not noted(question, honest), question.id


def test_every_chapter_with_questions_has_at_least_five():
    for chapter in {question.chapter for question in QUESTIONS}:
        ours = [question for question in QUESTIONS if question.chapter == chapter]
        assert len(ours) >= 5
        assert [question.id for question in ours] == [f"{chapter}.{n}" for n in range(1, len(ours) + 1)]
        assert len({question.name for question in ours}) == len(ours)
