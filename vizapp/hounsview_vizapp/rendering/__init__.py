"""The volume pane: (volume, state, size) -> picture, by VTK and pyvista off screen."""

from hounsview_vizapp.rendering.picture import volume_pane

__all__ = ["volume_pane"]
