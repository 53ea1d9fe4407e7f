"""Run everything: ``python -m tests.run [PART …]``; ``--list`` names the parts.

One part runs only if it is named: `processor`, the notebooks again as an older processor computes them. What a page
compares must not hang on the last digits, nor on the order in which a processor adds.

Every part runs even when an earlier one failed. The table at the end sets what each took beside its budget in minutes
(for two cores); the exit code is 0 only when all parts passed and none of them ran nothing.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
PROSE = ["book", "rnncourse", "tests", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
WORKERS = str(min(os.cpu_count() or 2, 8))
STRICT = platform.system() == "Linux" and platform.machine() in {"x86_64", "AMD64"}
OUTCOMES = ("passed", "failed", "errors", "skipped", "xfailed", "xpassed")
# Data that takes seconds to make is made before the notebooks run: while it is, it says so in the output of a cell.
CACHED = "from rnncourse.data.cache import cached"
MADE = sorted(file.stem for file in (ROOT / "rnncourse/data").glob("*.py") if CACHED in file.read_text("utf-8"))
OLDER = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)\b")


@dataclass
class Part:
    """One line of the table: commands that must all succeed, within a budget of minutes; some run only if asked for."""

    name: str
    says: str
    minutes: float
    commands: list[list[str]]
    tests: bool = True
    asked: bool = False
    env: dict[str, str] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)


def pytest(*arguments: str) -> list[str]:
    """A pytest call in this interpreter."""
    return [PYTHON, "-m", "pytest", "-q", *arguments]


def parts() -> list[Part]:
    """What `make test` consists of, cheapest first."""
    compare = ["--nbval"] if STRICT else ["--nbval-lax"]
    says = f"{'strict' if STRICT else 'lax'} nbval over book and solutions"
    notebooks = [
        [PYTHON, "-c", f"from rnncourse.data import load; [load(name) for name in {MADE}]"],
        pytest(
            *compare,
            "--nbval-current-env",
            "--nbval-cell-timeout=600",
            "-n",
            WORKERS,
            "--dist",
            "loadfile",
            "-o",
            "filterwarnings=default",
            "-p",
            "no:cacheprovider",
            "book/",
            "solutions/",
        ),
    ]
    return [
        Part("environment", "pip check", 1, [[PYTHON, "-m", "pip", "check"]], tests=False),
        Part(
            "style",
            "ruff, codespell",
            1,
            [
                [PYTHON, "-m", "ruff", "check", "."],
                [PYTHON, "-m", "ruff", "format", "--check", "."],
                [PYTHON, "-m", "codespell_lib", *PROSE],
            ],
            tests=False,
        ),
        Part(
            "package",
            "tests/ but the site's",
            12,
            [
                pytest(
                    "tests",
                    "-n",
                    WORKERS,
                    "--dist",
                    "loadfile",
                    "--no-loadscope-reorder",  # tests/conftest.py puts the longest first
                    "-m",
                    "not site",
                    "--durations=40",
                )
            ],
        ),
        Part(
            "examples",
            "doctests of the package and the site",
            2,
            [pytest("--doctest-modules", "rnncourse", "book/_ext/course", "-p", "no:cacheprovider")],
        ),
        Part("notebooks", says, 10, notebooks),
        Part("processor", f"{says}, as an older processor computes", 12, notebooks, asked=True, env=OLDER),
        Part("build", "the site from nothing, -W -n", 5, [[PYTHON, "-m", "book._ext.build", "--fresh"]], tests=False),
        Part(
            "site",
            "the built site in a browser",
            12,
            [pytest("tests", "-n", WORKERS, "--dist", "loadgroup", "-m", "site", "--durations=10")],
        ),
    ]


def environment() -> dict[str, str]:
    """One thread each, so that two workers on two cores do not fight."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONUNBUFFERED": "1"}


def count(line: str) -> Counter:
    """The counts in pytest's closing line; nothing in any other line.

    >>> count("== 3 passed, 1 skipped in 0.52s ==")["passed"]
    3
    >>> sum(count("3 passed the ball").values())
    0
    """
    if not re.search(r" in \d+(\.\d+)?s", line):
        return Counter()
    return Counter({("errors" if kind.startswith("error") else kind): int(n) for n, kind in COUNT.findall(line)})


def run(part: Part) -> None:
    """Run a part's commands, showing what they print as they print it."""
    started = time.monotonic()
    for command in part.commands:
        print(f"\n$ {' '.join(['python', *command[1:]])}", flush=True)
        closing = ""
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment() | part.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                closing = line if count(re.sub(r"\x1b\[[0-9;]*m", "", line)) else closing
        if process.returncode:
            part.failed.append(f"exit code {process.returncode}")
        part.counts += count(re.sub(r"\x1b\[[0-9;]*m", "", closing))
    part.seconds = time.monotonic() - started
    if part.tests and not part.counts["passed"]:
        part.failed.append("no test passed")


def table(done: list[Part]) -> str:
    """What each part took beside its budget, and what it counted."""
    lines = [f"{'part':<12} {'took':>8} {'budget':>8}  {'passed':>7} {'failed':>7} {'skipped':>8}  "]
    for part in done:
        verdict = "; ".join(part.failed) or ("over budget" if part.seconds > 60 * part.minutes else "ok")
        bad = part.counts["failed"] + part.counts["errors"]
        numbers = f"{part.counts['passed']:>7} {bad:>7} {part.counts['skipped']:>8}" if part.tests else f"{'':>24}"
        lines.append(f"{part.name:<12} {part.seconds / 60:>5.1f} min {part.minutes:>4.0f} min  {numbers}  {verdict}")
    whole = sum((part.counts for part in done), Counter())
    minutes = sum(part.seconds for part in done) / 60
    lines.append("")
    lines.append(
        f"{whole['passed']} passed, {whole['failed'] + whole['errors']} failed, {whole['skipped']} skipped "
        f"in {minutes:.1f} minutes (budget {sum(part.minutes for part in done):.0f})"
    )
    broken = [part.name for part in done if part.failed]
    lines.append(f"FAILED: {', '.join(broken)}" if broken else "All parts passed.")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run the parts, print the table."""
    known = parts()
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", help=f"only these: {', '.join(p.name for p in known)}")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    options = parser.parse_args(arguments)
    unknown = set(options.part) - {p.name for p in known}
    if unknown:
        parser.error(f"no part named {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in known)}")
    if options.list:
        print("\n".join(f"{p.name:<12} {p.minutes:>4.0f} min  {p.says}{' (only if named)' * p.asked}" for p in known))
        return 0
    chosen = [p for p in known if p.name in options.part or not (options.part or p.asked)]
    for part in chosen:
        run(part)
    print("\n" + table(chosen), flush=True)
    return 1 if any(part.failed for part in chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
