"""The last still picture as plain HTML beside the widget: for when there is no kernel."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.notebook.encoding import data_uri
from hounsview_vizapp.notebook.loop import Later

if TYPE_CHECKING:
    from hounsview_vizapp.notebook.screen import Screen

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
    """Second outputs of cells, that the live canvas hides; one for all of a screen's.

    Parameters
    ----------
    screen : Screen
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._handles: list[Any] = []
        self._shown: Any = None
        self._coming: Later | None = None

    def display(self) -> None:
        """Add the output to the cell that runs now."""
        from IPython.display import HTML, display

        screen = self._screen
        picture = screen.last_picture(_ROWS)
        if picture is None:
            picture = screen.quick_picture(_ROWS)
        handle = display(HTML(self._html(picture)), display_id=True)
        if not self._handles:
            screen.follow_with(self.update, at_rest=True)
            screen.loop.later(_LATE_S, self._check)
        self._handles.append(handle)

    def update(self) -> None:
        """Show soon what the canvas shows; in the loop, when all stands still."""
        if self._coming is not None:
            self._coming.cancel()
        self._coming = self._screen.loop.later(_AFTER_S, self._update)

    def _update(self) -> None:
        screen = self._screen
        viewer = screen.viewer
        labels = None if viewer is None else viewer.labels
        shown = screen.state.value, id(viewer), id(labels), tuple(map(tuple, screen.grid))
        if shown != self._shown and screen.is_settled:
            self._shown = shown
            self._show(screen.last_picture(_ROWS))

    def _check(self) -> None:
        """Draw without a page, 3D too, where none shows the canvas; and say why."""
        screen = self._screen
        if screen.was_loaded:
            return
        if screen.work.is_busy:
            screen.loop.later(_LATE_S, self._check)
        elif screen.viewer is not None:
            screen.run(
                "Drawing a still picture",
                lambda _: screen.drawn_picture((_ROWS, round(1.2 * _ROWS))),
                lambda picture: self._show(picture, _NOT_LIVE),
            )

    def _show(self, picture: Picture | None, note: str = "") -> None:
        from IPython.display import HTML

        if picture is not None:
            html = HTML(self._html(picture, note))
            for handle in self._handles:
                handle.update(html)

    def _html(self, picture: Picture | None, note: str = "") -> str:
        if picture is None:
            return f'<div class="hv-still-{self._screen.name}"></div>'
        return _HTML.format(
            name=self._screen.name, source=data_uri(picture), alt="CT picture (last view)",
            note=f"<div><small>{escape(note)}</small></div>" if note else "",
        )  # fmt: skip
