"""Where the sheet that a patient lies on goes on under the patient.

What is thinner than 8 mm is a sheet as long as it stands free; where the patient touches it
the two are one thick piece. A table does not change along the scan and is a smooth curve
across, so that its free parts on both sides tell where it runs in between.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.masks.morphology import Mask

BLOCK_MM: Final = 24.0
"""Slices that are looked at together: long enough to tell a table from skin."""
OFTEN: Final = 0.7
"""Share of a block's slices in which a table's voxel is a sheet."""
WIDE_MM: Final = 120.0
SMOOTH_MM: Final = 2.0
MOST: Final = 0.06
"""Of the body in a block that may be cut off; more is no sheet under a patient."""


def beyond_sheets(sheets: Mask, body: Mask, spacing: tuple[float, float, float]) -> Mask:
    """Return what lies in or behind a sheet that the body touches.

    Parameters
    ----------
    sheets, body : (k, j, i) uint8, upright
        Free thin parts, and the thick pieces.
    spacing : (k, j, i) mm

    Returns
    -------
    (k, j, i) uint8
    """
    beyond = np.zeros_like(body)
    deep = max(1, round(BLOCK_MM / spacing[0]))
    for start in range(0, len(body), deep):
        block = slice(start, start + deep)
        constant = sheets[block].mean(axis=0) >= OFTEN
        if not constant.any() or not body[block].any():
            continue
        # A patient lies on the back or the front, or on a side.
        for turned in (False, True):
            steps = (spacing[2], spacing[1]) if turned else (spacing[1], spacing[2])
            seen = constant.T if turned else constant
            own = body[block].transpose(0, 2, 1) if turned else body[block]
            cut = _beyond_plane(seen, own, steps)
            beyond[block] |= cut.T if turned else cut
    return beyond


def _beyond_plane(
    sheet: npt.NDArray[np.bool_], body: Mask, spacing: tuple[float, float]
) -> Mask:
    """Return (j, i) uint8 for a block: what lies behind a sheet that runs along i.

    Parameters
    ----------
    sheet : (j, i) bool
    body : (k, j, i) uint8
    spacing : (j, i) mm
    """
    nothing = np.zeros(sheet.shape, np.uint8)
    flat = body.any(axis=0)
    rows = np.arange(sheet.shape[0])[:, None]
    middle = float((rows * flat).sum() / max(flat.sum(), 1))
    for side in (1, -1):
        inner = _inner_edge(sheet, middle, side)
        at = np.flatnonzero(np.isfinite(inner))
        curve = _smooth_curve(at, inner[at], sheet.shape[1], spacing)
        if curve is None:
            continue
        behind = (rows - curve[None]) * side > -0.5
        behind[:, : at.min()] = behind[:, at.max() + 1 :] = False
        lost = np.count_nonzero(body & behind)
        if 0 < lost <= MOST * np.count_nonzero(body):
            nothing |= behind.astype(np.uint8)
    return nothing


def _inner_edge(
    sheet: npt.NDArray[np.bool_], middle: float, side: int
) -> npt.NDArray[np.float64]:
    """Return for each column the row where its sheet begins, seen from the body; or NaN."""
    rows = np.arange(sheet.shape[0])
    outward = (rows - middle) * side
    candidates = np.where(sheet & (outward[:, None] > 0), outward[:, None], np.inf)
    nearest = candidates.min(axis=0)
    nearest[~np.isfinite(nearest)] = np.nan
    edge: npt.NDArray[np.float64] = middle + side * nearest
    return edge


def _smooth_curve(
    at: npt.NDArray[np.int64],
    rows: npt.NDArray[np.float64],
    columns: int,
    spacing: tuple[float, float],
) -> npt.NDArray[np.float64] | None:
    """Return the row of a smooth sheet at each column, or None if these are not on one.

    A parabola through the columns, those left out that lie farther than 2 mm from it: a
    blanket follows the patient and is none.
    """
    if len(at) < 12 or (at.max() - at.min()) * spacing[1] < WIDE_MM:
        return None
    gap = np.diff(at).max() * spacing[1]
    if gap < 20:
        return None  # free all the way: nobody touches it
    kept = np.ones(len(at), bool)
    across, fitted = np.linspace(-1, 1, columns), np.zeros(columns)
    for _ in range(4):
        if np.count_nonzero(kept) < max(12, 0.6 * len(at)):
            return None
        fitted[:] = np.polyval(np.polyfit(across[at[kept]], rows[kept], 2), across)
        kept = np.abs(rows - fitted[at]) * spacing[0] <= SMOOTH_MM
    below, above = at[kept] < _gap_start(at), at[kept] > _gap_start(at)
    if np.count_nonzero(below) < 4 or np.count_nonzero(above) < 4:
        return None
    return fitted


def _gap_start(at: npt.NDArray[np.int64]) -> float:
    """Return the middle of the widest gap between columns."""
    widest = int(np.argmax(np.diff(at)))
    return float(at[widest] + at[widest + 1]) / 2
