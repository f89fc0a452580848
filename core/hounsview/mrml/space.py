"""Slicer's first 3D view: its camera, how rays are laid together, and back."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from hounsview.cameras import Aim, aim_at, camera_at
from hounsview.errors import TissueNotFoundError
from hounsview.geometry import Geometry
from hounsview.mrml.images import array_of_image
from hounsview.mrml.panes import node_of_view
from hounsview.mrml.volumes import geometry_of, unit_of
from hounsview.viewstate import ViewState
from hounsview.volume import Volume

_TO_RAS: Final = np.array([-1.0, -1.0, 1.0])
VIEW: Final = "vtkMRMLViewNode"
_CAMERA: Final = "vtkMRMLCameraNode"
_FIRST: Final = "1"
_SQUARE: Final = (1, 1)
"""How wide a 3D view is, its node does not say."""
_BOX: Final = "hounsview.box"
_MOST_VOXELS: Final = 2_000_000
_START: Final = np.array([0.0, 500.0, 0.0])
"""Where Slicer's camera stands before anyone moved it, RAS mm; it looks at the origin."""
_SAME_MM: Final = 0.01
_SAME_TURN: Final = 1e-5
_TECHNIQUES: Final = {
    "composite": "Composite",
    "mip": "MaximumIntensityProjection",
    "minip": "MinimumIntensityProjection",
}
_QUALITIES: Final = {"fast": "Adaptive", "auto": "Adaptive", "full": "Maximum"}


def view_node(scene: Any) -> Any:
    """Return the node of the first 3D view; made if need be."""
    return node_of_view(scene, VIEW, _FIRST)


def camera_node(scene: Any) -> Any:
    """Return the camera node of the first 3D view; made if need be."""
    return node_of_view(scene, _CAMERA, _FIRST)


def draw_rays(kind: str, scene: Any) -> None:
    """Let the first 3D view draw rays as a preset's kind says: composite, mip or minip."""
    view = view_node(scene)
    view.SetRaycastTechnique(getattr(view, _TECHNIQUES[kind]))


def show_in_space(state: ViewState, box: Geometry, scene: Any) -> None:
    """Let the first 3D view look from where a view does, in parallel projection.

    Parameters
    ----------
    state : ViewState
    box : Geometry
        What is shown whole at zoom 1, as `body_box` gives it.
    scene : vtkMRMLScene
    """
    view = view_node(scene)
    view.SetRenderMode(view.Orthographic)
    view.SetVolumeRenderingQuality(getattr(view, _QUALITIES[state.quality]))
    aim = aim_at(box, state.camera, _SQUARE)
    # Slicer takes half the height, mm, from the view and puts it over the camera's own.
    view.SetFieldOfView(aim.half_height)
    camera = camera_node(scene)
    camera.SetParallelProjection(True)
    camera.SetParallelScale(aim.half_height)
    camera.SetFocalPoint(*(aim.focus * _TO_RAS))
    camera.SetPosition(*((aim.focus + 2 * aim.depth * aim.towards) * _TO_RAS))
    camera.SetViewUp(*(aim.up * _TO_RAS))
    camera.ResetClippingRange()
    corners = box.corners(faces=True)
    ends = (*corners.min(axis=0), *corners.max(axis=0))
    camera.SetAttribute(_BOX, " ".join(repr(float(mm)) for mm in ends))


def look_at(volume_node: Any, scene: Any) -> None:
    """Let the first 3D view look at a volume, from where it stands, if it looks elsewhere.

    A camera whose focus lies in the volume stays, but for the one that Slicer starts with.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    """
    corners = geometry_of(volume_node).corners(faces=True) * _TO_RAS
    low, high = corners.min(axis=0), corners.max(axis=0)
    view, camera = view_node(scene), camera_node(scene)
    position, focus = np.asarray(camera.GetPosition()), np.asarray(camera.GetFocalPoint())
    untouched = np.array_equal(position, _START) and not focus.any()
    if ((low <= focus) & (focus <= high)).all() and not untouched:
        return
    radius = float(np.linalg.norm(high - low)) / 2
    distance = radius / np.sin(np.radians(camera.GetViewAngle()) / 2)
    apart = float(np.linalg.norm(position - focus))
    towards = (position - focus) / apart if apart else _START / np.linalg.norm(_START)
    middle = (low + high) / 2
    if view.GetRenderMode() == view.Orthographic:
        view.SetFieldOfView(radius)
        camera.SetParallelScale(radius)
    camera.SetFocalPoint(*middle)
    camera.SetPosition(*(middle + distance * towards))
    camera.ResetClippingRange()


def space_of(grid: Geometry, scene: Any, base: ViewState) -> ViewState:
    """Return a view with the camera and the quality of the first 3D view.

    Parameters
    ----------
    grid : Geometry
        Of the volume, in the world; what zoom 1 shows whole, where no view was shown before.
    scene : vtkMRMLScene
    base : ViewState
        What the 3D view does not say.
    """
    view = scene.GetSingletonNode(_FIRST, VIEW)
    if view is None:
        return base
    full = view.GetVolumeRenderingQuality() == view.Maximum
    kept = "auto" if base.quality == "full" else base.quality
    state = replace(base, quality="full" if full else kept)
    camera = scene.GetSingletonNode(_FIRST, _CAMERA)
    aim = None if camera is None else _aim_of(view, camera)
    if aim is None:
        return state
    box = _box_of(camera.GetAttribute(_BOX)) or grid
    if _alike(aim_at(box, base.camera, _SQUARE), aim):
        return state  # Angles have many names for one place.
    return replace(state, camera=camera_at(box, aim, _SQUARE))


def _aim_of(view: Any, camera: Any) -> Aim | None:
    """Return where a 3D view is seen from; None where the camera stands in its focus."""
    position, focus = (
        np.asarray(place) * _TO_RAS for place in (camera.GetPosition(), camera.GetFocalPoint())
    )
    distance = float(np.linalg.norm(position - focus))
    if not distance:
        return None
    towards = (position - focus) / distance
    up = np.asarray(camera.GetViewUp()) * _TO_RAS
    up = up - (up @ towards) * towards
    up = up / (np.linalg.norm(up) or 1.0)
    half = view.GetFieldOfView()
    if view.GetRenderMode() == view.Perspective:
        half = distance * np.tan(np.radians(camera.GetViewAngle()) / 2)
    return Aim(focus, towards, up, float(half), distance)


def _alike(a: Aim, b: Aim) -> bool:
    """Return whether two aims give the same picture, to 0.01 mm."""
    apart = a.focus - b.focus
    beside = apart - (apart @ b.towards) * b.towards
    turned = max(np.abs(a.towards - b.towards).max(), np.abs(a.up - b.up).max())
    same_size = abs(a.half_height - b.half_height) < _SAME_MM
    return bool(same_size and turned < _SAME_TURN and np.abs(beside).max() < _SAME_MM)


def body_box(volume_node: Any) -> Geometry:
    """Return the box around the body in a volume node, in the world; else its own.

    The body is found where the node says HU and OpenCV is there; in a coarse copy, which is
    enough for a camera.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    """
    grid = geometry_of(volume_node)
    if unit_of(volume_node) != "HU" or find_spec("cv2") is None:
        return grid
    from hounsview import masks

    values = array_of_image(volume_node.GetImageData(), volume_node.GetName())
    step = max(1, round((values.size / _MOST_VOXELS) ** (1 / 3)))
    few = values[::step, ::step, ::step].astype(np.float32)
    coarse = Volume(few, grid.transformed(few.shape, np.diag([step, step, step, 1.0])))
    try:
        mask = masks.body(coarse)
    except TissueNotFoundError:
        return grid
    held = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    first = np.eye(4)
    first[:3, 3] = [at[0] for at in held]
    return coarse.geometry.transformed([at[-1] - at[0] + 1 for at in held], first)


def _box_of(text: str | None) -> Geometry | None:
    """Return the box that `show_in_space` noted; None where there is none to be read."""
    try:
        ends = np.array([float(part) for part in (text or "").split()]).reshape(2, 3)
    except ValueError:
        return None
    size = ends[1] - ends[0]
    if not np.isfinite(ends).all() or not (size > 0).all():
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.diag(size)[:, ::-1]
    affine[:3, 3] = ends.mean(axis=0)
    return Geometry((1, 1, 1), affine)
