"""Tissues and surfaces of a view in Slicer: a segmentation and models, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hounsview.anatomy import COLORS, LABELS
from hounsview.errors import HounsviewError
from hounsview.mrml.companions import attach, companion, companions_of, let_go
from hounsview.mrml.layers import segment_ids
from hounsview.mrml.models import model_node
from hounsview.mrml.stamps import segments_stamp, voxels_stamp
from hounsview.mrml.volumes import geometry_of, own_grid_of, volume_of
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import Overlay, Surface, ViewState
from hounsview.viewstate.state import parsed_json
from hounsview.viewtissues import mesh_of
from hounsview.volume import Volume

if TYPE_CHECKING:
    from hounsview.masks import Tissues

TISSUES: Final = "hounsview.tissues"
"""Role of a volume node's reference to the segmentation of its tissues."""
NUMBERS, CHART = "hounsview.numbers", "hounsview.chart"
"""Roles of a volume node's references to the table and the chart of its tissues."""
_MADE: Final = "hounsview.made"
"""Attribute of a segmentation: what its segments were when they were found."""
_MADE_OF: Final = "hounsview.surface.of"
"""Attribute of a surface: what it was made of, so that it is made anew when that changed."""
SURFACE: Final = "hounsview.surface"
"""Role of a volume node's references to its surfaces; attribute of them with name and level."""
Tell = Callable[[str], object]


class _Finding:
    """The volume and the tissues of a node, each made when it is first asked for."""

    def __init__(self, volume_node: Any, tissues: Tissues | None = None) -> None:
        self.node = volume_node
        self._given = tissues

    @cached_property
    def volume(self) -> Volume:
        return volume_of(self.node)

    @cached_property
    def known(self) -> TissueMap | None:
        """Where the tissues are, if that is known already."""
        from hounsview.masks import Tissues
        from hounsview.mrml.segments import tissues_of

        found = self._given
        held = companion(self.node, TISSUES)
        if found is None and held is not None:
            found = Tissues(tissues_of(held, own_grid_of(self.node)), {}, ())
        return None if found is None else TissueMap.of(found, self.volume.shape)

    @cached_property
    def stamp(self) -> str:
        """What tells whether voxels, their place and the segments are still the same."""
        held = companion(self.node, TISSUES)
        segments = "" if held is None else segments_stamp(held)
        corners = geometry_of(self.node).corners()
        ends = np.round([corners.min(axis=0), corners.max(axis=0), corners.mean(axis=0)], 2)
        return f"{voxels_stamp(self.node)} {(ends + 0.0).tolist()} {segments}"

    @cached_property
    def all(self) -> Tissues:
        from hounsview.masks import segment

        return self._given or segment(self.volume)


def show_tissues(
    state: ViewState, volume_node: Any, scene: Any, tissues: Tissues | None, tell: Tell
) -> tuple[tuple[Any, ...], Any]:
    """Show tissues over the slices and surfaces in 3D; what else was shown so is removed.

    Tissues that are shown as the view says already stay as they are, and so do the segments
    that a person added to them.

    Parameters
    ----------
    state : ViewState
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    tissues : Tissues, optional
        Of the volume; looked for where they are needed and not there yet.
    tell : callable
        Takes a sentence about what cannot be shown.

    Returns
    -------
    surfaces : tuple of vtkMRMLModelNode
    segments : vtkMRMLSegmentationNode or None
    """
    work = _Finding(volume_node, tissues)
    segments = companion(volume_node, TISSUES)
    wanted = {each.name: each.name in COLORS for each in state.overlays if each.shown}
    for name, known in wanted.items():
        if not known:
            tell(f"{name or 'a label'} is not shown over the slices: it is no tissue of ours")
    same = segments is not None and _overlays_of(segments, state.overlays) == state.overlays
    if segments is None and any(wanted.values()):
        try:
            segments, _, _ = add_tissues(work.volume, work.all, volume_node, scene)
        except (HounsviewError, ImportError) as error:
            tell(f"no tissues over the slices: {error}")
    if segments is not None and not same:
        _show_overlays(state.overlays, segments)
    surfaces = _show_surfaces(state.surfaces, work, scene, tell)
    return surfaces, segments


def add_tissues(
    volume: Volume, tissues: Tissues, volume_node: Any, scene: Any
) -> tuple[Any, Any, Any]:
    """Return nodes of a volume's tissues, in the place of those before.

    A segmentation that a person has changed since stays, hidden, with "(edited)" behind its
    name.

    Parameters
    ----------
    volume : Volume
        Of the node.
    tissues : Tissues
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene

    Returns
    -------
    segments : vtkMRMLSegmentationNode
    numbers : vtkMRMLTableNode
    chart : vtkMRMLPlotChartNode
        How the HU of each tissue are spread.

    Raises
    ------
    TissueNotFoundError
        If there is no mask at all.
    """
    from hounsview.mrml.plots import tissue_histogram
    from hounsview.mrml.segments import tissue_segmentation, tissue_table

    name = volume_node.GetName()
    segments = tissue_segmentation(tissues, volume_node, scene, name=f"{name} tissues")
    numbers = tissue_table(volume, tissues, scene, name=f"{name} tissue numbers")
    chart, values, series = tissue_histogram(
        volume, tissues, scene, name=f"{name} tissue histogram"
    )
    segments.SetAttribute(_MADE, segments_stamp(segments))
    _keep_edited(volume_node)
    for role in [f"{CHART}.series.{number}" for number in range(len(COLORS))]:
        before = companion(volume_node, role)
        if before is not None:
            volume_node.SetNodeReferenceID(role, None)
            let_go(before, volume_node)
    made = {TISSUES: segments, NUMBERS: numbers, CHART: chart, f"{CHART}.values": values}
    made |= {f"{CHART}.series.{number}": one for number, one in enumerate(series)}
    for role, node in made.items():
        attach(volume_node, role, node)
    return segments, numbers, chart


def _keep_edited(volume_node: Any) -> None:
    """Let a segmentation stay in the scene if a person has changed it since it was made."""
    held = companion(volume_node, TISSUES)
    made = None if held is None else held.GetAttribute(_MADE)
    if made is None or made == segments_stamp(held):
        return
    held.SetName(f"{held.GetName()} (edited)")
    _display_of(held).SetVisibility(False)
    volume_node.SetNodeReferenceID(TISSUES, None)


def tissues_in(volume_node: Any, base: ViewState) -> ViewState:
    """Return a view with the tissues and surfaces that are shown of a volume node."""
    held = companion(volume_node, TISSUES)
    overlays = base.overlays if held is None else _overlays_of(held, base.overlays)
    shown = [_surface_of(model, base) for model in companions_of(volume_node, SURFACE)]
    surfaces = {_key(one): one for one in base.surfaces if not one.shown}
    surfaces |= {_key(one): one for one in shown if one is not None}
    return replace(base, overlays=overlays, surfaces=tuple(surfaces.values()))


def _show_overlays(overlays: Sequence[Overlay], segments: Any) -> None:
    """Show the segments that a view shows, in its colours, and no others."""
    display = _display_of(segments)
    wanted = {each.name: each for each in overlays}
    segmentation = segments.GetSegmentation()
    for key in segment_ids(segments):
        overlay = wanted.get(key)
        seen = overlay is not None and overlay.shown
        display.SetSegmentVisibility(key, seen)
        if overlay is not None:
            segmentation.GetSegment(key).SetColor(*overlay.color)
            display.SetSegmentOpacity2DFill(key, overlay.opacity)
    # Filled and outlined alike, each segment's own opacity is what is seen.
    display.SetOpacity2DFill(1.0)
    display.SetVisibility(any(each.shown for each in overlays))


def _display_of(node: Any) -> Any:
    """Return the display node of a node; made if a person took it away."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    return node.GetDisplayNode()


def _overlays_of(segments: Any, base: tuple[Overlay, ...]) -> tuple[Overlay, ...]:
    display, segmentation = segments.GetDisplayNode(), segments.GetSegmentation()
    before = {each.name: each for each in base}
    found = []
    for key in segment_ids(segments):
        seen = bool(display and display.GetVisibility() and display.GetSegmentVisibility(key))
        if key not in COLORS or not (seen or key in before):
            continue
        segment = segmentation.GetSegment(key)
        red, green, blue = segment.GetColor()
        # Not the segment's own value: Slicer numbers the voxels of segments anew.
        overlay = before.get(key, Overlay(LABELS[key], key))
        if display is not None:
            opacity = display.GetOpacity2DFill() * display.GetSegmentOpacity2DFill(key)
            overlay = replace(overlay, opacity=min(opacity, 1.0))
        found.append(replace(overlay, color=(red, green, blue), shown=seen))
    there = {each.name for each in found}
    return (*found, *(each for each in base if each.name not in there))


def _show_surfaces(
    surfaces: Sequence[Surface], work: _Finding, scene: Any, tell: Tell
) -> tuple[Any, ...]:
    """Return the models of the surfaces that are shown; made once, and kept while wanted."""
    node = work.node
    held = {model.GetAttribute(SURFACE): model for model in companions_of(node, SURFACE)}
    node.RemoveNodeReferenceIDs(SURFACE)
    shown = []
    # One of a name and level: two would lie in the same place.
    for key, surface in {_key(each): each for each in surfaces if each.shown}.items():
        model = held.get(key)
        try:
            if model is None or model.GetAttribute(_MADE_OF) != work.stamp:
                model = _model(surface, work, scene)
            else:
                held.pop(key)
        except (HounsviewError, ImportError) as error:
            tell(f"no surface of {surface.name}: {error}")
            continue
        display = _display_of(model)
        display.SetColor(*surface.color)
        display.SetOpacity(surface.opacity)
        display.SetVisibility(True)
        node.AddNodeReferenceID(SURFACE, model.GetID())
        shown.append(model)
    for model in held.values():
        let_go(model, node)
    return tuple(shown)


def _model(surface: Surface, work: _Finding, scene: Any) -> Any:
    mesh = mesh_of(work.volume, surface, tissues=work.known)
    name = f"{work.node.GetName()} {surface.name}"
    made = model_node(mesh, scene, name=name)
    made.SetAttribute(SURFACE, _key(surface))
    made.SetAttribute(_MADE_OF, work.stamp)
    return made


def _key(surface: Surface) -> str:
    """Return what makes a surface another one: name and level, as text."""
    return json.dumps([surface.name, surface.level])


def _surface_of(model: Any, base: ViewState) -> Surface | None:
    """Return the surface that a model shows; None where its note cannot be read."""
    try:
        name, level = parsed_json(model.GetAttribute(SURFACE) or "", "a surface")
        surface = Surface(name, level)
    except (HounsviewError, TypeError, ValueError):
        return None
    known = {_key(one): one for one in base.surfaces}
    display = model.GetDisplayNode()
    if display is None:
        return None
    red, green, blue = display.GetColor()
    return replace(
        known.get(_key(surface), surface),
        color=(red, green, blue),
        opacity=min(max(display.GetOpacity(), 0.0), 1.0),
        shown=bool(display.GetVisibility()),
    )
