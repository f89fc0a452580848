"""What is written around a plane: where it is, and what must be known of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hounsview.findings import Status
from hounsview.planes import direction_letters, patient_text
from hounsview.viewstate import ViewState
from hounsview.volume import Validity, Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Anchor
from hounsview_vizapp.lettering import Color
from hounsview_vizapp.panes.coloring import shown_window
from hounsview_vizapp.panes.frames import PlaneFrame
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.pointer import reading_at
from hounsview_vizapp.panes.sampling import PlaneSample
from hounsview_vizapp.panes.slabs import slab_text
from hounsview_vizapp.panes.stepping import slice_number


def text_height(size: tuple[int, int], pixel_ratio: float = 1.0) -> int:
    """Return the height of capitals that suits a pane, device pixels; 0: none does."""
    rows, columns = (round(side / pixel_ratio) for side in size)
    return round(drawing.text_height((rows, columns)) * pixel_ratio)


@dataclass(frozen=True, eq=False)
class Captions:
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
            middle = self.frame.to_patient((np.asarray(self.frame.size) - 1) / 2)
            geometry = self.volume.geometry
            here = geometry.contains(geometry.to_index(middle))
            text = "nothing was measured here" if here else "outside the volume"
            drawing.draw_sentence(page.picture, text, height=page.height)

    def write_reading(self, page: Page, point: Sequence[float]) -> None:
        """Write what lies under the pointer above the window's line, where it fits."""
        above, *below = reading_at(self.volume, point).lines()
        if self.state.slab.thickness:
            above = f"in the plane: {above}"
        # A little above the window's line, so that it also keeps clear of the edge's letter.
        apart = page.height // 2 + page.line + (2 * page.height + 4) // 5
        bottom = self.frame.size[0] - page.margin - apart
        for number, text in enumerate((above, *below)):
            row = bottom - page.line * (len(below) - number)
            shorter = [text.rsplit("   ", n)[0] for n in range(text.count("   ") + 1)]
            page.write(shorter, (row, page.margin), color=drawing.BLUE, shaded=True)

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
        turned = any(self.frame.oblique)
        angles = "{:g} / {:g} / {:g}".format(*self.frame.oblique)
        place = f"turned {angles}°" if turned else place_text(self.frame)
        shorter = [place, "turned"] if turned else [place]
        if self.frame.follows_array and not self.frame.shown.inside:
            return shorter
        number, count = slice_number(self.volume, self.state, self.frame.plane)
        return [f"{place}   {number}/{count}", *shorter]


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
