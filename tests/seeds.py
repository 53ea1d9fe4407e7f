"""``python -m tests.seeds``: what every question promises, on thousands of seeds.

The tests try a dozen fixed seeds and a few of the day; this is for whoever changes a question, and before a release:

    python -m tests.seeds --seeds 2000 4.6 5.6     # these questions, seeds 0 to 1999
    python -m tests.seeds --first 2000 --seconds 400   # all questions, as many seeds as fit

It prints a line for each fault and how many seeds each question was tried on; the exit code is 1 if any failed.
"""

import argparse
import sys
import time
from datetime import UTC, datetime

import torch

from rnncourse.chapters import all_questions
from rnncourse.grading.marking import mark
from rnncourse.grading.spec import Question
from rnncourse.grading.wire import decode, encode, plain

__all__ = ["answers", "faults", "of_the_day"]


def answers(question: Question, function, seed: int) -> dict:
    """What a function answers to every case, as it would come out of the pipe."""
    with torch.no_grad():
        given = {label: function(*plain(arguments)) for label, arguments in question.inputs(seed).items()}
    return {label: decode(*encode(plain(answer))) for label, answer in given.items()}


def faults(question: Question, seed: int, *, mistakes: bool = True) -> list[str]:
    """What a question fails to keep at this seed: a right answer that earns all, and mistakes known by name."""
    try:
        result = mark(question, answers(question, question.reference, seed), seed)
    except Exception as error:
        return [f"the reference finds no answer ({type(error).__name__}: {error})"]
    said = [] if result.full else [f"the reference does not earn all points: {result.problems}"]
    for wrong in question.wrong if mistakes else ():
        try:
            result = mark(question, answers(question, wrong.answer, seed), seed)
        except Exception as error:
            said.append(f"{wrong.name!r} gives no answer ({type(error).__name__}: {error})")
            continue
        if result.full:
            said.append(f"{wrong.name!r} is right")
        elif (result.mistake, result.hint) != (wrong.name, wrong.hint):
            said.append(f"{wrong.name!r} was taken for {result.mistake!r}")
    return said


def of_the_day(count: int) -> range:
    """A few seeds that change every day and are the same all day long."""
    first = 10_000 + count * datetime.now(UTC).toordinal()
    return range(first, first + count)


def main() -> int:
    questions = all_questions()
    parser = argparse.ArgumentParser(prog="python -m tests.seeds", description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="*", metavar="ID", default=list(questions))
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--answers", action="store_true", help="only that there is one, without the mistakes: fast")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    args = parser.parse_args()
    torch.set_num_threads(1)
    deadline, failed, done = time.monotonic() + args.seconds, 0, dict.fromkeys(args.questions, 0)
    for seed in range(args.first, args.first + args.seeds):
        for key in args.questions:
            if time.monotonic() > deadline:
                break
            for said in faults(questions[key], seed, mistakes=not args.answers):
                failed += 1
                print(f"{key}, seed {seed}: {said}", flush=True)
            done[key] += 1
    print("; ".join(f"{key}: {count} seeds" for key, count in done.items()), f"from {args.first} on, {failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
