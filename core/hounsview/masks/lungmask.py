"""The lungs: air inside the body that is lung, and what it closes in.

Air is below -400 HU, half-way between lung and its wall. Trachea and main bronchi are taken
out first. A piece of air is lung if it is not clean gas (its median is above -960 HU; gas in
bowel, stomach and pleura is not) and if it hangs on the airways, is cut by the upper end of
the scan, or is large. Left and right are parted where they touch; vessels and nodules up to
16 mm wide at the pleura are closed in. What it cannot do: lung that is consolidated or
collapsed is soft tissue to it; a pneumothorax that joins aerated lung may count as lung.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import TissueNotFoundError
from hounsview.masks.airways import WALL_HU, airways_of
from hounsview.masks.bodymask import Body
from hounsview.masks.components import Pieces, pieces_of
from hounsview.masks.grid import Grid
from hounsview.masks.morphology import (
    Mask,
    closed_by_slice,
    dilated,
    eroded,
    fill,
)
from hounsview.masks.sides import LEFT, RIGHT, sides_of

AIR_HU: Final = -400
"""Half-way between lung (-850) and chest wall (50), as in most threshold methods."""
GAS_HU: Final = -960
"""A median below it is gas: emphysema is called below -950, and no lung is all of it."""
DENSEST_HU: Final = -450
CLEAN_HU: Final = -930
GAS_ML: Final = 3.0
TISSUE_ROUND: Final = 0.25
"""Of the rim of gas in an organ that may be a gap in its wall; bullae have more lung."""
LEAST_ML, LEAST_CM2 = 50.0, 10.0
"""Of a piece; the second where the scan is lower than the first needs."""
LARGE_ML: Final = 500.0
"""Lung even where neither airways nor the upper end of the scan are near."""
ONE_LUNG_ML, ONE_LUNG_CM2 = 30.0, 5.0
CLOSED_MM: Final = 8.0
HOLE_CM2: Final = 3.0
"""Of a vessel or a nodule in a slice; larger holes that are open in 3D are other organs."""
END_CM2: Final = 1.0
SIDES: Final = {"left": LEFT, "right": RIGHT}


@dataclass(frozen=True, eq=False)
class LungParts:
    """What was found, upright.

    Parameters
    ----------
    sides : dict of str to (k, j, i) bool
        "left", "right": those that are there.
    airways : (k, j, i) bool or None
    reasons : dict of str to str
        For each of "left", "right", "airways" that is missing.
    notes : tuple of str
    """

    sides: dict[str, npt.NDArray[np.bool_]]
    airways: npt.NDArray[np.bool_] | None
    reasons: dict[str, str]
    notes: tuple[str, ...]


def lungs_of(grid: Grid, body: Body) -> LungParts:
    """Return the lungs and the airways.

    Raises
    ------
    TissueNotFoundError
        If there is neither lung.
    """
    inside = eroded(body.coarse | grid.coarse_padding, 3.0, grid.coarse_spacing) & body.coarse
    air = ((grid.calm < AIR_HU) & ~grid.coarse_padding).astype(np.uint8) & inside
    airways = airways_of(grid, body.coarse)
    room = air & (1 - dilated(airways, max(grid.coarse_spacing[1:]), grid.coarse_spacing))
    shut = _gas_in_tissue(grid, room)
    lung, gas = _lung_pieces(grid, room & (1 - shut), airways)
    gas += float(np.count_nonzero(shut)) * grid.coarse_ml
    if not lung.any():
        raise TissueNotFoundError(_why_none(air, gas, grid.coarse_ml))
    sides = sides_of(grid, lung, body.coarse)
    volumes = {
        name: np.count_nonzero(sides == side) * grid.coarse_ml for name, side in SIDES.items()
    }
    found = {
        n: s for n, s in SIDES.items() if volumes[n] >= grid.at_least(ONE_LUNG_ML, ONE_LUNG_CM2)
    }
    if not found:
        raise TissueNotFoundError(_why_none(air, gas, grid.coarse_ml))
    coarse = _closed(grid, sides, airways)
    fine = _refined(grid, body, sides, coarse, airways)
    tubes = _fine_airways(grid, body, airways) if airways.any() else None
    if tubes is not None:
        fine[tubes] = 0
    reasons = {name: _why_missing(name, volumes[name]) for name in SIDES if name not in found}
    if not airways.any():
        reasons["airways"] = _NO_AIRWAYS
    return LungParts(
        {name: fine == side for name, side in found.items()},
        tubes,
        reasons,
        _notes(grid, sides, gas),
    )


_NO_AIRWAYS: Final = (
    "no airways: no round spot of clean air (0.4 to 6 cm2) in the middle of the body goes on "
    "for 20 mm; is the trachea in this scan?"
)


def _lung_pieces(grid: Grid, room: Mask, airways: Mask) -> tuple[Mask, float]:
    """Return what is lung, and how many ml of large clean gas are not."""
    pieces = pieces_of(room)
    top = np.zeros_like(room)
    top[-1] = 1
    step = max(grid.coarse_spacing)
    reached = set(pieces.touching(dilated(airways, 2.1 * step, grid.coarse_spacing)))
    reached |= set(pieces.touching(top))
    inner = eroded(room, max(grid.coarse_spacing[1:]), grid.coarse_spacing)
    least, kept, gas = grid.at_least(LEAST_ML, LEAST_CM2), [], 0.0
    for number in pieces.numbers:
        size = float(pieces.sizes[number]) * grid.coarse_ml
        if size < min(1.0, least):
            break
        median = _median(grid, pieces, inner, number)
        if median < GAS_HU:
            gas += size
        elif median <= DENSEST_HU and (
            size >= LARGE_ML or (size >= least and number in reached)
        ):
            kept.append(number)
    if kept:
        kept += _satellites(grid, pieces, inner, kept)
    return pieces.only(kept), gas


def _gas_in_tissue(grid: Grid, room: Mask) -> Mask:
    """Return clean gas with tissue round it, also where it breaks through to the lung.

    The stomach below the left lung is parted from it by 3 mm, which thick slices do not
    show. A bulla is clean gas too, but has lung on all sides or on its lower one.
    """
    spacing = grid.coarse_spacing
    step = max(spacing[1:])
    clean = room & (grid.calm < CLEAN_HU)
    pieces = pieces_of(eroded(clean, step, spacing))
    shut = np.zeros_like(room)
    for number in pieces.numbers:
        if pieces.sizes[number] * grid.coarse_ml < GAS_ML:
            break
        box = pieces.box(number, [int(5 * step / mm) + 1 for mm in spacing])
        core = (pieces.labels[box] == number).astype(np.uint8)
        if float(np.median(grid.calm[box][core > 0])) >= GAS_HU:
            continue
        own = dilated(core, 3.1 * step, spacing) & room[box]
        rim = dilated(own, step, spacing) & (1 - own)
        if _is_shut(rim, room[box], float(np.nonzero(core)[0].mean())):
            shut[box] |= own
    return shut


def _is_shut(rim: Mask, room: Mask, middle: float) -> bool:
    """Return whether the rim of a piece of gas is tissue, but for lung that lies above it.

    Parameters
    ----------
    rim, room : (k, j, i) uint8
    middle : float
        The height k of the gas.
    """
    heights = np.nonzero(rim & room)[0]
    share = len(heights) / max(1, int(np.count_nonzero(rim)))
    if share <= TISSUE_ROUND:
        return True
    return bool(share <= 0.5 and np.mean(heights > middle) >= 0.9)


def _satellites(grid: Grid, pieces: Pieces, inner: Mask, kept: list[int]) -> list[int]:
    """Return small pieces between the slices of the lungs that are lung by their HU."""
    lung = pieces.only(kept)
    near = dilated(lung, 6.0, grid.coarse_spacing)
    return [
        number
        for number in pieces.touching(near)
        if number not in kept and GAS_HU <= _median(grid, pieces, inner, number) <= DENSEST_HU
    ]


def _median(grid: Grid, pieces: Pieces, inner: Mask, number: int) -> float:
    box = pieces.box(number, (0, 0, 0))
    own = pieces.labels[box] == number
    deep = own & (inner[box] > 0)
    return float(np.median(grid.calm[box][deep if deep.any() else own]))


def _why_none(air: Mask, gas: float, ml: float) -> str:
    if not air.any():
        return "no lungs: no air-filled region inside the body: is this a thorax?"
    found = np.count_nonzero(air) * ml
    return (
        f"no lungs: of {found:.3g} ml of air inside the body {gas:.3g} ml are clean gas "
        f"(median below {GAS_HU} HU: airways, bowel, stomach, sinuses), and no other "
        f"piece has {LEAST_ML:g} ml and hangs on the airways or the upper end of the scan: "
        "is this a thorax?"
    )


def _why_missing(name: str, found: float) -> str:
    return (
        f"no {name} lung: {found:.2g} ml of aerated lung on the {name} side (at least "
        f"{ONE_LUNG_ML:g} ml): collapsed, filled with fluid, removed, or outside the scan"
    )


def _closed(grid: Grid, sides: Mask, airways: Mask) -> Mask:
    """Return the sides with vessels and nodules closed in, on the coarse grid."""
    wall = dilated(airways, max(grid.coarse_spacing[1:]), grid.coarse_spacing)
    closed = sides.copy()
    for side in SIDES.values():
        own = (sides == side).astype(np.uint8)
        rounded = closed_by_slice(own, CLOSED_MM, grid.coarse_spacing)
        rounded |= _enclosed(grid, rounded)
        # A rib that bulges in is no nodule.
        new = (rounded > 0) & (closed == 0) & (wall == 0) & (grid.calm < 150)
        closed[new] = side
    return closed


def _enclosed(grid: Grid, lung: Mask) -> Mask:
    """Return what a lung encloses: small holes of its slices, and whatever is shut in 3D.

    Large holes that are open in 3D are the dome of the diaphragm or the heart.
    """
    pixel = grid.coarse_spacing[1] * grid.coarse_spacing[2]
    small, all_filled = lung.copy(), lung.copy()
    for few, every in zip(small, all_filled, strict=True):
        fill(few, HOLE_CM2 * 100 / pixel)
        fill(every)
    holes = all_filled & (1 - lung)
    pieces = pieces_of(1 - lung)
    open_share = pieces.share(1 - holes)
    shut = pieces.only(np.flatnonzero(open_share == 0))
    return (small | shut) & (1 - lung)


def _refined(
    grid: Grid, body: Body, sides: Mask, closed: Mask, airways: Mask
) -> npt.NDArray[np.uint8]:
    """Return (k, j, i) uint8, upright: 1 left, 2 right, edges where the voxels have them."""
    spacing = grid.coarse_spacing
    step = max(spacing[1:])
    wall = dilated(airways, step, spacing)
    hole = HOLE_CM2 * 100 / (grid.spacing[1] * grid.spacing[2])
    result = np.zeros(grid.shape, np.uint8)
    for side in SIDES.values():
        own = (sides == side).astype(np.uint8)
        whole = (closed == side).astype(np.uint8)
        if not own.any():
            continue
        outer = dilated(own, step, spacing) & (1 - (sides == 3 - side)) & (1 - wall)
        inner = eroded(whole, step, spacing)
        added = whole & (1 - own) & (grid.calm > AIR_HU)
        planes = zip(
            *(grid.fine_planes(mask) for mask in (outer, inner | added)), grid.hu, strict=True
        )
        for k, (possible, sure, hu) in enumerate(planes):
            plane = (possible >= 128) & (hu < AIR_HU) | (sure >= 128)
            fill(plane.view(np.uint8), hole)
            plane &= body.fine[k]
            result[k][plane & (result[k] == 0)] = side
    return result


def _fine_airways(grid: Grid, body: Body, airways: Mask) -> npt.NDArray[np.bool_]:
    outer = dilated(airways, max(grid.coarse_spacing[1:]), grid.coarse_spacing)
    fine = np.empty(grid.shape, bool)
    planes = zip(grid.fine_planes(outer), grid.hu, strict=True)
    for k, (possible, hu) in enumerate(planes):
        fine[k] = (possible >= 128) & (hu < WALL_HU) & body.fine[k]
    return fine


def _notes(grid: Grid, sides: Mask, gas: float) -> tuple[str, ...]:
    notes = []
    pixel = grid.coarse_spacing[1] * grid.coarse_spacing[2] / 100
    for end, name in ((-1, "upper"), (0, "lower")):
        if np.count_nonzero(sides[end]) * pixel >= END_CM2:
            notes.append(f"the lungs reach the {name} end of the scan: their volume is cut")
    away = dilated(grid.coarse_padding.astype(np.uint8), 3.0, grid.coarse_spacing)
    if np.count_nonzero(away & (sides > 0)) * pixel >= END_CM2:
        notes.append("the lungs reach the edge of the field of view: their volume is cut")
    if gas >= 300:
        notes.append(
            f"{gas:.0f} ml of clean gas (median below {GAS_HU} HU) near the lungs or in the "
            "belly is not lung: bowel, stomach, or a pneumothorax"
        )
    return tuple(notes)
