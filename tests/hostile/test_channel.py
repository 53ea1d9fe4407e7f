"""The grader's end of the pipe, against workers that are a few lines of Python: what is read, when, and how much."""

import dataclasses
import json
import os
import struct
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import save

from rnncourse.grading import wire
from rnncourse.grading.channel import Lost, Worker
from rnncourse.grading.comparison import difference
from rnncourse.grading.walls.sandbox import Limits, Wall
from rnncourse.grading.walls.watch import look
from rnncourse.grading.wire import WireError, decode, unpack

HEAD = """
import os, struct, sys, time
P = struct.Struct(">16sII")
def send(head=b"{}", blob=b"", nonce=bytes(16), sizes=None):
    sys.stdout.buffer.write(P.pack(nonce, *(sizes or (len(head), len(blob)))) + head + blob)
    sys.stdout.buffer.flush()
def receive():
    nonce, head, blob = P.unpack(sys.stdin.buffer.read(P.size))
    sys.stdin.buffer.read(head + blob)
    return nonce
send(b'{"ready": true}')
"""


@pytest.fixture
def worker(monkeypatch):
    """Starts a worker without walls that is this script."""
    started = []

    def start(script: str, **limits) -> Worker:
        command = [sys.executable, "-I", "-S", "-c", HEAD + script]
        monkeypatch.setattr("rnncourse.grading.walls.sandbox.plain_command", lambda limits: command)
        started.append(Worker(Wall("none"), dataclasses.replace(Limits(), **limits)))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def ask(worker: Worker, seconds: float = 30.0):
    return worker.ask({"op": "x"}, deadline=time.monotonic() + seconds, doing="it")


def test_a_frame_that_answers_nothing_is_never_parsed(worker, monkeypatch):
    parsed = []
    monkeypatch.setattr(
        "rnncourse.grading.channel.unpack", lambda head, blob: parsed.append(head) or ({"ready": True}, {})
    )
    script = """
nonce = receive()
for _ in range(90): send(b"[" * 100_000, b"no tensors")
send(b"mine", nonce=nonce)
time.sleep(60)
"""
    one = worker(script)
    ask(one)
    assert parsed == [b'{"ready": true}', b"mine"]


def test_of_two_answers_to_one_request_the_second_answers_nothing(worker):
    one = worker(
        "nonce = receive()\nsend(b'{\"a\": 1}', nonce=nonce)\nsend(b'{\"a\": 2}', nonce=nonce)\n"
        "nonce = receive()\nsend(b'{\"a\": 3}', nonce=nonce)\ntime.sleep(60)"
    )
    assert [ask(one)[0]["a"], ask(one)[0]["a"]] == [1, 3]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("receive()\nwhile True: send()", "no answer"),
        ("receive()\nwhile True: send(b'', bytes(2**24))", "no answer"),
        ("nonce = receive()\nsend(b'[]', nonce=nonce)\ntime.sleep(60)", "not a JSON object"),
        ("nonce = receive()\nsend(nonce=nonce, sizes=(2**31, 2**31))\ntime.sleep(60)", "announced"),
        ("nonce = receive()\nsend(nonce=nonce, sizes=(100, 0))", "ended the process"),
        ("receive()\nos._exit(7)", "exit code 7"),
        ("receive()\nos.kill(os.getpid(), 11)", "SIGSEGV"),
        ("receive()\nos.close(1)\ntime.sleep(60)", "took longer"),
    ],
)
def test_whatever_else_arrives_the_worker_is_lost_and_gone(script, words, worker):
    one = worker(script)
    with pytest.raises(Lost, match=words):
        ask(one, seconds=3.0)
    assert one.process.wait(0) is not None


def test_a_frame_that_arrives_too_late_is_too_late(worker):
    one = worker("nonce = receive()\ntime.sleep(1)\nsend(nonce=nonce)\ntime.sleep(60)")
    with pytest.raises(Lost, match="took longer"):
        ask(one, seconds=0.3)


def test_the_clock_is_looked_at_although_frames_keep_arriving(worker):
    one = worker("receive()\nwhile True:\n    send()\n    time.sleep(0.5)")
    began = time.monotonic()
    with pytest.raises(Lost, match="took longer"):
        ask(one, seconds=2.0)
    assert time.monotonic() - began < 40  # a hundred frames take 50 s


def test_memory_is_watched_between_requests_too(worker):
    one = worker("nonce = receive()\nsend(nonce=nonce)\nkeep = b'x' * (400 << 20)\ntime.sleep(60)", resident=200 << 20)
    ask(one)
    deadline = time.monotonic() + 30
    while not one.overrun and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "memory" in one.overrun
    with pytest.raises(Lost, match="memory"):
        ask(one)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize(
    ("script", "used"),
    [
        ("import socket; keep = [socket.socketpair() for _ in range(100)]", lambda u: u.memory > 200 * 212992),
        ("f = open('a', 'wb'); f.write(bytes(5 << 20)); f.flush()", lambda u: u.disk > 4 << 20),
        ("f = open('a', 'wb'); f.write(bytes(5 << 20)); f.flush(); os.remove('a')", lambda u: u.disk > 4 << 20),
        ("[open(str(i), 'w').close() for i in range(300)]", lambda u: u.files >= 300),
        ("os.makedirs('/'.join('d' * 200))", lambda u: u.files >= 200),
        ("keep = b'x' * (50 << 20)\nif os.fork() == 0: time.sleep(60)", lambda u: u.memory > 50 << 20),
        ("if os.fork() == 0:\n    if os.fork() == 0: keep = b'x' * (50 << 20); time.sleep(60)\n    os._exit(0)",
         lambda u: u.memory > 50 << 20),
    ],
)  # fmt: skip
def test_what_no_resident_set_shows_is_counted(script, used, tmp_path):
    script = f"import os, sys, time\n{script}\nprint('there', flush=True)\ntime.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not used(look(process.pid, str(tmp_path), 1 << 40)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert used(look(process.pid, str(tmp_path), 1 << 40))
    finally:
        os.killpg(process.pid, 9)
        process.wait()
        process.stdout.close()


# --- frames --------------------------------------------------------------------------------------------------------


def listed(entries: dict, data: bytes = b"") -> bytes:
    head = json.dumps(entries).encode()
    return struct.pack("<Q", len(head)) + head + data


EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


@pytest.mark.parametrize(
    "blob",
    [
        listed({str(n): EMPTY for n in range(550_000)}),
        listed({str(n): EMPTY for n in range(2001)}),
        listed({"0": EMPTY | {"shape": [0] * 17}}),
        listed({"0": EMPTY | {"shape": [1] * 100_000}}),
        listed({"0": {"dtype": "F32"}}),
        listed({"0": []}),
        struct.pack("<Q", 2**62) + b"{}",
    ],
    ids=["550000", "2001", "17 axes", "100000 axes", "no shape", "no entry", "a long list"],
)
def test_too_many_tensors_are_refused_before_one_is_made(blob, monkeypatch):
    monkeypatch.setattr(wire, "load", lambda blob: pytest.fail("they were made"))
    with pytest.raises(WireError):
        unpack(b"{}", blob)


@pytest.mark.parametrize("times", [2, 300])
def test_a_tensor_can_be_named_once(times):
    tensors = {"0": torch.ones(1000)}
    with pytest.raises(WireError, match="not an encoded value"):
        decode({"list": [{"tensor": "0"}] * times}, tensors)
    assert torch.equal(decode({"list": [{"tensor": "0"}]}, tensors)[0], torch.ones(1000))


@pytest.mark.parametrize("axes", [1, 8, 16, 17, 64])
def test_tensors_of_any_number_of_axes_are_compared_or_refused(axes):
    blob = save({"0": torch.zeros([1] * axes)})
    try:
        _, tensors = unpack(b"{}", blob)
    except WireError:
        assert axes > 16
        return
    assert difference(torch.zeros(1, 1), tensors["0"], 1e-4)
