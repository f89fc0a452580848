"""Text as coverage masks, and stamps: masks in a colour, ready to be laid on a picture.

OpenCV has only stroke fonts, which look rough at small sizes; so each letter is drawn four
times too large and reduced by area. Letters are kept, not texts: a reading under a moving
pointer is a new text with every frame.
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

_FONT: Final = cv2.FONT_HERSHEY_DUPLEX
_CAP_HEIGHT: Final = 21.0  # pixels of a capital of this font at scale 1
_FINER: Final = 4
_HALO: Final = 0.75
_PLATE_INK: Final[Color] = (20, 22, 26)
_SPELLED: Final = str.maketrans({"°": " deg", "\u00d7": "x"})


class Stamp(NamedTuple):
    """What `lay` does to a part of a picture: ``part * keep / 255 + add``.

    Parameters
    ----------
    keep, add : (rows, columns, 3) uint8
    """

    keep: Mask
    add: Mask


def margin_of(height: int) -> int:
    """Return the room, px, that a text of this height leaves around itself for its halo."""
    return max(2, height // 3)


@lru_cache(maxsize=512)
def text_width(text: str, height: int) -> int:
    """Return how wide a text is, px."""
    return math.ceil(sum(_advance(letter, height) for letter in _plain(text)) / _FINER)


def plate_size(text: str, height: int) -> tuple[int, int]:
    """Return the (rows, columns) of a badge's plate, px."""
    return round(2.1 * height), text_width(text, height) + round(1.4 * height)


@lru_cache(maxsize=128)
def text_stamp(text: str, height: int, color: Color) -> Stamp:
    """Return the stamp of a text with a dark halo, `margin_of` wider on each side."""
    cover = _cover(text, height)
    spread = max(1, height // 7)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * spread + 1,) * 2)
    halo = cv2.GaussianBlur(cv2.dilate(cover, kernel), (0, 0), spread * 0.7)
    dark = cv2.convertScaleAbs(halo, alpha=_HALO)
    return _over(_stamp(np.asarray(dark, np.uint8), (0, 0, 0)), cover, color)


@lru_cache(maxsize=64)
def plate_stamp(text: str, height: int, color: Color) -> Stamp:
    """Return the stamp of a badge: dark text on a rounded plate."""
    plate = _plate(*plate_size(text, height), round(0.55 * height))
    cover = _cover(text, height)
    ink = np.zeros_like(plate)
    top, left = ((a - b) // 2 for a, b in zip(plate.shape, cover.shape, strict=True))
    up, over = max(0, -top), max(0, -left)
    part = cover[up : up + plate.shape[0], over : over + plate.shape[1]]
    top, left = max(0, top), max(0, left)
    ink[top : top + part.shape[0], left : left + part.shape[1]] = part
    return _over(_stamp(plate, color), ink, _PLATE_INK)


def lay(picture: Picture, stamp: Stamp, at: tuple[int, int]) -> None:
    """Lay a stamp on a picture, its top left corner at (row, column); the rest is cut off."""
    top, left = at
    up, over = max(0, -top), max(0, -left)
    rows, columns = stamp.keep.shape[:2]
    part = picture[max(0, top) : max(0, top + rows), max(0, left) : max(0, left + columns)]
    if not part.size:
        return
    seen = (slice(up, up + part.shape[0]), slice(over, over + part.shape[1]))
    kept = cv2.multiply(part, stamp.keep[seen], scale=1 / 255)
    part[:] = cv2.add(kept, stamp.add[seen])


def _stamp(cover: Mask, color: Color) -> Stamp:
    keep = cv2.merge([255 - cover] * 3)
    add = cv2.merge([cv2.convertScaleAbs(cover, alpha=part / 255) for part in color])
    return Stamp(np.asarray(keep, np.uint8), np.asarray(add, np.uint8))


def _over(below: Stamp, cover: Mask, color: Color) -> Stamp:
    """Return the stamp of one mask over another stamp of the same size."""
    above = _stamp(cover, color)
    keep = cv2.multiply(below.keep, above.keep, scale=1 / 255)
    add = cv2.add(cv2.multiply(below.add, above.keep, scale=1 / 255), above.add)
    return Stamp(np.asarray(keep, np.uint8), np.asarray(add, np.uint8))


@lru_cache(maxsize=512)
def _plain(text: str) -> str:
    """Return the text in the characters that the font has."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return bare.encode("ascii", "replace").decode("ascii")


def _scale(height: int) -> tuple[float, int]:
    """Return the font's scale and its strokes' thickness at `_FINER` times the size."""
    return height * _FINER / _CAP_HEIGHT, max(1, round(height * _FINER / 9))


@lru_cache(maxsize=2048)
def _advance(letter: str, height: int) -> int:
    """Return how far the next letter is, in fine pixels."""
    scale, thickness = _scale(height)
    one, ten = (cv2.getTextSize(letter * n, _FONT, scale, thickness)[0][0] for n in (1, 10))
    return round((ten - one) / 9)


@lru_cache(maxsize=4096)
def _letter(letter: str, height: int, phase: int) -> Mask:
    """Return the coverage of a letter, moved right by so many fine pixels."""
    scale, thickness = _scale(height)
    margin = margin_of(height)
    columns = math.ceil((_advance(letter, height) + phase) / _FINER) + 2 * margin
    # Room for descenders, the same above, so that capitals sit in the middle.
    rows = 2 * height + 2 * margin
    large = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
    at = (margin * _FINER + phase, (rows * _FINER + height * _FINER) // 2)
    cv2.putText(large, letter, at, _FONT, scale, 255, thickness, cv2.LINE_AA)
    return np.asarray(
        cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
    )


def _cover(text: str, height: int) -> Mask:
    """Return the coverage of a text, 0..255, `margin_of` wider on each side."""
    margin = margin_of(height)
    # The last letter's phase may need one column more than the sum of the advances.
    columns = text_width(text, height) + 2 * margin + 1
    cover = np.zeros((2 * height + 2 * margin, columns), np.uint8)
    at = 0
    for letter in _plain(text):
        mask = _letter(letter, height, at % _FINER)
        part = cover[:, at // _FINER : at // _FINER + mask.shape[1]]
        np.maximum(part, mask[:, : part.shape[1]], out=part)
        at += _advance(letter, height)
    return cover


@lru_cache(maxsize=64)
def _plate(rows: int, columns: int, radius: int) -> Mask:
    """Return the coverage of a rounded rectangle."""
    radius *= _FINER
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
