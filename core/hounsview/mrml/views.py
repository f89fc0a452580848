"""A view in Slicer: window, crosshair, measurements, volume rendering, crop; and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.mrml.application import slicer, vtk_module
from hounsview.mrml.markups import markups_node, measurements_of
from hounsview.mrml.volumes import own_grid_of, set_window, window_of
from hounsview.presets import RenderingPreset, fill_curves, fill_looks
from hounsview.viewstate import CropBox, ViewState
from hounsview.viewstate.looks import preset_of

_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_CROSSHAIR: Final = "vtkMRMLCrosshairNode"
_SELECTION: Final = "vtkMRMLSelectionNode"
_COMPOSITE: Final = "vtkMRMLSliceCompositeNode"
_SLICE_VIEWS: Final = ("Red", "Yellow", "Green")
_RENDERING: Final = "vtkMRMLVolumeRenderingDisplayNode"
CPU_RENDERING: Final = "vtkMRMLCPURayCastVolumeRenderingDisplayNode"


@dataclass(frozen=True)
class ShownView:
    """The nodes that show a view; None where the view has no such part.

    Parameters
    ----------
    crosshair : vtkMRMLCrosshairNode
    rendering : vtkMRMLVolumeRenderingDisplayNode
    transfer : vtkMRMLVolumePropertyNode
    markups : tuple of vtkMRMLMarkupsNode
        One for each measurement.
    crop : vtkMRMLMarkupsROINode or None
    """

    crosshair: Any
    rendering: Any
    transfer: Any
    markups: tuple[Any, ...]
    crop: Any


def show_view(
    state: ViewState, volume_node: Any, scene: Any, *, rendering_class: str = CPU_RENDERING
) -> ShownView:
    """Show a view of a volume node and return the nodes that do so.

    Camera, and whether rays are composited or projected, belong to Slicer's 3D views: both
    are left as they are.

    Parameters
    ----------
    state : ViewState
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    rendering_class : str
        Of the volume rendering's display node; inside Slicer
        "vtkMRMLGPURayCastVolumeRenderingDisplayNode" is the fast one.

    Raises
    ------
    ArgumentError, GeometryError
        If slicer-core is not there, or the node holds no voxels or no orthogonal grid.
    """
    grid = own_grid_of(volume_node)
    set_window(volume_node, state.window)
    crosshair = _crosshair_in(scene)
    point = grid.centre if state.crosshair is None else np.asarray(state.crosshair)
    crosshair.SetCrosshairRAS(*(point * _TO_RAS).tolist())
    transfer = transfer_node(preset_of(state), scene, mean_edge=float(np.mean(grid.spacing)))
    rendering = scene.AddNewNodeByClass(rendering_class, "Volume rendering")
    rendering.SetFollowVolumeDisplayNode(0)
    rendering.SetAndObserveVolumePropertyNodeID(transfer.GetID())
    volume_node.AddAndObserveDisplayNodeID(rendering.GetID())
    rendering.SetVisibility(state.show_volume)
    crop = None if state.crop is None else crop_node(state.crop, scene)
    if crop is not None:
        rendering.SetAndObserveROINodeID(crop.GetID())
    rendering.SetCroppingEnabled(crop is not None)
    markups = tuple(markups_node(one, scene) for one in state.measurements)
    return ShownView(crosshair, rendering, transfer, markups, crop)


def view_of(volume_node: Any, scene: Any, *, base: ViewState | None = None) -> ViewState:
    """Return the view that a scene shows of a volume node.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    base : ViewState, optional
        What the scene does not say: rendering preset, planes, camera, surfaces. The default
        view when left out.
    """
    state = ViewState() if base is None else base
    window = window_of(volume_node)
    crosshair = scene.GetFirstNodeByClass(_CROSSHAIR)
    if crosshair is not None:
        place = (np.asarray(crosshair.GetCrosshairRAS()) * _TO_RAS + 0.0).tolist()
        state = replace(state, crosshair=tuple(place))
    markups = (
        scene.GetNthNodeByClass(n, "vtkMRMLMarkupsNode")
        for n in range(scene.GetNumberOfNodesByClass("vtkMRMLMarkupsNode"))
    )
    return replace(
        state,
        window=window or state.window,
        measurements=tuple(one for node in markups for one in measurements_of(node)),
        crop=_crop_of(volume_node),
    )


def show_in_slices(volume_node: Any, scene: Any) -> None:
    """Put a volume into the three slice views that a scene opens with.

    For scenes made outside Slicer, whose views would be empty; inside it,
    `slicer.util.setSliceViewerLayers` does the same at once.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    """
    core = slicer()
    for layout in _SLICE_VIEWS:
        # Slicer has these nodes once for each view and knows them by this tag.
        there = scene.GetSingletonNode(layout, _COMPOSITE)
        if there is None:
            there = getattr(core, _COMPOSITE)()
            there.SetName(layout)
            there.SetLayoutName(layout)
            there.SetSingletonTag(layout)
            there = scene.AddNode(there)
        there.SetBackgroundVolumeID(volume_node.GetID())
    selection = scene.GetFirstNodeByClass(_SELECTION)
    if selection is None:
        selection = scene.AddNewNodeByClass(_SELECTION)
    selection.SetActiveVolumeID(volume_node.GetID())


def transfer_node(
    preset: RenderingPreset, scene: Any, *, mean_edge: float, name: str = ""
) -> Any:
    """Return a new vtkMRMLVolumePropertyNode with the transfer functions and light of a preset.

    Parameters
    ----------
    preset : RenderingPreset
    scene : vtkMRMLScene
    mean_edge : float, mm
        Mean voxel edge: VTK takes gradients for each voxel, the preset says them for each mm.
    name : str
        The preset's label when left out.
    """
    slicer()
    model, drawing = vtk_module("vtkCommonDataModel"), vtk_module("vtkRenderingCore")
    node = scene.AddNewNodeByClass("vtkMRMLVolumePropertyNode", name or preset.label)
    color, opacity = drawing.vtkColorTransferFunction(), model.vtkPiecewiseFunction()
    gradient = model.vtkPiecewiseFunction()
    fill_curves(preset, mean_edge, color=color, opacity=opacity, gradient=gradient)
    if not preset.gradient_opacity:
        gradient.AddPoint(0.0, 1.0)
        gradient.AddPoint(mean_edge, 1.0)
    node.SetColor(color)
    node.SetScalarOpacity(opacity)
    node.SetGradientOpacity(gradient)
    fill_looks(preset, node.GetVolumeProperty())
    return node


def crop_node(crop: CropBox, scene: Any, *, name: str = "Crop") -> Any:
    """Return a new vtkMRMLMarkupsROINode of a crop box."""
    slicer()
    low, high = np.asarray(crop.low), np.asarray(crop.high)
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
    node.CreateDefaultDisplayNodes()
    node.SetSize(*(high - low).tolist())
    node.SetCenter(((low + high) / 2 * _TO_RAS).tolist())
    return node


def _crosshair_in(scene: Any) -> Any:
    slicer()
    there = scene.GetFirstNodeByClass(_CROSSHAIR)
    return scene.AddNewNodeByClass(_CROSSHAIR, "Crosshair") if there is None else there


def _crop_of(volume_node: Any) -> CropBox | None:
    """Return the box that the volume rendering is cropped to; its bounds where it is turned."""
    for n in range(volume_node.GetNumberOfDisplayNodes()):
        display = volume_node.GetNthDisplayNode(n)
        if display.IsA(_RENDERING) and display.GetCroppingEnabled():
            roi = display.GetROINode()
            if roi is not None:
                bounds = [0.0] * 6
                roi.GetRASBounds(bounds)
                return _box(np.reshape(bounds, (3, 2)) * _TO_RAS[:, None])
    return None


def _box(ends: npt.NDArray[np.float64]) -> CropBox | None:
    """Return the box between two ends of each axis, (3, 2) LPS mm; None if it is flat."""
    low, high = ends.min(axis=1) + 0.0, ends.max(axis=1) + 0.0
    if not (low < high).all():
        return None
    (a, b, c), (d, e, f) = low.tolist(), high.tolist()
    return CropBox(low=(a, b, c), high=(d, e, f))
