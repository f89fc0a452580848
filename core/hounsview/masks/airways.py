"""Trachea and main bronchi: followed from slice to slice, from the neck down.

In axial slices the trachea is a round spot of clean air (-1000 HU) of 0.4 to 6 cm2 near the
middle. Spots that lie over each other make a chain; the longest one is the trachea. Below
it the bronchi are followed as long as they are closed off from the lung by their wall.
What it cannot do: lobar bronchi, a trachea that is pressed flat, filled or outside the scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.masks.grid import Grid
from hounsview.masks.morphology import Mask, disc

WALL_HU: Final = -500
"""Half-way between the air inside and the wall."""
CLEAN_HU: Final = -900
"""Between clean air and lung (-850), with room for what a thin wall adds."""
LEAST_CM2, MOST_CM2 = 0.4, 6.0
"""Tracheal lumina of adults are 1.5 to 4 cm2, of small children 0.3 (Breatnach 1984)."""
SHORTEST_MM: Final = 20.0
BELOW_MM: Final = 60.0
"""How far below the trachea's last round spot the bronchi are followed."""
ABOVE_MM: Final = 40.0
"""How far above its first round spot: through a larynx that is a slit, not to the nose."""
CENTRAL: Final = 0.22
"""Of the body's width in the slice: how far from its middle a trachea may lie."""
GROWS: Final = 1.6


@dataclass(eq=False)
class _Spot:
    """One piece of air in one slice."""

    k: int
    label: int
    area: float
    chain: list[_Spot] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Slices:
    """The pieces of air in every slice: labels (k, j, i), and areas in cm2 by slice."""

    labels: npt.NDArray[np.int32]
    stats: list[npt.NDArray[Any]]
    pixel_cm2: float

    def area(self, k: int, label: int) -> float:
        return float(self.stats[k][label, cv2.CC_STAT_AREA]) * self.pixel_cm2


def airways_of(grid: Grid, body: Mask) -> Mask:
    """Return (k, j, i) uint8 on the coarse grid: trachea and main bronchi; 0 without.

    Parameters
    ----------
    grid : Grid
    body : (k, j, i) uint8, coarse
    """
    air = ((grid.calm < WALL_HU) & ~grid.coarse_padding).astype(np.uint8) & body
    slices = _slices_of(grid, air)
    trachea = _trachea(grid, body, slices)
    airways = np.zeros_like(body)
    for spot in trachea:
        airways[spot.k] = slices.labels[spot.k] == spot.label
    if trachea:
        _follow(grid, slices, airways, trachea[-1].k, -1, BELOW_MM)
        _follow(grid, slices, airways, trachea[0].k, 1, ABOVE_MM)
    return airways


def _slices_of(grid: Grid, air: Mask) -> _Slices:
    labels = np.zeros(air.shape, np.int32)
    stats = []
    for k, plane in enumerate(air):
        _, found, measures, _ = cv2.connectedComponentsWithStats(
            plane, connectivity=4, ltype=cv2.CV_32S
        )
        labels[k] = found
        stats.append(np.asarray(measures))
    pixel = grid.coarse_spacing[1] * grid.coarse_spacing[2] / 100
    return _Slices(labels, stats, pixel)


def _trachea(grid: Grid, body: Mask, slices: _Slices) -> list[_Spot]:
    """Return the spots of the trachea from the top down; empty where there is none."""
    longest: list[_Spot] = []
    above: dict[int, _Spot] = {}
    for k in range(len(body) - 1, -1, -1):
        here: dict[int, _Spot] = {}
        for label in _round_spots(grid, body, slices, k):
            spot = _Spot(k, label, slices.area(k, label))
            before = _spot_over(slices, above, spot)
            spot.chain = [*(before.chain if before else []), spot]
            here[label] = spot
            if len(spot.chain) > len(longest):
                longest = spot.chain
        above = here
    if len(longest) * grid.coarse_spacing[0] < SHORTEST_MM or len(longest) < 3:
        return []
    return longest


def _round_spots(grid: Grid, body: Mask, slices: _Slices, k: int) -> list[int]:
    """Return the labels of a slice that may be the trachea."""
    columns = np.flatnonzero(body[k].any(axis=0))
    if not columns.size:
        return []
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 1
    found = []
    for label, row in enumerate(slices.stats[k]):
        left, _, wide, high, area = (int(n) for n in row[:5])
        if not label or not LEAST_CM2 <= area * slices.pixel_cm2 <= MOST_CM2:
            continue
        mm = wide * grid.coarse_spacing[2], high * grid.coarse_spacing[1]
        if max(mm) > 2.5 * min(mm) or area < 0.55 * wide * high:
            continue
        if abs(left + wide / 2 - middle) > CENTRAL * width:
            continue
        hu = grid.calm[k][slices.labels[k] == label]
        if float(np.percentile(hu, 25)) < CLEAN_HU:
            found.append(label)
    return found


def _spot_over(slices: _Slices, above: dict[int, _Spot], spot: _Spot) -> _Spot | None:
    """Return the spot of the slice above that lies over this one, of a size alike."""
    own = slices.labels[spot.k] == spot.label
    over, counts = np.unique(slices.labels[spot.k + 1][own], return_counts=True) if above else (
        np.empty(0, int), np.empty(0, int),
    )  # fmt: skip
    best, most = None, 0
    for label, count in zip(over, counts, strict=True):
        other = above.get(int(label))
        if other is None or count <= most:
            continue
        sizes = sorted((other.area, spot.area))
        shared = count * slices.pixel_cm2
        if sizes[1] <= 2 * sizes[0] + 0.5 and shared >= 0.3 * sizes[0]:
            best, most = other, int(count)
    return best


def _follow(
    grid: Grid, slices: _Slices, airways: Mask, start: int, step: int, reach: float
) -> None:
    """Add to the airways what goes on from slice `start`, `reach` mm far, and is no lung.

    Parameters
    ----------
    step : {-1, 1}
        Downwards or upwards.
    """
    count = round(reach / grid.coarse_spacing[0])
    near = disc(min(2.1, 0.5 * grid.coarse_spacing[0] + 1.1), grid.coarse_spacing[1:])
    for k in range(start + step, start + step * (count + 1), step):
        if not 0 <= k < len(airways):
            return
        before = airways[k - step]
        over = np.asarray(cv2.dilate(before, near), np.uint8)
        labels = slices.labels[k]
        for label in np.unique(labels[over > 0]):
            if label:
                piece = (labels == label).astype(np.uint8)
                airways[k] |= _closed_off(slices, piece, over, before, near)
        if not airways[k].any():
            return


def _closed_off(
    slices: _Slices, piece: Mask, over: Mask, above: Mask, reach: Mask
) -> npt.NDArray[np.uint8]:
    """Return the piece, or its part under the airway above, if it is no larger; else 0."""
    count = np.count_nonzero(above & np.asarray(cv2.dilate(piece, reach)))
    most = GROWS * count + 0.5 / slices.pixel_cm2
    if np.count_nonzero(piece) <= most:
        return piece
    # Through a thin wall it runs into the lung: worn away by a voxel the two may part.
    cross = disc(1.0, (1.0, 1.0))
    worn = np.asarray(cv2.erode(piece, cross), np.uint8)
    _, labels = cv2.connectedComponents(worn, connectivity=4, ltype=cv2.CV_32S)
    kept = np.zeros_like(piece)
    for label in np.unique(labels[over > 0]):
        part = (labels == label).astype(np.uint8)
        if label and np.count_nonzero(part) <= most:
            kept |= np.asarray(cv2.dilate(part, cross), np.uint8) & piece
    return kept
