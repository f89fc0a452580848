"""Who draws a canvas: takes its events to a `Viewer`, and sends the frames that changed.

All of it happens in one loop; kernels call in from whatever thread they use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from hounsview.viewstate import PLANES
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.notebook.canvas import Canvas
from hounsview_vizapp.notebook.loop import Later, Loop
from hounsview_vizapp.notebook.messages import Event, Inbox
from hounsview_vizapp.pictures import sentence
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.events import PointerEvent, WheelEvent

if TYPE_CHECKING:
    from hounsview_vizapp.rendering import Frame

_STILL_S: Final = 0.25
"""After so long without a change frames are sent without loss, and 3D is refined."""


_UNSEEN_S: Final = 60.0
"""After so long without anybody who sees it the 3D scene is let go: 30 to 100 MB."""


class Painter:
    """Draws what is out of date and can be seen, never more than the browser takes.

    Parameters
    ----------
    canvas : Canvas
    viewer : Viewer
    loop : Loop
    arrange : callable
        Called before each drawing: the canvas may need other panes.
    on_drawn : callable
        Called after each drawing, and when all is at rest (with True).
    on_error : callable
        Takes what failed in words and the exception; the canvas lives on.
    """

    def __init__(
        self,
        canvas: Canvas,
        viewer: Viewer,
        loop: Loop,
        *,
        arrange: Callable[[], object],
        on_drawn: Callable[[bool], object],
        on_error: Callable[[str, Exception], object],
    ) -> None:
        self.cine_speed = 10.0
        """Slices a second."""
        self.why_no_3d = viewer.why_no_3d
        """Why there is no 3D picture; empty where there is one, and before it is known."""
        self._canvas, self._viewer, self._loop = canvas, viewer, loop
        self._arrange, self._on_drawn, self._on_error = arrange, on_drawn, on_error
        self._inbox = Inbox()
        self._lock = Lock()
        self._dirty: set[str] = set()
        self._is_due = self._is_drawing = False
        self._closed = False
        # From here on: touched in the loop alone.
        self._kept: dict[str, Picture] = {}
        self._lossy: set[str] = set()
        self._arrived: Frame | None = None
        self._scene_shown = ""  # "": not as the state says; "coarse", "asked", "final"
        self._resting: Later | None = None
        self._retrying: Later | None = None
        self._playing: Later | None = None
        self._freeing: Later | None = None
        viewer.listen(on_dirty=self.mark, on_frame=self._frame_drawn)
        canvas.listen(self)
        self.mark(canvas.panes)

    @property
    def still(self) -> dict[str, Picture]:
        """The frames shown last, by pane."""
        return dict(self._kept)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is out of date, nor will become finer by itself."""
        waits = self._dirty & set(self._canvas.panes) or self._arrived is not None
        busy = self._is_due or self._is_drawing or self._scene_shown == "asked"
        return not (waits or busy or self._is_unfinished())

    def close(self) -> None:
        """Draw nothing any more."""
        self._closed = True
        self._canvas.listen(None)
        # What waits holds the viewer, and with it the volume.
        for later in (self._resting, self._retrying, self._playing, self._freeing):
            if later is not None:
                later.cancel()

    def mark(self, panes: Iterable[str]) -> None:
        """Have panes drawn again soon; from any thread."""
        with self._lock:
            self._dirty |= set(panes)
            due, self._is_due = self._is_due, True
        if not due:
            self._loop.post(self._flush)

    # What the canvas tells, in any thread.

    def on_event(self, event: Event) -> None:
        """Take an event; what has been overtaken is merged."""
        if self._inbox.put(event):
            self._loop.post(self._handle)

    def on_pane_changed(self, pane: str) -> None:
        """Draw a pane in its new size."""
        self.mark({pane})

    def on_freed(self) -> None:
        """Go on where frames had to wait; what nobody sees any more gives memory back."""
        self._loop.post(self._go_on)

    def on_page_loaded(self) -> None:
        """Draw everything: the page has nothing yet."""
        self.mark(self._canvas.panes)

    # What follows runs in the loop.

    def _handle(self) -> None:
        for event in self._inbox.take():
            try:
                self._do(event)
            except Exception as error:  # whatever it is, the canvas goes on
                self._viewer.tools.cancel()
                self._on_error("this did not work", error)

    def _do(self, event: Event) -> None:
        if isinstance(event, PointerEvent):
            self._viewer.pointer_event(event)
        elif isinstance(event, WheelEvent):
            self._viewer.wheel_event(event)
        else:
            self._viewer.key(event.key)

    def _go_on(self) -> None:
        self._free_later()
        if self._dirty or self._arrived is not None:
            self._flush()
        elif self._is_unfinished():
            self._rest_soon()

    def _free_later(self) -> None:
        """Count the time that nobody sees the canvas, from when it was last seen."""
        if self._canvas.is_visible or self._closed:
            if self._freeing is not None:
                self._freeing.cancel()
                self._freeing = None
        elif self._freeing is None:
            self._freeing = self._loop.later(_UNSEEN_S, self._free_unseen)

    def _free_unseen(self) -> None:
        self._freeing = None
        if self._scene_shown == "":
            return
        self._scene_shown = ""
        self._viewer.free_scene()
        with self._lock:
            self._dirty.add("3d")

    def _is_unfinished(self) -> bool:
        panes = set(self._canvas.panes)
        coarse = "3d" in panes and self._scene_shown in ("", "coarse")
        return bool(self._lossy & panes) or (coarse and not self._viewer.why_no_3d)

    def _flush(self) -> None:
        """Draw everything that is out of date and can be seen, once, and send it together."""
        with self._lock:
            self._is_due, self._is_drawing = False, True
        try:
            if not self._closed:
                self._draw()
        finally:
            self._is_drawing = False

    def _draw(self) -> None:
        self._arrange()
        canvas = self._canvas
        if canvas.is_visible and canvas.flow.is_free:
            self._send()
        elif canvas.is_visible and self._retrying is None:
            self._retrying = self._loop.later(canvas.flow.wait_s, self._retry)
        self._follow_cine()
        self._on_drawn(False)

    def _retry(self) -> None:
        """Go on although nobody confirmed what was sent."""
        self._retrying = None
        self._go_on()

    def _send(self) -> None:
        frames = self._drawn_frames()
        frame, self._arrived = self._arrived, None
        lossless = False
        if frame is not None and "3d" in self._canvas.panes:
            # A final frame comes once and alone; what else moves would only make it larger.
            lossless = frame.is_final and not frames
            frames["3d"] = frame.picture
        if frames:
            self._kept |= frames
            self._lossy = self._lossy - set(frames) if lossless else self._lossy | set(frames)
            self._canvas.show(frames, lossless=lossless)
        self._rest_soon(again=True)

    def _drawn_frames(self) -> dict[str, Picture]:
        with self._lock:
            wanted = [pane for pane in self._canvas.panes if pane in self._dirty]
            self._dirty.clear()
        drawn = {pane: self._drawn(pane) for pane in wanted}
        return {pane: picture for pane, picture in drawn.items() if picture is not None}

    def _drawn(self, pane: str) -> Picture | None:
        """Return the picture of a pane; None where it comes later, or has no size yet."""
        known = self._canvas.size_of(pane)
        if known is None:
            return None
        size, ratio = known
        viewer = self._viewer
        try:
            if pane in PLANES:
                return viewer.picture(pane, size, ratio)
            if viewer.why_no_3d:
                return sentence(size, viewer.why_no_3d, ratio)
            first = "3d" not in self._kept
            self._scene_shown = ""
            viewer.request_3d(size, ratio, moving=True)
            return sentence(size, "drawing ...", ratio) if first else None
        except Exception as error:  # a pane that fails must not take the others down
            self._on_error(f"the {pane} pane cannot be drawn", error)
            return sentence(size, f"This pane cannot be drawn: {error}", ratio)

    def _frame_drawn(self, frame: Frame) -> None:
        # In the scene's thread.
        self._loop.post(partial(self._take_frame, frame))

    def _take_frame(self, frame: Frame) -> None:
        if self._closed:
            return
        self._arrived = frame
        self.why_no_3d = frame.error
        done = frame.is_final or frame.error
        if done or self._scene_shown != "asked":
            self._scene_shown = "final" if done else "coarse"
        self._go_on()

    def _rest_soon(self, *, again: bool = False) -> None:
        """Rest after a while; `again`: count from now."""
        if self._resting is not None:
            if not again:
                return
            self._resting.cancel()
        self._resting = self._loop.later(_STILL_S, self._rest)

    def _rest(self) -> None:
        """Send without loss what was not, refine the 3D picture, and end a step of undo."""
        self._resting = None
        canvas, viewer = self._canvas, self._viewer
        if self._closed:
            return
        if viewer.tools.is_dragging or not canvas.flow.is_free:
            self._rest_soon()
            return
        viewer.state.end_merging()
        if not canvas.is_visible:
            return
        # A coarse 3D frame will be replaced.
        coming = {"3d"} if self._scene_shown != "final" and not viewer.why_no_3d else set()
        lossy = [pane for pane in canvas.panes if pane in self._lossy - coming]
        if lossy:
            canvas.show({pane: self._kept[pane] for pane in lossy}, lossless=True)
            self._lossy -= set(lossy)
        known = canvas.size_of("3d")
        wanted = "3d" in canvas.panes and self._scene_shown in ("", "coarse")
        if wanted and known is not None and not viewer.why_no_3d:
            self._scene_shown = "asked"
            viewer.request_3d(*known, moving=False)
        self._on_drawn(True)

    # Cine.

    def _follow_cine(self) -> None:
        if self._viewer.playing and self._playing is None:
            self._playing = self._loop.later(1 / self.cine_speed, self._cine)

    def _cine(self) -> None:
        self._playing = None
        # A browser that is behind is not sent more.
        if self._canvas.flow.is_free and self._canvas.is_visible:
            self._viewer.cine_step()
        self._follow_cine()
