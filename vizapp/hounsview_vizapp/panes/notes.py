"""What is written at measurements: their numbers in the table, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.frames import Floats
from hounsview_vizapp import drawing, lettering
from hounsview_vizapp.lettering import Color, Picture
from hounsview_vizapp.panes.page import Box, Page

Marks = npt.NDArray[np.uint8]

_FARTHEST: Final = 24
"""How far from its shape a text may lie, in heights of a capital."""
_NEAR: Final = 2
"""How far, in heights, a text may lie and still be seen to belong to its shape."""
_FINE_BITS: Final = 4
_HALO: Final[Color] = (8, 10, 14)


@dataclass(frozen=True, eq=False)
class Note:
    """What belongs to one shape.

    Parameters
    ----------
    number : str
        Its place in the table of measurements; empty where there is but one.
    name : str
        What a person wrote; may be empty.
    lines : tuple of str
        What was measured, the most needed first.
    outline : (n, 2) float64 px
        (row, column) of points along the shape that are in the picture, close together.
    handles : (n, 2) float64 px
    color : (red, green, blue)
    closed : bool
        Whether the shape has an inside, which is kept free.
    """

    number: str
    name: str
    lines: tuple[str, ...]
    outline: Floats
    handles: Floats
    color: Color
    closed: bool

    @property
    def texts(self) -> list[list[str]]:
        """The lines behind the number, and shorter: then they end in "..."."""
        before = f"{self.number}  " if self.number else ""
        whole = [text for text in (self.name, *self.lines) if text]
        shorter = [[f"{before}{self.lines[0]} ..."]] if len(whole) > 1 else []
        return [[before + whole[0], *whole[1:]], *shorter]


def write_notes(page: Page, notes: Sequence[Note], pixel_ratio: float) -> None:
    """Write numbers at shapes and texts beside them; the first ones have the first claim.

    A text that cannot lie next to its shape gets a line to it. One that finds no room is
    left out as a whole, or ends in "...": its number still leads to the table.
    """
    room = _Room(page, notes)
    for note in notes:
        if note.number:
            _write_number(page, room, note, pixel_ratio)
    placed = [(note, *found) for note in notes if (found := _place(page, room, note))]
    # Lines before texts, so that none runs through a text.
    for note, _, box in placed:
        _lead(page.picture, note, box, far=_NEAR * page.height, pixel_ratio=pixel_ratio)
    for note, lines, box in placed:
        page.write_block(lines, box, note.color)


class _Room:
    """Which parts of a page texts have taken, and through which ones shapes run.

    It counts in square cells, so that all the places of a text are looked at together.
    """

    def __init__(self, page: Page, notes: Sequence[Note]) -> None:
        self._page = page
        self.cell = max(3, page.height // 3)
        rows, columns = (side // self.cell for side in page.picture.shape[:2])
        self._taken = np.zeros((rows, columns), np.uint8)
        for box in page.taken:
            self._taken[self._cells(box)] = 1
        self._crossed = self._taken.copy()
        for note in notes:
            self._crossed |= cv2.dilate(self._shape(note), np.ones((3, 3), np.uint8))

    def _cells(self, box: Box) -> tuple[slice, slice]:
        top, left, bottom, right = box
        return (
            slice(max(0, top // self.cell), max(0, -(-bottom // self.cell))),
            slice(max(0, left // self.cell), max(0, -(-right // self.cell))),
        )

    def _shape(self, note: Note) -> Marks:
        """Return (rows, columns) of cells: 1 in a shape and on its outline."""
        mask = np.zeros_like(self._taken)
        at = np.clip((note.outline / self.cell).astype(int), 0, np.maximum(1, mask.shape) - 1)
        if mask.size:
            mask[at[:, 0], at[:, 1]] = 1
            if note.closed:
                cv2.fillPoly(mask, [np.ascontiguousarray(at[:, ::-1], np.int32)], 1)
        return mask

    def free(self, box: Box, *, of_shapes: bool) -> bool:
        """Return whether a box lies in the picture, and clear of texts (and of shapes)."""
        if not drawing.is_free(box, self._page.picture.shape[:2], ()):
            return False
        mask = self._crossed if of_shapes else self._taken
        return not mask[self._cells(box)].any()

    def take(self, box: Box) -> None:
        """Let nothing else lie there."""
        self._page.keep_free(box)
        for mask in (self._taken, self._crossed):
            mask[self._cells(box)] = 1

    def nearest(
        self, note: Note, size: tuple[int, int], farthest: float, *, of_shapes: bool
    ) -> Box | None:
        """Return the free box of a size, (rows, columns) px, that is nearest to a shape."""
        deep, wide = (-(-side // self.cell) for side in size)
        mask = self._crossed if of_shapes else self._taken
        rows, columns = mask.shape[0] - deep + 1, mask.shape[1] - wide + 1
        if min(rows, columns) < 1:
            return None
        sums = cv2.integral(mask)
        filled = sums[deep:, wide:] - sums[:-deep, wide:] - sums[deep:, :-wide]
        filled += sums[:-deep, :-wide]
        shape = self._shape(note)
        away = cv2.distanceTransform(1 - shape, cv2.DIST_L2, 3)
        window = np.ones((deep, wide), np.uint8)
        # The least distance of any cell of a box that begins here.
        gaps = cv2.erode(away, window, anchor=(0, 0))[:rows, :columns]
        top, right = _corner(shape)
        # Of places equally near the one to the right and at the upper edge is best.
        row, column = np.ogrid[:rows, :columns]
        cost = gaps + 0.04 * np.abs(row - top) + 0.04 * np.abs(column - right)
        cost[(filled > 0) | (gaps < 1) | (gaps * self.cell > farthest)] = np.inf
        best = np.unravel_index(int(cost.argmin()), cost.shape)
        if not np.isfinite(cost[best]):
            return None
        y, x = (int(at) * self.cell for at in best)
        return y, x, y + size[0], x + size[1]


def _corner(mask: Marks) -> tuple[int, int]:
    """Return (row, column) of the upper right corner of what is not 0."""
    left, top, columns, _ = cv2.boundingRect(mask)
    return top, left + columns


def _write_number(page: Page, room: _Room, note: Note, pixel_ratio: float) -> None:
    """Write a number close to one of the handles, clear of every shape if it can be."""
    height = page.height
    rows, columns = round(1.7 * height), lettering.text_width(note.number, height) + height // 2
    away = round(6 * pixel_ratio) + room.cell // 2
    for of_shapes in (True, False):
        for row, column in np.rint(note.handles).astype(int):
            above, below = row - away - rows, row + away
            before, after = column - away - columns, column + away
            middle = (row - rows // 2, column - columns // 2)
            corners = [
                (above, after), (above, before), (below, after), (below, before),
                (above, middle[1]), (below, middle[1]), (middle[0], after), (middle[0], before),
            ]  # fmt: skip
            for top, left in corners:
                box = (int(top), int(left), int(top) + rows, int(left) + columns)
                if room.free(box, of_shapes=of_shapes):
                    room.take(box)
                    drawing.shade(page.picture, box)
                    at = (box[0] + rows // 2, box[1] + columns // 2)
                    drawing.draw_text(
                        page.picture, note.number, at,
                        height=height, color=note.color, anchor="centre",
                    )  # fmt: skip
                    return


def _place(page: Page, room: _Room, note: Note) -> tuple[list[str], Box] | None:
    """Return the longest text that finds room, and where."""
    for lines in note.texts:
        for of_shapes, farthest in ((True, _FARTHEST), (False, _FARTHEST / 2)):
            size = page.block_size(lines)
            box = room.nearest(note, size, farthest * page.height, of_shapes=of_shapes)
            if box is not None:
                room.take(box)
                return lines, box
    return None


def _lead(picture: Picture, note: Note, box: Box, *, far: float, pixel_ratio: float) -> None:
    """Draw a dashed line from a text to the nearest point of its shape, unless it is near."""
    low, high = np.array(box[:2], float), np.array(box[2:], float) - 1
    nearest = np.clip(note.outline, low, high)
    gaps = np.linalg.norm(note.outline - nearest, axis=1)
    best = int(gaps.argmin())
    if gaps[best] <= far:
        return
    # Dashes, so that it is taken for no ruler.
    dash, thin = 4 * pixel_ratio, max(1, round(pixel_ratio))
    count = max(1, int(gaps[best] / (2 * dash)))
    for color, thick in ((_HALO, thin + 2), (note.color, thin)):
        for number in range(count):
            ends = (
                nearest[best] + share * (note.outline[best] - nearest[best])
                for share in ((number + 0.5) / count, (number + 1) / count)
            )
            start, end = (_fine(point) for point in ends)
            cv2.line(picture, start, end, color, thick, cv2.LINE_AA, _FINE_BITS)


def _fine(point: Floats) -> tuple[int, int]:
    """Return (column, row) in the fractions of a pixel that OpenCV draws with."""
    return round(float(point[1]) * 2**_FINE_BITS), round(float(point[0]) * 2**_FINE_BITS)
