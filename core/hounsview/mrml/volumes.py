"""A Volume as a vtkMRMLScalarVolumeNode, and back.

Slicer keeps the place of the voxels in IJKToRAS and none of it in the image; RAS is LPS with
x and y negated. Units, findings and what was never measured go with the node, so that a scene
says as much as the volume did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError, GeometryError
from hounsview.findings import Finding, Report
from hounsview.geometry import Geometry
from hounsview.images.sidecar import UNKNOWN, report_without_folders
from hounsview.mrml.application import array_of_matrix, matrix_of, slicer, vtk_module
from hounsview.mrml.companions import attach
from hounsview.mrml.images import array_of_image, fill_image, start_of_image
from hounsview.mrml.marks import add_marks, marks_of
from hounsview.mrml.tables import table_node
from hounsview.viewstate.state import parsed_json
from hounsview.volume import Volume
from hounsview.windows import Window, window_presets

FINDINGS: Final = "hounsview.findings"
"""Role of the node reference to the text with unit, attributes and report (JSON)."""
FINDINGS_TABLE: Final = "hounsview.findings.table"
"""Role of the node reference to the same findings as a table for people."""
_QUANTITY: Final = ("112031", "DCM", "Attenuation Coefficient")
_HU: Final = ("[hnsf'U]", "UCUM", "Hounsfield unit")
_LARGEST_EXACT: Final = 2**24


def volume_node(
    volume: Volume, scene: Any, *, name: str = "CT", window: Window | None = None
) -> Any:
    """Return a new vtkMRMLScalarVolumeNode with the voxels of a volume at their place.

    Its display node shows the window and does not choose one of its own. With it come, by
    node references, the findings as text (JSON) and as a table, and, where a volume has
    voxels that are not plain measured ones, a segmentation with a segment of each kind, such
    as "Outside FOV".

    Parameters
    ----------
    volume : Volume
        Values are copied.
    scene : vtkMRMLScene
        `slicer.mrmlScene` inside Slicer, `new_scene` outside.
    name : str
    window : Window, optional
        The soft tissue window when left out.

    Raises
    ------
    ArgumentError
        If slicer-core is not there.
    GeometryError
        If the axes do not stand at right angles, which Slicer draws wrongly.
    """
    _require_orthogonal(volume.geometry, name)
    slicer()
    image = vtk_module("vtkCommonDataModel").vtkImageData()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(matrix_of(volume.geometry.to_ras()))
    # Before the voxels: with them, Slicer would first look for a window of its own, a second.
    set_window(node, window or window_presets()["soft tissue"])
    node.SetAndObserveImageData(fill_image(image, volume.hu, (0, 0, 0)))
    if volume.unit == "HU":
        say_hu(node)
    _add_findings(node, volume, scene, name)
    add_marks(node, volume, scene, f"{name} marks")
    return node


def slice_display_of(node: Any) -> Any:
    """Return what says how slices of a volume node look; None without, never a rendering's."""
    displays = (node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes()))
    kind = "vtkMRMLScalarVolumeDisplayNode"
    return next((each for each in displays if each is not None and each.IsA(kind)), None)


def say_hu(node: Any) -> None:
    """Let a volume node say that its values are Hounsfield units, as Slicer codes it."""
    core = slicer()
    node.SetVoxelValueQuantity(_coded(core, _QUANTITY))
    node.SetVoxelValueUnits(_coded(core, _HU))


def set_window(node: Any, window: Window) -> None:
    """Show a volume node with a window; automatic windows are switched off."""
    if slice_display_of(node) is None:
        node.CreateDefaultDisplayNodes()
    display = slice_display_of(node)
    display.SetAutoWindowLevel(0)
    display.SetWindowLevel(window.width, window.center)


def window_of(node: Any) -> Window | None:
    """Return the window that a volume node is shown with; None where Slicer chooses it.

    None too where it is no window: Slicer's may be 0 wide, or turned round.
    """
    display = slice_display_of(node)
    if display is None or display.GetAutoWindowLevel():
        return None
    width = display.GetWindow()
    if not width > 0:
        return None
    return Window(display.GetLevel(), width, "LINEAR" if width >= 1 else "LINEAR_EXACT")


def volume_of(node: Any, *, unit: str | None = None) -> Volume:
    """Return the Volume of a vtkMRMLScalarVolumeNode, ours or one that Slicer loaded.

    A linear transform above the node is applied to the geometry. Values are copied.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    unit : str, optional
        Of the values, where the node does not say it; "unknown" when neither does.

    Returns
    -------
    Volume
        int16 where the values are integers that fit, else float32.

    Raises
    ------
    ArgumentError
        If the node holds no voxels, several numbers in each, integers that float32 cannot
        hold, or says another unit.
    GeometryError
        If the voxels are no regular grid with axes at right angles, or a transform above
        the node bends it.
    """
    values = array_of_image(node.GetImageData(), node.GetName())
    geometry = geometry_of(node)
    told, report, attributes = _told_of(node)
    if told is None:
        report = report.adding([_unit_finding(node, unit)])
    elif unit not in (None, told):
        raise ArgumentError(_other_unit(node, told, unit))
    return Volume(
        _as_stored(values, node.GetName()),
        geometry,
        valid=marks_of(node, own_grid_of(node)),
        report=report,
        unit=told or unit or UNKNOWN,
        attributes=attributes,
    )


def geometry_of(node: Any) -> Geometry:
    """Return the grid of a vtkMRMLScalarVolumeNode, transforms above it included.

    Raises
    ------
    ArgumentError
        If the node holds no voxels.
    GeometryError
        If the axes do not stand at right angles, or a transform above the node is not linear.
    """
    grid = own_grid_of(node)
    geometry = Geometry.from_ras(grid.shape, _transform_above(node) @ grid.to_ras())
    _require_orthogonal(geometry, node.GetName())
    return geometry


def own_grid_of(node: Any) -> Geometry:
    """Return the grid of a vtkMRMLScalarVolumeNode as if no transform were above it.

    Raises
    ------
    ArgumentError
        If the node holds no voxels.
    GeometryError
        If the axes do not stand at right angles.
    """
    image = node.GetImageData()
    shape = array_of_image(image, node.GetName()).shape
    matrix = matrix_of(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    shift = np.eye(4)
    shift[:3, 3] = start_of_image(image)[::-1]
    grid = Geometry.from_ras(shape, array_of_matrix(matrix) @ shift)
    _require_orthogonal(grid, node.GetName())
    return grid


def _transform_above(node: Any) -> npt.NDArray[np.float64]:
    above = node.GetParentTransformNode()
    if above is None:
        return np.eye(4)
    if not above.IsTransformToWorldLinear():
        msg = (
            f"{node.GetName()} lies under the transform {above.GetName()}, which bends it: "
            "it is no regular grid. Harden the transform on a resampled volume first"
        )
        raise GeometryError(msg)
    matrix = matrix_of(np.eye(4))
    above.GetMatrixTransformToWorld(matrix)
    return array_of_matrix(matrix)


def _require_orthogonal(geometry: Geometry, name: str) -> None:
    if not geometry.is_orthogonal:
        k, j, i = geometry.direction.T
        turned = [
            np.degrees(np.arccos(np.clip(a @ b, -1, 1))) for a, b in ((k, j), (k, i), (j, i))
        ]
        msg = (
            f"the axes of {name} stand at {turned[0]:.2f}, {turned[1]:.2f} and {turned[2]:.2f} "
            "degrees (kj, ki, ji), not at right angles: resample it onto an orthogonal grid"
        )
        raise GeometryError(msg)


def _as_stored(values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return a copy as int16 where integers fit, else as float32."""
    if values.dtype.kind not in "iu":
        return values.astype(np.float32)
    low, high = int(values.min()), int(values.max())
    limits = np.iinfo(np.int16)
    if limits.min <= low and high <= limits.max:
        return values.astype(np.int16)
    if max(-low, high) > _LARGEST_EXACT:
        msg = f"{name} holds {low} to {high}, more than a CT volume holds (float32) exactly"
        raise ArgumentError(msg)
    return values.astype(np.float32)


def _coded(core: Any, parts: tuple[str, str, str]) -> Any:
    entry = core.vtkCodedEntry()
    entry.SetValueSchemeMeaning(*parts)
    return entry


def _add_findings(node: Any, volume: Volume, scene: Any, name: str) -> None:
    report = report_without_folders(volume)
    plain = {
        "unit": volume.unit,
        "attributes": dict(volume.attributes),
        **report.to_dict(),
    }
    text = scene.AddNewNodeByClass("vtkMRMLTextNode", f"{name} findings (JSON)")
    text.SetText(json.dumps(plain, indent=2, ensure_ascii=False))
    attach(node, FINDINGS, text, aid=True)
    columns: Mapping[str, list[str]] = {
        "severity": [str(f.severity) for f in report.findings],
        "code": [f.code for f in report.findings],
        "message": [f.message for f in report.findings],
        "action": [f.action for f in report.findings],
        "files": [", ".join(file.name for file in f.files) for f in report.findings],
    }
    table = table_node(scene, f"{name} findings", columns)
    attach(node, FINDINGS_TABLE, table, aid=True)


def unit_of(node: Any) -> str | None:
    """Return "HU", or the code of another unit, or None where a volume node says none."""
    units = node.GetVoxelValueUnits()
    code = "" if units is None else units.GetCodeValue()
    if not code:
        return None
    return "HU" if code == _HU[0] else str(code)


def _told_of(node: Any) -> tuple[str | None, Report, dict[str, str]]:
    """Return what the node says of itself: unit, report, attributes."""
    told = unit_of(node)
    text = node.GetNodeReference(FINDINGS)
    if text is None:
        msg = f"the node {node.GetName()} tells nothing of how its values were made"
        return told, Report((Finding("IMPORTED", msg),)), {}
    try:
        plain = parsed_json(text.GetText() or "", "the findings of a volume node")
        report = Report.from_dict(plain)
        attributes = {str(k): str(v) for k, v in dict(plain.get("attributes", {})).items()}
        own_unit = plain.get("unit")
    except (ValueError, TypeError) as error:
        msg = f"the findings that came with {node.GetName()} cannot be read: {error}"
        return told, Report((Finding("FINDINGS_DROPPED", msg),)), {}
    if told is None and isinstance(own_unit, str) and own_unit != "HU":
        told = own_unit
    return told, report, attributes


def _other_unit(node: Any, told: str, unit: str | None) -> str:
    return (
        f"{node.GetName()} says that its values are {told!r}, and unit={unit!r} was asked "
        "for: leave the unit out, or convert the values"
    )


def _unit_finding(node: Any, unit: str | None) -> Finding:
    if unit is None:
        return Finding(
            "UNIT_UNKNOWN",
            f"the node {node.GetName()} does not say what unit its values have",
            action="Say unit='HU' if you know that these are Hounsfield units",
        )
    return Finding("UNIT_GIVEN", f"the caller said that the values are in {unit!r}")
