"""From the bytes of a frame to its stored values: (rows, columns) integers.

Two steps, kept apart. `read_cells` gives the cells as they lie in the file or come out
of a codec; `stored_values` takes the stored bits out of each cell (PS3.5 8.1.1), which
also drops overlay bits and mends a codec that disagrees about the sign.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from struct import unpack_from
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.dicomfile import DEFLATED, EXPLICIT_BIG, NATIVE, UNDEFINED_LENGTH, uid_name
from hounsview.errors import PixelDataError, UnsupportedSyntaxError
from hounsview.headers import Frame, PixelFormat

Cells = npt.NDArray[np.integer[Any]]

_J = "1.2.840.10008.1.2.4."
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_2000: Final = frozenset({_J + "90", _J + "91"})
HTJ2K: Final = frozenset({_J + "201", _J + "202", _J + "203"})
_JPEG = frozenset({_J + "50", _J + "51", _J + "57", _J + "70"})
_JPEG_LS = frozenset({_J + "80", _J + "81"})
SUPPORTED: Final = NATIVE | JPEG_2000 | HTJ2K | _JPEG | _JPEG_LS | {RLE}
LOSSY: Final = frozenset({_J + "50", _J + "51", _J + "81", _J + "91", _J + "203"})

_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD


def pixel_problem(frame: Frame) -> str:
    """Return why the pixels of a frame cannot be read, as far as the header tells; or ""."""
    pixels, layout = frame.pixels, frame.format
    if pixels is None:
        return "holds no PixelData"
    if frame.transfer_syntax == DEFLATED or pixels.length == UNDEFINED_LENGTH:
        return ""
    wanted = layout.frame_bytes * (frame.index + 1)
    if pixels.length < wanted:
        return f"holds {pixels.length:,} bytes of PixelData where {wanted:,} are needed"
    there = pixels.file_size - pixels.offset
    if there < wanted:
        return f"is cut off: {max(there, 0):,} of {wanted:,} bytes of PixelData are there"
    return ""


def is_encapsulated(frame: Frame) -> bool:
    """Return whether the pixels lie in fragments; a wrong transfer syntax is seen through."""
    return frame.pixels is not None and frame.pixels.length == UNDEFINED_LENGTH


def read_cells(frame: Frame, encoded: bytes | None = None) -> Cells:
    """Return the cells of one frame, (rows, columns), as stored or as decoded.

    Parameters
    ----------
    frame : Frame
    encoded : bytes, optional
        The frame's code stream, where a caller has split a multi-frame file already.

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
    try:
        if frame.transfer_syntax == DEFLATED:
            return _deflated_cells(frame)
        if not is_encapsulated(frame):
            return _native_cells(frame)
        if encoded is None:
            encoded = encoded_frames(frame)[frame.index]
    except OSError as error:
        raise _pixel_error(frame, f"cannot be read: {error.strerror or error}") from error
    return _decoded_cells(frame, encoded)


def read_frame(frame: Frame, encoded: bytes | None = None) -> tuple[Cells, int | None]:
    """Return the cells of a frame, and the `precision` that `stored_values` wants of them.

    Raises
    ------
    PixelDataError, UnsupportedSyntaxError
        As `read_cells`.
    """
    if not is_encapsulated(frame):
        return read_cells(frame), None
    if encoded is None:
        encoded = encoded_frames(frame)[frame.index]
    return read_cells(frame, encoded), sign_mismatch(frame, encoded)


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
    start = encoded.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(encoded) < start + 43:
        return None
    depth = encoded[start + 42]  # Ssiz of the first component, ISO/IEC 15444-1 A.5.1
    same = bool(depth & 0x80) == bool(frame.format.signed)
    return None if same else (depth & 0x7F) + 1


def encoded_frames(frame: Frame) -> list[bytes]:
    """Return the code streams of all frames of the file that a frame lies in.

    Raises
    ------
    PixelDataError
        If fragments are cut off or do not divide into the frames.
    """
    if frame.pixels is None:
        raise _pixel_error(frame, "holds no PixelData")
    with frame.path.open("rb") as stream:
        stream.seek(frame.pixels.offset)
        value = stream.read()
    table, fragments = _fragments(frame, value)
    streams = _join(table, fragments, frame.frame_count)
    if len(streams) != frame.frame_count:
        raise _pixel_error(
            frame,
            f"holds {len(fragments)} fragments, which do not make {frame.frame_count} frames",
        )
    return streams


def _fragments(frame: Frame, value: bytes) -> tuple[list[int], list[tuple[int, bytes]]]:
    """Return the basic offset table and (offset, fragment) pairs (PS3.5 A.4)."""
    order = ">" if frame.transfer_syntax == EXPLICIT_BIG else "<"
    items: list[tuple[int, bytes]] = []
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
    table = items[0][1]
    offsets = list(unpack_from(f"{order}{len(table) // 4}L", table))
    base = items[1][0]
    return offsets, [(place - base, fragment) for place, fragment in items[1:]]


def _join(table: list[int], fragments: list[tuple[int, bytes]], count: int) -> list[bytes]:
    """Return fragments joined into frames, by count, offset table or start of stream."""
    pieces = [fragment for _, fragment in fragments]
    if count == 1:
        return [b"".join(pieces)]
    if len(pieces) == count:
        return pieces
    places = [place for place, _ in fragments]
    if len(table) == count and set(table) <= set(places):
        starts = [places.index(offset) for offset in table]
    else:
        starts = [n for n, piece in enumerate(pieces) if _starts_stream(piece)]
    ends = [*starts[1:], len(pieces)]
    return [b"".join(pieces[a:b]) for a, b in zip(starts, ends, strict=True)]


def _starts_stream(piece: bytes) -> bool:
    return piece[:2] == b"\xff\xd8" or piece[:4] == b"\xff\x4f\xff\x51"


def _native_cells(frame: Frame) -> Cells:
    layout, pixels = frame.format, frame.pixels
    assert pixels is not None
    with frame.path.open("rb") as stream:
        stream.seek(pixels.offset + frame.index * layout.frame_bytes)
        value = stream.read(layout.frame_bytes)
    return _as_cells(frame, value)


def _deflated_cells(frame: Frame) -> Cells:
    value = _inflated_pixels(frame.path, frame.path.stat().st_mtime_ns)
    start = frame.index * frame.format.frame_bytes
    return _as_cells(frame, value[start : start + frame.format.frame_bytes])


@lru_cache(maxsize=1)
def _inflated_pixels(path: Path, modified: int) -> bytes:
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = dcmread(path, force=True).PixelData
    except Exception as error:
        msg = f"{path.name} cannot be inflated: {error}"
        raise PixelDataError(msg, files=[path]) from error
    return bytes(value)


def _as_cells(frame: Frame, value: bytes) -> Cells:
    layout = frame.format
    if len(value) < layout.frame_bytes:
        raise _pixel_error(
            frame, f"is cut off: {len(value):,} of {layout.frame_bytes:,} bytes of PixelData"
        )
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
    # One decoder, not one after the other: what the first rejects, a lenient second one
    # may decode to a picture that was never taken.
    decode = _with_imagecodecs if _have_imagecodecs() else _with_pydicom
    try:
        cells = np.asarray(decode(frame, encoded))
    except PixelDataError:
        raise
    except Exception as error:
        if decode is _with_pydicom:
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


def _with_imagecodecs(frame: Frame, encoded: bytes) -> Cells:
    import imagecodecs

    syntax = frame.transfer_syntax
    if syntax == RLE:
        return _rle_cells(frame, encoded)
    if syntax in JPEG_2000:
        decoders: Sequence[Callable[[bytes], Any]] = (imagecodecs.jpeg2k_decode,)
    elif syntax in HTJ2K:
        decoders = (imagecodecs.htj2k_decode, imagecodecs.jpeg2k_decode)
    elif syntax in _JPEG_LS:
        decoders = (imagecodecs.jpegls_decode,)
    else:
        decoders = (imagecodecs.jpeg_decode, imagecodecs.ljpeg_decode)
    return _first_that_decodes(decoders, encoded)


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


def _first_that_decodes(decoders: Sequence[Callable[[bytes], Any]], encoded: bytes) -> Cells:
    for decode in decoders[:-1]:
        try:
            return np.asarray(decode(encoded))
        except Exception:
            continue
    return np.asarray(decoders[-1](encoded))


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
