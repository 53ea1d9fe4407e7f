"""What a result's hash hangs on: what the code that takes part says, and neither where it stands nor its name."""

import shutil
import textwrap

import pytest

from rnncourse import provenance
from rnncourse.provenance import following, hashing, scope
from rnncourse.results import find_experiment

# A small package of its own stands in for rnncourse, so that its lines can be changed.

MODULES = {
    "maths": '''
        """Sums."""

        SCALE = 2.0
        TABLE = {"a": 1}
        TABLE["b"] = 2
        UNUSED = 3


        def double(x: float) -> float:
            """Twice."""
            return SCALE * x  # as said


        def other(x):
            return x + UNUSED


        class Base:
            """Adds."""

            extra = 1

            def add(self, x):
                return x + self.extra


        class Adder(Base):
            def __init__(self, size: int):
                if size < 0:
                    raise ValueError(f"size is {size}")
                self.size = size
        ''',
    "checks": """
        def check(x):
            if x < 0:
                raise ValueError("negative")
        """,
    "doors": """
        from importlib import import_module


        def load(name):
            return import_module(f"PACKAGE.sets.{name}").load()
        """,
    "sets.red": """
        def load():
            return [1]
        """,
    "sets.blue": """
        def load():
            return [2]
        """,
    "parts.__init__": """
        from PACKAGE.parts.inner import deep
        """,
    "parts.inner": """
        def deep(x):
            return x + 3


        def shallow(x):
            return x
        """,
    "shared": """
        from PACKAGE.maths import double as twice

        from PACKAGE import maths
        """,
    "work": '''
        from PACKAGE.checks import check
        from PACKAGE.doors import load
        from PACKAGE.parts import deep
        from PACKAGE.shared import twice
        import PACKAGE.maths as m


        def helper(x):
            from PACKAGE.maths import TABLE

            return TABLE["a"] * x


        @experiment("99.try", full=dict(seeds=1))
        def run(seed: int) -> dict:
            """Runs."""
            check(seed)
            adder = m.Adder(3)
            return {"y": twice(seed) + helper(seed) + adder.add(1) + deep(len(load("red")))}
        ''',
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes the small package, after changes to its text; returns what its experiment reaches and where it starts."""
    name = "smallpackage"
    folder = tmp_path / name
    monkeypatch.setattr(scope, "PACKAGE", name)
    monkeypatch.setattr(scope, "PACKAGE_FOLDER", folder)
    monkeypatch.setattr(scope, "GUARDS", {f"{name}.checks"})
    monkeypatch.setattr(scope, "DOORS", f"{name}.doors")

    def reached(*, modules=MODULES, run="work:run", **changes):
        shutil.rmtree(folder, ignore_errors=True)
        for module, text in modules.items():
            source = textwrap.dedent(text).strip().replace("PACKAGE", name) + "\n"
            for old, new in changes.get(module.replace(".", "_"), {}).items():
                assert old in source, f"{old!r} is not in {module}"
                source = source.replace(old, new)
            path = folder.joinpath(*module.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(source)
        (folder / "__init__.py").touch()
        scope.scope_of.cache_clear()
        start = scope.define(*f"{name}.{run}".split(":"))
        return following.follow([start]), [start.key]

    yield reached
    scope.scope_of.cache_clear()


def test_the_closure_is_what_takes_part_and_no_more(package):
    assert [key.removeprefix("smallpackage.") for key in package()[0]] == [
        "doors:load",
        "maths:Adder",
        "maths:Base",
        "maths:SCALE",
        "maths:TABLE",
        "maths:double",
        "parts.inner:deep",
        "sets.red:load",
        "work:helper",
        "work:run",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"maths": {'"""Sums."""': '"""Adds up."""'}},
        {"maths": {'"""Twice."""': '"""Two times."""', "# as said": "# as it says"}},
        {"maths": {"x: float) -> float": "x: int) -> int"}},
        {"maths": {"def other(x):\n    return x + UNUSED": "def other(x):\n    return x - UNUSED"}},
        {"maths": {"UNUSED = 3": "UNUSED = 4\nNEW = 5"}},
        {"maths": {'f"size is {size}"': 'f"size was {size}; it should be positive"'}},
        {"maths": {"    return SCALE * x": "    return (\n        SCALE\n        * x\n    )"}},
        {"checks": {"negative": "below zero", "x < 0": "x < 0.0"}},
        {"sets_blue": {"[2]": "[3]"}},
        {"parts_inner": {"    return x\n": "    return -x\n"}},
        {"work": {"full=dict(seeds=1)": "full=dict(seeds=1), published=[1.5]"}},
        {"work": {'"""Runs."""': '"""Runs it."""'}},
        {"doors": {"import_module(f": "import_module(name=f"}},
        {"maths": {"if size < 0:": "if size < 1:"}},
        {"maths": {"raise ValueError": "raise TypeError"}},
        {
            "maths": {
                "        self.size = size": "        for n in [size]:\n            refuse(n)\n        self.size = size",
                "class Base:": "def refuse(x):\n    if x < 0:\n        raise ValueError\n\n\nclass Base:",
            }
        },
        {"work": {"    check(seed)\n": ""}},
        {"maths": {"SCALE": "FACTOR"}},
        {"maths": {"double": "twofold"}, "shared": {"double": "twofold"}},
        {"maths": {"Base": "Root"}},
        {"work": {"helper": "aid"}},
        {"maths": {"    def add(": "    def unused(self):\n        return 1\n\n    def add("}},
        {"maths": {"        if size < 0:": "        least = max(0, 0)\n        if size < least:"}},
        {"work": {"maths as m\n": "maths as sums\n", "m.Adder": "sums.Adder"}},
        {"maths": {"class Base:": "import numpy as np\n\n\nclass Base:"}},
    ],
    ids=str,
)
def test_words_and_unrelated_code_make_nothing_stale(package, changes):
    before = hashing.digest(*package())
    assert hashing.digest(*package(**changes)) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"maths": {"SCALE = 2.0": "SCALE = 3.0"}},
        {"maths": {"return SCALE * x": "return SCALE + x"}},
        {"maths": {'TABLE["b"] = 2': 'TABLE["a"] = 2'}},
        {"maths": {'TABLE["b"] = 2': "TABLE.update(a=2)"}},
        {"maths": {"extra = 1": "extra = 2"}},
        {"maths": {"return x + self.extra": "return x - self.extra"}},
        {"maths": {"    def add(": "    def __add__(self, x):\n        return 1\n\n    def add("}},
        {"maths": {"        self.size = size": "        self.size = size = draw()"}},
        {"work": {"    adder = m": "    unread = draw()\n    adder = m"}},
        {"maths": {"class Adder(Base):": "class Adder(object):"}},
        {"maths": {"if size < 0:": "if size < draw():"}},
        {"maths": {'raise ValueError(f"size is {size}")': "size = 0"}},
        {"maths": {"raise ValueError": "raise StopIteration"}},
        {"sets_red": {"[1]": "[1, 1]"}},
        {"parts_inner": {"x + 3": "x + 4"}},
        {"parts___init__": {"import deep": "import shallow as deep"}},
        {"work": {'load("red")': 'load("blue")'}},
        {"work": {'TABLE["a"] * x': 'TABLE["a"] + x'}},
        {"work": {"m.Adder(3)": "m.Adder(4)"}},
        {"shared": {"import double as twice": "import other as twice"}},
    ],
    ids=str,
)
def test_every_changed_line_that_takes_part_makes_it_stale(package, changes):
    before = hashing.digest(*package())
    assert hashing.digest(*package(**changes)) != before


def test_a_name_that_cannot_be_followed_is_an_error_not_a_gap(package):
    package()
    with pytest.raises(scope.CannotFollow, match="smallpackage.maths.treble cannot be followed"):
        package(shared={"import double as twice": "import treble as twice"})


def test_a_module_as_a_value_counts_whole(package):
    reached, _ = package(work={"m.Adder(3)": "dict(module=m) and m.Adder(3)"})
    assert "smallpackage.maths:other" in reached


def test_a_notebooks_hash_follows_what_it_imports_and_survives_what_it_cannot_read():
    plain = provenance.source_hash("x = 1")
    assert provenance.source_hash("from rnncourse.training.losses import perplexity\nperplexity(1)") != plain
    assert provenance.source_hash("x = 2") == plain
    assert provenance.source_hash("x = 1", extra={"torch": "1"}) != plain
    assert provenance.source_hash("this is no python") not in (plain, provenance.source_hash("x = 1", extra={}))


# moves

MOVES = {
    "a module": (
        {"maths": "sums.plain"},
        {"PACKAGE.maths": "PACKAGE.sums.plain", "from PACKAGE import maths": "from PACKAGE.sums import plain as maths"},
    ),
    "a module into another folder": ({"parts.inner": "deeper.down"}, {"PACKAGE.parts.inner": "PACKAGE.deeper.down"}),
    "the experiment itself": ({"work": "chapters.c99.experiments"}, {}),
    "the folder of what is found by name": (
        {"sets.red": "colours.red", "sets.blue": "colours.blue"},
        {"PACKAGE.sets.": "PACKAGE.colours."},
    ),
}


@pytest.mark.parametrize(("addresses", "texts"), MOVES.values(), ids=MOVES.keys())
def test_moving_what_takes_part_changes_no_hash(package, addresses, texts):
    before, start = package()
    hashed = hashing.digest(before, start)
    moved = {}
    for module, text in MODULES.items():
        for old, new in texts.items():
            text = text.replace(old, new)
        moved[addresses.get(module, module)] = text
    assert moved != MODULES
    after, new_start = package(modules=moved, run=f"{addresses.get('work', 'work')}:run")
    assert set(after) != set(before)
    assert hashing.digest(after, new_start) == hashed


def test_two_equal_functions_count_as_one(package):
    before = hashing.digest(*package())
    copied = {
        "work": {
            "m.Adder(3)": "(again(1), m.Adder(3))[1]",
            "def helper": "def again(x):\n    return x + 3\n\n\ndef helper",
        }
    }
    shared = {"work": {"m.Adder(3)": "(deep(1), m.Adder(3))[1]"}}
    assert hashing.digest(*package(**copied)) == hashing.digest(*package(**shared)) != before


def test_names_that_trade_places_change_the_hash(package):
    two = MODULES | {"maths": MODULES["maths"].replace("SCALE = 2.0", "SCALE, SHIFT = 2.0, 2.0")}
    before = hashing.digest(*package(modules=two))
    assert hashing.digest(*package(modules=two, maths={"return SCALE * x": "return SHIFT * x"})) != before


def test_refusals_count_where_something_goes_on_after_them(package):
    caught = "try:\n        adder = m.Adder(3)\n    except ValueError:\n        adder = m.Adder(4)"
    catching = {"work": {"adder = m.Adder(3)": caught}}
    before = hashing.digest(*package(**catching))
    assert hashing.digest(*package(**catching, maths={"if size < 0:": "if size < 1:"})) != before


def test_a_module_found_by_name_counts_by_the_names_in_it(package):
    before = hashing.digest(*package())
    assert hashing.digest(*package(sets_red={"def load": "def fetch"})) != before


# the course's own


def test_an_experiment_hangs_on_what_the_packages_hand_on():
    one = find_experiment("02.compact")
    reached = provenance.closure(one.function, *one.also, words=one.words())
    assert {
        "rnncourse.functional.rnn:rnn_trace",
        "rnncourse.kernels.rnn:rnn_over_time",
        "rnncourse.cells.cell:Cell",
        "rnncourse.cells.rnn:RNNCell",
        "rnncourse.layers.recurrent:Recurrent",
        "rnncourse.models.language_model:LanguageModel",
        "rnncourse.training.loop:fit",
    } <= set(reached)


@pytest.fixture
def copy_of_the_package(tmp_path, monkeypatch):
    """The package's source in another folder, where it can be edited; nothing of it is imported."""
    folder = tmp_path / "rnncourse"
    shutil.copytree(scope.PACKAGE_FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__", "_course"))
    monkeypatch.setattr(scope, "PACKAGE_FOLDER", folder)
    scope.scope_of.cache_clear()
    yield folder
    scope.scope_of.cache_clear()


EXPERIMENTS = ("02.compact", "04.clipping", "05.adding_starts", "06.equal_steps")


def codes_and_closures():
    scope.scope_of.cache_clear()
    found = {name: find_experiment(name) for name in EXPERIMENTS}
    closures = {
        name: set(provenance.closure(one.function, *one.also, words=one.words())) for name, one in found.items()
    }
    return {name: one.code() for name, one in found.items()}, closures


EDITS = {
    "an operation of the GRU": ("functional.gru:gru_trace", "(1 - z) * n + z * h", "(1 - z) * n - z * h"),
    "a default of the adding problem": ("data.adding:adding", "length: int = 100", "length: int = 101"),
    "a constant of the prose": ("data.splits:NAMES", "NAMES = (", "NAMES = tuple, ("),
}


@pytest.mark.slow
@pytest.mark.parametrize(("where", "old", "new"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_changes_exactly_the_results_that_it_takes_part_in(copy_of_the_package, where, old, new):
    before, closures = codes_and_closures()
    file = copy_of_the_package.joinpath(*where.split(":")[0].split(".")).with_suffix(".py")
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    after, _ = codes_and_closures()
    changed = {one for one in EXPERIMENTS if after[one] != before[one]}
    assert changed == {one for one in EXPERIMENTS if f"rnncourse.{where}" in closures[one]}
    assert set() < changed < set(EXPERIMENTS)


@pytest.mark.slow
def test_moving_a_module_of_the_course_changes_no_result(copy_of_the_package):
    before, closures = codes_and_closures()
    (copy_of_the_package / "kernels" / "rows.py").rename(copy_of_the_package / "packed.py")
    for path in copy_of_the_package.rglob("*.py"):
        path.write_text(path.read_text().replace("rnncourse.kernels.rows", "rnncourse.packed"))
    after, moved = codes_and_closures()
    assert moved != closures
    assert after == before
