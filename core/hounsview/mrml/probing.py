"""What lies under Slicer's markups: the value at points, along lines, in boxes and regions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import HounsviewError
from hounsview.measure import measure, table_row, value_text
from hounsview.mrml.application import array_of_matrix, matrix_of
from hounsview.mrml.markups import labels_of, measurements_of, region_of
from hounsview.profiles import profile
from hounsview.tissues import tissue_numbers
from hounsview.viewstate import Measurement
from hounsview.volume import Volume

Floats = npt.NDArray[np.float64]
_ON_FACE: Final = 1e-6
"""Of a voxel: so far beside a face a centre still lies on it."""
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
    there = measurements_of(node)
    if not there and region_of(node):
        kind = region_of(node)
        note = f"it was changed and is no {kind} any more: draw it anew"
        return [{"name": node.GetName(), "kind": kind, "note": note}]
    for number, measurement in enumerate(there):
        row = table_row(measurement, measure(volume, measurement))
        row["name"] = measurement.text or _label(node, measurement, number)
        if measurement.kind == "ruler":
            row |= _along(measurement, volume)
        rows.append(row)
    return rows


def _label(node: Any, measurement: Measurement, number: int) -> str:
    """Return what Slicer calls a measurement: of a point list, the point's own label."""
    label = labels_of(node)[number] if measurement.kind == "probe" else ""
    return label or str(node.GetName())


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
    half: Floats = np.asarray(node.GetSize(), np.float64) / 2
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ array_of_matrix(to_world)
    if not abs(np.linalg.det(lps)) > 0 or not (half > 0).all():
        return {"note": "the box is flat"}
    signs = np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    corners = volume.geometry.to_index(signs * half @ lps[:3, :3].T + lps[:3, 3])
    last = np.asarray(volume.shape) - 1
    low = np.clip(np.ceil(corners.min(axis=0) - _ON_FACE), 0, last + 1).astype(int)
    high = np.clip(np.floor(corners.max(axis=0) + _ON_FACE), -1, last).astype(int) + 1
    if not (low < high).all():
        return {"note": "no voxel's centre lies in the box"}
    k, j, i = ((int(a), int(b)) for a, b in zip(low, high, strict=True))
    part = volume.crop(k=k, j=j, i=i)
    inverse: Floats = np.linalg.inv(lps).astype(np.float64)
    try:
        numbers = tissue_numbers(part, _inside(part, inverse, half))
    except HounsviewError as error:
        return {"note": str(error)}
    return numbers.values() if numbers.used else {"note": "nothing was measured in the box"}


def _inside(volume: Volume, to_box: Floats, half: Floats) -> npt.NDArray[np.bool_]:
    """Return (k, j, i) whether voxel centres lie in a box.

    Of a row of voxels those between two faces are a run from a first to a last one, so that
    no voxel needs a place of its own: that would be 24 bytes each, three times over.

    Parameters
    ----------
    volume : Volume
    to_box : (4, 4) float64
        From LPS mm to the box's own axes, whose middle is 0.
    half : (3,) float64
        From the middle of the box to its faces, along its axes.
    """
    slices, rows, columns = volume.shape
    own = to_box @ volume.geometry.affine
    first, last = np.zeros((slices, rows)), np.full((slices, rows), columns - 1.0)
    k, j = np.arange(slices)[:, None], np.arange(rows)
    for axis in range(3):
        step = own[axis, 2]
        start = own[axis, 0] * k + own[axis, 1] * j + own[axis, 3]
        reach = half[axis] + _ON_FACE * np.abs(own[axis, :3]).sum()
        if abs(step) * columns < _ON_FACE * reach:
            last[np.abs(start) > reach] = -1
            continue
        ends = np.stack([(-reach - start) / step, (reach - start) / step])
        first, last = np.maximum(first, ends.min(axis=0)), np.minimum(last, ends.max(axis=0))
    i = np.arange(columns, dtype=np.int32)
    low, high = (
        np.clip(n, -1, columns).astype(np.int32) for n in (np.ceil(first), np.floor(last))
    )
    inside: npt.NDArray[np.bool_] = i >= low[..., None]
    inside &= i <= high[..., None]
    return inside
