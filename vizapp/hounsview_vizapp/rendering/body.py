"""Where the body is, for pictures: without air around it, without the table.

Found on the coarse level, per slice by what is denser than fat-like -300 HU and thicker
than a sheet, then in 3D by the largest pieces. For pictures alone, not a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.presets import RenderingPreset
from hounsview.viewstate.looks import INSIDE_MM, SKIN_MM, outside_body
from hounsview.volume import AIR_HU
from hounsview_vizapp.rendering.pyramid import Level, around, box_around, smoothed

Mask = npt.NDArray[np.uint8]

_BODY_HU: Final = -300
_NOT_AIR_HU: Final = -700
_OPAQUE: Final = 0.99
_SHEET_MM: Final = 5.0
_THIN_MM: Final = 6.0
"""How far from thicker tissue thin parts (ears, nose) still belong to the body."""
_PIECE: Final = 0.2
"""Pieces of at least this share of the largest belong to the body: two legs, arms."""
TISSUE_HU: Final = 200.0
_FILLED_MM: Final = -10.0
"""Deep enough that what is put in does not blur into the skin."""


@dataclass(frozen=True)
class Content:
    """What of a level a picture is made of; always smoothed, for shading and against moire.

    Parameters
    ----------
    outside : float, optional
        HU put in place of all that is outside the body; None leaves everything as it is.
    margin : float, mm
        How far beyond the body's outline its inside reaches; below 0 leaves the rim out.
    filled : float, optional
        HU put in place of all that is inside the body: for what shows its outside alone.
    ends : float, optional
        HU of one more voxel on each side, so that the ends of the scan are surfaces.
    """

    outside: float | None = None
    margin: float = SKIN_MM
    filled: float | None = None
    ends: float | None = None

    def of(self, level: Level, body: Body) -> Level:
        """Return a level with this content, cut to where something is."""
        hu = level.hu
        if self.filled is not None:
            inside = body.on(level, _FILLED_MM)
            hu = np.where(inside, hu.dtype.type(self.filled), hu)
        if self.outside is None:
            part = around(Level(hu, level.geometry, level.factors), _NOT_AIR_HU)
        else:
            mask = body.on(level, self.margin)
            hu = np.where(mask, hu, hu.dtype.type(self.outside))
            part = Level(hu, level.geometry, level.factors)
            part = part.part(box_around(mask[::2, ::2, ::2], hu.shape))
        part = smoothed(part)
        if self.filled is not None:
            part = smoothed(part)  # rings are seen most on a smooth, opaque outside
        return part if self.ends is None else part.padded(self.ends)


class Body:
    """The body in one volume.

    Parameters
    ----------
    level : Level
        A coarse one.
    """

    def __init__(self, level: Level) -> None:
        self._level = level
        self._mask = body_mask(level)

    @property
    def box(self) -> Geometry:
        """The part of the coarse grid that holds the body; all of it where there is none."""
        mask = self._mask
        if not mask.any():
            return self._level.geometry
        box = box_around(mask[::2, ::2, ::2] > 0, mask.shape)
        return self._level.part(box).geometry

    def on(self, level: Level, margin: float) -> npt.NDArray[np.bool_]:
        """Return (k, j, i) bool on the grid of a level: the body grown by mm (below 0: less).

        All True where no body was found.
        """
        if not self._mask.any():
            return np.ones(level.hu.shape, bool)
        blurred = [
            cv2.GaussianBlur(plane * np.uint8(255), (3, 3), 0.8)
            for plane in _grown(self._mask, self._level.geometry.spacing, margin)
        ]
        return _on_grid(blurred, self._level.geometry, level)


def _grown(mask: Mask, spacing: tuple[float, float, float], margin: float) -> Mask:
    """Return a mask grown by mm to all sides, or made smaller; ends of the scan stay."""
    ball = _ball(abs(margin), spacing[1:])
    change, mix = (cv2.dilate, np.maximum) if margin > 0 else (cv2.erode, np.minimum)
    grown = np.stack([np.asarray(change(plane, ball)) for plane in mask]).astype(np.uint8)
    for _ in range(round(abs(margin) / spacing[0])):
        ends = np.pad(grown, ((1, 1), (0, 0), (0, 0)), mode="edge")
        grown = mix(mix(ends[:-2], ends[2:]), grown)
    return grown


def inside_body(level: Level) -> Level:
    """Return a level with everything outside the body at 0 HU, where air-like presets show."""
    mask = Body(level).on(level, INSIDE_MM)
    return Level(
        np.where(mask, level.hu, level.hu.dtype.type(0)), level.geometry, level.factors
    )


def content_of(preset: RenderingPreset, lowest: float, *, table: bool) -> Content:
    """Return what a preset should see.

    Parameters
    ----------
    preset : RenderingPreset
    lowest : float, HU
        First point of its opacity, not shifted: below -600 it shows air, and then the air
        around the body would hide the rest.
    table : bool
        Whether the table is shown.
    """
    outside, margin = outside_body(preset, lowest, table=table)
    if margin < 0:
        return Content(outside, margin)
    end_hu, most = preset.scalar_opacity[-1]
    solid = most > _OPAQUE and end_hu <= 0 and not preset.gradient_opacity
    if preset.kind == "composite" and solid:
        # All tissue is opaque: of the inside nothing is seen but noise, where it is cut.
        return Content(outside, filled=TISSUE_HU, ends=float(AIR_HU))
    return Content(outside)


def body_mask(level: Level) -> Mask:
    """Return (k, j, i) uint8 0 or 1: the body with all its holes; all 0 where there is none."""
    spacing = level.geometry.spacing[1:]
    thin = _ball(_THIN_MM, spacing)
    dense = (level.hu > _BODY_HU).astype(np.uint8)
    opened = [_without_sheets(plane, spacing) for plane in dense]
    mask = _largest_pieces(np.stack(opened).astype(np.uint8, copy=False))
    for plane, tissue in zip(mask, dense, strict=True):
        plane |= np.asarray(cv2.dilate(plane, thin)) & tissue
        outlines, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(plane, outlines, -1, 1, cv2.FILLED)
    return mask


def _without_sheets(plane: npt.NDArray[Any], spacing: tuple[float, float]) -> Mask:
    """Return a mask without what is thinner than a table's shell, at least two pixels."""
    rows, columns = (max(2, round(_SHEET_MM / mm)) for mm in spacing)
    square = np.ones((rows, columns), np.uint8)
    # The anchors are opposite, so that a square of even size moves nothing.
    eroded = cv2.erode(plane, square, anchor=(0, 0))
    return np.asarray(cv2.dilate(eroded, square, anchor=(columns - 1, rows - 1)), np.uint8)


def _largest_pieces(mask: Mask) -> Mask:
    """Return what hangs together with the largest piece, or is not much smaller."""
    labels, pieces = _pieces_by_slice(mask)
    if not pieces:
        return np.zeros_like(mask)
    joined = list(range(len(pieces) + 1))

    def root(label: int) -> int:
        while joined[label] != label:
            joined[label] = joined[joined[label]]
            label = joined[label]
        return label

    for lower, upper in pairwise(labels):
        both = (lower > 0) & (upper > 0)
        pairs = np.unique(lower[both].astype(np.int64) * len(joined) + upper[both])
        for below, above in zip(pairs // len(joined), pairs % len(joined), strict=True):
            joined[root(int(below))] = root(int(above))
    sizes = np.zeros(len(joined))
    roots = np.array([root(label) for label in range(len(joined))])
    np.add.at(sizes, roots[1:], pieces)
    kept = sizes[roots] >= _PIECE * sizes.max()
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)


def _pieces_by_slice(mask: Mask) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Return labels, counted on through the slices from 1, and the size of each piece."""
    labels = np.zeros(mask.shape, np.int32)
    sizes: list[int] = []
    for k, plane in enumerate(mask):
        count, found, stats, _ = cv2.connectedComponentsWithStats(plane, ltype=cv2.CV_32S)
        labels[k] = np.where(found > 0, found + len(sizes), 0)
        sizes += [int(stats[n, cv2.CC_STAT_AREA]) for n in range(1, count)]
    return labels, sizes


def _on_grid(
    planes: list[npt.NDArray[Any]], grid: Geometry, level: Level
) -> npt.NDArray[np.bool_]:
    """Return blurred planes of one grid, interpolated onto a level along the same axes."""
    step = grid.inverse @ level.geometry.affine
    shape = level.hu.shape
    # Both grids have the same axes: what takes an index to the other is a scale and a shift.
    scale, shift = np.diag(step)[:3], step[:3, 3]
    matrix = np.array([[scale[2], 0, shift[2]], [0, scale[1], shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    large = [
        cv2.warpAffine(
            plane, matrix, (shape[2], shape[1]), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        for plane in planes
    ]
    mask = np.empty(shape, bool)
    for k in range(shape[0]):
        at = float(np.clip(scale[0] * k + shift[0], 0, len(large) - 1))
        low = min(int(at), max(len(large) - 2, 0))
        high = min(low + 1, len(large) - 1)
        mixed = cv2.addWeighted(large[low], 1 - (at - low), large[high], at - low, 0)
        mask[k] = np.asarray(mixed) >= 128
    return mask


def _ball(radius_mm: float, spacing: tuple[float, float]) -> npt.NDArray[Any]:
    rows, columns = (2 * max(1, round(radius_mm / mm)) + 1 for mm in spacing)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (columns, rows)))
