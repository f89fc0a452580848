"""What is written around a plane: where it is, and what must be known of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hounsview.frames import PlaneFrame, crosshair_of
from hounsview.planes import direction_letters, patient_text
from hounsview.viewstate import ViewState
from hounsview.volume import Validity, Volume
from hounsview.windows import Window
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Anchor
from hounsview_vizapp.lettering import Color
from hounsview_vizapp.panes.coloring import shown_window, shows_full_range
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.pointer import reading_at
from hounsview_vizapp.panes.sampling import PlaneSample
from hounsview_vizapp.panes.slabs import slab_text
from hounsview_vizapp.panes.stepping import slice_number

_WIDE: Final = 20.0
"""Width of a window, HU, from which on its numbers are said without a fraction."""


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
        """Write everything that finds room, the most needed first, and every badge.

        Badges stay where text is off: they say what the values are, not where.
        """
        said = self.state.show_labels and page.height > 0
        if said:
            self._write_edges(page)
        page.badges(badges_of(self.volume, self.sample))
        if not said:
            return
        rows = self.frame.size[0]
        top, margin = page.margin + page.height // 2, page.margin
        self._write_place(page, top)
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
        above, *below = reading_at(self.volume, point, self.frame).lines()
        if self.frame.reach:
            above = f"in the plane: {above}"
        # A little above the window's line, so that it also keeps clear of the edge's letter.
        apart = page.height // 2 + page.line + (2 * page.height + 4) // 5
        bottom = self.frame.size[0] - page.margin - apart
        for number, text in enumerate((above, *below)):
            row = bottom - page.line * (len(below) - number)
            shorter = [text.rsplit("   ", n)[0] for n in range(text.count("   ") + 1)]
            page.write(shorter, (row, page.margin), color=drawing.BLUE, shaded=True)

    def _write_place(self, page: Page, row: int) -> None:
        """Write plane, place, number of the slice and slab from the top left corner down."""
        color = drawing.PLANE_COLORS[self.frame.plane]
        name = [self.frame.plane.capitalize()]
        named = page.write(name, (row, page.margin), color=color)
        place, counter = self._place(), self._counter()
        row += page.line if named else 0
        after = page.write_below(["   ".join(filter(None, (place[0], counter)))], row)
        if after is None:
            # The number tells more than the place does: the crosshair's is in the other panes.
            after = page.write_below([counter], row) or row
            after = page.write_below(place, after) or after
        if not named:
            after = page.write_below(name, after, color=color) or after
        for texts, color in self._details():
            after = page.write_below(texts, after, color=color) or after

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

    def _place(self) -> list[str]:
        if any(self.frame.oblique):
            angles = (f"{round(angle, 1) + 0.0:g}" for angle in self.frame.oblique)
            return [f"turned {' / '.join(angles)}°", "turned"]
        place = place_text(self.frame)
        return [place, place.removesuffix(" mm")]

    def _counter(self) -> str:
        if not self.frame.inside:
            return ""
        return "{}/{}".format(*slice_number(self.volume, self.state, self.frame.plane))

    def _details(self) -> list[tuple[list[str], Color]]:
        """Return texts, longest first, and colours of what is said below the place."""
        frame = self.frame
        slab = slab_text(frame.slab, frame.slices, "slice" if frame.follows_array else "layer")
        details = [([slab, slab.split(" (")[0]], drawing.BLUE)]
        if any(frame.oblique):
            through = patient_text(crosshair_of(self.volume.geometry, self.state))
            shorter = through.removesuffix(" mm")
            details.append(([f"through {through}", f"through {shorter}"], drawing.TEXT))
        if not frame.follows_array:
            details.append((["interpolated"], drawing.BLUE))
        return details


def place_text(frame: PlaneFrame) -> str:
    """Return where a plane lies, such as ``"I 120.5 mm"``: a letter, never a sign."""
    part = ("sagittal", "coronal", "axial").index(frame.plane)
    return patient_text(frame.origin).removesuffix(" mm").split("  ")[part] + " mm"


def window_texts(volume: Volume, state: ViewState) -> list[str]:
    """Return centre, width and name of the window, such as ``"C 40  W 400  soft tissue"``.

    The second text is the same without the name.
    """
    window, name = shown_window(volume, state), state.window_name
    numbers = f"C {_window_number(window.center, window, volume.unit)}"
    numbers += f"  W {_window_number(window.width, window, volume.unit)}"
    if volume.unit != "HU":
        name = "full range" if shows_full_range(volume, state) else name
        name = ", ".join(filter(None, (name, f"{volume.unit} values")))
    return [f"{numbers}  {name}".rstrip(), numbers]


def _window_number(value: float, window: Window, unit: str) -> str:
    if unit != "HU":
        return f"{value:.4g}"
    # Whole HU say enough, but for windows that are narrower than the noise.
    digits = 0 if window.width >= _WIDE else 1
    return f"{round(value, digits) + 0.0:g}"


def badges_of(volume: Volume, sample: PlaneSample) -> dict[str, Color]:
    """Return what a viewer must know about the values shown, with the badge's colour."""
    badges = drawing.status_badge(volume)
    seen = int(np.bitwise_or.reduce(sample.valid, axis=None))
    if seen & Validity.FILLED:
        badges["FILLED"] = drawing.AMBER
    if seen & Validity.RESAMPLED:
        badges["RESAMPLED"] = drawing.BLUE
    return badges
