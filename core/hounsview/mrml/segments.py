"""Tissues of `hounsview.masks` as a vtkMRMLSegmentationNode and a table, and back."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from hounsview.anatomy import COLORS, LABELS, TISSUES, Color
from hounsview.geometry import Geometry
from hounsview.masks import Tissues
from hounsview.mrml.codes import terminology
from hounsview.mrml.layers import Mask, add_layer, segment_ids, segment_mask, segmentation_node
from hounsview.mrml.tables import table_node
from hounsview.mrml.volumes import own_grid_of
from hounsview.tissues import tissue_numbers
from hounsview.volume import Volume

_BODY: Final = "body"
_SHARING: Final = (_BODY, "skin")
_FILL: Final = 0.4
_BODY_COLOR: Final[Color] = (0.85, 0.75, 0.66)


def tissue_segmentation(
    tissues: Tissues, volume_node: Any, scene: Any, *, name: str = "Tissues"
) -> Any:
    """Return a new vtkMRMLSegmentationNode with a segment for each mask.

    Segment ids are the names of `hounsview.masks.TISSUES`; each has its SNOMED CT codes as
    terminology and the colour of `hounsview.anatomy`. What could not be told, and why, is the
    node's description.

    Parameters
    ----------
    tissues : Tissues
        Of the volume of that node, as `hounsview.masks.segment` returns them.
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    name : str

    Raises
    ------
    TissueNotFoundError
        If there is no mask at all.
    ArgumentError, GeometryError
        If masks and node have other shapes, or the node no orthogonal grid.
    """
    geometry = own_grid_of(volume_node)
    labels, names = tissues.labels()
    node = segmentation_node(scene, name, volume_node)
    described = {label: _described(tissue) for label, tissue in names.items()}
    # These share voxels with others, so that each needs a label map of its own.
    for tissue in _SHARING:
        if tissue in tissues.masks:
            label = LABELS[tissue]
            alone = np.where(tissues.masks[tissue], np.uint8(label), np.uint8(0))
            add_layer(node, geometry, alone, {label: described.pop(label)})
            labels[labels == label] = 0
    if described:
        add_layer(node, geometry, labels, described)
    # Over the body's fill nothing of the picture below would be seen.
    node.GetDisplayNode().SetSegmentOpacity2DFill(_BODY, 0.0)
    node.GetDisplayNode().SetOpacity2DFill(_FILL)
    told = [f"{tissue}: {reason}" for tissue, reason in tissues.reasons.items()]
    node.SetDescription("\n".join([*told, *tissues.notes]))
    return node


def _described(tissue: str) -> tuple[str, str, Color, str]:
    label = tissue.replace("_", " ").capitalize()
    return tissue, label, COLORS.get(tissue, _BODY_COLOR), terminology(tissue)


def tissues_of(node: Any, geometry: Geometry) -> dict[str, Mask]:
    """Return the (k, j, i) masks of a segmentation's tissues by their names.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
        Segments whose id is no name of `hounsview.masks.TISSUES` are left out.
    geometry : Geometry
        Of the volume, in any of its 48 orientations.

    Raises
    ------
    GeometryError
        If a segment lies on another grid.
    """
    there = segment_ids(node)
    return {key: segment_mask(node, key, geometry) for key in TISSUES if key in there}


def tissue_table(
    volume: Volume, tissues: Tissues, scene: Any, *, name: str = "Tissue numbers"
) -> Any:
    """Return a new vtkMRMLTableNode: volume in ml and HU of each tissue, a row for each.

    What is not measured (PADDING, FILLED) is in no number; a number that cannot be had is NaN.

    Parameters
    ----------
    volume : Volume
    tissues : Tissues
        Of that volume.
    scene : vtkMRMLScene
    name : str

    Raises
    ------
    NotHounsfieldError
        If the volume does not hold HU.
    """
    held = [tissue for tissue in TISSUES if tissue in tissues.masks]
    numbers = [tissue_numbers(volume, tissues.masks[tissue]) for tissue in held]
    columns: dict[str, list[str] | list[float]] = {
        "tissue": held,
        "volume (ml)": [one.volume for one in numbers],
        "mean (HU)": [_number(one.mean) for one in numbers],
        "SD (HU)": [_number(one.deviation) for one in numbers],
    }
    for percent in (5, 50, 95):
        columns[f"P{percent} (HU)"] = [_number(n.percentiles.get(percent)) for n in numbers]
    columns["voxels"] = [float(one.used) for one in numbers]
    columns["left out (%)"] = [100 * one.left_out for one in numbers]
    return table_node(scene, name, columns)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
