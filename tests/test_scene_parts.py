"""The parts of a scene that need no OpenGL: keys, aim, sections, transfer, memory, pyvista."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
import hounsview_vizapp
from hounsview.cameras import aim_at, edge_letters
from hounsview.viewstate import Camera, CropBox, Surface, Transfer
from hounsview.viewstate.looks import BRIGHT_HU, changed
from hounsview_vizapp import to_pyvista
from hounsview_vizapp.rendering import OwnThread, Turns, memory, same_scene, scene_key
from hounsview_vizapp.rendering.body import TISSUE_HU, Body, Content, content_of
from hounsview_vizapp.rendering.labels import label_height
from hounsview_vizapp.rendering.planes3d import cut, section
from hounsview_vizapp.rendering.pyramid import Level, level_of, reduction
from scene_kit import needs_opengl

STATE = hv.ViewState()


@pytest.mark.parametrize(
    "change",
    [
        {"crosshair": (1, 2, 3)},
        {"window": "lung"},
        {"oblique": (10, 0, 0)},
        {"axial": {"zoom": 2.0}},
        {"slab": 20},
        {"layout": "axial"},
        {"colormap": "hot"},
        {"show_crosshair": False},
        {"surfaces": [Surface("bone", shown=False)]},
    ],
)
def test_what_does_not_touch_the_3d_picture_needs_no_drawing(change: dict[str, object]) -> None:
    assert same_scene(STATE, STATE.changed(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"rendering": "bone"},
        {"rendering_beside": "bone"},
        {"transfer": {"shift": 10}},
        {"quality": "fast"},
        {"camera": {"azimuth": 5}},
        {"camera": {"pan": (1, 0)}},
        {"crop": CropBox(low=(0, 0, 0), high=(1, 1, 1))},
        {"show_volume": False},
        {"show_planes": True},
        {"show_table": False},
        {"show_labels": False},
        {"surfaces": [Surface("bone")]},
    ],
)
def test_what_touches_the_3d_picture_changes_its_key(change: dict[str, object]) -> None:
    assert not same_scene(STATE, STATE.changed(**change))
    assert hash(scene_key(STATE)) != hash(scene_key(STATE.changed(**change)))


@pytest.mark.parametrize(
    "change", [{"crosshair": (1, 2, 3)}, {"window": "lung"}, {"oblique": (10, 0, 0)}]
)
def test_with_planes_in_3d_crosshair_window_and_turn_count(change: dict[str, object]) -> None:
    planes = STATE.changed(show_planes=True)
    assert not same_scene(planes, planes.changed(**change))


def test_without_volume_its_preset_does_not_count() -> None:
    hidden = STATE.changed(show_volume=False)
    assert same_scene(hidden, hidden.changed(rendering="bone", transfer={"shift": 5}))


def box() -> hv.Geometry:
    return hv.Geometry.from_parts((10, 20, 40), spacing=(5, 4, 3), origin=(100, -50, 7))


@pytest.mark.parametrize("size", [(300, 300), (200, 500), (500, 200)])
@pytest.mark.parametrize("elevation", [-90, -30, 0, 45, 90])
def test_the_body_fits_the_pane_from_all_sides(size: tuple[int, int], elevation: float) -> None:
    half = np.array([60.0, 40.0, 25.0])
    around = np.radians(np.arange(0, 360, 15))
    rim = box().centre + half * np.stack([np.cos(around), np.sin(around), around * 0], axis=1)
    for azimuth in range(0, 360, 45):
        aim = aim_at(box(), Camera(azimuth, elevation), size)
        for z in (-25, 25):
            for point in rim + np.array((0, 0, z)):
                row, column = aim.to_pixel(point, size)
                assert 0 <= row <= size[0] - 1
                assert 0 <= column <= size[1] - 1


def test_turning_does_not_change_the_scale_and_zoom_does() -> None:
    scales = {
        aim_at(box(), Camera(azimuth), (99, 99)).half_height for azimuth in range(0, 360, 7)
    }
    assert len(scales) == 1
    near = aim_at(box(), Camera(zoom=4.0), (99, 99)).half_height
    assert near == pytest.approx(scales.pop() / 4)


@pytest.mark.parametrize("camera", [Camera(), Camera(70, 35), Camera(200, -80, zoom=3.0)])
def test_pan_is_in_millimetres_right_and_down_in_the_picture(camera: Camera) -> None:
    moved = Camera(camera.azimuth, camera.elevation, camera.zoom, (12.0, -7.0))
    still, away = (aim_at(box(), each, (240, 320)) for each in (camera, moved))
    before, after = (np.array(a.to_pixel((90, 10, 20), (240, 320))) for a in (still, away))
    assert (after - before) * still.mm_per_pixel(240) == pytest.approx([-7.0, 12.0])


def test_letters_say_what_is_up_down_left_and_right() -> None:
    assert edge_letters(Camera()) == "SIRL"
    assert edge_letters(Camera(90)) == "SIAP"
    assert edge_letters(Camera(180)) == "SILR"
    assert edge_letters(Camera(0, 90)) == "PARL"
    assert edge_letters(Camera(0, -90)) == "APRL"


def test_text_is_as_large_on_every_screen() -> None:
    assert label_height((400, 600), 1.0) * 2 == label_height((800, 1200), 2.0)
    assert label_height((60, 60), 1.0) == 0


def test_a_section_along_the_axes_is_the_side_of_the_box() -> None:
    geometry = box()
    polygon = section(geometry, geometry.centre, np.array([0, 0, 1.0]))
    assert len(polygon) == 4
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    assert low == pytest.approx([98.5, -52, geometry.centre[2]])
    assert high == pytest.approx([218.5, 28, geometry.centre[2]])
    sides = np.linalg.norm(polygon - np.roll(polygon, 1, axis=0), axis=1)
    assert sorted(sides) == pytest.approx([80, 80, 120, 120])  # in their order, not crossed


def test_a_section_across_the_corners_is_a_hexagon_and_beside_the_box_there_is_none() -> None:
    cube = hv.Geometry.from_parts((8, 8, 8), spacing=(2, 2, 2))
    diagonal = np.ones(3) / np.sqrt(3)
    polygon = section(cube, cube.centre, diagonal)
    assert len(polygon) == 6
    assert np.linalg.norm(polygon - cube.centre, axis=1) == pytest.approx(8 * np.sqrt(2))
    assert len(section(cube, cube.centre + 100, diagonal)) == 0


@pytest.mark.parametrize("oblique", [(0, 0, 0), (20, -15, 40)])
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_plane_shows_at_each_place_what_was_measured_there(
    plane: str, oblique: tuple[float, float, float]
) -> None:
    geometry = hv.Geometry.from_parts((30, 30, 30), spacing=(2, 2, 2), origin=(-29, -29, -29))
    points = geometry.to_patient(np.stack(np.indices(geometry.shape), -1))
    volume = hv.Volume((points @ (3, 5, -2)).astype(np.float32), geometry)
    window = hv.Window(0, 1000, "LINEAR_EXACT")
    made = cut(level_of(volume, 10**6), geometry, plane, np.array((4, -3, 6)), window, oblique)
    assert made is not None
    rows, columns = made.picture.shape
    for corner, place in zip(made.polygon, made.texture_at, strict=True):
        # Half-way to the middle, away from the border, where values are held.
        at = 0.5 * place + 0.5 * made.texture_at.mean(axis=0)
        point = 0.5 * corner + 0.5 * made.polygon.mean(axis=0)
        column, row = np.minimum(at * (columns, rows), (columns - 1, rows - 1)).astype(int)
        expected = window.apply(np.array([point @ (3, 5, -2)], np.float32))[0]
        assert abs(int(made.picture[row, column]) - int(expected)) <= 5


def test_a_changed_preset_is_shifted_scaled_and_given_other_points() -> None:
    preset = hv.rendering_presets()["bone"]
    made = changed(preset, Transfer(shift=50.0, opacity=0.5, shade=False))
    assert [hu for hu, _ in made.scalar_opacity] == [hu + 50 for hu, _ in preset.scalar_opacity]
    assert [o for _, o in made.scalar_opacity] == [o / 2 for _, o in preset.scalar_opacity]
    assert [point[0] for point in made.color] == [point[0] + 50 for point in preset.color]
    assert made.gradient_opacity == preset.gradient_opacity
    assert not made.shade
    own = changed(preset, Transfer(scalar_opacity=((0, 1),), color=((5, 1, 0, 0),)))
    assert own.scalar_opacity == ((0, 1),)
    assert own.color == ((5, 1, 0, 0),)
    assert own.shade
    assert changed(preset, Transfer()) == preset


@pytest.mark.parametrize("table", [True, False])
def test_what_shows_air_sees_the_inside_of_the_body_alone(table: bool) -> None:
    contents = {
        name: content_of(preset, preset.scalar_opacity[0][0], table=table)
        for name, preset in hv.rendering_presets().items()
    }
    assert contents["lung"] == contents["airways"]
    assert contents["lung"].outside == 0
    assert contents["lung"].margin < 0
    assert contents["MinIP"].outside == BRIGHT_HU
    for name in ("bone", "muscle and bone", "vessels", "MIP"):
        assert contents[name] == Content(None if table else -1024.0)
    assert contents["skin"].filled == TISSUE_HU


def test_skin_that_is_shifted_or_made_translucent_lets_the_inside_be_seen() -> None:
    skin = hv.rendering_presets()["skin"]
    for transfer in (Transfer(shift=100.0), Transfer(opacity=0.5)):
        assert content_of(changed(skin, transfer), -420, table=True) == Content()


def test_two_legs_belong_to_the_body_and_a_shell_does_not() -> None:
    geometry = hv.Geometry.from_parts((20, 60, 60), spacing=(3, 3, 3))
    _, j, i = np.indices(geometry.shape)
    hu = np.full(geometry.shape, -1000, np.int16)
    legs = (np.hypot(j - 20, i - 15) < 9) | (np.hypot(j - 20, i - 42) < 7)
    hu[legs] = 50
    hu[:, 40:41] = 300
    hu[:, 48:53, 30:35] = 300  # a rail: thick, but small
    body = Body(level_of(hv.Volume(hu, geometry), 10**6))
    mask = body.on(level_of(hv.Volume(hu, geometry), 10**6), 0.1)
    assert mask[10, 20, 15]
    assert mask[10, 20, 42]
    assert not mask[:, 38:].any()
    assert body.box.shape[1] < 32


def test_where_there_is_no_body_everything_is_kept() -> None:
    geometry = hv.Geometry.from_parts((6, 20, 20), spacing=(3, 3, 3))
    level = level_of(hv.Volume(np.full(geometry.shape, -1000, np.int16), geometry), 10**6)
    body = Body(level)
    assert body.on(level, -4.0).all()
    assert body.box == level.geometry


def test_a_mask_found_on_a_coarse_level_lies_at_the_same_place_on_a_fine_one() -> None:
    volume = hv.phantom("thorax", spacing=(6, 2, 2))
    fine = level_of(volume, 10**8)
    coarse, exact = Body(level_of(volume, 10**6)), Body(fine)
    found = coarse.on(fine, 3.0)
    assert (found & ~exact.on(fine, 8.0)).mean() < 1e-3
    assert (exact.on(fine, -2.0) & ~found).mean() < 1e-3


def test_a_sheared_volume_gets_upright_levels_at_the_same_places() -> None:
    affine = hv.Geometry.from_parts((20, 40, 40), spacing=(4, 2, 2)).affine.copy()
    affine[1, 0] = 1.2  # each slice 1.2 mm farther back
    geometry = hv.Geometry((20, 40, 40), affine)
    hu = np.full(geometry.shape, -1000, np.int16)
    hu[8:12, 15:25, 15:25] = 1000
    level = level_of(hv.Volume(hu, geometry), 4000)
    assert level.geometry.is_orthogonal
    assert level.is_reduced
    middle = geometry.to_patient([9.5, 19.5, 19.5])
    found = level.geometry.to_patient(np.argwhere(level.hu > 0)).mean(axis=0)
    assert found == pytest.approx(middle, abs=1.5)


def test_padding_moves_nothing() -> None:
    geometry = hv.Geometry.from_parts((4, 5, 6), spacing=(3, 2, 1), origin=(9, 8, 7))
    level = Level(np.arange(120, dtype=np.int16).reshape(4, 5, 6), geometry, (1, 1, 1))
    wide = level.padded(-1024)
    assert wide.hu.shape == (6, 7, 8)
    assert wide.hu[2, 3, 4] == level.hu[1, 2, 3]
    assert wide.geometry.to_patient([2, 3, 4]) == pytest.approx(geometry.to_patient([1, 2, 3]))
    assert wide.hu[0, 0, 0] == -1024


def test_memory_is_asked_for_before_it_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:  99 kB\nMemAvailable:    2400 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", told)
    assert memory.free_bytes() == 2400 * 1024
    assert memory.affordable(10**9) == 2400 * 1024 // 24
    assert memory.affordable(1000) == 1000
    told.write_text("MemTotal:  99 kB\n")
    assert memory.free_bytes() > 10**6  # what the system says in another way
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "absent")
    assert memory.free_bytes() == 2 << 30


def test_a_texture_is_never_longer_than_opengl_promises() -> None:
    long = hv.Geometry.from_parts((5000, 64, 64), spacing=(0.5, 1, 1))
    assert np.array(long.shape) // reduction(long, 10**9, longest=2048) == pytest.approx(
        [1666, 64, 64]
    )


def test_turns_do_one_piece_of_work_each_in_the_thread_of_the_main_loop() -> None:
    done: list[int] = []
    turns = Turns()
    for number in range(3):
        turns.post(lambda number=number: done.append(number))  # type: ignore[misc]
    assert turns.is_here()
    assert turns.turn()
    assert done == [0]
    turns.close()
    assert done == [0, 1, 2]
    assert not turns.turn()


def test_a_thread_of_its_own_does_what_was_queued_before_it_ends() -> None:
    done: list[threading.Thread] = []
    thread = OwnThread()
    for _ in range(3):
        thread.post(lambda: done.append(threading.current_thread()))
    thread.close()
    assert len(done) == 3
    assert threading.current_thread() not in done
    assert not done[0].is_alive()
    assert not thread.is_here()


@pytest.mark.parametrize("letters", ["SPL", "IAR", "LSP", "PRI", "RAS", "ASL"])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_pyvista_gets_each_value_at_its_place_in_the_patient(
    letters: str, angle: float
) -> None:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    geometry = hv.Geometry.from_parts(
        (4, 5, 6), spacing=(3, 1, 2), origin=(7, 8, 9), direction=turn @ np.eye(3)[:, ::-1]
    )
    hu = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    volume = hv.Volume(hu, geometry).reorient(letters)
    image = to_pyvista(volume)
    assert image.dimensions == volume.shape[::-1]
    index = np.stack(np.indices(volume.shape), -1).reshape(-1, 3)
    assert np.asarray(image.points) == pytest.approx(
        volume.geometry.to_patient(index), abs=1e-4
    )
    assert np.array_equal(np.asarray(image["HU"]), volume.hu.ravel())
    assert "valid" not in image.array_names
    # VTK itself finds the voxel there.
    at = image.FindPoint(volume.geometry.to_patient([1, 2, 3]).tolist())
    assert image["HU"][at] == volume.hu[1, 2, 3]


def test_pyvista_gets_validity_and_is_refused_a_shear() -> None:
    geometry = hv.Geometry.from_parts((3, 4, 5), spacing=(1, 1, 1))
    valid = np.zeros((3, 4, 5), np.uint8)
    valid[0] = 1
    image = to_pyvista(hv.Volume(np.zeros((3, 4, 5), np.int16), geometry, valid))
    assert np.array_equal(np.asarray(image["valid"]), valid.ravel())
    assert image.active_scalars_name == "HU"
    affine = geometry.affine.copy()
    affine[1, 0] = 0.3
    sheared = hv.Volume(np.zeros((3, 4, 5), np.int16), hv.Geometry((3, 4, 5), affine))
    with pytest.raises(hv.GeometryError, match="resample_onto"):
        to_pyvista(sheared)


def test_the_package_gives_out_its_public_names_and_loads_nothing_before() -> None:
    assert set(hounsview_vizapp.__all__) <= set(dir(hounsview_vizapp))
    with pytest.raises(AttributeError, match="no_such_name"):
        hounsview_vizapp.no_such_name  # noqa: B018
    code = (
        "import sys, hounsview_vizapp, hounsview_vizapp.rendering; "
        "print(sorted({'vtkmodules', 'pyvista'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


_TWENTY_SCENES = """
import gc, os
import hounsview as hv
from hounsview.viewstate import Surface
from hounsview_vizapp.rendering import Scene

def resident():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

volume = hv.phantom("thorax", spacing=(5, 4, 4))
state = hv.ViewState(show_planes=True, surfaces=[Surface("bone"), Surface("skin", opacity=0.4)])
sizes = []
for _ in range(20):
    with Scene(volume) as scene:
        scene.picture(state, (200, 200))
    del scene
    gc.collect()
    sizes.append(resident())
print(sizes[-1] - sizes[3])
"""


@needs_opengl
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_twenty_scenes_one_after_the_other_take_no_more_memory_than_a_few() -> None:
    root = Path(__file__).resolve().parents[1]
    code = f"import sys; sys.path[:0] = [{str(root / 'core')!r}, {str(root / 'vizapp')!r}]\n"
    # With one heap for each thread, what was freed in one is not there for the next.
    one_heap = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", code + _TWENTY_SCENES]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=one_heap)
    # One scene holds some 20 MiB: sixteen that leak would hold 320.
    assert float(done.stdout) < 40
    assert done.stderr == ""
