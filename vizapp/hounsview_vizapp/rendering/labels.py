"""What is written over the 3D picture, and the cube that says where the patient's sides are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.cameras import edge_letters, letter_of, view_axes
from hounsview.viewstate import Camera
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Color, Picture

_FINER: Final = 3
_FACE: Final = 96
_FACE_COLORS: Final = {"L": "sagittal", "P": "coronal", "S": "axial"}
_LIGHT: Final = np.array([-0.35, 0.5, 0.8])


def label_height(size: tuple[int, int], pixel_ratio: float) -> int:
    """Return the height of capitals, px, for a picture with so many px per screen point."""
    points = (round(size[0] / pixel_ratio), round(size[1] / pixel_ratio))
    return round(drawing.text_height(points) * pixel_ratio)


def draw_labels(
    picture: Picture,
    camera: Camera,
    name: str,
    badges: dict[str, Color],
    resolution: str,
    *,
    pixel_ratio: float = 1.0,
) -> None:
    """Write pane, preset, patient directions, badges and resolution, and draw the cube.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    camera : Camera
    name : str
        What is shown, such as the label of a preset.
    badges : dict of text -> colour
        What must be known of the volume: drawn however small the picture is.
    resolution : str
        What was reduced; empty: nothing.
    pixel_ratio : float
        Pixels of the picture per point of the screen.
    """
    rows, columns = picture.shape[:2]
    height = label_height((rows, columns), pixel_ratio)
    if not height:
        drawing.draw_badges(picture, badges, height=0)
        return
    margin = round(1.4 * height)
    top = margin + height // 2
    color = drawing.PLANE_COLORS["3d"]
    drawing.draw_text(picture, "3D", (top, margin), height=height, color=color)
    # The letter of the lower edge stands in the middle.
    name = drawing.elided(name, columns // 2 - margin - height, height)
    drawing.draw_text(picture, name, (rows - top, margin), height=height)
    places = [(top, columns // 2), (rows - top, columns // 2), (rows // 2, margin)]
    places.append((rows // 2, columns - margin))
    letters = dict(zip(places, edge_letters(camera), strict=True))
    drawing.draw_edges(picture, letters, height=height)
    draw_cube(picture, camera, side=4 * height, margin=margin)
    taken = [
        drawing.text_box(letter, at, height=round(1.25 * height), anchor="centre")
        for at, letter in letters.items()
    ]
    if resolution:
        badges = {**badges, resolution: drawing.BLUE}
    drawing.draw_badges(picture, badges, height=height, taken=taken)


def draw_cube(picture: Picture, camera: Camera, *, side: int, margin: int) -> None:
    """Draw a cube with a letter on each face in the bottom right corner.

    Parameters
    ----------
    picture : (rows, columns, 3) uint8 RGB, changed in place
    camera : Camera
    side : int
        Edge of the cube, px.
    margin : int
        px between the corner and the room that the cube needs in any position.
    """
    room = round(1.75 * side)
    corner = picture[-room - margin :, -room - margin :][:room, :room]
    if corner.shape[:2] != (room, room):
        return
    large = np.zeros((room * _FINER, room * _FINER, 4), np.float32)
    towards, up = view_axes(camera)
    right = np.cross(-towards, up)
    light = _LIGHT @ np.stack([right, up, towards])
    for axis in range(3):
        for sign in (1.0, -1.0):
            normal = np.eye(3)[axis] * sign
            if normal @ towards > 1e-3:
                shade = 0.62 + 0.38 * max(0.0, float(normal @ light))
                _draw_face(large, normal, (right, up), side * _FINER, shade)
    small = cv2.resize(large, (room, room), interpolation=cv2.INTER_AREA)
    cover = small[..., 3:]
    corner[:] = np.rint(corner * (1 - cover) + small[..., :3]).astype(np.uint8)


def _draw_face(
    large: npt.NDArray[np.float32],
    normal: npt.NDArray[np.float64],
    screen: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    side: int,
    shade: float,
) -> None:
    """Lay one face over (rows, columns, RGB and cover); faces in view never overlap."""
    across, down = _face_axes(normal)
    to_screen = np.stack([screen[0], -screen[1]])
    middle = np.full(2, large.shape[0] / 2)
    corners = [
        middle + side / 2 * (to_screen @ (normal + h * across + v * down))
        for h, v in ((-1, -1), (1, -1), (-1, 1))
    ]
    source = np.array([[0, 0], [_FACE, 0], [0, _FACE]], np.float32)
    matrix = cv2.getAffineTransform(source, np.array(corners, np.float32))
    face = _face(letter_of(normal)).copy()
    face[..., :3] *= shade
    laid = cv2.warpAffine(face, matrix, large.shape[1::-1], flags=cv2.INTER_LINEAR)
    np.copyto(large, np.asarray(laid, np.float32), where=laid[..., 3:] > large[..., 3:])


def _face_axes(normal: npt.NDArray[np.float64]) -> tuple[Any, Any]:
    """Return where the letter's right and down point: heads up, or anterior up on top."""
    upward = np.array([0, 0, 1.0]) if abs(normal[2]) < 0.5 else np.array([0, -1.0, 0])
    if normal[2] > 0.5:
        upward = -upward  # seen from above, the front of the patient is below
    return np.cross(upward, normal), -upward


@lru_cache(maxsize=6)
def _face(letter: str) -> npt.NDArray[np.float32]:
    """Return (rows, columns, RGB and cover) of a plate with a letter; premultiplied."""
    plane = _FACE_COLORS.get(letter) or _FACE_COLORS[{"R": "L", "A": "P", "I": "S"}[letter]]
    color = np.array(drawing.PLANE_COLORS[plane]) * 0.35 + np.array((210, 214, 220)) * 0.65
    face = np.empty((_FACE, _FACE, 3), np.uint8)
    face[:] = color
    cv2.rectangle(face, (1, 1), (_FACE - 2, _FACE - 2), (40, 44, 52), 3, cv2.LINE_AA)
    (width, height), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_DUPLEX, 2.1, 5)
    at = ((_FACE - width) // 2, (_FACE + height) // 2)
    cv2.putText(face, letter, at, cv2.FONT_HERSHEY_DUPLEX, 2.1, (24, 28, 36), 5, cv2.LINE_AA)
    return np.dstack([face, np.ones((_FACE, _FACE))]).astype(np.float32)
