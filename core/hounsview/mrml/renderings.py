"""Volume rendering in Slicer: our presets, the crop box, what is inside the body; and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from hounsview.errors import HounsviewError, TissueNotFoundError
from hounsview.mrml.application import matrix_of, slicer, vtk_module
from hounsview.mrml.companions import attach, own_companion, remove
from hounsview.mrml.images import fill_image
from hounsview.mrml.space import VIEW, draw_rays
from hounsview.mrml.stamps import voxels_stamp
from hounsview.mrml.volumes import geometry_of, own_grid_of, volume_of
from hounsview.presets import RenderingPreset, fill_curves, fill_looks, rendering_presets
from hounsview.viewstate import CropBox, Transfer, ViewState
from hounsview.viewstate.looks import lowest_shown, outside_body, preset_of
from hounsview.viewstate.plaindata import from_plain, to_plain
from hounsview.viewstate.state import parsed_json

Floats = npt.NDArray[np.float64]
CPU_RENDERING: Final = "vtkMRMLCPURayCastVolumeRenderingDisplayNode"
GPU_RENDERING: Final = "vtkMRMLGPURayCastVolumeRenderingDisplayNode"
_RENDERING: Final = "vtkMRMLVolumeRenderingDisplayNode"
_INSIDE: Final = "hounsview.inside"
"""Role of a volume node's copy in which all outside the body is one value."""
_FOLLOWED: Final = "hounsview.followed"
"""Attribute of a volume node whose copy goes where it goes: in which run of the program."""
_HERE: Final = uuid4().hex
_CROP: Final = "hounsview.crop"
_PRESET: Final = "hounsview.preset"
"""Attribute of a volume property node: name and changes of the preset that it was made of."""
_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_SAME: Final = 1e-3
_APART_HU: Final = 1e-3
Tell = Callable[[str], object]


def show_rendering(
    state: ViewState, volume_node: Any, scene: Any, rendering_class: str, tell: Tell
) -> tuple[Any, Any, Any]:
    """Show the volume rendering of a view; what was shown of this volume before is replaced.

    Presets that show air, and views without a table, are drawn of a hidden copy of the volume
    in which all outside the body is one value, as on the desktop.

    Parameters
    ----------
    state : ViewState
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    rendering_class : str
        Of the display node.
    tell : callable
        Takes a sentence about what cannot be shown.

    Returns
    -------
    display : vtkMRMLVolumeRenderingDisplayNode
    transfer : vtkMRMLVolumePropertyNode
    crop : vtkMRMLMarkupsROINode or None
    """
    slicer()
    drawn = _drawn(state, volume_node, scene, tell)
    display = _display_in(drawn, volume_node, scene, rendering_class)
    transfer = display.GetVolumePropertyNode()
    mean_edge = float(np.mean(geometry_of(volume_node).spacing))
    if transfer is None or transfer.GetAttribute(_PRESET) is None:
        transfer = transfer_node(preset_of(state), scene, mean_edge=mean_edge)
        display.SetAndObserveVolumePropertyNodeID(transfer.GetID())
    else:
        _fill(transfer, preset_of(state), mean_edge)
        transfer.SetName(preset_of(state).label)
    plain = {"rendering": state.rendering, "transfer": to_plain(state.transfer)}
    transfer.SetAttribute(_PRESET, json.dumps(plain))
    crop = _show_crop(state.crop, volume_node, scene, display)
    if crop is not None:
        display.SetAndObserveROINodeID(crop.GetID())
    display.SetCroppingEnabled(crop is not None)
    display.SetVisibility(state.show_volume)
    if state.show_volume:
        draw_rays(preset_of(state).kind, scene)
    return display, transfer, crop


def has_rendering(volume_node: Any) -> bool:
    """Return whether a volume rendering of a volume node was ever made, seen or hidden."""
    return bool(_displays(volume_node))


def rendering_of(volume_node: Any, scene: Any, base: ViewState) -> ViewState:
    """Return a view with the volume rendering and the crop box that a scene shows.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    base : ViewState
        What the scene does not say; all of it where no rendering was ever shown.
    """
    displays = _displays(volume_node)
    if not displays:
        return replace(base, crop=None)
    display = displays[0]
    state = replace(base, show_volume=bool(display.GetVisibility()), crop=_crop_of(display))
    transfer = display.GetVolumePropertyNode()
    if transfer is not None:
        state = _with_transfer(state, transfer)
    view = scene.GetFirstNodeByClass(VIEW)
    if view is None or not state.show_volume:
        return state
    kinds = {view.MaximumIntensityProjection: "mip", view.MinimumIntensityProjection: "minip"}
    kind = kinds.get(view.GetRaycastTechnique(), "composite")
    if kind == preset_of(state).kind:
        return state
    # A person chose another technique in Slicer: the first preset that is drawn like this.
    named = next(one.name for one in rendering_presets().values() if one.kind == kind)
    return replace(state, rendering=named, transfer=Transfer())


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
    node = scene.AddNewNodeByClass("vtkMRMLVolumePropertyNode", name or preset.label)
    _fill(node, preset, mean_edge)
    return node


def crop_node(crop: CropBox, scene: Any, *, name: str = "Crop") -> Any:
    """Return a new vtkMRMLMarkupsROINode of a crop box."""
    slicer()
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
    node.CreateDefaultDisplayNodes()
    # Filled, it would tint every slice.
    node.GetDisplayNode().SetFillVisibility(False)
    _place(node, crop)
    return node


def _fill(node: Any, preset: RenderingPreset, mean_edge: float) -> None:
    model, drawing = vtk_module("vtkCommonDataModel"), vtk_module("vtkRenderingCore")
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


def _displays(volume_node: Any) -> list[Any]:
    """Return the rendering's display nodes of a volume and its copy; those seen come first."""
    found = []
    for node in (own_companion(volume_node, _INSIDE), volume_node):
        for n in range(0 if node is None else node.GetNumberOfDisplayNodes()):
            display = node.GetNthDisplayNode(n)
            if display is not None and display.IsA(_RENDERING):
                found.append(display)
    return sorted(found, key=lambda display: not display.GetVisibility())


def _display_in(drawn: Any, volume_node: Any, scene: Any, rendering_class: str) -> Any:
    """Return the one display node that draws a volume, or its copy, by a method."""
    before = _displays(volume_node)
    wanted = [
        display
        for display in before
        if display.GetClassName() == rendering_class and display.GetVolumeNode() is drawn
    ]
    display = wanted[0] if wanted else None
    if display is None:
        display = scene.AddNewNodeByClass(rendering_class, "Volume rendering")
        display.SetFollowVolumeDisplayNode(0)
        for last in before[:1]:
            display.SetAndObserveVolumePropertyNodeID(last.GetVolumePropertyNodeID())
            display.SetAndObserveROINodeID(last.GetROINodeID())
            display.SetCroppingEnabled(last.GetCroppingEnabled())
        drawn.AddAndObserveDisplayNodeID(display.GetID())
    for other in before:
        if other is not display:
            scene.RemoveNode(other)
    return display


def _drawn(state: ViewState, volume_node: Any, scene: Any, tell: Tell) -> Any:
    """Return the node that is drawn: the volume's, or a copy with one value outside."""
    outside, margin = outside_body(
        preset_of(state), lowest_shown(state), table=state.show_table
    )
    if outside is None:
        return volume_node
    spacing = " x ".join(f"{mm:.6g}" for mm in own_grid_of(volume_node).spacing)
    stamp = f"of {voxels_stamp(volume_node)}, {spacing} mm"
    key = f"{outside:g} HU outside {margin:g} mm, {stamp}"
    held = own_companion(volume_node, _INSIDE)
    if held is not None and held.GetDescription() == key:
        _lay_over(held, volume_node)
        _follow(volume_node)  # a scene that was read does not do so yet
        return held
    try:
        values = _emptied(volume_node, outside, margin)
    except HounsviewError as error:
        tell(f"the air around the body could not be left out: {error}")
        return volume_node
    made = _copy_with(volume_node, values, scene)
    made.SetDescription(key)
    attach(volume_node, _INSIDE, made, aid=True)
    return made


def _emptied(volume_node: Any, outside: float, margin: float) -> npt.NDArray[Any]:
    """Return (k, j, i) values, all outside the body (grown by `margin` mm) at one HU."""
    if find_spec("cv2") is None:
        msg = "finding the body needs OpenCV"
        raise TissueNotFoundError(msg)
    from hounsview import masks
    from hounsview.masks.morphology import dilated, eroded

    volume = volume_of(volume_node)
    body = masks.body(volume).view(np.uint8)
    change = dilated if margin > 0 else eroded
    inside = change(body, abs(margin), volume.geometry.spacing)
    return np.where(inside > 0, volume.hu, volume.hu.dtype.type(outside))


def _copy_with(volume_node: Any, values: npt.NDArray[Any], scene: Any) -> Any:
    """Return a hidden volume node in the place of another, with other values."""
    image = vtk_module("vtkCommonDataModel").vtkImageData()
    name = f"{volume_node.GetName()} inside the body"
    made = slicer().vtkMRMLScalarVolumeNode()
    made.SetName(name)
    # Before it comes into the scene: Slicer lists a node in its tree at that moment.
    made.SetHideFromEditors(True)
    scene.AddNode(made)
    made.SetAndObserveImageData(fill_image(image, values, (0, 0, 0)))
    _lay_over(made, volume_node)
    _follow(volume_node)
    return made


def _lay_over(made: Any, volume_node: Any) -> None:
    """Put the copy of a volume node where the node is now."""
    made.SetIJKToRASMatrix(matrix_of(own_grid_of(volume_node).to_ras()))
    made.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())


def _follow(volume_node: Any) -> None:
    """Let the copy of a volume node go along when the node gets another place."""

    def moved(node: Any, _: object) -> None:
        held = own_companion(node, _INSIDE)
        if held is not None and node.GetImageData() is not None:
            with suppress(HounsviewError):  # no grid that could be drawn
                _lay_over(held, node)

    mark = f"{_HERE} {volume_node.GetID()}"  # a copy of the node has the attribute, not this
    if volume_node.GetAttribute(_FOLLOWED) != mark:
        volume_node.SetAttribute(_FOLLOWED, mark)
        volume_node.AddObserver(volume_node.TransformModifiedEvent, moved)
        volume_node.AddObserver("ModifiedEvent", moved)


def _show_crop(crop: CropBox | None, volume_node: Any, scene: Any, display: Any) -> Any:
    """Return the ROI node of a volume with a box; None, and no ROI node, without a box.

    One that shows this box already stays as it is: a person may have turned it, or made it.
    """
    if crop is not None and _crop_of(display) == crop:
        return display.GetROINode()
    held = own_companion(volume_node, _CROP)
    if crop is None:
        if held is not None:
            remove(held)
        return None
    if held is None:
        held = crop_node(crop, scene)
        attach(volume_node, _CROP, held, aid=True)
    else:
        _place(held, crop)
    return held


def _place(node: Any, crop: CropBox) -> None:
    low, high = np.asarray(crop.low), np.asarray(crop.high)
    node.SetSize(*(high - low).tolist())
    node.SetCenter(((low + high) / 2 * _TO_RAS).tolist())


def _crop_of(display: Any) -> CropBox | None:
    """Return the box that a rendering is cropped to; its bounds where it is turned."""
    roi = display.GetROINode() if display.GetCroppingEnabled() else None
    if roi is None:
        return None
    bounds = [0.0] * 6
    roi.GetRASBounds(bounds)
    ends = np.reshape(bounds, (3, 2)) * _TO_RAS[:, None]
    low, high = ends.min(axis=1) + 0.0, ends.max(axis=1) + 0.0
    if not (low < high).all():
        return None
    (a, b, c), (d, e, f) = low.tolist(), high.tolist()
    return CropBox(low=(a, b, c), high=(d, e, f))


def _with_transfer(state: ViewState, node: Any) -> ViewState:
    """Return a view with the preset that a node was made of, and what was changed since."""
    told = _told(node.GetAttribute(_PRESET), state)
    looks = node.GetVolumeProperty()
    made = preset_of(told)
    opacity = _points(looks.GetScalarOpacity(), 2) or made.scalar_opacity
    color = _points(looks.GetRGBTransferFunction(), 4) or made.color
    shade = bool(looks.GetShade())
    same = _alike(opacity, made.scalar_opacity) and _alike(color, made.color)
    if same and shade == made.shade:
        return told
    changed = Transfer(scalar_opacity=opacity, color=color, shade=shade)
    return replace(told, transfer=changed)


def _told(text: str | None, state: ViewState) -> ViewState:
    try:
        plain = parsed_json(text or "", "a rendering preset")
        transfer = from_plain(Transfer, plain["transfer"], "transfer")
        return replace(state, rendering=plain["rendering"], transfer=transfer)
    except (HounsviewError, KeyError, TypeError):
        return state


def _points(function: Any, width: int) -> Any:
    """Return the points of a VTK function: HU that rise, and numbers from 0 to 1."""
    points: list[tuple[float, ...]] = []
    # x and the values, then midpoint and sharpness.
    held = [0.0] * (width + 2)
    for n in range(function.GetSize()):
        function.GetNodeValue(n, held)
        at = held[0] if not points else max(held[0], points[-1][0] + _APART_HU)
        points.append((at, *(min(max(part, 0.0), 1.0) for part in held[1:width])))
    return tuple(points)


def _alike(a: Any, b: Any) -> bool:
    if len(a) != len(b):
        return False
    return bool(np.allclose(np.asarray(a), np.asarray(b), atol=_SAME, rtol=1e-5))
