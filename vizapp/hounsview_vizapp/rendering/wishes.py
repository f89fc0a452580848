"""What is asked of a scene, and what it answers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from hounsview.viewstate import ViewState
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.rendering.labels import label_height


@dataclass(frozen=True)
class Wish:
    """One picture that somebody wants.

    Parameters
    ----------
    state : ViewState
    size : (rows, columns)
        Of the picture, px.
    moving : bool
        Whether it will be replaced at once: then speed counts more than detail.
    pixel_ratio : float
        Pixels of the picture per point of the screen: text grows with it.
    """

    state: ViewState
    size: tuple[int, int]
    moving: bool = False
    pixel_ratio: float = 1.0


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a scene.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB
    state : ViewState
        What it shows.
    is_final : bool
        Whether no finer picture of this request will follow.
    resolution : str
        Such as ``"REDUCED TO 1.6 mm"``; empty when every voxel was drawn.
    mm_per_pixel : float
        In the plane of the picture; 0 in a picture of an error.
    error : str
        Why there is no picture; the sentence stands in `picture` as well.
    """

    picture: Picture
    state: ViewState
    is_final: bool
    resolution: str = ""
    mm_per_pixel: float = 0.0
    error: str = ""


def failed(wish: Wish, error: Exception) -> Frame:
    """Return a frame that says in words why there is no picture."""
    words = str(error) or type(error).__name__
    picture = drawing.blank(wish.size)
    height = label_height(wish.size, wish.pixel_ratio)
    if height:
        drawing.draw_sentence(picture, words, height=height)
    return Frame(picture, wish.state, is_final=True, error=words)


def scene_key(state: ViewState) -> Hashable:
    """Return what the 3D picture depends on: states with equal keys look the same in 3D.

    The crosshair, the turn of the planes and the window count only while the planes are
    shown in 3D; measurements, label maps and the panes of the planes never do.
    """
    planes = (state.window, state.crosshair, state.oblique) if state.show_planes else None
    volume = None
    if state.show_volume:
        volume = (state.rendering, state.rendering_beside, state.transfer)
    surfaces = tuple(surface for surface in state.surfaces if surface.shown)
    view = (state.camera, state.crop, state.quality, state.show_table, state.show_labels)
    return (planes, volume, surfaces, *view)


def same_scene(before: ViewState, after: ViewState) -> bool:
    """Return whether two states look the same in 3D, so that nothing need be drawn.

    Examples
    --------
    >>> state = ViewState()
    >>> same_scene(state, state.changed(crosshair=(1, 2, 3)))
    True
    >>> same_scene(state, state.changed(camera={"azimuth": 90}))
    False
    """
    return scene_key(before) == scene_key(after)
