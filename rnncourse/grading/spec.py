"""What a question is: inputs drawn from a seed, a reference, and the wrong answers it knows by name.

A question never looks at *code*. It says how to draw inputs, what the right answer to them is, and what a few
well-known mistakes would answer to the very same inputs. Marking (:mod:`rnncourse.grading.marking`) then only has to
compare values, which is why it can happen in another process than the one that ran the learner's notebook. Where many
answers are right, a question brings a judge of its own, which sees values, too.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from rnncourse.grading.edits import Edited

__all__ = ["BY_AUTOGRAD", "LIBRARY", "Draw", "Question", "Wrong"]

BY_AUTOGRAD = (
    r"\.backward\(",
    r"\bautograd\b",
    r"\btorch\.func\b|\btorch import .*\bfunc\b|\bfunctorch\b",
    r"\bjac(rev|fwd)\b|\.jacobian\(|\b(vjp|jvp)\b",
)
"""Flags of a question that asks for derivatives by hand: the ways to have PyTorch compute them."""
LIBRARY = (
    r"\b[a-z_]+_trace\b",
    r"\brnncourse\.(functional|kernels)\b",
    r"\brnncourse import .*\b(functional|kernels)\b",
)
"""Flags of every question: the package's own steps, opened."""


class Draw:
    """A seeded source of inputs: the same key always draws the same tensors.

    The key is hashed, so that (seed, question, case) gives unrelated streams, whatever the seed.

    Args:
        *key: Anything with a stable ``repr``; the grader passes ``(seed, question id, case label)``.

    Example:
        >>> a, b = Draw(7, "2.1"), Draw(7, "2.1")
        >>> bool((a.normal(2, 3) == b.normal(2, 3)).all()), a.integer(3, 6) in {3, 4, 5, 6}
        (True, True)
    """

    def __init__(self, *key: object):
        digest = hashlib.sha256(repr(key).encode()).digest()
        self.generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

    def normal(self, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
        """Gaussian numbers of standard deviation ``scale``, of the given shape."""
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64).mul(scale).to(dtype)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
        """Numbers spread evenly over [low, high), of the given shape."""
        unit = torch.rand(*shape, generator=self.generator, dtype=torch.float64)
        return (low + (high - low) * unit).to(dtype)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Integers from low to high, both included, of the given shape (int64)."""
        return torch.randint(low, high + 1, shape, generator=self.generator)

    def integer(self, low: int, high: int) -> int:
        """One Python integer from low to high, both included: for sizes that nobody can hard-code."""
        return int(self.integers(low, high, 1).item())

    def number(self, low: float, high: float) -> float:
        """One Python float in [low, high)."""
        return float(self.uniform(1, low=low, high=high, dtype=torch.float64).item())

    def lengths(self, batch: int, time: int) -> Tensor:
        """One length per sequence, from 1 to ``time``: one reaches ``time``, and one stops earlier (batch > 1)."""
        lengths = self.integers(1, time, batch)
        lengths[0] = time
        if batch > 1:
            lengths[1] = max(1, time // 2)
        return lengths[torch.randperm(batch, generator=self.generator)]

    def rnn(
        self,
        input_size: int,
        hidden_size: int,
        *,
        gates: int = 1,
        scale: float = 0.6,
        dtype: torch.dtype = torch.float32,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Weights in torch's layout: weight_ih, weight_hh, bias_ih, bias_hh with ``gates`` blocks of rows."""
        rows = gates * hidden_size
        return (
            self.normal(rows, input_size, scale=scale, dtype=dtype),
            self.normal(rows, hidden_size, scale=scale, dtype=dtype),
            self.normal(rows, scale=scale, dtype=dtype),
            self.normal(rows, scale=scale, dtype=dtype),
        )


@dataclass(frozen=True)
class Wrong:
    """A mistake that we know by name, because it can be computed.

    Args:
        name: The mistake in a few words: "the bias is added twice".
        answer: What this mistake would return: edits of the source of the question's reference, each a piece of it →
            what stands there instead (:mod:`rnncourse.grading.edits`); or, where the mistake is another algorithm, a
            function of the question's inputs.
        hint: One or two sentences that help whoever made it, without giving the answer away; :meth:`told` adds it.

    Example:
        >>> Wrong("the square", {"2 * x": "x * x"}).told("Twice x is x + x.").hint
        'Twice x is x + x.'
    """

    name: str
    answer: Callable[..., Any] | Mapping[str, str]
    hint: str = ""

    def told(self, hint: str) -> "Wrong":
        """This mistake, with what whoever makes it is told."""
        return replace(self, hint=hint)


def _one_case(draw: Draw) -> tuple:
    return ()


@dataclass(frozen=True)
class Question:
    """One question of an exercise.

    Args:
        id: "chapter.number", such as "2.1".
        title: A few words, for tables.
        points: What a right answer is worth.
        reference: The right answer: takes a case's inputs, returns tensors, numbers, strings, None, or tuples, lists
            and dictionaries of them. For a value it takes nothing.
        wrong: At least two :class:`Wrong` answers that can be told from the right one on every case where they differ.
            Each ``answer`` of a question can be called: edits became the edited reference.
        hints: Shown one more with every failed self-check, the gentlest first. One that begins with the name of a part
            ("dW: …") is for that part alone.
        name: The name that the notebook has to define: a function, or a value when ``kind`` is "value". By default the
            name of the reference.
        cases: Label in words → a function from :class:`Draw` to the tuple of positional arguments; or such a function
            and what it takes beside the draw, ``(function, 3, 6)``.
        parts: Names for the entries of the returned tuple. Each is worth an equal share of the points, and is earned
            when it is right in *every* case. Without parts the answer is right or it is not.
        credit_cases: Give every case, rather than every part, its own share (when the cases are skills of their own).
        tolerance: The largest difference allowed, relative to the largest entry of the expected tensor.
        kind: "function" or "value".
        judge: For questions with many right answers ("an input that shows the bug"): takes the answer and then the
            case's inputs, and returns one sentence per part: what is wrong with it, "" when it is right. It is run on
            strangers' answers, so it should refuse the sizes that it does not want before it computes anything.
            ``reference`` is then one right answer of many, and a wrong answer is recognised by what the judge says.
        seconds: How long one call may take in a graded run.
        flags: Regular expressions for the learner's source; a match never changes the points, it asks a human to look.
            Those of :data:`LIBRARY` are always added.

    Raises:
        ValueError: If the specification contradicts itself, naming the field.

    Example:
        >>> def double(x):
        ...     return 2 * x
        >>> twice = Question(
        ...     id="0.1", title="Twice", points=1,
        ...     reference=double,
        ...     cases={"a vector": lambda draw: (draw.normal(4),)},
        ...     wrong=(Wrong("the square", {"2 * x": "x * x"}, "Twice x is x + x."),
        ...            Wrong("x itself", lambda x: x, "Something is still missing.")),
        ...     hints=("What is x + x?",),
        ... )
        >>> twice.name, twice.chapter, list(twice.inputs(seed=0))
        ('double', 0, ['a vector'])
    """

    id: str
    title: str
    points: float
    reference: Callable[..., Any]
    wrong: tuple[Wrong, ...]
    hints: tuple[str, ...]
    name: str = ""
    cases: Mapping[str, Callable[..., tuple] | tuple] = field(default_factory=lambda: {"the value": _one_case})
    parts: tuple[str, ...] = ()
    credit_cases: bool = False
    tolerance: float = 1e-4
    kind: str = "function"
    judge: Callable[..., tuple[str, ...]] | None = None
    seconds: float = 10.0
    flags: tuple[str, ...] = ()

    def __post_init__(self):
        def demand(condition: bool, what: str) -> None:
            if not condition:
                raise ValueError(f"question {self.id!r}: {what}")

        demand(re.fullmatch(r"\d+\.\d+", self.id) is not None, "id should look like '2.1'")
        object.__setattr__(self, "name", self.name or getattr(self.reference, "__name__", ""))
        demand(self.points > 0, f"points should be positive, was {self.points}")
        demand(self.name.isidentifier(), f"name should be a Python name, was {self.name!r}")
        demand(self.kind in ("function", "value"), f"kind should be 'function' or 'value', was {self.kind!r}")
        demand(len(self.cases) > 0, "cases should hold at least one case")
        demand(len(self.wrong) >= 2, f"wrong should hold at least two wrong answers, has {len(self.wrong)}")
        demand(len({w.name for w in self.wrong}) == len(self.wrong), "the names of wrong answers should differ")
        object.__setattr__(self, "flags", (*self.flags, *(flag for flag in LIBRARY if flag not in self.flags)))
        hints = {w.hint for w in self.wrong} - {""}
        demand(len(hints) == len(self.wrong), "each wrong answer needs a hint of its own")
        demand(len(self.hints) > 0, "hints should hold at least one hint")
        demand(not (self.parts and self.credit_cases), "credit goes by parts or by cases, not both")
        demand(self.judge is None or len(self.parts) > 0, "a judge speaks about parts; name them")
        demand(0 < self.tolerance < 0.1, f"tolerance should lie in (0, 0.1), was {self.tolerance}")
        demand(
            inspect.isfunction(self.reference) or all(callable(wrong.answer) for wrong in self.wrong),
            "only a reference that is a plain function can be edited",
        )
        object.__setattr__(self, "wrong", tuple(self._runnable(wrong) for wrong in self.wrong))

    def _runnable(self, wrong: Wrong) -> Wrong:
        if callable(wrong.answer):
            return wrong
        return replace(wrong, answer=Edited(self.reference, wrong.answer, f"question {self.id!r}, {wrong.name!r}"))

    @property
    def chapter(self) -> int:
        """The chapter's number: 2 for question "2.1"."""
        return int(self.id.split(".")[0])

    def hints_for(self, earned: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The hints that fit what is not right yet; once a part is right, those for the other parts come first.

        Args:
            earned: The parts that are right already.
        """
        part_of = {hint: next((part for part in self.parts if hint.startswith(f"{part}: ")), "") for hint in self.hints}
        left = [hint for hint in self.hints if part_of[hint] not in earned] or list(self.hints)
        return tuple(sorted(left, key=lambda hint: not part_of[hint]) if earned else left)

    def inputs(self, seed: int) -> dict[str, tuple]:
        """The arguments of every case, by its label, drawn from this seed; so is their order, which tells nothing."""
        drawn, labels = {}, list(self.cases)
        for index in Draw(seed, self.id).uniform(len(labels)).argsort().tolist():
            case = self.cases[label := labels[index]]
            make, *sizes = case if isinstance(case, tuple) else (case,)
            drawn[label] = make(Draw(seed, self.id, label), *sizes)
        return drawn
