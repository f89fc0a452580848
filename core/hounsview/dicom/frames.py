"""What one slice says of itself: a `Frame` for each image in a file, from headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hounsview.dicom.dicomfile import PixelElement


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How a stored pixel is laid out (PS3.3 C.7.6.3); None where the file is silent."""

    rows: int | None
    columns: int | None
    samples: int
    photometric: str
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    signed: bool | None

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame (0 when the header lacks a number)."""
        cells = (self.rows or 0) * (self.columns or 0) * self.samples
        return cells * (self.bits_allocated or 0) // 8


@dataclass(frozen=True, slots=True)
class Rescale:
    """What turns stored values into the unit of the series (PS3.3 C.11.1).

    Parameters
    ----------
    slope, intercept : float or None
        None when absent; NaN when no number.
    type : str
        RescaleType or ModalityLUTType; "" when absent.
    lut : tuple of int, or None
        Modality LUT in place of slope and intercept.
    lut_first : int
        Stored value that the first entry of the LUT stands for.
    """

    slope: float | None
    intercept: float | None
    type: str = ""
    lut: tuple[int, ...] | None = field(default=None, repr=False)
    lut_first: int = 0


@dataclass(frozen=True, slots=True)
class Common:
    """What the frames of one file share, and most often all the files of a series.

    Parameters
    ----------
    orientation : (6,) float or ()
        ImageOrientationPatient: direction of a row, then of a column; as written.
    pixel_spacing : (2,) float or ()
        Between rows, then between columns, mm.
    padding : tuple of int
        PixelPaddingValue and PixelPaddingRangeLimit as 16-bit words, whichever exist.
    facts : mapping of str to str
        Attributes that tell stacks apart and do not differ in every slice.
    describing : mapping of str to str
        What a volume keeps of them (`DESCRIBING`).
    """

    frame_count: int
    sop_class: str
    modality: str
    study_uid: str
    series_uid: str
    patient_id: str = field(repr=False)
    frame_of_reference: str
    image_type: tuple[str, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    format: PixelFormat
    rescale: Rescale
    padding: tuple[int, ...]
    facts: Mapping[str, str] = field(repr=False)
    transfer_syntax: str
    lossy: bool
    has_preamble: bool
    describing: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One stored slice, described but not yet read.

    Parameters
    ----------
    path : Path
    index : int
        Frame in the file, from 0.
    sop_instance_uid : str
    position : (3,) float or ()
        ImagePositionPatient, LPS mm: centre of the first pixel; as written.
    own_facts : mapping of str to str
        Attributes that tell slices apart: numbers and times.
    pixels : PixelElement or None
    common : Common
        The same object for frames that were seen to share it; its fields can be had
        from the frame as well.
    """

    path: Path
    index: int
    sop_instance_uid: str
    position: tuple[float, ...]
    own_facts: Mapping[str, str] = field(repr=False)
    pixels: PixelElement | None
    common: Common

    @property
    def name(self) -> str:
        """File name, and the frame where the file has several."""
        several = f" frame {self.index + 1}" if self.common.frame_count > 1 else ""
        return f"{self.path.name}{several}"

    def fact(self, keyword: str) -> str:
        """Return an attribute that tells slices or stacks apart; "" when absent."""
        own = self.own_facts.get(keyword)
        return self.common.facts.get(keyword, "") if own is None else own

    @property
    def thickness(self) -> float | None:
        """SliceThickness in mm; None when absent."""
        try:
            return float(self.common.facts["SliceThickness"])
        except (KeyError, ValueError):
            return None

    @property
    def frame_count(self) -> int:
        """See `Common`."""
        return self.common.frame_count

    @property
    def sop_class(self) -> str:
        """See `Common`."""
        return self.common.sop_class

    @property
    def modality(self) -> str:
        """See `Common`."""
        return self.common.modality

    @property
    def series_uid(self) -> str:
        """See `Common`."""
        return self.common.series_uid

    @property
    def patient_id(self) -> str:
        """See `Common`."""
        return self.common.patient_id

    @property
    def frame_of_reference(self) -> str:
        """See `Common`."""
        return self.common.frame_of_reference

    @property
    def image_type(self) -> tuple[str, ...]:
        """See `Common`."""
        return self.common.image_type

    @property
    def orientation(self) -> tuple[float, ...]:
        """See `Common`."""
        return self.common.orientation

    @property
    def pixel_spacing(self) -> tuple[float, ...]:
        """See `Common`."""
        return self.common.pixel_spacing

    @property
    def format(self) -> PixelFormat:
        """See `Common`."""
        return self.common.format

    @property
    def rescale(self) -> Rescale:
        """See `Common`."""
        return self.common.rescale

    @property
    def padding(self) -> tuple[int, ...]:
        """See `Common`."""
        return self.common.padding

    @property
    def transfer_syntax(self) -> str:
        """See `Common`."""
        return self.common.transfer_syntax

    @property
    def lossy(self) -> bool:
        """See `Common`."""
        return self.common.lossy

    @property
    def has_preamble(self) -> bool:
        """See `Common`."""
        return self.common.has_preamble

    @property
    def describing(self) -> Mapping[str, str]:
        """See `Common`."""
        return self.common.describing


@dataclass(frozen=True, slots=True)
class Other:
    """A file that holds no image slice: what it is instead.

    Parameters
    ----------
    path : Path
    reason : str
        For a person, such as ``"not a DICOM file"`` or ``"RTSTRUCT: contours, no image"``.
    damaged : bool
        Whether it may have been a slice: empty, unreadable, or cut off.
    is_dicom : bool
    holds : str
        ``"zip"`` or ``"index"`` (a DICOMDIR): other files are found through it.
    series_uid, modality, description : str
        Empty when unknown.
    """

    path: Path
    reason: str
    damaged: bool = False
    is_dicom: bool = False
    holds: Literal["", "zip", "index"] = ""
    series_uid: str = ""
    modality: str = ""
    description: str = ""
