"""Traps that lie between stored values and HU: rescale, padding, bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from hounsview.traps.recipes import Build
from hounsview.traps.slices import (
    COLUMNS,
    ROWS,
    known_stored,
    per_slice,
    positions,
    write_series,
)

_TWELVE_BITS: Final[dict[str, Any]] = {
    "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "RescaleIntercept": -1024,
}  # fmt: skip


def rescale_per_slice(folder: Path) -> None:
    """Write a series in which slope and intercept change from slice to slice."""
    write_series(
        folder,
        change=per_slice(
            RescaleIntercept=lambda n: -1024 if n % 3 else -2036 - n,
            RescaleSlope=lambda n: 1 if n % 2 else 2,
        ),
        PixelRepresentation=1,
    )


def one_without_rescale(folder: Path) -> None:
    """Write 20 slices, one of them without RescaleIntercept."""
    write_series(
        folder, positions(20),
        lambda n, tags: tags.update(RescaleIntercept=None if n == 13 else -1024),
    )  # fmt: skip


def padding(tag: int | None, vr: str = "SS") -> Build:
    """Return what writes -2000 outside an ellipse, with a PixelPaddingValue or without."""
    j, i = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    outside = (j - 9.5) ** 2 / 100 + (i - 11.5) ** 2 / 144 > 1

    def cells(n: int) -> bytes:
        return np.where(outside, -2000, known_stored(n)).astype(np.int16).tobytes()

    def build(folder: Path) -> None:
        files = write_series(folder, change=per_slice(PixelData=cells))
        for file in files if tag is not None else ():
            ds = pydicom.dcmread(file)
            ds.add_new(0x00280120, vr, tag)
            ds.save_as(file)

    return build


def garbage_bits(folder: Path) -> None:
    """Write 12 stored bits with something in the four above them."""

    def cells(n: int) -> bytes:
        return (known_stored(n, -1024).astype(np.uint16) | 0x9000).tobytes()

    write_series(folder, change=per_slice(PixelData=cells), **_TWELVE_BITS)


def overlay_in_high_bit(folder: Path) -> None:
    """Write 12 stored bits with an overlay in the bit above them."""

    def cells(n: int) -> bytes:
        stored = known_stored(n, -1024)
        stored[5:9, 3:11] |= 0x1000
        return stored.astype(np.uint16).tobytes()

    for file in write_series(folder, change=per_slice(PixelData=cells), **_TWELVE_BITS):
        ds = pydicom.dcmread(file)
        ds.add_new(0x60000010, "US", ROWS)
        ds.add_new(0x60000011, "US", COLUMNS)
        ds.add_new(0x60000040, "CS", "G")
        ds.add_new(0x60000100, "US", 16)
        ds.add_new(0x60000102, "US", 12)
        ds.save_as(file)


def modality_lut(folder: Path) -> None:
    """Write a series with a table from stored values to HU in place of a rescale."""
    item = Dataset()
    item.add_new(0x00283002, "US", [4096, 0, 16])
    item.add_new(0x00283006, "SS", [int(v) - 1024 for v in range(4096)])
    item.ModalityLUTType = "HU"

    def cells(n: int) -> bytes:
        return known_stored(n, -1024).astype(np.uint16).tobytes()

    write_series(
        folder, change=per_slice(PixelData=cells), PixelRepresentation=0, RescaleSlope=None,
        RescaleIntercept=None, RescaleType=None, ModalityLUTSequence=Sequence([item]),
    )  # fmt: skip
