"""Where a link leads: to the notebook beside this one, or to the website."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Links", "linked", "site_id"]


@dataclass(frozen=True)
class Links:
    """Addresses as seen from one notebook.

    Attributes:
        here: Its stem.
        folder: The folder it will lie in, "chapters", "chapters/deeper" or "exercises".
        notebooks: The folder of each chapter and deeper page, by stem.
        site: The website's address, or nothing.
        online: Whether it is read where no other notebook lies beside it.
    """

    here: str
    folder: str
    notebooks: Mapping[str, str]
    site: str = ""
    online: bool = False

    def chapter(self, stem: str, anchor: str = "", fragment: str = "") -> str:
        """Returns a chapter's address, or nothing where it is not written yet.

        Args:
            stem: Which chapter.
            anchor: A place in it, as the plain edition names it.
            fragment: The same place, as the website names it.
        """
        if stem not in self.notebooks:
            return ""
        if self.folder == self.notebooks[stem] and stem == self.here and anchor:
            return f"#{anchor}"
        if self.online and self.site:
            return self.page(f"book{self.notebooks[stem].removeprefix('chapters')}/{stem}", fragment)
        return self._beside(f"{self.notebooks[stem]}/{stem}.ipynb") + (f"#{anchor}" if anchor else "")

    def exercise(self, stem: str) -> str:
        """Returns the address of a chapter's exercise where it lies beside this notebook."""
        return "" if self.online or stem not in self.notebooks else self._beside(f"exercises/{stem}.ipynb")

    def page(self, name: str, fragment: str = "") -> str:
        """Returns the address of a page that only the website has, or nothing where there is no website."""
        return f"{self.site.rstrip('/')}/{name}.html" + (f"#{fragment}" if fragment else "") if self.site else ""

    def _beside(self, path: str) -> str:
        return os.path.relpath(path, self.folder).replace(os.sep, "/")


def site_id(label: str) -> str:
    """Returns the id that the website gives to a label.

    >>> site_id("06-which")
    'which'
    """
    return re.sub(r"^[^a-z]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", label.lower()))


def linked(text: str, address: str) -> str:
    """Returns a link, or the text alone where there is nothing to link to."""
    return f"[{text}]({address})" if address else text
