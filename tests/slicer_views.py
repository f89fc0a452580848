"""Pictures of a MRML scene, drawn off screen by Slicer's own code from slicer-core.

In 3D these are Slicer's displayable managers; in slices its slice logic, whose image is laid
under what its displayable managers draw. Only the part that belongs to the application is
ours: the window, and the choice of the nodes that a layout would make. Not drawn: the edges of
slices in 3D (slicer-core's factory does not know vtkMRMLThreeDSliceEdgeDisplayableManager).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from hounsview.cameras import Aim
from hounsview.cameras import aim_at as aim_at
from hounsview_vizapp.rendering.opengl import opengl, prefer_egl

Picture = npt.NDArray[np.uint8]

# The order is that of Slicer's qMRMLThreeDView and qMRMLSliceView. vtkMRMLCameraDisplayable-
# Manager must stand before vtkMRMLViewDisplayableManager, which asks it for the camera.
_IN_3D: Final = (
    "vtkMRMLVolumeRenderingDisplayableManager",
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)
_IN_SLICES: Final = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)
_ORIENTATIONS: Final = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}
SLICE_COLORS: Final = {
    "Red": (243, 74, 51),
    "Yellow": (237, 213, 76),
    "Green": (110, 176, 75),
}
"""The bars of Slicer's slice views, RGB."""
_LAYOUT: Final = "1"
_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
_applications: WeakKeyDictionary[Any, tuple[Any, ...]] = WeakKeyDictionary()
"""Kept as long as their scene: with the logic of colours its colours go."""


def three_d_picture(scene: Any, size: tuple[int, int] = (400, 400)) -> Picture:
    """Return what Slicer's 3D view shows of a scene.

    View, camera and the slices made visible in 3D are those of the scene. Where there is no
    view node it gets one as Slicer makes it; where no camera belongs to the view, Slicer's
    own is set to show everything.

    Parameters
    ----------
    scene : vtkMRMLScene
    size : (rows, columns)

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    RenderingUnavailableError
        If VTK finds no OpenGL.
    AssertionError
        If Slicer's code tells of an error.
    """
    import slicer

    with _stage(scene, size) as stage:
        for name in _ORIENTATIONS:
            node = slice_node(scene, name)
            if node is not None and node.GetSliceVisible():
                stage.slice_logic(name, node.GetDimensions()[1::-1])
        view = _view_in(scene)
        logic = slicer.vtkMRMLViewLogic
        is_aimed = logic.GetCameraNode(scene, view.GetLayoutName()) is not None
        stage.manage(view, _IN_3D)
        if not is_aimed:
            stage.renderer.ResetCamera()
        stage.renderer.ResetCameraClippingRange()
        return stage.picture()


def slice_picture(scene: Any, name: str = "Red", size: tuple[int, int] = (400, 400)) -> Picture:
    """Return what one of Slicer's slice views shows of a scene.

    Where the scene has no slice node of that name it gets one as Slicer's layouts make it,
    set to show the whole background volume, at its middle. Afterwards the node has the size
    of the picture, as in Slicer, so that `on_slice` says where a point is.

    Parameters
    ----------
    scene : vtkMRMLScene
    name : str
        ``"Red"``, ``"Yellow"`` or ``"Green"``.
    size : (rows, columns)

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    RenderingUnavailableError
        If VTK finds no OpenGL.
    AssertionError
        If Slicer's code tells of an error.
    """
    with _stage(scene, size) as stage:
        logic = stage.slice_logic(name, size)
        stage.renderer.GetActiveCamera().ParallelProjectionOn()
        stage.add_image(logic)
        stage.manage(logic.GetSliceNode(), _IN_SLICES)
        return stage.picture()


def look(scene: Any, aim: Aim, *, technique: int = 0, background: Any = (0, 0, 0)) -> Any:
    """Return the vtkMRMLViewNode, aimed by its parallel camera, without box and letters.

    Parameters
    ----------
    scene : vtkMRMLScene
    aim : Aim
    technique : int
        0 composite, 2 greatest and 3 least value.
    background : (red, green, blue)
        0 to 255.
    """
    view = _singleton(scene, "vtkMRMLViewNode", _LAYOUT)
    view.SetBoxVisible(False)
    view.SetAxisLabelsVisible(False)
    for set_color in (view.SetBackgroundColor, view.SetBackgroundColor2):
        set_color(*(np.asarray(background) / 255).tolist())
    view.SetRaycastTechnique(technique)
    # Samples as far apart as voxels, as ours are; "maximum" takes four rays for each pixel.
    view.SetVolumeRenderingQuality(view.Normal)
    # Slicer takes both from the view, and sets its camera by it.
    view.SetRenderMode(view.Orthographic)
    view.SetFieldOfView(aim.half_height)
    camera = _singleton(scene, "vtkMRMLCameraNode", _LAYOUT)
    camera.SetParallelProjection(True)
    camera.SetParallelScale(aim.half_height)
    camera.SetFocalPoint(*(aim.focus * _TO_RAS).tolist())
    camera.SetPosition(*((aim.focus + aim.towards * 2 * aim.depth) * _TO_RAS).tolist())
    camera.SetViewUp(*(aim.up * _TO_RAS).tolist())
    return view


def place_slice(
    scene: Any, name: str, axes: tuple[Any, Any], at: npt.ArrayLike, field: float
) -> Any:
    """Return the vtkMRMLSliceNode of a view, put through a point and turned along axes.

    Parameters
    ----------
    scene : vtkMRMLScene
    name : str
    axes : (right, down)
        Unit vectors, LPS, as `hounsview.planes.plane_axes` returns them.
    at : (3,) float, LPS mm
        What lies in the middle of the picture.
    field : float, mm
        Width and height of what is shown.
    """
    node = _singleton(scene, "vtkMRMLSliceNode", name)
    right, down = (np.asarray(axis) * _TO_RAS for axis in axes)
    to_ras = np.eye(4)
    to_ras[:3, 0], to_ras[:3, 1], to_ras[:3, 2] = right, -down, np.cross(right, -down)
    to_ras[:3, 3] = np.asarray(at, float) * _TO_RAS
    node.GetSliceToRAS().DeepCopy(to_ras.ravel().tolist())
    node.UpdateMatrices()
    node.SetDimensions(100, 100, 1)
    node.SetFieldOfView(field, field, 1.0)
    return node


def _singleton(scene: Any, kind: str, layout: str) -> Any:
    """Return the node of a view; Slicer knows it by its layout name, which is its tag."""
    there = scene.GetSingletonNode(layout, kind)
    if there is None:
        there = scene.CreateNodeByClass(kind)
        there.SetName(layout)
        there.SetLayoutName(layout)
        there.UnRegister(None)
        there = scene.AddNode(there)
    return there


def on_slice(scene: Any, name: str, point: npt.ArrayLike) -> tuple[float, float, float]:
    """Return (row, column, mm before the plane) of a patient point (LPS mm) in a slice view.

    Of the picture that `slice_picture` returned last.
    """
    node = slice_node(scene, name)
    to_ras = matrix_array(node.GetXYToRAS())
    ras = np.append(np.asarray(point, float) * _TO_RAS, 1.0)
    x, y, apart, _ = np.linalg.inv(to_ras) @ ras
    return node.GetDimensions()[1] - 1 - float(y), float(x), float(apart)


def slice_node(scene: Any, name: str) -> Any:
    """Return the vtkMRMLSliceNode of a view, found as Slicer finds it, or None."""
    return scene.GetSingletonNode(name, "vtkMRMLSliceNode")


def matrix_array(matrix: Any) -> npt.NDArray[np.float64]:
    """Return a vtkMatrix4x4 as (4, 4) float64."""
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


@dataclass
class _Stage:
    """A window off screen, and what Slicer's application would bring to a scene."""

    scene: Any
    size: tuple[int, int]
    logic: Any
    window: Any
    renderer: Any
    kept: list[Any] = field(default_factory=list)

    def manage(self, view: Any, managers: tuple[str, ...]) -> None:
        """Let displayable managers draw what a view node shows."""
        import slicer

        # Not the factories of Slicer, which are one for each process and keep the scene.
        factory = slicer.vtkMRMLDisplayableManagerFactory()
        factory.SetMRMLApplicationLogic(self.logic)
        for manager in managers:
            assert factory.RegisterDisplayableManager(manager), manager
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.Initialize(factory, self.renderer)
        group.SetMRMLDisplayableNode(view)
        self.kept += [factory, group]

    def slice_logic(self, name: str, size: tuple[int, int]) -> Any:
        """Return the logic of a slice view, its node as large as (rows, columns)."""
        import slicer

        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self.logic)
        self.logic.GetSliceLogics().AddItem(logic)
        logic.SetMRMLScene(self.scene)
        node = slice_node(self.scene, name)
        is_new = node is None
        if is_new:
            node = logic.AddSliceNode(name)
            node.SetOrientation(_ORIENTATIONS[name])
        else:
            # AddSliceNode would set a node that is there back to Slicer's defaults.
            logic.SetSliceNode(node)
        logic.ResizeSliceNode(size[1], size[0])
        if is_new:
            logic.FitSliceToBackground()
        self.kept.append(logic)
        return logic

    def add_image(self, logic: Any) -> None:
        """Show the image of a slice; before all others, or these are not mixed with it."""
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkImageMapper

        # In the application CTK's light box does so, which slicer-core does not have.
        mapper = vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(logic.GetImageDataConnection())
        actor = vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(actor)

    def close(self) -> None:
        """Let go of everything in the order in which Slicer's parts need each other."""
        for kept in self.kept:
            if kept.IsA("vtkMRMLDisplayableManagerGroup"):
                kept.SetMRMLDisplayableNode(None)
        while self.kept:
            self.kept.pop()
        self.window.Finalize()

    def picture(self) -> Picture:
        """Return what the window shows."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        self.window.Render()
        rows, columns = self.size
        pixels = vtkUnsignedCharArray()
        self.window.GetPixelData(0, 0, columns - 1, rows - 1, 1, pixels, 0)
        upwards = np.asarray(vtk_to_numpy(pixels), np.uint8).reshape(rows, columns, 3)
        return upwards[::-1].copy()


@contextmanager
def _stage(scene: Any, size: tuple[int, int]) -> Iterator[_Stage]:
    opengl()
    prefer_egl()
    import vtkmodules.vtkRenderingOpenGL2
    import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
    from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

    renderer, window = vtkRenderer(), vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetAlphaBitPlanes(True)
    window.SetSize(size[1], size[0])
    window.AddRenderer(renderer)
    interactor = vtkGenericRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    interactor.EnableRenderOff()
    interactor.Initialize()
    with _no_errors():
        if scene not in _applications:
            _applications[scene] = _application(scene)
        logic = _applications[scene][0]
        stage = _Stage(scene, size, logic, window, renderer, [interactor])
        try:
            yield stage
        finally:
            stage.close()


def _application(scene: Any) -> tuple[Any, ...]:
    """Return the logic of an application that shows a scene, and those of its modules.

    The application itself does not keep those of modules alive.
    """
    import slicer
    from vtkmodules.vtkCommonCore import vtkCollection

    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.SetSliceLogics(vtkCollection())
    logic.SetViewLogics(vtkCollection())
    # A volume's grey is a node of this logic: without it slices are no picture.
    colors = logic.GetColorLogic()
    colors.SetMRMLScene(scene)
    if scene.GetNodeByID(colors.GetDefaultVolumeColorNodeID()) is None:
        colors.AddDefaultColorNodes()
    markups = slicer.vtkSlicerMarkupsLogic()
    markups.SetMRMLApplicationLogic(logic)
    markups.SetMRMLScene(scene)
    logic.SetModuleLogic("Markups", markups)
    patient_right_is_left_on_screen = True
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(
        scene, patient_right_is_left_on_screen
    )
    return logic, colors, markups


def _view_in(scene: Any) -> Any:
    view = scene.GetSingletonNode(_LAYOUT, "vtkMRMLViewNode")
    if view is None:
        import slicer

        logic = slicer.vtkMRMLViewLogic()
        logic.SetMRMLScene(scene)
        view = logic.AddViewNode(_LAYOUT)
    return view


@contextmanager
def _no_errors() -> Iterator[None]:
    """Fail where VTK or Slicer tells of an error, which they else only print."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow

    before, told = vtkOutputWindow.GetInstance(), vtkStringOutputWindow()
    vtkOutputWindow.SetInstance(told)
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_INFO)
        vtkOutputWindow.SetInstance(before)
    text = told.GetOutput()
    assert "ERROR:" not in text, text
