"""KaTeX in Node is awaited until it answers, whatever the machine does meanwhile."""

import sys
from pathlib import Path

import pytest

from tests.house import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
pytest.importorskip("sphinxcontrib.katex")
if sys.platform == "win32":
    pytest.skip("Windows speaks to Node over a port", allow_module_level=True)

from course import maths

BOUND_THEN_LISTENING = """
import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
time.sleep(float(sys.argv[2]))
server.listen()
server.accept()[0].sendall(b"here")
time.sleep(60)
"""


def stand_in(*command: str):
    """A server class whose process is ``command``, the socket's path in place of SOCKET."""

    class Server(maths.katex.KaTeXServer):
        @classmethod
        def build_command(cls, socket: Path):
            return [sys.executable, *(str(socket) if word == "SOCKET" else word for word in command)]

    return Server


def test_a_socket_that_is_bound_and_does_not_listen_yet_is_waited_for(tmp_path):
    server = stand_in("-c", BOUND_THEN_LISTENING, "SOCKET", "0.5")
    process, connection = maths.start_renderer(server, tmp_path, timeout=60)
    try:
        assert connection.recv(4) == b"here"
    finally:
        connection.close()
        process.kill()
        process.wait()


def test_a_server_that_never_listens_ends_with_its_patience_and_is_ended(tmp_path):
    server = stand_in("-c", BOUND_THEN_LISTENING, "SOCKET", "60")
    with pytest.raises(maths.katex.KaTeXError, match="0.5"):
        maths.start_renderer(server, tmp_path, timeout=0.5)


def test_a_server_that_ends_is_reported_at_once(tmp_path):
    with pytest.raises(maths.katex.KaTeXError, match="exit code 3"):
        maths.start_renderer(stand_in("-c", "raise SystemExit(3)"), tmp_path, timeout=60)
