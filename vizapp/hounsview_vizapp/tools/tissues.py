"""Tissues over the slices and as surfaces: their colours, and how they are toggled."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from hounsview.anatomy import COLORS, SURFACE_LOOKS
from hounsview.viewstate import Overlay, Surface
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.scenery import Scenery

Part = TypeVar("Part", Overlay, Surface)

OVERLAYS: Final = COLORS
"""Tissues by the names that `hounsview.masks` gives them, and the colour of each."""
_OPACITY: Final = 0.4


def label_of(name: str) -> int:
    """Return the value of a tissue in label maps of `hounsview.masks`."""
    from hounsview.anatomy import LABELS

    return LABELS[name]


def shown_overlays(state: ViewerState) -> set[str]:
    """Return the names of the tissues that are shown."""
    return {overlay.name for overlay in state.overlays if overlay.shown}


def toggle_overlay(name: str, scenery: Scenery) -> None:
    """Show a tissue over the slices, or hide it."""
    overlays = scenery.state.overlays
    opacity = overlays[0].opacity if overlays else _OPACITY
    new = Overlay(label_of(name), name, OVERLAYS[name], opacity)
    scenery.state.overlays = _toggled(overlays, new)


def toggle_surface(tissue: str, scenery: Scenery) -> None:
    """Show a tissue's surface, or hide it."""
    new = Surface(tissue, None, *SURFACE_LOOKS[tissue])
    scenery.state.surfaces = _toggled(scenery.state.surfaces, new)


def _toggled(parts: tuple[Part, ...], new: Part) -> tuple[Part, ...]:
    """Return parts with the first of a name shown or hidden, or with a new one."""
    changed = list(parts)
    for place, part in enumerate(parts):
        if part.name == new.name:
            changed[place] = replace(part, shown=not part.shown)
            break
    else:
        changed.append(new)
    return tuple(changed)
