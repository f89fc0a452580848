"""What goes beside or into an exported file: the report without folders, counts, a unit.

Folders may be named after patients, so that only file names leave.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from hounsview.errors import ArgumentError
from hounsview.findings import Report
from hounsview.volume import Validity, Volume

UNKNOWN: Final = "unknown"
"""`Volume.unit` where a file does not say one."""

_LONGEST_UNIT: Final = 32


def checked_unit(unit: str) -> str:
    """Return a unit that every format can hold: short, printable ASCII, one line.

    Raises
    ------
    ArgumentError
    """
    plain = unit.isascii() and unit.isprintable() and unit == unit.strip()
    if not plain or not 0 < len(unit) <= _LONGEST_UNIT:
        msg = (
            f"a unit is up to {_LONGEST_UNIT} printable ASCII characters such as 'HU', "
            f"not {unit!r}"
        )
        raise ArgumentError(msg)
    return unit


def report_without_folders(volume: Volume) -> Report:
    """Return the report with file names only, in its messages too."""
    findings = volume.report.findings
    files = {file for finding in findings for file in finding.files}
    files |= {source.file for made in volume.sources for source in made if source.file}
    folders = {str(parent) for file in files for parent in file.parents}
    longest_first = sorted(folders - {".", os.sep}, key=len, reverse=True)

    def plain(text: str) -> str:
        for folder in longest_first:
            text = text.replace(folder + os.sep, "")
            if os.path.isabs(folder):  # noqa: PTH117
                text = text.replace(folder, "the folder")
        return text

    return Report(
        tuple(
            replace(
                finding,
                message=plain(finding.message),
                action=plain(finding.action),
                files=tuple(Path(file.name) for file in finding.files),
            )
            for finding in findings
        )
    )


def describe(volume: Volume, name: str) -> str:
    """Return what the JSON file beside an exported image says.

    Parameters
    ----------
    volume : Volume
    name : str
        File name of the image.
    """
    geometry = volume.geometry
    plain: Mapping[str, Any] = {
        "image": name,
        "unit": volume.unit,
        "shape_kji": list(volume.shape),
        "spacing_kji_mm": list(geometry.spacing),
        "affine_kji_to_lps_mm": geometry.affine.tolist(),
        "orientation_kji": geometry.orientation,
        "voxels": {bit.name: _count(volume, bit) for bit in Validity},
        "padding_value": _padding_value(volume),
        "attributes": dict(volume.attributes),
        **report_without_folders(volume).to_dict(),
    }
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def _count(volume: Volume, bit: Validity) -> int:
    return 0 if volume.valid is None else int(np.count_nonzero(volume.valid & np.uint8(bit)))


def _padding_value(volume: Volume) -> float | None:
    """Return what all PADDING voxels hold; None without any, or where they differ."""
    if volume.valid is None:
        return None
    held = volume.hu[(volume.valid & np.uint8(Validity.PADDING)) > 0]
    return float(held[0]) if held.size and held.min() == held.max() else None
