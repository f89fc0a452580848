"""How Slicer arranges its views."""

from __future__ import annotations

from typing import Any, Final

from hounsview.mrml.application import slicer

_LAYOUT: Final = "vtkMRMLLayoutNode"
_LAYOUTS: Final = {
    "four-up": "SlicerLayoutFourUpView",
    "axial": "SlicerLayoutOneUpRedSliceView",
    "coronal": "SlicerLayoutOneUpGreenSliceView",
    "sagittal": "SlicerLayoutOneUpYellowSliceView",
    "3d": "SlicerLayoutOneUp3DView",
}


def show_layout(name: str, scene: Any) -> None:
    """Arrange the views of a scene as a layout of ours: "four-up", a plane, "3d"."""
    show_arrangement(_LAYOUTS[name], scene)


def show_arrangement(constant: str, scene: Any) -> None:
    """Arrange the views of a scene as a constant of vtkMRMLLayoutNode says."""
    layout = scene.GetFirstNodeByClass(_LAYOUT)
    if layout is None:  # outside Slicer; the logic brings the descriptions of all layouts
        logic = slicer().vtkMRMLLayoutLogic()
        logic.SetMRMLScene(scene)
        layout = logic.GetLayoutNode()
    layout.SetViewArrangement(getattr(layout, constant))


def layout_of(scene: Any, otherwise: str) -> str:
    """Return the layout of ours that a scene shows; another name where it is none of them."""
    layout = scene.GetFirstNodeByClass(_LAYOUT)
    if layout is None:
        return otherwise
    names = {getattr(layout, constant): name for name, constant in _LAYOUTS.items()}
    return names.get(layout.GetViewArrangement(), otherwise)
