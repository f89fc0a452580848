"""The volume pane: a scene in 3D, (volume, state) -> frames, by VTK and pyvista off screen."""

from hounsview_vizapp.rendering.opengl import prepare
from hounsview_vizapp.rendering.picture import volume_pane
from hounsview_vizapp.rendering.scene import Scene
from hounsview_vizapp.rendering.thread import Executor, OwnThread, Turns, use_main_loop
from hounsview_vizapp.rendering.wishes import Frame, same_scene, scene_key

__all__ = [
    "Executor",
    "Frame",
    "OwnThread",
    "Scene",
    "Turns",
    "prepare",
    "same_scene",
    "scene_key",
    "use_main_loop",
    "volume_pane",
]
