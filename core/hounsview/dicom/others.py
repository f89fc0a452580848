"""Files that hold no slice, or claim frames that they cannot have: what they are instead."""

from __future__ import annotations

from typing import Final

from hounsview.dicom.dicomfile import DicomFile
from hounsview.dicom.elements import Attributes
from hounsview.dicom.frames import Other
from hounsview.dicom.walking import UNDEFINED_LENGTH
from hounsview.limits import get_limits, in_words

_SERIES_DESCRIPTION: Final = 0x0008103E
_PER_FRAME: Final = 0x52009230
_ITEM_BYTES: Final = 8


def beyond_limits(file: DicomFile, frame_bytes: int) -> Other | None:
    """Return why a file cannot have the frames that it claims; None when it can."""
    at, most = file.attributes, get_limits().frames
    count = at.integer(0x00280008) or 1
    items = len(at.items(_PER_FRAME))
    if file.pixels is None or (count == 1 and items in (0, 1)):
        return None
    if items not in (0, count):
        reason = f"says {count:,} frame(s) and describes {items:,}"
        return _misleading(file, f"{reason} (NumberOfFrames (0028,0008))")
    there = file.pixels.file_size - file.pixels.offset
    if file.pixels.length == UNDEFINED_LENGTH:
        can_hold = there // _ITEM_BYTES
    else:
        # A file cut off in its last half may still give some of its slices.
        can_hold = 2 * there // max(frame_bytes, 1) + 1
    if count <= min(most, can_hold):
        return None
    limit = f", and the limit is {most:,}" if count > most else ""
    size = in_words(max(there, 0))
    return _misleading(file, f"claims {count:,} frames in {size} of PixelData{limit}")


def _misleading(file: DicomFile, reason: str) -> Other:
    at = file.attributes
    return Other(
        file.path,
        reason,
        damaged=True,
        is_dicom=True,
        series_uid=at.text(0x0020000E),
        modality=at.text(0x00080060),
    )


# Storage classes whose instances hold no slice of measured values, though some hold pixels.
_DICOMDIR: Final = "1.2.840.10008.1.3.10"
_NO_SLICES: Final = {
    _DICOMDIR: "DICOMDIR: an index of other files",
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG: a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "SEG: a segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "RTDOSE: a dose grid",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT: contours",
    "1.2.840.10008.5.1.4.1.1.481.5": "RTPLAN: a treatment plan",
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture: a screen, not a measurement",
    "1.2.840.10008.5.1.4.1.1.7.1": "secondary capture: a screen, not a measurement",
    "1.2.840.10008.5.1.4.1.1.7.2": "secondary capture: a screen, not a measurement",
    "1.2.840.10008.5.1.4.1.1.7.3": "secondary capture: a screen, not a measurement",
    "1.2.840.10008.5.1.4.1.1.7.4": "secondary capture: a screen, not a measurement",
    "1.2.840.10008.5.1.4.1.1.88.67": "dose report",
    "1.2.840.10008.5.1.4.1.1.104.1": "encapsulated PDF",
    "1.2.840.10008.5.1.4.1.1.66.1": "spatial registration",
    "1.2.840.10008.5.1.4.1.1.30": "parametric map",
}
_NO_SLICE_MODALITIES: Final = {
    "SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "SR", "PR", "KO", "REG", "DOC", "OT", "SC",
}  # fmt: skip


def is_no_image(at: Attributes) -> bool:
    """Return whether the start of a header says that no slice will follow."""
    return at.text(0x00080016) in _NO_SLICES


def without_image(file: DicomFile) -> Other | None:
    """Return what a file without slices is; None for a file with an image."""
    at = file.attributes
    modality, sop_class = at.text(0x00080060), at.text(0x00080016)
    if not sop_class and file.has_preamble:
        sop_class = file.meta.text(0x00020002)
    reason = _NO_SLICES.get(sop_class, "")
    if not reason and modality in _NO_SLICE_MODALITIES:
        reason = f"{modality}: no measured slices"
    if not reason and not file.has_preamble and not (modality and sop_class):
        # Chance alone makes many files start like a dataset without a preamble.
        return Other(file.path, "not a DICOM file")
    looks_like_image = (0x00280010 in at and 0x00280011 in at) or file.pixels
    damaged = not reason and not looks_like_image and modality in ("CT", "")
    if not reason and not looks_like_image:
        what = f"{modality or 'DICOM'} without an image"
        reason = f"{what}: the header breaks off or holds no rows and columns"
    if not reason:
        return None
    return Other(
        path=file.path,
        reason=reason,
        damaged=damaged,
        is_dicom=True,
        holds="index" if sop_class == _DICOMDIR else "",
        series_uid=at.text(0x0020000E),
        modality=modality,
        description=at.display(_SERIES_DESCRIPTION),
    )
