"""The command: run the sections asked for, say what is measured as it is measured, save after each."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from rnncourse.provenance import code_hash

from . import decoding, growth, lengths, loading, memory, scans, speed, trees
from .machine import commit, machine, processor, versions
from .records import PARTS, folder_of, measured, read, save, sections_of, this_machine
from .targets import targets

SECTIONS = {
    **dict.fromkeys(PARTS["layers"], speed.measure),
    "lengths": lengths.measure,
    "growth": growth.measure,
    "memory": memory.measure,
    "loading": loading.measure,
    "decoding": decoding.measure,
    "trees": trees.measure,
    "scan": scans.measure,
}


def _run(section: str, quick: bool, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    if section in PARTS["layers"]:
        sizes = speed.TINY if quick else speed.LARGE + speed.SMALL
        return speed.measure(sizes, rounds=rounds, cells=(section.removeprefix("layers-").upper(),), say=say)
    if section == "lengths":
        if quick:
            return lengths.measure((5,), rounds=rounds, say=say, batch=3, inputs=2, hidden=3)
        rows = lengths.measure((100, 200), rounds=rounds, say=say)
        rows += lengths.measure((100,), rounds=rounds, say=say, batch=128)
        return rows + lengths.measure((400, 800), rounds=min(rounds, 2), say=say)  # packed, a round takes seconds
    if section == "growth":
        times = (4, 8, 16) if quick else (256, 512, 1024, 2048, 4096)
        return growth.measure(times, rounds=rounds, say=say, **({"batch": 2, "hidden": 4} if quick else {}))
    if section == "memory":
        small = {"batch": 2, "inputs": 2, "hidden": 4}
        return memory.measure(
            100 if quick else 5000, rounds=1 if quick else rounds, say=say, **(small if quick else {})
        )
    if section == "decoding":
        small = {"cells": ("GRU",), "sentences": 3, "source": 4, "length": 4, "hidden": 6, "growing": (2, 4, 8)}
        return decoding.measure(rounds=rounds, say=say, **(small if quick else {}))
    if section == "trees":
        small = {"batch": 3, "leaves": 4, "hiddens": (3,), "depths": (2, 4, 8), "widths": (2, 4, 8)}
        return trees.measure(rounds=rounds, say=say, **(small if quick else {}))
    if section == "scan":
        times = (4, 8, 16) if quick else (64, 128, 256, 512, 1024, 2048, 4096, 8192)
        return scans.measure(times, rounds=rounds, say=say, **({"widths": ((1, 3), (2, 4))} if quick else {}))
    return loading.measure(("parity",) if quick else None, say=say)


#: Rounds of each section in a full run: enough for a median, few enough for an afternoon's patience.
ROUNDS = {
    **dict.fromkeys(PARTS["layers"], 7), "lengths": 5, "growth": 3, "memory": 3, "loading": 1,
    "decoding": 7, "trees": 5, "scan": 5,
}  # fmt: skip


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rnncourse bench",
        description="Measure our layers beside torch.nn and a textbook loop, on one thread.",
        epilog="example: rnncourse bench --quick --sections layers",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, seconds: to see that everything runs")
    parser.add_argument(
        "--sections",
        default=",".join(SECTIONS),
        help=f"comma-separated, of: {', '.join(SECTIONS)} (default: all); layers is its three parts",
    )
    parser.add_argument("--rounds", type=int, help="timed rounds of each comparison (default: 3 to 11, by section)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and inputs (default: 0)")
    parser.add_argument(
        "--output", type=Path, help="JSON to write (default: this machine's, in the course's book/results/bench)"
    )
    parser.add_argument(
        "--figures", type=Path, help="folder for the figures (default: book/figures in the course's folder)"
    )
    arguments = parser.parse_args(argv)
    asked = [name for name in arguments.sections.split(",") if name]
    arguments.sections = [part for name in asked for part in PARTS.get(name, (name,))]
    for name in arguments.sections:
        if name not in SECTIONS:
            parser.error(f"there is no section {name!r}; the sections are {', '.join(SECTIONS)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}; it should be at least 1")
    course = Path("book").is_dir() and not arguments.quick
    folder = folder_of(Path()) if course else Path("_build/bench")
    arguments.output = arguments.output or folder / f"{this_machine()}.json"
    arguments.figures = arguments.figures or Path("book/figures" if course else "_build/bench")
    return arguments


def _draw(record: dict[str, Any], folder: Path) -> str:
    """Draw the figures; the sentence that says what became of them."""
    try:
        from rnncourse.viz import bench as figures
    except ImportError as missing:
        return f"figures skipped: {missing.name} is missing; pip install matplotlib"
    paths = figures.save_all(measured(record), folder)
    return f"figures: {', '.join(str(path) for path in paths)}" if paths else "figures: nothing to draw yet"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Args:
        argv: Command-line words; those of the process when None.

    Returns:
        The exit status: 0, or 1 with one line on standard error when nothing could be saved or a result was wrong, or
        130 after Ctrl-C (sections that were finished are saved).
    """
    arguments = _arguments(argv)
    earlier = read(arguments.output)
    others = {section["machine"]["processor"] for section in earlier["sections"].values()} - {processor()}
    if others:
        print(f"rnncourse bench: {arguments.output} is of {others.pop()}; choose another --output", file=sys.stderr)
        return 1
    try:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        save(arguments.output.parent / ".bench-can-write.json", {})
        (arguments.output.parent / ".bench-can-write.json").unlink()
    except OSError as problem:
        print(
            f"rnncourse bench: cannot write to {arguments.output.parent} ({problem.strerror}); choose --output",
            file=sys.stderr,
        )
        return 1

    def say(text: str) -> None:
        print(text, flush=True)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    record: dict[str, Any] = {"quick": arguments.quick, "sections": earlier["sections"]}
    words = [
        *(["--quick"] if arguments.quick else []),
        "--sections",
        ",".join(arguments.sections),
        "--seed",
        str(arguments.seed),
    ]
    if arguments.rounds:
        words += ["--rounds", str(arguments.rounds)]
    try:
        for section in arguments.sections:
            say(f"\n{section}")
            torch.manual_seed(arguments.seed)
            rounds = arguments.rounds or (2 if arguments.quick else ROUNDS[section])
            begin, code = time.time(), code_hash(SECTIONS[section])
            rows = _run(section, arguments.quick, rounds, say)
            record["sections"][section] = {
                "command": "rnncourse bench " + " ".join(words),
                "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime(begin)) + " UTC",
                "seconds": round(time.time() - begin, 1),
                "rounds": rounds,
                "versions": versions(),
                "machine": machine(),
                "commit": commit(),
                "code": code,
                "rows": rows,
            }
            found = targets(sections_of(record))
            record["targets"] = [{**target._asdict(), "reached": target.reached} for target in found]
            save(arguments.output, record)
    except KeyboardInterrupt:
        print(f"\nrnncourse bench: stopped; finished sections are in {arguments.output}", file=sys.stderr)
        return 130
    except AssertionError as wrong:
        print(f"rnncourse bench: {wrong}", file=sys.stderr)
        return 1
    finally:
        torch.set_num_threads(threads)

    say("")
    for target in targets(sections_of(record)):
        say(str(target))
    say(f"\nsaved: {arguments.output}\n{_draw(record, arguments.figures)}")
    return 0
