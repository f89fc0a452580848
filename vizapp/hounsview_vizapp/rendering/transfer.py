"""What a volume rendering shows, as VTK takes it."""

from __future__ import annotations

from typing import Any

from hounsview.presets import RenderingPreset, fill_curves, fill_looks


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
