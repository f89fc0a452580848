"""From pointer and wheel to changes of the state.

Left is the chosen tool (in 3D: turn), right drag the window (in 3D: shift of the transfer
function), middle or Shift+left moves, Ctrl+left or Ctrl+wheel zooms, the wheel scrolls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from hounsview.planes import plane_axes, turned_about
from hounsview.viewstate import PLANES
from hounsview.viewstate.checks import FARTHEST_MM
from hounsview_vizapp.tools import measuring
from hounsview_vizapp.tools.events import PointerEvent, WheelEvent
from hounsview_vizapp.tools.scenery import Scenery

Drag = Callable[[PointerEvent], None]

TOOLS: Final[Mapping[str, str]] = {
    "crosshair": "Crosshair",
    "window": "Window",
    "pan": "Move",
    "zoom": "Zoom",
    "turn": "Turn the planes",
    "ruler": "Ruler",
    "angle": "Angle",
    "rectangle": "Rectangle",
    "ellipse": "Ellipse",
    "probe": "Probe",
}
"""Tools by name, with what a menu shows."""

_DEGREES_PER_POINT: Final = 0.4
_ZOOM_PER_NOTCH: Final = 1.15
_ZOOM_PER_POINT: Final = 1.008
_HU_PER_POINT_3D: Final = 1.5
_SMALLEST_ZOOM, _LARGEST_ZOOM = 0.05, 200.0


class PointerTools:
    """Handles the events of one viewer, and remembers the drag that is going on."""

    def __init__(self, scenery: Scenery) -> None:
        self._scenery = scenery
        self._drag: Drag | None = None
        self._rest = 0.0  # of the wheel, less than a notch

    @property
    def is_dragging(self) -> bool:
        """Whether a button is held."""
        return self._drag is not None

    def pointer(self, event: PointerEvent) -> None:
        """Handle a pointer event."""
        scenery = self._scenery
        if event.kind == "double":
            self.cancel()
            toggle_maximised(scenery, event.pane)
        elif event.kind == "press":
            self.cancel()
            scenery.active_pane = event.pane
            scenery.state.begin_gesture()
            self._drag = _drag_of(scenery, event)
        elif event.kind == "move" and self._drag is not None:
            self._drag(event)
        elif event.kind == "release" and self._drag is not None:
            drag, self._drag = self._drag, None
            drag(event)
            scenery.state.end_gesture()

    def cancel(self) -> None:
        """End a drag where it stands."""
        self._drag = None
        self._scenery.state.end_gesture()

    def wheel(self, event: WheelEvent) -> None:
        """Handle a wheel event."""
        scenery = self._scenery
        scenery.active_pane = event.pane
        if event.pane == "3d" or "ctrl" in event.modifiers:
            zoom_at(scenery, event.pane, event.at, event.size, _ZOOM_PER_NOTCH**event.steps)
            return
        self._rest += event.steps
        count = math.trunc(self._rest)
        self._rest -= count
        if not count:
            return
        if "shift" in event.modifiers:
            thicken(scenery, count)
        else:
            scroll(scenery, event.pane, count)


def scroll(scenery: Scenery, pane: str, count: int) -> None:
    """Move the crosshair by slices across a plane."""
    if pane in PLANES:
        point = scenery.scrolled(pane, count)
        scenery.state.change(merge=f"scroll {pane}", crosshair=point)


def thicken(scenery: Scenery, count: int) -> None:
    """Make the slab thicker by so many millimetres."""
    thickness = min(max(scenery.state.slab.thickness + count, 0), 500)
    scenery.state.change(merge="slab", slab=thickness)


def toggle_maximised(scenery: Scenery, pane: str) -> None:
    """Show one pane alone, or all four again."""
    state = scenery.state
    state.layout = "four-up" if state.layout == pane else pane


def zoom_at(
    scenery: Scenery, pane: str, at: tuple[float, float], size: tuple[int, int], factor: float
) -> None:
    """Zoom a pane so that what lies under a pixel stays there."""
    state = scenery.state
    view = state.camera if pane == "3d" else getattr(state, pane)
    zoom = min(max(view.zoom * factor, _SMALLEST_ZOOM), _LARGEST_ZOOM)
    before = scenery.mm_per_pixel(pane, size)
    after = before * view.zoom / zoom
    down, right = (p - (n - 1) / 2 for p, n in zip(at, size, strict=True))
    pan = _within(view.pan[0] + right * (after - before), view.pan[1] + down * (after - before))
    name = "camera" if pane == "3d" else pane
    state.change(merge=f"zoom {pane}", **{name: replace(view, zoom=zoom, pan=pan)})


def pan_by(scenery: Scenery, pane: str, right: float, down: float, merge: str | None) -> None:
    """Move the picture in its pane, mm."""
    name = "camera" if pane == "3d" else pane
    view = getattr(scenery.state, name)
    pan = _within(view.pan[0] + right, view.pan[1] + down)
    scenery.state.change(merge=merge, **{name: replace(view, pan=pan)})


def _within(right: float, down: float) -> tuple[float, float]:
    """Return a pan that is no farther than a view allows."""
    x, y = np.clip((right, down), -FARTHEST_MM, FARTHEST_MM)
    return float(x), float(y)


def turn_camera(scenery: Scenery, right: float, down: float, merge: str | None) -> None:
    """Turn the body in the 3D picture, degrees to the right and downwards."""
    camera = scenery.state.camera
    elevation = min(max(camera.elevation + down, -90), 90)
    azimuth = (camera.azimuth - right + 180) % 360 - 180
    turned = replace(camera, azimuth=azimuth, elevation=elevation)
    scenery.state.change(merge=merge, camera=turned)


def turn_planes(scenery: Scenery, pane: str, degrees: float, merge: str | None) -> None:
    """Turn the other two planes about the normal of this one, clockwise in its picture."""
    right, down = plane_axes(pane, scenery.state.oblique)
    oblique = turned_about(scenery.state.oblique, np.cross(right, down), degrees)
    scenery.state.change(merge=merge, oblique=oblique)


def change_window(scenery: Scenery, wider: float, higher: float, merge: str | None) -> None:
    """Change the window: its width and its centre, HU."""
    window = scenery.state.window
    width = max(window.width + wider, 1)
    changed = replace(window, center=window.center + higher, width=width)
    scenery.state.change(merge=merge, window=changed)


def _drag_of(scenery: Scenery, event: PointerEvent) -> Drag | None:
    """Return what a press begins."""
    shift, ctrl = "shift" in event.modifiers, "ctrl" in event.modifiers
    if event.button == "middle" or (event.button == "left" and shift):
        return _relative(scenery, event, _pan_drag)
    if event.button == "left" and ctrl:
        return _zoom_drag(scenery, event)
    if event.button == "right":
        return _relative(scenery, event, _shift_drag if event.pane == "3d" else _window_drag)
    if event.button != "left":
        return None
    if event.pane == "3d":
        return _relative(scenery, event, _turn_drag)
    handle = measuring.grab(scenery, event)
    if handle is not None:
        return handle
    starts: Mapping[str, Callable[[], Drag | None]] = {
        "window": lambda: _relative(scenery, event, _window_drag),
        "pan": lambda: _relative(scenery, event, _pan_drag),
        "zoom": lambda: _zoom_drag(scenery, event),
        "turn": lambda: _plane_drag(scenery, event),
        "crosshair": lambda: _crosshair_drag(scenery, event),
    }
    start = starts.get(scenery.tool)
    return measuring.press(scenery, event) if start is None else start()


def _relative(
    scenery: Scenery, event: PointerEvent, move: Callable[[Scenery, PointerEvent, Any], None]
) -> Drag:
    """Return a drag that hands the way since the last event, (down, right) px, to `move`."""
    last = event.at

    def drag(now: PointerEvent) -> None:
        nonlocal last
        way = (now.at[0] - last[0], now.at[1] - last[1])
        last = now.at
        if any(way):
            move(scenery, now, way)

    return drag


def _pan_drag(scenery: Scenery, event: PointerEvent, way: tuple[float, float]) -> None:
    mm = scenery.mm_per_pixel(event.pane, event.size)
    pan_by(scenery, event.pane, way[1] * mm, way[0] * mm, None)


def _window_drag(scenery: Scenery, event: PointerEvent, way: tuple[float, float]) -> None:
    # A wide window needs larger steps than a narrow one: a pane's height is twice its width.
    step = max(scenery.state.window.width / 300, 0.1) / event.pixel_ratio
    change_window(scenery, way[1] * step, -way[0] * step, None)


def _shift_drag(scenery: Scenery, event: PointerEvent, way: tuple[float, float]) -> None:
    transfer = scenery.state.transfer
    shift = transfer.shift + way[1] * _HU_PER_POINT_3D / event.pixel_ratio
    scenery.state.transfer = replace(transfer, shift=min(max(shift, -5000), 5000))


def _turn_drag(scenery: Scenery, event: PointerEvent, way: tuple[float, float]) -> None:
    degrees = _DEGREES_PER_POINT / event.pixel_ratio
    turn_camera(scenery, way[1] * degrees, way[0] * degrees, None)


def _zoom_drag(scenery: Scenery, event: PointerEvent) -> Drag:
    def move(scenery: Scenery, now: PointerEvent, way: tuple[float, float]) -> None:
        factor = _ZOOM_PER_POINT ** (-way[0] / now.pixel_ratio)
        zoom_at(scenery, event.pane, event.at, event.size, factor)

    return _relative(scenery, event, move)


def _crosshair_drag(scenery: Scenery, event: PointerEvent) -> Drag:
    def drag(now: PointerEvent) -> None:
        scenery.state.crosshair = scenery.point_at(now.pane, now.at, now.size)

    drag(event)
    return drag


def _plane_drag(scenery: Scenery, event: PointerEvent) -> Drag:
    """Turn the other two planes about the crosshair, as one turns a steering wheel."""
    start = scenery.state.oblique
    right, down = plane_axes(event.pane, start)
    centre = scenery.pixel_of(event.pane, scenery.crosshair(), event.size)

    def angle(at: tuple[float, float]) -> float:
        return math.degrees(math.atan2(at[0] - centre[0], at[1] - centre[1]))

    begin = angle(event.at)

    def drag(now: PointerEvent) -> None:
        # Rows rise downwards, so this angle turns right into down: about right x down.
        turn = (angle(now.at) - begin + 180) % 360 - 180
        scenery.state.oblique = turned_about(start, np.cross(right, down), turn)

    return drag
