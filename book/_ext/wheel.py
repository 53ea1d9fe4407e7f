"""Hatchling's hook: the wheel carries the plain edition of chapters and exercises in the place of their sources."""

import shutil
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlainEdition(BuildHookInterface):
    """Generates the edition into a folder of its own and has it packed."""

    folder = ""

    def initialize(self, version, build_data):
        """Before the wheel is packed; an editable install reads the checkout and needs nothing."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from rnncourse.notebooks.plain import write_edition
        finally:
            sys.path.remove(self.root)
        self.folder = tempfile.mkdtemp(prefix="plain-edition-")
        for path in write_edition(Path(self.root), Path(self.folder)):
            place = path.relative_to(self.folder).as_posix()
            build_data["force_include"][str(path)] = f"rnncourse/_course/{place}"

    def finalize(self, version, build_data, artifact_path):
        """After it was packed."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
