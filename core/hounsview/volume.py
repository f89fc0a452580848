"""The value that everything works on: HU, geometry, validity, sources, report.

A `Volume` is frozen; every operation returns a new one. Arrays are ``(k, j, i)`` =
(slices, rows, columns), points LPS mm (see `hounsview.geometry`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError, NotHounsfieldError
from hounsview.findings import Report
from hounsview.geometry import Geometry
from hounsview.resampling import Sampler, interpolate

Unit = Literal["HU", "stored"]
Range = tuple[int, int]

AIR_HU: Final = -1024
"""What `Volume.hu` holds where nothing was measured (PADDING)."""


class Validity(IntFlag):
    """Bits of `Volume.valid`; 0 is a plain measured voxel."""

    PADDING = 1
    """Outside the scanner's field of view: never measured, AIR_HU in `hu`."""
    FILLED = 2
    """In a lost slice that was made from its neighbours: left out of every number."""
    RESAMPLED = 4
    """Interpolated by a repair or by a resampling: counted, and said."""
    SATURATED = 8
    """At the upper end of what the scanner stores: the true value may be higher."""


@dataclass(frozen=True)
class SliceSource:
    """One stored slice (or frame) that contributed to a slice of a volume.

    Parameters
    ----------
    file : Path or None
        None for a volume that did not come from a file.
    sop_instance_uid : str
    frame : int
        From 0; 0 in a single-frame file.
    slope, intercept : float
        HU = slope x stored value + intercept (PS3.3 C.11.1.1.2).
    weight : float
        Share of this slice in the result: 1 unless slices were blended.
    read_stored : callable, optional
        Returns the (rows, columns) stored values, read from the file again.
    """

    file: Path | None
    sop_instance_uid: str
    frame: int
    slope: float
    intercept: float
    weight: float = 1.0
    read_stored: Callable[[], npt.NDArray[Any]] | None = field(
        default=None, repr=False, compare=False
    )


def _no_attributes() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Volume:
    """CT values on a regular grid in the patient.

    Parameters
    ----------
    hu : (k, j, i) int16 or float32
        Hounsfield units (or what `unit` says); kept read-only and C-contiguous.
    geometry : Geometry
    valid : (k, j, i) uint8, optional
        Bits of `Validity`; None when every voxel is a plain measured one.
    sources : sequence of sequences of SliceSource
        One entry for each slice as it was stacked; empty when there is none.
    report : Report
        What was found while reading.
    unit : str
        ``"HU"``; ``"stored"`` for values before rescaling.
    attributes : mapping of str to str
        DICOM keyword -> value of what describes the scan, never the patient.
    stacked_index : (4, 4) int, optional
        Index (k, j, i, 1) here -> index in the stack that `sources` speaks of; None
        when voxels were resampled.

    Raises
    ------
    ArgumentError
        If shapes or dtypes do not fit together.
    """

    hu: npt.NDArray[Any]
    geometry: Geometry
    valid: npt.NDArray[np.uint8] | None = None
    sources: Sequence[Sequence[SliceSource]] = ()
    report: Report = field(default_factory=Report)
    unit: str = "HU"
    attributes: Mapping[str, str] = field(default_factory=_no_attributes)
    stacked_index: npt.NDArray[np.int64] | None = field(
        default_factory=lambda: np.eye(4, dtype=np.int64)
    )

    def __post_init__(self) -> None:
        if self.hu.dtype not in (np.int16, np.float32):
            msg = f"a volume holds int16 or float32 values, not {self.hu.dtype}"
            raise ArgumentError(msg)
        if self.hu.shape != self.geometry.shape:
            msg = (
                f"values of shape {self.hu.shape} do not fit a grid of shape "
                f"{self.geometry.shape} (slices, rows, columns)"
            )
            raise ArgumentError(msg)
        object.__setattr__(self, "hu", _frozen(self.hu))
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))
        object.__setattr__(self, "sources", tuple(tuple(s) for s in self.sources))
        if self.valid is not None:
            if self.valid.shape != self.hu.shape or self.valid.dtype != np.uint8:
                msg = (
                    f"valid must be uint8 of shape {self.hu.shape}, "
                    f"not {self.valid.dtype} of shape {self.valid.shape}"
                )
                raise ArgumentError(msg)
            kept = _frozen(self.valid) if self.valid.any() else None
            object.__setattr__(self, "valid", kept)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        return self.geometry.shape

    def source(self, k: int) -> list[SliceSource]:
        """Return the stored slices that slice `k` of this array was made from.

        After a resampling, or where `k` no longer runs along the stored slices, these
        are all the slices of the stack.
        """
        if not -self.shape[0] <= k < self.shape[0]:
            msg = f"slice {k} is outside the volume of {self.shape[0]} slices"
            raise ArgumentError(msg)
        if not self.sources:
            return []
        index = self.stacked_index
        if index is None or index[0, 0] == 0:
            return [source for stacked in self.sources for source in stacked]
        stacked_k = int(index[0, 0]) * (k % self.shape[0]) + int(index[0, 3])
        return list(self.sources[stacked_k])

    def stored_value(self, k: int, j: int, i: int) -> int | None:
        """Return the stored value of a voxel, read from its file again.

        None where there is no such value: a filled or resampled voxel, or a volume
        that did not come from a file.

        Raises
        ------
        ReadError
            If the file is gone or changed.
        """
        stored = self.stored_at(k, j, i)
        if stored is None:
            return None
        source, row, column = stored
        return None if source.read_stored is None else int(source.read_stored()[row, column])

    def stored_at(self, k: int, j: int, i: int) -> tuple[SliceSource, int, int] | None:
        """Return the stored slice that a voxel came from, and its row and column there.

        None where there is not exactly one: a filled or resampled voxel, or a volume
        that did not come from a file.
        """
        index = self.stacked_index
        made = Validity.FILLED | Validity.RESAMPLED
        if index is None or not self.sources:
            return None
        if self.valid is not None and self.valid[k, j, i] & made:
            return None
        at = index @ np.array(
            [n % size for n, size in zip((k, j, i), self.shape, strict=True)] + [1]
        )
        sources = self.sources[int(at[0])]
        if len(sources) != 1:
            return None
        return sources[0], int(at[1]), int(at[2])

    def measured(self) -> npt.NDArray[np.bool_]:
        """Return (k, j, i) bool: voxels that may enter a number (not PADDING, FILLED)."""
        if self.valid is None:
            return np.ones(self.shape, bool)
        left_out = _bits(Validity.PADDING | Validity.FILLED)
        measured: npt.NDArray[np.bool_] = (self.valid & left_out) == 0
        return measured

    def require_hu(self, purpose: str) -> None:
        """Raise unless the values are Hounsfield units.

        Raises
        ------
        NotHounsfieldError
            If `unit` is not "HU".
        """
        if self.unit != "HU":
            msg = (
                f"{purpose} needs Hounsfield units, and this volume holds values of "
                f"unit {self.unit!r}"
            )
            if self.unit == "unknown":
                msg += (
                    ". Load it with unit='HU' (--unit HU) if you know that these are "
                    "Hounsfield units"
                )
            raise NotHounsfieldError(msg, report=self.report)

    def crop(
        self, *, k: Range | None = None, j: Range | None = None, i: Range | None = None
    ) -> Volume:
        """Return the part between half-open ranges (start, stop) of array indices.

        Raises
        ------
        ArgumentError
            If a range is empty or leaves the volume.
        """
        start = [0, 0, 0]
        stop = list(self.shape)
        for axis, (name, wanted) in enumerate({"k": k, "j": j, "i": i}.items()):
            if wanted is None:
                continue
            if not 0 <= wanted[0] < wanted[1] <= self.shape[axis]:
                msg = f"crop {name}={wanted} must be (start, stop) within 0..{self.shape[axis]}"
                raise ArgumentError(msg)
            start[axis], stop[axis] = wanted
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        to_old = np.eye(4, dtype=np.int64)
        to_old[:3, 3] = start
        return self._moved(box, (0, 1, 2), to_old)

    def flip(self, *axes: int) -> Volume:
        """Return the volume with array axes reversed (0 k, 1 j, 2 i), same places."""
        to_old = np.eye(4, dtype=np.int64)
        box = [slice(None)] * 3
        for axis in axes:
            if axis not in (0, 1, 2):
                msg = f"axes are 0 (k), 1 (j) and 2 (i), not {axis}"
                raise ArgumentError(msg)
            to_old[axis, axis] = -1
            to_old[axis, 3] = self.shape[axis] - 1
            box[axis] = slice(None, None, -1)
        return self._moved(tuple(box), (0, 1, 2), to_old)

    def permute(self, order: tuple[int, int, int]) -> Volume:
        """Return the volume with its array axes in another order, same places."""
        if sorted(order) != [0, 1, 2]:
            msg = f"an axis order holds 0, 1 and 2 once each, not {order}"
            raise ArgumentError(msg)
        to_old = np.zeros((4, 4), dtype=np.int64)
        to_old[3, 3] = 1
        for new, old in enumerate(order):
            to_old[old, new] = 1
        return self._moved((slice(None),) * 3, order, to_old)

    def reorient(self, orientation: str) -> Volume:
        """Return the volume with k, j and i rising towards three letters.

        No value changes and no voxel moves in the patient; ``"SPL"`` is axial.

        Raises
        ------
        ArgumentError
            If the letters do not name each patient axis once.
        """
        order, flips = self.geometry.axes_to(orientation)
        turned = self.permute(order)
        return turned.flip(*(axis for axis, wanted in enumerate(flips) if wanted))

    def resample(self, spacing: Sequence[float]) -> Volume:
        """Return the volume on a grid of another spacing (k, j, i) mm, same box.

        Trilinear, without smoothing: a much coarser grid shows aliasing.
        """
        return self.resample_onto(self.geometry.with_spacing(spacing))

    def resample_onto(self, geometry: Geometry) -> Volume:
        """Return the volume on another grid, by trilinear interpolation.

        Voxels outside this volume, or made of more than half of PADDING, are PADDING;
        all others are RESAMPLED, and keep FILLED and SATURATED from any contributor.
        int16 values are rounded to the nearest.
        """
        if geometry.is_close(self.geometry, tolerance=1e-9):
            return self
        to_old = self.geometry.inverse @ geometry.affine
        hu = np.empty(geometry.shape, self.hu.dtype)
        valid = np.empty(geometry.shape, np.uint8)
        outside = self.hu.dtype.type(AIR_HU if self.unit == "HU" else 0)
        usable = None
        if self.valid is not None:
            usable = (self.valid & _bits(Validity.PADDING)) == 0
        kept = [
            (bit, (self.valid & _bits(bit)) > 0)
            for bit in (Validity.FILLED, Validity.SATURATED)
            if self.valid is not None and (self.valid & _bits(bit)).any()
        ]

        def each_slice(
            k: int,
            values: npt.NDArray[np.float32],
            known: npt.NDArray[np.bool_],
            sample: Sampler,
        ) -> None:
            if hu.dtype == np.int16:
                np.rint(values, out=values)
            hu[k] = np.where(known, values, outside)
            valid[k] = np.where(known, Validity.RESAMPLED, Validity.PADDING)
            for bit, mask in kept:
                valid[k] |= np.where(sample(mask) > 0, bit, 0).astype(np.uint8)

        interpolate(self.hu, usable, to_old, geometry.shape, each_slice)
        return replace(self, hu=hu, geometry=geometry, valid=valid, stacked_index=None)

    def _moved(
        self,
        box: tuple[slice, ...],
        order: tuple[int, int, int],
        to_old: npt.NDArray[np.int64],
    ) -> Volume:
        """Return the volume cut, flipped or permuted: no value changes."""
        hu = self.hu[box].transpose(order)
        valid = None if self.valid is None else self.valid[box].transpose(order)
        index = None if self.stacked_index is None else self.stacked_index @ to_old
        geometry = self.geometry.transformed(hu.shape, to_old)
        return replace(self, hu=hu, valid=valid, geometry=geometry, stacked_index=index)

    def __repr__(self) -> str:
        k, j, i = self.geometry.spacing
        marked = "all measured"
        if self.valid is not None:
            shares = [
                f"{np.count_nonzero(self.valid & _bits(bit)) / self.valid.size:.2%} {bit.name}"
                for bit in Validity
                if (self.valid & _bits(bit)).any()
            ]
            marked = ", ".join(shares)
        return (
            f"Volume({self.shape[0]} x {self.shape[1]} x {self.shape[2]} (k, j, i), "
            f"{k:.6g} x {j:.6g} x {i:.6g} mm, {self.geometry.orientation}, "
            f"{self.hu.dtype} {self.unit} {self.hu.min():g}..{self.hu.max():g}, "
            f"{marked}, {self.report.status})"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: facts, findings and a slice of each plane."""
        from hounsview.summary import html_of

        return html_of(self)


def _bits(bits: Validity) -> np.uint8:
    """Return bits that leave a uint8 array uint8: with an enum it would become int64."""
    return np.uint8(bits)


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, C-contiguous and read-only.

    An array that owns its memory is taken over (a copy would cost a whole volume); a
    view of somebody else's is copied.
    """
    contiguous = np.ascontiguousarray(array)
    if not contiguous.flags.writeable:
        return contiguous
    if contiguous is array and array.base is not None:
        contiguous = array.copy()
    contiguous.flags.writeable = False
    return contiguous
