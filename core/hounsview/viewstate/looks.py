"""What a volume rendering shows: a preset and what a person changed of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hounsview.presets import RenderingPreset, rendering_presets
from hounsview.viewstate.parts import Transfer
from hounsview.viewstate.state import ViewState

BRIGHT_HU: Final = 3071.0
"""Never the least value on a ray that meets tissue."""
INSIDE_MM: Final = -4.0
SKIN_MM: Final = 3.0
_AIR_LIKE_HU: Final = -600
_AIR_HU: Final = -1024.0
"""That of `hounsview.AIR_HU`, which stands above this module."""


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


def outside_body(
    preset: RenderingPreset, lowest: float, *, table: bool
) -> tuple[float | None, float]:
    """Return what a rendering puts in place of all that is outside the body, and from where.

    Parameters
    ----------
    preset : RenderingPreset
    lowest : float, HU
        As `lowest_shown` gives it: below -600 the preset shows air, and then the air around
        the body would hide the rest.
    table : bool
        Whether the table is shown.

    Returns
    -------
    outside : float, HU, or None
        None leaves everything as it is.
    margin : float, mm
        How far beyond the body's outline its inside reaches; below 0 leaves the rim out.
    """
    if preset.kind == "minip":
        return BRIGHT_HU, INSIDE_MM
    if preset.kind == "composite" and lowest < _AIR_LIKE_HU:
        return 0.0, INSIDE_MM
    return None if table else _AIR_HU, SKIN_MM
