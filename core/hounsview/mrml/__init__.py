"""Volume and view as MRML nodes: alike inside 3D Slicer and on slicer-core.

Importing this package loads neither VTK nor Slicer. Every function that makes nodes takes the
scene: `slicer.mrmlScene` inside Slicer, `new_scene` outside.
"""

from hounsview.mrml.application import check_target, new_scene, read_scene, write_scene
from hounsview.mrml.audit import audit, repaired
from hounsview.mrml.layers import segment_ids, segment_mask
from hounsview.mrml.markups import markups_node, measurements_of
from hounsview.mrml.models import mesh_of, model_node
from hounsview.mrml.segments import tissue_segmentation, tissue_table, tissues_of
from hounsview.mrml.tables import rows_of, table_node
from hounsview.mrml.views import (
    ShownView,
    crop_node,
    show_in_slices,
    show_view,
    transfer_node,
    view_of,
)
from hounsview.mrml.volumes import (
    geometry_of,
    own_grid_of,
    set_window,
    volume_node,
    volume_of,
    window_of,
)

__all__ = [
    "ShownView",
    "audit",
    "check_target",
    "crop_node",
    "geometry_of",
    "markups_node",
    "measurements_of",
    "mesh_of",
    "model_node",
    "new_scene",
    "own_grid_of",
    "read_scene",
    "repaired",
    "rows_of",
    "segment_ids",
    "segment_mask",
    "set_window",
    "show_in_slices",
    "show_view",
    "table_node",
    "tissue_segmentation",
    "tissue_table",
    "tissues_of",
    "transfer_node",
    "view_of",
    "volume_node",
    "volume_of",
    "window_of",
    "write_scene",
]
