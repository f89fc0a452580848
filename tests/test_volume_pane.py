"""What the 3D picture shows, and where: volume, surfaces, planes, crop, labels."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import cv2
import numpy as np
import pytest

import hounsview as hv
from hounsview.cameras import aim_at
from hounsview.viewstate import Camera, CropBox, Surface
from hounsview_vizapp import drawing
from hounsview_vizapp.rendering import Scene, labels, memory, surfaces, volume_pane
from hounsview_vizapp.rendering.body import Body
from hounsview_vizapp.rendering.pyramid import Pyramid, level_of
from real_data import FOLDER, needs_data
from scene_kit import BARE, SIZE, ball, marked, needs_opengl, without_gpu  # noqa: F401

ORIENTATIONS = [
    "".join(pair[flip] for pair, flip in zip(order, flips, strict=True))
    for order in permutations(("LR", "PA", "SI"))
    for flips in product((0, 1), repeat=3)
]


def shown(picture: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: what differs from the background."""
    return np.abs(picture.astype(int) - drawing.NOT_MEASURED).max(axis=-1) > 12


def thorax() -> hv.Volume:
    return hv.phantom("thorax", spacing=(5, 3, 3))


def pixel_of(volume: hv.Volume, camera: Camera, point: Any) -> tuple[int, int]:
    aim = aim_at(Body(Pyramid(volume).coarse).box, camera, SIZE)
    row, column = aim.to_pixel(point, SIZE)
    return round(row), round(column)


def block(**sides: tuple[float, float]) -> hv.Volume:
    """80 mm of soft tissue, and 1000 HU between the given sides (x, y, z in mm)."""
    geometry = hv.Geometry.from_parts((50,) * 3, spacing=(2,) * 3, origin=(-49,) * 3)
    points = geometry.to_patient(np.stack(np.indices((50,) * 3), -1))
    hu = np.where((np.abs(points) < 40).all(axis=-1), 40, -1000)
    inside = np.ones(hu.shape, bool)
    for axis, name in enumerate("xyz"):
        low, high = sides.get(name, (-40, 40))
        inside &= (points[..., axis] > low) & (points[..., axis] < high)
    return hv.Volume(np.where(inside, 1000, hu).astype(np.int16), geometry)


@needs_opengl
@pytest.mark.parametrize("letters", ORIENTATIONS)
def test_every_stored_orientation_gives_the_same_picture(letters: str) -> None:
    state = BARE.changed(
        camera=Camera(30, 20),
        show_planes=True,
        crosshair=(5, 3, -7),
        surfaces=[Surface("skin")],
    )
    straight = volume_pane(marked(), state, SIZE).astype(int)
    turned = volume_pane(marked().reorient(letters), state, SIZE).astype(int)
    assert np.abs(straight - turned).max() <= 3


@needs_opengl
def test_pan_and_zoom_move_the_picture_by_millimetres() -> None:
    volume = ball(20.0, 2.0)
    far = Camera(zoom=0.5)
    aim = aim_at(Body(Pyramid(volume).coarse).box, far, SIZE)
    still = np.argwhere(shown(volume_pane(volume, BARE.changed(camera=far), SIZE)))
    moved = BARE.changed(camera=Camera(zoom=0.5, pan=(15.0, 5.0)))
    away = np.argwhere(shown(volume_pane(volume, moved, SIZE))).mean(axis=0) - still.mean(
        axis=0
    )
    assert away == pytest.approx(np.array([5.0, 15.0]) / aim.mm_per_pixel(SIZE[0]), abs=0.6)
    large = np.ptp(np.argwhere(shown(volume_pane(volume, BARE, SIZE))), axis=0)
    assert large == pytest.approx(2 * np.ptp(still, axis=0), abs=3)


@needs_opengl
def test_a_crop_box_takes_away_the_side_that_lies_outside_it() -> None:
    volume = block()
    low, high = (-40.0, -40.0, -40.0), (0.0, 40.0, 40.0)
    state = BARE.changed(crop=CropBox(low=low, high=high))
    rows, columns = np.nonzero(shown(volume_pane(volume, state, SIZE)))
    middle = pixel_of(volume, BARE.camera, (0, 0, 0))[1]
    assert columns.max() <= middle + 1  # x above 0 is the patient's left: right in the picture
    assert columns.min() < middle - 40
    upper = BARE.changed(crop=CropBox(low=(-40, -40, 0), high=(40, 40, 40)))
    rows = np.nonzero(shown(volume_pane(volume, upper, SIZE)))[0]
    assert rows.max() <= SIZE[0] // 2 + 1


@needs_opengl
def test_a_crop_box_lies_in_the_patient_for_an_oblique_grid_too() -> None:
    c, s = np.cos(0.5), np.sin(0.5)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    target = hv.Geometry.from_parts(
        (50, 70, 70), spacing=(2, 2, 2), origin=turn @ (-69, -69, -49),
        direction=turn @ np.eye(3)[:, ::-1],
    )  # fmt: skip
    volume = block().resample_onto(target)
    state = BARE.changed(
        crop=CropBox(low=(-60, -60, -60), high=(0, 60, 60)), surfaces=[Surface("bone")]
    )
    columns = np.nonzero(shown(volume_pane(volume, state, SIZE)))[1]
    assert columns.max() <= pixel_of(volume, BARE.camera, (0, 0, 0))[1] + 2
    assert columns.min() < SIZE[1] // 3


@needs_opengl
def test_a_shift_moves_which_values_are_shown() -> None:
    volume = block(x=(-20.0, 20.0), z=(-20.0, 20.0))

    def area(shift: float) -> int:
        state = BARE.changed(transfer={"shift": shift})
        return int(shown(volume_pane(volume, state, SIZE)).sum())

    everything, bone, nothing = area(-200), area(0), area(1500)
    assert everything > 2.5 * bone > 1000
    assert nothing == 0


@needs_opengl
def test_opacity_and_own_points_replace_those_of_the_preset() -> None:
    volume = block(z=(-20.0, 20.0))
    clear = BARE.changed(transfer={"opacity": 0.0})
    assert not shown(volume_pane(volume, clear, SIZE)).any()
    points = [(0, 0.0), (30, 1.0), (100, 1.0)]
    tissue = BARE.changed(
        transfer={"scalar_opacity": points, "color": [(0, 0, 1, 0)], "shade": False}
    )
    picture = volume_pane(volume, tissue, SIZE)
    assert shown(picture).sum() > 1.5 * shown(volume_pane(volume, BARE, SIZE)).sum()
    middle = picture[SIZE[0] // 2, SIZE[1] // 2].astype(int)
    assert middle[1] > 200
    assert middle[0] < 30


@needs_opengl
def test_mip_is_bright_where_bone_is_and_minip_is_dark_where_air_is() -> None:
    volume = block(z=(-10.0, 10.0))
    points = volume.geometry.to_patient(np.stack(np.indices(volume.shape), -1))
    hu = volume.hu.copy()
    hu[
        (np.hypot(points[..., 0] - 20, points[..., 1]) < 8) & (np.abs(points[..., 2]) < 30)
    ] = -990
    volume = hv.Volume(hu, volume.geometry)
    mip = volume_pane(volume, BARE.changed(rendering="MIP"), SIZE).max(axis=-1).astype(int)
    minip = volume_pane(volume, BARE.changed(rendering="MinIP"), SIZE).max(axis=-1).astype(int)

    def at(picture: np.ndarray, *point: float) -> int:
        return int(picture[pixel_of(volume, BARE.camera, point)])

    assert at(mip, -20, 0, 0) > 200 > 80 > at(mip, -20, 0, 20)
    assert at(minip, 20, 0, 0) < 40 < 70 < at(minip, -20, 0, 20)
    assert at(minip, 20, 0, 20) < 40  # the air reaches farther than the bone
    # Outside the body there is air as well, and it does not show.
    assert minip[3, 3] == max(drawing.NOT_MEASURED)


@needs_opengl
def test_two_presets_side_by_side_are_the_two_pictures() -> None:
    state = BARE.changed(rendering_beside="skin", camera=Camera(40))
    picture = volume_pane(thorax(), state, (120, 204))
    left = volume_pane(thorax(), BARE.changed(camera=Camera(40)), (120, 100))
    right = volume_pane(thorax(), BARE.changed(camera=Camera(40), rendering="skin"), (120, 100))
    assert np.array_equal(picture[:, :100], left)
    assert np.array_equal(picture[:, 104:], right)


@needs_opengl
def test_what_was_changed_of_the_preset_does_not_change_the_one_beside() -> None:
    state = BARE.changed(rendering_beside="bone", transfer={"shift": -300.0})
    picture = volume_pane(thorax(), state, (120, 204))
    assert np.array_equal(picture[:, 104:], volume_pane(thorax(), BARE, (120, 100)))
    assert not np.array_equal(picture[:, :100], picture[:, 104:])


def on_a_table() -> hv.Volume:
    """An arm's worth of bone in a trunk of soft tissue, 6 mm above a shell 4 mm thick."""
    geometry = hv.Geometry.from_parts((40, 70, 70), spacing=(2,) * 3, origin=(-69, -69, -39))
    x, y, _ = np.moveaxis(geometry.to_patient(np.stack(np.indices((40, 70, 70)), -1)), -1, 0)
    hu = np.full(geometry.shape, -1000, np.int16)
    hu[np.hypot(x / 55, y / 40) < 1] = 60
    hu[np.hypot(x, y) < 12] = 900
    hu[(y > 46) & (y < 50) & (np.abs(x) < 60)] = 1500
    return hv.Volume(hu, geometry)


@needs_opengl
@pytest.mark.parametrize("rendering", ["skin", "muscle and bone", "MIP"])
def test_the_table_can_be_taken_away_and_the_body_stays(rendering: str) -> None:
    volume = on_a_table()
    state = BARE.changed(camera=Camera(90), rendering=rendering)
    table = shown(volume_pane(volume, state, SIZE))
    body = shown(volume_pane(volume, state.changed(show_table=False), SIZE))
    assert table[pixel_of(volume, state.camera, (0, 48, 0))]
    end_of_back = pixel_of(volume, state.camera, (0, 43, 0))[1]
    assert not body[:, end_of_back + 1 :].any()
    before = np.s_[:, : end_of_back - 3]
    assert (body[before] != table[before]).mean() < 0.02


@needs_opengl
def test_no_surface_is_of_the_table_when_it_is_taken_away() -> None:
    volume = on_a_table()
    state = BARE.changed(camera=Camera(90), show_volume=False, surfaces=[Surface("skin")])
    behind = pixel_of(volume, state.camera, (0, 48, 0))
    assert shown(volume_pane(volume, state, SIZE))[behind]
    assert not shown(volume_pane(volume, state.changed(show_table=False), SIZE))[behind]


@needs_opengl
@needs_data
def test_a_real_table_is_taken_away() -> None:
    volume = hv.load(FOLDER / "thorax-ge-vct")
    state = BARE.changed(camera=Camera(90, zoom=0.7), rendering="skin")
    table = shown(volume_pane(volume, state, SIZE))
    body = shown(volume_pane(volume, state.changed(show_table=False), SIZE))
    assert table.sum() > 1.05 * body.sum()
    # From the left, the back is right.
    assert np.nonzero(table)[1].max() > np.nonzero(body)[1].max() + 8
    assert np.nonzero(table)[1].min() == pytest.approx(np.nonzero(body)[1].min(), abs=1)


@needs_opengl
def test_without_volume_surfaces_and_planes_there_is_nothing() -> None:
    picture = volume_pane(marked(), BARE.changed(show_volume=False), SIZE)
    assert not shown(picture).any()


@needs_opengl
@pytest.mark.parametrize("radius", [12.0, 25.0])
@pytest.mark.parametrize("spacing", [1.0, 2.0])
def test_the_outline_of_a_surface_has_the_radius_of_the_ball(
    radius: float, spacing: float
) -> None:
    volume = ball(radius, spacing, inside=1000, outside=-1000)
    state = BARE.changed(show_volume=False, surfaces=[Surface("half", level=0.0)])
    aim = aim_at(Body(Pyramid(volume).coarse).box, state.camera, SIZE)
    area = shown(volume_pane(volume, state, SIZE)).sum() * aim.mm_per_pixel(SIZE[0]) ** 2
    assert np.sqrt(area / np.pi) == pytest.approx(radius, abs=0.25 * spacing)


@pytest.mark.parametrize("letters", ["SPL", "IAR", "LSP", "RAI"])
def test_a_surface_lies_in_the_patient_and_its_normals_point_out_of_the_tissue(
    letters: str,
) -> None:
    volume = ball(15.0, 1.5)
    moved = hv.Geometry(volume.shape, np.diag([1, 1, 1, 1.0]) @ volume.geometry.affine + _by(7))
    pyramid = Pyramid(hv.Volume(volume.hu, moved).reorient(letters))
    made = surfaces.Surfaces(pyramid, Body(pyramid.coarse), None)
    state = hv.ViewState(surfaces=[Surface("half", level=0.0)])
    (key,) = made.needed(state, 10**6)
    actor = made.make(key, 10**6).actor
    points, normals = _placed(actor)
    away = points - (7, 0, 0)
    assert np.linalg.norm(away, axis=1) == pytest.approx(15.0, abs=0.4)
    assert ((away * normals).sum(axis=1) > 0.9 * 15).all()


def _by(x: float) -> np.ndarray:
    shift = np.zeros((4, 4))
    shift[0, 3] = x
    return shift


def _placed(actor: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of an actor, (n, 3) each, in the patient."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    matrix = actor.GetUserMatrix()
    matrix = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    shape = actor.GetMapper().GetInput()
    points = vtk_to_numpy(shape.GetPoints().GetData()) @ matrix[:3, :3].T + matrix[:3, 3]
    normals = vtk_to_numpy(shape.GetPointData().GetNormals()) @ matrix[:3, :3].T
    return points, normals


@needs_opengl
def test_a_surface_takes_colour_and_opacity_and_is_extracted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    volume, made = ball(20.0, 2.0), []
    extract = surfaces.isosurface
    monkeypatch.setattr(
        surfaces, "isosurface", lambda *given: made.append(given) or extract(*given)
    )

    def middle(scene: Scene, **look: Any) -> np.ndarray:
        state = BARE.changed(show_volume=False, surfaces=[Surface("bone", **look)])
        return scene.picture(state, SIZE)[SIZE[0] // 2, SIZE[1] // 2].astype(int)

    with Scene(volume) as scene:
        red = middle(scene, color=(1, 0, 0))
        green = middle(scene, color=(0, 1, 0))
        faint = middle(scene, color=(0, 1, 0), opacity=0.2)
        hidden = middle(scene, shown=False)
        assert len(made) == 1
        middle(scene, level=400.0)
        assert len(made) == 2
    assert red[0] > 3 * red[1]
    assert green[1] > 3 * green[0]
    assert drawing.NOT_MEASURED[1] < faint[1] < green[1] - 40
    assert tuple(hidden) == drawing.NOT_MEASURED


@needs_opengl
def test_the_lung_is_a_surface_inside_the_body_alone() -> None:
    volume = thorax()
    one = BARE.changed(show_volume=False, camera=Camera(0))
    lung = shown(volume_pane(volume, one.changed(surfaces=[Surface("lung")]), SIZE))
    skin = shown(
        volume_pane(volume, one.changed(surfaces=[Surface("skin")], show_table=False), SIZE)
    )
    assert lung.any()
    assert not (lung & ~skin).any()
    assert lung.sum() < 0.7 * skin.sum()
    assert lung[pixel_of(volume, one.camera, (-100, 20, 40))]


@needs_opengl
def test_planes_go_through_the_crosshair_and_show_the_window() -> None:
    volume = block(x=(8.0, 12.0))  # a bright sheet to the left of the middle
    state = BARE.changed(show_volume=False, show_planes=True, window=(500, 1000))
    off = volume_pane(volume, state.changed(crosshair=(0, 0, 0)), SIZE)
    row, column = pixel_of(volume, state.camera, (10, 0, 30))
    assert off[row, column].min() > 200
    assert off[row, column - 12].max() < 60
    wide = state.changed(crosshair=(0, 0, 0), window=(500, 100_000))
    assert 100 < volume_pane(volume, wide, SIZE)[row, column].mean() < 150
    # Seen from the front, the axial plane is a line at the height of the crosshair.
    for z in (-20.0, 25.0):
        picture = volume_pane(volume, state.changed(crosshair=(0, 0, z)), SIZE).astype(int)
        red = picture[..., 0] - picture[..., 1] > 80
        expected, _ = pixel_of(volume, state.camera, (0, 0, z))
        assert np.nonzero(red.sum(axis=1) > SIZE[1] // 3)[0] == pytest.approx(expected, abs=1.5)


@needs_opengl
def test_the_pictures_on_the_planes_stand_upright_and_follow_the_window() -> None:
    volume = block(x=(-30.0, -10.0), z=(15.0, 35.0))  # up and to the patient's right
    state = BARE.changed(show_volume=False, show_planes=True, window=(500, 1000))
    spot = pixel_of(volume, state.camera, (-20, 0, 25))
    others = [pixel_of(volume, state.camera, (x, 0, z)) for x, z in ((20, 25), (-20, -25))]
    with Scene(volume) as scene:
        picture = scene.picture(state, SIZE)
        assert picture[spot].min() > 200
        assert all(picture[other].max() < 60 for other in others)
        assert scene.picture(state.changed(window=(2000, 1000)), SIZE)[spot].max() < 60
        assert scene.picture(state.changed(crosshair=(0, 45, 0)), SIZE)[spot].max() < 60


@needs_opengl
def test_planes_turn_with_the_oblique_angles() -> None:
    state = BARE.changed(show_volume=False, show_planes=True, oblique=(0, 30, 0))
    picture = volume_pane(block(), state, SIZE).astype(int)
    rows, columns = np.nonzero(picture[..., 0] - picture[..., 1] > 80)
    slope = np.polyfit(columns, rows, 1)[0]
    assert slope == pytest.approx(np.tan(np.radians(30)), abs=0.03)


@needs_opengl
@pytest.mark.usefixtures("without_gpu")
def test_little_memory_means_a_coarser_level_and_a_badge_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = BARE.changed(show_labels=True)
    with Scene(marked()) as scene:
        rich = scene.picture(state, (300, 300))
    monkeypatch.setattr(memory, "free_bytes", lambda: 2 * 12 * 20**3)
    frames: list[Any] = []
    with Scene(marked(), on_frame=frames.append) as scene:
        scene.request(state, (300, 300))
        poor = scene.picture(state, (300, 300))
    assert frames[0].resolution == ""  # what fits into the coarse level is always drawn
    assert shown(poor).mean() == pytest.approx(shown(rich).mean(), abs=0.05)
    badge = (poor.astype(int) - rich)[:25, 150:]
    assert np.abs(badge).max() > 60


def test_the_badge_says_what_was_reduced() -> None:
    assert level_of(marked(), 64_000).resolution == ""
    assert level_of(marked(), 9000).resolution == "REDUCED TO 4 mm"


@pytest.mark.parametrize(
    ("camera", "letter"),
    [
        (Camera(0), "A"),
        (Camera(90), "L"),
        (Camera(180), "P"),
        (Camera(270), "R"),
        (Camera(0, 90), "S"),
        (Camera(0, -90), "I"),
    ],
)
def test_the_cube_shows_the_side_of_the_patient_that_faces_the_camera(
    camera: Camera, letter: str
) -> None:
    picture = drawing.blank((200, 200))
    labels.draw_cube(picture, camera, side=60, margin=10)
    rows, columns = np.nonzero(shown(picture))
    face = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert face.shape[:2] == pytest.approx((60, 60), abs=1)
    face = cv2.resize(face, (60, 60), interpolation=cv2.INTER_AREA)

    def likeness(other: str) -> float:
        plate = cv2.resize(labels._face(other)[..., :3], (60, 60), interpolation=cv2.INTER_AREA)
        return float(np.corrcoef(plate.mean(axis=2).ravel(), face.mean(axis=2).ravel())[0, 1])

    assert max("LRAPSI", key=likeness) == letter
    assert likeness(letter) > 0.95


@needs_opengl
def test_text_grows_with_the_pixel_ratio() -> None:
    state = hv.ViewState(show_volume=False)
    with Scene(marked()) as scene:
        small = scene.picture(state, (200, 200))
        large = scene.picture(state, (400, 400), pixel_ratio=2.0)
        fine = scene.picture(state, (400, 400), pixel_ratio=1.0)
    assert shown(large).sum() == pytest.approx(4 * shown(small).sum(), rel=0.12)
    assert shown(fine).sum() < 0.8 * shown(large).sum()
