"""Surfaces as mesh files, in patient LPS mm."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hounsview.errors import ArgumentError
from hounsview.viewstate import Surface
from hounsview.volume import Volume
from hounsview.writing import atomic_file
from hounsview_vizapp.rendering.surfaces import surface_mesh

FORMATS: Final = (".stl", ".ply", ".obj")


def write_mesh(volume: Volume, surface: Surface, path: Path, *, table: bool = True) -> Path:
    """Write a surface at full resolution; return its path.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    surface : Surface
    path : Path
        Ends in ``.stl`` (binary), ``.ply`` (binary) or ``.obj``.
    table : bool
        Whether the table may be a part of it.

    Raises
    ------
    ArgumentError
        If the ending is another, or the level occurs nowhere.
    NotHounsfieldError
        If the unit is not HU.
    WriteError
        If it cannot be written.
    """
    import pyvista

    if path.suffix.lower() not in FORMATS:
        msg = f"{path}: meshes are written as {', '.join(FORMATS)}"
        raise ArgumentError(msg)
    mesh = pyvista.wrap(surface_mesh(volume, surface, table=table))
    if not mesh.n_cells:
        msg = f"nothing in this volume has a surface at {surface.level:g} HU: no mesh"
        raise ArgumentError(msg)
    with atomic_file(path) as temporary:
        # pyvista tells the format by the name.
        named = temporary.with_name(temporary.name + path.suffix.lower())
        try:
            mesh.save(named)
            named.replace(temporary)
        finally:
            named.unlink(missing_ok=True)
    return path
