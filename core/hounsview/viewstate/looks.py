"""What a volume rendering shows: a preset and what a person changed of it."""

from __future__ import annotations

from dataclasses import replace

from hounsview.presets import RenderingPreset, rendering_presets
from hounsview.viewstate.parts import Transfer
from hounsview.viewstate.state import ViewState


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
