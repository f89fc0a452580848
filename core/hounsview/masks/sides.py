"""Left and right: two lungs told apart, also where they touch."""

from __future__ import annotations

from typing import Final

import numpy as np

from hounsview.masks.components import Pieces, pieces_of
from hounsview.masks.grid import Grid
from hounsview.masks.morphology import Mask, eroded, spread_within

SECOND: Final = 0.12
"""Share of the first lung that the second one has at least, to split them at a thin bridge."""
APART_MM: Final = 40.0
"""Between the middles of two lungs, from side to side."""
LEFT, RIGHT = 1, 2


def sides_of(grid: Grid, air: Mask, body: Mask) -> Mask:
    """Return (k, j, i) uint8: 1 in the left lung, 2 in the right one, 0 elsewhere.

    Where one piece holds both lungs it is worn away until it falls in two (they touch in
    thin places, in front of the heart and behind the oesophagus), and each half is grown
    back through it.

    Parameters
    ----------
    grid : Grid
    air : (k, j, i) uint8, coarse
        Aerated lung, without airways.
    body : (k, j, i) uint8, coarse
    """
    pieces = pieces_of(air)
    seeds = _two_seeds(grid, pieces)
    if seeds is None:
        seeds = _worn_seeds(grid, pieces)
    if seeds is None:
        return air * np.uint8(_side_of(grid, air, body))
    grown = spread_within(seeds, air, 200)
    left, right = (_column(grown == side) for side in (LEFT, RIGHT))
    rest = np.argwhere((grown == 0) & (air > 0))
    if len(rest):
        nearer = np.abs(rest[:, 2] - left) <= np.abs(rest[:, 2] - right)
        grown[tuple(rest.T)] = np.where(nearer, LEFT, RIGHT)
    return grown


def _column(mask: np.ndarray) -> float:
    return float(np.nonzero(mask)[2].mean()) if mask.any() else 0.0


def _two_seeds(grid: Grid, pieces: Pieces) -> Mask | None:
    """Return the two largest pieces as left and right, if they lie side by side."""
    if len(pieces) < 2:
        return None
    first, *others = pieces.numbers
    middle = pieces.middle(first)[2]
    for number in others:
        if pieces.sizes[number] < SECOND * pieces.sizes[first]:
            return None
        other = pieces.middle(number)[2]
        if abs(other - middle) * grid.coarse_spacing[2] < APART_MM:
            continue
        left, right = (number, first) if other > middle else (first, number)
        seeds = pieces.only([left])
        seeds[pieces.labels == right] = RIGHT
        return seeds
    return None


def _worn_seeds(grid: Grid, pieces: Pieces) -> Mask | None:
    if not len(pieces):
        return None
    whole = pieces.only([pieces.numbers[0]])
    spacing = grid.coarse_spacing
    columns = np.flatnonzero(whole.any(axis=(0, 1)))
    if (columns[-1] - columns[0]) * spacing[2] < 2 * APART_MM:
        return None
    step = max(spacing[1:])
    for radius in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0):
        worn = eroded(whole, radius * step, spacing)
        if not worn.any():
            break
        seeds = _two_seeds(grid, pieces_of(worn))
        if seeds is not None:
            return seeds
    return None


def _side_of(grid: Grid, air: Mask, body: Mask) -> int:
    """Return on which side of the body's middle a single lung lies."""
    slices = air.any(axis=(1, 2))
    middle = _column(body[slices])
    return LEFT if _column(air[slices]) >= middle else RIGHT
