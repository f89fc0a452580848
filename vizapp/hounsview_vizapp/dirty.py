"""Which panes a change of the state can alter: what need not be drawn is not."""

from __future__ import annotations

from typing import Final

from hounsview.viewstate import PLANES, ViewState

PANES: Final = (*PLANES, "3d")


def seen_panes(state: ViewState) -> tuple[str, ...]:
    """Return the panes that a layout shows."""
    return PANES if state.layout == "four-up" else (state.layout,)


def panes_touched(before: ViewState, after: ViewState) -> set[str]:
    """Return the panes whose picture a change of the state can alter."""
    from hounsview_vizapp.rendering import same_scene

    touched = set()
    if not same_scene(before, after):
        touched.add("3d")
    shared = (
        "window", "colormap", "crosshair", "oblique", "slab", "show_labels", "show_crosshair",
        "measurements", "overlays",
    )  # fmt: skip
    all_planes = any(getattr(before, name) != getattr(after, name) for name in shared)
    for plane in PLANES:
        if all_planes or before.plane(plane) != after.plane(plane):
            touched.add(plane)
    if before.layout != after.layout:
        touched.update(PANES)
    return touched
