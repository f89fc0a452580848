"""Segments of a vtkMRMLSegmentationNode as masks, in both directions.

Segments that share no voxel share one label map, as Slicer itself keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.anatomy import Color
from hounsview.errors import ArgumentError, GeometryError
from hounsview.geometry import Geometry
from hounsview.mrml.application import array_of_matrix, matrix_of, slicer
from hounsview.mrml.images import array_of_image, fill_image, start_of_image

Mask = npt.NDArray[np.bool_]
LABELMAP: Final = "Binary labelmap"
"""What Slicer calls the representation of a segment by voxels."""
_OFF_GRID: Final = 1e-3
"""Of a voxel that a segment's grid may lie beside the volume's."""


def segmentation_node(scene: Any, name: str, volume_node: Any) -> Any:
    """Return a new empty vtkMRMLSegmentationNode on a volume node's grid, moved with it."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    return node


def add_layer(
    node: Any,
    geometry: Geometry,
    labels: npt.NDArray[np.uint8],
    segments: Mapping[int, tuple[str, str, Color, str]],
) -> None:
    """Add segments that share one label map.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    geometry : Geometry
        Of the volume.
    labels : (k, j, i) uint8
        On that grid; 0 is nothing. Only the part that holds something is kept.
    segments : mapping of label to (id, name, colour, terminology)
        Colour 0 to 1; terminology as `codes.terminology` gives it, or empty.

    Raises
    ------
    ArgumentError
        If labels and grid have other shapes.
    """
    if labels.shape != geometry.shape:
        msg = f"labels of shape {labels.shape} do not fit a volume of shape {geometry.shape}"
        raise ArgumentError(msg)
    core = slicer()
    box = _box(labels)
    start = (box[0].start, box[1].start, box[2].start)
    image = fill_image(core.vtkOrientedImageData(), labels[box], start)
    image.SetImageToWorldMatrix(matrix_of(geometry.to_ras()))
    for label, (key, name, color, terminology) in segments.items():
        segment = core.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*color)
        segment.SetLabelValue(label)
        if terminology:
            segment.SetTag(segment.GetTerminologyEntryTagName(), terminology)
        segment.AddRepresentation(LABELMAP, image)
        node.GetSegmentation().AddSegment(segment, key)


def segment_ids(node: Any) -> list[str]:
    """Return the ids of the segments of a vtkMRMLSegmentationNode, in order."""
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]


def segment_mask(node: Any, key: str, geometry: Geometry) -> Mask:
    """Return the (k, j, i) mask of a segment on the grid of a volume.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    key : str
        Id of the segment.
    geometry : Geometry
        Of the volume; voxels of the segment outside it are left out.

    Raises
    ------
    ArgumentError
        If there is no such segment, or it is no label map.
    GeometryError
        If the segment lies on another grid.
    """
    segment = node.GetSegmentation().GetSegment(key)
    image = None if segment is None else segment.GetRepresentation(LABELMAP)
    if image is None:
        msg = f"{node.GetName()} has no segment {key!r} with a binary label map"
        raise ArgumentError(msg)
    mask = np.zeros(geometry.shape, bool)
    if image.IsEmpty():
        return mask
    labels = array_of_image(image, segment.GetName())
    matrix = matrix_of(np.eye(4))
    image.GetImageToWorldMatrix(matrix)
    on_grid, start = _onto(geometry, array_of_matrix(matrix), image, labels, key)
    here, there = _common(start, on_grid.shape, geometry.shape)
    mask[there] = on_grid[here] == segment.GetLabelValue()
    return mask


def _onto(
    geometry: Geometry,
    to_ras: npt.NDArray[np.float64],
    image: Any,
    labels: npt.NDArray[Any],
    key: str,
) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    """Return labels along the volume's axes, and the volume's index of the first of them.

    The axes of both may differ in order and direction: Slicer reverses k of a left-handed
    volume when it reads it from a file, and not that of its segments.
    """
    turn = np.linalg.inv(geometry.to_ras()) @ to_ras
    shift = np.eye(4)
    shift[:3, 3] = start_of_image(image)[::-1]
    # From (i, j, k) to (k, j, i), on both sides.
    turn = (turn @ shift)[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    whole = np.rint(turn)
    # How far any voxel of the segment can lie beside one of the volume, in voxels.
    beside = np.abs(turn - whole)[:3] @ [*labels.shape, 1.0]
    steps = np.abs(whole[:3, :3])
    same_steps = (steps.sum(axis=0) == 1).all() and (steps.sum(axis=1) == 1).all()
    if not same_steps or beside.max() > _OFF_GRID:
        msg = f"the segment {key!r} lies on another grid than the volume {geometry!r}"
        raise GeometryError(msg)
    order = [int(np.argmax(steps[row])) for row in range(3)]
    signs = [int(whole[row, order[row]]) for row in range(3)]
    turned = labels.transpose(order)
    first = [
        int(whole[row, 3]) - (turned.shape[row] - 1 if signs[row] < 0 else 0)
        for row in range(3)
    ]
    return turned[tuple(slice(None, None, sign) for sign in signs)], (
        first[0],
        first[1],
        first[2],
    )


def _common(
    start: Sequence[int], shape: Sequence[int], whole: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the part that two grids share: as slices of the first and of the second."""
    low = [max(0, first) for first in start]
    high = [
        max(a, min(first + size, end))
        for a, first, size, end in zip(low, start, shape, whole, strict=True)
    ]
    there = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    here = tuple(slice(a - n, b - n) for a, b, n in zip(low, high, start, strict=True))
    return here, there


def _box(labels: npt.NDArray[np.uint8]) -> tuple[slice, slice, slice]:
    """Return the smallest box with all that is not 0; one voxel where there is nothing."""
    ends = []
    for axis in range(3):
        held = np.flatnonzero(labels.any(axis=tuple(n for n in range(3) if n != axis)))
        ends.append(slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, 1))
    return ends[0], ends[1], ends[2]
