"""The process that runs a learner's notebook: it obeys the grader, and nobody believes it.

It is started by :mod:`rnncourse.grading.grader`, behind the walls of :mod:`rnncourse.grading.walls.sandbox`. Over its
standard input come requests (run this cell, call this function with these arguments), over its standard output go
replies. Once the first cell has run, everything in here may have been replaced by the learner's code; nothing that
it says is taken for more than an answer.
"""

import json
import os
import sys

ERROR_LIMIT = 500  # characters of an error message that are sent


def main() -> None:
    """Confines itself, says that it is ready, then serves requests until the pipe closes."""
    settings = json.loads("".join(sys.argv[1:]))
    sys.argv = [""]
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "walls"))
    from confine import confine  # by itself: importing the course would import what it needs, before there are walls

    del sys.path[0]
    sys.path[:] = settings["path"]
    package = settings["package"]
    if settings["warm"]:
        return _stay_warm(confine)
    if settings["keeper"]:
        settings["parent"] = _with_a_keeper(settings["parent"])
    if settings["user_id"] is not None and settings["wall"] == "landlock":
        package = _doors(package)
    confine(settings)
    if settings["probe"]:
        sys.stdout.write("ready")
        return
    if package:
        _import_by_place(package)
    requests, replies = _private_pipes()
    serve = _server(requests, replies)
    if settings["wall"] == "landlock":
        from rnncourse.grading.alone import load_data_alone

        load_data_alone()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)  # from here on nobody reads what is written to the standard streams
    serve()


def _with_a_keeper(grader: int) -> int:
    """Goes on in a child; this process stays behind and ends all of the group when the worker or the grader ends.

    What a notebook starts does not end with the grader by itself where there is no namespace to end with. It cannot
    leave the group there, and it may not signal this process.

    Returns:
        To the child: its parent's process id.
    """
    import ctypes
    import signal

    keeper = os.getpid()
    worker = os.fork()
    if not worker:
        return keeper
    signal.signal(signal.SIGTERM, lambda *nothing: os.killpg(0, signal.SIGKILL))
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != grader:  # it ended before we asked
        os.killpg(0, signal.SIGKILL)
    null = os.open(os.devnull, os.O_RDWR)
    for pipe in (0, 1):  # the worker's alone
        os.dup2(null, pipe)
    _, status = os.waitpid(worker, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _stay_warm(confine) -> None:
    """Imports what workers need and what notebooks begin with, and forks a worker whenever the grader asks."""
    from rnncourse.grading import shell, wire, zygote  # noqa: F401 (and with them torch, NumPy and IPython)

    zygote.serve(_server, confine)


def _doors(package: str) -> str:
    """Keeps the folders of modules open, and goes through these doors from now on.

    An interpreter in root's own home is out of reach for anybody else, whatever its own permissions say; a folder that
    is open already is not. Only the way is opened: what lies inside keeps its permissions.
    """
    doors = {}

    def through(path: str) -> str:
        for folder, door in doors.items():
            if path == folder or path.startswith(folder + "/"):
                return door + path[len(folder) :]
        return path

    for folder in sorted({*sys.path, package}):
        if through(folder) == folder and os.path.isdir(folder):
            handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
            doors[folder] = f"/proc/self/fd/{handle}"
    sys.path[:] = [through(folder) for folder in sys.path]
    for module in list(sys.modules.values()):  # packages that are imported already have more to import
        if isinstance(getattr(module, "__path__", None), list):
            module.__path__ = [through(folder) for folder in module.__path__]
    sys.path_importer_cache.clear()
    return through(package)


def _import_by_place(package: str) -> None:
    """Imports the course from its folder, without its neighbours: a checkout holds more than the package."""
    from importlib.util import module_from_spec, spec_from_file_location

    places = [package]
    spec = spec_from_file_location("rnncourse", f"{package}/__init__.py", submodule_search_locations=places)
    module = module_from_spec(spec)
    sys.modules["rnncourse"] = module
    spec.loader.exec_module(module)


def _private_pipes() -> tuple[int, int]:
    """Moves the two pipes off the standard streams, where a stray print would write into a frame."""
    requests, replies = os.dup(0), os.dup(1)  # not inherited by processes that a notebook starts
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return requests, replies


def _server(requests: int, replies: int):
    """Imports what is needed while nobody's code has run yet, and returns the loop."""
    import torch

    from rnncourse.grading import wire
    from rnncourse.grading.shell import make_shell

    torch.set_num_threads(1)
    shell = make_shell()
    run_cell, namespace = shell.run_cell, shell.user_ns  # held here: a notebook may replace the shell's own
    seen: dict[str, tuple[object, int]] = {}

    def read(count: int) -> bytes:
        data = b""
        while len(data) < count:
            if not (more := os.read(requests, count - len(data))):
                os._exit(0)
            data += more
        return data

    def write(frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(replies, view) :]

    def defined(names: list[str]) -> dict[str, int]:
        """Which of these names exist, each with a number that changes when the object does."""
        for name in names:
            if name in namespace:
                value = namespace[name]
                known = seen.get(name)
                if known is None or known[0] is not value:
                    seen[name] = (value, known[1] + 1 if known else 1)
            else:
                seen.pop(name, None)
        return {name: seen[name][1] for name in names if name in seen}

    def run(header: dict, tensors: dict) -> tuple[dict, dict]:
        result = run_cell(header["source"], store_history=False, silent=True)
        error = result.error_before_exec or result.error_in_exec
        _close_figures()
        reply = {"ok": error is None, "defined": defined(header["names"])}
        return (reply | _describe(error) if error is not None else reply), {}

    def call(header: dict, tensors: dict) -> tuple[dict, dict]:
        function = namespace[header["name"]]
        if header["kind"] == "value":
            answer = function
        else:
            answer = function(*wire.decode(header["arguments"], tensors))
        tree, answers = wire.encode(wire.plain(answer))
        return {"ok": True, "answer": tree}, answers

    def serve() -> None:
        write(wire.pack({"ready": True}))
        while True:
            prefix = read(wire.PREFIX.size)
            nonce = prefix[: len(wire.NO_NONCE)]
            head, blob = wire.sizes(prefix)
            header, tensors = wire.unpack(read(head), read(blob))
            try:
                reply, answers = (run if header["op"] == "run" else call)(header, tensors)
                frame = wire.pack(reply, answers, nonce)
            except BaseException as error:  # SystemExit and KeyboardInterrupt are no way out either
                frame = wire.pack({"ok": False} | _describe(error), nonce=nonce)
            write(frame)

    return serve


def _describe(error: BaseException) -> dict:
    """An exception in words; its own ``str`` may be anybody's code, so it may fail too."""
    syntax = isinstance(error, SyntaxError)  # its str() ends with the name of a file that nobody knows
    try:
        message = str(error.msg if syntax else error)[:ERROR_LIMIT]
    except BaseException:
        message = ""
    line = error.lineno if syntax else None
    return {"error": type(error).__name__[:80], "message": message, "line": line if type(line) is int else None}


def _close_figures() -> None:
    """Figures that nobody will look at are closed after each cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


if __name__ == "__main__":
    main()
