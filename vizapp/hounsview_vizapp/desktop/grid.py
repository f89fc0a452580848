"""The four panes, or one of them alone; drawn once for each batch of changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from hounsview.volume import Volume
from hounsview_vizapp.desktop import events
from hounsview_vizapp.desktop.pane import PaneWidget
from hounsview_vizapp.dirty import PANES
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.pictures import preview_of, sentence
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.events import PointerEvent, WheelEvent

if TYPE_CHECKING:
    from hounsview_vizapp.rendering import Frame

_PLACES: Final = {"axial": (0, 0), "3d": (0, 1), "coronal": (1, 0), "sagittal": (1, 1)}
_STILL_MS: Final = 250
"""After so long without a change the 3D picture is refined."""


class _Bridge(QObject):
    """Carries frames from the thread that drew them to that of the widgets."""

    arrived = Signal(object, object)


class PaneGrid(QWidget):
    """Shows a `Viewer`.

    Parameters
    ----------
    on_error : callable
        Takes what failed in words and the exception; the panes live on.
    on_changed : callable
        Called after each drawing: controls may have to follow.
    """

    def __init__(
        self,
        *,
        on_error: Callable[[str, Exception], object],
        on_changed: Callable[[], object],
    ) -> None:
        super().__init__()
        self._on_error = on_error
        self._on_changed = on_changed
        self.scene_shown = ""
        """How far the 3D pane follows the state: "" not yet, "coarse" or "final"."""
        self._viewer: Viewer | None = None
        self._dirty: set[str] = set()
        self.panes = {pane: self._pane(pane) for pane in PANES}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(3)
        for pane, (row, column) in _PLACES.items():
            self._grid.addWidget(self.panes[pane], row, column)
        self._flush_timer = self._timer(self._flush, 0)
        self._still_timer = self._timer(self._refine, _STILL_MS)
        self._cine_timer = self._timer(self._cine, 100)
        self._cine_timer.setSingleShot(False)
        self._bridge = _Bridge()
        self._bridge.arrived.connect(self._show_frame, Qt.ConnectionType.QueuedConnection)

    def _pane(self, pane: str) -> PaneWidget:
        return PaneWidget(
            pane,
            on_pointer=self._pointer,
            on_wheel=self._wheel,
            on_resized=self.mark,
            on_focus=self._focused,
        )

    def _timer(self, run: Callable[[], object], interval_ms: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(run)
        return timer

    @property
    def viewer(self) -> Viewer | None:
        """What is shown."""
        return self._viewer

    def show_viewer(self, viewer: Viewer | None) -> None:
        """Show another viewer, or empty panes; the one before is closed."""
        before, self._viewer = self._viewer, viewer
        if before is not None and before is not viewer:
            before.close()
        self.scene_shown = ""
        for pane in self.panes.values():
            pane.show_picture(None)
        if viewer is not None and not viewer.why_no_3d:
            self.panes["3d"].show_picture(_sentence(self.panes["3d"], "drawing ..."))
        self._cine_timer.stop()
        if viewer is not None:
            viewer.listen(on_dirty=self._mark_all, on_frame=self._frame_of(viewer))
            self._arrange()
            self._mark_all(set(PANES))
            self._still_timer.start()

    def show_preview(self, volumes: list[Volume]) -> None:
        """Show one-slice volumes, one in each pane, while the rest loads."""
        for widget, volume in zip(self.panes.values(), volumes, strict=False):
            size, ratio = events.device_size(widget), widget.devicePixelRatioF()
            widget.show_picture(preview_of(volume, size, ratio))

    def mark(self, pane: str) -> None:
        """Have one pane drawn again soon."""
        self._mark_all({pane})

    def set_cine_speed(self, frames_per_second: float) -> None:
        """Set how fast slices play."""
        self._cine_timer.setInterval(round(1000 / frames_per_second))

    def _mark_all(self, panes: set[str]) -> None:
        self._dirty |= panes
        if not self._flush_timer.isActive():
            self._flush_timer.start()

    def _frame_of(self, viewer: Viewer) -> Callable[[Frame], None]:
        arrived = self._bridge.arrived
        return lambda frame: arrived.emit(viewer, frame)

    def _show_frame(self, viewer: Viewer, frame: Frame) -> None:
        if viewer is not self._viewer:
            return
        if frame.error:
            self.panes["3d"].show_picture(_sentence(self.panes["3d"], frame.error))
        else:
            self.panes["3d"].show_picture(frame.picture)
            self.scene_shown = "final" if frame.is_final else "coarse"

    def _flush(self) -> None:
        """Draw everything that is out of date and can be seen, once."""
        dirty, self._dirty = self._dirty, set()
        viewer = self._viewer
        if viewer is None:
            return
        self._arrange()
        self._still_timer.start()
        for pane in dirty:
            widget = self.panes[pane]
            if not widget.isVisible():
                continue
            try:
                self._draw(viewer, widget)
            except Exception as error:  # a pane that fails must not take the viewer down
                widget.show_picture(_sentence(widget, f"This pane cannot be drawn: {error}"))
                self._on_error(f"the {pane} pane cannot be drawn", error)
        self._follow_cine(viewer)
        self._on_changed()

    def _draw(self, viewer: Viewer, widget: PaneWidget) -> None:
        size, ratio = events.device_size(widget), widget.devicePixelRatioF()
        if widget.pane != "3d":
            widget.show_picture(viewer.picture(widget.pane, size, ratio))
        elif viewer.why_no_3d:
            widget.show_picture(_sentence(widget, viewer.why_no_3d))
        else:
            self.scene_shown = ""
            viewer.request_3d(size, ratio, moving=True)

    def _refine(self) -> None:
        """Let what follows be a step of its own, and refine the 3D picture."""
        viewer, widget = self._viewer, self.panes["3d"]
        if viewer is None:
            return
        if viewer.tools.is_dragging:
            self._still_timer.start()
            return
        viewer.state.end_merging()
        if viewer.why_no_3d or not widget.isVisible() or self.scene_shown == "final":
            return
        viewer.request_3d(events.device_size(widget), widget.devicePixelRatioF(), moving=False)

    def _arrange(self) -> None:
        viewer = self._viewer
        layout = "four-up" if viewer is None else viewer.state.layout
        for pane, widget in self.panes.items():
            shown = layout in ("four-up", pane)
            if widget.isHidden() == shown:
                widget.setVisible(shown)
                if shown:
                    self.mark(pane)
            widget.mark_active(
                viewer is not None and layout == "four-up" and viewer.active_pane == pane
            )

    def _pointer(self, event: PointerEvent) -> None:
        if self._viewer is not None:
            self._guarded(partial(self._viewer.pointer_event, event))

    def _wheel(self, event: WheelEvent) -> None:
        if self._viewer is not None:
            self._guarded(partial(self._viewer.wheel_event, event))

    def _guarded(self, handle: Callable[[], object]) -> None:
        try:
            handle()
        except Exception as error:  # whatever it is, the viewer goes on
            if self._viewer is not None:
                self._viewer.tools.cancel()
            self._on_error("this did not work", error)

    def _focused(self, pane: str) -> None:
        if self._viewer is not None:
            self._viewer.active_pane = pane

    def _follow_cine(self, viewer: Viewer) -> None:
        if viewer.playing and not self._cine_timer.isActive():
            self._cine_timer.start()
        elif not viewer.playing:
            self._cine_timer.stop()

    def _cine(self) -> None:
        if self._viewer is not None:
            self._viewer.cine_step()


def _sentence(widget: PaneWidget, text: str) -> Picture:
    return sentence(events.device_size(widget), text, widget.devicePixelRatioF())
