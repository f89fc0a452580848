"""Voxels that are not plain measured ones, as segments beside a volume node."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.anatomy import Color
from hounsview.errors import GeometryError, HounsviewError
from hounsview.geometry import Geometry
from hounsview.mrml.companions import attach
from hounsview.mrml.layers import add_layer, segment_ids, segment_mask, segmentation_node
from hounsview.viewstate.state import parsed_json
from hounsview.volume import Validity, Volume

MARKS: Final = "hounsview.marks"
"""Role of a volume node's reference to this segmentation."""
_GRID: Final = "hounsview.grid"
"""Attribute of this segmentation: the affine of the volume's own grid, JSON."""
SEGMENTS: Final[dict[Validity, tuple[str, Color]]] = {
    Validity.PADDING: ("Outside FOV", (0.45, 0.45, 0.50)),
    Validity.FILLED: ("Lost slice, filled", (1.0, 0.30, 0.25)),
    Validity.RESAMPLED: ("Resampled by a repair", (0.35, 0.55, 1.0)),
    Validity.SATURATED: ("At the scanner's ceiling", (1.0, 0.85, 0.20)),
}
"""Name and colour of the segment of each bit; its id is the bit's name."""


def add_marks(node: Any, volume: Volume, scene: Any, name: str) -> Any:
    """Return a new hidden segmentation of the bits in `Volume.valid`; None without any.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
        Of this volume; refers to the segmentation from now on.
    volume : Volume
    scene : vtkMRMLScene
    name : str
    """
    if volume.valid is None:
        return None
    made = segmentation_node(scene, name, node)
    # Bits may lie over each other, so that each has a label map of its own.
    for bit, (label, color) in SEGMENTS.items():
        mask = (volume.valid & np.uint8(bit)) > 0
        if mask.any():
            key = str(bit.name)
            add_layer(made, volume.geometry, mask.view(np.uint8), {1: (key, label, color, "")})
    made.GetDisplayNode().SetVisibility(False)
    made.SetAttribute(_GRID, json.dumps(volume.geometry.affine.tolist()))
    attach(node, MARKS, made, aid=True)
    return made


def marks_of(node: Any, geometry: Geometry) -> npt.NDArray[np.uint8] | None:
    """Return `Volume.valid`, (k, j, i) uint8, of a volume node; None without any mark.

    Marks are of voxels: where the volume was moved since, as when a transform is hardened,
    they go along.

    Raises
    ------
    GeometryError
        If the marks lie on another grid than the volume, or it was mirrored since.
    """
    held = node.GetNodeReference(MARKS)
    if held is None:
        return None
    geometry = _grid_of(held, geometry, node.GetName())
    valid = np.zeros(geometry.shape, np.uint8)
    there = segment_ids(held)
    for bit in SEGMENTS:
        if bit.name in there:
            valid[segment_mask(held, str(bit.name), geometry)] |= np.uint8(bit)
    return valid if valid.any() else None


def _grid_of(marks: Any, now: Geometry, name: str) -> Geometry:
    """Return the grid of a volume as it was when its marks were made, voxel by voxel."""
    try:
        noted = parsed_json(marks.GetAttribute(_GRID) or "", "a grid")
        before = Geometry(now.shape, np.asarray(noted, np.float64))
    except (HounsviewError, TypeError, ValueError):
        return now  # made by an older version
    # Slicer's reader reverses k of left-handed volumes.
    turned = before.transformed(now.shape, _reversed_k(now.shape[0]))
    if any(now.is_close(each) for each in (before, turned)):
        return now
    if np.linalg.det(now.affine) * np.linalg.det(before.affine) > 0:
        return before
    msg = (
        f"{name} was mirrored since its marks ({marks.GetName()}) were made, so that they "
        "cannot be laid onto its voxels: load the scan again, or delete the marks"
    )
    raise GeometryError(msg)


def _reversed_k(slices: int) -> npt.NDArray[np.float64]:
    turn = np.diag([-1.0, 1.0, 1.0, 1.0])
    turn[0, 3] = slices - 1
    return turn
