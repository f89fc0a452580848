"""Voxel values in image files: inflated within bounds, typed; and deflated slice by slice.

Nothing is inflated beyond what a header claims, but for one byte to notice that more is there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
import numpy.typing as npt

from hounsview.findings import Finding
from hounsview.geometry import Geometry
from hounsview.images.imagefiles import wrong
from hounsview.scanning import Progress, tell
from hounsview.volume import AIR_HU, Validity, Volume

_CHUNK: Final = 1 << 18
GZIP, ZLIB = 31, 15
"""`wbits` of zlib for the two wrappings of a deflate stream."""


class Readable(Protocol):
    """What values are read from: a plain file, or an inflated one."""

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes; fewer only at the end."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class Layout:
    """How the values of an image file are laid out.

    Parameters
    ----------
    shape : (k, j, i)
    dtype : numpy dtype, with its byte order
        Integer or float, up to 8 bytes.
    slope, intercept : float
        Value = slope x stored value + intercept.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def byte_count(self) -> int:
        """Bytes of all values, uncompressed."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Image:
    """What a reader of one format found in a file.

    Parameters
    ----------
    hu : (k, j, i) int16 or float32
    geometry : Geometry
    valid : (k, j, i) uint8, optional
    unit : str
        Empty where the file says nothing.
    findings : tuple of Finding
    """

    hu: npt.NDArray[Any]
    geometry: Geometry
    valid: npt.NDArray[np.uint8] | None
    unit: str
    findings: tuple[Finding, ...]


class Inflated:
    """The bytes of a zlib or gzip stream, never more in memory than was asked for."""

    def __init__(self, file: BinaryIO, path: Path, wbits: int) -> None:
        self._file, self._path, self._wbits = file, path, wbits
        self._stream = zlib.decompressobj(wbits)
        self._waiting = b""

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes; fewer only at the end.

        Raises
        ------
        ImageFormatError
            If the stream is cut off or damaged.
        """
        parts = []
        while count > 0 and self._feed():
            try:
                part = self._stream.decompress(self._waiting, count)
            except zlib.error as error:
                raise wrong(
                    self._path, f"its compressed values are damaged: {error}"
                ) from error
            self._waiting = self._stream.unconsumed_tail
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _feed(self) -> bool:
        """Have bytes waiting; False at the proper end of the stream."""
        if self._stream.eof:
            # gzip members may follow each other (RFC 1952 2.2), as bgzip writes them.
            rest = self._stream.unused_data or self._file.read(_CHUNK)
            if self._wbits != GZIP or not rest.startswith(b"\x1f\x8b"):
                return False
            self._stream, self._waiting = zlib.decompressobj(self._wbits), rest
        if not self._waiting:
            self._waiting = self._file.read(_CHUNK)
            if not self._waiting:
                raise wrong(self._path, "its compressed values break off: the file is cut off")
        return True


def read_values(
    source: Readable, layout: Layout, path: Path, progress: Progress | None
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8] | None, tuple[Finding, ...]]:
    """Return the values of a file as int16 where all fit, else float32.

    Parameters
    ----------
    source : Readable
        Stands at the first value; must end behind the last.
    layout : Layout
        Already held against the length of the file by `check_claim`.
    path : Path
    progress : callable, optional

    Returns
    -------
    hu : (k, j, i) int16 or float32
    valid : (k, j, i) uint8 or None
        PADDING where a value was not finite.
    findings : tuple of Finding

    Raises
    ------
    ImageFormatError
        If there are fewer or more values than the layout says, or none that is finite.
    """
    gathered = _Gathered(layout, path)
    total = layout.shape[0]
    plane = layout.byte_count // total
    for box in batches(total, plane):
        tell(progress, box.start, total, f"reading {path.name}")
        wanted = (box.stop - box.start) * plane
        raw = source.read(wanted)
        if len(raw) < wanted:
            have = box.start * plane + len(raw)
            raise wrong(
                path, f"the values end after {have:,} of {layout.byte_count:,} bytes: cut off"
            )
        gathered.take(box, np.frombuffer(raw, layout.dtype).reshape(-1, *layout.shape[1:]))
    if source.read(1):
        raise wrong(
            path, f"more values follow the {layout.byte_count:,} bytes that its header claims"
        )
    return gathered.hu, gathered.valid, gathered.findings()


def batches(total: int, plane: int) -> Iterator[slice]:
    """Give ranges of k, of one slice or of as many small ones as are worth a step.

    Parameters
    ----------
    total : int
        Slices.
    plane : int
        Bytes of one slice.
    """
    step = max(1, _CHUNK // plane)
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))


class _Gathered:
    """Slices as they come: int16 as long as every value fits, then float32."""

    def __init__(self, layout: Layout, path: Path) -> None:
        self._layout, self._path = layout, path
        self._plain = layout.slope == 1 and layout.intercept == 0
        self._fits = self._plain and np.can_cast(layout.dtype, np.int16)
        self.hu: npt.NDArray[Any] = np.empty(layout.shape, np.int16)
        self.valid: npt.NDArray[np.uint8] | None = None
        self._rounded, self._apart, self._lost = 0, 0.0, 0

    def take(self, k: slice, stored: npt.NDArray[Any]) -> None:
        """Convert the slices `k`, (slices, rows, columns) stored values."""
        if self._fits:
            self.hu[k] = stored
            return
        values = stored.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            if not self._plain:
                values = values * self._layout.slope + self._layout.intercept
            finite = np.isfinite(values)
        if not finite.all():
            self._mark(k, ~finite)
            values[~finite] = AIR_HU
        if self.hu.dtype == np.int16 and not _are_int16(values):
            self.hu = self._as_float(k.start)
        if self.hu.dtype == np.int16:
            self.hu[k] = values
        else:
            self._keep_float(k, values)

    def _mark(self, k: slice, mask: npt.NDArray[np.bool_]) -> None:
        if self.valid is None:
            self.valid = np.zeros(self._layout.shape, np.uint8)
        self.valid[k][mask] = Validity.PADDING
        self._lost += int(np.count_nonzero(mask))

    def _as_float(self, done: int) -> npt.NDArray[np.float32]:
        """Return room for float32 values that holds the slices gathered so far."""
        room = np.empty(self._layout.shape, np.float32)
        room[:done] = self.hu[:done]
        return room

    def _keep_float(self, k: slice, values: npt.NDArray[np.float64]) -> None:
        largest = float(np.abs(values).max())
        if largest > np.finfo(np.float32).max:
            raise wrong(self._path, f"it holds the value {largest:g}, too large for float32")
        self.hu[k] = values
        apart = np.abs(self.hu[k] - values)
        self._rounded += int(np.count_nonzero(apart))
        self._apart = max(self._apart, float(apart.max()))

    def findings(self) -> tuple[Finding, ...]:
        """Return what was noticed about the values.

        Raises
        ------
        ImageFormatError
            If none of them is finite.
        """
        found = []
        if self._lost == self.hu.size:
            raise wrong(self._path, "it holds no finite value at all")
        if self._lost:
            message = f"{self._lost:,} value(s) in {self._path.name} are NaN or infinite"
            action = f"They are {AIR_HU} and marked PADDING."
            found.append(Finding("NOT_FINITE", message, (self._path,), action=action))
        if self._rounded:
            message = (
                f"{self._rounded:,} value(s) in {self._path.name} are rounded to float32, "
                f"by at most {self._apart:.3g}"
            )
            found.append(Finding("VALUES_ROUNDED", message, (self._path,)))
        return tuple(found)


def _are_int16(values: npt.NDArray[np.float64]) -> bool:
    limits = np.iinfo(np.int16)
    inside = values.min() >= limits.min and values.max() <= limits.max
    return bool(inside and np.array_equal(values, np.rint(values)))


def slices_of(volume: Volume, progress: Progress | None, name: str) -> Iterator[bytes]:
    """Give the little-endian bytes of each slice, k rising."""
    total = volume.shape[0]
    for k in range(total):
        tell(progress, k, total, f"writing {name}")
        yield np.asarray(volume.hu[k], volume.hu.dtype.newbyteorder("<")).tobytes()
    tell(progress, total, total, "written")


def write_deflated(file: BinaryIO, parts: Iterable[bytes], wbits: int) -> None:
    """Write bytes as one zlib or gzip stream, a part at a time."""
    # Level 1: CT compresses about as well as at 6, in a fifth of the time.
    stream = zlib.compressobj(1, zlib.DEFLATED, wbits)
    for part in parts:
        file.write(stream.compress(part))
    file.write(stream.flush())
