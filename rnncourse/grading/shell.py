"""The shell that runs a learner's cells in the worker: IPython's, without a screen, a keyboard, a history or a network.

Whatever a learner's own kernel took must not cost points here: shell lines run where there is a shell and fail quietly
where there is none, the magics that Jupyter's kernel adds to IPython's exist, and a magic that nobody knows (an
extension of the learner's own, Colab's) is passed over.
"""

import builtins
import contextlib
import os
import subprocess
import sys

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import LSString, SList
from traitlets import Type
from traitlets.config import Config

__all__ = ["make_shell"]

NOT_FOUND = 127  # a shell's own exit code for a command that does not exist
OUTPUT_LIMIT = 1 << 20  # bytes of a command's output that are kept
# What ipykernel adds, and what extensions that come with Jupyter front ends add: nothing to do without a front end.
KERNEL_MAGICS = ("autosave", "clear", "cls", "connect_info", "edit", "less", "man", "more", "qtconsole", "subshell")


class SilentHook(DisplayHook):
    """Outputs would only fill the memory."""

    def __call__(self, result=None):
        pass


class SilentPublisher(DisplayPublisher):
    """Nobody looks."""

    def publish(self, *args, **kwargs):
        pass


class Shell(InteractiveShell):
    """IPython's shell for nobody's eyes."""

    displayhook_class = Type(SilentHook)
    display_pub_class = Type(SilentPublisher)

    def enable_gui(self, gui=None):
        """There is no event loop to join."""

    def enable_matplotlib(self, gui=None):
        """The backend is set already; ``%matplotlib inline`` should not fail."""
        return "agg", "agg"

    def showtraceback(self, *args, **kwargs):
        """The grader is told what was raised; nobody reads a traceback."""

    def showsyntaxerror(self, *args, **kwargs):
        """As :meth:`showtraceback`."""

    def ask_exit(self):
        """``exit`` in a cell ends a kernel; here it ends nothing."""

    def system(self, command):
        """``!command``: runs it and keeps the exit code in ``_exit_code``, as IPython does."""
        self.user_ns["_exit_code"], _ = _run(self.var_expand(command, depth=1))

    system_piped = system_raw = system

    def getoutput(self, command, split=True, depth=0):
        """``lines = !command``: what it wrote."""
        _, output = _run(self.var_expand(command, depth=depth + 1))
        return SList(output.splitlines()) if split else LSString(output)

    def run_line_magic(self, name, line, _stack_depth=1):
        """Runs a magic; one that nobody knows is passed over, and ``%config`` of a front end has nothing to set."""
        if self.find_line_magic(name) is None:
            return None
        # The frame that local variables are looked up in is one further away, behind this method.
        with contextlib.suppress(*((UsageError, ImportError) if name in ("config", "load_ext", "reload_ext") else ())):
            return super().run_line_magic(name, line, _stack_depth=_stack_depth + 1)


def make_shell() -> Shell:
    """The one shell of this process, with its streams silenced and ``input()`` refused."""

    def no_input(*args):
        raise RuntimeError("input() has nobody to ask in a graded run")

    builtins.input = no_input
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    silence = open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: SIM115 (open for good)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = silence
    shell = Shell.instance(config=config)
    for name in KERNEL_MAGICS:
        shell.register_magic_function(lambda *nothing: None, "line", name)
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module that a cell wrote can be imported, as in a kernel
    return shell


def _run(command: str) -> tuple[int, str]:
    """A command's exit code and output; without a shell, or without the right to start one, that of an unknown one."""
    try:
        done = subprocess.run(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError:
        return NOT_FOUND, ""
    return done.returncode, done.stdout[:OUTPUT_LIMIT].decode(errors="replace")
