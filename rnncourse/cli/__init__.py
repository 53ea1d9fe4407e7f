"""The command ``rnncourse``: one subcommand, one small function; everything heavy is imported where it is used.

A user's mistake is one line on stderr that says what to do, and an exit code other than zero; ``--debug`` shows where
it came from.
"""

from rnncourse.cli.command import main, make_parser

__all__ = ["main", "make_parser"]
