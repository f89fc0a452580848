"""A walk over the elements of a well-formed little-endian header.

It knows what ordinary files hold and nothing else: at the first oddity it gives up, and
pydicom, which knows them all, reads that file (`hounsview.dicom.dicomfile`). A test holds
both to the same answer on every real, generated and mutated header.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from hounsview.dicom.elements import Attributes
from hounsview.errors import LimitError

UNDEFINED_LENGTH: Final = 0xFFFFFFFF
PIXEL_DATA: Final = 0x7FE00010
DEEPEST: Final = 64
"""Sequences inside sequences before a header counts as hostile."""
MOST_ELEMENTS: Final = 50_000
"""Elements of the top level, and twenty times as many below, likewise."""

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SHORT_VRS: Final = {
    vr.encode(): vr
    for vr in "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
}
_LONG_VRS: Final = {vr.encode(): vr for vr in "OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()}
_EXPLICIT, _IMPLICIT, _LENGTH = Struct("<HH2sH"), Struct("<HHL"), Struct("<L")


class OddError(Exception):
    """Something that an ordinary file does not have: let pydicom read it."""


class MoreNeededError(Exception):
    """The header goes on beyond the bytes that were read so far.

    Parameters
    ----------
    found : Walk
        What was found in them.
    needed : int
        Bytes from the start of the file that the walk cannot go on without.
    """

    def __init__(self, found: Walk, needed: int) -> None:
        super().__init__("the header goes on")
        self.found, self.needed = found, needed


@dataclass(slots=True)
class Walk:
    """What a walk found.

    Parameters
    ----------
    elements : dict of int to (str, bytes)
        Every element of the top level before the pixels.
    places : dict of int to (int, int)
        Tag -> start and stop of its value.
    structure : list of (int, int)
        Spans of all element and item headers: two files that agree in these bytes have
        their values at the same places.
    stop : int
        First byte after the walk; of PixelData, the first byte of its value.
    pixel_length : int or None
        Length that PixelData claims; None when there is none.
    pixel_vr : str
        VR of PixelData; empty under implicit VR.
    header : bytes
        All bytes before `stop`.
    """

    elements: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    structure: list[tuple[int, int]] = field(default_factory=list)
    stop: int = 0
    pixel_length: int | None = None
    pixel_vr: str = ""
    header: bytes = b""

    def attributes(self, *, implicit: bool) -> Attributes:
        """Return typed access to the elements; sequences may raise as `items_of` does."""
        return Attributes(
            self.elements, lambda tag: items_of(self.elements[tag], implicit=implicit)
        )


def walk(
    buffer: bytes, start: int, end: int, *, implicit: bool, group: bytes | None = None
) -> Walk:
    """Return the elements from `start` to PixelData, to `end`, or to another group.

    Parameters
    ----------
    buffer : bytes
        The first bytes of the file; it may hold less than the file does.
    start, end : int
        Of the dataset in the file.
    implicit : bool
        Implicit or explicit VR; little endian.
    group : bytes, optional
        Walk through this group alone, as its number is written.

    Raises
    ------
    OddError
        If the header is not an ordinary one.
    MoreNeededError
        If `buffer` ends before the header does.
    LimitError
        If there are more elements, or deeper ones, than any real header has.
    """
    found = Walk()
    try:
        found.stop = _run(found, buffer, start, _Bounds(end, implicit, group), depth=0)
    except _BufferEndsError as ended:
        raise MoreNeededError(found, ended.needed) from None
    found.header = buffer[: found.stop]
    return found


class _BufferEndsError(Exception):
    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where a walk ends, and how the elements are written."""

    end: int
    implicit: bool
    group: bytes | None = None


def _run(found: Walk, buffer: bytes, place: int, bounds: _Bounds, depth: int) -> int:
    """Collect elements from `place` on; return the place after the last one.

    At depth 0 it ends at PixelData or another group, deeper down at the item's delimiter.
    """
    last, end, there = -1, bounds.end, len(buffer)
    while place < end:
        if place + 12 > there < end:
            raise _BufferEndsError(place + 12)
        if place + 8 > end:
            raise OddError
        if bounds.group is not None and buffer[place : place + 2] != bounds.group:
            break
        tag, vr, length, value = _element(buffer, place, bounds.implicit)
        found.structure.append((place, value))
        if tag == _ITEM_END and depth > 0 and length == 0:
            return value
        if tag <= last or tag >> 16 == 0xFFFE:
            raise OddError
        last = tag
        if tag == PIXEL_DATA and depth == 0:
            found.pixel_length, found.pixel_vr = length, vr
            return value
        stop = value + length
        if length == UNDEFINED_LENGTH:
            stop = _sequence_end(found.structure, buffer, (vr, value), bounds, depth + 1)
        _check_there(stop, end, there)
        if len(found.elements) >= MOST_ELEMENTS:
            msg = f"the header has more than {MOST_ELEMENTS:,} elements"
            raise LimitError(msg)
        found.elements[tag] = (vr, buffer[value:stop])
        found.places[tag] = (value, stop)
        place = stop
    return place


def _check_there(stop: int, end: int, there: int) -> None:
    if stop > end:
        raise OddError
    if stop > there:
        raise _BufferEndsError(stop)


def _element(buffer: bytes, place: int, implicit: bool) -> tuple[int, str, int, int]:
    """Return tag, VR, length and the place of the value of one element."""
    if implicit:
        group, number, length = _IMPLICIT.unpack_from(buffer, place)
        return group << 16 | number, "", length, place + 8
    group, number, vr, length = _EXPLICIT.unpack_from(buffer, place)
    name = _SHORT_VRS.get(vr)
    if name is not None:
        return group << 16 | number, name, length, place + 8
    if group == 0xFFFE:
        (length,) = _LENGTH.unpack_from(buffer, place + 4)
        return group << 16 | number, "", length, place + 8
    name = _LONG_VRS.get(vr)
    if name is None or place + 12 > len(buffer):
        raise OddError
    (length,) = _LENGTH.unpack_from(buffer, place + 8)
    return group << 16 | number, name, length, place + 12


def _sequence_end(
    structure: list[tuple[int, int]],
    buffer: bytes,
    start: tuple[str, int],
    bounds: _Bounds,
    depth: int,
) -> int:
    """Return the place after a value of undefined length, given by its VR and its start."""
    vr, place = start
    if vr not in ("SQ", ""):
        raise OddError
    if depth > DEEPEST:
        msg = f"the header has sequences more than {DEEPEST} deep in each other"
        raise LimitError(msg)
    while True:
        _check_there(place + 8, bounds.end, len(buffer))
        group, number, length = _IMPLICIT.unpack_from(buffer, place)
        structure.append((place, place + 8))
        if len(structure) > 20 * MOST_ELEMENTS:
            msg = f"the header has more than {20 * MOST_ELEMENTS:,} elements and items"
            raise LimitError(msg)
        place += 8
        tag = group << 16 | number
        if tag == _SEQUENCE_END and length == 0:
            return place
        if tag != _ITEM:
            raise OddError
        if length == UNDEFINED_LENGTH:
            place = _run(Walk(structure=structure), buffer, place, bounds, depth)
        else:
            place += length


def items_of(element: tuple[str, bytes], *, implicit: bool) -> list[Attributes]:
    """Return the items of a sequence.

    Parameters
    ----------
    element : (str, bytes)
        VR and raw value, with the delimiter where the length was undefined.
    implicit : bool

    Raises
    ------
    OddError
        If they are not ordinary ones.
    """
    vr, value = element
    if vr not in ("SQ", ""):
        raise OddError
    items = []
    place = 0
    while place + 8 <= len(value):
        group, number, length = _IMPLICIT.unpack_from(value, place)
        if (group, number) == (0xFFFE, 0xE0DD):
            break
        if group << 16 | number != _ITEM:
            raise OddError
        stop = len(value) if length == UNDEFINED_LENGTH else place + 8 + length
        if stop > len(value):
            raise OddError
        item = Walk()
        # Depth 1: an item ends at its delimiter, or where its length says.
        place = _run(item, value, place + 8, _Bounds(stop, implicit), depth=1)
        if length != UNDEFINED_LENGTH and place != stop:
            raise OddError
        items.append(item.attributes(implicit=implicit))
    return items
