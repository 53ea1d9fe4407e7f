"""The command itself: its parser, and what becomes of an error."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from rnncourse.cli import completion, grading, notebooks, reports, running
from rnncourse.grading.names import clean
from rnncourse.grading.outputs import disguised
from rnncourse.version import __version__

__all__ = ["main", "make_parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: The words after ``rnncourse``; by default those of the process.

    Returns:
        The exit code: 0 when all went well.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    args: argparse.Namespace | None = None
    try:
        parser = make_parser()
        if "_ARGCOMPLETE" in os.environ:  # the shell asks what could be typed next; nothing runs
            completion.answer(parser)
        if word := disguised(words):
            parser.error(f"{word} is also the name of a file here; write ./* instead of *, or move the file away")
        words = [word for word in words if word != "--debug"]
        args, rest = parser.parse_known_args(words)
        if rest and not hasattr(args, "passes_on"):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        args.rest = rest
        return args.run(args)
    except SystemExit as stop:
        if stop.code:
            grading.promised_json(words, "the command was mistyped")
        raise
    except KeyboardInterrupt:
        print("rnncourse: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `rnncourse … | head`
        sys.stderr.close()
        return getattr(args, "trouble", 1)
    except Exception as error:
        if debug:
            raise
        print(f"rnncourse: {clean(_one_line(error))}", file=sys.stderr)
        return getattr(args, "trouble", 1)


def make_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command."""
    parser = _Parser(
        prog="rnncourse",
        description="The course on recurrent neural networks: run its chapters, do its exercises, build its pages.",
        epilog="example: rnncourse start my-course   (then: rnncourse COMMAND --help, each with an example)",
    )
    parser.add_argument("--version", action="version", version=f"rnncourse {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    grading.add_parsers(commands)
    running.add_run(commands)
    reports.add_data(commands)
    reports.add_bench(commands)
    reports.add_version(commands)
    completion.add_completion(commands)
    # Each of these says in its help that it is for maintainers.
    notebooks.add_execute(commands)
    notebooks.add_exercises(commands)
    notebooks.add_lint(commands)
    reports.add_ledger(commands)
    running.add_refresh(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what was mistyped in one line, in place of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"rnncourse: {' '.join(message.split())} (see {self.prog} --help)\n")


def _one_line(error: Exception) -> str:
    """An error as a reader should see it: ours as they are, others with their kind and where to look further."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}"
    of_ours = type(error).__module__.startswith("rnncourse.") and text
    if isinstance(error, ModuleNotFoundError) and not of_ours and not str(error.name).startswith("rnncourse"):
        return f'the package {error.name!r} is missing; install it with: pip install "rnncourse[notebooks]"'
    if of_ours or (isinstance(error, ValueError) and text):
        return text
    return f"{type(error).__name__}: {text} (run again with --debug to see where)"
