"""Would a person recognise a face in this scan? And how it is taken out.

The check draws the skin as light falls on it from the front, and asks OpenCV's Haar cascade
for frontal faces (Viola and Jones, CVPR 2001; Lienhart and Maydt, ICIP 2002) whether it sees
one: the same step that finds faces in photographs. What the cascade does not see a person may
still recognise, from the side, from the ears, or from a better picture.

`deface` cuts the front of the face away: before a smooth surface some 12 mm below the skin is
noise like the air around the head, and a layer of 4 mm like soft tissue closes what was opened
(sinuses and nose would look like eyes again). Behind it everything stays. All changed voxels
are marked FILLED and enter no number. It is no guarantee of anonymity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import TissueNotFoundError
from hounsview.findings import Finding
from hounsview.masks.components import pieces_of
from hounsview.masks.grid import Grid
from hounsview.volume import Validity, Volume

Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

_MM_PER_PIXEL: Final = 1.0
_SKIN_HU: Final = -400
_BORDER: Final = 40
_NEIGHBOURS: Final = 25
"""Overlapping windows that must agree on a face. Measured on skins of a phantom and of a
person, four lights each: 47 to 105 with a face, at most 16 after it was cut, 10 for backs of
heads, 2 for a plain egg."""
_SMALLEST_FACE_MM: Final = 90
_LARGEST_FACE_MM: Final = 260
_LIGHTS: Final = ((0.0, 0.0), (0.0, 0.55), (-0.45, 0.4), (0.45, 0.4))
"""(right, up) slants of the light: the front, from above, and from above on either side."""
_LEAST_LIGHTS: Final = 2
"""A face stays one under another light; steps of voxels may look like one under one."""
_CUT_MM: Final = 12.0
_SMOOTH_MM: Final = 18.0
_RIM_MM: Final = 22.0
"""A sharp rim looks like a brow."""
_LAYER_MM: Final = 4.0
_AIR_HU, _TISSUE_HU, _NOISE_HU = -1000.0, 40.0, 12.0


@dataclass(frozen=True)
class FaceCheck:
    """What the check saw.

    Parameters
    ----------
    found : bool
        Whether a face was seen under at least two lights.
    lights : int
        Under how many of the lights.
    box : (top, left, bottom, right) float, mm
        Around what was seen, from the uppermost row and the patient's rightmost column of the
        volume; zeros where nothing was.
    words : str
        The answer as a sentence.
    """

    found: bool
    lights: int
    box: tuple[float, float, float, float]
    words: str


def check_face(volume: Volume) -> FaceCheck:
    """Return whether a face can be seen on the skin of a volume.

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU. Where the header's intercept is wrong, see `shifted`.
    """
    volume.require_hu("a look for a face")
    grid = Grid(volume)
    dense = _dense(grid)
    if not dense.any():
        nothing = f"no face: nothing is denser than {_SKIN_HU} HU"
        return FaceCheck(False, 0, (0, 0, 0, 0), nothing)
    return _checked(_depth(grid, dense))


def front_picture(volume: Volume) -> npt.NDArray[np.uint8]:
    """Return the skin from the front as the check sees it, (rows, columns) uint8.

    One pixel is 1 mm; the patient's right is on the left.

    Raises
    ------
    TissueNotFoundError
        If there is no body.
    """
    grid = Grid(volume)
    dense = _dense(grid)
    if not dense.any():
        msg = f"nothing is denser than {_SKIN_HU} HU: there is no skin to be seen"
        raise TissueNotFoundError(msg)
    return _lit(_depth(grid, dense), *_LIGHTS[1])


def deface(volume: Volume, *, seed: int = 0) -> Volume:
    """Return a volume without its face, marked FILLED where it was, and said in the report.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    seed : int
        Of the noise.

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU.
    TissueNotFoundError
        If no face is seen, or one is still seen after the cut: then nothing is returned.
    """
    before = check_face(volume)
    if not before.found:
        raise TissueNotFoundError(before.words)
    grid = Grid(volume)
    body = _dense(grid)
    away, layer = _cut(grid, body, before)
    after = _checked(_depth(grid, (body & ~away) | layer))
    if after.found:
        msg = f"the face is still seen after it was cut: {after.words}"
        raise TissueNotFoundError(msg)
    return _without(volume, grid, away, layer & ~body, np.random.default_rng(seed))


def shifted(volume: Volume, hu: float, *, reason: str) -> Volume:
    """Return a volume with `hu` added to every value, and the report saying so.

    For scans whose header claims a wrong intercept. Padding stays as it is.

    Parameters
    ----------
    volume : Volume
    hu : float
        In the volume's unit.
    reason : str
        Why; goes into the report.
    """
    moved = volume.hu.astype(np.float32) + np.float32(hu)
    if volume.valid is not None:
        padding = (volume.valid & np.uint8(Validity.PADDING)) > 0
        moved[padding] = volume.hu[padding]
    whole = float(hu).is_integer() and volume.hu.dtype == np.int16
    if whole and abs(moved).max() <= 32767:
        moved = moved.astype(np.int16)
    message = f"{hu:+g} HU were added to every value by the caller: {reason}"
    report = volume.report.adding([Finding("VALUES_SHIFTED", message)])
    return replace(volume, hu=moved, report=report)


def _dense(grid: Grid) -> npt.NDArray[np.bool_]:
    """Return (k, j, i) bool, upright: the largest piece that is denser than air.

    No body mask: this must also work where the head fills the field of view, and what lies
    behind the head is not seen from the front.
    """
    pieces = pieces_of((grid.hu > _SKIN_HU).view(np.uint8))
    if not len(pieces.numbers):
        return np.zeros(grid.shape, bool)
    return np.asarray(pieces.labels == pieces.numbers[0], bool)


def _depth(grid: Grid, body: npt.NDArray[Any]) -> Floats:
    """Return (rows, columns) mm from the front of the volume to the skin; inf beside it.

    Rows go down from the top, columns to the patient's left, 1 mm each.
    """
    import cv2

    filled = np.asarray(body) > 0
    k_mm, j_mm, i_mm = grid.spacing
    depth = filled.argmax(axis=1).astype(np.float32) * np.float32(j_mm)
    beside: npt.NDArray[np.bool_] = ~np.asarray(filled.any(axis=1), bool)
    depth[beside] = depth[~beside].max() if (~beside).any() else 0
    size = (
        max(1, round(depth.shape[1] * i_mm / _MM_PER_PIXEL)),
        max(1, round(depth.shape[0] * k_mm / _MM_PER_PIXEL)),
    )
    shown = cv2.resize(depth[::-1], size, interpolation=cv2.INTER_LINEAR)
    outside = cv2.resize(beside[::-1].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    shown = cv2.GaussianBlur(shown, (0, 0), 1.2)
    shown[outside > 0] = np.inf
    return np.asarray(shown, np.float32)


def _lit(depth: Floats, right: float, up: float) -> npt.NDArray[np.uint8]:
    """Return the skin under one light (Lambert)."""
    beside: npt.NDArray[np.bool_] = np.isinf(depth)
    flat = np.where(beside, depth[~beside].max(initial=0), depth)
    down_slope, right_slope = np.gradient(flat, _MM_PER_PIXEL) if min(flat.shape) > 1 else (
        np.zeros_like(flat), np.zeros_like(flat),
    )  # fmt: skip
    length = np.sqrt(1 + down_slope**2 + right_slope**2)
    towards = np.sqrt(max(1 - right**2 - up**2, 0))
    # The skin faces away from where it recedes.
    light = (towards - right * right_slope + up * down_slope) / length
    grey = np.where(beside, 0, 15 + 230 * np.clip(light, 0, 1))
    return grey.astype(np.uint8)


def _checked(depth: Floats) -> FaceCheck:
    boxes = [_faces(_lit(depth, *light)) for light in _LIGHTS]
    seen = sum(bool(found) for found in boxes)
    every = np.array([box for found in boxes for box in found], float)
    if seen < _LEAST_LIGHTS:
        return FaceCheck(
            False, seen, (0, 0, 0, 0), "no face is seen on the skin from the front"
        )
    top, left, bottom, right = (float(part) for part in np.median(every, axis=0))
    words = f"a face is seen on the skin from the front, under {seen} of {len(_LIGHTS)} lights"
    return FaceCheck(True, seen, (top, left, bottom, right), words)


def _faces(picture: npt.NDArray[np.uint8]) -> list[Box]:
    """Return (top, left, bottom, right) of the faces that the cascade sees, mm."""
    import cv2

    folder = Path(cv2.__file__).parent / "data"
    file = folder / "haarcascade_frontalface_default.xml"
    cascade = cv2.CascadeClassifier(str(file))
    # A face that fills the picture is not seen without room around it.
    framed = np.pad(picture, _BORDER)
    least, most = (round(mm / _MM_PER_PIXEL) for mm in (_SMALLEST_FACE_MM, _LARGEST_FACE_MM))
    found: list[Box] = []
    for shown in (framed, cv2.equalizeHist(framed)):
        for left, top, width, height in cascade.detectMultiScale(
            shown, 1.05, _NEIGHBOURS, minSize=(least, least), maxSize=(most, most)
        ):
            x, y = int(left) - _BORDER, int(top) - _BORDER
            found.append((y, x, y + int(height), x + int(width)))
    return found


def _cut(
    grid: Grid, body: npt.NDArray[np.bool_], seen: FaceCheck
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return (k, j, i) bool, upright: what goes, and the layer that closes what is opened."""
    import cv2

    depth = _depth(grid, body)
    beside: npt.NDArray[np.bool_] = np.isinf(depth)
    flat = np.where(beside, depth[~beside].max(), depth).astype(np.float32)
    smooth = cv2.GaussianBlur(flat, (0, 0), _SMOOTH_MM / _MM_PER_PIXEL)
    top, left, bottom, right = seen.box
    height = bottom - top
    box = np.zeros(flat.shape, np.float32)
    rows = slice(max(0, int(top + 0.05 * height)), max(0, int(bottom + 0.15 * height)))
    box[rows, max(0, int(left)) : max(0, int(right))] = 1
    weight = cv2.GaussianBlur(box, (0, 0), _RIM_MM / _MM_PER_PIXEL)
    surface = flat + weight * np.maximum(smooth + np.float32(_CUT_MM) - flat, 0)
    size = (body.shape[2], body.shape[0])
    before_mm = cv2.resize(surface, size, interpolation=cv2.INTER_LINEAR)[::-1][:, None, :]
    share = cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR)[::-1][:, None, :]
    j_mm = grid.spacing[1]
    along = (np.arange(body.shape[1], dtype=np.float32) * np.float32(j_mm))[None, :, None]
    thick = max(_LAYER_MM, 1.5 * j_mm)
    away = (along < before_mm) & (share > 0.02) & body
    layer = (along >= before_mm) & (along < before_mm + thick)
    layer &= (share > 0.3) & body.any(axis=1, keepdims=True)
    return away, layer


def _without(
    volume: Volume,
    grid: Grid,
    away: npt.NDArray[np.bool_],
    layer: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Volume:
    hu = volume.hu.copy()
    valid = np.zeros(volume.shape, np.uint8) if volume.valid is None else volume.valid.copy()
    count = 0
    for changed, level in ((away, _AIR_HU), (layer, _TISSUE_HU)):
        stored = np.asarray(grid.to_stored(changed)) > 0
        noise = rng.normal(level, _NOISE_HU, int(stored.sum()))
        hu[stored] = np.rint(noise) if hu.dtype == np.int16 else noise
        valid[stored] |= np.uint8(Validity.FILLED)
        count += int(stored.sum())
    ml = count * abs(float(np.linalg.det(volume.geometry.affine[:3, :3]))) / 1000
    message = f"the face was cut away: {ml:.0f} ml were made up, and marked FILLED"
    report = volume.report.adding([Finding("DEFACED", message)])
    # Stored values would bring the face back.
    return replace(volume, hu=hu, valid=valid, report=report, sources=(), stacked_index=None)
