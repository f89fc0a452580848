"""Slice panes: (volume, state, size) -> picture, by numpy and OpenCV, without a window."""

from hounsview_vizapp.panes.captions import text_height
from hounsview_vizapp.panes.coloring import full_window, shown_window
from hounsview_vizapp.panes.pointer import Reading, reading_at
from hounsview_vizapp.panes.slices import slice_pane
from hounsview_vizapp.panes.stepping import slice_number, step

__all__ = [
    "Reading",
    "full_window",
    "reading_at",
    "shown_window",
    "slice_number",
    "slice_pane",
    "step",
    "text_height",
]
