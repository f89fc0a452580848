"""The canvas in a cell: shows frames, and hands on what pointer, wheel and keys do.

An anywidget of our own. jupyter_rfb is the peer; what it lacks is written down in
docs/decisions/0013.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

import anywidget
from traitlets import List, Unicode

from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.notebook.encoding import encoded
from hounsview_vizapp.notebook.flow import Flow
from hounsview_vizapp.notebook.messages import Event, KeyEvent, event_of, ratio_of, size_of

_STATIC: Final = Path(__file__).parent / "static"
HINT: Final = "Click the picture first: then the wheel turns slices, and zooms in 3D"
_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what happens to a canvas; called in whatever thread the kernel uses."""

    def on_event(self, event: Event) -> None:
        """Take a pointer, wheel or key event."""

    def on_pane_changed(self, pane: str) -> None:
        """Take that a pane has a new size."""

    def on_freed(self) -> None:
        """Take that frames may be sent again: some were shown, or the canvas is seen."""

    def on_page_loaded(self) -> None:
        """Take that a page shows the canvas that has no frame of it."""


class Canvas(anywidget.AnyWidget):
    """Panes in a grid; see `hounsview_vizapp.notebook.painting` for who draws them.

    Parameters
    ----------
    grid : sequence of rows of pane names
    height : str
        As CSS has it.
    wanted : sequence of str
        Names of keys that are wanted; others go to the notebook.
    label : str
        For screen readers.
    """

    _esm = _STATIC / "canvas.js"
    _css = _STATIC / "canvas.css"

    name = Unicode().tag(sync=True)
    """Unique; the still picture in the saved notebook knows its canvas by it."""
    grid = List(List(Unicode())).tag(sync=True)
    height = Unicode("560px").tag(sync=True)
    active = Unicode("").tag(sync=True)
    wanted = List(Unicode()).tag(sync=True)
    cursor = Unicode("crosshair").tag(sync=True)
    label = Unicode("CT picture").tag(sync=True)
    hint = Unicode(HINT).tag(sync=True)
    """Said to whoever turns the wheel before a click; without it the wheel is the page's."""

    def __init__(
        self,
        grid: Sequence[Sequence[str]],
        *,
        height: str = "560px",
        wanted: Sequence[str] = (),
        label: str = "CT picture",
    ) -> None:
        super().__init__(
            name=uuid4().hex[:12], grid=[list(row) for row in grid], height=height,
            wanted=list(wanted), label=label,
        )  # fmt: skip
        self.was_loaded = False
        """Whether any page ever showed it."""
        self.bytes_sent = 0
        self.batches_sent = 0
        self.flow = Flow()
        self._listener: Listener | None = None
        self._sizes: dict[str, tuple[tuple[int, int], float]] = {}
        self._visible_on: set[str] = set()
        self.on_msg(self._told)

    def listen(self, listener: Listener | None) -> None:
        """Set who is told what happens; None: nobody."""
        self._listener = listener

    @property
    def is_visible(self) -> bool:
        """Whether any view of it, on any page, can be seen."""
        return bool(self._visible_on)

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of the panes that are shown."""
        return tuple(pane for row in self.grid for pane in row)

    def size_of(self, pane: str) -> tuple[tuple[int, int], float] | None:
        """Return the ((rows, columns), pixel ratio) of a pane; None until a page shows it."""
        return self._sizes.get(pane)

    def show(self, frames: Mapping[str, Picture], *, lossless: bool) -> None:
        """Send frames, (rows, columns, 3) uint8 RGB each, to be shown together."""
        coded = {pane: encoded(picture, lossless=lossless) for pane, picture in frames.items()}
        told = [{"pane": pane, "mime": mime} for pane, (mime, _) in coded.items()]
        buffers = [data for _, data in coded.values()]
        self.bytes_sent += sum(map(len, buffers))
        self.batches_sent += 1
        number = self.flow.sent()
        self.send({"type": "frames", "number": number, "frames": told}, buffers)

    def _told(self, _: object, content: Mapping[str, Any], __: object) -> None:
        listener = self._listener
        kind = content.get("type")
        if kind == "shown":
            self.flow.confirmed(int(content.get("number", 0)))
        elif kind == "visible":
            page = str(content.get("page", ""))[:40]
            (self._visible_on.add if content.get("visible") else self._visible_on.discard)(page)
        elif kind == "size":
            self._resized(content)
            return
        elif kind == "ready":
            self.was_loaded = True
            self.flow.start_over()
        if listener is None:
            return
        if kind == "ready":
            listener.on_page_loaded()
        for message in content.get("events", ()) if kind == "shown" else (content,):
            event = event_of(message)
            if isinstance(event, KeyEvent) or (event is not None and event.pane in self.panes):
                listener.on_event(event)
        if kind in ("shown", "visible"):
            listener.on_freed()

    def _resized(self, content: Mapping[str, Any]) -> None:
        try:
            pane, size = str(content["pane"]), (size_of(content), ratio_of(content))
        except (KeyError, TypeError, ValueError):
            _log.debug("a page told a size that is none: %r", content)
            return
        changed = self._sizes.get(pane) != size
        self._sizes[pane] = size
        if changed and self._listener is not None:
            self._listener.on_pane_changed(pane)
