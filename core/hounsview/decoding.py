"""From the bytes of a frame to its stored values: (rows, columns) integers.

Two steps, kept apart. `read_frame` gives the cells as they lie in the file or come out
of a codec; `stored_values` takes the stored bits out of each cell (PS3.5 8.1.1), which
also drops overlay bits and mends a codec that disagrees about the sign.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from struct import unpack_from
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.codestreams import (
    LOSSLESS_PROCESS,
    SEQUENTIAL,
    StreamHeader,
    jpeg_2000_header,
    jpeg_header,
)
from hounsview.dicomfile import (
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT_BIG,
    HTJ2K,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    NATIVE,
    RLE,
    PixelElement,
    inflated_data_set,
    uid_name,
)
from hounsview.errors import (
    DamagedFileError,
    LimitError,
    NotDicomError,
    PixelDataError,
    UnsupportedSyntaxError,
)
from hounsview.headers import Frame, PixelFormat
from hounsview.limits import get_limits, in_words
from hounsview.sources import Source
from hounsview.walking import UNDEFINED_LENGTH
from hounsview.zips import open_source

Cells = npt.NDArray[np.integer[Any]]

SUPPORTED: Final = NATIVE | ENCAPSULATED
LOSSY: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81, 91, 203))
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_RLE_RATIO: Final = 64
"""Two bytes of PackBits make at most 128 (PS3.5 G.3)."""


def pixel_problem(frame: Frame) -> str:
    """Return why the pixels of a frame cannot be read, as far as the header tells; or ""."""
    pixels, layout = frame.pixels, frame.format
    if pixels is None:
        return "holds no PixelData"
    if pixels.length == UNDEFINED_LENGTH:
        return _claims_too_much(frame, pixels)
    wanted = layout.frame_bytes * (frame.index + 1)
    if pixels.length < wanted:
        return f"holds {pixels.length:,} bytes of PixelData where {wanted:,} are needed"
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
def _said_of(frame: Frame) -> Iterator[None]:
    """Turn what goes wrong with a file into an error that names the frame."""
    try:
        yield
    except OSError as error:
        raise _pixel_error(frame, f"cannot be read: {error.strerror or error}") from error
    except (DamagedFileError, LimitError, NotDicomError) as error:
        raise _pixel_error(frame, f"cannot be read: {error}") from error


@contextmanager
def _opened(frame: Frame) -> Iterator[Source]:
    """Give the bytes that the pixels of a frame lie in, inflated where they are deflated.

    Raises
    ------
    PixelDataError
        If they cannot be opened, or break while they are read.
    """
    assert frame.pixels is not None
    with _said_of(frame), closing(_pixel_source(frame.path, frame.pixels)) as source:
        yield source


def _pixel_source(path: Path, pixels: PixelElement) -> Source:
    source = open_source(path)
    if pixels.deflated_at:
        return inflated_data_set(source, pixels.deflated_at, path)
    return source


def read_frame(
    frame: Frame, encoded: bytes | memoryview | None = None
) -> tuple[Cells, int | None]:
    """Return the cells of a frame, and the `precision` that `stored_values` wants of them.

    Parameters
    ----------
    frame : Frame
    encoded : bytes-like, optional
        The frame's code stream, where a caller has split a multi-frame file already.

    Returns
    -------
    cells : (rows, columns) integers
        As stored or as decoded.
    precision : int or None

    Raises
    ------
    PixelDataError
        If pixels are missing, cut off, or of another size than the header says.
    UnsupportedSyntaxError
        If nothing installed decodes the transfer syntax.
    """
    problem = pixel_problem(frame)
    if problem:
        raise _pixel_error(frame, problem)
    if not is_encapsulated(frame):
        return _native_cells(frame), None
    if encoded is None:
        encoded = encoded_frames(frame)[frame.index]
    stream = bytes(encoded)
    return _decoded_cells(frame, stream), sign_mismatch(frame, stream)


def read_native_into(frame: Frame, cells: npt.NDArray[np.int16]) -> None:
    """Fill (rows, columns) with the cells of a native frame of 16 bits, little endian.

    Raises
    ------
    PixelDataError
        If pixels are missing or cut off.
    """
    problem = pixel_problem(frame)
    if problem:
        raise _pixel_error(frame, problem)
    assert frame.pixels is not None
    offset = frame.pixels.offset + frame.index * frame.format.frame_bytes
    with _opened(frame) as source:
        there = source.read_into(offset, memoryview(cells).cast("B"))
    if there < cells.nbytes:
        raise _cut_off(frame, there)


def stored_values(cells: Cells, layout: PixelFormat, precision: int | None = None) -> Cells:
    """Return the stored values: the stored bits of each cell, sign-extended if signed.

    Parameters
    ----------
    cells : (rows, columns) integers
    layout : PixelFormat
    precision : int, optional
        Bits of the code stream where it disagrees about the sign and has fewer.

    Returns
    -------
    (rows, columns) int16, uint16, int32 or uint32
    """
    allocated = max(int(layout.bits_allocated or 16), 8 * cells.dtype.itemsize)
    bits = min(int(layout.bits_stored or allocated), precision or allocated)
    high = layout.bits_stored - 1 if layout.high_bit is None else layout.high_bit  # type: ignore[operator]
    shift = high + 1 - int(layout.bits_stored or allocated)
    unsigned, signed = _integer_types(allocated)
    raw = cells.astype(unsigned, copy=False)
    if bits == 8 * np.dtype(unsigned).itemsize:
        whole: Cells = raw.view(signed) if layout.signed else raw
        return whole
    if not layout.signed:
        masked: Cells = (raw >> shift) & unsigned((1 << bits) - 1)
        return masked
    # Left until the sign bit is the top bit, then back with sign.
    width = 8 * np.dtype(unsigned).itemsize
    lifted = (raw << unsigned(width - shift - bits)).view(signed)
    extended: Cells = lifted >> signed(width - bits)
    return extended


def _integer_types(bits: int) -> tuple[Any, Any]:
    return (np.uint16, np.int16) if bits <= 16 else (np.uint32, np.int32)


def sign_mismatch(frame: Frame, encoded: bytes) -> int | None:
    """Return the bits of a JPEG 2000 stream whose signedness is not the header's, or None."""
    if frame.transfer_syntax not in JPEG_2000 | HTJ2K:
        return None
    said = jpeg_2000_header(encoded)
    if said is None or said.signed == bool(frame.format.signed):
        return None
    return said.bits


def encoded_frames(frame: Frame) -> list[bytes | memoryview]:
    """Return the code streams of all frames of the file that a frame lies in.

    Raises
    ------
    PixelDataError
        If fragments are cut off or do not divide into the frames.
    """
    if frame.pixels is None:
        raise _pixel_error(frame, "holds no PixelData")
    start = frame.pixels.offset
    with _opened(frame) as source:
        value = memoryview(source.read(start, source.size - start))
    table, fragments = _fragments(frame, value)
    streams = _join(table, fragments, frame.frame_count)
    if len(streams) != frame.frame_count:
        raise _pixel_error(
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
            raise _pixel_error(frame, f"has a broken fragment at byte {place} of its PixelData")
        end = place + 8 + length
        if end > len(value):
            raise _pixel_error(
                frame,
                f"is cut off: {len(value) - place - 8:,} of {length:,} bytes of a fragment",
            )
        items.append((place, value[place + 8 : end]))
        place = end
    if len(items) < 2:
        raise _pixel_error(frame, "is cut off: its PixelData holds no fragment")
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
    if len(table) == count and set(table) <= places.keys():
        # A table may name the frames in another order than they lie in.
        starts = [places[offset] for offset in table]
    elif len(pieces) == count:
        return list(pieces)
    else:
        starts = [n for n, piece in enumerate(pieces) if _starts_stream(piece)]
    after = {a: b for a, b in itertools.pairwise([*sorted(starts), len(pieces)])}
    return [b"".join(pieces[a : after[a]]) for a in starts]


def _starts_stream(piece: memoryview) -> bool:
    return piece[:2] == b"\xff\xd8" or piece[:4] == b"\xff\x4f\xff\x51"


def _native_cells(frame: Frame) -> Cells:
    layout, pixels = frame.format, frame.pixels
    assert pixels is not None
    start = frame.index * layout.frame_bytes
    if frame.frame_count > 1 and (pixels.deflated_at or not frame.path.is_file()):
        with _said_of(frame):
            return _as_cells(frame, _inflated_pixels(frame.path, pixels)[start:])
    with _opened(frame) as source:
        return _as_cells(frame, source.read(pixels.offset + start, layout.frame_bytes))


@lru_cache(maxsize=1)
def _inflated_pixels(path: Path, pixels: PixelElement) -> memoryview:
    """Return PixelData of a multi-frame file that is deflated, inflated once for all."""
    with closing(_pixel_source(path, pixels)) as source:
        return memoryview(source.read(pixels.offset, pixels.length))


def _cut_off(frame: Frame, there: int) -> PixelDataError:
    wanted = frame.format.frame_bytes
    return _pixel_error(frame, f"is cut off: {there:,} of {wanted:,} bytes of PixelData")


def _as_cells(frame: Frame, value: bytes | memoryview) -> Cells:
    layout = frame.format
    if len(value) < layout.frame_bytes:
        raise _cut_off(frame, len(value))
    order = ">" if frame.transfer_syntax == EXPLICIT_BIG else "<"
    kind = np.dtype(f"{order}u{(layout.bits_allocated or 16) // 8}")
    cells = np.frombuffer(value, kind, count=layout.frame_bytes // kind.itemsize)
    native: Cells = cells.reshape(layout.rows or 0, layout.columns or 0).astype(
        kind.newbyteorder("="), copy=False
    )
    return native


def _decoded_cells(frame: Frame, encoded: bytes) -> Cells:
    layout = frame.format
    if frame.transfer_syntax not in SUPPORTED:
        raise _unsupported(frame)
    said = _stream_header(frame, encoded)
    if said is not None and (said.rows, said.columns, said.components) != (
        layout.rows, layout.columns, 1
    ):  # fmt: skip
        raise _pixel_error(
            frame,
            f"holds a stream of {said.rows} x {said.columns} pixels of {said.components} "
            f"component(s) where the header says {layout.rows} x {layout.columns} of 1",
        )
    # One decoder, not one after the other: what the first rejects, a lenient second one
    # may decode to a picture that was never taken.
    with_library = _have_imagecodecs()
    try:
        cells = np.asarray(
            _with_imagecodecs(frame, encoded, said)
            if with_library
            else _with_pydicom(frame, encoded)
        )
    except PixelDataError:
        raise
    except Exception as error:
        if not with_library:
            raise _unsupported(frame) from error
        reason = f"cannot be decoded ({type(error).__name__}: {str(error)[:200]})"
        raise _pixel_error(frame, reason) from error
    if cells.shape != (layout.rows, layout.columns) or cells.dtype.kind not in "iu":
        raise _pixel_error(
            frame,
            f"decodes to {cells.dtype} of shape {cells.shape} where the header says "
            f"({layout.rows}, {layout.columns}) (rows, columns)",
        )
    return cells


def _stream_header(frame: Frame, encoded: bytes) -> StreamHeader | None:
    """Return what the stream says of itself; None for RLE, which says nothing.

    Raises
    ------
    PixelDataError
        If it has no header that its transfer syntax must have.
    """
    if frame.transfer_syntax == RLE:
        return None
    if frame.transfer_syntax in JPEG_2000 | HTJ2K:
        said = jpeg_2000_header(encoded)
    else:
        said = jpeg_header(encoded)
    if said is None:
        raise _pixel_error(frame, "cannot be decoded: its stream has no header")
    return said


def _with_imagecodecs(frame: Frame, encoded: bytes, said: StreamHeader | None) -> Cells:
    import imagecodecs

    syntax = frame.transfer_syntax
    if syntax == RLE or said is None:
        return _rle_cells(frame, encoded)
    if syntax in JPEG_2000:
        return np.asarray(imagecodecs.jpeg2k_decode(encoded))
    if syntax in HTJ2K:
        return np.asarray(imagecodecs.htj2k_decode(encoded))
    if syntax in JPEG_LS:
        return np.asarray(imagecodecs.jpegls_decode(encoded))
    if said.process in (LOSSLESS_PROCESS, *SEQUENTIAL):
        return np.asarray(imagecodecs.jpeg_decode(encoded))
    msg = f"JPEG process {said.process:#x} is not read"
    raise ValueError(msg)


def _rle_cells(frame: Frame, encoded: bytes) -> Cells:
    """Return cells from RLE segments, one for each byte, the highest first (PS3.5 G.3).

    The header is checked here: a damaged one makes decoders of whole frames crash.
    """
    import imagecodecs

    layout = frame.format
    size = (layout.rows or 0) * (layout.columns or 0)
    count = (layout.bits_allocated or 16) // 8
    header = unpack_from("<16L", encoded.ljust(64, b"\0"))
    starts = [*header[1 : 1 + count], len(encoded)]
    if header[0] != count or starts[0] != 64 or sorted(starts) != starts:
        raise _pixel_error(frame, f"has a broken RLE header: {header[0]} segments at {starts}")
    cells = np.empty((size, count), np.uint8)
    for n, (start, stop) in enumerate(itertools.pairwise(starts)):
        segment = imagecodecs.packbits_decode(encoded[start:stop], out=size)
        if len(segment) != size:
            raise _pixel_error(frame, f"is cut off: {len(segment):,} of {size:,} bytes of RLE")
        cells[:, count - 1 - n] = np.frombuffer(segment, np.uint8)
    whole: Cells = cells.view(np.dtype(f"<u{count}")).reshape(
        layout.rows or 0, layout.columns or 0
    )
    return whole


def _with_pydicom(frame: Frame, encoded: bytes) -> Cells:
    from pydicom.pixels import pixel_array

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells: Cells = pixel_array(frame.path, index=frame.index, raw=True)
    return cells


def _have_imagecodecs() -> bool:
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        return False
    return True


def _pixel_error(frame: Frame, problem: str) -> PixelDataError:
    return PixelDataError(f"{frame.name} {problem}", files=[frame.path])


def _unsupported(frame: Frame) -> UnsupportedSyntaxError:
    name = uid_name(frame.transfer_syntax) or "an unknown transfer syntax"
    if frame.transfer_syntax in SUPPORTED:
        way_out = "Install imagecodecs: pip install imagecodecs."
    else:
        way_out = "Convert it with a DICOM tool (dcmtk: dcmconv, dcmdjpeg) and load the result."
    syntax = f"{name} ({frame.transfer_syntax})"
    msg = f"{frame.name} is stored in {syntax}, which is not read. {way_out}"
    return UnsupportedSyntaxError(msg, files=[frame.path])
