"""RLE of DICOM (PS3.5 G): segments of packed bytes, one for each byte of a cell.

Decoded here rather than by a decoder of whole frames, which a damaged header can crash; so
it needs nothing but numpy. imagecodecs unpacks ten times faster where it is installed.
"""

from __future__ import annotations

import itertools
from struct import unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.integer[Any]]


def decode(encoded: bytes, size: int, count: int) -> Cells:
    """Return the cells of a frame, flat, from its RLE segments.

    Parameters
    ----------
    encoded : bytes
        Header and segments; the highest byte of all cells comes first (PS3.5 G.2).
    size : int
        Cells in the frame.
    count : int
        Bytes in a cell: 1, 2 or 4.

    Returns
    -------
    (size,) uint8, uint16 or uint32

    Raises
    ------
    ValueError
        If the header is broken, or a segment has not `size` bytes.
    """
    header = unpack_from("<16L", encoded.ljust(64, b"\0"))
    starts = [*header[1 : 1 + count], len(encoded)]
    if header[0] != count or starts[0] != 64 or sorted(starts) != starts:
        msg = f"has a broken RLE header: {header[0]} segments at {starts}"
        raise ValueError(msg)
    cells = np.empty((size, count), np.uint8)
    unpack = _fast_unpack() or unpacked
    for n, (start, stop) in enumerate(itertools.pairwise(starts)):
        segment = unpack(encoded[start:stop], size)
        if len(segment) != size:
            msg = f"is cut off: {len(segment):,} of {size:,} bytes of RLE"
            raise ValueError(msg)
        cells[:, count - 1 - n] = np.frombuffer(segment, np.uint8)
    whole: Cells = cells.view(np.dtype(f"<u{count}")).reshape(size)
    return whole


def unpacked(segment: bytes, size: int) -> bytes:
    """Return the bytes of one segment (PS3.5 G.3.2).

    Parameters
    ----------
    segment : bytes
        It may end in a 0 that makes its length even.
    size : int
        How many bytes are right.

    Raises
    ------
    ValueError
        If a run is cut off, or there are more bytes in it.
    """
    whole = bytearray()
    at, end = 0, len(segment)
    while at < end:
        said = segment[at]
        # 128 stands for nothing; below it bytes follow as they are, above it one is repeated.
        follow = said + 1 if said < 128 else int(said > 128)
        run = segment[at + 1 : at + 1 + follow]
        is_pad = said == 0 and at + 1 == end
        if len(run) < follow and not is_pad:
            msg = f"is cut off: {len(whole):,} of {size:,} bytes of RLE"
            raise ValueError(msg)
        whole += run * (257 - said) if said > 128 else run
        at += 1 + follow
    if len(whole) > size:
        msg = f"holds {len(whole):,} bytes of RLE where {size:,} are right"
        raise ValueError(msg)
    return bytes(whole)


def _fast_unpack() -> Any:
    try:
        import imagecodecs
    except ImportError:
        return None

    def unpack(segment: bytes, size: int) -> Any:
        try:
            return imagecodecs.packbits_decode(segment, out=size)
        except RuntimeError as error:
            msg = f"cannot be decoded ({error})"
            raise ValueError(msg) from error

    return unpack
