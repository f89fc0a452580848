"""Where the pixels of a frame lie: what speaks against them, their bytes, their streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from struct import unpack_from
from typing import Final

from hounsview.dicom.codestreams import JPEG_2000_START
from hounsview.dicom.dicomfile import EXPLICIT_BIG, RLE, PixelElement, inflated_data_set
from hounsview.dicom.frames import Frame
from hounsview.dicom.sources import LARGEST_HEADER, Source
from hounsview.dicom.walking import UNDEFINED_LENGTH
from hounsview.dicom.zips import open_source
from hounsview.errors import DamagedFileError, LimitError, NotDicomError, PixelDataError
from hounsview.limits import get_limits, in_words

_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_EXPANSION: Final = 2
"""No codec makes a picture larger than this many times; beyond it, a file is a bomb."""
_RLE_RATIO: Final = 64
"""Two bytes of PackBits make at most 128 (PS3.5 G.3)."""


def pixel_problem(frame: Frame) -> str:
    """Return why the pixels of a frame cannot be read, as far as the header tells; or ""."""
    pixels, layout = frame.pixels, frame.format
    if pixels is None:
        return "holds no PixelData"
    behind = pixels.file_size - pixels.offset
    most = _EXPANSION * layout.frame_bytes * frame.frame_count + LARGEST_HEADER
    if behind > most and not pixels.deflated_at:
        return (
            f"has {in_words(behind)} from its pixels on, where its header describes "
            f"{in_words(layout.frame_bytes * frame.frame_count)} of them"
        )
    if pixels.length == UNDEFINED_LENGTH:
        return _claims_too_much(frame, pixels)
    wanted = layout.frame_bytes * (frame.index + 1)
    if pixels.length < wanted:
        return f"holds {pixels.length:,} bytes of PixelData where {wanted:,} are needed"
    whole = layout.frame_bytes * frame.frame_count
    line = layout.frame_bytes // max(layout.rows or 1, layout.columns or 1)
    if pixels.length >= whole + max(line, 2):
        return (
            f"holds {pixels.length:,} bytes of PixelData where Rows {layout.rows}, Columns "
            f"{layout.columns} and {frame.frame_count} frame(s) make {whole:,}: one of these "
            "is wrong"
        )
    there = pixels.file_size - pixels.offset
    if there < wanted:
        return f"is cut off: {max(there, 0):,} of {wanted:,} bytes of PixelData are there"
    return ""


def _claims_too_much(frame: Frame, pixels: PixelElement) -> str:
    """Return how a compressed frame claims more than the limit, or can be; or ""."""
    layout, limit = frame.format, get_limits().frame_bytes
    if layout.frame_bytes > limit:
        return (
            f"claims {layout.rows} x {layout.columns} pixels, {in_words(layout.frame_bytes)}, "
            f"in a file of {in_words(pixels.file_size)}; the limit is {in_words(limit)}"
        )
    most = _RLE_RATIO * (pixels.file_size - pixels.offset)
    if frame.transfer_syntax == RLE and layout.frame_bytes > most:
        return f"claims {layout.frame_bytes:,} bytes, and its RLE can hold {most:,} at most"
    return ""


def is_encapsulated(frame: Frame) -> bool:
    """Return whether the pixels lie in fragments; a wrong transfer syntax is seen through."""
    return frame.pixels is not None and frame.pixels.length == UNDEFINED_LENGTH


@contextmanager
def said_of(frame: Frame) -> Iterator[None]:
    """Turn what goes wrong with a file into an error that names the frame."""
    try:
        yield
    except OSError as error:
        raise pixel_error(frame, f"cannot be read: {error.strerror or error}") from error
    except (DamagedFileError, LimitError, NotDicomError) as error:
        raise pixel_error(frame, f"cannot be read: {error}") from error


@contextmanager
def opened(frame: Frame) -> Iterator[Source]:
    """Give the bytes that the pixels of a frame lie in, inflated where they are deflated.

    Raises
    ------
    PixelDataError
        If they cannot be opened, or break while they are read.
    """
    assert frame.pixels is not None
    with said_of(frame), closing(pixel_source(frame.path, frame.pixels)) as source:
        yield source


def pixel_source(path: Path, pixels: PixelElement) -> Source:
    """Return the bytes of a file, inflated where its data set is deflated."""
    source = open_source(path)
    if pixels.deflated_at:
        source = inflated_data_set(source, pixels.deflated_at, path)
    try:
        source.verify()
    except BaseException:
        source.close()
        raise
    return source


def encoded_frames(frame: Frame) -> list[bytes | memoryview]:
    """Return the code streams of all frames of the file that a frame lies in.

    Raises
    ------
    PixelDataError
        If fragments are cut off or do not divide into the frames.
    """
    if frame.pixels is None:
        raise pixel_error(frame, "holds no PixelData")
    start = frame.pixels.offset
    with opened(frame) as source:
        value = memoryview(source.read(start, source.size - start))
    table, fragments = _fragments(frame, value)
    streams = _join(table, fragments, frame.frame_count)
    if len(streams) != frame.frame_count:
        raise pixel_error(
            frame,
            f"holds {len(fragments)} fragments, which do not make {frame.frame_count} frames",
        )
    return streams


def _fragments(
    frame: Frame, value: memoryview
) -> tuple[list[int], list[tuple[int, memoryview]]]:
    """Return the offset table and (offset, fragment) pairs (PS3.5 A.4)."""
    order = ">" if frame.transfer_syntax == EXPLICIT_BIG else "<"
    items: list[tuple[int, memoryview]] = []
    place = 0
    while place + 8 <= len(value):
        group, element, length = unpack_from(f"{order}HHL", value, place)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM:
            raise pixel_error(frame, f"has a broken fragment at byte {place} of its PixelData")
        end = place + 8 + length
        if end > len(value):
            raise pixel_error(
                frame,
                f"is cut off: {len(value) - place - 8:,} of {length:,} bytes of a fragment",
            )
        items.append((place, value[place + 8 : end]))
        place = end
    if len(items) < 2:
        raise pixel_error(frame, "is cut off: its PixelData holds no fragment")
    table, base = items[0][1], items[1][0]
    wide = frame.pixels.offsets if frame.pixels is not None else b""
    offsets = list(
        unpack_from(f"{order}{len(wide) // 8}Q", wide)
        if wide
        else unpack_from(f"{order}{len(table) // 4}L", table)
    )
    return offsets, [(place - base, fragment) for place, fragment in items[1:]]


def _join(
    table: list[int], fragments: list[tuple[int, memoryview]], count: int
) -> list[bytes | memoryview]:
    """Return fragments joined into frames, by offset table, count or start of stream."""
    pieces = [fragment for _, fragment in fragments]
    if count == 1:
        return [pieces[0] if len(pieces) == 1 else b"".join(pieces)]
    places = {place: n for n, (place, _) in enumerate(fragments)}
    if len(table) == count == len(set(table)) and set(table) <= places.keys():
        # A table may name the frames in another order than they lie in.
        starts = [places[offset] for offset in table]
    elif len(pieces) == count:
        return list(pieces)
    else:
        starts = [n for n, piece in enumerate(pieces) if _starts_stream(piece)]
    after = dict(itertools.pairwise([*sorted(starts), len(pieces)]))
    return [b"".join(pieces[a : after[a]]) for a in starts]


def _starts_stream(piece: memoryview) -> bool:
    return bytes(piece[:4]).startswith((b"\xff\xd8", JPEG_2000_START))


def pixel_error(frame: Frame, problem: str) -> PixelDataError:
    """Return the error that says a problem of a frame."""
    return PixelDataError(f"{frame.name} {problem}", files=[frame.path])
