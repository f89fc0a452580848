"""What mouse and keys do, in words: one table for every front end's help."""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import groupby
from typing import Final

from hounsview_vizapp.tools.actions import actions

MOUSE: Final[Mapping[str, str]] = {
    "Wheel": "slices; in 3D: zoom",
    "Left": "the chosen tool; in 3D: turn",
    "Right, drag": "window: right wider, up higher; in 3D: shift of the transfer function",
    "Middle, drag": "move the picture (also Shift + left)",
    "Ctrl + wheel": "zoom (also Ctrl + left, drag)",
    "Shift + wheel": "slab thickness",
    "Double click": "this pane alone, or all four",
    "Left on a measurement": "move it, or one of its points",
}


def guide(without: Container[str] = ()) -> dict[str, dict[str, str]]:
    """Return by heading what each key, or movement of the mouse, does.

    Parameters
    ----------
    without : container of str
        Keys that a front end does not get.
    """
    groups: dict[str, dict[str, str]] = {"Mouse": dict(MOUSE)}
    for name, members in groupby(actions().values(), lambda action: action.group):
        shown = [([key for key in a.keys if key not in without], a.label) for a in members]
        groups[name] = {", ".join(keys): label for keys, label in shown if keys}
    return groups
