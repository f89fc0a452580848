"""Tissues over the slices: which there are, their colours, and how they are toggled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hounsview.viewstate import Overlay
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.scenery import Scenery

Color = tuple[float, float, float]

OVERLAYS: Final[Mapping[str, Color]] = {
    "bone": (1.0, 0.86, 0.55),
    "left_lung": (0.40, 0.75, 1.0),
    "right_lung": (0.45, 0.95, 0.75),
    "airways": (0.75, 0.55, 1.0),
    "fat": (1.0, 0.80, 0.25),
    "soft_tissue": (0.90, 0.40, 0.36),
    "skin": (0.95, 0.65, 0.55),
    "contrast": (1.0, 0.35, 0.75),
    "metal": (0.75, 0.95, 1.0),
}
"""Tissues by the names that `hounsview.masks` gives them, and the colour of each."""
_OPACITY: Final = 0.4


def label_of(name: str) -> int:
    """Return the value of a tissue in label maps of `hounsview.masks`."""
    from hounsview.masks import LABELS

    return LABELS[name]


def shown_overlays(state: ViewerState) -> set[str]:
    """Return the names of the tissues that are shown."""
    return {overlay.name for overlay in state.overlays if overlay.shown}


def toggle_overlay(name: str, scenery: Scenery) -> None:
    """Show a tissue over the slices, or hide it."""
    overlays = list(scenery.state.overlays)
    for place, overlay in enumerate(overlays):
        if overlay.name == name:
            overlays[place] = replace(overlay, shown=not overlay.shown)
            break
    else:
        opacity = overlays[0].opacity if overlays else _OPACITY
        overlays.append(Overlay(label_of(name), name, OVERLAYS[name], opacity))
    scenery.state.overlays = tuple(overlays)
