"""What a code stream says of itself, before a decoder sees it.

A stream whose own size is not that of the header is refused before memory is taken, and
the decoder is chosen by what the stream is, not by trying one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from
from typing import Final

_WITHOUT_LENGTH: Final = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
LOSSLESS_PROCESS: Final = 0xC3
SEQUENTIAL: Final = (0xC0, 0xC1)
JPEG_2000_START: Final = b"\xff\x4f\xff\x51"


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """The picture that a code stream says it holds.

    Parameters
    ----------
    rows, columns, components : int
    bits : int
        Of a sample.
    signed : bool or None
        None where the kind of stream does not say.
    process : int
        Second byte of the JPEG or JPEG-LS frame marker; 0 for JPEG 2000.
    """

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool | None = None
    process: int = 0


def jpeg_header(stream: bytes) -> StreamHeader | None:
    """Return what the frame header of a JPEG or JPEG-LS stream says (ISO/IEC 10918-1 B.2.2).

    None if there is none.
    """
    place = 2 if stream[:2] == b"\xff\xd8" else len(stream)
    while place + 4 <= len(stream):
        if stream[place] != 0xFF:
            return None
        marker = stream[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        if marker in _WITHOUT_LENGTH:
            place += 2
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return None
        (length,) = unpack_from(">H", stream, place + 2)
        if marker in _FRAMES and place + 10 <= len(stream):
            bits, rows, columns, components = unpack_from(">BHHB", stream, place + 4)
            return StreamHeader(rows, columns, components, bits, process=marker)
        place += 2 + length
    return None


def jpeg_2000_header(stream: bytes) -> StreamHeader | None:
    """Return what the SIZ marker of a JPEG 2000 stream says (ISO/IEC 15444-1 A.5.1)."""
    start = stream.find(JPEG_2000_START)
    if start < 0 or len(stream) < start + 43:
        return None
    right, bottom, left, top = unpack_from(">LLLL", stream, start + 8)
    (components,) = unpack_from(">H", stream, start + 40)
    depth = stream[start + 42]
    return StreamHeader(
        bottom - top, right - left, components, (depth & 0x7F) + 1, bool(depth & 0x80)
    )


def tile_parts_are_whole(stream: bytes) -> bool:
    """Return whether the tile parts of a JPEG 2000 stream follow each other to its end.

    Each names its length (Psot, ISO/IEC 15444-1 A.4.2); after the last one stands the
    end of the code stream.
    """
    place = stream.find(b"\xff\x90\x00\x0a", max(stream.find(JPEG_2000_START), 0))
    while place >= 0 and place + 10 <= len(stream):
        if stream[place : place + 2] == b"\xff\xd9":
            return True
        if stream[place : place + 2] != b"\xff\x90":
            return False
        (length,) = unpack_from(">L", stream, place + 6)
        if length == 0:
            return stream.rstrip(b"\0").endswith(b"\xff\xd9")
        place += max(length, 12)
    return stream[place : place + 2] == b"\xff\xd9" if place >= 0 else False
