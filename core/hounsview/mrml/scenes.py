"""A volume and a view of it as one .mrb file: what 3D Slicer opens."""

from __future__ import annotations

import os
from pathlib import Path

from hounsview.mrml.application import check_target, new_scene, write_scene
from hounsview.mrml.panes import show_fitting
from hounsview.mrml.tissueviews import add_tissues
from hounsview.mrml.views import show_view
from hounsview.mrml.volumes import volume_node
from hounsview.progress import Progress, tell
from hounsview.viewstate import ViewState
from hounsview.volume import Volume


def save_scene(
    volume: Volume,
    path: str | os.PathLike[str],
    *,
    state: ViewState | None = None,
    tissues: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, tuple[str, ...]]:
    """Write a volume, and a view of it, into one .mrb file, whole or not at all.

    From a notebook: ``hv.mrml.save_scene(view.volume, "chest.mrb", state=view.state.value)``.
    Outside Slicer alone; it needs slicer-core.

    Parameters
    ----------
    volume : Volume
    path : path-like
        Ends in .mrb.
    state : ViewState, optional
        Window, planes, volume rendering, surfaces, tissues, crop box, camera, measurements.
        Without one Slicer shows the three planes.
    tissues : bool
        Whether to find the tissues and add them as segments, with their numbers.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Returns
    -------
    path : Path
    notes : tuple of str
        What of the view Slicer does not show, and what was not found.

    Raises
    ------
    ArgumentError
        If the ending is another, or slicer-core is not there.
    GeometryError
        If the axes do not stand at right angles.
    NotHounsfieldError
        If tissues are asked for of a volume that does not hold HU.
    CancelledError
        If `progress` returned False.
    WriteError
        If it cannot be written.
    """
    target = Path(path)
    check_target(target)
    found = None
    if tissues:
        from hounsview import masks

        found = masks.segment(volume, progress=progress)
    tell(progress, 0, 1, f"Writing {target.name}")
    scene = new_scene()
    node = volume_node(volume, scene, name=target.stem)
    show_fitting(node, scene)
    notes: tuple[str, ...] = ()
    if found is not None:
        add_tissues(volume, found, node, scene)
        notes = (*found.reasons.values(), *found.notes)
    if state is not None:
        notes += show_view(state, node, scene, tissues=found).notes
    write_scene(scene, target)
    tell(progress, 1, 1, f"Writing {target.name}")
    return target, tuple(dict.fromkeys(notes))
