"""Slice panes: (volume, state, size) -> picture, by numpy and OpenCV, without a window."""

from hounsview_vizapp.panes.slices import slice_pane

__all__ = ["slice_pane"]
