"""Session files (``*.hounsview.json``) in Slicer: read into a scene, written from one."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hounsview.errors import ArgumentError, HounsviewError
from hounsview.images.importing import is_image_file
from hounsview.mrml.companions import all_or_nothing
from hounsview.mrml.panes import show_in_slices
from hounsview.mrml.renderings import CPU_RENDERING
from hounsview.mrml.stamps import voxels_stamp
from hounsview.mrml.views import ShownView, show_view, view_of
from hounsview.mrml.volumes import own_grid_of, unit_of, volume_node, volume_of
from hounsview.sessions import Session, Source, fingerprint, load_session, write_session
from hounsview.viewstate.plaindata import from_plain, to_plain
from hounsview.viewstate.state import parsed_json

if TYPE_CHECKING:
    from hounsview.scanning import Progress
    from hounsview.volume import Volume

_SOURCE: Final = "hounsview.source"
"""Attribute of a volume node: the source of a session, JSON."""
_AS_READ: Final = "hounsview.source.is"
"""Attribute of a volume node: voxels and grid as they were when its source was noted."""
_SAME_MM: Final = 1e-3
_UID: Final = "SeriesInstanceUID"


def note_source(node: Any, source: Source) -> None:
    """Let a volume node know where it came from, for session files; as it is now."""
    node.SetAttribute(_SOURCE, json.dumps(to_plain(source)))
    grid = own_grid_of(node).affine.tolist()
    node.SetAttribute(_AS_READ, json.dumps([voxels_stamp(node), grid]))


def source_of(node: Any) -> Source:
    """Return where a volume node came from: by us, or from a file that Slicer read.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode

    Raises
    ------
    ArgumentError
        If the node does not say it.
    """
    if node.GetAttribute(_SOURCE) is not None:
        return _noted_source(node)
    storage = node.GetStorageNode()
    name = "" if storage is None else storage.GetFileName() or ""
    if not name or not Path(name).is_file():
        msg = (
            f"{node.GetName()} does not say which scan it is: a session file names a folder or "
            "file. Save the volume as .nrrd first, or load the scan with HounsView"
        )
        raise ArgumentError(msg)
    if not is_image_file(name):
        msg = (
            f"{node.GetName()} came from {Path(name).name}, which alone does not say the whole "
            "scan: load the scan with HounsView, or save the volume as .nrrd first"
        )
        raise ArgumentError(msg)
    volume = volume_of(node)
    if volume.valid is not None:
        msg = (
            f"{node.GetName()} has voxels that were not measured, and {Path(name).name} does "
            "not say which: another program would count them. Load it with HounsView, or "
            "write the volume as .npz (hounsview.write) and make the session of that"
        )
        raise ArgumentError(msg)
    unit = volume.unit
    return Source(str(Path(name).absolute()), unit=unit if unit == "HU" else None)


def _noted_source(node: Any) -> Source:
    try:
        plain = parsed_json(node.GetAttribute(_SOURCE), "a source")
        source: Source = from_plain(Source, plain, "source")
    except HounsviewError as error:
        msg = f"where {node.GetName()} came from cannot be read: {error}"
        raise ArgumentError(msg) from error
    is_image = source.path is not None and not source.series_uid and is_image_file(source.path)
    if is_image and source.unit is None and unit_of(node) == "HU":
        # The file did not say it; a person did, afterwards. The fingerprint was of no unit.
        return replace(source, unit="HU", fingerprint="")
    return source


def session_of(node: Any, scene: Any) -> Session:
    """Return the session of a volume node: where it came from, and what a scene shows of it.

    Raises
    ------
    ArgumentError
        If the node does not say where it came from; if its voxels or its grid were changed
        since, or a transform is above it: another program would show something else there.
    """
    if node.GetParentTransformNode() is not None:
        msg = (
            f"{node.GetName()} lies under a transform, which a session file cannot say: save "
            "the volume with the transform hardened, and make the session of that"
        )
        raise ArgumentError(msg)
    state, source = view_of(node, scene), source_of(node)
    if _is_changed(node):
        msg = (
            f"{node.GetName()} was changed since it was loaded from {source.path}, and a "
            "session shows the scan as it is there: save the volume as .nrrd, load that, and "
            "make the session of it"
        )
        raise ArgumentError(msg)
    return Session(state, source)


def _is_changed(node: Any) -> bool:
    """Return whether voxels or grid of a node are no longer those of its source."""
    text = node.GetAttribute(_AS_READ)
    if node.GetAttribute(_SOURCE) is None:
        return bool(node.GetModifiedSinceRead())
    if text is None:  # noted by an older version
        return False
    try:
        stamp, affine = parsed_json(text, "what a source was")
        before = np.asarray(affine, float).reshape(4, 4)
    except (HounsviewError, TypeError, ValueError):
        return True
    now = own_grid_of(node)
    turned = now.affine.copy()  # Slicer's reader reverses k of left-handed volumes
    turned[:3, 3] += turned[:3, 0] * (now.shape[0] - 1)
    turned[:3, 0] *= -1
    apart = min(np.abs(each - before).max() for each in (now.affine, turned))
    return bool(stamp != voxels_stamp(node) or apart > _SAME_MM)


def save_session(node: Any, scene: Any, file: str | os.PathLike[str]) -> Path:
    """Write the session of a volume node, whole or not at all; return its path.

    Raises
    ------
    ArgumentError
        As `session_of` says.
    WriteError
        If it cannot be written.
    """
    return write_session(session_of(node, scene), file)


def show_session(
    session: Session,
    scene: Any,
    *,
    path: str | os.PathLike[str] | None = None,
    rendering_class: str = CPU_RENDERING,
    progress: Progress | None = None,
) -> tuple[Any, ShownView]:
    """Load what a session shows, show it, and return the volume node and the nodes that do.

    Where this fails the scene stays as it was.

    Parameters
    ----------
    session : Session
    scene : vtkMRMLScene
    path : path-like, optional
        Where the scan is now, if it was moved.
    rendering_class : str
        As for `show_view`.
    progress
        As for `hounsview.load`.

    Raises
    ------
    HounsviewError
        What `hounsview.load_session` raises, and `volume_node`.
    """
    volume, found = load_session(session, path, progress=progress)
    source = replace(session.source, fingerprint=fingerprint(volume))
    if found is not None:
        source = replace(source, path=str(found.absolute()))
    with all_or_nothing(scene):
        node = volume_node(volume, scene, name=name_of(source, volume))
        note_source(node, source)
        show_in_slices(node, scene)
        shown = show_view(session.state, node, scene, rendering_class=rendering_class)
    return node, shown


def name_of(source: Source, volume: Volume) -> str:
    """Return what to call a volume: its series, else its file or folder, else its phantom."""
    described = " ".join(volume.attributes.get("SeriesDescription", "").split())
    if described:
        return described
    return Path(source.path).name if source.path else f"{source.phantom} phantom"


def source_at(path: str | os.PathLike[str], volume: Volume, *, key: str = "") -> Source:
    """Return the source of a volume that was loaded from a path.

    Parameters
    ----------
    path : path-like
    volume : Volume
    key : str
        `hounsview.Series.key`, where a folder holds several.
    """
    uid = volume.attributes.get(_UID, "")
    # DICOM says its unit itself, and is refused together with one.
    unit = volume.unit if is_image_file(path) and not uid and volume.unit == "HU" else None
    place, known = str(Path(path).absolute()), fingerprint(volume)
    return Source(place, series_uid=uid, series_key=key, unit=unit, fingerprint=known)
