"""What Gradescope's ``run_autograder`` runs: one submission in, ``results.json`` out.

A notebook that is at fault gets its zero and the reason. Where it is the grader that failed, or no walls stand, there
is no ``results.json`` at all: Gradescope then tells the staff that the autograder failed, and nobody has a zero.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]


def main(argv: Sequence[str] | None = None, command: Sequence[str] | None = None) -> int:
    """Grades one submission.

    Args:
        argv: The words of the command line.
        command: What starts an examiner; by default the course's own.

    Returns:
        0 when there is a result, 2 when there is none.
    """
    parser = argparse.ArgumentParser(prog="run_autograder", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("/autograder"), help="Gradescope's folder")
    parser.add_argument("--chapter", type=int, help="ask this chapter's questions, whatever the notebook says")
    parser.add_argument("--seconds", type=float, default=300.0, help="limit for one notebook")
    parser.add_argument("--cell-seconds", type=float, default=60.0, help="limit for one cell")
    parser.add_argument("--check", action="store_true", help="only say whether there are walls here")
    args = parser.parse_args(argv)
    if args.check:
        return _check()
    return _grade(args, command)


def _check() -> int:
    from rnncourse.grading.walls.sandbox import find_sandbox

    found, reason = find_sandbox()
    print(f"{'ok' if found else 'warning'}: {reason}")
    # While the image is built there may be no walls although there are some later: this is no reason to fail.
    return 0


def _grade(args: argparse.Namespace, command: Sequence[str] | None) -> int:
    from rnncourse.grading import outputs
    from rnncourse.grading.classes import pool, seeds
    from rnncourse.grading.classes.gradebooks import gradescope
    from rnncourse.grading.classes.jobs import Options, make_job, read_bytes
    from rnncourse.grading.classes.rows import make_rows
    from rnncourse.grading.classes.submissions import Learner, notebooks_below
    from rnncourse.grading.notebook import FILE_LIMIT

    options = Options(args.chapter, cell_seconds=args.cell_seconds, total_seconds=args.seconds)
    results = args.root / "results" / "results.json"
    outputs.ensure_writable(results)
    results.unlink(missing_ok=True)
    folder = args.root / "submission"
    notebooks, trouble = notebooks_below(folder, args.chapter)
    learner = Learner("submission", notebooks=notebooks, trouble=trouble)
    labels = _labels(folder, notebooks)

    def job(path: Path) -> dict:
        return make_job(labels[path], path.name, read_bytes(path, FILE_LIMIT), seeds.fresh() % 2**31, options)

    jobs = [(path, lambda path=path: job(path)) for path in notebooks]
    records = []
    for path, answer in pool.in_parallel(jobs, 1, options.deadline, command=command or pool.COMMAND):
        print(f"{labels[path]}: {answer['report']['points']:g} points" if "report" in answer else answer["failure"])
        records.append({"label": labels[path], **answer})
    if ours := [record for record in records if record.get("fault") in ("grader", "sandbox")]:
        print(f"no result: {ours[0]['failure']}", file=sys.stderr)
        return 2
    (row,) = make_rows([learner], {("submission", ""): "submission"}, {("submission", ""): records})
    outputs.write(results, json.dumps(gradescope(row), indent=1, ensure_ascii=True) + "\n")
    return 0


def _labels(folder: Path, notebooks: Sequence[Path]) -> dict[Path, str]:
    from rnncourse.grading.names import tell_apart

    shown = tell_apart(str(path.relative_to(folder)) for path in notebooks)
    return {path: shown[str(path.relative_to(folder))] for path in notebooks}


if __name__ == "__main__":
    sys.exit(main())
