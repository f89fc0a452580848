"""The volume pane: (volume, state, size) -> picture, by VTK off screen.

With a graphics card the GPU casts the rays; on software OpenGL VTK's default volume
mapper takes a minute a frame, so there the CPU ray caster draws a reduced level.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.presets import RenderingPreset, rendering_presets
from hounsview.viewstate import Camera, ViewState
from hounsview.volume import Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.rendering.opengl import opengl, prefer_egl
from hounsview_vizapp.rendering.pyramid import Level, around, inside_body, level_of, smoothed

MOST_VOXELS_ON_CPU: Final = 24_000_000
MOST_VOXELS_ON_GPU: Final = 256_000_000
_AIR_LIKE_HU: Final = -600
_BACKGROUND: Final = tuple(channel / 255 for channel in drawing.NOT_MEASURED)


def volume_pane(volume: Volume, state: ViewState, size: tuple[int, int]) -> Picture:
    """Return a volume rendering with the state's preset and camera.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    state : ViewState
    size : (rows, columns)
        Of the picture, px.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU: transfer functions speak of tissue.
    RenderingUnavailableError
        If VTK finds no OpenGL.
    """
    volume.require_hu("a volume rendering")
    software = opengl().is_software
    preset = rendering_presets()[state.rendering]
    level = level_of(volume, MOST_VOXELS_ON_CPU if software else MOST_VOXELS_ON_GPU)
    shown = _prepared(level, preset)
    picture = _draw(shown, preset, state.camera, size, software=software)
    if state.show_labels:
        _draw_labels(picture, state, preset, level)
    return picture


def _prepared(level: Level, preset: RenderingPreset) -> Level:
    """Return what a preset should see: no outside air where it shows air."""
    lowest = preset.scalar_opacity[0][0]
    if lowest < _AIR_LIKE_HU:
        return around(inside_body(level), lowest, preset.scalar_opacity[-1][0])
    part = around(level, lowest)
    return smoothed(part) if preset.shade else part


def _draw_labels(
    picture: Picture, state: ViewState, preset: RenderingPreset, level: Level
) -> None:
    rows, columns = picture.shape[:2]
    height = drawing.text_height((rows, columns))
    if not height:
        return
    margin = round(1.4 * height)
    top = margin + height // 2
    color = drawing.PLANE_COLORS["3d"]
    drawing.draw_text(picture, "3D", (top, margin), height=height, color=color)
    drawing.draw_text(picture, preset.label, (rows - top, margin), height=height)
    letters = _edge_letters(state.camera)
    places = [(top, columns // 2), (rows - top, columns // 2), (rows // 2, margin)]
    places.append((rows // 2, columns - margin))
    drawing.draw_edges(picture, dict(zip(places, letters, strict=True)), height=height)
    if level.is_reduced:
        axes = zip(level.geometry.spacing, level.factors, strict=True)
        coarsest = max(mm for mm, factor in axes if factor > 1)
        text = f"REDUCED TO {coarsest:.2g} mm"
        drawing.draw_badges(picture, {text: drawing.BLUE}, height=height)


def _edge_letters(camera: Camera) -> str:
    """Return the patient directions at the top, bottom, left and right of the picture."""
    towards, up = view_axes(camera)
    right = np.cross(-towards, up)

    def letter(direction: npt.NDArray[np.float64]) -> str:
        axis = int(np.argmax(np.abs(direction)))
        return "LPS"[axis] if direction[axis] > 0 else "RAI"[axis]

    return letter(up) + letter(-up) + letter(-right) + letter(right)


def view_axes(camera: Camera) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return unit vectors, LPS: from the patient to the camera, and up in the picture."""
    a, e = np.radians(camera.azimuth), np.radians(camera.elevation)
    towards = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    up = np.array([-np.sin(a) * np.sin(e), np.cos(a) * np.sin(e), np.cos(e)])
    return towards, up


def image_of(level: Level) -> tuple[Any, Any]:
    """Return a level as vtkImageData (i, j, k) and the matrix that puts it in the patient.

    The image keeps spacing and lies at 0; the (4, 4) matrix turns and moves it to LPS mm
    and has determinant 1, because the axes of a level rise to S, P and L.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    image = vtkImageData()
    image.SetDimensions(*level.hu.shape[::-1])
    image.SetSpacing(*level.geometry.spacing[::-1])
    scalars = numpy_to_vtk(level.hu.ravel(), deep=False)
    image.GetPointData().SetScalars(scalars)
    matrix = vtkMatrix4x4()
    for row, values in enumerate(_placement(level.geometry)):
        for column, value in enumerate(values):
            matrix.SetElement(row, column, float(value))
    return image, matrix


def _placement(geometry: Geometry) -> npt.NDArray[np.float64]:
    placement = np.eye(4)
    placement[:3, :3] = geometry.direction[:, ::-1]
    placement[:3, 3] = geometry.origin
    return placement


def property_of(preset: RenderingPreset, mean_edge: float) -> Any:
    """Return a preset as vtkVolumeProperty; `mean_edge` is the mean voxel edge in mm."""
    from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
    from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolumeProperty

    color, opacity, gradient = (
        vtkColorTransferFunction(),
        vtkPiecewiseFunction(),
        vtkPiecewiseFunction(),
    )
    for point in preset.color:
        color.AddRGBPoint(*point)
    for hu, share in preset.scalar_opacity:
        opacity.AddPoint(hu, share)
    for hu_per_mm, share in preset.gradient_opacity:
        gradient.AddPoint(hu_per_mm * mean_edge, share)
    made = vtkVolumeProperty()
    made.SetColor(color)
    made.SetScalarOpacity(opacity)
    if preset.gradient_opacity:
        made.SetGradientOpacity(gradient)
    made.SetScalarOpacityUnitDistance(preset.opacity_unit_distance)
    made.SetInterpolationTypeToLinear()
    made.SetShade(preset.shade)
    made.SetAmbient(preset.ambient)
    made.SetDiffuse(preset.diffuse)
    made.SetSpecular(preset.specular)
    made.SetSpecularPower(preset.specular_power)
    return made


def _mapper(level: Level, preset: RenderingPreset, *, software: bool) -> Any:
    import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
    from vtkmodules.vtkRenderingVolume import (
        vtkFixedPointVolumeRayCastMapper,
        vtkGPUVolumeRayCastMapper,
    )

    mapper = vtkFixedPointVolumeRayCastMapper() if software else vtkGPUVolumeRayCastMapper()
    mapper.SetSampleDistance(0.35 * min(level.geometry.spacing))
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetImageSampleDistance(1.0)
    if preset.kind == "mip":
        mapper.SetBlendModeToMaximumIntensity()
    else:
        mapper.SetBlendModeToComposite()
    return mapper


def _draw(
    level: Level,
    preset: RenderingPreset,
    camera: Camera,
    size: tuple[int, int],
    *,
    software: bool,
) -> Picture:
    prefer_egl()
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    from vtkmodules.vtkCommonCore import vtkObject, vtkSMPTools
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkVolume

    vtkObject.GlobalWarningDisplayOff()
    vtkSMPTools.SetBackend("STDThread")
    image, placement = image_of(level)
    actor = vtkVolume()
    mapper = _mapper(level, preset, software=software)
    mapper.SetInputData(image)
    actor.SetMapper(mapper)
    actor.SetProperty(property_of(preset, float(np.mean(level.geometry.spacing))))
    actor.SetUserMatrix(placement)
    renderer = vtkRenderer()
    renderer.SetBackground(*_BACKGROUND)
    renderer.AddVolume(actor)
    _light(renderer)
    _aim(renderer, level.geometry, camera, size)
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(size[1], size[0])
    window.AddRenderer(renderer)
    try:
        window.Render()
        return _pixels(window, size)
    finally:
        window.Finalize()


def _light(renderer: Any) -> None:
    """Light the scene from the upper left of the camera, and softly from the lower right."""
    from vtkmodules.vtkRenderingCore import vtkLight

    renderer.SetAutomaticLightCreation(False)
    for position, intensity in (((-0.5, 0.7, 1.0), 0.85), ((0.8, -0.3, 0.8), 0.30)):
        light = vtkLight()
        light.SetLightTypeToCameraLight()
        light.SetPosition(*position)
        light.SetFocalPoint(0, 0, 0)
        light.SetIntensity(intensity)
        renderer.AddLight(light)


def _aim(renderer: Any, geometry: Geometry, camera: Camera, size: tuple[int, int]) -> None:
    """Aim a parallel camera so that the whole box fits the pane at zoom 1."""
    towards, up = view_axes(camera)
    right = np.cross(-towards, up)
    extent = np.asarray(geometry.shape) * geometry.spacing
    edges = geometry.direction * extent
    half_height = 0.5 * np.abs(up @ edges).sum()
    half_width = 0.5 * np.abs(right @ edges).sum()
    depth = float(np.linalg.norm(extent))
    centre = geometry.centre
    view = renderer.GetActiveCamera()
    view.SetParallelProjection(True)
    view.SetFocalPoint(*centre)
    view.SetPosition(*(centre + towards * 2 * depth))
    view.SetViewUp(*up)
    fitting = max(half_height, half_width * size[0] / size[1])
    view.SetParallelScale(1.08 * fitting / camera.zoom)
    view.SetClippingRange(depth, 3 * depth)


def _pixels(window: Any, size: tuple[int, int]) -> Picture:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

    pixels = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, size[1] - 1, size[0] - 1, 0, pixels, 0)
    picture = vtk_to_numpy(pixels).reshape(size[0], size[1], 3)
    return np.ascontiguousarray(picture[::-1])
