"""Measurements of a view as Slicer's markups, and back; LPS here, RAS there.

A probe is a point list of one point, a ruler a line, an angle an angle. Rectangle and ellipse
are closed curves, which Slicer draws on its slices and measures; which way they lie is kept in
attributes, because a curve does not say it.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.mrml.application import slicer
from hounsview.planes import plane_axes
from hounsview.viewstate.checks import LONGEST_TEXT
from hounsview.viewstate.measurements import POINTS_OF, Measurement
from hounsview.viewstate.parts import PLANES

Floats = npt.NDArray[np.float64]
_CLASSES: Final = {
    "probe": "vtkMRMLMarkupsFiducialNode",
    "ruler": "vtkMRMLMarkupsLineNode",
    "angle": "vtkMRMLMarkupsAngleNode",
    "rectangle": "vtkMRMLMarkupsClosedCurveNode",
    "ellipse": "vtkMRMLMarkupsClosedCurveNode",
}
_KINDS: Final = {"vtkMRMLMarkupsLineNode": "ruler", "vtkMRMLMarkupsAngleNode": "angle"}
_KIND, _PLANE, _OBLIQUE = "hounsview.kind", "hounsview.plane", "hounsview.oblique"
# Not the description: Slicer overwrites that of markups with their measure.
_TEXT: Final = "hounsview.text"
_NAMED: Final = "hounsview.name"
"""Attribute of markups that came from here: their first name, to see if it was changed."""
_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_SAME_MM: Final = 0.01
_ROUND: Final = 16
"""Control points of an ellipse; a multiple of four, so that its axes end in some of them."""


def markups_node(measurement: Measurement, scene: Any, *, name: str = "") -> Any:
    """Return a new markups node of a measurement.

    Parameters
    ----------
    measurement : Measurement
    scene : vtkMRMLScene
    name : str
        The kind when left out.

    Raises
    ------
    ArgumentError
        If slicer-core is not there.
    """
    core = slicer()
    kind = measurement.kind
    node = scene.AddNewNodeByClass(_CLASSES[kind], name or kind.capitalize())
    node.CreateDefaultDisplayNodes()
    if kind == "rectangle":
        node.SetCurveTypeToLinear()
    if kind == "ellipse":  # its many points would hide the curve
        node.GetDisplayNode().SetGlyphScale(1.0)
    core.util.updateMarkupsControlPointsFromArray(node, _drawn(measurement) * _TO_RAS)
    node.SetAttribute(_KIND, kind)
    node.SetAttribute(_PLANE, measurement.plane)
    node.SetAttribute(_OBLIQUE, " ".join(repr(angle) for angle in measurement.oblique))
    node.SetAttribute(_TEXT, measurement.text)
    node.SetAttribute(_NAMED, node.GetName())
    return node


def measurements_of(node: Any) -> tuple[Measurement, ...]:
    """Return the measurements of a markups node, drawn by us or by a person in Slicer.

    Each point of a point list is a probe; a line is a ruler. What a person called them in
    Slicer (the labels of points, else the node) is their text. Points that are not placed yet
    are left out, and so are curves, planes and regions that did not come from here.

    Parameters
    ----------
    node : vtkMRMLMarkupsNode
    """
    points = _placed(node) * _TO_RAS
    kind = node.GetAttribute(_KIND)
    if kind not in POINTS_OF or _CLASSES[kind] != node.GetClassName():
        kind = _KINDS.get(node.GetClassName(), "")
        if node.GetClassName() == _CLASSES["probe"]:
            kind = "probe"
    plane = node.GetAttribute(_PLANE)
    told: dict[str, Any] = {
        "plane": plane if plane in PLANES else PLANES[0],
        "oblique": _angles(node.GetAttribute(_OBLIQUE)),
    }
    if kind == "probe":
        texts = _texts_of_points(node)
        return tuple(
            Measurement("probe", (_point(one),), text=text, **told)
            for one, text in zip(points, texts, strict=True)
        )
    drawn = points
    if kind in ("rectangle", "ellipse"):
        points = _corners(points, kind)
    if not kind or len(points) != POINTS_OF[kind]:
        return ()
    text = _text_of(node)
    found = Measurement(kind, tuple(_point(one) for one in points), text=text, **told)
    # A person may have dragged one point: then it is another shape, and has no such numbers.
    return (found,) if np.abs(_drawn(found) - drawn).max() < _SAME_MM else ()


def region_of(node: Any) -> str:
    """Return "rectangle" or "ellipse" where a markups node was made as one; else nothing."""
    kind = node.GetAttribute(_KIND) or ""
    return kind if kind in ("rectangle", "ellipse") else ""


def labels_of(node: Any) -> list[str]:
    """Return Slicer's labels of the points that a person has placed, in their order."""
    return [str(node.GetNthControlPointLabel(n)) for n in _places(node)]


def _text_of(node: Any) -> str:
    """Return the text of a measurement: as it came, unless a person renamed the node since."""
    name, text = str(node.GetName() or ""), node.GetAttribute(_TEXT)
    if text is not None and node.GetAttribute(_NAMED) in (None, name):
        return _line(text)
    return _line(name)


def _texts_of_points(node: Any) -> list[str]:
    """Return the texts of a point list: of our one point its text, else the labels."""
    labels = labels_of(node)
    if node.GetAttribute(_TEXT) is not None and len(labels) == 1:
        return [_text_of(node)]
    return [_line(label or str(node.GetName() or "")) for label in labels]


def _line(text: str) -> str:
    """Return a text as a measurement may have it: one line, not too long."""
    return "".join(each for each in text if each.isprintable())[:LONGEST_TEXT]


def same_place(a: Measurement, b: Measurement) -> bool:
    """Return whether two measurements measure the same, whatever they are called."""
    if a.kind != b.kind or a.plane != b.plane:
        return False
    return bool(np.abs(np.subtract(a.points, b.points)).max() < _SAME_MM)


def start_placing(kind: str, scene: Any) -> Any:
    """Return a new markups node of a class that the next clicks in Slicer's views place."""
    core = slicer()
    node = scene.AddNewNodeByClass(kind)
    node.CreateDefaultDisplayNodes()
    selection, interaction = (
        scene.GetFirstNodeByClass(name) or scene.AddNode(getattr(core, name)())
        for name in ("vtkMRMLSelectionNode", "vtkMRMLInteractionNode")
    )
    selection.SetReferenceActivePlaceNodeClassName(kind)
    selection.SetReferenceActivePlaceNodeID(node.GetID())
    interaction.SetPlaceModePersistence(0)
    interaction.SetCurrentInteractionMode(interaction.Place)
    return node


def stop_placing(scene: Any) -> None:
    """Let clicks in Slicer's views place nothing more; else they would begin a new markup."""
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    if interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place:
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)


def _drawn(measurement: Measurement) -> Floats:
    """Return (n, 3) the points that Slicer draws, LPS mm."""
    points = np.asarray(measurement.points, np.float64)
    if measurement.kind not in ("rectangle", "ellipse"):
        return points
    right, down = plane_axes(measurement.plane, measurement.oblique)
    first, last = points
    across, along = right * (right @ (last - first)), down * (down @ (last - first))
    if measurement.kind == "rectangle":
        return np.stack([first, first + across, last, last - across])
    turns = 2 * math.pi * np.arange(_ROUND)[:, None] / _ROUND
    middle = (first + last) / 2
    curve: Floats = middle + np.cos(turns) * across / 2 + np.sin(turns) * along / 2
    return curve


def _corners(points: Floats, kind: str) -> Floats:
    """Return the opposite corners of a drawn rectangle or ellipse; empty if it is none."""
    if kind == "rectangle":
        return points[[0, 2]] if len(points) == 4 else points[:0]
    if len(points) != _ROUND:
        return points[:0]
    quarter = _ROUND // 4
    across = (points[0] - points[2 * quarter]) / 2
    along = (points[quarter] - points[3 * quarter]) / 2
    middle = (points[0] + points[2 * quarter]) / 2
    return np.stack([middle - across - along, middle + across + along])


def _placed(node: Any) -> Floats:
    """Return (n, 3) the control points that a person has placed, RAS mm, in the world."""
    points = []
    for n in _places(node):
        point = [0.0, 0.0, 0.0]
        node.GetNthControlPointPositionWorld(n, point)
        points.append(point)
    return np.asarray(points, np.float64).reshape(-1, 3)


def _places(node: Any) -> list[int]:
    """Return the numbers of the control points that a person has placed."""
    defined = node.PositionDefined
    count = node.GetNumberOfControlPoints()
    return [n for n in range(count) if node.GetNthControlPointPositionStatus(n) == defined]


def _angles(text: str | None) -> tuple[float, float, float]:
    try:
        pitch, roll, yaw = (float(part) for part in (text or "0 0 0").split())
    except ValueError:
        return 0.0, 0.0, 0.0
    return pitch, roll, yaw


def _point(values: Floats) -> tuple[float, float, float]:
    # Negating 0 gives -0.0, which is equal and looks odd in a file.
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z
