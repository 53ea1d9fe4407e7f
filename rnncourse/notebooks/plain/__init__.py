"""The plain edition: chapters and exercises as an ordinary Jupyter reads them.

The source of a chapter speaks MyST: roles, directives, labels, and the names of numbers that its cells compute. The
website understands it; JupyterLab, VS Code and Colab show it raw. So what a learner opens is generated from the same
source: numbers stand where their names stood, citations are readable and linked, boxes are block quotes, answers fold
away in ``<details>``, equations carry the website's numbers. Code cells and their outputs are the chapter's own.

It is generated where the parser is at hand, when the wheel or the website is built and in a checkout; a wheel carries
the result and needs no parser.
"""

from rnncourse.notebooks.plain.book import Book, read_book
from rnncourse.notebooks.plain.edition import learners_course, write_edition
from rnncourse.notebooks.plain.notebook import plain_notebook
from rnncourse.notebooks.plain.refusals import NoPlainForm

__all__ = ["Book", "NoPlainForm", "learners_course", "plain_notebook", "read_book", "write_edition"]
