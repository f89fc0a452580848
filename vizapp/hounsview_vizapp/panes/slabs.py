"""Slabs: many slices laid into one, without what was never measured."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.viewstate import Slab
from hounsview.volume import Validity

Array = npt.NDArray[Any]
Marks = npt.NDArray[np.uint8]

_PADDING: Final = np.uint8(Validity.PADDING)
_NAMES: Final = {"mip": "MIP", "minip": "MinIP", "mean": "Mean"}


def slab_text(slab: Slab, count: int, what: str = "slice") -> str:
    """Return what a pane says of its slab; empty without one.

    Parameters
    ----------
    slab : Slab
    count : int
        How many slices, or what else it is made of, are laid into one; 0 is not said.
    what : str

    Examples
    --------
    >>> slab_text(Slab(10, "mip"), 3), slab_text(Slab(1, "mean"), 1)
    ('MIP 10 mm (3 slices)', 'Mean 1 mm (1 slice)')
    """
    if not slab.thickness:
        return ""
    named = f"{_NAMES[slab.kind]} {slab.thickness:g} mm"
    # A slab thinner than two steps is the plane alone, which only the number tells.
    return f"{named} ({count} {what}{'s' * (count != 1)})" if count else named


class Composite:
    """The greatest, least or mean value of slices that are added block by block.

    PADDING enters no value; a pixel is PADDING where every slice was, and has every other
    bit of the slices that entered it.

    Parameters
    ----------
    kind : str
        ``"mip"``, ``"minip"`` or ``"mean"``.
    dtype : dtype
        Of the values: int16 or float32.
    """

    def __init__(self, kind: str, dtype: np.dtype[Any]) -> None:
        limits: Any = np.iinfo(dtype) if dtype.kind == "i" else np.finfo(dtype)
        self._lay, self._neutral = {
            "mip": (np.maximum, limits.min),
            "minip": (np.minimum, limits.max),
            "mean": (np.add, 0),
        }[kind]
        self._dtype = dtype
        self._sums = {"i": np.int32, "f": np.float64}[dtype.kind] if kind == "mean" else None
        self._values: Array | None = None
        self._count: Array | int = 0
        self._marks: Marks | None = None

    def add(self, values: Array, valid: Marks | None) -> None:
        """Take in (slices, rows, columns) values, and uint8 bits or None."""
        if valid is None:
            self._count = self._count + len(values)
            self._take(self._lay.reduce(values, axis=0, dtype=self._sums))
            return
        for layer, marks in zip(values, valid, strict=True):
            padding = (marks & _PADDING).view(bool)
            if padding.any():
                layer = np.where(padding, layer.dtype.type(self._neutral), layer)
                marks = np.where(padding, np.uint8(0), marks)
                self._count = self._count + ~padding
            else:
                self._count = self._count + 1
            self._marks = marks.copy() if self._marks is None else self._marks | marks
            self._take(layer)

    def result(self) -> tuple[Array, Marks | None]:
        """Return values, in the dtype of the blocks, and bits (None: all measured)."""
        assert self._values is not None
        values, count = self._values, np.asarray(self._count)
        if self._sums is not None:
            values = values / np.maximum(count, 1)
            if self._dtype.kind == "i":
                values = np.rint(values)
        if self._marks is None:
            return values.astype(self._dtype, copy=False), None
        values = np.where(count == 0, 0, values).astype(self._dtype)
        return values, np.where(count == 0, _PADDING, self._marks)

    def _take(self, layer: Array) -> None:
        if self._values is None:
            self._values = layer.astype(self._sums or self._dtype)
        else:
            self._lay(self._values, layer, out=self._values)
