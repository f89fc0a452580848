"""Measurements made and moved with the pointer, or point by point from the keyboard."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hounsview.viewstate import PLANES, POINTS_OF, Measurement
from hounsview.viewstate.checks import Point
from hounsview_vizapp.tools.events import PointerEvent
from hounsview_vizapp.tools.scenery import Scenery

_REACH: Final = 7.0
"""Points of the screen from a handle within which a press takes hold of it."""
_CLICK: Final = 3.0


def add_point(scenery: Scenery, pane: str, point: Point) -> bool:
    """Add a point to the measurement of the chosen tool; return whether it is complete.

    The first points wait in `Scenery.draft`; the last one makes the measurement.
    """
    if scenery.tool not in POINTS_OF or pane not in PLANES:
        return False
    points = (*scenery.draft, point)
    if len(points) < POINTS_OF[scenery.tool]:
        scenery.draft = points
        return False
    made = Measurement(scenery.tool, points, pane, scenery.state.oblique)
    scenery.draft = ()
    scenery.state.measurements = (*scenery.state.measurements, made)
    scenery.selected = len(scenery.state.measurements) - 1
    return True


def press(scenery: Scenery, event: PointerEvent) -> Callable[[PointerEvent], None] | None:
    """Begin or go on with a measurement: drag from point to point, or click each."""
    if add_point(scenery, event.pane, scenery.point_at(event.pane, event.at, event.size)):
        return None

    def drag(now: PointerEvent) -> None:
        hover(scenery, now)
        moved = math.dist(now.at, event.at) > _CLICK * event.pixel_ratio
        if now.kind == "release" and moved:
            add_point(scenery, now.pane, scenery.point_at(now.pane, now.at, now.size))

    return drag


def hover(scenery: Scenery, event: PointerEvent) -> None:
    """Let the measurement that is being made follow the pointer."""
    if scenery.draft and event.pane in PLANES:
        scenery.loose_end = scenery.point_at(event.pane, event.at, event.size)


def grab(scenery: Scenery, event: PointerEvent) -> Callable[[PointerEvent], None] | None:
    """Take hold of a measurement under the pointer: of one point, or of the whole.

    While another one is to be drawn, lines let the pointer through.
    """
    if scenery.draft:
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
    before = scenery.state.measurements[index]
    start = scenery.point_at(event.pane, event.at, event.size)

    def drag(now: PointerEvent) -> None:
        here = scenery.point_at(now.pane, now.at, now.size)
        way = tuple(a - b for a, b in zip(here, start, strict=True))
        points = tuple(
            _plus(point, way) if handle in (-1, number) else point
            for number, point in enumerate(before.points)
        )
        replace_measurement(scenery, index, replace(before, points=points))

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
    if scenery.draft:
        scenery.draft = ()
    elif index is not None and index < len(scenery.state.measurements):
        kept = list(scenery.state.measurements)
        del kept[index]
        scenery.state.measurements = tuple(kept)


def _plus(point: Point, way: tuple[float, ...]) -> Point:
    x, y, z = (a + b for a, b in zip(point, way, strict=True))
    return x, y, z
