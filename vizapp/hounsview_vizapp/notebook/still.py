"""The last still picture as plain HTML beside the widget: for when there is no kernel."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.notebook.encoding import data_uri
from hounsview_vizapp.notebook.loop import Later

_ROWS: Final = 700
_AFTER_S: Final = 0.7
"""A picture is some hundred kB: it is not sent for every stop on the way."""
_LATE_S: Final = 6.0
"""A page that has not asked for the canvas by then will not."""
_NOT_LIVE: Final = (
    "This is a still picture: the live view did not start. In a notebook the Jupyter server "
    "needs anywidget (pip install 'hounsview[notebook]' where the server runs, then load the "
    "page again)."
)

# The output before this one is the widget: without a kernel it says "Loading widget ..." or
# "model not found".
_HTML: Final = """\
<style>
body:has(.hv-live-{name}) .hv-still-{name} {{ display: none; }}
.jp-OutputArea:not(:has(.hv-canvas))
> .jp-OutputArea-child:has(+ .jp-OutputArea-child .hv-still-{name}) {{ display: none; }}
</style>
<div class="hv-still-{name}">
<img class="hv-still" alt="{alt}" src="{source}" style="max-width:100%">{note}
</div>"""


class Still:
    """A second output of a cell, that the live canvas hides.

    Parameters
    ----------
    screen : Screen
    """

    def __init__(self, screen: Any) -> None:
        self._screen = screen
        self._handle: Any = None
        self._shown: Any = None
        self._coming: Later | None = None

    def display(self) -> None:
        """Add the output to the cell that runs now."""
        from IPython.display import HTML, display

        screen = self._screen
        self._handle = display(HTML(self._html(screen.quick_picture(_ROWS))), display_id=True)
        screen.follow_with(self.update, at_rest=True)
        screen.loop.later(_LATE_S, self._check)

    def update(self) -> None:
        """Show soon what the canvas shows; in the loop, when all stands still."""
        if self._coming is not None:
            self._coming.cancel()
        self._coming = self._screen.loop.later(_AFTER_S, self._update)

    def _update(self) -> None:
        screen = self._screen
        shown = screen.state.value, id(screen.viewer), tuple(map(tuple, screen.grid))
        if shown != self._shown and screen.is_settled:
            self._shown = shown
            self._show(screen.last_picture(_ROWS))

    def _check(self) -> None:
        """Draw without a page, 3D too, where none shows the canvas; and say why."""
        screen = self._screen
        if not screen.was_loaded and screen.viewer is not None:
            screen.run(
                "Drawing a still picture",
                lambda _: screen.drawn_picture((_ROWS, round(1.2 * _ROWS))),
                lambda picture: self._show(picture, _NOT_LIVE),
            )

    def _show(self, picture: Picture | None, note: str = "") -> None:
        from IPython.display import HTML

        if picture is not None and self._handle is not None:
            self._handle.update(HTML(self._html(picture, note)))

    def _html(self, picture: Picture | None, note: str = "") -> str:
        if picture is None:
            return f'<div class="hv-still-{self._screen.name}"></div>'
        return _HTML.format(
            name=self._screen.name, source=data_uri(picture), alt="CT picture (last view)",
            note=f"<div><small>{escape(note)}</small></div>" if note else "",
        )  # fmt: skip
