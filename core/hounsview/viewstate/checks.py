"""What a value of a view must be: each check returns the value in its proper type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from hounsview.errors import ArgumentError

Color = tuple[float, float, float]
Point = tuple[float, float, float]
Points = tuple[tuple[float, ...], ...]

FARTHEST_MM: Final = 1e5
"""No coordinate of a view is farther out than 100 m."""
LONGEST_TEXT: Final = 200


def is_a(value: Any, kind: type, name: str) -> Any:
    """Return the value if it is of a type (a bool is no number here)."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        msg = f"{name} must be of type {kind.__name__}, not {short(value)}"
        raise ArgumentError(msg)
    return value


def one_of(value: Any, allowed: Iterable[str], name: str) -> str:
    """Return the value if it is one of the allowed words."""
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        msg = f"{name} {short(value)} must be one of {', '.join(words)}"
        raise ArgumentError(msg)
    return value


def numbers(values: Any, count: int, name: str, farthest: float = math.inf) -> Any:
    """Return so many finite numbers as a tuple of float."""
    try:
        found = () if isinstance(values, (str, bytes)) else tuple(float(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        msg = f"{name} must be {count} finite number{'s' * (count > 1)}, not {short(values)}"
        raise ArgumentError(msg)
    if any(abs(number) > farthest for number in found):
        msg = f"{name} must lie within {farthest:g}, not {short(values)}"
        raise ArgumentError(msg)
    return found


def within(value: Any, low: float, high: float, name: str) -> float:
    """Return a number between two others, as float."""
    if isinstance(value, bool):
        msg = f"{name} must be a number, not {value}"
        raise ArgumentError(msg)
    number: float = numbers((value,), 1, name)[0]
    if not low <= number <= high:
        msg = f"{name} must lie in {low:g}..{high:g}, not {number:g}"
        raise ArgumentError(msg)
    return number


def point(value: Any, name: str) -> Point:
    """Return a patient point, LPS mm."""
    found: Point = numbers(value, 3, f"{name} (x, y, z) in LPS mm", FARTHEST_MM)
    return found


def color(value: Any, name: str) -> Color:
    """Return red, green, blue, each 0 to 1."""
    found: Color = numbers(value, 3, f"{name} (red, green, blue)")
    if not all(0 <= part <= 1 for part in found):
        msg = f"{name} must have red, green and blue in 0..1, not {short(value)}"
        raise ArgumentError(msg)
    return found


def text(value: Any, name: str) -> str:
    """Return a short text without control characters."""
    is_a(value, str, name)
    if len(value) > LONGEST_TEXT or not value.isprintable():
        msg = f"{name} must be a line of at most {LONGEST_TEXT} characters, not {short(value)}"
        raise ArgumentError(msg)
    return str(value)


def all_of(values: Any, kind: type, name: str, most: int) -> tuple[Any, ...]:
    """Return a sequence of parts of one type as a tuple."""
    found = tuple(values) if isinstance(values, (list, tuple)) else None
    if found is None:
        msg = f"{name} must be a list, not {short(values)}"
        raise ArgumentError(msg)
    if len(found) > most:
        msg = f"{name} may hold at most {most}, not {len(found)}"
        raise ArgumentError(msg)
    for value in found:
        is_a(value, kind, f"each of {name}")
    return found


def mapping(values: Any, name: str) -> Mapping[str, Any]:
    """Return a read-only copy of a mapping."""
    return MappingProxyType(dict(is_a(values, Mapping, name)))


def short(value: Any) -> str:
    """Return a repr that fits into a message."""
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:60]}... ({len(said)} characters)"
