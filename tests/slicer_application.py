"""What the Slicer application itself does in a scene, by its own logic classes.

slicer-core brings the classes that make and follow views; the application only holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIX_SLICES, TABLE = "SlicerLayoutThreeOverThreeView", "SlicerLayoutFourUpTableView"
PLOT = "SlicerLayoutFourUpPlotView"
SLICES = ("Red", "Green", "Yellow", "Red+", "Green+", "Yellow+")


class Views:
    """Three slice views and one in 3D, with all that Slicer keeps for each of them."""

    def __init__(self, scene: Any) -> None:
        import slicer

        self._scene, self._slices = scene, {}
        # Slicer's own order: presets come first, so that views know "Axial".
        self.application = slicer.vtkMRMLApplicationLogic()
        self.application.SetMRMLScene(scene)
        self._layouts = slicer.vtkMRMLLayoutLogic()
        self._layouts.SetMRMLScene(scene)
        self.arrange("SlicerLayoutFourUpView")

    def arrange(self, layout: str) -> None:
        """Change the layout; what each new slice view needs is made, as its widget does."""
        import slicer

        node = self._layouts.GetLayoutNode()
        node.SetViewArrangement(getattr(node, layout))
        for name in SLICES:
            shown = self._scene.GetSingletonNode(name, "vtkMRMLSliceNode")
            if shown is not None and name not in self._slices:
                logic = slicer.vtkMRMLSliceLogic()
                logic.SetMRMLApplicationLogic(self.application)
                logic.SetMRMLScene(self._scene)
                logic.SetSliceNode(shown)
                self._slices[name] = logic

    def close(self) -> None:
        for logic in (*self._slices.values(), self._layouts, self.application):
            logic.SetMRMLScene(None)


@contextmanager
def views(scene: Any) -> Iterator[Views]:
    """Let a scene have views, as in the application."""
    made = Views(scene)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def modules(scene: Any, shown: Views) -> Iterator[dict[str, Any]]:
    """Let the logic of Slicer's modules watch a scene, as in the application."""
    import slicer

    logics = {}
    for name in ("Volumes", "Markups", "VolumeRendering", "Plots", "Models"):
        logic = getattr(slicer, f"vtkSlicer{name}Logic")()
        logic.SetMRMLApplicationLogic(shown.application)
        logic.SetMRMLScene(scene)
        logics[name] = logic
    try:
        yield logics
    finally:
        for logic in logics.values():
            logic.SetMRMLScene(None)


def ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def looks(scene: Any) -> dict[str, tuple[Any, ...]]:
    """How Slicer labels, colours and turns each view by default."""
    found = {}
    for n in range(scene.GetNumberOfNodesByClass("vtkMRMLAbstractViewNode")):
        node = scene.GetNthNodeByClass(n, "vtkMRMLAbstractViewNode")
        color = tuple(round(part, 4) for part in node.GetLayoutColor())
        turned = ()
        if node.IsA("vtkMRMLSliceNode"):
            turned = (
                node.GetDefaultOrientation(), node.GetOrientation(),
                node.GetNumberOfSliceOrientationPresets(),
            )  # fmt: skip
        key = f"{node.GetClassName()} {node.GetLayoutName()}"
        found[key] = (node.GetName(), node.GetLayoutLabel(), color, *turned)
    return found


def open_file(file: Path, scene: Any, folder: Path) -> None:
    """Open an .mrb file in a scene that has views already."""
    import slicer

    cache, manager = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(str(folder))
    manager.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(manager)
    assert scene.ReadFromMRB(str(file))
    scene.SetDataIOManager(None)
    scene.SetCacheManager(None)
