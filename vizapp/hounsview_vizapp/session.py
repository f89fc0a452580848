"""One opened volume: its view, its panes, what is picked and what is under the pointer.

No toolkit. A front end hands it events and sizes, is told which panes are out of date, and
asks for their pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hounsview.frames import plane_frame
from hounsview.sessions import Session, Source, fingerprint
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import PLANES, POINTS_OF, Measurement, ViewState
from hounsview.viewtissues import tissues_shown
from hounsview.volume import Volume
from hounsview_vizapp.dirty import panes_touched, seen_panes
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.panes import slice_number, slice_pane
from hounsview_vizapp.panes.pointer import Reading, reading_at
from hounsview_vizapp.places import Places, Size, as_point
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tissuework import Found, find_tissues
from hounsview_vizapp.tools import PointerEvent, PointerTools, WheelEvent
from hounsview_vizapp.tools.actions import action_of_key
from hounsview_vizapp.tools.scenery import Draft

if TYPE_CHECKING:
    from hounsview.progress import Progress
    from hounsview_vizapp.rendering import Frame, Scene

Labels = npt.NDArray[np.uint8]


class Viewer(Places):
    """What a front end shows of one volume; see `hounsview_vizapp.tools.Scenery`.

    Parameters
    ----------
    volume : Volume
    state : ViewState or ViewerState, optional
        Where to begin; a `ViewerState` is followed and changed, also where others share it.
    source : Source, optional
        Where the volume came from, for session files.
    labels : (k, j, i) uint8, optional
        A label map on the volume's grid, drawn as `ViewState.overlays` says.
    """

    def __init__(
        self,
        volume: Volume,
        state: ViewState | ViewerState | None = None,
        *,
        source: Source | None = None,
        labels: Labels | None = None,
    ) -> None:
        shared = state if isinstance(state, ViewerState) else ViewerState(state)
        super().__init__(volume, shared)
        self.source = Source() if source is None else source
        self.labels = labels
        self.tools = PointerTools(self)
        self.tissue_notes: tuple[str, ...] = ()
        """What to know about the tissues, and why some were not found."""
        self.tissue_numbers: list[tuple[str, str, str]] = []
        """(what, name, value with its unit) of the tissues that were found."""
        self._tissues_wanted = False
        self._tissues_refused = False
        self.tissue_map: TissueMap | None = None
        """Where the tissues are, once they were found."""
        self.playing: str | None = None
        self._on_dirty: Callable[[set[str]], object] | None = None
        self._on_frame: Callable[[Frame], object] | None = None
        self._tool = "crosshair"
        self._selected: int | None = None
        self._draft: Draft | None = None
        layout = self.state.layout
        self._active_pane = "axial" if layout == "four-up" else layout
        self._hover: PointerEvent | None = None
        self._scene: Scene | None = None
        self._closed = False
        # What a session brought along, it holds.
        self._saved_measurements = self.state.value.measurements
        self.state.follow(self._state_changed)

    def listen(
        self,
        *,
        on_dirty: Callable[[set[str]], object],
        on_frame: Callable[[Frame], object],
    ) -> None:
        """Set who is told; before the 3D scene is used.

        Parameters
        ----------
        on_dirty : callable
            Takes a set of panes that must be drawn again (empty: controls alone); may come
            many times before one drawing.
        on_frame : callable
            Takes a `Frame` of the 3D pane, in the thread that drew it.
        """
        self._on_dirty, self._on_frame = on_dirty, on_frame

    # What is picked; changes of it are no steps to undo.

    @property
    def tool(self) -> str:
        """Name of what the left button does; see `TOOLS`."""
        return self._tool

    @tool.setter
    def tool(self, name: str) -> None:
        self._tool = name
        self.draft = None
        self._touch(())

    @property
    def selected(self) -> int | None:
        """Index of the picked measurement; None also when it is gone."""
        if self._selected is None or self._selected >= len(self.state.measurements):
            return None
        return self._selected

    @selected.setter
    def selected(self, index: int | None) -> None:
        if index != self._selected:
            self._selected = index
            self._touch(PLANES)

    @property
    def draft(self) -> Draft | None:
        """The measurement that is being made."""
        return self._draft

    @draft.setter
    def draft(self, draft: Draft | None) -> None:
        if draft != self._draft:
            self._draft = draft
            self._touch(PLANES)

    @property
    def active_pane(self) -> str:
        """The pane that keys act on."""
        return self._active_pane

    @active_pane.setter
    def active_pane(self, pane: str) -> None:
        if pane != self._active_pane:
            self._active_pane = pane
            self._touch(())

    # Events.

    def pointer_event(self, event: PointerEvent) -> None:
        """Handle a pointer event, and show what is under the pointer."""
        self._sizes[event.pane] = event.size
        self.tools.pointer(event)
        before = self._hover
        self._hover = event if event.pane in PLANES and event.kind != "leave" else None
        self._touch({each.pane for each in (before, self._hover) if each is not None})

    def wheel_event(self, event: WheelEvent) -> None:
        """Handle a wheel event."""
        self._sizes[event.pane] = event.size
        self.tools.wheel(event)

    def key(self, key: str) -> bool:
        """Do what a key says, such as ``"Ctrl+Z"``; return whether it says anything."""
        action = action_of_key(key)
        if action is None:
            return False
        action.run(self)
        return True

    # Pictures.

    def picture(self, pane: str, size: Size, pixel_ratio: float = 1.0) -> Picture:
        """Return the picture of a plane, with the draft and what is under the pointer.

        Raises
        ------
        ArgumentError
            If there is no such plane.
        """
        self._sizes[pane] = size
        hover = self._hover
        # Taken from the pixel each time: the slice below the pointer may have changed.
        pointed = None
        if hover is not None and hover.pane == pane and not self.tools.is_dragging:
            pointed = self.point_at(pane, hover.at, hover.size)
        return slice_pane(
            self.volume, self._with_draft(pane), pane, size,
            pixel_ratio=pixel_ratio, labels=self.labels, selected=self.selected,
            pointer=pointed,
        )  # fmt: skip

    @property
    def why_no_3d(self) -> str:
        """Why there is no 3D picture of this volume; empty where there can be one."""
        unit = self.volume.unit
        return "" if unit == "HU" else f"no 3D: the values are {unit}, not HU"

    def forget_pointer(self) -> None:
        """Take it that the pointer is over no pane: what it was over is no longer shown."""
        self._hover = None

    def free_scene(self) -> None:
        """Let go of the 3D scene until it is asked for again."""
        scene, self._scene = self._scene, None
        if scene is not None:
            scene.close()

    def pointed(self) -> Reading | None:
        """Return what is under the pointer; None where it is over no plane."""
        hover = self._hover
        if hover is None:
            return None
        frame = plane_frame(self.volume.geometry, self.state.value, hover.pane, hover.size)
        return reading_at(self.volume, as_point(frame.to_patient(hover.at)), frame)

    def request_3d(self, size: Size, pixel_ratio: float = 1.0, *, moving: bool) -> None:
        """Ask for the picture of the 3D pane; frames come to `on_frame`.

        Parameters
        ----------
        size : (rows, columns)
        pixel_ratio : float
        moving : bool
            Whether more changes will follow at once: coarse but quick.
        """
        self._sizes["3d"] = size
        state = self.state.value
        self.scene.request(state, size, moving=moving, pixel_ratio=pixel_ratio)

    @property
    def scene(self) -> Scene:
        """The 3D scene, made at first use."""
        if self._scene is None:
            from hounsview_vizapp.rendering import Scene

            self._scene = Scene(
                self.volume, on_frame=self._frame_drawn, tissues=self.tissue_map
            )
        return self._scene

    def close(self) -> None:
        """Let go of the 3D scene and of the listeners; again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._on_dirty = self._on_frame = None
        self.state.unfollow(self._state_changed)
        self.free_scene()

    # Cine.

    def toggle_cine(self) -> None:
        """Let the active plane run through its slices, or stop it."""
        seen = [plane for plane in (self._active_pane, "axial") if plane in PLANES]
        seen = [plane for plane in seen if plane in seen_panes(self.state.value)]
        self.playing = None if self.playing or not seen else seen[0]
        self._touch(())

    def cancel_drag(self) -> None:
        """End a drag where it stands."""
        self.tools.cancel()

    def cine_step(self) -> None:
        """Show the next slice of the plane that plays; after the last comes the first."""
        if self.playing is None:
            return
        number, total = slice_number(self.volume, self.state.value, self.playing)
        count = 1 if number < total else 1 - total
        point = self.scrolled(self.playing, count)
        self.state.change(merge="cine", crosshair=point)

    # Tissues.

    @property
    def needs_tissues(self) -> bool:
        """Whether tissues are to be shown or measured that nobody has looked for yet."""
        if self.labels is not None or self.volume.unit != "HU" or self._tissues_refused:
            return False
        return self._tissues_wanted or bool(tissues_shown(self.state.value))

    def want_tissues(self) -> None:
        """Ask for the tissues and their numbers."""
        self._tissues_wanted, self._tissues_refused = True, False
        self._touch(())

    def find_tissues(self, progress: Progress | None = None) -> Found:
        """Return the tissues of the volume and their numbers; takes seconds, in any thread.

        Raises
        ------
        CancelledError
            If `progress` returned False.
        """
        return find_tissues(self.volume, progress)

    def show_tissues(self, found: Found | None) -> None:
        """Show tissues that were found; None: nobody will look for them again."""
        if found is None:
            self._tissues_wanted, self._tissues_refused = False, True
            hidden = tuple(replace(each, shown=False) for each in self.state.overlays)
            self.state.overlays = hidden
            return
        self.tissue_map = found.where
        self.labels, self.tissue_notes = found.where.labels, found.notes
        self.tissue_numbers = found.numbers
        if self._scene is not None:
            self._scene.show_tissues(found.where)
        self._touch(PLANES)

    # Outputs.

    def saved(self) -> Session:
        """Return what a session file of this view holds."""
        source = replace(self.source, fingerprint=fingerprint(self.volume))
        return Session(self.state.value, source)

    @property
    def has_unsaved_measurements(self) -> bool:
        """Whether there are measurements that no session file holds."""
        now = self.state.measurements
        return bool(now) and now != self._saved_measurements

    def mark_saved(self, state: ViewState) -> None:
        """Remember that a session file holds this state."""
        self._saved_measurements = state.measurements

    def script(self, size: Size = (1200, 1200)) -> str:
        """Return the Python script that draws this view."""
        source = self.source
        series = source.series_key or source.series_uid or None
        return self.state.to_python(
            source.path, series=series, unit=source.unit, phantom=source.phantom, size=size
        )

    def _frame_drawn(self, frame: Frame) -> None:
        if frame.mm_per_pixel:
            self._mm_per_pixel_3d = frame.mm_per_pixel * frame.state.camera.zoom
        if self._on_frame is not None:
            self._on_frame(frame)

    def _with_draft(self, pane: str) -> ViewState:
        """Return the state with the measurement that is being made as one of its own."""
        state, draft, hover = self.state.value, self._draft, self._hover
        if draft is None or pane != draft.pane:
            return state
        points = draft.points
        if hover is not None and hover.pane == pane:
            points = (*points, self.point_at(pane, hover.at, hover.size))
        kind = draft.kind if len(points) == POINTS_OF[draft.kind] else "ruler"
        if len(points) != POINTS_OF[kind]:
            kind, points = "probe", points[:1]
        growing = Measurement(kind, points, pane, draft.oblique)
        return replace(state, measurements=(*state.measurements, growing))

    def _state_changed(self, old: ViewState, new: ViewState) -> None:
        if new.layout != "four-up":
            # Keys act on what is seen.
            self._active_pane = new.layout
        if tissues_shown(new) - tissues_shown(old):
            # What was stopped or has failed is asked for again.
            self._tissues_refused = False
        if self.playing not in (None, *seen_panes(new)):
            self.playing = None
        self._touch(panes_touched(old, new))

    def _touch(self, panes: Iterable[str]) -> None:
        if self._on_dirty is not None:
            self._on_dirty(set(panes))
