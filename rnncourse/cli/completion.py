"""``rnncourse completion``: the shell completes the command's words, through argcomplete."""

import argparse
from typing import Any

__all__ = ["SHELLS", "add_completion", "answer", "completion"]

SHELLS = ("bash", "zsh", "fish", "powershell")


def add_completion(commands: Any) -> None:
    """Adds ``rnncourse completion`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "completion",
        help="print what makes a shell complete this command's words",
        description="Print what makes a shell complete commands, options and files of rnncourse. Put the line of the "
        "example into ~/.bashrc (or ~/.zshrc, with zsh) to have it in every shell.",
        epilog='example: eval "$(rnncourse completion bash)"',
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=completion)


def completion(args: argparse.Namespace) -> int:
    """``rnncourse completion``: the shell's own code."""
    import argcomplete

    print(argcomplete.shellcode(["rnncourse"], shell=args.shell))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that asks, and ends the process."""
    import argcomplete

    argcomplete.autocomplete(parser)
