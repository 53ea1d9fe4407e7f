"""Write what Colab opens: ``python -m book._ext.notebooks FOLDER``, the plain edition with links to the website."""

import sys
from pathlib import Path

from book._ext.build import ROOT
from rnncourse.notebooks.plain import write_edition


def main(folder: str) -> int:
    """Chapters and exercises below a folder, which must not exist yet."""
    target = Path(folder)
    target.mkdir(parents=True)
    written = write_edition(ROOT, target, online=True)
    (target / "book").rename(target / "chapters")
    print(f"{len(written)} notebooks written to {target}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
