"""OpenJPH through imagecodecs, whose decoder cannot raise: its errors are caught here.

`imagecodecs.htj2k_decode` returns what there is when OpenJPH fails, and Python is only told
of "an exception that was ignored" (`sys.unraisablehook`). That call comes in the thread of
the decoder and before it returns, so it can be told which picture it belongs to.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

_failed = threading.local()
_installing = threading.Lock()
_previous: Callable[[Any], object] = sys.__unraisablehook__


def decode(stream: bytes) -> npt.NDArray[np.integer[Any]]:
    """Return the cells of a HTJ2K stream.

    Raises
    ------
    RuntimeError
        If OpenJPH failed, or imagecodecs says so.
    """
    import imagecodecs

    _install()
    _failed.why = ""
    cells = np.asarray(imagecodecs.htj2k_decode(stream))
    if _failed.why:
        raise RuntimeError(_failed.why)
    return cells


def _install() -> None:
    """Put our hook before the one that is there, if it is not there already."""
    global _previous
    with _installing:
        if sys.unraisablehook is not _hook:
            _previous, sys.unraisablehook = sys.unraisablehook, _hook


def _hook(ignored: Any) -> None:
    if "imagecodecs._htj2k" in str(ignored.object):
        _failed.why = str(ignored.exc_value)
    else:
        _previous(ignored)
