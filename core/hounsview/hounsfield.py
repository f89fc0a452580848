"""The HU contract: when stored values may be called Hounsfield units, and the conversion.

HU = slope x stored value + intercept (PS3.3 C.11.1.1.2). Photometric interpretation and
VOI windows are display matters and change nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.decoding import LOSSY, Cells, stored_values
from hounsview.dicom.dicomfile import uid_name
from hounsview.dicom.frames import Frame, PixelFormat
from hounsview.findings import Finding
from hounsview.volume import AIR_HU

AS_STORED: Final = "Load with as_stored=True for the stored values."
CT_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT Image Storage",
}
# Image types (value 3 on) of CT images whose values are no attenuation in HU:
# perfusion parameters, arithmetic on images, material maps (PS3.3 C.8.15.3.1, CID 7180).
_NOT_HU_TYPES: Final = frozenset(
    "RCBF RCBV CBF CBV MTT RMTT TTP TMAX TTD TTS PS FLOW ADDITION DIVISION MULTIPLICATION "
    "STD_DEVIATION SUBTRACTION EFF_ATOMIC_NUM ELECTRON_DENSITY MATERIAL_FRACTIONAL "
    "MATERIAL_CS VALUE_MAP IODINE_MAP".split()
)
# "US" is the Standard's word for unspecified (PS3.3 C.11.1.1.2), common in older CT.
UNSPECIFIED_TYPES: Final = ("", "US")
TISSUE_HU: Final = (-200.0, 3000.0)
_LOSSY_PADDING_HU: Final = -1500
_LARGEST_RESCALE: Final = 1e9
BELOW_AIR_HU: Final = -1200
CEILING_HU: Final = 3071  # 4095 - 1024: where scanners with 12 stored bits clip


def pixel_format_problem(frame: Frame) -> Finding | None:
    """Return why the layout of the pixels cannot be used; None when it can."""
    layout = frame.format
    problem = ""
    if not layout.rows or not layout.columns:
        problem = f"Rows {layout.rows} and Columns {layout.columns} name no picture"
    elif layout.samples != 1 or layout.photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        problem = (
            f"{layout.samples} sample(s) a pixel, {layout.photometric or 'no photometric'}: "
            "a colour picture holds no measured values"
        )
    elif layout.bits_allocated not in (8, 16, 32):
        problem = f"BitsAllocated is {layout.bits_allocated}; 8, 16 and 32 are read"
    elif not layout.bits_stored or not 1 <= layout.bits_stored <= layout.bits_allocated:
        problem = (
            f"BitsStored is {layout.bits_stored}, BitsAllocated {layout.bits_allocated}: "
            "the first must be from 1 to the second"
        )
    elif layout.signed is None:
        problem = "PixelRepresentation is missing: signed or unsigned cannot be told"
    elif layout.high_bit is not None and not (
        layout.bits_stored - 1 <= layout.high_bit < layout.bits_allocated
    ):
        problem = (
            f"HighBit is {layout.high_bit}; with BitsStored {layout.bits_stored} it must be "
            f"from {layout.bits_stored - 1} to {layout.bits_allocated - 1}"
        )
    if not problem:
        return None
    return Finding("PIXEL_FORMAT", f"{frame.name}: {problem}", (frame.path,))


def not_ct(frame: Frame) -> str:
    """Return why a frame is no CT image; "" for CT and enhanced CT of Modality CT."""
    if frame.modality != "CT":
        return f"Modality is {frame.modality or 'missing'}, not CT"
    if frame.sop_class in CT_CLASSES:
        colour = frame.format.samples != 1 or "PALETTE" in frame.format.photometric
        return "a colour picture, not measured values" if colour else ""
    name = uid_name(frame.sop_class)
    return f"SOP class is {name}, not CT" if name else ""


def is_localizer(frame: Frame) -> bool:
    """Return whether a frame is a localizer (scout, topogram): a projection, no slice."""
    return any(value in ("LOCALIZER", "SCOUT", "TOPOGRAM") for value in frame.image_type[2:])


def not_hu(frame: Frame) -> Finding | None:
    """Return why the values of a frame are no Hounsfield units; None when they are."""
    files = (frame.path,)
    reason = not_ct(frame)
    if reason:
        return Finding("NOT_HU", f"{frame.name}: {reason}", files, action=AS_STORED)
    named = [value for value in frame.image_type[2:] if value in _NOT_HU_TYPES]
    if named:
        return Finding(
            "NOT_HU",
            f"{frame.name}: ImageType {named[0]} is a computed map, not HU",
            files,
            "ImageType (0008,0008)",
            AS_STORED,
        )
    rescale = frame.rescale
    if rescale.type not in ("HU", *UNSPECIFIED_TYPES):
        return Finding(
            "NOT_HU",
            f"{frame.name}: RescaleType is {rescale.type!r}, not HU",
            files,
            "RescaleType (0028,1054)",
            AS_STORED,
        )
    return _rescale_problem(frame)


def _rescale_problem(frame: Frame) -> Finding | None:
    rescale, files = frame.rescale, (frame.path,)
    if rescale.lut is not None:
        if rescale.lut:
            return None
        message = f"{frame.name}: the Modality LUT is not of the length it claims"
        return Finding(
            "RESCALE_INVALID", message, files, "ModalityLUTSequence (0028,3000)", AS_STORED
        )
    for value, tag in (
        (rescale.slope, "RescaleSlope (0028,1053)"),
        (rescale.intercept, "RescaleIntercept (0028,1052)"),
    ):
        name = tag.split()[0]
        if value is None:
            message = f"{frame.name}: {name} is missing, so its values cannot be HU"
            return Finding("RESCALE_MISSING", message, files, tag, AS_STORED)
        if not abs(value) < _LARGEST_RESCALE or (value == 0 and name == "RescaleSlope"):
            message = f"{frame.name}: {name} is {value:g}, so its values cannot be HU"
            return Finding("RESCALE_INVALID", message, files, tag, AS_STORED)
    return None


def is_integral(frame: Frame) -> bool:
    """Return whether HU of a frame are whole numbers: integer slope and intercept, or LUT."""
    rescale = frame.rescale
    if rescale.lut is not None:
        return True
    return float(rescale.slope or 0).is_integer() and float(rescale.intercept or 0).is_integer()


@dataclass(frozen=True)
class SliceValues:
    """One converted slice, (rows, columns) each.

    Parameters
    ----------
    values : float64, int64 or int32
        HU, or stored values.
    padding : bool
        Never measured.
    saturated : bool
        At the upper end of the stored bits.
    padding_hu : float or None
        What the padding would have been in HU; None when there is none.
    tagged : bool
        Whether PixelPaddingValue announced the padding.
    kept_inside : int
        Voxels with a tissue-like padding value that do not reach the border, left alone.
    bits_above : bool
        Whether cells hold more than their stored bits, their sign or padding.
    """

    values: npt.NDArray[Any]
    padding: npt.NDArray[np.bool_]
    saturated: npt.NDArray[np.bool_]
    padding_hu: float | None = None
    tagged: bool = True
    kept_inside: int = 0
    bits_above: bool = False


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """What one slice tells beside its values.

    Parameters
    ----------
    lowest, highest : float
        Of the measured values.
    below_air : int
        Measured voxels far below air.
    padding_hu : float or None
        What the padding would have been in HU; None when there is none.
    tagged : bool
        Whether PixelPaddingValue announced the padding.
    padded : bool
        Whether there is padding.
    kept_inside, saturated : int
        Voxels; see `SliceValues`.
    sign_mismatch : bool
        Whether the code stream and PixelRepresentation disagree about the sign.
    bits_above : bool
        See `SliceValues`.
    """

    lowest: float
    highest: float
    below_air: int = 0
    padding_hu: float | None = None
    tagged: bool = True
    padded: bool = False
    kept_inside: int = 0
    saturated: int = 0
    sign_mismatch: bool = False
    bits_above: bool = False


def convert(
    cells: Cells, frame: Frame, *, as_stored: bool, precision: int | None
) -> SliceValues:
    """Return the values of one slice and what is not measured in it.

    Parameters
    ----------
    cells : (rows, columns) integers
    frame : Frame
        Must satisfy the contract (`not_hu` is None) unless `as_stored`.
    as_stored : bool
    precision : int or None
        See `stored_values`.
    """
    stored = stored_values(cells, frame.format, precision)
    values = stored if as_stored else rescaled(stored, frame)
    saturated = stored == stored_ceiling(frame.format)
    padding = tagged_padding(stored, cells, frame)
    padding_hu: float | None = None
    kept_inside = 0
    if padding is not None and padding.any():
        padding_hu = float(values[padding].flat[0])
        if not as_stored and TISSUE_HU[0] < padding_hu < TISSUE_HU[1]:
            from_border = reaching_border(padding)
            kept_inside = int(np.count_nonzero(padding & ~from_border))
            padding = from_border
        above = _has_bits_above(cells, stored, padding, frame.format, precision)
        return SliceValues(
            values, padding, saturated & ~padding, padding_hu, True, kept_inside, above
        )
    lossy = frame.lossy or frame.transfer_syntax in LOSSY
    untagged = None if as_stored else untagged_padding(values, lossy=lossy)
    none = np.zeros(values.shape, bool)
    above = _has_bits_above(cells, stored, none, frame.format, precision)
    if untagged is not None:
        level = float(values[untagged].flat[0])
        return SliceValues(values, untagged, saturated, level, tagged=False, bits_above=above)
    return SliceValues(values, none, saturated, bits_above=above)


def _has_bits_above(
    cells: Cells,
    stored: Cells,
    padding: npt.NDArray[np.bool_],
    layout: PixelFormat,
    precision: int | None,
) -> bool:
    """Return whether cells that are no padding are not just their stored bits, or sign."""
    if precision is not None or layout.high_bit not in (None, (layout.bits_stored or 0) - 1):
        return False
    same = stored.view(f"u{stored.itemsize}") == cells.astype(f"u{stored.itemsize}", copy=False)
    low = stored.astype(np.int64) & ((1 << int(layout.bits_stored or 16)) - 1)
    # A signed value may lie in its cell with its sign extended, or without.
    return bool((~same & (low != cells) & ~padding).any())


def rescaled(stored: Cells, frame: Frame) -> npt.NDArray[Any]:
    """Return slope x stored + intercept, or the Modality LUT; integers where HU are whole."""
    rescale = frame.rescale
    if rescale.lut:
        # Values outside the table take its first or last entry (PS3.3 C.11.1.1.1).
        table = np.asarray(rescale.lut, np.int64)
        place = np.clip(stored.astype(np.int64) - rescale.lut_first, 0, len(table) - 1)
        looked_up: npt.NDArray[Any] = table[place]
        return looked_up
    slope, intercept = float(rescale.slope or 0), float(rescale.intercept or 0)
    if slope == 1 and intercept.is_integer() and abs(intercept) < 1e9 and stored.itemsize <= 2:
        # By far the most common; half the memory of the general way.
        return stored.astype(np.int32) + np.int32(intercept)
    if is_integral(frame):
        return stored.astype(np.int64) * int(slope) + int(intercept)
    return stored.astype(np.float64) * slope + intercept


def stored_ceiling(layout: PixelFormat) -> int:
    """Return the highest value that the stored bits can hold."""
    bits = int(layout.bits_stored or 16)
    return (1 << (bits - 1)) - 1 if layout.signed else (1 << bits) - 1


def padding_limits(frame: Frame) -> tuple[int, int]:
    """Return the lowest and highest stored value that PixelPaddingValue stands for."""
    limits = [
        word - 0x10000 if frame.format.signed and word >= 0x8000 else word
        for word in frame.padding
    ]
    return min(limits), max(limits)


def tagged_padding(stored: Cells, cells: Cells, frame: Frame) -> npt.NDArray[np.bool_] | None:
    """Return where PixelPaddingValue (and RangeLimit) say padding; None without the tag.

    The tag's 16 bits are read by PixelRepresentation whatever VR they came in: 63536 as
    US with signed pixels is -2000 (PS3.3 C.7.5.1.1.2). A value that the stored bits
    cannot hold is compared with the whole cell.
    """
    if not frame.padding:
        return None
    layout = frame.format
    low, high = padding_limits(frame)
    top = stored_ceiling(layout)
    bottom = -top - 1 if layout.signed else 0
    if bottom <= low and high <= top:
        fits: npt.NDArray[np.bool_] = (stored >= low) & (stored <= high)
        return fits
    whole = np.asarray(cells).astype(np.int64) & 0xFFFF
    return np.isin(whole, list(frame.padding))


def reaching_border(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the part of a mask that reaches a border along its row or its column.

    >>> reaching_border(np.array([[1, 1, 0, 1, 0]], bool)).astype(int)[0].tolist()
    [1, 1, 0, 1, 0]
    >>> inner = np.zeros((3, 3), bool); inner[1, 1] = True
    >>> bool(reaching_border(inner).any())
    False
    """
    reached = np.zeros_like(mask)
    for axis in (0, 1):
        reached |= np.logical_and.accumulate(mask, axis=axis)
        flipped = np.logical_and.accumulate(np.flip(mask, axis), axis=axis)
        reached |= np.flip(flipped, axis)
    return reached


def untagged_padding(
    values: npt.NDArray[Any], *, lossy: bool = False
) -> npt.NDArray[np.bool_] | None:
    """Return padding that no tag announces, as outside a round field of view; or None.

    It is one value below -1024 HU, the lowest of the slice, in at least two corners
    and in at least 1 % of the slice. Lossy compression blurs it: there it is what lies
    nearer to the corners than to -1024, when those are far below.
    """
    lowest = values.min()
    if lowest >= AIR_HU:
        return None
    corners = values[[0, 0, -1, -1], [0, -1, 0, -1]]
    if lossy and np.count_nonzero(corners < _LOSSY_PADDING_HU) >= 2:
        mask: npt.NDArray[np.bool_] = values < (AIR_HU + np.median(corners)) / 2
    elif np.count_nonzero(corners == lowest) >= 2:
        mask = values == lowest
    else:
        return None
    return mask if np.count_nonzero(mask) >= 0.01 * mask.size else None


def measured_range(
    values: npt.NDArray[Any], padding: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the lowest and highest value that was measured; (0, 0) without any."""
    measured = values[~padding] if padding.any() else values
    if measured.size == 0:
        return 0.0, 0.0
    return float(measured.min()), float(measured.max())
