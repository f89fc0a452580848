"""Tissues of a volume as segments, their numbers as a table and a plot, their surfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from HounsViewLib import looking

SURFACES = ("bone", "lung", "skin")


def require_opencv() -> None:
    """Install OpenCV, which tissues need, where it is not there; asks the person first."""
    from importlib.util import find_spec

    if find_spec("cv2") is not None:
        return
    import slicer.util

    wanted = "opencv-python-headless>=4.11,<5"
    try:
        from slicer.packaging import pip_ensure
    except ImportError:  # before Slicer 5.12
        slicer.util.pip_install(wanted)
        return
    from packaging.requirements import Requirement

    # Text alone is not taken by every Slicer that has this function.
    pip_ensure([Requirement(wanted)], requester="HounsView")


def segment(node: Any, scene: Any) -> tuple[Any, Any, Any]:
    """Return the segmentation of a volume's tissues, a table of numbers, and a chart.

    They take the place of those that were found before.
    """
    require_opencv()
    import hounsview as hv
    from hounsview import mrml

    volume = mrml.volume_of(node)
    found = hv.masks.segment(volume)
    with mrml.all_or_nothing(scene):
        return mrml.add_tissues(volume, found, node, scene)


def way_back(node: Any, scene: Any) -> Callable[[], object] | None:
    """Return what brings back the tissues that a volume has now; None where it has none."""
    from hounsview import mrml

    held = mrml.companion(node, mrml.TISSUES)
    if held is None:
        return None
    name = held.GetName()

    def back() -> None:
        if node.GetScene() is not scene:
            return
        if held.GetScene() is scene:  # a person had changed it, so that it stayed
            held.SetName(name)
            display = held.GetDisplayNode()
            if display is not None:
                display.SetVisibility(True)
            mrml.attach(node, mrml.TISSUES, held)
            return
        from hounsview.masks import Tissues  # needs OpenCV, which may be asked for only now

        found = Tissues(mrml.tissues_of(held, mrml.own_grid_of(node)), {}, ())
        if found.masks:
            with mrml.all_or_nothing(scene):
                mrml.add_tissues(mrml.volume_of(node), found, node, scene)

    return back


def set_surface(node: Any, tissue: str, shown: bool, scene: Any) -> list[str]:
    """Show or hide the surface of "bone", "lung" or "skin"; return what was not found."""
    if shown:
        require_opencv()
    from dataclasses import replace

    from hounsview import mrml
    from hounsview.anatomy import SURFACE_LOOKS
    from hounsview.viewstate import Surface

    state = mrml.view_of(node, scene)
    surfaces = {one.name: one for one in state.surfaces}
    before = surfaces.get(tissue, Surface(tissue, None, *SURFACE_LOOKS[tissue]))
    surfaces[tissue] = replace(before, shown=shown)
    notes: list[str] = []
    changed = state.changed(surfaces=tuple(surfaces.values()))
    if shown:
        looking.face(node, scene)
    with mrml.all_or_nothing(scene):
        mrml.show_tissues(changed, node, scene, None, notes.append)
    return notes


def show_numbers(node: Any, scene: Any) -> None:
    """Show the table of a volume's tissues beside the slices.

    Raises
    ------
    ValueError
        If no tissues were found yet.
    """
    from hounsview import mrml

    mrml.show_table(_found(node, mrml.NUMBERS), scene)


def show_chart(node: Any, scene: Any) -> None:
    """Show the histogram of a volume's tissues beside the slices.

    Raises
    ------
    ValueError
        If no tissues were found yet.
    """
    from hounsview import mrml

    mrml.show_chart(_found(node, mrml.CHART), scene)


def _found(node: Any, role: str) -> Any:
    from hounsview import mrml

    found = mrml.companion(node, role)
    if found is None:
        msg = f"no tissues were found in {node.GetName()} yet: find them first"
        raise ValueError(msg)
    return found
