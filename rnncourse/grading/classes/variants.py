"""Who was given which questions: the file that ``rnncourse handout`` writes and ``rnncourse grade`` reads."""

import json
from pathlib import Path

from rnncourse.grading.names import visible

__all__ = ["FILE_NAME", "read_variants"]

FILE_NAME = "variants.json"


def read_variants(path: Path) -> dict[str, tuple[str, ...]]:
    """Learner → questions, from a handout's file.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))["questions"]
        if not all(isinstance(ids, list) and all(isinstance(one, str) for one in ids) for ids in given.values()):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{visible(path)} is not what rnncourse handout wrote") from None
    return {name: tuple(ids) for name, ids in given.items()}
