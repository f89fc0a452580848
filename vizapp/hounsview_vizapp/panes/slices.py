"""Slice panes: (volume, state) -> picture, by numpy and OpenCV, without a window."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hounsview.findings import Status
from hounsview.planes import NORMAL
from hounsview.viewstate import ViewState
from hounsview.volume import Validity, Volume
from hounsview.windows import Window
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.panes.planes import (
    PlaneFrame,
    PlaneSample,
    crosshair_of,
    plane_frame,
    sample_plane,
)

# Letters at the top, bottom, left and right of each plane.
_EDGES: Final = {"axial": "APRL", "coronal": "SIRL", "sagittal": "SIAP"}
_RISING: Final = ("LR", "PA", "SI")
_CROSSING: Final = {
    "axial": ("coronal", "sagittal"),
    "coronal": ("axial", "sagittal"),
    "sagittal": ("axial", "coronal"),
}
"""The planes seen as a row and as a column in each plane."""

_full_windows: WeakKeyDictionary[Volume, Window] = WeakKeyDictionary()


def slice_pane(volume: Volume, state: ViewState, plane: str, size: tuple[int, int]) -> Picture:
    """Return the picture of one plane through the crosshair.

    Always in patient orientation and with mm in both directions alike, whatever way the
    array was stored. Padding and what lies outside are slate, not black; filled slices are
    hatched; a repaired or resampled volume says so.

    Parameters
    ----------
    volume : Volume
    state : ViewState
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    size : (rows, columns)
        Of the picture, px.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    ArgumentError
        If there is no such plane, or a side of the pane is below 1 pixel.
    """
    frame = plane_frame(volume, state, plane, size)
    sample = sample_plane(volume, frame)
    window = shown_window(volume, state)
    picture = _colored(sample, window)
    point = crosshair_of(volume, state)
    if state.show_crosshair:
        across, along = (drawing.PLANE_COLORS[name] for name in _CROSSING[plane])
        drawing.draw_crosshair(picture, frame.to_pixel(point), across, along)
    if state.show_labels:
        _draw_labels(picture, volume, state, frame)
        _draw_badges(picture, volume, sample)
    return picture


def shown_window(volume: Volume, state: ViewState) -> Window:
    """Return the state's window; for values that are not HU, from least to greatest."""
    if volume.unit == "HU":
        return state.window
    if volume not in _full_windows:
        low, high = float(volume.hu.min()), float(volume.hu.max())
        _full_windows[volume] = Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT")
    return _full_windows[volume]


def _colored(sample: PlaneSample, window: Window) -> Picture:
    """Return the windowed values, with what was not measured in slate."""
    picture: Picture = np.asarray(
        cv2.cvtColor(window.apply(sample.values), cv2.COLOR_GRAY2RGB), np.uint8
    )
    outside = sample.valid & np.uint8(Validity.PADDING)
    cv2.copyTo(drawing.blank(sample.valid.shape), outside, picture)
    if (sample.valid & Validity.FILLED).any():
        drawing.hatch(picture, (sample.valid & Validity.FILLED) > 0)
    return picture


def _draw_labels(picture: Picture, volume: Volume, state: ViewState, frame: PlaneFrame) -> None:
    height = drawing.text_height(frame.size)
    if not height:
        return
    rows, columns = frame.size
    margin = round(1.4 * height)
    top, line = margin + height // 2, 2 * height
    color = drawing.PLANE_COLORS[frame.plane]
    drawing.draw_text(
        picture, frame.plane.capitalize(), (top, margin), height=height, color=color
    )
    drawing.draw_text(picture, place_text(frame), (top + line, margin), height=height)
    window = window_text(volume, state)
    drawing.draw_text(picture, window, (rows - top, margin), height=height)
    edges = {
        (top, columns // 2): "centre",
        (rows - top, columns // 2): "centre",
        (rows // 2, margin): "left",
        (rows // 2, columns - margin): "right",
    }
    drawing.draw_edges(
        picture, dict(zip(edges, _EDGES[frame.plane], strict=True)), height=height
    )
    drawing.draw_scale_bar(picture, frame.mm_per_pixel, height=height, margin=margin)


def place_text(frame: PlaneFrame) -> str:
    """Return where the plane lies, such as ``"I 120.5 mm"``: a letter, never a sign."""
    position = round(frame.position, 1)
    rising, falling = _RISING[NORMAL[frame.plane]]
    return f"{rising if position >= 0 else falling} {abs(position):.1f} mm"


def window_text(volume: Volume, state: ViewState) -> str:
    """Return centre, width and name of the window, such as ``"C 40  W 400  soft tissue"``."""
    window = shown_window(volume, state)
    name = state.window_name if volume.unit == "HU" else f"{volume.unit} values"
    return f"C {window.center:g}  W {window.width:g}  {name}".rstrip()


def badges_of(volume: Volume, sample: PlaneSample) -> dict[str, drawing.Color]:
    """Return what a viewer must know about the values shown, with the badge's colour."""
    badges = {}
    if volume.report.status != Status.OK:
        badges[volume.report.status.upper()] = drawing.AMBER
    seen = int(np.bitwise_or.reduce(sample.valid, axis=None))
    if seen & Validity.FILLED:
        badges["FILLED"] = drawing.AMBER
    if seen & Validity.RESAMPLED:
        badges["RESAMPLED"] = drawing.BLUE
    return badges


def _draw_badges(picture: Picture, volume: Volume, sample: PlaneSample) -> None:
    height = drawing.text_height(picture.shape[:2])
    if not height:
        return
    badges = badges_of(volume, sample)
    drawing.draw_badges(picture, badges, height=height)
    if (sample.valid & Validity.PADDING).all():
        drawing.draw_sentence(picture, "outside the volume", height=height)
