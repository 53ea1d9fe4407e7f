"""Where and with what the numbers were made."""

import os
import platform
from pathlib import Path

import torch

from rnncourse.version import __version__


def processor() -> str:
    """The processor's name, as the operating system gives it."""
    try:
        for row in Path("/proc/cpuinfo").read_text().splitlines():
            if row.startswith("model name"):
                return row.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of what took part."""
    return {"rnncourse": __version__, "torch": torch.__version__, "python": platform.python_version()}


def machine() -> dict[str, object]:
    """Processor, system, cores, how busy it was, and threads used."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": processor(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": load,
        "threads": torch.get_num_threads(),
    }
