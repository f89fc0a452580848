"""Windows: which Hounsfield units are drawn from black to white.

The three functions are those of PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID)
and C.11.2.1.3.2 (LINEAR_EXACT), with an output range of 0 to 255.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

_FUNCTIONS: Final = get_args(Function)
_WHITE: Final = 255.0


@dataclass(frozen=True)
class Window:
    """Centre and width of what is shown, and the curve between black and white.

    Parameters
    ----------
    center : float
        WindowCenter (0028,1050), HU.
    width : float
        WindowWidth (0028,1051), HU; at least 1 for LINEAR, above 0 for the others
        (PS3.3 C.11.2.1.2.1, C.11.2.1.3).
    function : str
        VOILUTFunction (0028,1056): ``"LINEAR"``, ``"LINEAR_EXACT"`` or ``"SIGMOID"``.

    Raises
    ------
    ArgumentError
        If a value is not finite, the width too small, or the function unknown.

    Examples
    --------
    >>> Window(40, 400).apply(np.array([-160, 40, 239], np.int16)).tolist()
    [0, 128, 255]
    """

    center: float
    width: float
    function: Function = "LINEAR"

    def __post_init__(self) -> None:
        if self.function not in _FUNCTIONS:
            msg = f"window function {self.function!r} must be one of {', '.join(_FUNCTIONS)}"
            raise ArgumentError(msg)
        center = _number(self.center, "center")
        width = _number(self.width, "width")
        if self.function == "LINEAR" and width < 1:
            msg = (
                f"a LINEAR window needs a width of at least 1 HU, not {width:g} "
                "(PS3.3 C.11.2.1.2.1); LINEAR_EXACT allows any width above 0"
            )
            raise ArgumentError(msg)
        if width <= 0:
            msg = f"a {self.function} window needs a width above 0 HU, not {width:g}"
            raise ArgumentError(msg)
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "width", width)

    @property
    def range(self) -> tuple[float, float]:
        """(low, high) HU: black up to `low`, white from `high` on.

        LINEAR and LINEAR_EXACT reach black and white there; SIGMOID is 12 % and 88 %
        white there, and reaches them nowhere.
        """
        if self.function == "LINEAR":
            half = (self.width - 1) / 2
            return self.center - 0.5 - half, self.center - 0.5 + half
        return self.center - self.width / 2, self.center + self.width / 2

    def apply(self, hu: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return grey values, rounded to the nearest (halves to the even one).

        Parameters
        ----------
        hu : (...) int16 or float32, HU
            int16 goes through a table of all 65,536 values, which is kept; anything
            else is computed. Not-a-number becomes black.

        Returns
        -------
        (...) uint8
            0 black to 255 white, same shape.
        """
        if hu.dtype == np.int16:
            grey: npt.NDArray[np.uint8] = self.table().take(hu.view(np.uint16))
            return grey
        return self._direct(hu)

    def table(self) -> npt.NDArray[np.uint8]:
        """Return the (65536,) uint8 table for int16 values, indexed by their bits as uint16.

        Entry 0 is for 0 HU, entry 65535 for -1 HU. Read-only, and kept.
        """
        return _table(self)

    def _direct(self, hu: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        x = hu.astype(np.float64)
        low, high = self.range
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                share = 1 / (1 + np.exp(-4 * (x - self.center) / self.width))
        elif high == low:
            # LINEAR of width 1 is a threshold: the formula would divide by 0.
            share = (x > low).astype(np.float64)
        else:
            share = np.clip((x - low) / (high - low), 0, 1)
        share = np.where(np.isnan(share), 0, share)
        grey: npt.NDArray[np.uint8] = np.rint(share * _WHITE).astype(np.uint8)
        return grey


@lru_cache(maxsize=64)
def _table(window: Window) -> npt.NDArray[np.uint8]:
    values = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float32)
    table = window._direct(values)
    table.flags.writeable = False
    return table


@cache
def window_presets() -> Mapping[str, Window]:
    """Return the usual CT windows by name, such as ``"lung"``; read-only.

    The values, and where they come from, are in ``hounsview/data/windows.json``.
    """
    text = files("hounsview").joinpath("data/windows.json").read_text("utf-8")
    return MappingProxyType(
        {
            entry["name"]: Window(entry["center"], entry["width"], entry["function"])
            for entry in json.loads(text)["windows"]
        }
    )


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        msg = f"window {name} must be a finite number of HU, not {value!r}"
        raise ArgumentError(msg)
    return number
