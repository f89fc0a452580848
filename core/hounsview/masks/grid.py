"""The volume as the masks look at it: upright, and once more at about 2 mm.

What an organ is (which pieces hang together, what encloses what) is decided on the coarse
copy, where noise is averaged and everything is quick; where its edge runs is decided on the
voxels themselves. Both have k, j and i rising to Superior, Posterior and Left, found from
the geometry, so that no answer depends on which way the array was stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.volume import Validity, Volume

UPRIGHT: Final = "SPL"
COARSE_MM: Final = 2.0
"""Fine enough for the walls of main bronchi (1 to 2 mm) to stay seen as a dip in HU."""
CALM_HU: Final = 15.0
"""Noise (SD) from which a smoothed copy is looked at."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume turned upright, with its coarse copy.

    Parameters
    ----------
    stored : Volume
        As the caller has it.
    """

    stored: Volume

    @cached_property
    def upright(self) -> Volume:
        """The volume with k, j, i rising to S, P, L."""
        return self.stored.reorient(UPRIGHT)

    @property
    def hu(self) -> npt.NDArray[Any]:
        """(k, j, i) int16 or float32, HU, upright."""
        return self.upright.hu

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """(k, j, i) mm, rounded so that the order of the stored axes leaves no trace."""
        k, j, i = self.upright.geometry.spacing
        return round(k, 5), round(j, 5), round(i, 5)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns), upright."""
        return self.upright.shape

    def padding(self, k: int) -> npt.NDArray[np.bool_] | None:
        """Return (j, i) bool: what of an upright slice was never measured; None if all was."""
        valid = self.upright.valid
        if valid is None:
            return None
        plane: npt.NDArray[np.bool_] = (valid[k] & np.uint8(Validity.PADDING)) > 0
        return plane

    @cached_property
    def coarse_shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns) of the coarse copy, which fills the same box."""
        k, j, i = (
            -(-size // max(1, round(COARSE_MM / mm)))
            for size, mm in zip(self.shape, self.spacing, strict=True)
        )
        return k, j, i

    @cached_property
    def coarse_spacing(self) -> tuple[float, float, float]:
        """(k, j, i) mm between voxels of the coarse copy."""
        sizes = zip(self.shape, self.coarse_shape, self.spacing, strict=True)
        k, j, i = (full / coarse * mm for full, coarse, mm in sizes)
        return k, j, i

    @property
    def coarse_ml(self) -> float:
        """Volume of one coarse voxel, ml."""
        return float(np.prod(self.coarse_spacing)) / 1000

    def at_least(self, ml: float, cm2: float) -> float:
        """Return ml, or what an area of cm2 fills of a scan too low for so much."""
        return min(ml, cm2 * self.shape[0] * self.spacing[0] / 10)

    @cached_property
    def coarse(self) -> npt.NDArray[np.float32]:
        """(k, j, i) float32, HU: means over the coarse voxels."""
        return self.averaged(np.asarray(plane, np.float32) for plane in self.hu)

    @cached_property
    def coarse_padding(self) -> npt.NDArray[np.bool_]:
        """(k, j, i) bool: coarse voxels of which half or more was never measured."""
        if self.upright.valid is None:
            return np.zeros(self.coarse_shape, bool)
        planes = (np.asarray(self.padding(k), np.float32) for k in range(self.shape[0]))
        half: npt.NDArray[np.bool_] = self.averaged(planes) >= 0.5
        return half

    def averaged(self, planes: Iterator[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return upright (j, i) planes averaged over the coarse voxels: (k, j, i) float32."""
        depth, rows, columns = self.coarse_shape
        small = np.empty((self.shape[0], rows, columns), np.float32)
        for k, plane in enumerate(planes):
            cv2.resize(plane, (columns, rows), dst=small[k], interpolation=cv2.INTER_AREA)
        if depth == self.shape[0]:
            return small
        flat = small.reshape(self.shape[0], rows * columns)
        thick = cv2.resize(flat, (rows * columns, depth), interpolation=cv2.INTER_AREA)
        return np.asarray(thick, np.float32).reshape(self.coarse_shape)

    def share(self, mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return which part of each coarse voxel an upright mask fills: (k, j, i) float32."""
        return self.averaged(np.asarray(plane, np.float32) for plane in mask)

    @cached_property
    def noise(self) -> float:
        """SD of the noise of single voxels, HU."""
        return noise_of(self.hu)

    @cached_property
    def calm(self) -> npt.NDArray[np.float32]:
        """The coarse copy, smoothed where it is noisy."""
        if noise_of(self.coarse) < CALM_HU:
            return self.coarse
        return smoothed(self.coarse)

    def fine_planes(self, coarse: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield for each upright slice a coarse mask brought up to it: (j, i) 0 to 255.

        128 and more is inside; linear between the centres of the coarse voxels.
        """
        depth, rows, columns = coarse.shape
        size = (self.shape[2], self.shape[1])
        levels = np.asarray(coarse, np.uint8) * np.uint8(255)
        filled = np.asarray(levels.any(axis=(1, 2)))
        nothing = np.zeros(size[::-1], np.uint8)
        for k in range(self.shape[0]):
            at = min(max((k + 0.5) * depth / self.shape[0] - 0.5, 0.0), depth - 1.0)
            low = min(int(at), max(depth - 2, 0))
            part = at - low
            if not filled[low] and not filled[min(low + 1, depth - 1)]:
                yield nothing
                continue
            plane = levels[low]
            if part > 0:
                mixed = cv2.addWeighted(plane, 1 - part, levels[low + 1], part, 0)
                plane = np.asarray(mixed, np.uint8)
            if (columns, rows) != size:
                plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR))
            yield plane

    def from_stored(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array in the order of the caller's volume turned upright."""
        order, flips = self.stored.geometry.axes_to(UPRIGHT)
        turn = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in flips)
        return np.ascontiguousarray(stored.transpose(order)[turn])

    def to_stored(self, upright: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an upright array in the order that the caller's volume is stored in."""
        order, flips = self.stored.geometry.axes_to(UPRIGHT)
        turn = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in flips)
        back = upright[turn].transpose(np.argsort(order))
        return np.ascontiguousarray(back)


def smoothed(hu: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a (k, j, i) float32 array smoothed by 1/4, 1/2, 1/4 along each axis."""
    calm = np.empty_like(hu)
    for k, plane in enumerate(hu):
        cv2.GaussianBlur(plane, (3, 3), 0.85, dst=calm[k])
    if len(hu) > 1:
        before = calm[0].copy()
        for k in range(len(hu)):
            own = calm[k].copy()
            after = calm[min(k + 1, len(hu) - 1)]
            calm[k] = 0.25 * before + 0.5 * own + 0.25 * after
            before = own
    return calm


def noise_of(hu: npt.NDArray[Any]) -> float:
    """Return the SD of the noise in soft tissue, HU; 0 where there is none.

    From differences between voxels two columns apart, because neighbours are correlated,
    by their median, which edges do not move; 1.4826 makes a median deviation an SD.
    """
    chosen = hu[:: max(1, len(hu) // 16)]
    first = chosen[:, :, :-2].astype(np.float32)
    second = chosen[:, :, 2:].astype(np.float32)
    soft = (np.abs(first) < 300) & (np.abs(second) < 300)
    if np.count_nonzero(soft) < 100:
        return 0.0
    apart = np.abs(first[soft] - second[soft])
    return float(1.4826 * np.median(apart) / np.sqrt(2))
