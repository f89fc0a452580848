"""Growing, shrinking and filling of masks, in mm whatever the voxels are.

Masks are ``(k, j, i)`` uint8 of 0 and 1. What lies beyond the array counts as neither:
nothing grows in from there and nothing is worn away there, so that a body that leaves the
scan stays whole up to its last slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Spacing = Sequence[float]


def disc(radius: float, spacing: Spacing) -> Mask:
    """Return (rows, columns) uint8: pixels whose centres lie within `radius` mm.

    Parameters
    ----------
    radius : float, mm
    spacing : (rows, columns) mm

    Examples
    --------
    >>> disc(1.0, (1.0, 1.0)).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    rows, columns = (int(radius / mm + 1e-6) for mm in spacing)
    down = np.arange(-rows, rows + 1)[:, None] * spacing[0]
    across = np.arange(-columns, columns + 1)[None] * spacing[1]
    return (down**2 + across**2 <= (radius + 1e-6) ** 2).astype(np.uint8)


def dilated(mask: Mask, radius: float, spacing: Spacing) -> Mask:
    """Return a mask grown by a ball of `radius` mm.

    Parameters
    ----------
    mask : (k, j, i) uint8
    radius : float, mm
        A step that is longer than it does not count along its axis.
    spacing : (k, j, i) mm
    """
    grown = dilated_by_slice(mask, disc(radius, spacing[1:]))
    for step in range(1, int(radius / spacing[0] + 1e-6) + 1):
        if step >= len(mask):
            break
        left = (radius + 1e-6) ** 2 - (step * spacing[0]) ** 2
        smaller = disc(float(np.sqrt(max(left, 0.0))), spacing[1:])
        for k, plane in enumerate(mask):
            spread = cv2.dilate(plane, smaller)
            for other in (k - step, k + step):
                if 0 <= other < len(mask):
                    grown[other] |= np.asarray(spread, np.uint8)
    return grown


def eroded(mask: Mask, radius: float, spacing: Spacing) -> Mask:
    """Return a mask that lost what is within `radius` mm of what is not in it."""
    return 1 - dilated(1 - mask, radius, spacing)


def dilated_by_slice(mask: Mask, flat: Mask) -> Mask:
    """Return a mask grown by a flat shape, such as `disc` gives, slice by slice."""
    grown = np.empty_like(mask)
    for k, plane in enumerate(mask):
        cv2.dilate(plane, flat, dst=grown[k])
    return grown


def opened_by_slice(mask: Mask, radius: float, spacing: Spacing) -> Mask:
    """Return a mask without what is thinner than a disc, slice by slice."""
    flat = disc(radius, spacing[1:])
    return _by_slice(mask, cv2.MORPH_OPEN, flat)


def closed_by_slice(mask: Mask, radius: float, spacing: Spacing) -> Mask:
    """Return a mask with its gaps closed that a disc does not fit into, slice by slice."""
    flat = disc(radius, spacing[1:])
    return _by_slice(mask, cv2.MORPH_CLOSE, flat)


def _by_slice(mask: Mask, how: int, flat: Mask) -> Mask:
    changed = np.empty_like(mask)
    for k, plane in enumerate(mask):
        cv2.morphologyEx(plane, how, flat, dst=changed[k])
    return changed


def fill(plane: npt.NDArray[Any], most: float = np.inf) -> None:
    """Fill the holes of one (j, i) uint8 plane of 0 and 1 in place.

    Parameters
    ----------
    plane : (j, i) uint8
    most : float, pixels
        Larger holes stay.
    """
    if not np.isfinite(most):
        outlines, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(plane, outlines, -1, 1, cv2.FILLED)
        return
    outlines, nested = cv2.findContours(plane, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return
    # The fourth entry is the outline around: only holes have one.
    holes = [
        outline
        for outline, links in zip(outlines, nested[0], strict=True)
        if links[3] >= 0 and cv2.contourArea(outline) <= most
    ]
    cv2.drawContours(plane, holes, -1, 1, cv2.FILLED)


def spread_within(seeds: Mask, room: Mask, steps: int) -> Mask:
    """Return seeds, 0 none and 1 or 2, grown through `room` until they meet.

    Parameters
    ----------
    seeds, room : (k, j, i) uint8
    steps : int
        At most so many voxels far.
    """
    labels = seeds.copy()
    cross = disc(1.0, (1.0, 1.0))
    for _ in range(steps):
        free = (labels == 0) & (room > 0)
        changed = False
        for value in (1, 2):
            own = (labels == value).astype(np.uint8)
            grown = dilated_by_slice(own, cross)
            grown[1:] |= own[:-1]
            grown[:-1] |= own[1:]
            new = (grown > 0) & free & (labels == 0)
            labels[new] = value
            changed = changed or bool(new.any())
        if not changed:
            break
    return labels
