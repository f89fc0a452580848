"""The three slice views of Slicer: where they cut, how much they show, and back.

Red is axial, Green coronal, Yellow sagittal. A slice node's matrix goes from its own axes
(right, up, across; mm) to RAS; `hounsview.frames` says where the desktop's planes lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.frames import PlaneFrame, plane_frame
from hounsview.geometry import Geometry
from hounsview.mrml.application import array_of_matrix, matrix_of, slicer
from hounsview.mrml.volumes import geometry_of
from hounsview.planes import plane_axes, plane_onward
from hounsview.viewstate import PLANES, PlaneView, Slab, ViewState

Floats = npt.NDArray[np.float64]
VIEWS: Final = {"axial": "Red", "coronal": "Green", "sagittal": "Yellow"}
_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_SLICE: Final = "vtkMRMLSliceNode"
_COMPOSITE: Final = "vtkMRMLSliceCompositeNode"
_SELECTION: Final = "vtkMRMLSelectionNode"
# What Slicer's layouts call its views. A scene file brings its own views along, and Slicer
# takes over how they are labelled, coloured and turned.
_NAMES: Final = {"1": "View1"}
_LABELS: Final = {
    "Red": "R", "Green": "G", "Yellow": "Y", "1": "1", "TableView1": "T", "PlotView1": "P",
}  # fmt: skip
_COLORS: Final = {"Red": 0xF34A33, "Green": 0x6EB04B, "Yellow": 0xEDD54C}
_ORIENTATIONS: Final = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
# What vtkImageSlabReslice calls them.
_SLABS: Final = {"minip": 0, "mip": 1, "mean": 2}
_SLAB: Final = "hounsview.slab"
"""Attribute of a slice node: the thickness asked for, and that of the slices laid into one."""
_SAME_MM: Final = 1e-3
_ALIKE: Final = 1e-4
"""Largest difference of unit axes that are turned alike: 0.006 degrees."""
_LOCKED: Final = 1e-5
"""Cosine of the roll below which pitch and yaw cannot be told apart."""
_ZOOMS: Final = (0.05, 200.0)
_FLAT: Final = 0.05
"""Of the determinant of three unit normals: two slice views lie alike."""


def show_in_slices(volume_node: Any, scene: Any) -> None:
    """Put a volume into the three slice views that a scene opens with.

    For scenes made outside Slicer, whose views would be empty; inside it,
    `slicer.util.setSliceViewerLayers` does the same at once.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    """
    for layout in VIEWS.values():
        node_of_view(scene, _COMPOSITE, layout).SetBackgroundVolumeID(volume_node.GetID())
    selection = scene.GetFirstNodeByClass(_SELECTION)
    if selection is None:
        selection = scene.AddNewNodeByClass(_SELECTION)
    selection.SetActiveVolumeID(volume_node.GetID())


def node_of_view(scene: Any, kind: str, layout: str) -> Any:
    """Return the node of a class that belongs to a view, such as "Red"; made if need be."""
    # Slicer has these nodes once for each view and knows them by this tag.
    there = scene.GetSingletonNode(layout, kind)
    return _view_like_slicers(scene, kind, layout) if there is None else there


def _view_like_slicers(scene: Any, kind: str, layout: str) -> Any:
    """Return a new node of a view, as Slicer's layout logic makes it."""
    core = slicer()
    if kind == _SLICE:
        core.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    # Not the class itself: the scene may have defaults, such as these presets.
    made = scene.CreateNodeByClass(kind)
    made.UnRegister(None)  # Python holds it now.
    made.SetLayoutName(layout)
    made.SetSingletonTag(layout)
    if made.IsA("vtkMRMLAbstractViewNode"):
        made.SetName(_NAMES.get(layout, layout))
        made.SetLayoutLabel(_LABELS.get(layout, layout))
    if kind == _SLICE:
        made.SetLayoutColor(*(part / 255 for part in _COLORS[layout].to_bytes(3, "big")))
        made.SetDefaultOrientation(_ORIENTATIONS[layout])
        made.SetOrientation(_ORIENTATIONS[layout])
    return scene.AddNode(made)


def show_planes(state: ViewState, grid: Geometry, scene: Any) -> None:
    """Let the three slice views cut where the planes of a view do, in the same size.

    Parameters
    ----------
    state : ViewState
    grid : Geometry
        Of the volume, in the world.
    scene : vtkMRMLScene
    """
    for plane, layout in VIEWS.items():
        node = node_of_view(scene, _SLICE, layout)
        columns, rows, layers = node.GetDimensions()
        frame = plane_frame(grid, state, plane, (max(rows, 1), max(columns, 1)))
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack(_axes_ras(plane, state.oblique), axis=1)
        matrix[:3, 3] = _middle(frame) * _TO_RAS
        node.GetSliceToRAS().DeepCopy(matrix_of(matrix))
        scale = frame.mm_per_pixel
        node.SetFieldOfView(scale * columns, scale * rows, frame.step * max(layers, 1))
        node.SetXYZOrigin(0, 0, 0)
        _show_slab(node, state.slab, (2 * frame.reach + 1) * frame.step)
        node.SetSliceVisible(state.show_planes)
        node.UpdateMatrices()


def show_fitting(volume_node: Any, scene: Any) -> None:
    """Put a volume into the slice views, through its middle, as large as fits."""
    show_in_slices(volume_node, scene)
    show_planes(ViewState(), geometry_of(volume_node), scene)


def show_slices_in_3d(shown: bool, scene: Any) -> None:
    """Show the three slices in the 3D view, or hide them."""
    for layout in VIEWS.values():
        node_of_view(scene, _SLICE, layout).SetSliceVisible(shown)


def planes_of(grid: Geometry, scene: Any, base: ViewState) -> ViewState:
    """Return a view with the planes, the crosshair and the slab of Slicer's slice views.

    Where the three views are not turned together, as ours always are, the turn of `base`
    stays. The crosshair is where the three cut each other.

    Parameters
    ----------
    grid : Geometry
        Of the volume, in the world.
    scene : vtkMRMLScene
    base : ViewState
        What the slice views do not say; with the crosshair of the scene's crosshair node.
    """
    nodes = {plane: scene.GetSingletonNode(layout, _SLICE) for plane, layout in VIEWS.items()}
    if any(node is None for node in nodes.values()):
        return base
    matrices = {plane: array_of_matrix(node.GetSliceToRAS()) for plane, node in nodes.items()}
    state = replace(base, oblique=_oblique(matrices, base))
    state = replace(state, crosshair=_crossing(grid, matrices, state))
    views: Mapping[str, Any] = {
        plane: _plane_view(grid, state, plane, node) for plane, node in nodes.items()
    }
    shown = any(node.GetSliceVisible() for node in nodes.values())
    slab = _slab_of(nodes["axial"], state.slab)
    return replace(state, slab=slab, show_planes=shown, **views)


def _axes_ras(plane: str, oblique: tuple[float, float, float]) -> tuple[Floats, Floats, Floats]:
    """Return right, up and across of a plane, as Slicer has them: RAS unit vectors."""
    right, down = plane_axes(plane, oblique)
    return right * _TO_RAS, -down * _TO_RAS, plane_onward(plane, oblique) * _TO_RAS


def _show_slab(node: Any, slab: Slab, laid: float) -> None:
    """Show a slab; `laid` mm is how thick the slices are that ours lays into one."""
    node.SetSlabReconstructionEnabled(slab.thickness > 0)
    node.SetSlabReconstructionType(_SLABS[slab.kind])
    node.SetSlabReconstructionThickness(laid)
    node.SetAttribute(_SLAB, f"{slab.thickness!r} {laid!r}")


def _slab_of(node: Any, before: Slab) -> Slab:
    """Return the slab of a slice view; as thick as was asked for, unless it was changed."""
    kinds = {value: kind for kind, value in _SLABS.items()}
    kind = kinds.get(node.GetSlabReconstructionType(), before.kind)
    if not node.GetSlabReconstructionEnabled():
        return replace(before, thickness=0.0, kind=kind)
    thickness = node.GetSlabReconstructionThickness()
    try:
        asked, laid = (float(part) for part in (node.GetAttribute(_SLAB) or "").split())
    except ValueError:
        asked, laid = thickness, thickness
    if abs(laid - thickness) < _SAME_MM:
        thickness = asked
    return replace(before, thickness=min(max(thickness, 0.0), 500.0), kind=kind)


def _middle(frame: PlaneFrame) -> Floats:
    """Return (3,) LPS mm: the middle of a pane."""
    rows, columns = frame.size
    return frame.to_patient(((rows - 1) / 2, (columns - 1) / 2))


def _oblique(matrices: dict[str, Floats], base: ViewState) -> tuple[float, float, float]:
    """Return the turn that all three slice views have in common; that of `base` if none."""
    x, minus_y = (matrices["axial"][:3, n] * _TO_RAS for n in (0, 1))
    turn = np.stack([x, -minus_y, np.cross(x, -minus_y)], axis=1)
    for oblique in (base.oblique, _angles(turn)):
        wanted = {plane: np.stack(_axes_ras(plane, oblique)[:2], axis=1) for plane in PLANES}
        apart = [np.abs(wanted[p] - matrices[p][:3, :2]).max() for p in PLANES]
        if max(apart) < _ALIKE:
            return oblique
    return base.oblique


def _angles(turn: Floats) -> tuple[float, float, float]:
    """Return (pitch, roll, yaw), degrees, of a rotation about x, then y, then z."""
    roll = np.arcsin(np.clip(-turn[2, 0], -1, 1))
    if np.hypot(turn[0, 0], turn[1, 0]) < _LOCKED:
        # Pitch and yaw turn about one axis: all of it is told as yaw.
        yaw = np.arctan2(-turn[0, 1], turn[1, 1])
        return 0.0, float(np.degrees(roll)), float(np.degrees(yaw))
    pitch = np.arctan2(turn[2, 1], turn[2, 2])
    yaw = np.arctan2(turn[1, 0], turn[0, 0])
    return float(np.degrees(pitch)), float(np.degrees(roll)), float(np.degrees(yaw))


def _crossing(
    grid: Geometry, matrices: dict[str, Floats], state: ViewState
) -> tuple[float, float, float] | None:
    """Return where the three slices cut each other, LPS mm.

    The crosshair stays as it is where it lies on the slices that are shown.
    """
    normals = np.stack([matrices[plane][:3, 2] * _TO_RAS for plane in PLANES])
    places = np.stack([matrices[plane][:3, 3] * _TO_RAS for plane in PLANES])
    depths = (normals * places).sum(axis=1)
    shown = [_middle(plane_frame(grid, state, plane, (1, 1))) for plane in PLANES]
    beside = np.abs((normals * np.stack(shown)).sum(axis=1) - depths)
    if beside.max() < 1e-3 or abs(np.linalg.det(normals)) < _FLAT:
        return state.crosshair
    x, y, z = (np.linalg.solve(normals, depths) + 0.0).tolist()
    return x, y, z


def _plane_view(grid: Geometry, state: ViewState, plane: str, node: Any) -> PlaneView:
    """Return zoom and pan of a slice view, that of a whole volume being 1 and (0, 0)."""
    columns, rows, _ = node.GetDimensions()
    before = state.plane(plane)
    whole = state.changed(**{plane: PlaneView(extra=before.extra)})
    frame = plane_frame(grid, whole, plane, (max(rows, 1), max(columns, 1)))
    shift = np.asarray(node.GetXYZOrigin())
    matrix = array_of_matrix(node.GetSliceToRAS())
    middle = (matrix[:3, 3] + matrix[:3, :2] @ shift[:2]) * _TO_RAS
    apart = middle - _middle(frame)
    # Slicer fits a picture into its view: the narrower side of both says the scale.
    width, height, _ = node.GetFieldOfView()
    scale = max(width / max(columns, 1), height / max(rows, 1))
    zoom = float(np.clip(frame.mm_per_pixel / max(scale, 1e-9), *_ZOOMS))
    return replace(
        before, zoom=zoom, pan=(float(-apart @ frame.right), float(-apart @ frame.down))
    )
