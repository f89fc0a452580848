"""What every trap is made by, and the recipes that need no more than other tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hounsview.traps.slices import write_series

Build = Callable[[Path], object]
"""Writes one folder, which may be absent or empty."""


def clean(folder: Path) -> list[Path]:
    """Write the series that every other one is a broken form of."""
    return write_series(folder)


def with_tag(**tags: Any) -> Build:
    """Return what writes a series in which every slice has other attributes."""
    return lambda folder: write_series(folder, **tags)


def slices_with(change: Callable[[int], dict[str, Any]]) -> Build:
    """Return what writes a series in which slice n has the attributes of ``change(n)``."""
    return lambda folder: write_series(folder, change=lambda n, tags: tags.update(change(n)))
