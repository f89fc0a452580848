"""How long the code of a lossless JPEG picture must be (ISO/IEC 10918-1 H.1.2).

Lossless JPEG codes each pixel's difference from a prediction by a Huffman code and some
further bits. So the decoded picture tells to the bit how long its stream was, which is a
proof that the decoder read all of it and nothing else, at a quarter of a decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.integer[Any]]
_TABLES, _RESTARTS, _SCAN = 0xC4, 0xDD, 0xDA


@dataclass(frozen=True)
class _Scan:
    """What the markers say of the one scan.

    Parameters
    ----------
    lengths : dict of int to int
        Category of a difference -> length of its Huffman code in bits.
    predictor : int
        1 to 7 (ISO/IEC 10918-1 table H.1).
    start : int
        First byte of the entropy-coded data.
    """

    lengths: dict[int, int]
    predictor: int
    start: int


def is_whole(cells: Cells, stream: bytes, precision: int) -> bool:
    """Return whether a stream is exactly as long as the code of its picture.

    False also where that cannot be told: restart intervals, a point transform, several
    scans.

    Parameters
    ----------
    cells : (rows, columns) uint16 or uint8
        As decoded from the stream.
    stream : bytes
        Without its end marker.
    precision : int
        Bits of a sample, as its frame header says.
    """
    scan = _scan(stream)
    if scan is None or cells.ndim != 2:
        return False
    coded = stream[scan.start :]
    table = _bits_of_differences(tuple(sorted(scan.lengths.items())))
    bits = np.take(table, _differences(cells, scan.predictor, precision), mode="clip")
    if not bits.all():
        return False
    wanted = -(-int(bits.sum(dtype=np.uint32)) // 8)
    return len(coded) - coded.count(b"\xff\0") == wanted


def _scan(stream: bytes) -> _Scan | None:
    """Return the scan of a stream; None where this module cannot judge it."""
    place, tables = 2, {}
    while place + 4 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        (length,) = unpack_from(">H", stream, place + 2)
        segment = stream[place + 4 : place + 2 + length]
        if marker == _RESTARTS and any(segment):
            return None
        if marker == _TABLES:
            tables.update(_code_lengths(segment))
        if marker == _SCAN:
            if len(segment) != 6 or segment[0] != 1 or segment[5] & 0xF:
                return None
            lengths = tables.get(segment[2] >> 4)
            if lengths is None or not 1 <= segment[3] <= 7:
                return None
            return _Scan(lengths, segment[3], place + 2 + length)
        place += 2 + length
    return None


def _code_lengths(segment: bytes) -> dict[int, dict[int, int]]:
    """Return table number -> category -> code length of a DHT segment (B.2.4.2)."""
    tables, place = {}, 0
    while place + 17 <= len(segment):
        counts = segment[place + 1 : place + 17]
        values = segment[place + 17 : place + 17 + sum(counts)]
        lengths = [n + 1 for n, count in enumerate(counts) for _ in range(count)]
        tables[segment[place] & 0xF] = dict(zip(values, lengths, strict=False))
        place += 17 + sum(counts)
    return tables


@lru_cache(maxsize=16)
def _bits_of_differences(lengths: tuple[tuple[int, int], ...]) -> npt.NDArray[np.uint8]:
    """Return for each 16-bit difference the bits that code it; 0 where none do."""
    table = np.zeros(1 << 16, np.uint8)
    for category, length in lengths:
        if category == 0:
            table[0] = length
        elif category == 16:
            table[1 << 15] = length  # the one difference without further bits
        elif category < 16:
            low, high = 1 << (category - 1), 1 << category
            table[low:high] = length + category
            table[(1 << 16) - high + 1 : (1 << 16) - low + 1] = length + category
    return table


def _differences(cells: Cells, predictor: int, precision: int) -> npt.NDArray[np.uint16]:
    """Return each pixel's difference from its prediction, modulo 2^16 as the code has it."""
    values = cells.astype(np.uint16, copy=False)
    differences = np.empty_like(values)
    # The first row is predicted from the left, the first column from above (H.1.2.1).
    first = (int(values[0, 0]) - (1 << (precision - 1))) & 0xFFFF
    differences[0, 0] = first
    differences[0, 1:] = values[0, 1:] - values[0, :-1]
    differences[1:, 0] = values[1:, 0] - values[:-1, 0]
    predicted = _predicted(values, predictor)
    np.subtract(values[1:, 1:], predicted, out=differences[1:, 1:])
    return differences


def _predicted(values: npt.NDArray[np.uint16], predictor: int) -> npt.NDArray[np.uint16]:
    """Return the predictions of all pixels but the first row and column (table H.1)."""
    left, above, corner = values[1:, :-1], values[:-1, 1:], values[:-1, :-1]
    if predictor <= 3:
        return (left, above, corner)[predictor - 1]
    if predictor == 4:
        return left + above - corner
    # Halves need the sign and the carry that 16 bits would lose.
    wide_left, wide_above, wide_corner = (
        part.astype(np.int32) for part in (left, above, corner)
    )
    if predictor == 5:
        halved = wide_left + ((wide_above - wide_corner) >> 1)
    elif predictor == 6:
        halved = wide_above + ((wide_left - wide_corner) >> 1)
    else:
        halved = (wide_left + wide_above) >> 1
    return halved.astype(np.uint16)
