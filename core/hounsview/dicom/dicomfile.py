"""One DICOM file: its attributes up to the pixels, and where the pixels lie.

Ordinary headers are walked (`hounsview.dicom.walking`); whatever is unusual goes to pydicom.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hounsview.dicom.elements import Attributes
from hounsview.dicom.sources import (
    LARGEST_HEADER,
    InflatedSource,
    Source,
    SourceStream,
    check_header_size,
)
from hounsview.dicom.walking import (
    PIXEL_DATA,
    MoreNeededError,
    OddError,
    Walk,
    walk,
)
from hounsview.errors import DamagedFileError, LimitError, NotDicomError

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG})

_J: Final = "1.2.840.10008.1.2.4."
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_2000: Final = frozenset({_J + "90", _J + "91"})
HTJ2K: Final = frozenset({_J + "201", _J + "202", _J + "203"})
JPEG: Final = frozenset({_J + "50", _J + "51", _J + "57", _J + "70"})
JPEG_LS: Final = frozenset({_J + "80", _J + "81"})
ENCAPSULATED: Final = JPEG_2000 | HTJ2K | JPEG | JPEG_LS | {RLE}

SEQUENCES: Final = frozenset(
    {
        0x00283000, 0x52009229, 0x52009230, 0x00289110, 0x00209113, 0x00209116, 0x00289145,
        0x00209111, 0x00189329, 0x00189314, 0x00189325, 0x00189304, 0x00189118, 0x00209310,
    }
)  # fmt: skip
"""Sequences that are asked for: Modality LUT and functional groups."""

FIRST_READ: Final = 1 << 14
_SERIES_UID: Final = 0x0020000E
_PREAMBLE: Final = 132
_META_GROUP: Final = b"\x02\x00"
_META_AT_MOST: Final = 2048
_EXTENDED_OFFSETS: Final = 0x7FE00001
_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the value of PixelData lies in its file.

    Parameters
    ----------
    offset : int
        First byte of the value; in a deflated file, of the inflated data set.
    length : int
        Bytes that the header claims; `UNDEFINED_LENGTH` when encapsulated.
    file_size : int
        Bytes of the whole file; of a deflated data set the most that it can hold.
    deflated_at : int
        Where the deflated data set starts in the file; 0 when it is not deflated.
    vr : str
        ``"OB"`` or ``"OW"``; empty under implicit VR.
    offsets : bytes
        ExtendedOffsetTable (7FE0,0001): 64-bit offsets of the frames; empty when absent.
    """

    offset: int
    length: int
    file_size: int
    deflated_at: int = 0
    vr: str = ""
    offsets: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class DicomFile:
    """What a DICOM file says before its pixels.

    Parameters
    ----------
    path : Path
    attributes, meta : Attributes
        Of the data set, and of the file meta information.
    transfer_syntax : str
        UID, by the file meta information or else by how the dataset is written.
    has_preamble : bool
    pixels : PixelElement or None
        None when there is no PixelData.
    walked : Walk or None
        Where everything lies in the file; None when pydicom read it.
    """

    path: Path
    attributes: Attributes
    meta: Attributes
    transfer_syntax: str
    has_preamble: bool
    pixels: PixelElement | None
    walked: Walk | None = None


def open_dicom(
    path: Path,
    source: Source,
    start: bytes,
    enough: Callable[[Attributes], bool] = lambda _: False,
) -> DicomFile:
    """Read the header of one file.

    Parameters
    ----------
    path : Path
        For messages.
    source : Source
    start : bytes
        The first bytes of the source, read already.
    enough : callable
        Whether the elements at the start of a long header say all that is wanted.

    Raises
    ------
    NotDicomError
        If it is no DICOM file; the message is the reason alone.
    DamagedFileError
        If it is empty, or is broken before its pixels.
    LimitError
        If it claims more than the limits allow.
    """
    if source.size == 0:
        msg = "the file is empty (0 bytes)"
        raise DamagedFileError(msg, files=[path])
    if is_dicom(start):
        try:
            return _walked(path, source, start, enough)
        except OddError:
            if DEFLATED.encode() in start[:_META_AT_MOST]:
                # pydicom would inflate it as a whole, however large that is.
                msg = "a deflated file with an unusual header"
                raise DamagedFileError(msg, files=[path]) from None
            return _parsed_by_pydicom(path, source, has_preamble=True)
    # Without a preamble the first element must be of group 2 or 8 to be believed.
    if start[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08") and len(start) > 8:
        return _parsed_by_pydicom(path, source, has_preamble=False)
    msg = "not a DICOM file"
    raise NotDicomError(msg, files=[path])


def is_dicom(start: bytes) -> bool:
    """Return whether a file starts with a preamble and the prefix DICM (PS3.10 7.1)."""
    return start[128:_PREAMBLE] == b"DICM"


def _walked(
    path: Path, source: Source, start: bytes, enough: Callable[[Attributes], bool]
) -> DicomFile:
    """Return an ordinary file, walked.

    Raises
    ------
    OddError
        If it is not ordinary.
    LimitError
        If its header goes on without end.
    """
    while True:
        try:
            return _walk_file(path, source, start)
        except MoreNeededError as more:
            known = more.found.attributes(implicit=False)
            if max(more.found.elements, default=0) > _SERIES_UID and enough(known):
                return DicomFile(path, known, Attributes({}), "", True, None)
            start = _longer(source, start, more.needed)


def _longer(source: Source, start: bytes, needed: int) -> bytes:
    """Return more of a file: what a walk needs, and at least four times as much.

    Raises
    ------
    LimitError
        If a header needs more than any real one has.
    OddError
        If the file is shorter than it was.
    """
    check_header_size(needed)
    wanted = min(max(needed, 4 * len(start)), LARGEST_HEADER)
    longer = start + source.read(len(start), wanted - len(start))
    if len(longer) < min(needed, source.size):
        raise OddError
    return longer


def _walk_file(path: Path, source: Source, start: bytes) -> DicomFile:
    meta = walk(start, _PREAMBLE, source.size, implicit=False, group=_META_GROUP)
    meta_attributes = meta.attributes(implicit=False)
    syntax = meta_attributes.text(0x00020010)
    if syntax == DEFLATED:
        return _walk_deflated(path, source, meta.stop, meta_attributes)
    if syntax not in (IMPLICIT_LITTLE, EXPLICIT_LITTLE) and syntax not in ENCAPSULATED:
        raise OddError
    implicit = syntax == IMPLICIT_LITTLE
    found, attributes = _walk_data_set(start, meta.stop, source.size, implicit)
    found.structure += meta.structure
    found.places.update(meta.places)
    pixels = None
    if found.pixel_length is not None:
        offsets = attributes.element(_EXTENDED_OFFSETS)[1]
        pixels = PixelElement(
            found.stop, found.pixel_length, source.size, vr=found.pixel_vr, offsets=offsets
        )
    return DicomFile(path, attributes, meta_attributes, syntax, True, pixels, found)


def _walk_data_set(
    start: bytes, place: int, end: int, implicit: bool
) -> tuple[Walk, Attributes]:
    vr = start[place + 4 : place + 6]
    looks_explicit = vr.isalpha() and vr.isupper()
    if implicit == looks_explicit or int.from_bytes(start[place : place + 2], "little") < 8:
        raise OddError
    found = walk(start, place, end, implicit=implicit)
    if found.pixel_length is None and max(found.elements, default=0) >= PIXEL_DATA - 2:
        raise OddError
    attributes = found.attributes(implicit=implicit)
    _read_sequences(attributes)
    return found, attributes


def _read_sequences(attributes: Attributes) -> None:
    """Have all sequences that will be asked for read now, while pydicom can still step in.

    Raises
    ------
    OddError
        If one is not well-formed.
    """
    waiting = [attributes]
    for one in waiting:
        for tag in SEQUENCES:
            waiting += one.items(tag)


def _walk_deflated(path: Path, source: Source, place: int, meta: Attributes) -> DicomFile:
    inflated = inflated_data_set(source, place, path)
    start = inflated.read(0, FIRST_READ)
    while True:
        try:
            found, attributes = _walk_data_set(start, 0, inflated.size, implicit=False)
            break
        except MoreNeededError as more:
            try:
                start = _longer(inflated, start, more.needed)
            except OddError:
                msg = "the deflated data set breaks off before its pixels"
                raise DamagedFileError(msg, files=[path]) from None
        except OddError:
            odd = _parsed_by_pydicom(path, inflated, has_preamble=True)
            pixels = odd.pixels and replace(odd.pixels, deflated_at=place)
            return replace(odd, meta=meta, transfer_syntax=DEFLATED, pixels=pixels)
    pixels = None
    if found.pixel_length is not None:
        pixels = PixelElement(
            found.stop, found.pixel_length, inflated.size, place, found.pixel_vr
        )
    return DicomFile(path, attributes, meta, DEFLATED, True, pixels)


def inflated_data_set(source: Source, place: int, path: Path) -> InflatedSource:
    """Return the data set of a deflated file (PS3.5 A.5), which starts at `place`."""
    return InflatedSource(source, place, source.size - place, name=path.name)


def _parsed_by_pydicom(path: Path, source: Source, has_preamble: bool) -> DicomFile:
    """Return what pydicom makes of an unusual file."""
    from pydicom.filereader import read_partial

    stream: Any = SourceStream(source, path.name)
    found: list[PixelElement] = []

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        if tag == PIXEL_DATA:
            found[:] = [PixelElement(stream.tell(), length, source.size, vr=str(vr or ""))]
        return tag in _PIXEL_TAGS

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = read_partial(stream, at_pixels, force=True)
            meta = _attributes_of(dataset.file_meta)
            attributes = _attributes_of(dataset)
    except (LimitError, DamagedFileError):
        raise
    except RecursionError as error:
        reason = "damaged before its pixels: sequences lie in each other without end"
        raise DamagedFileError(reason, files=[path]) from error
    except Exception as error:
        reason = f"damaged before its pixels ({type(error).__name__}: {error})"
        raise DamagedFileError(reason, files=[path]) from error
    return DicomFile(
        path=path,
        attributes=attributes,
        meta=meta,
        transfer_syntax=meta.text(0x00020010) or _written_as(dataset),
        has_preamble=has_preamble,
        pixels=replace(found[0], offsets=attributes.element(_EXTENDED_OFFSETS)[1])
        if found
        else None,
    )


def _attributes_of(dataset: Any) -> Attributes:
    """Return typed access to a dataset of pydicom, by its raw elements."""
    elements: dict[int, tuple[str, bytes]] = {}
    little = True
    for tag in dataset.keys():  # noqa: SIM118 (iterating itself would convert values)
        element = dataset.get_item(tag)
        value = element.value
        if isinstance(value, str):
            value = value.encode("latin-1", "replace")
        elif value is None or not isinstance(value, bytes):
            value = b""
        little = bool(getattr(element, "is_little_endian", little))
        elements[int(tag)] = (str(element.VR or ""), value)

    def items_of_sequence(tag: int) -> Sequence[Attributes]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = dataset[tag].value
                if value is None or isinstance(value, (bytes, str)):
                    return ()
                return [_attributes_of(item) for item in value]
        except Exception:
            return ()

    return Attributes(elements, items_of_sequence, little_endian=little)


def _written_as(dataset: Any) -> str:
    """Return the transfer syntax that a dataset without file meta is written in."""
    implicit, little = getattr(dataset, "original_encoding", None) or (
        dataset.is_implicit_VR,  # pydicom 2.4
        dataset.is_little_endian,
    )
    if implicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if little else EXPLICIT_BIG


def uid_name(uid: str) -> str:
    """Return the registered name of a UID; "" for one that the Standard does not know."""
    from pydicom.uid import UID_dictionary

    return str(UID_dictionary[uid][0]) if uid in UID_dictionary else ""
