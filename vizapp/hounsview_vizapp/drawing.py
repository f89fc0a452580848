"""Text, badges, lines and the scale bar, drawn onto (rows, columns, 3) uint8 RGB."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.findings import Status
from hounsview.slices import NOT_MEASURED as NOT_MEASURED
from hounsview.volume import Volume
from hounsview_vizapp import lettering
from hounsview_vizapp.lettering import Color as Color
from hounsview_vizapp.lettering import Picture as Picture
from hounsview_vizapp.lettering import text_width as text_width

Anchor = Literal["left", "centre", "right"]
Box = tuple[int, int, int, int]
"""(top, left, bottom, right), px; bottom and right are the first pixels outside."""

TEXT: Final[Color] = (226, 230, 236)
FAINT: Final[Color] = (150, 158, 170)
AMBER: Final[Color] = (255, 186, 73)
BLUE: Final[Color] = (122, 184, 255)
PLANE_COLORS: Final[dict[str, Color]] = {
    "axial": (255, 112, 102),
    "coronal": (104, 214, 140),
    "sagittal": (255, 206, 92),
    "3d": (178, 160, 255),
}

_SMALLEST_PANE: Final = 96


def blank(size: tuple[int, int], color: Color = NOT_MEASURED) -> Picture:
    """Return a (rows, columns, 3) picture of one colour."""
    picture = np.empty((*size, 3), np.uint8)
    picture[:1] = color
    # Rows are copied as blocks, many times as fast as three bytes at a time.
    picture[1:] = picture[:1]
    return picture


def text_height(size: tuple[int, int]) -> int:
    """Return the height of capitals, px, that suits a pane; 0: too small for text."""
    shorter = min(size)
    return 0 if shorter < _SMALLEST_PANE else int(np.clip(round(shorter / 54), 7, 15))


def draw_text(
    picture: Picture,
    text: str,
    at: tuple[int, int],
    *,
    height: int,
    color: Color = TEXT,
    anchor: Anchor = "left",
) -> None:
    """Write a text with a dark halo, so that it can be read on black and on bone.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    text : str
        Latin letters with an accent, "°", "µ", "²" and "³" are drawn as they are; other
        characters outside ASCII become "?".
    at : (row, column)
        Middle of the capitals' height; left end, centre or right end by `anchor`.
    height : int
        Of capitals, px.
    """
    if not text or height < 1:
        return
    top, left, _, _ = text_box(text, at, height=height, anchor=anchor)
    lettering.lay(picture, lettering.text_stamp(text, height, color), (top, left))


def elided(text: str, width: int, height: int) -> str:
    """Return the text, or its beginning and "...", at most so many px wide; "" if none is."""
    if text_width(text, height) <= width:
        return text
    shorter = text
    while shorter and text_width(f"{shorter.rstrip()}...", height) > width:
        shorter = shorter[:-1]
    return f"{shorter.rstrip()}..." if shorter else ""


def text_box(
    text: str, at: tuple[int, int], *, height: int, anchor: Anchor = "left"
) -> tuple[int, int, int, int]:
    """Return (top, left, bottom, right) of what `draw_text` draws over, halo included."""
    margin, width = lettering.margin_of(height), text_width(text, height)
    left = at[1] - {"left": 0, "centre": width // 2, "right": width}[anchor] - margin
    top = at[0] - height - margin
    return top, left, top + 2 * (height + margin), left + width + 2 * margin


def draw_badge(
    picture: Picture, text: str, at: tuple[int, int], *, height: int, color: Color
) -> int:
    """Draw dark text on a rounded plate; return the column left of it, for the next one.

    `at` is the (row of the middle, right end).
    """
    rows, columns = lettering.plate_size(text, height)
    left = at[1] - columns
    stamp = lettering.plate_stamp(text, height, color)
    lettering.lay(picture, stamp, (at[0] - rows // 2, left))
    return left - height // 2


def nice_length(longest: float) -> float:
    """Return the largest of ..., 1, 2, 5, 10, 20, 50, ... that is at most `longest`.

    >>> nice_length(130.0), nice_length(0.7)
    (100.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9))


def scale_bar_length(mm_per_pixel: float, size: tuple[int, ...]) -> tuple[float, int]:
    """Return how long the scale bar of a pane is, (mm, px): a quarter of its shorter side."""
    length_mm = nice_length(mm_per_pixel * min(size[:2]) * 0.25)
    return length_mm, max(1, round(length_mm / mm_per_pixel))


def draw_scale_bar(
    picture: Picture, mm_per_pixel: float, *, height: int, margin: int
) -> tuple[float, int]:
    """Draw a scale bar in the bottom right corner; return its length in (mm, px)."""
    rows, columns = picture.shape[:2]
    length_mm, length = scale_bar_length(mm_per_pixel, picture.shape)
    right, row = columns - margin, rows - margin - 1
    left, tick, thick = right - length, max(3, height // 2), max(1, height // 6)
    room = max(1, thick // 2)
    shadow = picture[row - tick - room : row + thick + room, left - room : right + room]
    shadow //= 3
    picture[row : row + thick, left:right] = TEXT
    picture[row - tick : row + thick, left : left + thick] = TEXT
    picture[row - tick : row + thick, right - thick : right] = TEXT
    draw_text(
        picture, f"{length_mm:g} mm", (row - tick - height, right), height=height,
        anchor="right",
    )  # fmt: skip
    return length_mm, length


def draw_crosshair(
    picture: Picture,
    at: tuple[float, float],
    row_color: Color,
    column_color: Color,
    *,
    pixel_ratio: float = 1.0,
) -> None:
    """Draw two thin lines through (row, column), with a gap that leaves the point free."""
    rows, columns = picture.shape[:2]
    gap = max(2, min(rows, columns) // 40)
    thick = max(1, round(pixel_ratio))
    row, column = (math.floor(value + 0.5) for value in at)
    for start, stop in ((0, column - gap), (column + gap + 1, columns)):
        _hairline(picture[:, max(0, start) : max(0, stop)], row, thick, row_color)
    for start, stop in ((0, row - gap), (row + gap + 1, rows)):
        part = picture[max(0, start) : max(0, stop)]
        _hairline(part.swapaxes(0, 1), column, thick, column_color)


def hatch(picture: Picture, where: npt.NDArray[np.uint8], color: Color = AMBER) -> None:
    """Draw diagonal lines over the pixels of a (rows, columns) mask that are not 0."""
    left, top, columns, rows = cv2.boundingRect(where)
    box = (slice(top, top + rows), slice(left, left + columns))
    lines = np.where(where[box] > 0, _stripes(*where.shape)[box], np.uint8(0))
    part = picture[box]
    tinted = cv2.addWeighted(part, 0.35, blank((rows, columns), color), 0.65, 0)
    np.copyto(part, cv2.copyTo(tinted, lines, part.copy()))


def shade(picture: Picture, box: tuple[int, int, int, int]) -> None:
    """Darken the (top, left, bottom, right) of a picture, which must lie in it."""
    top, left, bottom, right = box
    part = picture[top:bottom, left:right]
    part[:] = cv2.convertScaleAbs(part, alpha=0.4)


def draw_edges(picture: Picture, letters: dict[tuple[int, int], str], *, height: int) -> None:
    """Write orientation letters at (row, column); those left and right keep inside."""
    columns = picture.shape[1]
    for (row, column), letter in letters.items():
        anchor: Any = "centre"
        if column < columns // 4:
            anchor = "left"
        elif column > columns * 3 // 4:
            anchor = "right"
        draw_text(picture, letter, (row, column), height=round(1.25 * height), anchor=anchor)


def draw_badges(
    picture: Picture,
    badges: dict[str, Color],
    *,
    height: int,
    taken: Sequence[Box] = (),
) -> list[Box]:
    """Draw badges from the top right corner to the left and down; return their boxes.

    None is ever left out. A picture too small for text gets a mark in the corner.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    badges : dict of text -> colour
    height : int
        Of capitals, px; 0: too small for text.
    taken : sequence of (top, left, bottom, right), px
        Where they may not lie.
    """
    if not height:
        return [_corner_mark(picture, list(badges.values()))] if badges else []
    drawn: list[Box] = []
    for text, color in badges.items():
        # Where there is no room beside what is taken, a badge covers it, but no other badge.
        box = _place_of_badge(
            text, height, picture.shape[:2], (*taken, *drawn)
        ) or _place_of_badge(text, height, picture.shape[:2], drawn)
        if box is None:
            drawn.append(_corner_mark(picture, list(badges.values())))
            continue
        drawn.append(box)
        middle = box[0] + (box[2] - box[0]) // 2
        draw_badge(picture, text, (middle, box[3]), height=height, color=color)
    return drawn


def _place_of_badge(
    text: str, height: int, size: tuple[int, ...], taken: Sequence[Box]
) -> Box | None:
    """Return the first free box from the top right corner to the left, then farther down."""
    rows, columns = lettering.plate_size(text, height)
    margin, apart = round(1.4 * height), max(2, height // 2)
    first = margin + height // 2 - rows // 2
    ends = [size[1] - margin, *(left - apart for _, left, _, _ in taken)]
    tops = sorted({first, *(bottom + apart for _, _, bottom, _ in taken)})
    for top in tops:
        for right in sorted(ends, reverse=True):
            box = (top, right - columns, top + rows, right)
            if top >= first and right <= ends[0] and is_free(box, size, taken):
                return box
    return None


def _corner_mark(picture: Picture, colors: Sequence[Color]) -> Box:
    """Fill the top right corner, in amber if any of the colours is; return its box."""
    columns = picture.shape[1]
    side = max(3, min(picture.shape[:2]) // 8)
    box = (0, max(0, columns - side), side, columns)
    picture[: side + 1, max(0, box[1] - 1) :] = 0
    picture[:side, box[1] :] = AMBER if AMBER in colors else colors[0]
    return box


def is_free(box: Box, size: tuple[int, ...], taken: Sequence[Box]) -> bool:
    """Return whether a box lies in a picture of (rows, columns) and overlaps no other box."""
    top, left, bottom, right = box
    if top < 0 or left < 0 or bottom > size[0] or right > size[1]:
        return False
    return all(
        bottom <= other_top or top >= other_bottom or right <= other_left or left >= other_right
        for other_top, other_left, other_bottom, other_right in taken
    )


def status_badge(volume: Volume) -> dict[str, Color]:
    """Return the badge of a volume that is not as its files have it; empty otherwise."""
    status = volume.report.status
    return {} if status == Status.OK else {status.upper(): AMBER}


def draw_sentence(picture: Picture, text: str, *, height: int, color: Color = FAINT) -> None:
    """Write a sentence in the middle of a picture, broken into lines that fit."""
    widest = picture.shape[1] - 4 * height
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, height) <= widest:
            lines[-1] = longer
        else:
            lines.append(word)
    step = round(height * 2.2)
    row = picture.shape[0] // 2 - step * (len(lines) - 1) // 2
    for number, line in enumerate(lines):
        at = (row + number * step, picture.shape[1] // 2)
        draw_text(picture, line, at, height=height, color=color, anchor="centre")


def _hairline(picture: Picture, row: int, thick: int, color: Color) -> None:
    """Tint a row, and darken those beside it, so that it is seen on air and on bone."""
    first = row - (thick - 1) // 2
    for place, share, tint in (
        (slice(first - thick, first), 0.4, (0, 0, 0)),
        (slice(first, first + thick), 0.75, color),
        (slice(first + thick, first + 2 * thick), 0.4, (0, 0, 0)),
    ):
        part = picture[max(0, place.start) : max(0, place.stop)]
        added = np.array(tint, np.float32) * share
        part[:] = (part * np.float32(1 - share) + added).astype(np.uint8)


@lru_cache(maxsize=8)
def _stripes(rows: int, columns: int) -> npt.NDArray[np.uint8]:
    row, column = np.ogrid[:rows, :columns]
    return np.where((row + column) % 14 < 2, np.uint8(255), np.uint8(0))
