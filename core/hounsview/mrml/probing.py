"""What lies under Slicer's markups: the value at points, along lines, in boxes and regions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import HounsviewError
from hounsview.measure import measure, table_row, value_text
from hounsview.mrml.application import array_of_matrix, matrix_of
from hounsview.mrml.markups import measurements_of
from hounsview.profiles import profile
from hounsview.tissues import tissue_numbers
from hounsview.viewstate import Measurement
from hounsview.volume import Volume

Floats = npt.NDArray[np.float64]
_BOX: Final = "vtkMRMLMarkupsROINode"


def markups_rows(node: Any, volume: Volume) -> list[dict[str, str]]:
    """Return what a markups node measures in a volume, as rows of name -> value with unit.

    A row for each point of a point list, one for a line (its length, and the values along
    it), an angle, a rectangle or ellipse that came from here, a box. What was not measured
    (PADDING, FILLED) is in no number. Other markups have no row.

    Parameters
    ----------
    node : vtkMRMLMarkupsNode
    volume : Volume
        In the world, as `volume_of` returns it.
    """
    if node.IsA(_BOX):
        return [{"name": node.GetName(), "kind": "box", **_in_box(node, volume)}]
    rows = []
    for number, measurement in enumerate(measurements_of(node)):
        row = table_row(measurement, measure(volume, measurement))
        row["name"] = measurement.text or _label(node, measurement, number)
        if measurement.kind == "ruler":
            row |= _along(measurement, volume)
        rows.append(row)
    return rows


def _label(node: Any, measurement: Measurement, number: int) -> str:
    """Return what Slicer calls a measurement: of a point list, the point's own label."""
    label = node.GetNthControlPointLabel(number) if measurement.kind == "probe" else ""
    return str(label or node.GetName())


def _along(measurement: Measurement, volume: Volume) -> dict[str, str]:
    """Return the values along a line: mean, ends, and how much of it was not measured."""
    values = profile(volume, *measurement.points).values
    known = values[np.isfinite(values)]
    if not known.size:
        return {"note": "nothing was measured along the line"}
    told = {"mean": known.mean(), "minimum": known.min(), "maximum": known.max()}
    row = {name: value_text(float(value), volume.unit) for name, value in told.items()}
    if known.size < values.size:
        missing = 100 * (1 - known.size / values.size)
        row["note"] = f"{missing:.0f} % of the line was not measured"
    return row


def _in_box(node: Any, volume: Volume) -> dict[str, str]:
    """Return the numbers of the voxels whose centres lie in a box, which may be turned."""
    to_world = matrix_of(np.eye(4))
    to_world.DeepCopy(node.GetObjectToWorldMatrix())
    half = np.asarray(node.GetSize(), float) / 2
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ array_of_matrix(to_world)
    if not abs(np.linalg.det(lps)) > 0 or not (half > 0).all():
        return {"note": "the box is flat"}
    signs = np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    corners = volume.geometry.to_index(signs * half @ lps[:3, :3].T + lps[:3, 3])
    last = np.asarray(volume.shape) - 1
    low = np.clip(np.ceil(corners.min(axis=0)), 0, last + 1).astype(int)
    high = np.clip(np.floor(corners.max(axis=0)), -1, last).astype(int) + 1
    if not (low < high).all():
        return {"note": "no voxel's centre lies in the box"}
    k, j, i = ((int(a), int(b)) for a, b in zip(low, high, strict=True))
    part = volume.crop(k=k, j=j, i=i)
    index = np.stack(np.meshgrid(*map(np.arange, part.shape), indexing="ij"), axis=-1)
    inverse = np.linalg.inv(lps)
    own = part.geometry.to_patient(index) @ inverse[:3, :3].T + inverse[:3, 3]
    try:
        numbers = tissue_numbers(part, (np.abs(own) <= half + 1e-6).all(axis=-1))
    except HounsviewError as error:
        return {"note": str(error)}
    return numbers.values() if numbers.used else {"note": "nothing was measured in the box"}
