"""What there is to know: ``rnncourse ledger``, ``rnncourse data``, ``rnncourse bench`` and ``rnncourse version``."""

import argparse
from typing import Any

__all__ = ["add_bench", "add_data", "add_ledger", "add_version", "bench", "data", "ledger", "version"]


def add_ledger(commands: Any) -> None:
    """Adds ``rnncourse ledger`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "ledger",
        help="for maintainers: write the page of published numbers, book/ledger.md",
        description="For maintainers: write the page of published numbers, book/ledger.md, from book/results/.",
        epilog="example: rnncourse ledger --check",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page or a result is stale")
    parser.set_defaults(run=ledger)


def ledger(args: argparse.Namespace) -> int:
    """``rnncourse ledger``: the page "paper / this page / why they differ", from the results."""
    from rnncourse.folders import require_checkout
    from rnncourse.results import ledger_page, require_fresh

    root = require_checkout("rnncourse ledger")
    require_fresh(root)
    page, text = root / "book" / "ledger.md", ledger_page(root)
    current = page.read_text(encoding="utf-8") if page.is_file() else ""
    if args.check and current != text:
        raise ValueError("book/ledger.md is not what the results say; write it with: rnncourse ledger")
    if current != text:
        page.write_text(text, encoding="utf-8", newline="\n")
    print(f"{page}: {'up to date' if current == text else 'written'}")
    return 0


def add_data(commands: Any) -> None:
    """Adds ``rnncourse data`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "data", help="list the data sets and verify their hashes", epilog="example: rnncourse data letter_to_sound"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this set; by default all")
    parser.add_argument("--list", action="store_true", help="only list; read no data")
    parser.set_defaults(run=data)


def data(args: argparse.Namespace) -> int:
    """``rnncourse data``: a report on the data sets; exit code 1 when one is not what its card says."""
    from rnncourse.data import report

    text = report(args.name, verify=not args.list)
    print(text)
    return 1 if "NOT VERIFIED" in text else 0


def add_bench(commands: Any) -> None:
    """Adds ``rnncourse bench`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser("bench", add_help=False, help="measure the package's speed on this machine")
    parser.set_defaults(run=bench, passes_on=True)  # the benchmarks parse their own options


def bench(args: argparse.Namespace) -> int:
    """``rnncourse bench``: hands all options on."""
    from rnncourse.bench import main as bench_main

    return bench_main(args.rest)


def add_version(commands: Any) -> None:
    """Adds ``rnncourse version`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "version",
        help="the versions of the package and of what it stands on",
        description="The versions of the package and of what it stands on, for a report of an error.",
        epilog="example: rnncourse version",
    )
    parser.set_defaults(run=version)


def version(args: argparse.Namespace) -> int:
    """``rnncourse version``: what to write into a bug report."""
    from rnncourse.provenance import environment

    for name, number in environment().items():
        print(f"{name:12} {number}")
    return 0
