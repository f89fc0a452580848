"""Reading headers: from a file to its frames, or to what the file is instead.

A single-frame file gives one `Frame`, an enhanced multi-frame file one for each frame,
its functional groups resolved (PS3.3 C.7.6.16: a frame's own item before the shared one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hounsview.dicom.dicomfile import FIRST_READ, DicomFile, open_dicom
from hounsview.dicom.elements import Attributes, decimals_of, texts_of
from hounsview.dicom.frames import Common, Frame, Other, PixelFormat, Rescale
from hounsview.dicom.layouts import Layout
from hounsview.dicom.others import beyond_limits, is_no_image, without_image
from hounsview.dicom.zips import MAGIC, open_source
from hounsview.errors import DamagedFileError, LimitError, NotDicomError

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
    "ConcatenationUID": (0x00209161, "content"),
    "InConcatenationNumber": (0x00209162, "content"),
    "InConcatenationTotalNumber": (0x00209163, "content"),
}
_FRAME_ACQUISITION_NUMBER = 0x00209156
_SOP_INSTANCE_UID, _POSITION = 0x00080018, 0x00200032
# What differs from slice to slice in every series, beside the pixels.
_OWN_FACTS: Final = frozenset(
    "AcquisitionNumber AcquisitionDateTime AcquisitionTime ContentTime TriggerTime "
    "InstanceNumber FrameReferenceDateTime".split()
)
_TIMES_AND_NUMBERS: Final = {_FACT_TAGS[keyword][0]: keyword for keyword in _OWN_FACTS}
_VARYING: Final = frozenset({_SOP_INSTANCE_UID, _POSITION, *_TIMES_AND_NUMBERS})
_LAYOUTS_KEPT: Final = 12
_LONGEST_FIRST_READ: Final = 1 << 18

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


class HeaderReader:
    """Reads the headers of many files.

    The files of a series are laid out alike. What one file taught is used for the next
    only where both agree in every byte that matters (`hounsview.dicom.layouts`).
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
            file = open_dicom(path, source, start, is_no_image)
        except (DamagedFileError, LimitError) as error:
            return Other(path, str(error), damaged=True)
        except NotDicomError as error:
            return Other(path, str(error))
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            return Other(path, reason, damaged=True)
        finally:
            source.close()
        frame_bytes = _pixel_format(file.attributes).frame_bytes
        found = without_image(file) or beyond_limits(file, frame_bytes) or tuple(_frames(file))
        if not isinstance(found, Other):
            self._learn(file, found)
        return found

    def _by_layout(self, path: Path, start: bytes, size: int) -> Frame | None:
        for n, layout in enumerate(self._layouts):
            if layout.fits(start):
                if n:
                    self._layouts.insert(0, self._layouts.pop(n))
                return _next_frame(layout, path, size, start)
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
    for_all = shared_items[0] if shared_items else None
    count = max(at.integer(0x00280008) or 1, 1)
    shared = _of_file(file, count)
    frames = []
    for index in range(count):
        own = per_frame[index] if index < len(per_frame) else None
        groups = _Groups(file, own, for_all)
        frames.append(_frame(file, shared, index, groups))
    return frames


@dataclass(frozen=True, slots=True)
class _OfFile:
    """What all frames of a file share, read once."""

    count: int
    format: PixelFormat
    describing: Mapping[str, str]
    lossy: bool


def _of_file(file: DicomFile, count: int) -> _OfFile:
    at = file.attributes
    describing = {keyword: at.display(tag) for keyword, tag in DESCRIBING.items()}
    return _OfFile(
        count=count,
        format=_pixel_format(at),
        describing=MappingProxyType({k: v for k, v in describing.items() if v}),
        lossy=at.text(0x00282110) == "01",
    )


def _frame(file: DicomFile, shared: _OfFile, index: int, groups: _Groups) -> Frame:
    at = file.attributes
    facts = {
        keyword: groups.find(tag, group).text(tag)
        for keyword, (tag, group) in _FACT_TAGS.items()
    }
    acquisition = groups.find(_FRAME_ACQUISITION_NUMBER, "content")
    if _FRAME_ACQUISITION_NUMBER in acquisition:
        facts["AcquisitionNumber"] = acquisition.text(_FRAME_ACQUISITION_NUMBER)
    own = {k: v for k, v in facts.items() if v and k in _OWN_FACTS}
    return Frame(
        path=file.path,
        index=index,
        sop_instance_uid=at.text(_SOP_INSTANCE_UID),
        position=groups.find(_POSITION, "position").decimals(_POSITION),
        own_facts=own,
        pixels=file.pixels,
        common=_common(file, shared, groups, facts),
    )


def _common(
    file: DicomFile, shared: _OfFile, groups: _Groups, facts: Mapping[str, str]
) -> Common:
    at = file.attributes
    frame_type = groups.find(0x00089007, "frame_type")
    image_type = frame_type.texts(0x00089007) or at.texts(0x00080008)
    return Common(
        frame_count=shared.count,
        sop_class=at.text(0x00080016),
        modality=at.text(0x00080060),
        study_uid=at.text(0x0020000D),
        series_uid=at.text(0x0020000E),
        patient_id=at.text(0x00100020),
        frame_of_reference=at.text(0x00200052),
        image_type=tuple(value.upper() for value in image_type),
        orientation=groups.find(0x00200037, "orientation").decimals(0x00200037),
        pixel_spacing=groups.find(0x00280030, "measures").decimals(0x00280030),
        format=shared.format,
        rescale=_rescale(at, groups),
        padding=at.words(0x00280120)[:1]
        and at.words(0x00280120)[:1] + at.words(0x00280121)[:1],
        facts={k: v for k, v in facts.items() if v and k not in _OWN_FACTS},
        transfer_syntax=file.transfer_syntax,
        lossy=shared.lossy,
        has_preamble=file.has_preamble,
        describing=shared.describing,
    )


def _next_frame(layout: Layout[Frame], path: Path, size: int, header: bytes) -> Frame:
    """Return the frame of a file that differs from the example in a few values alone."""
    like = layout.example
    changed = layout.changed_in(header)
    own = like.own_facts
    if not _TIMES_AND_NUMBERS.keys().isdisjoint(changed):
        own = dict(own)
        for tag, value in changed.items():
            if tag in _TIMES_AND_NUMBERS:
                own[_TIMES_AND_NUMBERS[tag]] = _text(value)
        own = {keyword: text for keyword, text in own.items() if text}
    pixels = like.pixels
    if pixels is not None and pixels.file_size != size:
        pixels = replace(pixels, file_size=size)
    uid, position = changed.get(_SOP_INSTANCE_UID), changed.get(_POSITION)
    return Frame(
        path,
        0,
        like.sop_instance_uid if uid is None else _text(uid),
        like.position if position is None else decimals_of(position),
        own,
        pixels,
        like.common,
    )


def _text(value: bytes) -> str:
    return "\\".join(texts_of(value)).strip("\\")


def _pixel_format(at: Attributes) -> PixelFormat:
    signed = at.integer(0x00280103)
    samples = _word(at, 0x00280002)
    return PixelFormat(
        rows=_word(at, 0x00280010),
        columns=_word(at, 0x00280011),
        samples=1 if samples is None else samples,
        photometric=at.text(0x00280004).upper(),
        bits_allocated=_word(at, 0x00280100),
        bits_stored=_word(at, 0x00280101),
        high_bit=_word(at, 0x00280102),
        signed=None if signed not in (0, 1) else signed == 1,
    )


def _word(at: Attributes, tag: int) -> int | None:
    """Return an integer that 16 bits can hold, as the Standard has it; None for any other."""
    number = at.integer(tag)
    return number if number is not None and 0 <= number <= 0xFFFF else None


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
