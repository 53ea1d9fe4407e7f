"""Where and with what the numbers were made: the processor, what of it torch uses, and the libraries that multiply."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import torch

from rnncourse.version import __version__

CPUINFO = Path("/proc/cpuinfo")
PEERS = ("jax", "flax", "equinox")


def _cpuinfo() -> dict[str, str]:
    """What Linux says about the first processor; empty elsewhere."""
    try:
        first = CPUINFO.read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (row.partition(":") for row in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def processor() -> str:
    """The processor's name, as the operating system gives it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def model() -> str | None:
    """Vendor, family, model and stepping: what still tells processors apart where a virtual machine hides the name.

    None where the operating system does not say (it must be Linux on x86).
    """
    said = _cpuinfo()
    names = ("vendor_id", "cpu family", "model", "stepping")
    if not all(name in said for name in names):
        return None
    return "{} family {} model {} stepping {}".format(*(said[name] for name in names))


def blas(configuration: str) -> str | None:
    """The library behind torch's matrix products, from what torch says about its build; None if it does not say.

    Args:
        configuration: What ``torch.__config__.show()`` returns.

    Example:
        >>> blas("  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64")
        'MKL 2024.2'
        >>> blas("  - Build settings: BLAS_INFO=open, BUILD_TYPE=Release, ")
        'open'
    """
    if found := re.search(r"Math Kernel Library Version (\d[\w.]*)", configuration):
        return f"MKL {found[1]}"
    found = re.search(r"BLAS_INFO=(\w+)", configuration)
    return found[1] if found else None


def onednn(configuration: str) -> str | None:
    """oneDNN's version, from what torch says about its build; None for a build without it.

    Args:
        configuration: What ``torch.__config__.show()`` returns.

    Example:
        >>> onednn("  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71)")
        '3.12.0'
    """
    found = re.search(r"(?:MKL-DNN|oneDNN) v(\d[\w.]*)", configuration)
    return found[1] if found else None


def versions() -> dict[str, str]:
    """Versions of what took part, or could have: a peer that is not installed is not among them."""
    found = {"rnncourse": __version__, "torch": torch.__version__, "python": platform.python_version()}
    for peer in PEERS:
        try:
            found[peer] = metadata.version(peer)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The checkout's commit, with "+ changes" if the package differs from it; None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", ".."], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + (" + changes" if changed.stdout.strip() else "")


def machine() -> dict[str, object]:
    """Processor, what of it torch uses, its libraries, system, cores, how busy it was, and threads used."""
    configuration = torch.__config__.show()
    return {
        "processor": processor(),
        "model": model(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "blas": blas(configuration),
        "onednn": onednn(configuration),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "threads": torch.get_num_threads(),
    }


def slug(processor: str, model: str | None = None) -> str:
    """A processor's name as a file's: small letters, digits and hyphens, with family and model where they are known.

    Args:
        processor: The name.
        model: What :func:`model` says.

    Example:
        >>> slug("Intel(R) Xeon(R) Processor", "GenuineIntel family 6 model 207 stepping 2")
        'intel-xeon-processor-6-207'
        >>> slug("AMD EPYC")
        'amd-epyc'
    """
    name = re.sub(r"\((r|tm|c)\)", " ", processor.lower())
    numbers = re.search(r"family (\d+) model (\d+)", model or "")
    return "-".join([*re.findall(r"[a-z0-9]+", name), *(numbers.groups() if numbers else ())]) or "unknown"
