"""3D views of MRML scenes, drawn by Slicer's own displayable managers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.planes import plane_axes, rotation
from hounsview.surfaces import from_level
from hounsview.viewstate import Camera, CropBox
from hounsview.viewstate.looks import lowest_shown, preset_of
from hounsview_vizapp import drawing
from hounsview_vizapp.rendering import stage, volume_pane
from hounsview_vizapp.rendering.body import Body, content_of
from hounsview_vizapp.rendering.pyramid import Pyramid
from mrml_kit import needs_slicer
from scene_kit import ball, needs_opengl
from slicer_views import Aim, aim_at, look, place_slice, three_d_picture

pytestmark = [needs_slicer, needs_opengl]

SIZE = (200, 200)
TECHNIQUES = {"composite": 0, "mip": 2, "minip": 3}
CAMERAS = {
    "front": Camera(),
    "from the left, above": Camera(azimuth=70, elevation=30),
    "behind, near, moved": Camera(azimuth=190, elevation=-20, zoom=1.5, pan=(12, -7)),
}
MARK = (30.0, -20.0, 40.0)
PATIENT = hv.Geometry.from_parts((60, 60, 60), spacing=(3, 3, 3), origin=(-88.5,) * 3)


def shown(
    volume: hv.Volume, state: hv.ViewState, aim: Aim | None = None, background: Any = (0, 0, 0)
) -> tuple[Any, mrml.ShownView]:
    """A scene that shows a state, seen along an aim."""
    scene = mrml.new_scene()
    nodes = mrml.show_view(state, mrml.volume_node(volume, scene), scene)
    aim = aim_at(volume.geometry, state.camera, SIZE) if aim is None else aim
    technique = TECHNIQUES[preset_of(state).kind]
    look(scene, aim, technique=technique, background=background)
    return scene, nodes


def bone(**more: Any) -> hv.ViewState:
    return hv.ViewState(
        rendering="bone", quality="full", show_labels=False, show_crosshair=False, **more
    )


def foreground(picture: npt.NDArray[np.uint8], background: Any = (0, 0, 0)) -> Any:
    """(rows, columns) bool: what is not background."""
    return np.abs(picture.astype(int) - background).max(axis=-1) > 10


def dice(a: Any, b: Any) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def grids() -> dict[str, hv.Geometry]:
    """Grids around the origin: as scanners store them, left-handed, turned."""
    shape, steps = (64, 70, 60), np.array([2.5, 2.0, 2.5])
    turned = rotation((25.0, -10.0, 35.0))
    axes = {
        "axial": np.eye(3)[:, ::-1],
        "left-handed": np.eye(3)[:, ::-1] * (-1, 1, 1),
        "turned": turned @ np.eye(3)[:, ::-1],
        "turned left-handed": turned @ np.eye(3)[:, ::-1] * (1, 1, -1),
    }
    found = {}
    for name, direction in axes.items():
        affine = np.eye(4)
        affine[:3, :3] = direction * steps
        affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
        found[name] = hv.Geometry(shape, affine)
    return found


def marked(geometry: hv.Geometry) -> hv.Volume:
    """Air with a bone ball of 9 mm at MARK."""
    points = geometry.to_patient(np.moveaxis(np.indices(geometry.shape), 0, -1))
    near = np.linalg.norm(points - MARK, axis=-1) < 9
    return hv.Volume(np.where(near, 1200, -1000).astype(np.int16), geometry)


@pytest.mark.parametrize("grid", grids())
@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_mark_is_seen_where_the_camera_projects_it(grid: str, camera: Camera) -> None:
    aim = aim_at(PATIENT, camera, SIZE)
    scene, _ = shown(marked(grids()[grid]), bone(camera=camera), aim)
    seen = foreground(three_d_picture(scene, SIZE))
    row, column = np.argwhere(seen).mean(axis=0)
    expected = aim.to_pixel(MARK, SIZE)
    assert (row, column) == pytest.approx(expected, abs=1.2)
    diameter = 18 / aim.mm_per_pixel(SIZE[0])
    assert np.sqrt(4 * seen.sum() / np.pi) == pytest.approx(diameter, rel=0.12)


@pytest.fixture(scope="module")
def thorax() -> hv.Volume:
    return hv.phantom("thorax", spacing=(5, 3.5, 3.5))


@pytest.fixture
def headlight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own pictures with the one light that Slicer has."""
    monkeypatch.setattr(stage, "_LIGHTS", (((0.0, 0.0, 1.0), 1.0),))


@pytest.mark.usefixtures("headlight")
@pytest.mark.parametrize("camera", [Camera(), Camera(azimuth=40, elevation=20)], ids=repr)
@pytest.mark.parametrize("preset", hv.rendering_presets())
def test_presets_look_as_in_our_own_3d_view(
    thorax: hv.Volume, preset: str, camera: Camera
) -> None:
    """What our view takes out of the picture (air around, table) is taken out for both."""
    state = bone(camera=camera).changed(rendering=preset)
    ours = volume_pane(thorax, state, SIZE)
    pyramid = Pyramid(thorax)
    body = Body(pyramid.coarse)
    content = content_of(preset_of(state), lowest_shown(state), table=state.show_table)
    level = content.of(pyramid.level(thorax.hu.size), body)
    aim = aim_at(body.box, camera, SIZE)
    scene, _ = shown(
        hv.Volume(level.hu, level.geometry), state, aim, background=drawing.NOT_MEASURED
    )
    theirs = three_d_picture(scene, SIZE)
    here, there = (foreground(one, drawing.NOT_MEASURED) for one in (ours, theirs))
    assert dice(here, there) > 0.97
    both = here & there
    assert both.sum() > (50 if preset == "airways" else 5000)
    apart = np.abs(ours[both].astype(int) - theirs[both])
    assert apart.mean() < (8 if preset == "airways" else 2)
    assert ours[both].mean(axis=0) == pytest.approx(theirs[both].mean(axis=0), abs=3)


@pytest.mark.parametrize("preset", hv.rendering_presets())
def test_a_shown_view_looks_like_ours(thorax: hv.Volume, preset: str) -> None:
    """With the camera, the technique and the air that `show_view` sets or takes away."""
    camera = Camera(azimuth=20, elevation=10, zoom=1.1)
    state = bone(camera=camera).changed(rendering=preset)
    beside = thorax.geometry.affine.copy()
    beside[:3, 3] += (60, 40, 80)
    volume = hv.Volume(thorax.hu, hv.Geometry(thorax.shape, beside))
    ours = volume_pane(volume, state, SIZE)
    scene = mrml.new_scene()
    node = mrml.volume_node(volume, scene)
    mrml.show_view(state, node, scene)
    view = scene.GetSingletonNode("1", "vtkMRMLViewNode")
    assert view.GetRaycastTechnique() == TECHNIQUES[preset_of(state).kind]
    view.SetBoxVisible(False)
    view.SetAxisLabelsVisible(False)
    for set_color in (view.SetBackgroundColor, view.SetBackgroundColor2):
        set_color(*(np.array(drawing.NOT_MEASURED) / 255).tolist())
    theirs = three_d_picture(scene, SIZE)
    here, there = (foreground(one, drawing.NOT_MEASURED) for one in (ours, theirs))
    # Not smoothed, so thin branches stay and more is as dense as bone; and in another light.
    assert dice(here, there) > (0.5 if preset == "airways" else 0.9)
    hues = [one[here & there].mean(axis=0) for one in (ours, theirs)]
    hues = [hue / hue.sum() for hue in hues]
    assert hues[0] == pytest.approx(hues[1], abs=0.1)


def test_the_bone_preset_shows_the_spine_in_the_colour_of_bone(thorax: hv.Volume) -> None:
    state = bone(camera=Camera(azimuth=180))
    aim = aim_at(thorax.geometry, state.camera, SIZE)
    scene, _ = shown(thorax, state, aim)
    picture = three_d_picture(scene, SIZE).astype(int)
    spine = np.array([aim.to_pixel((0, 90, z), SIZE) for z in range(-120, 121, 3)])
    red, green, blue = picture[tuple(np.rint(spine).astype(int).T)].mean(axis=0)
    assert red > green > blue > 40
    assert red > 100
    assert (picture[:5] == 0).all()
    assert (picture[:, :5] == 0).all()


def test_slicer_has_its_own_view_where_the_scene_has_none(thorax: hv.Volume) -> None:
    scene = mrml.new_scene()
    node = mrml.volume_node(thorax, scene)
    mrml.show_view(bone(), node, scene)
    picture = three_d_picture(scene, SIZE).astype(int)
    assert picture[-1, 0] == pytest.approx((193, 195, 232), abs=2)
    assert picture[0, 0] == pytest.approx((116, 120, 190), abs=2)
    magenta = (picture[..., 0] > 230) & (picture[..., 1] < 30) & (picture[..., 2] > 230)
    assert magenta.sum() > 200  # the box
    assert scene.GetSingletonNode("1", "vtkMRMLViewNode").GetBoxVisible()


def test_a_crop_takes_away_what_is_outside(thorax: hv.Volume) -> None:
    crop = CropBox(low=(-40, -150, -60), high=(90, 160, 70))
    aim = aim_at(thorax.geometry, Camera(), SIZE)
    whole, _ = shown(thorax, bone(), aim)
    scene, nodes = shown(thorax, bone(crop=crop), aim)
    nodes.crop.GetDisplayNode().SetVisibility(False)
    all_of_it, part = (foreground(three_d_picture(one, SIZE)) for one in (whole, scene))
    top, left = aim.to_pixel((crop.low[0], 0, crop.high[2]), SIZE)
    bottom, right = aim.to_pixel((crop.high[0], 0, crop.low[2]), SIZE)
    rows, columns = np.nonzero(part)
    edges = (rows.min(), columns.min(), rows.max(), columns.max())
    assert edges == pytest.approx((top, left, bottom, right), abs=3)
    inside = np.zeros_like(part)
    inside[int(top) + 2 : int(bottom) - 1, int(left) + 2 : int(right) - 1] = True
    # What stood before or behind the box hid, or was hidden: a little may differ inside.
    assert dice(part & inside, all_of_it & inside) > 0.9
    assert all_of_it.sum() > 1.5 * part.sum()


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_surface_lies_at_the_place_of_the_volume(camera: Camera) -> None:
    volume = ball(radius=20.0, spacing=2.0)
    moved = volume.geometry.affine.copy()
    moved[:3, 3] += MARK
    volume = hv.Volume(volume.hu, hv.Geometry(volume.shape, moved))
    aim = aim_at(PATIENT, camera, SIZE)
    rendered, _ = shown(volume, bone(camera=camera), aim)
    scene, _ = shown(volume, bone(camera=camera, show_volume=False), aim)
    assert not foreground(three_d_picture(scene, SIZE)).any()
    mrml.model_node(from_level(volume, 0.0), scene, color=(0.2, 0.9, 0.3))
    surface = three_d_picture(scene, SIZE)
    seen = foreground(surface)
    assert np.argwhere(seen).mean(axis=0) == pytest.approx(aim.to_pixel(MARK, SIZE), abs=0.6)
    assert dice(seen, foreground(three_d_picture(rendered, SIZE))) > 0.93
    red, green, blue = surface[seen].mean(axis=0)
    assert green > 2 * max(red, blue)


def test_a_slice_made_visible_in_3d_lies_in_its_plane() -> None:
    """A ball is cut by the slice, and seen in it where the camera projects it."""
    camera = Camera(azimuth=25, elevation=35)
    aim = aim_at(PATIENT, camera, SIZE)
    state = bone(camera=camera, show_volume=False).changed(window=hv.Window(500, 3000))
    scene, nodes = shown(marked(PATIENT), state, aim)
    mrml.show_in_slices(nodes.rendering.GetVolumeNode(), scene)
    node = place_slice(scene, "Red", plane_axes("axial"), (0, 0, MARK[2]), 170)
    assert not foreground(three_d_picture(scene, SIZE)).any()
    node.SetSliceVisible(True)
    bright = three_d_picture(scene, SIZE)[..., 0] > 120
    row, column = np.argwhere(bright).mean(axis=0)
    assert (row, column) == pytest.approx(aim.to_pixel(MARK, SIZE), abs=1.5)
    cut = np.pi * 9**2 * np.sin(np.radians(35)) / aim.mm_per_pixel(SIZE[0]) ** 2
    assert bright.sum() == pytest.approx(cut, rel=0.3)


def test_a_scene_from_a_file_looks_as_it_did(thorax: hv.Volume, tmp_path: Path) -> None:
    """Also where the volume is left-handed, whose k Slicer's reader reverses."""
    flipped = thorax.geometry.affine.copy()
    flipped[:3, 3] += flipped[:3, 0] * (thorax.shape[0] - 1)
    flipped[:3, 0] *= -1
    volume = hv.Volume(thorax.hu[::-1].copy(), hv.Geometry(thorax.shape, flipped))
    aim = aim_at(thorax.geometry, Camera(azimuth=30, elevation=10), SIZE)
    scene, _ = shown(thorax, bone(), aim)
    before = three_d_picture(scene, SIZE).astype(int)
    assert foreground(before).sum() > 3000
    for one in (thorax, volume):
        written, _ = shown(one, bone(), aim)
        again = mrml.read_scene(mrml.write_scene(written, tmp_path / "scene.mrb"))
        after = three_d_picture(again, SIZE)
        assert dice(foreground(before), foreground(after)) > 0.995
        assert np.abs(before - after).mean() < 1
