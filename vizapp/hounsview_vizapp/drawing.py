"""Text, badges, lines and the scale bar, drawn onto (rows, columns, 3) uint8 RGB.

OpenCV has only stroke fonts, which look rough at small sizes; so text is drawn four times
too large, reduced by area, and kept as a coverage mask.
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Color = tuple[int, int, int]
Anchor = Literal["left", "centre", "right"]

NOT_MEASURED: Final[Color] = (24, 28, 36)
"""Padding, and everything outside the volume: nothing was measured there."""
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

_FONT: Final = cv2.FONT_HERSHEY_DUPLEX
_CAP_HEIGHT: Final = 21.0  # pixels of a capital of this font at scale 1
_FINER: Final = 4
_SMALLEST_PANE: Final = 96


def blank(size: tuple[int, int], color: Color = NOT_MEASURED) -> Picture:
    """Return a (rows, columns, 3) picture of one colour."""
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = color
    return picture


def text_height(size: tuple[int, int]) -> int:
    """Return the height of capitals, px, that suits a pane; 0: too small for text."""
    shorter = min(size)
    return 0 if shorter < _SMALLEST_PANE else int(np.clip(round(shorter / 54), 7, 15))


def text_width(text: str, height: int) -> int:
    """Return how wide a text is, px."""
    return int(_glyphs(text, height)[0].shape[1]) - 2 * _margin(height)


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
        Accents are dropped, other characters outside ASCII become "?".
    at : (row, column)
        Middle of the capitals' height; left end, centre or right end by `anchor`.
    height : int
        Of capitals, px.
    """
    if not text or height < 1:
        return
    cover, halo = _glyphs(text, height)
    margin = _margin(height)
    width = cover.shape[1] - 2 * margin
    shift = {"left": 0, "centre": width // 2, "right": width}[anchor]
    top = at[0] - cover.shape[0] // 2
    left = at[1] - shift - margin
    _blend(picture, halo, (top, left), (0, 0, 0))
    _blend(picture, cover, (top, left), color)


def draw_badge(
    picture: Picture, text: str, at: tuple[int, int], *, height: int, color: Color
) -> int:
    """Draw dark text on a rounded plate; return the column left of it, for the next one.

    `at` is the (row of the middle, right end).
    """
    cover, _ = _glyphs(text, height)
    plate = _plate(text, height)
    left = at[1] - int(plate.shape[1])
    _blend(picture, plate, (at[0] - plate.shape[0] // 2, left), color)
    shift = (plate.shape[1] - cover.shape[1]) // 2
    _blend(picture, cover, (at[0] - cover.shape[0] // 2, left + shift), (20, 22, 26))
    return left - height // 2


def nice_length(longest: float) -> float:
    """Return the largest of ..., 1, 2, 5, 10, 20, 50, ... that is at most `longest`.

    >>> nice_length(130.0), nice_length(0.7)
    (100.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9))


def draw_scale_bar(
    picture: Picture, mm_per_pixel: float, *, height: int, margin: int
) -> tuple[float, int]:
    """Draw a scale bar in the bottom right corner; return its length in (mm, px)."""
    rows, columns = picture.shape[:2]
    length_mm = nice_length(mm_per_pixel * columns * 0.25)
    length = round(length_mm / mm_per_pixel)
    right = columns - margin
    row = rows - margin - 1
    left = right - length
    tick = max(3, height // 2)
    shadow = (slice(row - tick - 1, row + 3), slice(left - 1, right + 1))
    picture[shadow] //= 3
    picture[row : row + 2, left:right] = TEXT
    picture[row - tick : row + 2, left : left + 1] = TEXT
    picture[row - tick : row + 2, right - 1 : right] = TEXT
    draw_text(
        picture,
        f"{length_mm:g} mm",
        (row - tick - height, (left + right) // 2 if length > 6 * height else right),
        height=height,
        anchor="centre" if length > 6 * height else "right",
    )
    return length_mm, length


def draw_crosshair(
    picture: Picture, at: tuple[float, float], row_color: Color, column_color: Color
) -> None:
    """Draw two thin lines through (row, column), with a gap that leaves the point free."""
    rows, columns = picture.shape[:2]
    row, column = (math.floor(value + 0.5) for value in at)
    gap = max(2, min(rows, columns) // 40)
    if 0 <= row < rows:
        for part in (slice(0, max(0, column - gap)), slice(max(0, column + gap + 1), None)):
            _tint(picture[row, part], row_color)
    if 0 <= column < columns:
        for part in (slice(0, max(0, row - gap)), slice(max(0, row + gap + 1), None)):
            _tint(picture[part, column], column_color)


def hatch(picture: Picture, where: npt.NDArray[np.bool_], color: Color = AMBER) -> None:
    """Draw diagonal lines over the pixels of a (rows, columns) bool mask."""
    lines = where & _stripes(picture.shape[0], picture.shape[1])
    picture[lines] = (picture[lines] * 0.35 + np.array(color) * 0.65).astype(np.uint8)


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


def draw_badges(picture: Picture, badges: dict[str, Color], *, height: int) -> None:
    """Draw badges from the top right corner to the left."""
    margin = round(1.4 * height)
    right = picture.shape[1] - margin
    for text, color in badges.items():
        at = (margin + height // 2, right)
        right = draw_badge(picture, text, at, height=height, color=color)


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


def _tint(line: npt.NDArray[Any], color: Color, share: float = 0.55) -> None:
    line[:] = (line * (1 - share) + np.array(color) * share).astype(np.uint8)


def _margin(height: int) -> int:
    return max(2, height // 3)


def _plain(text: str) -> str:
    """Return the text in the characters that the font has."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
    )
    return bare.encode("ascii", "replace").decode("ascii")


@lru_cache(maxsize=512)
def _glyphs(text: str, height: int) -> tuple[Mask, Mask]:
    """Return coverage 0..255 of the strokes and of the halo around them."""
    text = _plain(text)
    margin = _margin(height)
    scale = height * _FINER / _CAP_HEIGHT
    thickness = max(1, round(height * _FINER / 9))
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, thickness)
    columns = math.ceil(width / _FINER) + 2 * margin
    # Room for descenders, the same above, so that capitals sit in the middle.
    rows = 2 * height + 2 * margin
    large = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
    baseline = (rows * _FINER + height * _FINER) // 2
    cv2.putText(
        large, text, (margin * _FINER, baseline), _FONT, scale, 255, thickness, cv2.LINE_AA
    )
    cover = cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA)
    spread = max(1, height // 7)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * spread + 1,) * 2)
    halo = cv2.GaussianBlur(cv2.dilate(cover, kernel), (0, 0), spread * 0.7)
    return np.asarray(cover, np.uint8), np.asarray(halo * 0.75, np.uint8)


@lru_cache(maxsize=64)
def _plate(text: str, height: int) -> Mask:
    """Return the coverage of a rounded rectangle around a text."""
    columns = text_width(text, height) + round(1.4 * height)
    rows = round(2.1 * height)
    radius = round(0.55 * height) * _FINER
    large = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
    bottom, right = large.shape[0] - 1, large.shape[1] - 1
    large[radius : bottom + 1 - radius] = 255
    large[:, radius : right + 1 - radius] = 255
    for row in (radius, bottom - radius):
        for column in (radius, right - radius):
            cv2.circle(large, (column, row), radius, 255, -1, cv2.LINE_AA)
    return np.asarray(
        cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
    )


@lru_cache(maxsize=8)
def _stripes(rows: int, columns: int) -> npt.NDArray[np.bool_]:
    row, column = np.ogrid[:rows, :columns]
    stripes: npt.NDArray[np.bool_] = (row + column) % 14 < 2
    return stripes


def _blend(picture: Picture, cover: Mask, at: tuple[int, int], color: Color) -> None:
    """Lay a colour over a picture with a coverage mask, whatever sticks out cut off."""
    top, left = at
    up, over = max(0, -top), max(0, -left)
    part = picture[top + up : top + cover.shape[0], left + over : left + cover.shape[1]]
    seen = cover[up : up + part.shape[0], over : over + part.shape[1]]
    if not seen.size:
        return
    share = seen[..., None].astype(np.float32) / 255
    part[:] = np.rint(part + (np.array(color, np.float32) - part) * share).astype(np.uint8)
