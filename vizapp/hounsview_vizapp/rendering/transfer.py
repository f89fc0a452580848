"""What a volume rendering shows: a preset and what a person changed of it, for VTK."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hounsview.presets import RenderingPreset, rendering_presets
from hounsview.viewstate import Transfer, ViewState


def preset_of(state: ViewState) -> RenderingPreset:
    """Return the preset as the state changed it: own points, shift, opacity and light."""
    return changed(rendering_presets()[state.rendering], state.transfer)


def changed(preset: RenderingPreset, transfer: Transfer) -> RenderingPreset:
    """Return a preset with other points, moved in HU, its opacity multiplied."""
    opacity = transfer.scalar_opacity or preset.scalar_opacity
    color = transfer.color or preset.color
    shift = transfer.shift
    return replace(
        preset,
        scalar_opacity=tuple((hu + shift, share * transfer.opacity) for hu, share in opacity),
        color=tuple((point[0] + shift, *point[1:]) for point in color),
        shade=preset.shade if transfer.shade is None else transfer.shade,
    )


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
