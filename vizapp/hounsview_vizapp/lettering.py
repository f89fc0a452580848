"""Text as coverage masks, and stamps: masks in a colour, ready to be laid on a picture.

OpenCV has only stroke fonts, which look rough at small sizes; so each letter is drawn four
times too large and reduced by area. They end with ASCII: accents, degrees and small digits
are strokes of our own. Letters are kept, not texts: a reading under a moving pointer is a
new text with every frame.
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
_HALO: Final = 1.0
_PLATE_INK: Final[Color] = (20, 22, 26)
_SPELLED: Final = str.maketrans(
    {
        "\u00d7": "x",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "\u2013": "-",
        "\u2026": "...",
    }
)
_SMALL: Final = {"²": "2", "³": "3"}
_SMALLER: Final = 0.62
_OWN: Final = {"°", "µ", "ø", "Ø", *_SMALL}
_BASES: Final = {"µ": "u", "ø": "o", "Ø": "O", **_SMALL}
_LOW: Final = 2 / 3
"""Height of a small letter without a stem, of that of a capital."""
_ACCENTS: Final[dict[str, list[list[tuple[float, float]]]]] = {
    "\u0300": [[(-0.14, 0.34), (0.05, 0.15)]],
    "\u0301": [[(0.14, 0.34), (-0.05, 0.15)]],
    "\u0302": [[(-0.17, 0.15), (0.0, 0.34), (0.17, 0.15)]],
    "\u0303": [[(-0.2, 0.18), (-0.1, 0.28), (0.1, 0.18), (0.2, 0.28)]],
    "\u0308": [[(-0.17, 0.24)] * 2, [(0.17, 0.24)] * 2],
    "\u030a": [
        [(0.11 * math.cos(n / 8 * math.pi), 0.25 + 0.11 * math.sin(n / 8 * math.pi))
         for n in range(17)],
    ],
    "\u030c": [[(-0.17, 0.34), (0.0, 0.15), (0.17, 0.34)]],
    "\u0327": [[(0.0, 0.0), (0.06, -0.12), (0.0, -0.24), (-0.12, -0.22)]],
}  # fmt: skip
"""Strokes by combining character: (right of the middle, above the letter), of a capital."""
_DEGREE_WIDE: Final = 0.6
_BELOW: Final = "\u0327"


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
    """Return the text in characters that can be drawn; others lose accents or become "?"."""
    found = []
    for letter in unicodedata.normalize("NFC", text.translate(_SPELLED)):
        base, *marks = list(unicodedata.normalize("NFD", letter))
        known = base.isascii() and (not marks or (len(marks) == 1 and marks[0] in _ACCENTS))
        if letter in _OWN or known:
            found.append(letter)
            continue
        bare = (
            c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)
        )
        found.append("".join(bare).encode("ascii", "replace").decode("ascii"))
    return "".join(found)


def _base(letter: str) -> str:
    """Return the ASCII character that a letter is drawn from."""
    return _BASES.get(letter, unicodedata.normalize("NFD", letter)[0])


def _scale(height: int) -> tuple[float, int]:
    """Return the font's scale and its strokes' thickness at `_FINER` times the size."""
    return height * _FINER / _CAP_HEIGHT, max(1, round(height * _FINER / 9))


@lru_cache(maxsize=2048)
def _advance(letter: str, height: int) -> int:
    """Return how far the next letter is, in fine pixels."""
    scale, thickness = _scale(height)
    if letter == "°":
        return round(_DEGREE_WIDE * height * _FINER)
    scale *= _SMALLER if letter in _SMALL else 1
    one, ten = (
        cv2.getTextSize(_base(letter) * n, _FONT, scale, thickness)[0][0] for n in (1, 10)
    )
    return round((ten - one) / 9)


@lru_cache(maxsize=4096)
def _letter(letter: str, height: int, phase: int) -> Mask:
    """Return the coverage of a letter, moved right by so many fine pixels."""
    margin = margin_of(height)
    columns = math.ceil((_advance(letter, height) + phase) / _FINER) + 2 * margin
    # Room for descenders, the same above, so that capitals sit in the middle.
    rows = 2 * height + 2 * margin
    large = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
    at = (margin * _FINER + phase, (rows * _FINER + height * _FINER) // 2)
    _draw_letter(large, letter, at, height)
    return np.asarray(
        cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
    )


def _draw_letter(large: Mask, letter: str, at: tuple[int, int], height: int) -> None:
    """Draw a letter, `_FINER` times its size, from (column, row of the base line) on."""
    scale, thickness = _scale(height)
    capital = height * _FINER
    middle, line = at[0] + _advance(letter, height) / 2, at[1]
    if letter == "°":
        centre = (round(middle), round(line - 0.8 * capital))
        cv2.circle(large, centre, round(0.17 * capital), 255, thickness, cv2.LINE_AA)
        return
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if letter in _SMALL:
        raised = (at[0], round(line - (1.05 - _SMALLER) * capital))
        thin = max(1, round(0.8 * thickness))
        text = _SMALL[letter]
        cv2.putText(large, text, raised, _FONT, scale * _SMALLER, 255, thin, cv2.LINE_AA)
        return
    cv2.putText(large, _base(letter), at, _FONT, scale, 255, thickness, cv2.LINE_AA)
    top = line - capital * (1 if base.isupper() else _LOW)
    if marks and base in "ij":
        # An accent stands in the place of the dot.
        large[: round(top - thickness)] = 0
    strokes = []
    for mark in marks:
        zero = line if mark == _BELOW else top
        strokes += [
            [(middle + x * capital, zero - y * capital) for x, y in stroke]
            for stroke in _ACCENTS[mark]
        ]
    if letter in "øØ":
        strokes.append([(middle - 0.3 * capital, line), (middle + 0.3 * capital, top)])
    if letter == "µ":
        stem = int(np.nonzero(large.any(axis=0))[0][0]) + thickness / 2
        strokes.append([(stem, line), (stem, line + 0.35 * capital)])
    for stroke in strokes:
        points = np.rint(stroke).astype(np.int32)
        cv2.polylines(large, [points], False, 255, thickness, cv2.LINE_AA)


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
