"""Text on a picture that never overlaps: what finds no room is left out, first come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hounsview_vizapp import drawing, lettering
from hounsview_vizapp.drawing import Anchor
from hounsview_vizapp.drawing import Box as Box
from hounsview_vizapp.lettering import Color, Picture

_ROWS_DOWN: Final = 8
"""How many rows down a text at the edge looks for room."""


class Page:
    """A picture, and which parts of it text has taken.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    height : int
        Of capitals, px.

    Attributes
    ----------
    taken : list of Box
    """

    def __init__(self, picture: Picture, height: int) -> None:
        self.picture = picture
        self.height = height
        self.taken: list[Box] = []

    @property
    def margin(self) -> int:
        """Between text and the picture's edge, px."""
        return round(1.4 * self.height)

    @property
    def line(self) -> int:
        """From one line of text to the next, px."""
        return 2 * self.height

    def free(self, box: Box) -> bool:
        """Return whether a box lies in the picture and overlaps nothing."""
        return drawing.is_free(box, self.picture.shape[:2], self.taken)

    def keep_free(self, box: Box) -> None:
        """Let no later text cover a box."""
        self.taken.append(box)

    def write(
        self,
        texts: Sequence[str],
        at: tuple[int, int],
        *,
        anchor: Anchor = "left",
        color: Color = drawing.TEXT,
        height: int | None = None,
        shaded: bool = False,
    ) -> bool:
        """Write the first of several texts, longest first, that finds room at (row, column).

        Where it may lie on anything, it is `shaded`: the picture is darkened behind it.
        """
        height = height or self.height
        for text in texts:
            box = self.box_of(text, at, anchor=anchor, height=height)
            if text and self.free(box):
                self.taken.append(box)
                if shaded:
                    drawing.shade(self.picture, box)
                drawing.draw_text(
                    self.picture, text, at, height=height, color=color, anchor=anchor
                )
                return True
        return False

    def write_below(
        self, texts: Sequence[str], row: int, *, color: Color = drawing.TEXT
    ) -> int | None:
        """Write the first text that finds room at the left edge, in this row or a lower one.

        Returns
        -------
        int or None
            The row after it; None where none found room.
        """
        for text in texts:
            for lower in range(row, row + _ROWS_DOWN * self.line, self.line):
                if self.write([text], (lower, self.margin), color=color):
                    return lower + self.line
        return None

    def box_of(
        self,
        text: str,
        at: tuple[int, int],
        *,
        anchor: Anchor = "left",
        height: int | None = None,
    ) -> Box:
        """Return the box around the letters of a text and a little room for its halo."""
        height = height or self.height
        width = lettering.text_width(text, height)
        left = at[1] - {"left": 0, "centre": width // 2, "right": width}[anchor]
        half, room = (9 * height + 9) // 10, (height + 2) // 3
        return at[0] - half, left - room, at[0] + half, left + width + room

    def badges(self, badges: dict[str, Color]) -> None:
        """Draw badges from the top right corner on; none is left out, in no picture."""
        self.taken += drawing.draw_badges(
            self.picture, badges, height=self.height, taken=self.taken
        )

    def scale_bar(self, mm_per_pixel: float) -> None:
        """Draw a scale bar in the bottom right corner."""
        rows, columns = self.picture.shape[:2]
        length_mm, length = drawing.scale_bar_length(mm_per_pixel, (rows, columns))
        width = max(length, lettering.text_width(f"{length_mm:g} mm", self.height))
        right, bottom = columns - self.margin, rows - self.margin
        box = (bottom - round(2.6 * self.height), right - width - 2, bottom + 4, right + 2)
        if self.free(box):
            self.taken.append(box)
            drawing.draw_scale_bar(
                self.picture, mm_per_pixel, height=self.height, margin=self.margin
            )

    def block_size(self, lines: Sequence[str]) -> tuple[int, int]:
        """Return the (rows, columns) of lines below each other, with the room around them."""
        width = max(lettering.text_width(text, self.height) for text in lines)
        return self.line * (len(lines) - 1) + 2 * self._half, width + 2 * self._room

    def write_block(self, lines: Sequence[str], box: Box, color: Color) -> None:
        """Write lines below each other on a darkened box of `block_size`."""
        drawing.shade(self.picture, box)
        for number, text in enumerate(lines):
            at = (box[0] + self._half + number * self.line, box[1] + self._room)
            drawing.draw_text(self.picture, text, at, height=self.height, color=color)

    @property
    def _half(self) -> int:
        return (9 * self.height + 9) // 10

    @property
    def _room(self) -> int:
        return (self.height + 2) // 3
