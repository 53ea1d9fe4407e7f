"""The versions that a result hangs on."""

import platform
import sys
from importlib import metadata

__all__ = ["environment"]

PACKAGE = "rnncourse"
LIBRARIES = ("torch", "numpy", "matplotlib")


def environment() -> dict[str, str]:
    """Returns the versions that a result hangs on.

    Returns:
        Python's, the package's and the libraries' versions, and the machine's architecture.

    Example:
        >>> sorted(environment())
        ['machine', 'matplotlib', 'numpy', 'python', 'rnncourse', 'torch']
    """
    versions = {"python": ".".join(map(str, sys.version_info[:2])), "machine": platform.machine()}
    for library in (PACKAGE, *LIBRARIES):
        try:
            versions[library] = metadata.version(library).split("+")[0]
        except metadata.PackageNotFoundError:
            versions[library] = "absent"
    return versions
