"""The same jobs on other machines: ``rnncourse grade FOLDER --scheduler ADDRESS`` hands them to Dask.

What travels is text: a job as JSON there, its answer as JSON back. The client refuses to unpickle: it is told to
understand Dask's and msgpack's own formats only. On each machine a job goes to an examiner of its own, with the same
deadline and memory bound as here, and a stranger's code meets the same walls.
"""

import atexit
import json
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rnncourse.grading.classes.pool import COMMAND, Slot, prepared
from rnncourse.grading.names import clean

__all__ = ["on_a_cluster", "work"]

PLAIN = ["dask", "msgpack"]  # no pickle
PATIENCE = 20  # seconds for a scheduler to answer
AHEAD = 2  # jobs for each thread of the cluster at a time: their notebooks travel when there is room for them

_slots = threading.local()


def work(text: str) -> str:
    """One job on a machine of the cluster.

    Args:
        text: JSON of the job, its deadline, and what starts an examiner.

    Returns:
        JSON of the answer.
    """
    order = json.loads(text)
    command = order["command"] or list(COMMAND)
    slot = getattr(_slots, "slot", None)
    if slot is None or slot.command != command:
        slot = _slots.slot = Slot(command)
        atexit.register(slot.close)
    return json.dumps(slot.grade(order["job"], order["deadline"]), ensure_ascii=True)


def on_a_cluster(
    address: str,
    jobs: Iterable[tuple[Any, Callable[[], dict]]],
    deadline: float,
    *,
    command: Sequence[str] = COMMAND,
) -> Iterator[tuple[Any, dict]]:
    """Grades jobs on the workers of a Dask scheduler and yields (key, answer) as they come.

    A worker that is lost loses nothing: its jobs go to another one. Each key is yielded once.

    Args:
        address: Of the scheduler, such as ``tcp://10.0.0.1:8786``.
        jobs: Pairs of a key and a function that makes the job, or raises a ValueError.
        deadline: Seconds for one job.
        command: What starts an examiner; by default each worker's own Python.

    Raises:
        ValueError: If there is no such scheduler, or it has no workers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ValueError('the package distributed is missing: pip install "rnncourse[cluster]"') from None
    try:
        client = Client(address, serializers=PLAIN, deserializers=PLAIN, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(f"there is no Dask scheduler at {clean(address)} ({clean(str(error))[:200]})") from None
    command = None if tuple(command) == tuple(COMMAND) else list(command)
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ValueError(f"the Dask scheduler at {clean(address)} has no workers")
        waiting, keys = iter(jobs), {}

        def hand_over(count: int) -> Iterator[Any]:
            """Sends so many more jobs; yields their futures, or (key, answer) where there is nothing to send."""
            for key, make in waiting:
                job, is_job = prepared(make)
                if not is_job:
                    yield key, job
                    continue
                order = {"job": job, "deadline": deadline, "command": command}
                future = client.submit(work, json.dumps(order, ensure_ascii=True), key=f"grade-{uuid.uuid4().hex}")
                keys[future.key] = key
                yield future
                count -= 1
                if count == 0:
                    return

        first = list(hand_over(AHEAD * threads))
        yield from (item for item in first if isinstance(item, tuple))
        running = as_completed([item for item in first if not isinstance(item, tuple)], loop=client.loop)
        for future in running:
            yield keys[future.key], _answer(future)
            future.release()
            for item in hand_over(1):
                if isinstance(item, tuple):
                    yield item
                else:
                    running.add(item)


def _answer(future: Any) -> dict[str, Any]:
    try:
        return json.loads(future.result())
    except Exception as error:  # every worker that tried it was lost
        return {"failure": clean(f"the cluster lost it ({type(error).__name__})"), "fault": "grader"}
