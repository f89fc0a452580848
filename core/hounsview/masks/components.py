"""What hangs together: pieces of a mask in 3D, numbered and measured.

OpenCV numbers the pieces of each slice (8 neighbours); pieces of neighbouring slices that
lie over each other are joined. That is connectivity 18 without the steps that go up and
sideways at once: for organs the same, and for noise stricter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.masks.morphology import Mask

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces of a mask, numbered from 1; 0 is what is not in it.

    Parameters
    ----------
    labels : (k, j, i) int32
    sizes : (n + 1,) int64
        Voxels of each; `sizes[0]` is 0.
    """

    labels: Labels
    sizes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sizes) - 1

    @property
    def numbers(self) -> list[int]:
        """The pieces, the largest first."""
        order = np.argsort(-self.sizes[1:], kind="stable") + 1
        return [int(n) for n in order]

    @cached_property
    def _bounds(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(3, n + 1) first and last index (k, j, i) of each piece."""
        at = np.nonzero(self.labels)
        own = self.labels[at]
        first = np.full((3, len(self.sizes)), np.iinfo(np.int64).max)
        last = np.full((3, len(self.sizes)), -1)
        for axis in range(3):
            np.minimum.at(first[axis], own, at[axis])
            np.maximum.at(last[axis], own, at[axis])
        return first, last

    def box(self, number: int, margin: Sequence[int]) -> tuple[slice, slice, slice]:
        """Return the (k, j, i) box of a piece, with a margin of voxels along each axis."""
        first, last = (bounds[:, number] for bounds in self._bounds)
        k, j, i = (
            slice(max(0, int(a) - more), min(size, int(b) + more + 1))
            for a, b, more, size in zip(first, last, margin, self.labels.shape, strict=True)
        )
        return k, j, i

    def only(self, kept: Any) -> Mask:
        """Return (k, j, i) uint8: the pieces of these numbers."""
        chosen = np.zeros(len(self.sizes), np.uint8)
        chosen[list(kept)] = 1
        chosen[0] = 0
        return np.asarray(chosen.take(self.labels), np.uint8)

    def touching(self, mask: npt.NDArray[Any]) -> list[int]:
        """Return the numbers of the pieces that share a voxel with a (k, j, i) mask."""
        found = np.unique(self.labels[mask > 0])
        return [int(n) for n in found if n]

    def share(self, mask: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return (n + 1,) the share of each piece that lies in a (k, j, i) mask."""
        inside = np.bincount(self.labels[mask > 0], minlength=len(self.sizes))
        inside[0] = 0
        return inside / np.maximum(self.sizes, 1)

    def middle(self, number: int) -> tuple[float, float, float]:
        """Return the mean index (k, j, i) of a piece."""
        box = self.box(number, (0, 0, 0))
        own = np.nonzero(self.labels[box] == number)
        k, j, i = (float(at.mean()) + side.start for at, side in zip(own, box, strict=True))
        return k, j, i


def pieces_of(mask: Mask, *, connectivity: int = 8) -> Pieces:
    """Return the pieces of a mask in 3D.

    Parameters
    ----------
    mask : (k, j, i) uint8
    connectivity : {4, 8}
        Of neighbours in a slice.
    """
    labels = np.zeros(mask.shape, np.int32)
    last, pairs = 0, []
    for k, plane in enumerate(mask):
        count, found = cv2.connectedComponents(
            plane, connectivity=connectivity, ltype=cv2.CV_32S
        )
        if count > 1:
            np.add(found, last, out=labels[k], where=np.asarray(found) > 0)
            last += count - 1
        if k and count > 1:
            both = (labels[k - 1] > 0) & (labels[k] > 0)
            code = labels[k - 1][both].astype(np.int64) * (last + 1) + labels[k][both]
            met = np.unique(code)
            pairs.append(np.stack([met // (last + 1), met % (last + 1)]))
    joined = _joined(last + 1, np.concatenate(pairs, axis=1) if pairs else None)
    _, compact = np.unique(joined, return_inverse=True)
    renumbered = compact.astype(np.int32)
    for plane in labels:
        np.take(renumbered, plane, out=plane)
    sizes = np.bincount(labels.ravel(), minlength=1).astype(np.int64)
    sizes[0] = 0
    return Pieces(labels, sizes)


def _joined(count: int, pairs: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """Return for each number the smallest one that it is joined with."""
    lowest = np.arange(count)
    if pairs is None:
        return lowest
    first, second = pairs
    while True:
        before = lowest.copy()
        least = np.minimum(lowest[first], lowest[second])
        # Roots take what their members found, so that long chains close in few rounds.
        for ends in (first, second):
            np.minimum.at(lowest, before[ends], least)
            np.minimum.at(lowest, ends, least)
        lowest = lowest[lowest]
        if np.array_equal(before, lowest):
            return lowest
