"""The cases, by what they are after. Each module holds ``CASES``; being here is all it takes to be run."""

import importlib
import pkgutil

from tests.hostile.case import Case

__all__ = ["families"]


def families() -> dict[str, list[Case]]:
    """All cases by family."""
    found = {
        info.name: importlib.import_module(f"{__name__}.{info.name}").CASES for info in pkgutil.iter_modules(__path__)
    }
    names = [case.name for cases in found.values() for case in cases]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return found
