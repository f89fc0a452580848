"""Which handle of a measurement lies under the pointer."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

Pixel = tuple[float, float]


def nearest_handle(
    handles: list[Pixel], at: Pixel, kind: str, within: float
) -> tuple[float, int]:
    """Return (px, point) of the nearest handle in reach, else of the lines: point -1."""
    found = min((math.dist(handle, at), number) for number, handle in enumerate(handles))
    if found[0] <= within:
        return found
    lines = list(pairwise(handles))
    if kind in ("rectangle", "ellipse"):
        (top, left), (bottom, right) = handles
        corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
        lines = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    for begin, end in lines:
        found = min(found, (_from_line(at, begin, end), -1))
    return found


def _from_line(at: Pixel, begin: Pixel, end: Pixel) -> float:
    along = np.subtract(end, begin)
    length = float(along @ along)
    share = (
        0.0 if length == 0 else float(np.clip(np.subtract(at, begin) @ along / length, 0, 1))
    )
    return float(np.linalg.norm(np.subtract(at, begin) - share * along))
