"""The same work on a Dask cluster: a killed worker loses nothing, nothing is graded twice or unpickled."""

import contextlib
import io
import json
import os
import signal
import time
import warnings

import pytest

from rnncourse.grading.classes.batch import LOG_NAME, Class
from rnncourse.grading.classes.meter import Meter
from tests import fake_examiner
from tests.test_grading_classes import a_class, graded, hand_in, quiet, summary, trace

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="kills a process as POSIX does"),
    # A worker that is killed takes its sockets along; the cluster's own clean-up speaks of them.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextlib.contextmanager
def a_cluster(workers):
    """A local cluster of separate processes."""
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster


def test_a_killed_worker_loses_nothing_and_nothing_is_graded_twice(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 24, seconds=0.05)
    hand_in(folder, "learner003/02_vanilla_rnn.ipynb", act="crash")
    jobs = trace(tmp_path, monkeypatch)
    killed = []
    with a_cluster(2) as cluster:

        class Killer(Meter):
            def step(self):
                super().step()
                if self.done == 6:
                    pid = next(iter(cluster.workers.values())).pid
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        batch = Class(folder, tmp_path / "out", scheduler=cluster.scheduler_address, command=fake_examiner.COMMAND)
        rows = {row.learner: row for row in batch.grade(lambda total, before: Killer(total, before, io.StringIO()))}
    assert killed
    records = [json.loads(line) for line in (tmp_path / "out" / LOG_NAME).read_text().splitlines()][1:]
    labels = [record["label"] for record in records]
    assert len(labels) == len(set(labels)) == 24
    assert len(jobs()) <= 24 + 2, "only what was in flight, or done and not yet fetched, began again"
    monkeypatch.delenv("FAKE_EXAMINER_TRACE")
    assert summary(rows) == summary(graded(folder, tmp_path / "here", seed=None))
    assert rows["learner003"].ours


def test_seeds_and_rows_are_those_of_a_pool_here(tmp_path):
    folder = a_class(tmp_path / "class", 6)
    here = graded(folder, tmp_path / "here", seed=7)
    with a_cluster(1) as cluster:
        there = graded(folder, tmp_path / "there", seed=7, scheduler=cluster.scheduler_address)
    for name, row in here.items():
        assert there[name].reports == row.reports


def test_the_parent_unpickles_nothing_that_comes_back(tmp_path, monkeypatch):
    import pickle

    from distributed.protocol import pickle as dask_pickle

    folder = a_class(tmp_path / "class", 4, said="\ud800 \x1b[2J")
    with a_cluster(1) as cluster:
        deadline = time.monotonic() + 20
        while not cluster.scheduler.workers and time.monotonic() < deadline:
            time.sleep(0.05)
        loaded = []
        for module in (pickle, dask_pickle):
            real = module.loads

            def loads(*arguments, real=real, **options):
                value = real(*arguments, **options)
                loaded.append(value)
                return value

            monkeypatch.setattr(module, "loads", loads)
        batch = Class(
            folder, tmp_path / "out", scheduler=cluster.scheduler_address, command=fake_examiner.COMMAND, workers=1
        )
        rows = batch.grade(quiet)
    assert [row.points for row in rows] == [0, 1, 2, 3]
    # The scheduler lives in this process during the test, and reads tasks that *we* sent; no answer is among them.
    assert not [value for value in loaded if "report" in repr(value)]


def test_a_cluster_without_workers_is_refused(tmp_path):
    folder = a_class(tmp_path / "class", 1)
    with a_cluster(0) as cluster, pytest.raises(ValueError, match="no workers"):
        graded(folder, scheduler=cluster.scheduler_address)
