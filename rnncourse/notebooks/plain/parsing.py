"""MyST read into tokens, by the parser and the plugins that the website's builder uses itself."""

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.attrs import attrs_block_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

__all__ = ["line_starts", "tokens"]


@cache
def _parser() -> MarkdownIt:
    """The syntax that ``_config.yml`` switches on, less what only changes how text is set (quotes, bare links)."""
    return (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .use(myst_block_plugin)
        .use(myst_role_plugin)
        .use(dollarmath_plugin, double_inline=True)
        .use(colon_fence_plugin)
        .use(amsmath_plugin)
        .use(attrs_block_plugin)
    )


def tokens(text: str) -> list[Token]:
    """Returns the tokens of a piece of MyST, blocks with their lines."""
    return _parser().parse(text)


def line_starts(text: str) -> list[int]:
    """Returns where each line begins, and as a last entry the end of the text.

    >>> line_starts("ab" + chr(10) + "c")
    [0, 3, 4]
    """
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [*starts[:-1], len(text)]
