"""The common case of `hounsfield.convert`, in the very memory of the volume.

Most CT has 16 bits allocated, slope 1 and a whole intercept. Such a slice is read, or put
once decoded, into its place in the volume and converted there: two passes where nothing is
to be marked. Whatever is not that simple is left to `hounsfield.convert`, and a test holds
both to the same answer.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.dicom.decoding import LOSSY
from hounsview.dicom.dicomfile import EXPLICIT_BIG
from hounsview.dicom.frames import Frame
from hounsview.dicom.pixelbytes import is_encapsulated
from hounsview.hounsfield import (
    BELOW_AIR_HU,
    TISSUE_HU,
    SliceFacts,
    padding_limits,
    stored_ceiling,
    untagged_padding,
)
from hounsview.volume import AIR_HU, Validity

Slice = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]


def is_simple(frame: Frame) -> bool:
    """Return whether the cells of a frame can be converted in an int16 volume."""
    layout, rescale = frame.format, frame.rescale
    return (
        layout.bits_allocated == 16
        and layout.samples == 1
        and layout.high_bit in (None, (layout.bits_stored or 16) - 1)
        and rescale.slope == 1
        and rescale.intercept is not None
        and float(rescale.intercept).is_integer()
        and abs(rescale.intercept) < 1 << 16
        and rescale.lut is None
        and not frame.lossy
        and frame.transfer_syntax not in LOSSY
    )


def is_plain(frame: Frame) -> bool:
    """Return whether the cells of a simple frame lie in its file as they lie in memory."""
    return (
        sys.byteorder == "little"
        and not is_encapsulated(frame)
        and frame.transfer_syntax != EXPLICIT_BIG
        and (frame.frame_count == 1 or not frame.pixels or not frame.pixels.deflated_at)
    )


def convert_in_place(cells: Slice, valid: Bits, frame: Frame) -> SliceFacts | None:
    """Turn cells into HU where they lie, and mark what was not measured.

    Parameters
    ----------
    cells : (rows, columns) int16
        As they lie in the file; HU afterwards, or undefined when None is returned.
    valid : (rows, columns) uint8
        All 0; bits of `Validity` afterwards.
    frame : Frame
        Simple (`is_simple`).

    Returns
    -------
    SliceFacts or None
        None where the slice needs the general way.
    """
    layout = frame.format
    stored = cells if layout.signed else cells.view(np.uint16)
    low, high = int(stored.min()), int(stored.max())
    top = stored_ceiling(layout)
    bottom = -top - 1 if layout.signed else 0
    if high > top or low < bottom:
        return None  # overlay or garbage above the stored bits
    intercept = int(frame.rescale.intercept or 0)
    single = len(set(frame.padding)) == 1
    padding, padding_hu = _tagged(stored, (low, high), (bottom, top), frame)
    if padding is not None:
        if padding_hu is None or padding.all():
            return None
        low, high = _measured(stored, padding, low, high, single=single)
    if not (low + intercept >= -32768 and high + intercept <= 32767):
        return None
    saturated = stored == top if high == top else None
    if intercept:
        cells += np.int16((intercept + 0x8000) % 0x10000 - 0x8000)
    tagged = padding is not None or not low + intercept < AIR_HU
    if not tagged:
        padding = untagged_padding(cells)
        tagged = padding is None
        if padding is not None:
            padding_hu = float(low + intercept)
            ends = low + intercept, high + intercept
            measured = _measured(cells, padding, *ends, single=True)
            low, high = measured[0] - intercept, measured[1] - intercept
    if padding is not None:
        _fill(cells, padding, low + intercept, single=single or not tagged)
        np.copyto(valid, padding.view(np.uint8))  # True is the bit of PADDING
    if saturated is not None:
        np.bitwise_or(valid, np.uint8(Validity.SATURATED), out=valid, where=saturated)
    lowest, highest = float(low + intercept), float(high + intercept)
    below = lowest < BELOW_AIR_HU
    return SliceFacts(
        lowest=lowest,
        highest=highest,
        below_air=int(np.count_nonzero(cells < BELOW_AIR_HU)) if below else 0,
        padding_hu=padding_hu,
        tagged=tagged,
        padded=padding is not None,
        saturated=0 if saturated is None else int(np.count_nonzero(saturated)),
    )


def _measured(
    values: npt.NDArray[np.integer[Any]], padding: Mask, low: int, high: int, *, single: bool
) -> tuple[int, int]:
    """Return the range of the values that are no padding, where `low` to `high` is of all.

    Where padding is just the lowest value, an unsigned difference lifts it above all
    others: a plain minimum then finds the next one, far faster than any mask.
    """
    if single and low < high and int(values.flat[int(padding.argmax())]) == low:
        lifted = values.view(np.uint16) - np.uint16((low + 1) & 0xFFFF)
        return low + 1 + int(lifted.min()), high
    kept = values[~padding]
    if kept.size == 0:
        return 0, 0
    return int(kept.min()), int(kept.max())


def _fill(cells: Slice, padding: Mask, lowest: int, *, single: bool) -> None:
    """Put air where padding is; where that is one value below all others, by one maximum."""
    if single and cells.flat[int(padding.argmax())] <= AIR_HU <= lowest:
        np.maximum(cells, _air(cells.shape), out=cells)
    else:
        np.copyto(cells, np.int16(AIR_HU), where=padding)


@lru_cache(maxsize=2)
def _air(shape: tuple[int, ...]) -> Slice:
    """Return a slice of air: numpy compares whole arrays far faster than with a number."""
    return np.full(shape, AIR_HU, np.int16)


def _tagged(
    stored: npt.NDArray[np.integer[Any]],
    there: tuple[int, int],
    possible: tuple[int, int],
    frame: Frame,
) -> tuple[Mask | None, float | None]:
    """Return where PixelPaddingValue says padding, and what it would be in HU.

    The second is None where the general way must look: tissue has that value too, or the
    stored bits cannot hold it.
    """
    if not frame.padding:
        return None, None
    first, last = padding_limits(frame)
    if last < there[0] or first > there[1]:
        return None, None
    mask = stored == first if first == last else (stored >= first) & (stored <= last)
    if first < possible[0] or last > possible[1]:
        return mask, None
    if not mask.any():
        return None, None
    padding_hu = int(stored.flat[int(mask.argmax())]) + float(frame.rescale.intercept or 0)
    return mask, None if TISSUE_HU[0] < padding_hu < TISSUE_HU[1] else padding_hu
