"""From values to colours: window, colour map, what was not measured, label maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.viewstate import Overlay, ViewState
from hounsview.volume import Validity, Volume
from hounsview.windows import Window
from hounsview_vizapp import drawing
from hounsview_vizapp.lettering import Picture
from hounsview_vizapp.panes.buffers import Buffers
from hounsview_vizapp.panes.sampling import PlaneSample

Marks = npt.NDArray[np.uint8]

_PADDING: Final = np.uint8(Validity.PADDING)
_FILLED: Final = np.uint8(Validity.FILLED)
_TABLES: Final = {
    "hot": cv2.COLORMAP_HOT,
    "bone": cv2.COLORMAP_BONE,
    # Blue to red without the false edges of the older rainbows.
    "rainbow": cv2.COLORMAP_TURBO,
}

_full_windows: WeakKeyDictionary[Volume, Window] = WeakKeyDictionary()


def shown_window(volume: Volume, state: ViewState) -> Window:
    """Return the window that a volume is shown in: the state's, or the full range."""
    return full_window(volume) if shows_full_range(volume, state) else state.window


def shows_full_range(volume: Volume, state: ViewState) -> bool:
    """Return whether a volume is shown from its least to its greatest value.

    So it is where values are not HU, until a window is chosen: that of a fresh view is
    one for HU.
    """
    return volume.unit != "HU" and state.window == ViewState().window


def full_window(volume: Volume) -> Window:
    """Return the window from the least to the greatest value that was measured."""
    if volume not in _full_windows:
        usable = volume.measured()
        if volume.hu.dtype.kind == "f":
            usable = usable & np.isfinite(volume.hu)
        low, high = 0.0, 1.0
        if usable.any():
            measured = volume.hu[usable]
            low, high = float(measured.min()), float(measured.max())
        _full_windows[volume] = Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT")
    return _full_windows[volume]


def colored(
    sample: PlaneSample, window: Window, colormap: str, buffers: Buffers | None = None
) -> Picture:
    """Return the windowed values in colour.

    What was not measured is slate in every colour map, and filled slices are hatched.

    Returns
    -------
    (rows, columns, 3) uint8 RGB
        Never a part of the buffers.
    """
    size = sample.valid.shape
    buffers = Buffers() if buffers is None else buffers
    grey = _windowed(sample.values, window, buffers.array("grey", size, np.uint8))
    picture: Picture = np.empty((*size, 3), np.uint8)
    if colormap == "inverted":
        np.invert(grey, out=grey)
    if colormap in _TABLES:
        cv2.applyColorMap(grey, colors_of(colormap), picture)
    else:
        cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB, picture)
    outside = np.bitwise_and(sample.valid, _PADDING, out=grey)
    cv2.copyTo(_slate(size), outside, picture)
    if int(np.bitwise_or.reduce(sample.valid, axis=None)) & _FILLED:
        drawing.hatch(picture, sample.valid & _FILLED)
    return picture


@lru_cache(maxsize=4)
def _slate(size: tuple[int, int]) -> Picture:
    return drawing.blank(size)


@lru_cache(maxsize=8)
def colors_of(colormap: str) -> npt.NDArray[np.uint8]:
    """Return the (256, 1, 3) uint8 RGB of a colour map, for grey values 0 to 255."""
    grey = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    if colormap in _TABLES:
        return np.asarray(cv2.applyColorMap(grey, _TABLES[colormap])[..., ::-1].copy())
    return np.repeat((255 - grey if colormap == "inverted" else grey)[..., None], 3, axis=2)


def lay_labels(picture: Picture, labels: Marks, overlays: tuple[Overlay, ...]) -> None:
    """Lay the colours of a label map over a picture; values without a style stay unseen.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    labels : (rows, columns) uint8
    """
    left, top, columns, rows = cv2.boundingRect(labels)
    if not columns:
        return
    box = (slice(top, top + rows), slice(left, left + columns))
    keep, add = (cv2.LUT(cv2.merge([labels[box]] * 3), table) for table in _styles(overlays))
    picture[box] = cv2.add(cv2.multiply(picture[box], keep, scale=1 / 255), add)


@lru_cache(maxsize=16)
def _styles(overlays: tuple[Overlay, ...]) -> tuple[Marks, Marks]:
    """Return (1, 256, 3) uint8 tables by label: what is kept of a picture, what is added."""
    keep = np.full((1, 256, 3), 255, np.uint8)
    add = np.zeros((1, 256, 3), np.uint8)
    for overlay in overlays:
        if overlay.shown:
            keep[0, overlay.value] = round(255 * (1 - overlay.opacity))
            add[0, overlay.value] = np.rint(255 * overlay.opacity * np.array(overlay.color))
    return keep, add


def _windowed(values: npt.NDArray[Any], window: Window, into: Marks) -> Marks:
    """Return (rows, columns) uint8 grey, as `Window.apply` does, only faster."""
    if values.dtype == np.int16:
        return np.asarray(cv2.LUT(values, window.table().reshape(1, -1), into), np.uint8)
    low, high = window.range
    if window.function == "SIGMOID" or high <= low:
        return window.apply(values)
    # What is beyond 32-bit integers would turn black, so it is cut off first;
    # not-a-number does turn black.
    scale = 255 / (high - low)
    cut = np.minimum(values, np.float32(high))
    cv2.addWeighted(cut, scale, cut, 0, -low * scale, into, dtype=cv2.CV_8U)
    return into
