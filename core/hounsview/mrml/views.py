"""A whole view in Slicer, and back; the modules beside this one know its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hounsview.errors import ArgumentError
from hounsview.mrml.application import slicer
from hounsview.mrml.companions import companions_of, is_aid, let_go
from hounsview.mrml.layouts import layout_of, show_layout
from hounsview.mrml.markups import markups_node, measurements_of, same_place
from hounsview.mrml.panes import planes_of, show_planes
from hounsview.mrml.renderings import CPU_RENDERING, rendering_of, show_rendering
from hounsview.mrml.space import body_box, show_in_space, space_of
from hounsview.mrml.tissueviews import show_tissues, tissues_in
from hounsview.mrml.volumes import geometry_of, set_window, slice_display_of, window_of
from hounsview.viewstate import ViewState
from hounsview.windows import Window

if TYPE_CHECKING:
    from hounsview.masks import Tissues

_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_CROSSHAIR: Final = "vtkMRMLCrosshairNode"
_COLORMAPS: Final = {
    "gray": "vtkMRMLColorTableNodeGrey",
    "inverted": "vtkMRMLColorTableNodeInvertedGrey",
    "rainbow": "vtkMRMLColorTableNodeRainbow",
}
_VIEW: Final = "hounsview.view"
"""Attribute of a volume node: the view that was shown last, JSON."""
_MEASUREMENT: Final = "hounsview.measurement"
"""Role of a volume node's references to markups that came with a view."""


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
    surfaces : tuple of vtkMRMLModelNode
    tissues : vtkMRMLSegmentationNode or None
    notes : tuple of str
        What of the view Slicer does not show, and why.
    """

    crosshair: Any
    rendering: Any
    transfer: Any
    markups: tuple[Any, ...]
    crop: Any
    surfaces: tuple[Any, ...]
    tissues: Any
    notes: tuple[str, ...]


def show_view(
    state: ViewState,
    volume_node: Any,
    scene: Any,
    *,
    rendering_class: str = CPU_RENDERING,
    tissues: Tissues | None = None,
) -> ShownView:
    """Show a view of a volume node and return the nodes that do so.

    Shown again, a view takes the place of the one before: nothing is left over. Surfaces and
    tissues of the view are looked for where `tissues` is left out, which takes seconds and
    OpenCV. What stands beside a rendering preset, ``"hot"`` and ``"bone"`` colours of slices
    and text over pictures have no counterpart in Slicer.

    Parameters
    ----------
    state : ViewState
        In the world, as the volume lies there.
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    rendering_class : str
        Of the volume rendering's display node, `CPU_RENDERING` or `GPU_RENDERING`: the
        second is fast where there is a graphics card.
    tissues : Tissues, optional
        Of the volume, where they are known.

    Raises
    ------
    ArgumentError, GeometryError
        If slicer-core is not there, or the node holds no voxels or no orthogonal grid.
    """
    notes: list[str] = []
    grid = geometry_of(volume_node)
    set_window(volume_node, state.window)
    if state.window.function == "SIGMOID":
        notes.append("the window is a straight line from black to white: Slicer has no SIGMOID")
    _show_colors(state, volume_node, scene, notes)
    crosshair = _crosshair_in(scene)
    point = grid.centre if state.crosshair is None else np.asarray(state.crosshair)
    crosshair.SetCrosshairRAS(*(point * _TO_RAS).tolist())
    crosshair.SetCrosshairMode(
        crosshair.ShowBasic if state.show_crosshair else crosshair.NoCrosshair
    )
    show_planes(state, grid, scene)
    rendering, transfer, crop = show_rendering(
        state, volume_node, scene, rendering_class, notes.append
    )
    show_in_space(state, body_box(volume_node), scene)
    if state.rendering_beside is not None:
        notes.append(f"{state.rendering_beside} is not shown beside: Slicer has one 3D view")
    surfaces, segments = show_tissues(state, volume_node, scene, tissues, notes.append)
    markups = show_measurements(state, volume_node, scene)
    show_layout(state.layout, scene)
    volume_node.SetAttribute(_VIEW, state.to_json())
    return ShownView(
        crosshair, rendering, transfer, markups, crop, surfaces, segments, tuple(notes)
    )


def view_of(volume_node: Any, scene: Any, *, base: ViewState | None = None) -> ViewState:
    """Return the view that a scene shows of a volume node.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    base : ViewState, optional
        What the scene does not say. The view that was shown last when left out.

    Raises
    ------
    ArgumentError, GeometryError
        If the node holds no voxels or no orthogonal grid.
    """
    state = _view_before(volume_node) if base is None else base
    state = replace(state, window=_window_in(volume_node, state.window))
    crosshair = scene.GetFirstNodeByClass(_CROSSHAIR)
    if crosshair is not None:
        x, y, z = (np.asarray(crosshair.GetCrosshairRAS()) * _TO_RAS + 0.0).tolist()
        shown = crosshair.GetCrosshairMode() != crosshair.NoCrosshair
        state = replace(state, crosshair=(x, y, z), show_crosshair=shown)
    grid = geometry_of(volume_node)
    state = planes_of(grid, scene, state)
    state = rendering_of(volume_node, scene, state)
    state = space_of(grid, scene, state)
    state = tissues_in(volume_node, state)
    markups = markups_in(volume_node, scene)
    measured = tuple(one for node in markups for one in measurements_of(node))
    state = replace(state, measurements=measured)
    state = replace(state, layout=layout_of(scene, state.layout))
    return _with_colors(state, volume_node)


def _window_in(volume_node: Any, before: Window) -> Window:
    """Return the window that is shown; unchanged, with its function, which Slicer has not."""
    shown = window_of(volume_node)
    if shown is None or (shown.center, shown.width) == (before.center, before.width):
        return before
    return shown


def _view_before(volume_node: Any) -> ViewState:
    """Return the view that was shown last; the default one where none was."""
    try:
        return ViewState.from_json(volume_node.GetAttribute(_VIEW) or "")
    except ArgumentError:
        return ViewState()


def show_measurements(state: ViewState, volume_node: Any, scene: Any) -> tuple[Any, ...]:
    """Return new markups, one for each measurement of a view; those before are removed.

    What a person drew stays, and is not drawn again.
    """
    before = companions_of(volume_node, _MEASUREMENT)
    volume_node.RemoveNodeReferenceIDs(_MEASUREMENT)
    for node in before:
        let_go(node, volume_node)
    # A view that was read from this scene also holds what a person drew: it is there already.
    drawn = [one for node in markups_in(volume_node, scene) for one in measurements_of(node)]
    made = tuple(
        markups_node(one, scene)
        for one in state.measurements
        if not any(same_place(one, other) for other in drawn)
    )
    for node in made:
        volume_node.AddNodeReferenceID(_MEASUREMENT, node.GetID())
    return made


def markups_in(volume_node: Any, scene: Any) -> list[Any]:
    """Return the markups of a scene, but for crop boxes and what came with another volume."""
    own = {node.GetID() for node in companions_of(volume_node, _MEASUREMENT)}
    others = {
        volume.GetNthNodeReferenceID(_MEASUREMENT, n)
        for volume in _nodes(scene, "vtkMRMLScalarVolumeNode")
        if volume is not volume_node
        for n in range(volume.GetNumberOfNodeReferences(_MEASUREMENT))
    }
    others -= own  # A copy of a volume has the same ones.
    return [
        node
        for node in _nodes(scene, "vtkMRMLMarkupsNode")
        if node.GetID() not in others and not is_aid(node)
    ]


def _nodes(scene: Any, kind: str) -> list[Any]:
    count = scene.GetNumberOfNodesByClass(kind)
    return [scene.GetNthNodeByClass(n, kind) for n in range(count)]


def _crosshair_in(scene: Any) -> Any:
    slicer()
    there = scene.GetFirstNodeByClass(_CROSSHAIR)
    return scene.AddNewNodeByClass(_CROSSHAIR, "Crosshair") if there is None else there


def _show_colors(state: ViewState, volume_node: Any, scene: Any, notes: list[str]) -> None:
    wanted = _COLORMAPS.get(state.colormap)
    if wanted is not None and scene.GetNodeByID(wanted) is not None:
        slice_display_of(volume_node).SetAndObserveColorNodeID(wanted)
    elif state.colormap != "gray":
        gray = _COLORMAPS["gray"]
        if scene.GetNodeByID(gray) is not None:
            slice_display_of(volume_node).SetAndObserveColorNodeID(gray)
        notes.append(f"slices are gray: Slicer has no colours like {state.colormap!r} here")


def _with_colors(state: ViewState, volume_node: Any) -> ViewState:
    display = slice_display_of(volume_node)
    held = None if display is None else display.GetColorNodeID()
    names = {node: name for name, node in _COLORMAPS.items()}
    name = names.get(str(held), state.colormap)
    # What Slicer could not show stays what it was.
    kept = name == "gray" and state.colormap not in _COLORMAPS
    return state if kept else replace(state, colormap=name)
