"""Write constraints.txt from what is installed: ``python -m book._ext.pins``.

Local version suffixes (torch's ``+cpu``) are dropped, so that any build of the version fits. Pins of packages that only
other systems need are kept as they are, and so are those of the benchmark's peers (the extra ``bench``) and of what
they need, where they are not installed.
"""

import importlib.metadata
import re
import sys

from book._ext.build import ROOT

FILE = ROOT / "constraints.txt"
HEAD = """\
# The exact versions every install, build and test of this course uses.
# Written by: python -m book._ext.pins
# colorama, pywinpty and appnope are what Windows and macOS need beside the rest.
"""
ELSEWHERE = {"colorama", "pywinpty", "appnope"}
PEERS = {
    "absl-py", "aiofiles", "equinox", "etils", "flax", "humanize", "jax", "jaxlib", "ml-dtypes", "opt-einsum", "optax",
    "orbax-checkpoint", "protobuf", "simplejson", "tensorstore", "treescope", "uvloop",
}  # fmt: skip
OURS = {"rnncourse", "pip", "setuptools", "wheel"}


def normal(name: str) -> str:
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Every distribution in this environment with its public version."""
    found = {normal(d.metadata["Name"]): d.version.split("+")[0] for d in importlib.metadata.distributions()}
    return {name: version for name, version in found.items() if name not in OURS}


def kept() -> dict[str, str]:
    """Pins that this system cannot know."""
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    pairs = dict(line.split("==") for line in lines if "==" in line)
    return {normal(name): version for name, version in pairs.items() if normal(name) in ELSEWHERE | PEERS}


def main() -> int:
    """Write the file and say how many pins it holds."""
    pins = {**kept(), **installed()}
    FILE.write_text(HEAD + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins)), encoding="utf-8")
    print(f"{FILE.name}: {len(pins)} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
