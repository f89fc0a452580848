"""Volume and view as MRML nodes: alike inside 3D Slicer and on slicer-core.

Importing this package loads neither VTK nor Slicer, and OpenCV only with what needs tissues.
Every function that makes nodes takes the scene: `slicer.mrmlScene` inside Slicer, `new_scene`
outside.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "application": (
        "check_target",
        "new_scene",
        "read_scene",
        "write_scene",
    ),
    "auditing": (
        "audit",
        "repaired",
    ),
    "companions": (
        "all_or_nothing",
        "attach",
        "companion",
        "companions_of",
        "remove",
        "remove_all",
        "remove_orphans",
    ),
    "layers": (
        "segment_ids",
        "segment_mask",
    ),
    "layouts": ("show_layout",),
    "markups": (
        "markups_node",
        "measurements_of",
        "start_placing",
        "stop_placing",
    ),
    "marks": ("MARKS",),
    "models": (
        "mesh_of",
        "model_node",
    ),
    "panes": (
        "show_fitting",
        "show_in_slices",
        "show_slices_in_3d",
    ),
    "plots": (
        "show_chart",
        "show_table",
        "tissue_histogram",
    ),
    "probing": ("markups_rows",),
    "renderings": (
        "CPU_RENDERING",
        "GPU_RENDERING",
        "crop_node",
        "has_rendering",
        "show_rendering",
    ),
    "scenes": ("save_scene",),
    "segments": (
        "tissue_segmentation",
        "tissue_table",
        "tissues_of",
    ),
    "sessions": (
        "name_of",
        "note_source",
        "save_session",
        "session_of",
        "show_session",
        "source_at",
        "source_of",
    ),
    "space": (
        "body_box",
        "look_at",
    ),
    "tables": (
        "rows_of",
        "table_node",
    ),
    "tissueviews": (
        "CHART",
        "NUMBERS",
        "SURFACE",
        "TISSUES",
        "add_tissues",
        "show_tissues",
    ),
    "views": (
        "ShownView",
        "markups_in",
        "show_view",
        "view_of",
    ),
    "volumes": (
        "FINDINGS_TABLE",
        "geometry_of",
        "own_grid_of",
        "say_hu",
        "set_window",
        "unit_of",
        "volume_node",
        "volume_of",
        "window_of",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [*_MODULE_OF]

if TYPE_CHECKING:
    from hounsview.mrml.application import check_target as check_target
    from hounsview.mrml.application import new_scene as new_scene
    from hounsview.mrml.application import read_scene as read_scene
    from hounsview.mrml.application import write_scene as write_scene
    from hounsview.mrml.auditing import audit as audit
    from hounsview.mrml.auditing import repaired as repaired
    from hounsview.mrml.companions import all_or_nothing as all_or_nothing
    from hounsview.mrml.companions import attach as attach
    from hounsview.mrml.companions import companion as companion
    from hounsview.mrml.companions import companions_of as companions_of
    from hounsview.mrml.companions import remove as remove
    from hounsview.mrml.companions import remove_all as remove_all
    from hounsview.mrml.companions import remove_orphans as remove_orphans
    from hounsview.mrml.layers import segment_ids as segment_ids
    from hounsview.mrml.layers import segment_mask as segment_mask
    from hounsview.mrml.layouts import show_layout as show_layout
    from hounsview.mrml.marks import MARKS as MARKS
    from hounsview.mrml.markups import markups_node as markups_node
    from hounsview.mrml.markups import measurements_of as measurements_of
    from hounsview.mrml.markups import start_placing as start_placing
    from hounsview.mrml.markups import stop_placing as stop_placing
    from hounsview.mrml.models import mesh_of as mesh_of
    from hounsview.mrml.models import model_node as model_node
    from hounsview.mrml.panes import show_fitting as show_fitting
    from hounsview.mrml.panes import show_in_slices as show_in_slices
    from hounsview.mrml.panes import show_slices_in_3d as show_slices_in_3d
    from hounsview.mrml.plots import show_chart as show_chart
    from hounsview.mrml.plots import show_table as show_table
    from hounsview.mrml.plots import tissue_histogram as tissue_histogram
    from hounsview.mrml.probing import markups_rows as markups_rows
    from hounsview.mrml.renderings import CPU_RENDERING as CPU_RENDERING
    from hounsview.mrml.renderings import GPU_RENDERING as GPU_RENDERING
    from hounsview.mrml.renderings import crop_node as crop_node
    from hounsview.mrml.renderings import has_rendering as has_rendering
    from hounsview.mrml.renderings import show_rendering as show_rendering
    from hounsview.mrml.scenes import save_scene as save_scene
    from hounsview.mrml.segments import tissue_segmentation as tissue_segmentation
    from hounsview.mrml.segments import tissue_table as tissue_table
    from hounsview.mrml.segments import tissues_of as tissues_of
    from hounsview.mrml.sessions import name_of as name_of
    from hounsview.mrml.sessions import note_source as note_source
    from hounsview.mrml.sessions import save_session as save_session
    from hounsview.mrml.sessions import session_of as session_of
    from hounsview.mrml.sessions import show_session as show_session
    from hounsview.mrml.sessions import source_at as source_at
    from hounsview.mrml.sessions import source_of as source_of
    from hounsview.mrml.space import body_box as body_box
    from hounsview.mrml.space import look_at as look_at
    from hounsview.mrml.tables import rows_of as rows_of
    from hounsview.mrml.tables import table_node as table_node
    from hounsview.mrml.tissueviews import CHART as CHART
    from hounsview.mrml.tissueviews import NUMBERS as NUMBERS
    from hounsview.mrml.tissueviews import SURFACE as SURFACE
    from hounsview.mrml.tissueviews import TISSUES as TISSUES
    from hounsview.mrml.tissueviews import add_tissues as add_tissues
    from hounsview.mrml.tissueviews import show_tissues as show_tissues
    from hounsview.mrml.views import ShownView as ShownView
    from hounsview.mrml.views import markups_in as markups_in
    from hounsview.mrml.views import show_view as show_view
    from hounsview.mrml.views import view_of as view_of
    from hounsview.mrml.volumes import FINDINGS_TABLE as FINDINGS_TABLE
    from hounsview.mrml.volumes import geometry_of as geometry_of
    from hounsview.mrml.volumes import own_grid_of as own_grid_of
    from hounsview.mrml.volumes import say_hu as say_hu
    from hounsview.mrml.volumes import set_window as set_window
    from hounsview.mrml.volumes import unit_of as unit_of
    from hounsview.mrml.volumes import volume_node as volume_node
    from hounsview.mrml.volumes import volume_of as volume_of
    from hounsview.mrml.volumes import window_of as window_of


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
