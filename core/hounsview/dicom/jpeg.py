"""JPEG streams through libjpeg, and the proof that all of a stream was there.

libjpeg makes up what is missing, with a warning that nobody sees.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.codestreams import LOSSLESS_PROCESS, StreamHeader
from hounsview.dicom.losslessjpeg import is_whole

Cells = npt.NDArray[np.integer[Any]]

END_OF_IMAGE: Final = b"\xff\xd9"
_NOISE: Final = bytes((37 * n * n + 11 * n + 5) % 251 for n in range(512))
"""Bytes without structure, none of them 0xFF."""
_IN_A_BYTE: Final = {True: 9, False: 5}
"""Most pixels (without loss: 1 bit at least) or blocks (2 bits) that a byte touches."""


def decode(stream: bytes, said: StreamHeader) -> Cells:
    """Return the (rows, columns) cells of a JPEG stream that was there to its end.

    Parameters
    ----------
    stream : bytes
    said : StreamHeader
        What its frame header says.

    Raises
    ------
    ValueError
        If bytes of it are missing, or more than its picture needs.
    """
    import imagecodecs

    end = stream.rfind(END_OF_IMAGE)
    body = (stream[:end] if end >= 0 else stream).rstrip(b"\xff")
    cells = np.asarray(imagecodecs.jpeg_decode(body + END_OF_IMAGE))
    if said.process == LOSSLESS_PROCESS and is_whole(cells, body, said.bits):
        return cells
    # Without an end marker a last 0 may belong to the stream or make its length even.
    without_pad = end < 0 and body.endswith(b"\0") and _is_complete(cells, body[:-1], said)
    if not without_pad and not _is_complete(cells, body, said):
        msg = "bytes of its JPEG stream are missing"
        raise ValueError(msg)
    return cells


def _is_complete(cells: Cells, body: bytes, said: StreamHeader) -> bool:
    """Return whether a JPEG stream, without its end marker, holds just these cells.

    It is decoded once more with its last byte inverted and noise behind it. No pixel but
    the last few may differ, else bytes were missing; and the last ones must, else bytes
    were left over (only without loss: an even background hides it).
    """
    import imagecodecs

    last = 0xFF if body.endswith(b"\xff\0") else body[-1]
    kept = body[:-2] if last == 0xFF else body[:-1]
    inverted = b"\xff\0" if last == 0 else bytes([last ^ 0xFF])
    other = np.asarray(imagecodecs.jpeg_decode(kept + inverted + _NOISE + END_OF_IMAGE))
    rows, columns = np.nonzero(cells != other)
    if said.process == LOSSLESS_PROCESS:
        order, count = rows * cells.shape[1] + columns, cells.size
        if rows.size == 0:
            return False
    else:
        across = -(-cells.shape[1] // 8)
        order, count = rows // 8 * across + columns // 8, across * -(-cells.shape[0] // 8)
    within = _IN_A_BYTE[said.process == LOSSLESS_PROCESS]
    return bool(order.min(initial=count) >= count - within)
