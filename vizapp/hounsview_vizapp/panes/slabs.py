"""Slabs: many slices laid into one, without what was never measured."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.viewstate import Slab
from hounsview.volume import Validity

Array = npt.NDArray[Any]
Marks = npt.NDArray[np.uint8]

_PADDING: Final = np.uint8(Validity.PADDING)
_NAMES: Final = {"mip": "MIP", "minip": "MinIP", "mean": "Mean"}


def slab_text(slab: Slab) -> str:
    """Return what a pane says of its slab, such as ``"MIP 10 mm"``; empty without one."""
    return f"{_NAMES[slab.kind]} {slab.thickness:g} mm" if slab.thickness else ""


class Composite:
    """The greatest, least or mean value of slices that are added block by block.

    PADDING enters no value; a pixel is PADDING where every slice was, and has every other
    bit of the slices that entered it.

    Parameters
    ----------
    kind : str
        ``"mip"``, ``"minip"`` or ``"mean"``.
    axis : int
        Along which the blocks are laid together.
    """

    def __init__(self, kind: str, axis: int) -> None:
        if kind not in _NAMES:
            msg = f"slab kind {kind!r} must be one of {', '.join(_NAMES)}"
            raise ArgumentError(msg)
        self._kind = kind
        self._axis = axis
        self._dtype: np.dtype[Any] | None = None
        self._values: Array | None = None
        self._count: Array | int = 0
        self._marks: Marks | None = None

    def add(self, values: Array, valid: Marks | None) -> None:
        """Take a block of slices in: (k, j, i) values, and uint8 bits or None."""
        self._dtype = values.dtype
        count: Array | int = values.shape[self._axis]
        if valid is not None:
            padding = (valid & _PADDING) > 0
            if padding.any():
                values = np.where(padding, self._neutral(values.dtype), values)
                valid = np.where(padding, np.uint8(0), valid)
                count = count - np.count_nonzero(padding, axis=self._axis)
            marks = np.bitwise_or.reduce(valid, axis=self._axis)
            self._marks = marks if self._marks is None else self._marks | marks
        self._count = self._count + count
        self._lay(self._reduced(values))

    def result(self) -> tuple[Array, Marks | None]:
        """Return values, in the dtype of the blocks, and bits (None: all measured)."""
        assert self._values is not None
        assert self._dtype is not None
        values = self._values
        if self._kind == "mean":
            values = values / np.maximum(self._count, 1)
            if self._dtype.kind == "i":
                values = np.rint(values)
        nothing = np.asarray(self._count) == 0
        values = np.where(nothing, 0, values).astype(self._dtype)
        if self._marks is None:
            return values, None
        return values, np.where(nothing, _PADDING, self._marks)

    def _neutral(self, dtype: np.dtype[Any]) -> Any:
        limits: Any = np.iinfo(dtype) if dtype.kind == "i" else np.finfo(dtype)
        return dtype.type({"mip": limits.min, "minip": limits.max, "mean": 0}[self._kind])

    def _reduced(self, values: Array) -> Array:
        if self._kind == "mip":
            return np.asarray(values.max(axis=self._axis))
        if self._kind == "minip":
            return np.asarray(values.min(axis=self._axis))
        exact = np.int32 if values.dtype.kind == "i" else np.float64
        return np.asarray(values.sum(axis=self._axis, dtype=exact))

    def _lay(self, block: Array) -> None:
        if self._values is None:
            self._values = block
        elif self._kind == "mip":
            np.maximum(self._values, block, out=self._values)
        elif self._kind == "minip":
            np.minimum(self._values, block, out=self._values)
        else:
            self._values += block
