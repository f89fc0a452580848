"""Two ways to read a header, held against each other: the walk and pydicom alone."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from hounsview.dicom import dicomfile
from hounsview.dicom.frames import Frame, Other
from hounsview.dicom.headers import HeaderReader
from hounsview.dicom.walking import OddError


def plain(value: Any) -> str:
    """Everything that a frame or another file says, as text (NaN equals NaN there)."""
    if is_dataclass(value):
        return repr(
            [(field.name, plain(getattr(value, field.name))) for field in fields(value)]
        )
    if isinstance(value, tuple):
        return repr([plain(part) for part in value])
    if hasattr(value, "items"):
        return repr(sorted(value.items()))
    return repr(value)


def by_walking(path: Path, reader: HeaderReader | None = None) -> tuple[Frame, ...] | Other:
    return (reader or HeaderReader()).read(path)


def by_pydicom(path: Path) -> tuple[Frame, ...] | Other:
    """What the same code makes of a file when no header counts as ordinary."""
    with mock.patch.object(dicomfile, "walk", side_effect=OddError):
        return HeaderReader().read(path)


def was_walked(path: Path) -> bool:
    """Whether the walk did not have to give up."""
    with mock.patch.object(dicomfile, "_parsed_by_pydicom", side_effect=AssertionError):
        try:
            HeaderReader().read(path)
        except AssertionError:
            return False
    return True
