"""Every annotation of the numerical core is checked while the tests run.

A test of bad input carries ``@pytest.mark.bad_input``: in it the annotations' checks are off, so that it sees the
:class:`ValueError` which the package itself raises, as a user would.
"""

import signal
from collections import Counter
from itertools import count

import jaxtyping
import pytest

CHECKED = [
    "rnncourse.attention",
    "rnncourse.bptt",
    "rnncourse.cells",
    "rnncourse.checks",
    "rnncourse.convert",
    "rnncourse.depth",
    "rnncourse.diagnostics",
    "rnncourse.functional",
    "rnncourse.kernels",
    "rnncourse.layers",
    "rnncourse.modes",
    "rnncourse.models",
    "rnncourse.seq2seq",
    "rnncourse.scan",
    "rnncourse.shapes",
    "rnncourse.training",
    "rnncourse.transforms",
    "rnncourse.trees",
    "rnncourse.unroll",
]
jaxtyping.install_import_hook(CHECKED, "beartype.beartype")

import torch  # noqa: E402

# A shell that starts the tests in the background (`make test &`) lets them ignore Ctrl-C, and what they start as well;
# but several tests interrupt on purpose.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(1)
torch.backends.cudnn.rnn.fp32_precision = "ieee"  # on a GPU the oracle would otherwise keep ten bits of each product


def pytest_configure(config):
    config.addinivalue_line("markers", "bad_input: run without the annotations' checks, as a user's call is")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files with the most slow tests come first, so that at the end no worker waits for one long file of the other.

    Whole files go to a worker in this order (``--dist loadfile --no-loadscope-reorder``); one worker's order within a
    file stays as it is written.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow[item.path], -size[item.path]))


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_keep_together(items):
    """With ``--dist loadgroup`` one worker runs what shares an opened page, a parsed site or a built one."""
    for item in items:
        if item.get_closest_marker("site") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(autouse=True)
def _annotations_off_for_bad_input(request):
    if request.node.get_closest_marker("bad_input") is None:
        yield
        return
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def _states(tmp_path_factory):
    """One folder of each test after the other; pytest's own numbering reads all names again for every new one."""
    folder = tmp_path_factory.mktemp("states")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _state_folder(_states, monkeypatch):
    """What `rnncourse start` remembers about this user is not touched by tests."""
    folder = next(_states)
    folder.mkdir()
    monkeypatch.setenv("RNNCOURSE_STATE", str(folder))


@pytest.fixture
def faked(monkeypatch):
    """``rnncourse grade`` with examiners that need neither torch nor a sandbox (:mod:`tests.fake_examiner`)."""
    from rnncourse.grading.classes import batch, singly
    from tests.fake_examiner import COMMAND

    by_hand, made = singly.grade_notebooks, batch.Class.__init__
    monkeypatch.setattr(singly, "grade_notebooks", lambda *arguments: by_hand(*arguments, command=COMMAND))
    monkeypatch.setattr(
        batch.Class, "__init__", lambda self, *arguments, **options: made(self, *arguments, command=COMMAND, **options)
    )
