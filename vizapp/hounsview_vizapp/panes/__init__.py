"""Slice panes: (volume, state, size) -> picture, by numpy and OpenCV, without a window."""

from hounsview_vizapp.panes.captions import text_height
from hounsview_vizapp.panes.frames import PlaneFrame, crosshair_of, plane_frame
from hounsview_vizapp.panes.pointer import Reading, reading_at
from hounsview_vizapp.panes.slices import slice_pane
from hounsview_vizapp.panes.stepping import slice_number, step

__all__ = [
    "PlaneFrame",
    "Reading",
    "crosshair_of",
    "plane_frame",
    "reading_at",
    "slice_number",
    "slice_pane",
    "step",
    "text_height",
]
