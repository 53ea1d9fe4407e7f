"""The directive ``{live}``: a figure that the reader moves, drawn already when the page arrives.

.. code-block:: text

    ```{live} gates
    What one sees (the caption).
    ```

The first drawing is made by the figure's own script, in Node, at build time. So it is there for a reader without
scripts, in print and before anything has loaded, and it takes the space that the live one will take.
"""

from functools import cache

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError

from course import nodejs


class live_figure(nodes.General, nodes.Element):
    """A live figure's place on the page."""


class live_caption(nodes.General, nodes.Element):
    """What stands below a live figure."""


@cache
def first_drawing(name: str) -> str:
    """The markup inside the figure, before any control was moved."""
    return nodejs.evaluate(name, f"course.live.markup({name!r})")


class Live(Directive):
    """One argument, the figure's name; the content is its caption."""

    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        if name not in nodejs.FIGURES:
            raise self.error(f"there is no live figure {name!r}; there are {', '.join(nodejs.FIGURES)}")
        try:
            markup = first_drawing(name)
        except RuntimeError as error:
            raise ExtensionError(str(error)) from error
        figure = live_figure(figure=name)
        figure += nodes.raw("", markup, format="html")
        caption = live_caption()
        self.state.nested_parse(self.content, self.content_offset, caption)
        figure += caption
        return [figure]


def enter(self, node):
    self.body.append(f'<figure class="interactive" data-figure="{node["figure"]}">')


def leave(self, node):
    self.body.append("</figure>")


def enter_caption(self, node):
    self.body.append("<figcaption>")


def leave_caption(self, node):
    self.body.append("</figcaption>")


def scripts(app, pagename, templatename, context, doctree):
    """A page loads the scripts of the figures that it shows, and no others."""
    body = context.get("body") or ""
    shown = [name for name in nodejs.FIGURES if f'data-figure="{name}"' in body]
    for file in dict.fromkeys(file for name in shown for file in nodejs.scripts(name)):
        app.add_js_file(f"js/live/{file}", defer="defer")


def connect(app):
    app.add_directive("live", Live)
    app.add_node(live_figure, html=(enter, leave))
    app.add_node(live_caption, html=(enter_caption, leave_caption))
    app.connect("html-page-context", scripts, priority=400)
