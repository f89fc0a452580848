"""Measurements made and moved with the pointer, or point by point from the keyboard."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from hounsview.planes import plane_axes
from hounsview.viewstate import PLANES, POINTS_OF, Measurement
from hounsview.viewstate.checks import Point
from hounsview_vizapp.tools.events import PointerEvent
from hounsview_vizapp.tools.scenery import Draft, Scenery

_REACH: Final = 7.0
"""Points of the screen from a handle within which a press takes hold of it."""
_CLICK: Final = 3.0


def add_point(scenery: Scenery, pane: str, point: Point) -> bool:
    """Add a point to the measurement of the chosen tool; return whether it is complete.

    All points of a measurement lie on the slice of the first one: on another pane, another
    slice or a plane turned since, a new measurement begins.
    """
    if scenery.tool not in POINTS_OF or pane not in PLANES:
        return False
    draft = scenery.draft
    if draft is None or not _goes_on(scenery, draft, pane):
        draft = Draft(scenery.tool, pane, scenery.state.oblique, ())
    draft = replace(draft, points=(*draft.points, point))
    if len(draft.points) < POINTS_OF[draft.kind]:
        scenery.draft = draft
        return False
    made = Measurement(draft.kind, draft.points, draft.pane, draft.oblique)
    scenery.draft = None
    scenery.state.measurements = (*scenery.state.measurements, made)
    scenery.selected = len(scenery.state.measurements) - 1
    return True


def _goes_on(scenery: Scenery, draft: Draft, pane: str) -> bool:
    return (
        draft.pane == pane
        and draft.kind == scenery.tool
        and draft.oblique == scenery.state.oblique
        and scenery.is_on_plane(pane, draft.points[0])
    )


def press(scenery: Scenery, event: PointerEvent) -> Callable[[PointerEvent], None] | None:
    """Begin or go on with a measurement: drag from point to point, or click each."""
    if add_point(scenery, event.pane, scenery.point_at(event.pane, event.at, event.size)):
        return None

    def drag(now: PointerEvent) -> None:
        moved = math.dist(now.at, event.at) > _CLICK * event.pixel_ratio
        if now.kind == "release" and moved and now.pane == event.pane:
            add_point(scenery, now.pane, scenery.point_at(now.pane, now.at, now.size))

    return drag


def grab(scenery: Scenery, event: PointerEvent) -> Callable[[PointerEvent], None] | None:
    """Take hold of a measurement under the pointer: of one point, or of the whole.

    While another one is to be drawn, lines let the pointer through.
    """
    if scenery.draft is not None:
        return None
    reach = _REACH * event.pixel_ratio
    found = scenery.hit(event.pane, event.at, event.size, reach)
    if found is not None and found[1] < 0 and scenery.tool in POINTS_OF:
        found = None
    if found is None:
        scenery.selected = None
        return None
    index, handle = found
    scenery.selected = index
    return _moving(scenery, event, index, handle)


def _moving(
    scenery: Scenery, event: PointerEvent, index: int, handle: int
) -> Callable[[PointerEvent], None]:
    """Return a drag that moves one point of a measurement, or all, within its plane."""
    before = last = scenery.state.measurements[index]
    start = scenery.point_at(event.pane, event.at, event.size)
    right, down = plane_axes(before.plane, before.oblique)

    def drag(now: PointerEvent) -> None:
        nonlocal last
        kept = scenery.state.measurements
        if index >= len(kept) or kept[index] != last:
            return  # It was removed, or undone, meanwhile.
        way = np.subtract(scenery.point_at(now.pane, now.at, now.size), start)
        way = right * (way @ right) + down * (way @ down)
        points = tuple(
            _plus(point, way) if handle in (-1, number) else point
            for number, point in enumerate(before.points)
        )
        last = replace(before, points=points)
        replace_measurement(scenery, index, last)

    return drag


def replace_measurement(scenery: Scenery, index: int, measurement: Measurement) -> None:
    """Put another measurement in the place of one."""
    kept = list(scenery.state.measurements)
    kept[index] = measurement
    scenery.state.measurements = tuple(kept)


def remove_selected(scenery: Scenery) -> None:
    """Remove the picked measurement; without one, give up the one being made."""
    index = scenery.selected
    scenery.selected = None
    if scenery.draft is not None:
        scenery.draft = None
    elif index is not None and index < len(scenery.state.measurements):
        kept = list(scenery.state.measurements)
        del kept[index]
        scenery.state.measurements = tuple(kept)


def _plus(point: Point, way: np.ndarray) -> Point:
    x, y, z = (float(a + b) for a, b in zip(point, way, strict=True))
    return x, y, z
