"""From the bytes of a frame to its stored values: (rows, columns) integers.

Two steps, kept apart. `read_frame` gives the cells as they lie in the file or come out
of a codec; `stored_values` takes the stored bits out of each cell (PS3.5 8.1.1), which
also drops overlay bits and mends a codec that disagrees about the sign.
"""

from __future__ import annotations

import warnings
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom import jpeg, openjph, rle
from hounsview.dicom.codestreams import (
    LOSSLESS_PROCESS,
    SEQUENTIAL,
    StreamHeader,
    jpeg_2000_header,
    jpeg_header,
    tile_parts_are_whole,
)
from hounsview.dicom.dicomfile import (
    ENCAPSULATED,
    EXPLICIT_BIG,
    HTJ2K,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    NATIVE,
    RLE,
    PixelElement,
    uid_name,
)
from hounsview.dicom.frames import Frame, PixelFormat
from hounsview.dicom.pixelbytes import (
    encoded_frames,
    is_encapsulated,
    opened,
    pixel_error,
    pixel_problem,
    pixel_source,
    said_of,
)
from hounsview.dicom.zips import version_of
from hounsview.errors import PixelDataError, UnsupportedSyntaxError

Cells = npt.NDArray[np.integer[Any]]

SUPPORTED: Final = NATIVE | ENCAPSULATED
LOSSY: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81, 91, 203))


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
        raise pixel_error(frame, problem)
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
        raise pixel_error(frame, problem)
    assert frame.pixels is not None
    offset = frame.pixels.offset + frame.index * frame.format.frame_bytes
    with opened(frame) as source:
        there = source.read_into(offset, cells.data.cast("B"))
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
    """Return the bits of a stream that does not hold the sign as the header says, or None.

    JPEG 2000 says its signedness. JPEG and JPEG-LS know no sign: one of fewer bits than
    BitsStored has it in its own highest bit.
    """
    signed = bool(frame.format.signed)
    if frame.transfer_syntax in JPEG_2000 | HTJ2K:
        said = jpeg_2000_header(encoded)
        return None if said is None or said.signed == signed else said.bits
    if frame.transfer_syntax in JPEG | JPEG_LS and signed:
        said = jpeg_header(encoded)
        if said is not None and said.bits < (frame.format.bits_stored or 0):
            return said.bits
    return None


def _native_cells(frame: Frame) -> Cells:
    layout, pixels = frame.format, frame.pixels
    assert pixels is not None
    start = frame.index * layout.frame_bytes
    if frame.frame_count > 1 and (pixels.deflated_at or not frame.path.is_file()):
        with said_of(frame):
            path = frame.path.absolute()
            return _as_cells(frame, _inflated_pixels(path, pixels, version_of(path))[start:])
    with opened(frame) as source:
        return _as_cells(frame, source.read(pixels.offset + start, layout.frame_bytes))


@lru_cache(maxsize=1)
def _inflated_pixels(path: Path, pixels: PixelElement, version: tuple[int, int]) -> memoryview:
    """Return PixelData of a multi-frame file that is deflated, inflated once for all.

    `version` is of the file: one that was written anew is read anew.
    """
    with closing(pixel_source(path, pixels)) as source:
        return memoryview(source.read(pixels.offset, pixels.length))


def _cut_off(frame: Frame, there: int) -> PixelDataError:
    wanted = frame.format.frame_bytes
    return pixel_error(frame, f"is cut off: {there:,} of {wanted:,} bytes of PixelData")


def _as_cells(frame: Frame, value: bytes | memoryview) -> Cells:
    layout = frame.format
    if layout.samples != 1 or layout.bits_allocated not in (8, 16, 32):
        problem = f"has {layout.samples} sample(s) of {layout.bits_allocated} bits a pixel"
        raise pixel_error(frame, problem)
    if len(value) < layout.frame_bytes:
        raise _cut_off(frame, len(value))
    order = ">" if frame.transfer_syntax == EXPLICIT_BIG else "<"
    if order == ">" and layout.bits_allocated == 8 and frame.pixels and frame.pixels.vr == "OW":
        value = _bytes_of_words(frame, value)
    kind = np.dtype(f"{order}u{(layout.bits_allocated or 16) // 8}")
    cells = np.frombuffer(value, kind, count=layout.frame_bytes // kind.itemsize)
    native: Cells = cells.reshape(layout.rows or 0, layout.columns or 0).astype(
        kind.newbyteorder("="), copy=False
    )
    return native


def _bytes_of_words(frame: Frame, value: bytes | memoryview) -> bytes:
    """Return cells of 8 bits that lie in big-endian words, swapped in pairs (PS3.5 A.3)."""
    if frame.format.frame_bytes % 2:
        raise pixel_error(frame, "has an odd number of 8-bit pixels in big-endian words")
    pairs = np.frombuffer(value, np.uint8, count=frame.format.frame_bytes).reshape(-1, 2)
    return pairs[:, ::-1].tobytes()


def _decoded_cells(frame: Frame, encoded: bytes) -> Cells:
    layout = frame.format
    if frame.transfer_syntax not in SUPPORTED:
        raise _unsupported(frame)
    if frame.transfer_syntax == RLE:
        return _rle_cells(frame, encoded)
    said = _stream_header(frame, encoded)
    if (said.rows, said.columns, said.components) != (
        layout.rows, layout.columns, 1
    ):  # fmt: skip
        raise pixel_error(
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
        raise pixel_error(frame, reason) from error
    if cells.shape != (layout.rows, layout.columns) or cells.dtype.kind not in "iu":
        raise pixel_error(
            frame,
            f"decodes to {cells.dtype} of shape {cells.shape} where the header says "
            f"({layout.rows}, {layout.columns}) (rows, columns)",
        )
    return cells


def _stream_header(frame: Frame, encoded: bytes) -> StreamHeader:
    """Return what the stream says of itself.

    Raises
    ------
    PixelDataError
        If it has no header that its transfer syntax must have.
    """
    if frame.transfer_syntax in JPEG_2000 | HTJ2K:
        said = jpeg_2000_header(encoded)
    else:
        said = jpeg_header(encoded)
    if said is None:
        raise pixel_error(frame, "cannot be decoded: its stream has no header")
    return said


def _with_imagecodecs(frame: Frame, encoded: bytes, said: StreamHeader) -> Cells:
    import imagecodecs

    syntax = frame.transfer_syntax
    if syntax in JPEG_2000:
        return np.asarray(imagecodecs.jpeg2k_decode(encoded))
    if syntax in HTJ2K:
        if not tile_parts_are_whole(encoded):
            raise pixel_error(frame, "cannot be decoded: its HTJ2K stream is cut off")
        return openjph.decode(encoded)
    if syntax in JPEG_LS:
        if not encoded.rstrip(b"\0").endswith(jpeg.END_OF_IMAGE):
            raise pixel_error(frame, "cannot be decoded: its JPEG-LS stream has no end")
        return np.asarray(imagecodecs.jpegls_decode(encoded))
    if said.process in (LOSSLESS_PROCESS, *SEQUENTIAL):
        return jpeg.decode(encoded, said)
    msg = f"JPEG process {said.process:#x} is not read"
    raise ValueError(msg)


def _rle_cells(frame: Frame, encoded: bytes) -> Cells:
    layout = frame.format
    rows, columns = layout.rows or 0, layout.columns or 0
    try:
        cells = rle.decode(encoded, rows * columns, (layout.bits_allocated or 16) // 8)
    except ValueError as error:
        raise pixel_error(frame, str(error)) from error
    return cells.reshape(rows, columns)


def _with_pydicom(frame: Frame, encoded: bytes) -> Cells:
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    layout = frame.format
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells, _ = get_decoder(frame.transfer_syntax).as_array(
            encapsulate([encoded], has_bot=False),
            index=0,
            raw=True,
            rows=layout.rows,
            columns=layout.columns,
            number_of_frames=1,
            samples_per_pixel=1,
            photometric_interpretation=layout.photometric or "MONOCHROME2",
            bits_allocated=layout.bits_allocated,
            bits_stored=layout.bits_stored,
            pixel_representation=int(bool(layout.signed)),
            pixel_keyword="PixelData",
        )
    decoded: Cells = cells
    return decoded


def _have_imagecodecs() -> bool:
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        return False
    return True


def undecodable(frame: Frame) -> str:
    """Return why nothing installed decodes the pixels of a frame; "" where something does.

    It is told by the transfer syntax: no pixel is read.
    """
    syntax = frame.transfer_syntax
    if not is_encapsulated(frame) or syntax == RLE:
        return ""
    decodes = syntax in SUPPORTED and (_have_imagecodecs() or _pydicom_decodes(syntax))
    return "" if decodes else _why_unsupported(frame)


def _pydicom_decodes(syntax: str) -> bool:
    try:
        from pydicom.pixels import get_decoder
    except ImportError:  # before pydicom 3
        return False
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _unsupported(frame: Frame) -> UnsupportedSyntaxError:
    return UnsupportedSyntaxError(_why_unsupported(frame), files=[frame.path])


def _why_unsupported(frame: Frame) -> str:
    name = uid_name(frame.transfer_syntax) or "an unknown transfer syntax"
    if frame.transfer_syntax in SUPPORTED:
        way_out = "Install imagecodecs: pip install imagecodecs."
    else:
        way_out = "Convert it with a DICOM tool (dcmtk: dcmconv, dcmdjpeg) and load the result."
    syntax = f"{name} ({frame.transfer_syntax})"
    return f"{frame.name} is stored in {syntax}, which is not read. {way_out}"
