"""One DICOM file: its attributes up to the pixels, and where the pixels lie.

pydicom parses; values are taken from the raw elements and converted here, so that a
malformed value is a fact to report, not a warning on the console or an exception.
"""

from __future__ import annotations

import re
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from struct import unpack
from typing import TYPE_CHECKING, Any, BinaryIO

from hounsview.errors import DamagedFileError, NotDicomError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG})

UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_PIXEL_DATA = 0x7FE00010
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.I)
_BINARY = {"US": ("H", 2), "SS": ("h", 2), "UL": ("L", 4), "SL": ("l", 4)}
_FLOATING = {"FD": ("d", 8), "FL": ("f", 4)}


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the value of PixelData lies in its file.

    Parameters
    ----------
    offset : int
        First byte of the value; meaningless in a deflated file.
    length : int
        Bytes that the header claims; `UNDEFINED_LENGTH` when encapsulated.
    file_size : int
        Bytes of the whole file.
    """

    offset: int
    length: int
    file_size: int


class Attributes:
    """Typed access to the raw elements of a dataset; absent or odd values are None.

    Parameters
    ----------
    dataset : pydicom.dataset.Dataset
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __contains__(self, tag: int) -> bool:
        return tag in self.dataset

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the backslash-separated values of a text element, stripped."""
        value = self._raw(tag)
        if value is None:
            return ()
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str):
            value = value.split("\\")
        if not isinstance(value, (list, tuple)) and not hasattr(value, "__iter__"):
            value = [value]
        return tuple(str(part).strip(" \0\t\r\n") for part in value)

    def text(self, tag: int) -> str:
        """Return a text element, its values joined by backslashes; "" when absent."""
        joined = "\\".join(self.texts(tag))
        return joined.strip("\\")

    def decimals(self, tag: int) -> tuple[float, ...]:
        """Return the numbers of a DS, IS, FD, FL, US or SS element.

        A value that is no number becomes NaN, so that it cannot pass for one.
        """
        binary = self._binary(tag, {**_BINARY, **_FLOATING})
        if binary is not None:
            return tuple(float(number) for number in binary)
        return tuple(_decimal(part) for part in self.texts(tag) if part)

    def decimal(self, tag: int) -> float | None:
        """Return the first number of an element; None when absent or empty."""
        numbers = self.decimals(tag)
        return numbers[0] if numbers else None

    def integer(self, tag: int) -> int | None:
        """Return the first integer of an element; None when absent or no integer."""
        number = self.decimal(tag)
        return int(number) if number is not None and number == number // 1 else None

    def words(self, tag: int) -> tuple[int, ...]:
        """Return the values of a US or SS element as unsigned 16-bit integers.

        The bits count here, not the sign: writers use either VR (PS3.5 A.2).
        """
        binary = self._binary(
            tag, {"US": ("H", 2), "SS": ("H", 2), "UN": ("H", 2), "OW": ("H", 2)}
        )
        if binary is not None:
            return tuple(int(number) for number in binary)
        return tuple(int(n) & 0xFFFF for n in self.decimals(tag) if n == n // 1)

    def items(self, tag: int) -> list[Attributes]:
        """Return the items of a sequence; empty when absent or unreadable."""
        if tag not in self.dataset:
            return []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = self.dataset[tag].value
        except Exception:
            return []
        if value is None or isinstance(value, (bytes, str)):
            return []
        return [Attributes(item) for item in value]

    def display(self, keyword: str) -> str:
        """Return a descriptive element by keyword, decoded by its character set."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = self.dataset.get(keyword, "")
                text = "" if value is None else str(value)
        except Exception:
            return ""
        return "".join(c for c in text if c.isprintable()).strip()

    def _raw(self, tag: int) -> Any:
        if tag not in self.dataset:
            return None
        try:
            return self.dataset.get_item(tag).value
        except Exception:
            return None

    def _binary(self, tag: int, formats: dict[str, tuple[str, int]]) -> tuple[Any, ...] | None:
        """Return the numbers of an element with a binary VR; None for any other."""
        value = self._raw(tag)
        if not isinstance(value, bytes) or not value:
            return None
        element: Any = self.dataset.get_item(tag)
        vr = element.VR if element.VR not in (None, "UN") else _dictionary_vr(tag, formats)
        if vr not in formats:
            return None
        code, size = formats[vr]
        order = "<" if getattr(element, "is_little_endian", True) else ">"
        count = len(value) // size
        return unpack(f"{order}{count}{code}", value[: count * size])


def _dictionary_vr(tag: int, formats: dict[str, tuple[str, int]]) -> str | None:
    """Return the VR that the Standard gives a tag; "US or SS" counts as either."""
    from pydicom.datadict import dictionary_VR

    try:
        wanted = str(dictionary_VR(tag))
    except KeyError:
        return None
    return next((vr for vr in wanted.split(" or ") if vr in formats), wanted)


def _decimal(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else float("nan")


@dataclass(frozen=True)
class DicomFile:
    """What a DICOM file says before its pixels.

    Parameters
    ----------
    path : Path
    attributes : Attributes
    transfer_syntax : str
        UID, by the file meta information or else by how the dataset is written.
    has_preamble : bool
    pixels : PixelElement or None
        None when there is no PixelData.
    """

    path: Path
    attributes: Attributes
    transfer_syntax: str
    has_preamble: bool
    pixels: PixelElement | None


def open_dicom(path: Path) -> DicomFile:
    """Read the header of one file.

    Raises
    ------
    NotDicomError
        If it is no regular file or no DICOM file; the message is the reason alone.
    DamagedFileError
        If it is empty, cannot be opened, or is broken before its pixels.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            msg = "not a regular file"
            raise NotDicomError(msg, files=[path])
        if status.st_size == 0:
            msg = "the file is empty (0 bytes)"
            raise DamagedFileError(msg, files=[path])
        with path.open("rb") as stream:
            return _parse(path, stream, status.st_size)
    except OSError as error:
        reason = f"cannot be opened: {error.strerror or error}"
        raise DamagedFileError(reason, files=[path]) from error


def _parse(path: Path, stream: BinaryIO, size: int) -> DicomFile:
    from pydicom.filereader import read_partial

    has_preamble = _sniff(path, stream)
    found: list[PixelElement] = []

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        if tag == _PIXEL_DATA:
            found[:] = [PixelElement(stream.tell(), length, size)]
        return tag in _PIXEL_TAGS

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = read_partial(stream, at_pixels, force=True)
    except Exception as error:
        reason = f"damaged before its pixels ({type(error).__name__}: {error})"
        raise DamagedFileError(reason, files=[path]) from error
    return DicomFile(
        path=path,
        attributes=Attributes(dataset),
        transfer_syntax=_transfer_syntax(dataset),
        has_preamble=has_preamble,
        pixels=found[0] if found else None,
    )


def _sniff(path: Path, stream: BinaryIO) -> bool:
    """Return whether the file has a preamble; raise if it cannot be DICOM."""
    start = stream.read(132)
    stream.seek(0)
    if start[128:132] == b"DICM":
        return True
    # Without a preamble the first element must be of group 2 or 8 to be believed.
    if start[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08") and len(start) > 8:
        return False
    msg = "not a DICOM file"
    raise NotDicomError(msg, files=[path])


def _transfer_syntax(dataset: Any) -> str:
    named = Attributes(dataset.file_meta).text(0x00020010)
    if named:
        return named
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
