"""Measurements on a picture: shape, handles, and the numbers beside them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hounsview.frames import Floats, PlaneFrame
from hounsview.measure import Measured, measure
from hounsview.viewstate import Measurement
from hounsview.volume import Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.lettering import Color, Picture
from hounsview_vizapp.panes.notes import Note, write_notes
from hounsview_vizapp.panes.page import Box, Page

MARK: Final[Color] = (96, 224, 255)
SELECTED: Final[Color] = drawing.AMBER
_HALO: Final[Color] = (8, 10, 14)
_FINE_BITS: Final = 4
_ROUND: Final = 96
"""Sides of the polygon that stands for an ellipse."""
_CLOSE: Final = 4.0
_MOST_NUMBERS: Final = 256

_numbers: WeakKeyDictionary[Volume, dict[Measurement, Measured]] = WeakKeyDictionary()


def draw_measurements(
    page: Page,
    volume: Volume,
    frame: PlaneFrame,
    measurements: Sequence[Measurement],
    *,
    selected: int | None,
    texts: bool,
    pixel_ratio: float,
) -> None:
    """Draw the measurements that lie on a plane, the selected one last and in amber.

    Parameters
    ----------
    selected : int, optional
        Its place in `measurements`.
    texts : bool
        Whether what was measured is written beside the shapes; with several of them each
        has its place in the table, from 1, at the shape and before its text.
    """
    shown = [n for n, each in enumerate(measurements) if frame.shows(each)]
    for number in sorted(shown, key=lambda n: n == selected):
        lines = outlines(measurements[number], frame)
        pen = _Pen(page.picture, pixel_ratio, selected=number == selected)
        pen.draw(lines, [frame.to_pixel(p) for p in measurements[number].points])
        for point in measurements[number].points:
            page.keep_free(_around(np.array([frame.to_pixel(point)]), pixel_ratio))
    if not (page.height and texts):
        return
    # The selected one's text has the first claim on room.
    order = sorted(shown, key=lambda n: n != selected)
    notes = [
        _note(page.picture, volume, frame, measurements, number, selected) for number in order
    ]
    write_notes(page, [note for note in notes if len(note.outline)], pixel_ratio)


def _note(
    picture: Picture,
    volume: Volume,
    frame: PlaneFrame,
    measurements: Sequence[Measurement],
    number: int,
    selected: int | None,
) -> Note:
    measurement = measurements[number]
    numbers = numbers_of(volume, measurement).lines()
    if frame.reach and measurement.kind in ("probe", "rectangle", "ellipse"):
        numbers = (*numbers, "in its slice, not the slab")
    return Note(
        number=str(number + 1) if len(measurements) > 1 else "",
        name=measurement.text,
        lines=numbers,
        outline=_seen(outlines(measurement, frame), picture.shape[:2]),
        handles=np.array([frame.to_pixel(point) for point in measurement.points]),
        color=SELECTED if number == selected else MARK,
        closed=measurement.kind in ("rectangle", "ellipse"),
    )


def _seen(lines: Sequence[Floats], size: tuple[int, ...]) -> Floats:
    """Return (n, 2) pixels at most `_CLOSE` px apart along lines, those in the picture."""
    points = [lines[0][:1]]
    for line in lines:
        if len(line) > 1 and np.abs(np.diff(line, axis=0)).max() <= _CLOSE:
            points.append(line)
            continue
        for start, end in itertools.pairwise(line):
            kept = _clipped(start, end, size)
            if kept is not None:
                count = 2 + int(np.abs(kept[1] - kept[0]).max() / _CLOSE)
                points.append(np.linspace(kept[0], kept[1], count))
    every = np.concatenate(points)
    inside = (every >= -0.5) & (every <= np.asarray(size) - 0.5)
    seen: Floats = every[inside.all(axis=1)]
    return seen


def numbers_of(volume: Volume, measurement: Measurement) -> Measured:
    """Return what `hounsview.measure.measure` does, kept while the volume lives."""
    known = _numbers.setdefault(volume, {})
    if measurement not in known:
        if len(known) >= _MOST_NUMBERS:
            known.clear()
        known[measurement] = measure(volume, measurement)
    return known[measurement]


def outlines(measurement: Measurement, frame: PlaneFrame) -> list[Floats]:
    """Return the lines of a measurement's shape, each (n, 2) pixels (row, column)."""
    points = np.array([frame.to_pixel(point) for point in measurement.points])
    if measurement.kind in ("probe", "ruler", "angle"):
        return [points]
    (top, left), (bottom, right) = points.min(axis=0), points.max(axis=0)
    if measurement.kind == "rectangle":
        corners = [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]
        return [np.array(corners)]
    turn = np.linspace(0, 2 * math.pi, _ROUND + 1)
    middle = np.array([top + bottom, left + right]) / 2
    half = np.array([bottom - top, right - left]) / 2
    return [middle + half * np.stack([np.sin(turn), np.cos(turn)], axis=1)]


class _Pen:
    """Thin anti-aliased lines with a dark halo, seen on bone and on air."""

    def __init__(self, picture: Picture, pixel_ratio: float, *, selected: bool) -> None:
        self._picture = picture
        self._color = SELECTED if selected else MARK
        self._thick = max(1, round(pixel_ratio * (2 if selected else 1.25)))
        self._halo = self._thick + 2 * max(1, round(pixel_ratio))
        self._radius = pixel_ratio * (4.5 if selected else 3.0)

    def draw(self, lines: Sequence[Floats], handles: Sequence[tuple[float, float]]) -> None:
        for color, thick in ((_HALO, self._halo), (self._color, self._thick)):
            for line in lines:
                for start, end in itertools.pairwise(line):
                    self._segment(start, end, color, thick)
        for handle in handles:
            self._dot(handle, self._radius + self._halo / 4, _HALO)
            self._dot(handle, self._radius, self._color)
            self._dot(handle, self._radius * 0.45, _HALO)

    def _segment(self, start: Floats, end: Floats, color: Color, thick: int) -> None:
        kept = _clipped(start, end, self._picture.shape[:2])
        if kept is not None:
            a, b = (_fine(point) for point in kept)
            cv2.line(self._picture, a, b, color, thick, cv2.LINE_AA, _FINE_BITS)

    def _dot(self, at: tuple[float, float], radius: float, color: Color) -> None:
        rows, columns = self._picture.shape[:2]
        if -radius < at[0] < rows + radius and -radius < at[1] < columns + radius:
            size = round(radius * 2**_FINE_BITS)
            cv2.circle(self._picture, _fine(at), size, color, -1, cv2.LINE_AA, _FINE_BITS)


def _fine(point: Floats | tuple[float, float]) -> tuple[int, int]:
    """Return (column, row) in the fractions of a pixel that OpenCV draws with."""
    return round(float(point[1]) * 2**_FINE_BITS), round(float(point[0]) * 2**_FINE_BITS)


def _clipped(
    start: Floats, end: Floats, size: tuple[int, ...], room: float = 50.0
) -> tuple[Floats, Floats] | None:
    """Return the part of a line near a picture: far points would overflow OpenCV's integers."""
    low, high = 0.0, 1.0
    for at, step, length in zip(start, end - start, size[:2], strict=True):
        if step == 0:
            if not -room <= at <= length + room:
                return None
            continue
        first, last = sorted(((-room - at) / step, (length + room - at) / step))
        low, high = max(low, first), min(high, last)
    if low > high:
        return None
    return start + low * (end - start), start + high * (end - start)


def _around(points: Floats, pixel_ratio: float) -> Box:
    room = 5 * pixel_ratio
    (top, left), (bottom, right) = points.min(axis=0) - room, points.max(axis=0) + room
    return math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right)
