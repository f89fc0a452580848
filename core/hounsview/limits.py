"""How much a file may claim before it is believed, and how to change that.

A native picture is checked against the length of its file. What is compressed can claim
anything, so it is held to these limits before memory is taken.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Final

from hounsview.errors import ArgumentError

MIB: Final = 1 << 20
GIB: Final = 1 << 30
DEFLATE_RATIO: Final = 1032
"""No deflate stream grows more than this (zlib's technical notes, "Maximum Compression")."""


def _memory() -> int:
    """Return the bytes of memory of this machine; 16 GiB where that cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 16 * GIB


@dataclass(frozen=True)
class Limits:
    """What is refused beyond which size.

    Parameters
    ----------
    frame_bytes : int
        One compressed picture, decoded; 256 MiB are 11,585 x 11,585 pixels of 16 bits.
    volume_bytes : int
        HU of one volume; by default three quarters of the memory of the machine.
    inflated_bytes : int
        One file out of a zip or of a deflated data set.
    frames : int
        Frames of one file, and members of one zip.
    zip_depth : int
        Zips inside zips.
    """

    frame_bytes: int = 256 * MIB
    volume_bytes: int = _memory() // 4 * 3
    inflated_bytes: int = 4 * GIB
    frames: int = 100_000
    zip_depth: int = 2


_current = Limits()


def get_limits() -> Limits:
    """Return the limits in force."""
    return _current


def set_limits(**changes: Any) -> Limits:
    """Change limits for this process and return those that were in force before.

    Raises
    ------
    ArgumentError
        If there is no such limit, or it is no positive number.

    >>> before = set_limits(frames=200_000)
    >>> get_limits().frames
    200000
    >>> _ = set_limits(frames=before.frames)
    """
    global _current
    known = Limits.__dataclass_fields__
    for name, value in changes.items():
        if name not in known or not isinstance(value, int) or value < 1:
            msg = (
                f"limit {name}={value!r}: the limits are positive numbers of {', '.join(known)}"
            )
            raise ArgumentError(msg)
    before = _current
    _current = replace(_current, **changes)
    return before


def in_words(size: float) -> str:
    """Return a number of bytes for a message.

    >>> in_words(9_000), in_words(3 * GIB)
    ('9,000 bytes', '3.0 GiB')
    """
    if size >= GIB:
        return f"{size / GIB:,.1f} GiB"
    return f"{size / MIB:,.1f} MiB" if size >= MIB else f"{size:,.0f} bytes"
