"""The body: what is as dense as tissue and thicker than a sheet, with all that it encloses.

Slice by slice, what is denser than -300 HU is freed of everything thinner than 8 mm: table
shells, covers, straps, clothes. Of the pieces that remain in 3D, the largest is the trunk;
others belong to it if they are muscle rather than plastic (arms, legs). Thin parts next to
them (ears, noses) come back; holes are filled, except where the air in them is the air of
the room (between arm and trunk). Sheets that the patient lies on are followed under the
patient (`hounsview.masks.table`). The edge is the half-way level between air and tissue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.errors import TissueNotFoundError
from hounsview.masks.components import pieces_of
from hounsview.masks.grid import Grid
from hounsview.masks.morphology import (
    Mask,
    dilated,
    dilated_by_slice,
    disc,
    eroded,
    fill,
    opened_by_slice,
)
from hounsview.masks.table import beyond_sheets

DENSE_HU: Final = -300
"""Between foam and blankets (below -800) and fat (-100), and low enough for noise."""
EDGE_HU: Final = -500
"""Half-way between air (-1000) and soft tissue (0): where the edge of a blurred step lies."""
SHEET_MM: Final = 8.0
THIN_MM: Final = 6.0
"""How far from thicker tissue thin parts still belong to the body."""
SMALLEST_ML, SMALLEST_CM2 = 10.0, 20.0
"""The second where the scan is lower than the first needs: a slice or a few."""
PIECE_SHARE: Final = 0.005
"""Of the trunk; a piece smaller than this is no limb."""
MUSCLE_MM, MUSCLE_SHARE = 5.0, 0.06
"""Of the voxels of a limb that hang together at 0 to 120 HU; plastic and foam have none."""
BARE_HU, BARE_ML = (400.0, 1500.0), 10.0
"""Bone alone, in walls thinner than a sheet, above tables and below metal."""
ROOM_HU: Final = -920
GAP_CM2: Final = 8.0
"""A hole of at least this, filled with air of the room, is a gap between arm and trunk.

Larger than any trachea (3 cm2), so that no airway that opens at the mouth is lost.
"""
CUT_MM2: Final = 500.0
CUT_ML: Final = 20.0
LUNG_HU: Final = (-900, -450)
LUNG_SPREAD_HU: Final = 25.0
"""Between a quarter and three quarters of its values; foam shows noise alone."""


@dataclass(frozen=True, eq=False)
class Body:
    """The body on both grids.

    Parameters
    ----------
    coarse : (k, j, i) uint8, upright coarse grid
        Filled, without padding.
    fine : (k, j, i) bool, upright
    notes : tuple of str
    """

    coarse: Mask
    fine: npt.NDArray[np.bool_]
    notes: tuple[str, ...]


def body_of(grid: Grid) -> Body:
    """Return the body.

    Raises
    ------
    TissueNotFoundError
        If there is none.
    """
    measured = ~grid.coarse_padding
    if not measured.any():
        msg = "no body: nothing in this volume was measured, all of it is padding"
        raise TissueNotFoundError(msg)
    dense = ((grid.calm > DENSE_HU) & measured).astype(np.uint8)
    opened = opened_by_slice(dense, SHEET_MM / 2, grid.coarse_spacing)
    thick = _pieces_of_body(grid, opened, dense)
    sheets = dense & (1 - opened)
    beyond = beyond_sheets(sheets, thick, grid.coarse_spacing)
    near = dilated(thick, THIN_MM, grid.coarse_spacing) & dense
    near |= _bare_bone(grid, near, dense)
    whole = _largest_with_limbs(grid, near & (1 - beyond))
    filled = _filled(grid, whole)
    coarse = filled & measured.astype(np.uint8)
    fine = _refined(grid, coarse, beyond)
    return Body(coarse, fine, _notes(grid, coarse))


def _pieces_of_body(grid: Grid, opened: Mask, dense: Mask) -> Mask:
    if not dense.any():
        msg = (
            f"no body: nothing is denser than {DENSE_HU} HU (the highest value is "
            f"{float(grid.hu.max()):.0f} HU), this is air"
        )
        raise TissueNotFoundError(msg)
    body = _largest_with_limbs(grid, opened)
    found = np.count_nonzero(body) * grid.coarse_ml
    least = grid.at_least(SMALLEST_ML, SMALLEST_CM2)
    if found < least:
        thin = np.count_nonzero(dense) * grid.coarse_ml
        msg = (
            f"no body: of {thin:.3g} ml denser than {DENSE_HU} HU only {found:.3g} ml are "
            f"thicker than {SHEET_MM:g} mm, a body has at least {least:.3g} ml: "
            "is this a table without a patient, or a part of a few voxels?"
        )
        raise TissueNotFoundError(msg)
    return body


def _bare_bone(grid: Grid, body: Mask, dense: Mask) -> Mask:
    """Return walls as dense as bone that go on from the body: a skull without flesh.

    They are as thin as a table, but no table is as dense; wires and rails are smaller or
    denser.
    """
    wall = (grid.calm > BARE_HU[0]).astype(np.uint8) & dense
    pieces = pieces_of(wall)
    bare = pieces.sizes * pieces.share(body == 0) * grid.coarse_ml
    step = 1.5 * max(grid.coarse_spacing)
    found = [
        number
        for number in pieces.touching(dilated(body, step, grid.coarse_spacing))
        if bare[number] >= BARE_ML
        and np.median(grid.calm[pieces.labels == number]) < BARE_HU[1]
    ]
    return dilated(pieces.only(found), step, grid.coarse_spacing) & dense


def _largest_with_limbs(grid: Grid, mask: Mask) -> Mask:
    pieces = pieces_of(mask)
    if not len(pieces):
        return np.zeros_like(mask)
    trunk = pieces.numbers[0]
    # A blurred sheet passes through the HU of muscle too, but only in thin layers.
    muscle = ((grid.calm >= 0) & (grid.calm <= 120)).astype(np.uint8)
    muscle = opened_by_slice(muscle, MUSCLE_MM / 2, grid.coarse_spacing)
    share = pieces.share(muscle)
    large = pieces.sizes >= PIECE_SHARE * pieces.sizes[trunk]
    limbs = np.flatnonzero(large & (share >= MUSCLE_SHARE))
    return pieces.only({trunk, *map(int, limbs)} - {0})


def _filled(grid: Grid, body: Mask) -> Mask:
    """Return the body with its holes, but without gaps that hold the air of the room."""
    spacing = grid.coarse_spacing
    filled = body.copy()
    gaps = np.zeros_like(body)
    least = GAP_CM2 * 100 / (spacing[1] * spacing[2])
    for plane, own, gap in zip(filled, body, gaps, strict=True):
        fill(plane)
        holes = plane & (1 - own)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
        large = np.zeros(count, np.uint8)
        large[1:] = stats[1:, cv2.CC_STAT_AREA] >= least
        gap[:] = large[labels]
    outside = (1 - filled) & ~grid.coarse_padding
    lungs_cut = _lung_at_the_edge(grid, filled, outside)
    filled |= lungs_cut
    return filled & (1 - _room(grid, gaps, outside & (1 - lungs_cut)))


def _room(grid: Grid, gaps: Mask, outside: Mask) -> Mask:
    """Return the part of the gaps whose air hangs together with the air outside."""
    air = (grid.calm < ROOM_HU).astype(np.uint8) & (gaps | outside)
    steps = grid.coarse_spacing[1:]
    # Worn away by 4 mm, so that nothing passes through a nostril or a thin wall.
    worn = air & (1 - dilated_by_slice(1 - (gaps | outside), disc(4.0, steps)))
    pieces = pieces_of(worn)
    room = pieces.only(pieces.touching(outside))
    grown = dilated_by_slice(room, disc(5.0, steps))
    return grown & gaps & (grid.calm < DENSE_HU)


def _lung_at_the_edge(grid: Grid, body: Mask, outside: Mask) -> Mask:
    """Return air that the field of view cuts open but tissue closes: lung, not the room.

    It borders on the body alone (80 % of its border) and is denser than air and less even
    than foam.
    """
    air = outside & (grid.calm < DENSE_HU)
    pieces = pieces_of(air)
    edge = _edge(grid)
    lung = []
    for number in pieces.touching(edge):
        if pieces.sizes[number] * grid.coarse_ml < CUT_ML:
            continue
        own = pieces.only([number])
        low, median, high = np.percentile(grid.calm[own > 0], (25, 50, 75))
        # Foam is as dense as lung, but even; lung has vessels and a gradient.
        if not LUNG_HU[0] < median < LUNG_HU[1] or high - low < LUNG_SPREAD_HU:
            continue
        rim = dilated_by_slice(own, disc(4.5, grid.coarse_spacing[1:])) & (1 - own)
        rim &= ~grid.coarse_padding
        if np.count_nonzero(rim & body) >= 0.8 * np.count_nonzero(rim):
            lung.append(number)
    return pieces.only(lung)


def _edge(grid: Grid) -> Mask:
    """Return the coarse voxels at the sides of the field of view, ends of the scan not."""
    away = grid.coarse_padding.astype(np.uint8)
    steps = grid.coarse_spacing[1:]
    edge = dilated_by_slice(away, disc(1.5 * max(steps), steps))
    edge &= 1 - away
    edge[:, [0, -1], :] = 1
    edge[:, :, [0, -1]] = 1
    return edge & ~grid.coarse_padding


def _refined(grid: Grid, coarse: Mask, beyond: Mask) -> npt.NDArray[np.bool_]:
    """Return (k, j, i) bool: the coarse body with its edge where the voxels have it."""
    spacing = grid.coarse_spacing
    step = max(spacing[1:])
    padded = coarse | grid.coarse_padding
    inner = eroded(padded, 1.5 * step, spacing) & coarse
    outer = dilated(coarse, step, spacing) & (1 - beyond)
    fine = np.empty(grid.shape, bool)
    planes = zip(grid.fine_planes(inner), grid.fine_planes(outer), grid.hu, strict=True)
    for k, (sure, possible, hu) in enumerate(planes):
        tissue = _edge_plane(hu, grid.noise)
        fine[k] = (sure >= 128) | ((possible >= 128) & (tissue > EDGE_HU))
        away = grid.padding(k)
        if away is not None:
            fine[k] &= ~away
    return fine


def _edge_plane(hu: npt.NDArray[Any], noise: float) -> npt.NDArray[Any]:
    # Above this, single voxels of fat cross the edge level now and then.
    if noise < 80:
        return hu
    return np.asarray(cv2.GaussianBlur(hu.astype(np.float32), (3, 3), 0.85))


def _notes(grid: Grid, body: Mask) -> tuple[str, ...]:
    notes = []
    edge = np.count_nonzero(body & _edge(grid))
    if edge * max(grid.coarse_spacing[1:]) * grid.coarse_spacing[0] >= CUT_MM2:
        notes.append(
            "the patient leaves the field of view: volumes are those of the part that was seen"
        )
    measured = grid.calm[~grid.coarse_padding]
    if float(measured.min()) > DENSE_HU:
        notes.append(
            f"there is no air at all (the lowest value is {float(measured.min()):.0f} HU), so "
            "everything counts as body: are these Hounsfield units, or is an offset missing?"
        )
    return tuple(notes)
