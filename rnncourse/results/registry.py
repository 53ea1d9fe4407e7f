"""What experiments there are: a name, a function of a seed, its sizes, and the published numbers it is held against."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncourse.provenance import code_hash
from rnncourse.scales import SCALES

CHAPTERS = Path(__file__).parent.parent / "chapters"  # where experiments are declared; none is known by name
NAME = re.compile(r"\d\d\.\w+")
WHERE_READ = ("read in the paper", "read in the abstract", "read in its source code", "from a secondary source")


@dataclass(frozen=True)
class Published:
    """A number that somebody published, beside which ours is put.

    Args:
        key: Which of the experiment's values it is held against; ``"curve[-1]"`` names an entry of a list.
        value: The published number.
        cite: The source's key in ``book/references.bib``.
        read: Where its claim was read: "read in the paper", "read in the abstract", "read in its source code" (of an
            example that was published as a program) or "from a secondary source".
        unit: Of both numbers.
        size: At what size the published number was obtained.
        comparable: Whether the two numbers mean the same thing.
        why: Why they differ, or why they cannot be compared.
        what: What was measured, in words; by default the key.
        better: "higher" or "lower" where going beyond the published number still reproduces it; empty where only
            coming near it does.
        margin: How near counts as reproduced, in the unit; said before the run.
    """

    key: str
    value: float
    cite: str
    read: str
    unit: str
    size: str
    comparable: bool
    why: str
    what: str = ""
    better: str = ""
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.read not in WHERE_READ:
            raise ValueError(f"read is {self.read!r}; it should be one of {', '.join(map(repr, WHERE_READ))}")
        if self.comparable and self.read == "from a secondary source":
            raise ValueError(f"{self.cite}: a number from a secondary source is not compared as if it were exact")
        if self.better not in ("", "higher", "lower") or self.margin < 0:
            raise ValueError(
                f"better is {self.better!r}, margin {self.margin}; they should say how near is near enough"
            )
        if self.comparable and not (self.better or self.margin):
            raise ValueError(f"{self.cite}: a comparable number needs better or margin; the verdict hangs on them")
        for name in ("key", "cite", "unit", "size", "why"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; the ledger prints it")


@dataclass(frozen=True)
class Experiment:
    """A registered experiment.

    Attributes:
        name: Like "02.compact": the chapter's number and words.
        function: Called with ``seed`` and the sizes of a scale; returns values by name.
        scales: The sizes by scale, ``seeds`` (how many) among them.
        published: Numbers to hold it against.
        also: What it reaches that its source does not name.
    """

    name: str
    function: Callable[..., Mapping[str, Any]]
    scales: Mapping[str, Mapping[str, Any]]
    published: tuple[Published, ...] = ()
    also: tuple[object, ...] = ()

    @property
    def chapter(self) -> str:
        """The chapter's number, like "02"."""
        return self.name[:2]

    def code(self) -> str:
        """Returns the hash of all the code that makes its result."""
        return code_hash(self.function, *self.also, words=self.words())

    def words(self) -> set[str]:
        """Returns the sizes that are strings: they may name data sets."""
        return {value for sizes in self.scales.values() for value in sizes.values() if isinstance(value, str)}

    def command(self, scale: str) -> str:
        """Returns what to type to run it."""
        return f"rnncourse run {self.chapter} --scale {scale} --experiment {self.name}"


_REGISTERED: dict[str, Experiment] = {}


def experiment(
    name: str,
    *,
    smoke: Mapping[str, Any],
    page: Mapping[str, Any],
    full: Mapping[str, Any],
    published: list[Published] | tuple[Published, ...] = (),
    also: tuple[object, ...] = (),
) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., Mapping[str, Any]]]:
    """Registers a function as an experiment; the function itself stays as it is.

    Args:
        name: The chapter's number, a dot, and words: "02.compact".
        smoke: Sizes for seconds: the function's arguments, and ``seeds`` (how many).
        page: Sizes for about a minute.
        full: Sizes for the committed result.
        published: Numbers to hold it against.
        also: Functions or classes that take part but are chosen at run time (see
            :mod:`rnncourse.provenance`).

    Returns:
        A decorator.

    Raises:
        ValueError: If the name has another form, or sizes and arguments do not fit.

    Example:
        >>> @experiment("99.coin", smoke={"seeds": 1, "n": 2}, page={"seeds": 1, "n": 9}, full={"seeds": 3, "n": 99})
        ... def coin(*, seed, n):
        ...     return {"heads": float(n // 2)}
        >>> coin(seed=0, n=9)
        {'heads': 4.0}
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"experiment name is {name!r}; it should be like '02.compact'")

    def register(function: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        scales = dict(zip(SCALES, (smoke, page, full), strict=True))
        wanted = set(inspect.signature(function).parameters)
        for scale, sizes in scales.items():
            given = {*sizes, "seed"} - {"seeds"}
            if given != wanted or not isinstance(sizes.get("seeds"), int) or sizes["seeds"] < 1:
                raise ValueError(
                    f"experiment {name}: {scale} gives {', '.join(sorted(sizes)) or 'nothing'}; it should give seeds "
                    f"(how many) and the arguments of {function.__name__}: {', '.join(sorted(wanted - {'seed'}))}"
                )
        _REGISTERED[name] = Experiment(name, function, scales, tuple(published), also)
        return function

    return register


def experiment_names(chapter: str | None = None) -> list[str]:
    """Returns the names of all experiments, read from the source without running it.

    Args:
        chapter: Only those of this chapter, like "02".

    Returns:
        Names, sorted.
    """
    return sorted(name for name in _modules() if chapter is None or name.startswith(f"{chapter}."))


def find_experiment(name: str) -> Experiment:
    """Returns an experiment, importing only the module that declares it.

    Args:
        name: Like "02.compact".

    Returns:
        The experiment.

    Raises:
        ValueError: If there is none of that name; the message lists those there are.
    """
    if name not in _REGISTERED:
        modules = _modules()
        if name not in modules:
            raise ValueError(f"there is no experiment {name!r}; there are: {', '.join(sorted(modules)) or 'none'}")
        importlib.import_module(modules[name])
    return _REGISTERED[name]


def _modules() -> dict[str, str]:
    """From each experiment's name to the module that declares it."""
    found: dict[str, str] = {}
    for path in sorted(CHAPTERS.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "experiment":
                    name = ast.literal_eval(decorator.args[0])
                    if name in found:
                        raise ValueError(f"two experiments are named {name!r}")
                    parts = path.relative_to(CHAPTERS.parent.parent).with_suffix("").parts
                    found[name] = ".".join(parts).removesuffix(".__init__")
    return found
