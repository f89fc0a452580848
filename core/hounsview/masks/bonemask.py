"""Bone: what is dense and hangs together with something as dense as cortical bone.

Above 200 HU inside the body, with noise averaged where it is strong. Pieces without cortical
bone (400 HU) or of a few voxels are dropped. Metal (above 2800 HU) is a mask of its own, and
so are thick, even regions of 200 to 600 HU with soft tissue all round: contrast in vessels,
heart or bowel. What it cannot do: contrast that touches bone closely, is as thin as a rib or
brighter than 600 HU stays with bone, spongiosa below 200 HU is left out unless marrow is
filled, streaks of metal as dense as bone stay where they touch it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.errors import TissueNotFoundError
from hounsview.masks.bodymask import Body
from hounsview.masks.components import pieces_of
from hounsview.masks.grid import CALM_HU, Grid
from hounsview.masks.morphology import Mask, closed_by_slice, dilated, disc, eroded, fill

CROSS: Final = disc(1.0, (1.0, 1.0))
BONE_HU: Final = 200.0
"""Below the 226 HU of common bone presets, since spongiosa of the old lies at 100 to 200."""
SOFT_HU: Final = 50.0
NEAR_MM: Final = 2.1
"""How far from its edge cortical bone is at its brightest."""
THIN_SLICE_MM: Final = 3.0
ENCLOSED_CM2: Final = 15.0
"""Of a slice: spongiosa of a vertebra that is too dark to count; a skull encloses more."""
CORTICAL_HU: Final = 400.0
METAL_HU: Final = 2800.0
"""Above enamel (to about 2700 HU); 12-bit scanners end at 3071 HU."""
METAL_EDGE_HU: Final = 1800.0
METAL_ML: Final = 0.02
CONTRAST_HU: Final = 600.0
CONTRAST_MM: Final = 4.0
CONTRAST_ML: Final = 1.0
BRIGHTER_HU: Final = 120.0
"""By which cortical bone exceeds what it surrounds, and contrast does not vary."""
BRIGHTER_SHARE: Final = (0.02, 0.05)
"""Of what lies round contrast; the second for a heart, which touches more."""
HEART_ML: Final = 10.0
SPREAD_HU: Final = 160.0
"""Between 5 and 95 % of the values deep in a region; streaks and mixing blood stay below."""
EVEN_HU: Final = 80.0
"""Between the middle and the brightest of a piece without cortical bone: contrast."""
RIM_HU: Final = 160.0
"""Above it the median all round is no soft tissue."""
LEAST_ML: Final = 0.15
CORTICAL_SHARE: Final = 0.02
MARROW_ML: Final = 150.0
"""Largest space shut in by bone that is marrow; the inside of a skull is not."""
MARROW_CLOSE_MM: Final = 3.0


@dataclass(frozen=True, eq=False)
class BoneParts:
    """Bone, and what is as dense but is none; (k, j, i) bool, upright.

    Parameters
    ----------
    bone : (k, j, i) bool or None
    contrast, metal : (k, j, i) bool or None
        None where none is seen.
    notes : tuple of str
    """

    bone: npt.NDArray[np.bool_] | None
    contrast: npt.NDArray[np.bool_] | None
    metal: npt.NDArray[np.bool_] | None
    notes: tuple[str, ...]


def bone_of(grid: Grid, body: Body, lungs: Sequence[npt.NDArray[np.bool_]] = ()) -> BoneParts:
    """Return bone, contrast and metal, none of it within the lungs.

    Parameters
    ----------
    grid : Grid
    body : Body
    lungs : sequence of (k, j, i) bool, upright
    """
    dense, metal = _dense(grid, body, lungs)
    coarse = (grid.share(dense) >= 0.3).astype(np.uint8)
    metal_near = np.zeros_like(coarse)
    if metal is not None:
        metal_near = (grid.averaged(plane.astype(np.float32) for plane in metal) > 0.05).astype(
            np.uint8
        )
        metal_near = dilated(metal_near, 2.1 * max(grid.coarse_spacing), grid.coarse_spacing)
    contrast = _contrast(grid, coarse)
    _half_way(grid, dense)
    kept, other = _bony(grid, coarse & (1 - contrast), metal_near)
    contrast |= other
    near = dilated(kept, 1.01 * max(grid.coarse_spacing[1:]), grid.coarse_spacing)
    bone, vessels = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    planes = zip(grid.fine_planes(near), grid.fine_planes(contrast), strict=True)
    for k, (close, filled) in enumerate(planes):
        vessels[k] = dense[k] & (filled >= 100)
        bone[k] = dense[k] & (close >= 128) & ~vessels[k]
        if metal is not None:
            bone[k] &= ~metal[k]
    notes = _notes(grid, vessels, metal)
    return BoneParts(
        bone if bone.any() else None, vessels if vessels.any() else None, metal, notes
    )


def require_bone(parts: BoneParts) -> npt.NDArray[np.bool_]:
    """Return the mask of bone.

    Raises
    ------
    TissueNotFoundError
        If there is none.
    """
    if parts.bone is None:
        msg = (
            f"no bone: no piece of {LEAST_ML:g} ml inside the body is above {BONE_HU:.0f} HU "
            f"and holds cortical bone (above {CORTICAL_HU:.0f} HU)"
        )
        raise TissueNotFoundError(msg)
    return parts.bone


def _dense(
    grid: Grid, body: Body, lungs: Sequence[npt.NDArray[np.bool_]]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]:
    """Return (k, j, i) bool: denser than spongiosa, and metal if there is any.

    With noise a voxel counts if its surroundings are dense and it is not plainly soft
    itself: smoothing alone would add a voxel all round.
    """
    dense = np.empty(grid.shape, bool)
    noisy = grid.noise >= CALM_HU
    hot = False
    for k, hu in enumerate(grid.hu):
        above = hu > (BONE_HU + SOFT_HU) / 2 if noisy else hu > BONE_HU
        dense[k] = above & body.fine[k]
        for lung in lungs:
            dense[k] &= ~lung[k]
        hot = hot or bool((hu > METAL_HU).any())
    if noisy:
        _average(grid, dense)
    metal = _metal(grid, body) if hot else None
    return dense, metal


def _half_way(grid: Grid, dense: npt.NDArray[np.bool_]) -> None:
    """Take from the rim of a mask what is below half the bone beside it, in place.

    The edge of a blurred step lies at its half: for cortical bone of 900 HU near 475 HU,
    well above the level that spongiosa needs.
    """
    rows, columns = (2 * math.ceil(NEAR_MM / mm) + 1 for mm in grid.spacing[1:])
    square = np.ones((rows, columns), np.uint8)
    height = grid.shape[0]
    # In slices thicker than this one does not show where the bone of the next one ends.
    thin = grid.spacing[0] <= THIN_SLICE_MM
    brightest = [cv2.dilate(grid.hu[k], square) for k in range(min(2, height))]
    below, own = np.ones(grid.shape[1:], np.uint8), _solid(grid, dense[0])
    for k in range(height):
        above = _solid(grid, dense[k + 1]) if k + 1 < height else np.ones_like(own)
        if dense[k].any():
            inner = np.asarray(cv2.erode(own, CROSS), np.uint8)
            rim = (inner & below & above if thin else inner) == 0
            # Noise lifts the greatest of many values by about its SD.
            most = np.maximum.reduce(brightest).astype(np.float32) - grid.noise
            dense[k] &= ~rim | (grid.hu[k] > (most + SOFT_HU) / 2)
        below, own = own, above
        brightest = brightest[-2:]
        if k + 2 < height:
            brightest.append(cv2.dilate(grid.hu[k + 2], square))


def _solid(grid: Grid, plane: npt.NDArray[np.bool_]) -> Mask:
    """Return (j, i) uint8: bone with what it encloses, whose rim is the outside of bone."""
    solid = np.array(plane, np.uint8)
    if plane.any():
        cv2.morphologyEx(solid, cv2.MORPH_CLOSE, CROSS, dst=solid)
        fill(solid, ENCLOSED_CM2 * 100 / (grid.spacing[1] * grid.spacing[2]))
    return solid


def _average(grid: Grid, dense: npt.NDArray[np.bool_]) -> None:
    """Leave of a mask what is dense in the mean of its surroundings as well, in place."""
    height = grid.shape[0]

    def blurred(k: int) -> npt.NDArray[np.float32]:
        plane = grid.hu[k].astype(np.float32)
        return np.asarray(cv2.GaussianBlur(plane, (3, 3), 0.85), np.float32)

    before = own = blurred(0)
    for k in range(height):
        after = blurred(k + 1) if k + 1 < height else own
        if dense[k].any():
            dense[k] &= 0.25 * before + 0.5 * own + 0.25 * after > BONE_HU
        before, own = own, after


def _metal(grid: Grid, body: Body) -> npt.NDArray[np.bool_] | None:
    core = grid.averaged(
        (np.asarray(hu > METAL_HU, np.float32) * inside)
        for hu, inside in zip(grid.hu, body.fine, strict=True)
    )
    pieces = pieces_of((core > 0.1).astype(np.uint8))
    large = pieces.only(np.flatnonzero(pieces.sizes * grid.coarse_ml >= METAL_ML))
    if not large.any():
        return None
    near = dilated(large, 1.01 * max(grid.coarse_spacing), grid.coarse_spacing)
    metal = np.empty(grid.shape, bool)
    for k, (close, hu) in enumerate(zip(grid.fine_planes(near), grid.hu, strict=True)):
        metal[k] = (close >= 128) & (hu > METAL_EDGE_HU) & body.fine[k]
    return metal


def _contrast(grid: Grid, dense: Mask) -> Mask:
    """Return coarse regions of contrast: thick, even, and with nothing brighter round them.

    Spongiosa is as bright as contrast, but lies in cortical bone, which is brighter.
    """
    spacing, calm = grid.coarse_spacing, grid.calm
    square = np.ones((3, 3), np.uint8)
    even = dense & (calm < CONTRAST_HU)
    for k, plane in enumerate(calm):
        even[k] &= cv2.dilate(plane, square) - plane < BRIGHTER_HU
    pieces = pieces_of(eroded(even, CONTRAST_MM, spacing))
    found = np.zeros_like(dense)
    for number in pieces.numbers:
        if pieces.sizes[number] * grid.coarse_ml < CONTRAST_ML:
            break
        box = pieces.box(number, [int((CONTRAST_MM + 12) / mm) + 1 for mm in spacing])
        core, hu = (pieces.labels[box] == number).astype(np.uint8), calm[box]
        low, middle, high = np.percentile(hu[core > 0], (5, 50, 95))
        near = dilated(core, CONTRAST_MM + 2 * max(spacing[1:]), spacing) & dense[box]
        own = near & (np.abs(hu - middle) <= BRIGHTER_HU)
        around = hu[(dilated(own, 2.5 * max(spacing[1:]), spacing) & (1 - own)) > 0]
        brighter = float(np.mean(around > middle + BRIGHTER_HU)) if around.size else 1.0
        most = BRIGHTER_SHARE[bool(pieces.sizes[number] * grid.coarse_ml > HEART_ML)]
        if high - low <= SPREAD_HU and brighter <= most and np.median(around) <= RIM_HU:
            found[box] |= own
    # Its own blurred edge goes with it: below its level, next to it, and still dense.
    edge = dilated(found, 2.1 * max(spacing[1:]), spacing) & dense & (calm < CONTRAST_HU)
    return found | (edge & (1 - _brighter_near(grid)))


def _brighter_near(grid: Grid) -> Mask:
    """Return coarse voxels next to cortical bone, or of it."""
    cortical = (grid.calm > CORTICAL_HU + BRIGHTER_HU).astype(np.uint8)
    return dilated(cortical, 1.01 * max(grid.coarse_spacing[1:]), grid.coarse_spacing)


def _bony(grid: Grid, dense: Mask, metal_near: Mask) -> tuple[Mask, Mask]:
    """Return the pieces that hold cortical bone, and even ones that do not: contrast."""
    pieces = pieces_of(dense)
    cortical = pieces.share((grid.coarse > CORTICAL_HU) & (metal_near == 0))
    volumes = pieces.sizes * grid.coarse_ml
    bony = cortical >= CORTICAL_SHARE
    bone = pieces.only(np.flatnonzero((volumes >= LEAST_ML) & bony))
    even = []
    for number in np.flatnonzero((volumes >= CONTRAST_ML) & ~bony):
        box = pieces.box(int(number), (0, 0, 0))
        own = pieces.labels[box] == number
        middle, high = np.percentile(grid.coarse[box][own], (50, 98))
        if high - middle <= EVEN_HU:
            even.append(int(number))
    return bone, pieces.only(even)


def with_marrow(grid: Grid, bone: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return bone with the spaces filled that it shuts in (the skull's inside is not).

    Gaps of up to 6 mm in the shell are bridged first, in each slice. The spinal canal is
    open between the vertebrae and stays open; the ends of the scan count as shut.
    """
    coarse = (grid.share(bone) >= 0.3).astype(np.uint8)
    shut = closed_by_slice(coarse, MARROW_CLOSE_MM, grid.coarse_spacing)
    pieces = pieces_of(1 - shut, connectivity=4)
    outside = np.zeros_like(coarse)
    outside[:, [0, -1], :] = 1
    outside[:, :, [0, -1]] = 1
    open_ones = set(pieces.touching(outside))
    small = np.flatnonzero(pieces.sizes * grid.coarse_ml <= MARROW_ML)
    holes = pieces.only([int(n) for n in small if n and int(n) not in open_ones])
    holes |= shut & (1 - coarse) & dilated(holes, MARROW_CLOSE_MM, grid.coarse_spacing)
    filled = bone.copy()
    for k, plane in enumerate(grid.fine_planes(holes | (coarse & dilated(
        holes, 1.01 * max(grid.coarse_spacing[1:]), grid.coarse_spacing
    )))):  # fmt: skip
        filled[k] |= plane >= 128
    return filled


def _notes(
    grid: Grid, contrast: npt.NDArray[np.bool_], metal: npt.NDArray[np.bool_] | None
) -> tuple[str, ...]:
    voxel = float(np.prod(grid.spacing)) / 1000
    notes = []
    if contrast.any():
        found = np.count_nonzero(contrast) * voxel
        notes.append(
            f"{found:.3g} ml of contrast ({BONE_HU:.0f} to {CONTRAST_HU:.0f} HU, thick and "
            "even) taken out of bone; contrast that is thin, touches bone or is brighter (the "
            "vein that it comes in by) stays with it"
        )
    if metal is not None:
        found = np.count_nonzero(metal) * voxel
        notes.append(
            f"{found:.3g} ml of metal (above {METAL_HU:.0f} HU) taken out of bone; its "
            "streaks may remain as bone, and HU near it are wrong"
        )
    return tuple(notes)
