"""Slice panes: (volume, state) -> picture, by numpy and OpenCV, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.frames import crosshair_of, plane_frame
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.lettering import Picture
from hounsview_vizapp.panes.buffers import buffers_of_thread
from hounsview_vizapp.panes.captions import Captions, text_height
from hounsview_vizapp.panes.coloring import colored, lay_labels, shown_window
from hounsview_vizapp.panes.marks import draw_measurements
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.sampling import sample_labels, sample_plane

_CROSSING: Final = {
    "axial": ("coronal", "sagittal"),
    "coronal": ("axial", "sagittal"),
    "sagittal": ("axial", "coronal"),
}
"""The planes seen as a row and as a column in each plane."""


def slice_pane(
    volume: Volume,
    state: ViewState,
    plane: str,
    size: tuple[int, int],
    *,
    pixel_ratio: float = 1.0,
    labels: npt.NDArray[np.uint8] | None = None,
    pointer: Sequence[float] | None = None,
    selected: int | None = None,
) -> Picture:
    """Return the picture of one plane through the crosshair.

    Always in patient orientation and with mm in both directions alike, whatever way the
    array was stored. Padding and what lies outside are slate, not black; filled slices are
    hatched; a repaired or resampled volume says so, with text switched off too. Other text
    that finds no room is left out, the least needed first.

    Parameters
    ----------
    volume : Volume
    state : ViewState
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    size : (rows, columns)
        Of the picture, device pixels.
    pixel_ratio : float
        Device pixels in one pixel of the screen's coordinates: text and lines grow by it.
    labels : (k, j, i) uint8, optional
        On the volume's grid, drawn in the styles of `state.overlays`; those of the plane
        itself, also where a slab is shown.
    pointer : (x, y, z) float, LPS mm, optional
        What lies there is written at the bottom.
    selected : int, optional
        Which of `state.measurements` is drawn as the selected one.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    ArgumentError
        If there is no such plane, a side of the pane is below 1 pixel, the pixel ratio is
        not above 0, or the labels do not lie on the volume's grid.
    """
    if not pixel_ratio > 0:
        msg = f"a pixel ratio is above 0, not {pixel_ratio}"
        raise ArgumentError(msg)
    frame = plane_frame(volume.geometry, state, plane, size)
    buffers = buffers_of_thread()
    sample = sample_plane(volume, frame, buffers)
    picture = colored(sample, shown_window(volume, state), state.colormap, buffers)
    if labels is not None:
        lay_labels(picture, sample_labels(_checked(labels, volume), frame), state.overlays)
    if state.show_crosshair:
        at = frame.to_pixel(crosshair_of(volume.geometry, state))
        across, along = (drawing.PLANE_COLORS[name] for name in _CROSSING[plane])
        drawing.draw_crosshair(picture, at, across, along, pixel_ratio=pixel_ratio)
    page = Page(picture, text_height(frame.size, pixel_ratio))
    captions = Captions(volume, state, frame, sample)
    captions.write(page)
    if state.show_labels and page.height and pointer is not None:
        captions.write_reading(page, pointer)
    draw_measurements(
        page,
        volume,
        frame,
        state.measurements,
        selected=selected,
        texts=state.show_labels,
        pixel_ratio=pixel_ratio,
    )
    return picture


def _checked(labels: npt.NDArray[np.uint8], volume: Volume) -> npt.NDArray[np.uint8]:
    if labels.shape != volume.shape or labels.dtype != np.uint8:
        msg = (
            f"labels must be uint8 of shape {volume.shape} (k, j, i), "
            f"not {labels.dtype} of shape {labels.shape}"
        )
        raise ArgumentError(msg)
    return np.ascontiguousarray(labels)
