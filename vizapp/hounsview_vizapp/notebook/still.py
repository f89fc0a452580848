"""The last still picture as plain HTML beside the widget: for when there is no kernel."""

from __future__ import annotations

from typing import Any, Final

from hounsview_vizapp.notebook.encoding import data_uri
from hounsview_vizapp.notebook.loop import Later

_ROWS: Final = 700
_AFTER_S: Final = 0.7
"""A picture is some hundred kB: it is not sent for every stop on the way."""

_HTML: Final = """\
<style>
body:has(.hv-live-{name}) .hv-still-{name} {{ display: none; }}
.jp-OutputArea:has(.hv-still-{name}):not(:has(.hv-canvas)) .jupyter-widgets:not(:has(*)) {{
  display: none;
}}
</style>
<div class="hv-still-{name}">
<img class="hv-still" alt="{alt}" src="{source}" style="max-width:100%">
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

        self._handle = display(HTML(self._html()), display_id=True)
        self._screen.follow_with(self.update, at_rest=True)

    def update(self) -> None:
        """Show soon what the canvas shows; in the loop, when all stands still."""
        if self._coming is not None:
            self._coming.cancel()
        self._coming = self._screen.loop.later(_AFTER_S, self._update)

    def _update(self) -> None:
        from IPython.display import HTML

        screen = self._screen
        shown = screen.state.value, id(screen.viewer), tuple(map(tuple, screen.grid))
        if self._handle is not None and shown != self._shown and screen.is_settled:
            self._shown = shown
            self._handle.update(HTML(self._html()))

    def _html(self) -> str:
        picture = self._screen.last_picture(_ROWS)
        if picture is None:
            return f'<div class="hv-still-{self._screen.name}"></div>'
        return _HTML.format(
            name=self._screen.name, source=data_uri(picture), alt="CT picture (last view)"
        )
