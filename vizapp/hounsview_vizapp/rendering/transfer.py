"""What a volume rendering shows, as VTK takes it."""

from __future__ import annotations

from typing import Any

from hounsview.presets import (
    RenderingPreset,
    fill_curves,
    fill_looks,
    rendering_presets,
)
from hounsview.viewstate import ViewState


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
    fill_curves(preset, mean_edge, color=color, opacity=opacity, gradient=gradient)
    made = vtkVolumeProperty()
    made.SetColor(color)
    made.SetScalarOpacity(opacity)
    if preset.gradient_opacity:
        made.SetGradientOpacity(gradient)
    fill_looks(preset, made)
    return made
