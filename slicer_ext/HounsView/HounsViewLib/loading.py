"""From a folder, file or session to a volume node that is seen."""

from __future__ import annotations

from typing import Any


def choices(path: str) -> list[tuple[str, str]]:
    """Return (what to call it, key) of each CT volume under a path; empty for image files.

    Raises
    ------
    ValueError
        If the path is empty.
    hounsview.HounsviewError
        If nothing is there.
    """
    import hounsview as hv

    if not path:
        msg = "name a folder or file first"
        raise ValueError(msg)
    if hv.is_image_file(path):
        return []
    found = [one for one in hv.scan(path).series if one.kind == "volume"]
    return [(_label(one), one.key) for one in found]


def _label(series: Any) -> str:
    size = " x ".join(map(str, series.shape or ()))
    named = " ".join((series.description or "no description").split())
    known = "refused" if series.report.of("refusal") else size
    return ", ".join(filter(None, (f"{series.number}: {named}", known)))


def load(path: str, scene: Any, series: str = "") -> Any:
    """Return the volume node of the one CT volume under a path, with window and findings.

    Parameters
    ----------
    path : str
    scene : vtkMRMLScene
        Stays as it was where this fails.
    series : str
        Key of the series, where there are several.

    Raises
    ------
    hounsview.AmbiguousSeriesError
        If several volumes lie there and none is named.
    hounsview.HounsviewError
        If nothing can be loaded.
    """
    import hounsview as hv
    from hounsview import mrml

    volume = hv.load(path, series=series or None)
    source = mrml.source_at(path, volume, key=series)
    with mrml.all_or_nothing(scene):
        node = mrml.volume_node(volume, scene, name=mrml.name_of(source, volume))
        mrml.note_source(node, source)
        mrml.show_fitting(node, scene)
    return node


def open_session(
    file: str, scene: Any, rendering: str, path: str = ""
) -> tuple[Any, list[str]]:
    """Return the volume node that a session file shows, and what of it Slicer cannot show.

    Parameters
    ----------
    file : str
    scene : vtkMRMLScene
        Stays as it was where this fails.
    rendering : str
        Class of the volume rendering's display node.
    path : str
        Where the scan is now, if it was moved.
    """
    import hounsview as hv
    from hounsview import mrml
    from HounsViewLib import tissues

    session = hv.read_session(file)
    if session.state.surfaces or session.state.overlays:
        tissues.require_opencv()
    node, shown = mrml.show_session(
        session, scene, path=path or None, rendering_class=rendering
    )
    return node, list(shown.notes)


def is_moved(file: str) -> bool:
    """Return whether the scan of a session file is no longer where the file says."""
    import hounsview as hv

    session = hv.read_session(file)
    return bool(session.candidates()) and not any(p.exists() for p in session.candidates())


def save_session(node: Any, scene: Any, file: str) -> str:
    """Write the view of a volume node as a session file; return its path."""
    from hounsview import mrml

    return str(mrml.save_session(node, scene, file))
