"""Slice panes: (volume, state) -> picture, by numpy and OpenCV, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.findings import Status
from hounsview.planes import direction_letters, patient_text
from hounsview.viewstate import ViewState
from hounsview.volume import Validity, Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Anchor
from hounsview_vizapp.lettering import Color, Picture
from hounsview_vizapp.panes.buffers import buffers_of_thread
from hounsview_vizapp.panes.coloring import colored, lay_labels, shown_window
from hounsview_vizapp.panes.frames import PlaneFrame, crosshair_of, plane_frame
from hounsview_vizapp.panes.marks import draw_measurements
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.pointer import reading_at
from hounsview_vizapp.panes.sampling import PlaneSample, sample_labels, sample_plane
from hounsview_vizapp.panes.slabs import slab_text
from hounsview_vizapp.panes.stepping import slice_number

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
    hatched; a repaired or resampled volume says so. Text that finds no room is left out,
    the least needed first.

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
        On the volume's grid, drawn in the styles of `state.overlays`.
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
        If there is no such plane, a side of the pane is below 1 pixel, or the labels do
        not lie on the volume's grid.
    """
    frame = plane_frame(volume, state, plane, size)
    buffers = buffers_of_thread()
    sample = sample_plane(volume, frame, buffers)
    picture = colored(sample, shown_window(volume, state), state.colormap, buffers)
    if labels is not None:
        lay_labels(picture, sample_labels(_checked(labels, volume), frame), state.overlays)
    if state.show_crosshair:
        at = frame.to_pixel(crosshair_of(volume, state))
        across, along = (drawing.PLANE_COLORS[name] for name in _CROSSING[plane])
        drawing.draw_crosshair(picture, at, across, along, pixel_ratio=pixel_ratio)
    page = Page(picture, text_height(frame.size, pixel_ratio))
    if state.show_labels and page.height:
        Labels(volume, state, frame, sample).write(page)
        if pointer is not None:
            _write_pointer(page, volume, pointer)
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


def text_height(size: tuple[int, int], pixel_ratio: float = 1.0) -> int:
    """Return the height of capitals that suits a pane, device pixels; 0: none does."""
    rows, columns = (round(side / pixel_ratio) for side in size)
    return round(drawing.text_height((rows, columns)) * pixel_ratio)


@dataclass(frozen=True, eq=False)
class Labels:
    """What is written around a plane: where it is, and what must be known of the values."""

    volume: Volume
    state: ViewState
    frame: PlaneFrame
    sample: PlaneSample

    def write(self, page: Page) -> None:
        """Write everything that finds room, the most needed first."""
        rows = self.frame.size[0]
        top, margin = page.margin + page.height // 2, page.margin
        self._write_edges(page)
        color = drawing.PLANE_COLORS[self.frame.plane]
        page.write([self.frame.plane.capitalize()], (top, margin), color=color)
        page.write(self._places(), (top + page.line, margin))
        slab = slab_text(self.state.slab)
        page.write([slab], (top + 2 * page.line, margin), color=drawing.BLUE)
        page.badges(badges_of(self.volume, self.sample))
        page.scale_bar(self.frame.mm_per_pixel)
        page.write(window_texts(self.volume, self.state), (rows - top, margin))
        if (self.sample.valid & np.uint8(Validity.PADDING)).all():
            drawing.draw_sentence(page.picture, "outside the volume", height=page.height)

    def _write_edges(self, page: Page) -> None:
        rows, columns = self.frame.size
        top, margin, height = page.margin + page.height // 2, page.margin, page.height
        right, down = self.frame.right, self.frame.down
        edges: list[tuple[Any, Anchor, tuple[int, int]]] = [
            (-down, "centre", (top, columns // 2)),
            (down, "centre", (rows - top, columns // 2)),
            (-right, "left", (rows // 2, margin)),
            (right, "right", (rows // 2, columns - margin)),
        ]
        for direction, anchor, at in edges:
            letters = direction_letters(direction)
            page.write([letters], at, anchor=anchor, height=round(1.25 * height))

    def _places(self) -> list[str]:
        if any(self.frame.oblique):
            angles = "{:g} / {:g} / {:g}".format(*self.frame.oblique)
            return [f"turned {angles}°", "turned"]
        place = place_text(self.frame)
        if self.frame.follows_array and not self.frame.shown.inside:
            return [place]
        number, count = slice_number(self.volume, self.state, self.frame.plane)
        return [f"{place}   {number}/{count}", place]


def place_text(frame: PlaneFrame) -> str:
    """Return where a plane lies, such as ``"I 120.5 mm"``: a letter, never a sign."""
    part = ("sagittal", "coronal", "axial").index(frame.plane)
    return patient_text(frame.origin).removesuffix(" mm").split("  ")[part] + " mm"


def window_texts(volume: Volume, state: ViewState) -> list[str]:
    """Return centre, width and name of the window, such as ``"C 40  W 400  soft tissue"``.

    The second text is the same without the name.
    """
    window = shown_window(volume, state)
    name = state.window_name if volume.unit == "HU" else f"{volume.unit} values"
    numbers = f"C {window.center:g}  W {window.width:g}"
    return [f"{numbers}  {name}".rstrip(), numbers]


def badges_of(volume: Volume, sample: PlaneSample) -> dict[str, Color]:
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


def _write_pointer(page: Page, volume: Volume, point: Sequence[float]) -> None:
    """Write the reading above the window's line, each line where it fits."""
    lines = reading_at(volume, point).lines()
    # A little above the window's line, so that it also keeps clear of the edge's letter.
    apart = page.height // 2 + page.line + (2 * page.height + 4) // 5
    bottom = page.picture.shape[0] - page.margin - apart
    for number, text in enumerate(lines):
        row = bottom - page.line * (len(lines) - 1 - number)
        shorter = [text.rsplit("   ", n)[0] for n in range(text.count("   ") + 1)]
        page.write(shorter, (row, page.margin), color=drawing.BLUE, shaded=True)


def _checked(labels: npt.NDArray[np.uint8], volume: Volume) -> npt.NDArray[np.uint8]:
    if labels.shape != volume.shape or labels.dtype != np.uint8:
        msg = (
            f"labels must be uint8 of shape {volume.shape} (k, j, i), "
            f"not {labels.dtype} of shape {labels.shape}"
        )
        raise ArgumentError(msg)
    return np.ascontiguousarray(labels)
