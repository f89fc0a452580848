"""What one slice says of itself: a `Frame` for each image in a file, from headers alone.

A single-frame file gives one `Frame`, an enhanced multi-frame file one for each frame,
its functional groups resolved (PS3.3 C.7.6.16: a frame's own item before the shared one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from hounsview.dicomfile import FIRST_READ, DicomFile, PixelElement, open_dicom
from hounsview.elements import Attributes, decimals_of, texts_of
from hounsview.errors import DamagedFileError, LimitError, NotDicomError
from hounsview.layouts import Layout
from hounsview.limits import get_limits, in_words
from hounsview.zips import MAGIC, open_source

_GROUPS: Final = {
    "measures": 0x00289110,
    "position": 0x00209113,
    "orientation": 0x00209116,
    "rescale": 0x00289145,
    "content": 0x00209111,
    "frame_type": 0x00189329,
    "reconstruction": 0x00189314,
    "x_ray": 0x00189325,
    "acquisition": 0x00189304,
    "cardiac": 0x00189118,
    "temporal": 0x00209310,
}
_SHARED, _PER_FRAME = 0x52009229, 0x52009230

# Attributes that tell slices of one series apart: keyword -> (tag, functional group).
_FACT_TAGS: Final = {
    "ConvolutionKernel": (0x00181210, "reconstruction"),
    "KVP": (0x00180060, "x_ray"),
    "TemporalPositionIdentifier": (0x00200100, "temporal"),
    "TemporalPositionIndex": (0x00209128, "content"),
    "NominalPercentageOfCardiacPhase": (0x00209241, "cardiac"),
    "StackID": (0x00209056, "content"),
    "AcquisitionNumber": (0x00200012, "content"),
    "AcquisitionDateTime": (0x0008002A, "content"),
    "AcquisitionTime": (0x00080032, "content"),
    "ContentTime": (0x00080033, "content"),
    "FrameReferenceDateTime": (0x00189151, "content"),
    "TriggerTime": (0x00181060, "content"),
    "SliceThickness": (0x00180050, "measures"),
    "ReconstructionDiameter": (0x00181100, "reconstruction"),
    "InstanceNumber": (0x00200013, "content"),
    "GantryDetectorTilt": (0x00181120, "acquisition"),
}
_FRAME_ACQUISITION_NUMBER = 0x00209156

DESCRIBING: Final = {
    "Modality": 0x00080060,
    "SeriesDescription": 0x0008103E,
    "SeriesNumber": 0x00200011,
    "StudyDate": 0x00080020,
    "BodyPartExamined": 0x00180015,
    "PatientPosition": 0x00185100,
    "Manufacturer": 0x00080070,
    "ManufacturerModelName": 0x00081090,
    "ProtocolName": 0x00181030,
    "ConvolutionKernel": 0x00181210,
    "KVP": 0x00180060,
    "SliceThickness": 0x00180050,
    "WindowCenter": 0x00281050,
    "WindowWidth": 0x00281051,
    "SeriesInstanceUID": 0x0020000E,
    "StudyInstanceUID": 0x0020000D,
    "FrameOfReferenceUID": 0x00200052,
}
"""Keywords that a volume keeps: they describe the scan, none of them the patient."""


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
class Frame:
    """One stored slice, described but not yet read.

    Parameters
    ----------
    path : Path
    index : int
        Frame in the file, from 0.
    position : (3,) float or ()
        ImagePositionPatient, LPS mm: centre of the first pixel; as written.
    orientation : (6,) float or ()
        ImageOrientationPatient: direction of a row, then of a column; as written.
    pixel_spacing : (2,) float or ()
        Between rows, then between columns, mm.
    padding : tuple of int
        PixelPaddingValue and PixelPaddingRangeLimit as 16-bit words, whichever exist.
    facts : mapping of str to str
        Attributes that tell the slices of one series apart.
    """

    path: Path
    index: int
    frame_count: int
    sop_instance_uid: str
    sop_class: str
    modality: str
    study_uid: str
    series_uid: str
    patient_id: str = field(repr=False)
    frame_of_reference: str
    image_type: tuple[str, ...]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    format: PixelFormat
    rescale: Rescale
    padding: tuple[int, ...]
    facts: Mapping[str, str] = field(repr=False)
    transfer_syntax: str
    lossy: bool
    has_preamble: bool
    pixels: PixelElement | None
    describing: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """File name, and the frame where the file has several."""
        several = f" frame {self.index + 1}" if self.frame_count > 1 else ""
        return f"{self.path.name}{several}"

    @property
    def thickness(self) -> float | None:
        """SliceThickness in mm; None when absent."""
        try:
            return float(self.facts["SliceThickness"])
        except (KeyError, ValueError):
            return None


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


class HeaderReader:
    """Reads the headers of many files.

    The files of a series are laid out alike. What one file taught is used for the next
    only where both agree in every byte that matters (`hounsview.layouts`).
    """

    def __init__(self) -> None:
        self._layouts: list[Layout[Frame]] = []
        self._first_read = FIRST_READ

    def read(self, path: Path) -> tuple[Frame, ...] | Other:
        """Return the frames of one file, or what the file is instead. Never raises."""
        try:
            source = open_source(path)
        except OSError as error:
            reason = f"cannot be opened: {error.strerror or error}"
            return Other(path, reason, damaged=True)
        except (DamagedFileError, LimitError) as error:
            return Other(path, str(error), damaged=True)
        except NotDicomError as error:
            return Other(path, str(error))
        try:
            start = source.read(0, self._first_read)
            if start[:4] in MAGIC:
                return Other(path, "a zip", holds="zip")
            known = self._by_layout(path, start, source.size)
            if known is not None:
                return (known,)
            file = open_dicom(path, source, start)
        except (DamagedFileError, LimitError) as error:
            return Other(path, str(error), damaged=True)
        except NotDicomError as error:
            return Other(path, str(error))
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            return Other(path, reason, damaged=True)
        finally:
            source.close()
        found = _without_image(file) or _beyond_limits(file) or tuple(_frames(file))
        if not isinstance(found, Other):
            self._learn(file, found)
        return found

    def _by_layout(self, path: Path, start: bytes, size: int) -> Frame | None:
        for n, layout in enumerate(self._layouts):
            values = layout.values_in(start)
            if values is not None:
                if n:
                    self._layouts.insert(0, self._layouts.pop(n))
                return _next_frame(layout.example, path, size, values)
        return None

    def _learn(self, file: DicomFile, frames: tuple[Frame, ...]) -> None:
        if len(frames) != 1 or file.walked is None or file.walked.pixel_length is None:
            return
        layout = Layout.of(file, frames[0], _VARYING)
        if layout is None:
            return
        self._layouts = [layout, *self._layouts[: _LAYOUTS_KEPT - 1]]
        self._first_read = max(FIRST_READ, min(layout.length + 512, _LONGEST_FIRST_READ))


def read_frames(path: Path) -> tuple[Frame, ...] | Other:
    """Return the frames of one file, or what the file is instead. Never raises."""
    return HeaderReader().read(path)


def _beyond_limits(file: DicomFile) -> Other | None:
    """Return why a file claims too many frames; None when it does not."""
    at, most = file.attributes, get_limits().frames
    count = at.integer(0x00280008) or 1
    if count <= most:
        return None
    there = in_words(file.pixels.file_size) if file.pixels else "no PixelData"
    return Other(
        file.path,
        f"claims {count:,} frames in {there}, and the limit is {most:,}",
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


def _without_image(file: DicomFile) -> Other | None:
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
        description=at.display(DESCRIBING["SeriesDescription"]),
    )


class _Groups:
    """Attributes of one frame: its own functional groups, the shared ones, the file's."""

    def __init__(self, file: DicomFile, own: Attributes | None, shared: Attributes | None):
        self._file = file.attributes
        self._sources = [source for source in (own, shared) if source is not None]

    def find(self, tag: int, group: str) -> Attributes:
        """Return the place that holds an attribute; the file itself if none does."""
        for source in self._sources:
            for item in source.items(_GROUPS[group]):
                if tag in item:
                    return item
        return self._file


def _frames(file: DicomFile) -> list[Frame]:
    at = file.attributes
    per_frame = at.items(_PER_FRAME)
    shared_items = at.items(_SHARED)
    shared = shared_items[0] if shared_items else None
    count = max(at.integer(0x00280008) or 1, 1)
    common = _common(file, count)
    frames = []
    for index in range(count):
        own = per_frame[index] if index < len(per_frame) else None
        groups = _Groups(file, own, shared)
        frames.append(_frame(file, common, index, groups))
    return frames


@dataclass(frozen=True, slots=True)
class _Common:
    """What all frames of a file share, read once."""

    count: int
    format: PixelFormat
    describing: Mapping[str, str]
    lossy: bool


def _common(file: DicomFile, count: int) -> _Common:
    at = file.attributes
    describing = {keyword: at.display(tag) for keyword, tag in DESCRIBING.items()}
    return _Common(
        count=count,
        format=_pixel_format(at),
        describing=MappingProxyType({k: v for k, v in describing.items() if v}),
        lossy=at.text(0x00282110) == "01",
    )


def _frame(file: DicomFile, common: _Common, index: int, groups: _Groups) -> Frame:
    at = file.attributes
    facts = {
        keyword: groups.find(tag, group).text(tag)
        for keyword, (tag, group) in _FACT_TAGS.items()
    }
    acquisition = groups.find(_FRAME_ACQUISITION_NUMBER, "content")
    if _FRAME_ACQUISITION_NUMBER in acquisition:
        facts["AcquisitionNumber"] = acquisition.text(_FRAME_ACQUISITION_NUMBER)
    frame_type = groups.find(0x00089007, "frame_type")
    image_type = frame_type.texts(0x00089007) or at.texts(0x00080008)
    return Frame(
        path=file.path,
        index=index,
        frame_count=common.count,
        sop_instance_uid=at.text(0x00080018),
        sop_class=at.text(0x00080016),
        modality=at.text(0x00080060),
        study_uid=at.text(0x0020000D),
        series_uid=at.text(0x0020000E),
        patient_id=at.text(0x00100020),
        frame_of_reference=at.text(0x00200052),
        image_type=tuple(value.upper() for value in image_type),
        position=groups.find(0x00200032, "position").decimals(0x00200032),
        orientation=groups.find(0x00200037, "orientation").decimals(0x00200037),
        pixel_spacing=groups.find(0x00280030, "measures").decimals(0x00280030),
        format=common.format,
        rescale=_rescale(at, groups),
        padding=at.words(0x00280120)[:1] + at.words(0x00280121)[:1],
        facts=MappingProxyType({key: value for key, value in facts.items() if value}),
        transfer_syntax=file.transfer_syntax,
        lossy=common.lossy,
        has_preamble=file.has_preamble,
        pixels=file.pixels,
        describing=common.describing,
    )


# What differs from slice to slice in every series, beside the pixels: tag -> fact.
_VARYING_FACTS: Final = {
    _FACT_TAGS[keyword][0]: keyword
    for keyword in (
        "AcquisitionNumber",
        "AcquisitionDateTime",
        "AcquisitionTime",
        "ContentTime",
        "TriggerTime",
        "InstanceNumber",
    )
}
_SOP_INSTANCE_UID, _POSITION = 0x00080018, 0x00200032
_VARYING: Final = frozenset({_SOP_INSTANCE_UID, _POSITION, *_VARYING_FACTS})
_LAYOUTS_KEPT: Final = 12
_LONGEST_FIRST_READ: Final = 1 << 18


def _next_frame(like: Frame, path: Path, size: int, values: Mapping[int, bytes]) -> Frame:
    """Return the frame of a file that differs from another one in these values alone."""
    facts = dict(like.facts)
    for tag, keyword in _VARYING_FACTS.items():
        if tag in values:
            text = "\\".join(texts_of(values[tag])).strip("\\")
            facts.pop(keyword, None)
            if text:
                facts[keyword] = text
    pixels = like.pixels
    if pixels is not None and pixels.file_size != size:
        pixels = replace(pixels, file_size=size)
    return replace(
        like,
        path=path,
        sop_instance_uid="\\".join(texts_of(values.get(_SOP_INSTANCE_UID, b""))).strip("\\"),
        position=decimals_of(values.get(_POSITION, b"")),
        facts=MappingProxyType(facts),
        pixels=pixels,
    )


def _pixel_format(at: Attributes) -> PixelFormat:
    signed = at.integer(0x00280103)
    samples = at.integer(0x00280002)
    return PixelFormat(
        rows=at.integer(0x00280010),
        columns=at.integer(0x00280011),
        samples=1 if samples is None else samples,
        photometric=at.text(0x00280004).upper(),
        bits_allocated=at.integer(0x00280100),
        bits_stored=at.integer(0x00280101),
        high_bit=at.integer(0x00280102),
        signed=None if signed not in (0, 1) else signed == 1,
    )


def _rescale(at: Attributes, groups: _Groups) -> Rescale:
    source = groups.find(0x00281053, "rescale")
    if 0x00281053 not in source:
        source = groups.find(0x00281052, "rescale")
    slope, intercept = source.decimal(0x00281053), source.decimal(0x00281052)
    kind = source.text(0x00281054)
    luts = at.items(0x00283000)
    if not luts or slope is not None:
        return Rescale(slope, intercept, kind.upper())
    descriptor, entries = luts[0].words(0x00283002), luts[0].words(0x00283006)
    claimed = (descriptor[0] or 0x10000) if len(descriptor) == 3 else -1
    first = descriptor[1] if len(descriptor) == 3 else 0
    # No matter reaches 32768 HU: entries beyond are negative HU in two's complement.
    signed = tuple(n - 0x10000 if n >= 0x8000 else n for n in entries)
    return Rescale(
        slope=None,
        intercept=None,
        type=luts[0].text(0x00283004).upper(),
        lut=signed if len(entries) == claimed else (),
        lut_first=first - 0x10000 if _pixel_format(at).signed and first >= 0x8000 else first,
    )
