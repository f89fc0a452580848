"""Memory that is used again with every frame.

A frame needs several arrays of a megabyte for a millisecond; to ask the operating system
for them each time takes longer than to fill them.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt


class Buffers:
    """Arrays by name; the next array of a name overwrites the one before."""

    def __init__(self) -> None:
        self._kept: dict[str, npt.NDArray[np.uint8]] = {}

    def array(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike
    ) -> npt.NDArray[Any]:
        """Return an array of a shape and dtype, its values undefined."""
        wanted = np.dtype(dtype)
        size = math.prod(shape) * wanted.itemsize
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = np.empty(size, np.uint8)
        return kept[:size].view(wanted).reshape(shape)


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.buffers = Buffers()


_of_thread = _OfThread()


def buffers_of_thread() -> Buffers:
    """Return the buffers of the thread that asks; what lies in them must not leave a frame."""
    return _of_thread.buffers
