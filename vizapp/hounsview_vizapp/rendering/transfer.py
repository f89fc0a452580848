"""What a volume rendering shows, as VTK takes it."""

from __future__ import annotations

from typing import Any

from hounsview.presets import RenderingPreset, rendering_presets
from hounsview.viewstate import ViewState
from hounsview.viewstate.looks import changed, preset_of

__all__ = ["changed", "lowest_shown", "preset_of", "property_of"]


def lowest_shown(state: ViewState) -> float:
    """Return the first point of opacity, HU, before it is shifted.

    What a picture is made of hangs on this one: it must not change while a person drags
    the shift from tissue towards air.
    """
    points = (
        state.transfer.scalar_opacity or rendering_presets()[state.rendering].scalar_opacity
    )
    return points[0][0]


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
