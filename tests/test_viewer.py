"""One opened volume without a window: events and keys become changes of the view."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.planes import plane_axes
from hounsview.sessions import Source, fingerprint
from hounsview.viewstate import PLANES, Measurement, ViewState
from hounsview_vizapp.dirty import PANES, panes_touched
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools import TOOLS, PointerEvent, WheelEvent
from hounsview_vizapp.tools.actions import action_of_key, actions

SIZE = (300, 400)


def small_volume() -> hv.Volume:
    geometry = hv.Geometry.from_parts(
        (20, 30, 40), spacing=(2.0, 1.5, 1.0), origin=(-20, -22, -19)
    )
    rng = np.random.default_rng(7)
    return hv.Volume(rng.integers(-900, 900, geometry.shape).astype(np.int16), geometry)


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    made = Viewer(small_volume())
    yield made
    made.close()


def press(viewer: Viewer, pane: str, *path: tuple[float, float], **options: Any) -> None:
    """Press at the first place, move along the others, release at the last."""
    button = options.pop("button", "left")
    held = frozenset(options.pop("held", ()))
    ratio = options.pop("ratio", 1.0)
    steps = [("press", path[0]), *(("move", at) for at in path[1:]), ("release", path[-1])]
    for kind, at in steps:
        viewer.pointer_event(PointerEvent(kind, pane, at, SIZE, button, held, ratio))


def turn_wheel(viewer: Viewer, pane: str, steps: float, *held: str) -> None:
    viewer.wheel_event(WheelEvent(pane, (150, 200), SIZE, steps, frozenset(held)))


def point_at(viewer: Viewer, pane: str, at: tuple[float, float]) -> np.ndarray:
    return np.array(viewer.point_at(pane, at, SIZE))


def test_a_click_puts_the_crosshair_where_the_pointer_is(viewer):
    for pane in PLANES:
        wanted = point_at(viewer, pane, (120, 170))
        press(viewer, pane, (120, 170))
        assert np.allclose(viewer.state.crosshair, wanted)
        row, column = viewer.pixel_of(pane, viewer.state.crosshair, SIZE)
        assert (row, column) == pytest.approx((120, 170))
        assert viewer.active_pane == pane


def test_a_drag_of_the_crosshair_is_one_step(viewer):
    before = viewer.state.value
    press(viewer, "axial", (100, 100), (110, 120), (130, 150))
    viewer.state.undo()
    assert viewer.state.value == before


def test_the_wheel_scrolls_to_slice_centres_and_stops_at_the_ends(viewer):
    turn_wheel(viewer, "axial", 1)
    z = viewer.state.crosshair[2]
    assert any(abs(z - (-19 + 2 * k)) < 1e-9 for k in range(20))
    turn_wheel(viewer, "axial", 500)
    assert viewer.state.crosshair[2] == pytest.approx(-19 + 2 * 19)
    turn_wheel(viewer, "axial", -500)
    assert viewer.state.crosshair[2] == pytest.approx(-19)


def test_parts_of_a_notch_add_up(viewer):
    start = viewer.crosshair()[2]
    for _ in range(3):
        turn_wheel(viewer, "axial", 0.3)
    assert viewer.crosshair()[2] == start
    turn_wheel(viewer, "axial", 0.3)
    assert viewer.crosshair()[2] > start


def test_ctrl_and_the_wheel_zoom_about_the_pointer(viewer):
    at = (60.0, 330.0)
    before = point_at(viewer, "coronal", at)
    viewer.wheel_event(WheelEvent("coronal", at, SIZE, 3, frozenset({"ctrl"})))
    assert viewer.state.coronal.zoom == pytest.approx(1.15**3)
    assert np.allclose(point_at(viewer, "coronal", at), before)
    assert viewer.state.axial.zoom == 1


def test_shift_and_the_wheel_make_the_slab_thicker(viewer):
    turn_wheel(viewer, "axial", 3, "shift")
    assert viewer.state.slab.thickness == 3
    turn_wheel(viewer, "axial", -9, "shift")
    assert viewer.state.slab.thickness == 0


@pytest.mark.parametrize(("button", "held"), [("middle", ()), ("left", ("shift",))])
def test_a_pan_keeps_what_was_under_the_pointer(viewer, button, held):
    grabbed = point_at(viewer, "sagittal", (100, 100))
    press(viewer, "sagittal", (100, 100), (140, 90), button=button, held=held)
    assert np.allclose(point_at(viewer, "sagittal", (140, 90)), grabbed)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_right_button_changes_the_window_right_wider_and_up_higher(viewer, ratio):
    press(
        viewer, "axial", (200, 100), (200 - 30 * ratio, 100 + 60 * ratio),
        button="right", ratio=ratio,
    )  # fmt: skip
    window = viewer.state.window
    assert window.width == pytest.approx(400 * (1 + 60 / 300))
    assert window.center == pytest.approx(40 + 30 * 400 / 300)


def test_the_window_never_becomes_too_narrow(viewer):
    press(viewer, "axial", (100, 390), (100, -5000), (100, -20000), button="right")
    assert viewer.state.window.width == 1


def test_a_double_click_shows_one_pane_and_again_all(viewer):
    for pane in PANES:
        event = PointerEvent("double", pane, (10, 10), SIZE, "left")
        viewer.pointer_event(event)
        assert viewer.state.layout == pane
        viewer.pointer_event(event)
        assert viewer.state.layout == "four-up"


def test_in_3d_left_turns_middle_moves_and_right_shifts(viewer):
    press(viewer, "3d", (100, 100), (110, 150))
    camera = viewer.state.camera
    # Dragged to the right the body turns with the pointer: the camera goes to its right.
    assert camera.azimuth == pytest.approx(-20)
    assert camera.elevation == pytest.approx(4)
    press(viewer, "3d", (100, 100), (120, 100), button="middle")
    assert viewer.state.camera.pan[1] > 0
    press(viewer, "3d", (100, 100), (100, 140), button="right")
    assert viewer.state.transfer.shift == pytest.approx(60)
    press(viewer, "3d", (0, 0), (-9000, 0))
    assert viewer.state.camera.elevation == -90


def test_turning_planes_follows_the_pointer_round_the_crosshair(viewer):
    viewer.tool = "turn"
    row, column = viewer.pixel_of("axial", viewer.crosshair(), SIZE)
    begin, end = (row, column + 80), (row + 80, column)
    press(viewer, "axial", begin, end)
    # A quarter turn clockwise in a picture seen from the feet: about z, right-handed.
    assert viewer.state.oblique == pytest.approx((0, 0, 90))


def place(viewer: Viewer, tool: str, *path: tuple[float, float], pane: str = "axial") -> None:
    viewer.tool = tool
    press(viewer, pane, *path)


def test_a_ruler_is_dragged_or_clicked(viewer):
    ends = (50, 100), (150, 260)
    place(viewer, "ruler", *ends)
    viewer.tool = "ruler"
    for at in ends:
        press(viewer, "axial", (at[0] + 90, at[1]))
    dragged, clicked = viewer.state.measurements
    for at, shown in zip(ends, dragged.points, strict=True):
        assert np.allclose(shown, point_at(viewer, "axial", at))
    along = [np.subtract(*m.points) for m in (dragged, clicked)]
    assert np.allclose(*along)
    assert viewer.selected == 1


def test_an_angle_takes_three_points_and_escape_gives_it_up(viewer):
    viewer.tool = "angle"
    for at in ((50, 50), (50, 150)):
        press(viewer, "axial", at)
    assert viewer.state.measurements == ()
    assert len(viewer.draft.points) == 2
    viewer.key("Esc")
    assert viewer.draft is None
    assert viewer.tool == "crosshair"
    viewer.tool = "angle"
    for at in ((50, 50), (50, 150), (100, 150)):
        press(viewer, "axial", at)
    (angle,) = viewer.state.measurements
    assert hv.measure.measure(viewer.volume, angle).degrees == pytest.approx(90)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_region_belongs_to_the_plane_it_was_drawn_on(viewer, kind):
    place(viewer, kind, (60, 60), (160, 200), pane="coronal")
    (region,) = viewer.state.measurements
    assert (region.kind, region.plane) == (kind, "coronal")


def test_a_measurement_is_taken_by_its_point_or_by_its_line(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    viewer.tool = "crosshair"
    before = viewer.state.measurements[0].points
    press(viewer, "axial", (52, 101), (82, 121))
    after = viewer.state.measurements[0].points
    mm = viewer.mm_per_pixel("axial", SIZE)
    assert np.allclose(np.subtract(after[0], before[0]), (20 * mm, 30 * mm, 0))
    assert after[1] == before[1]
    viewer.state.undo()
    press(viewer, "axial", (100, 180), (110, 180))
    moved = np.subtract(viewer.state.measurements[0].points, before)
    assert np.allclose(moved, [(0, 10 * mm, 0)] * 2)


def test_one_is_not_taken_on_another_slice_or_plane(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    viewer.tool = "crosshair"
    for pane in ("coronal", "sagittal"):
        assert viewer.hit(pane, (50, 100), SIZE, 7) is None
    assert viewer.hit("axial", (50, 100), SIZE, 7) == (0, 0)
    turn_wheel(viewer, "axial", 2)
    assert viewer.hit("axial", (50, 100), SIZE, 7) is None


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda v: turn_wheel(v, "axial", 3),
        lambda v: setattr(v.state, "oblique", (10, 0, 0)),
        lambda v: v.key("Ctrl+Z"),
    ],
)
def test_all_points_of_a_measurement_lie_on_one_slice(viewer, meanwhile):
    """What is clicked after scrolling or turning begins a new one."""
    turn_wheel(viewer, "axial", 2)
    viewer.tool = "rectangle"
    press(viewer, "axial", (100, 100))
    meanwhile(viewer)
    press(viewer, "axial", (200, 300))
    assert viewer.state.measurements == ()
    press(viewer, "axial", (250, 320))
    (made,) = viewer.state.measurements
    one, other = made.points
    right, down = plane_axes("axial", made.oblique)
    assert np.subtract(one, other) @ np.cross(right, down) == pytest.approx(0, abs=1e-6)
    assert made.oblique == viewer.state.oblique


def test_the_wheel_during_a_drag_mixes_no_slices(viewer):
    viewer.tool = "ellipse"
    viewer.pointer_event(PointerEvent("press", "axial", (100, 100), SIZE, "left"))
    turn_wheel(viewer, "axial", 4)
    viewer.pointer_event(PointerEvent("release", "axial", (200, 250), SIZE, "left"))
    assert viewer.state.measurements == ()


def test_a_point_in_another_pane_begins_a_new_measurement(viewer):
    viewer.tool = "ellipse"
    press(viewer, "axial", (100, 100))
    press(viewer, "coronal", (150, 250))
    assert viewer.state.measurements == ()
    assert viewer.draft.pane == "coronal"


def test_a_measurement_moved_while_the_wheel_turns_stays_in_its_slice(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    viewer.tool = "crosshair"
    (before,) = viewer.state.measurements
    viewer.pointer_event(PointerEvent("press", "axial", (50, 100), SIZE, "left"))
    turn_wheel(viewer, "axial", 3)
    viewer.pointer_event(PointerEvent("move", "axial", (60, 120), SIZE, "left"))
    viewer.pointer_event(PointerEvent("release", "axial", (60, 120), SIZE, "left"))
    (after,) = viewer.state.measurements
    assert after.points[0] != before.points[0]
    assert after.points[0][2] == before.points[0][2]


def test_removing_what_is_dragged_leaves_the_others_alone(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    place(viewer, "ruler", (80, 150), (190, 290))
    other = viewer.state.measurements[1]
    viewer.tool = "crosshair"
    viewer.pointer_event(PointerEvent("press", "axial", (50, 100), SIZE, "left"))
    viewer.key("Del")
    viewer.pointer_event(PointerEvent("move", "axial", (70, 120), SIZE, "left"))
    viewer.pointer_event(PointerEvent("release", "axial", (70, 120), SIZE, "left"))
    assert viewer.state.measurements == (other,)


def test_undo_during_a_drag_ends_the_drag(viewer):
    viewer.pointer_event(PointerEvent("press", "axial", (100, 100), SIZE, "right"))
    viewer.pointer_event(PointerEvent("move", "axial", (100, 140), SIZE, "right"))
    viewer.key("Ctrl+Z")
    for column in (150, 160, 170):
        viewer.pointer_event(PointerEvent("move", "axial", (100, column), SIZE, "right"))
    assert viewer.state.value == ViewState()
    assert not viewer.state.can_undo


def test_the_pointer_reads_the_slice_that_is_shown(viewer):
    viewer.pointer_event(PointerEvent("move", "axial", (150, 200), SIZE))
    turn_wheel(viewer, "axial", 4)
    shown = viewer.picture("axial", SIZE)
    fresh = Viewer(viewer.volume, viewer.state.value)
    fresh.pointer_event(PointerEvent("move", "axial", (150, 200), SIZE))
    assert np.array_equal(shown, fresh.picture("axial", SIZE))


def test_keys_and_cine_act_on_what_is_seen(viewer):
    viewer.active_pane = "3d"
    viewer.key("F3")
    assert viewer.active_pane == "axial"
    viewer.key("Up")
    assert viewer.state.crosshair is not None
    viewer.key("Space")
    assert viewer.playing == "axial"
    viewer.key("F4")
    assert viewer.playing is None
    viewer.key("F6")
    viewer.key("Space")
    assert viewer.playing is None


def test_a_pan_stops_where_a_view_ends(viewer):
    viewer.state.axial = {"zoom": 0.05}
    for _ in range(5):
        press(viewer, "axial", (0, 0), (9000, 9000), button="middle")
    assert viewer.state.axial.pan[0] <= 1e5
    for _ in range(200):
        turn_wheel(viewer, "axial", 3, "ctrl")
    assert viewer.state.axial.zoom == 200


def test_removing_is_undone_and_the_choice_survives_it(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    viewer.key("Del")
    assert viewer.state.measurements == ()
    assert viewer.selected is None
    viewer.state.undo()
    assert len(viewer.state.measurements) == 1
    viewer.key("'")
    assert viewer.selected == 0
    viewer.state.undo()
    assert viewer.selected is None


def test_measurements_can_be_made_from_the_keyboard(viewer):
    viewer.active_pane = "axial"
    viewer.picture("axial", SIZE)
    viewer.key("D")
    viewer.key("Ins")
    for _ in range(5):
        viewer.key("Right")
    viewer.key("Ins")
    (ruler,) = viewer.state.measurements
    way = np.subtract(ruler.points[1], ruler.points[0])
    assert way[0] > 0
    assert np.allclose(way[1:], 0)


def test_every_key_means_one_thing_and_every_action_runs(viewer):
    keys = list(itertools.chain.from_iterable(a.keys for a in actions().values()))
    assert len(keys) == len(set(keys))
    assert {a.group for a in actions().values()} == {
        "Window", "Slices", "View", "3D", "Tissues", "Tools", "Edit",
    }  # fmt: skip
    for pane in PANES:
        for action in actions().values():
            viewer.active_pane = pane
            action.run(viewer)
            viewer.state.value.to_json()
    assert all(action_of_key(f"{n % 10}") for n in range(1, 11))
    assert not viewer.key("Ctrl+Alt+Q")
    assert set(TOOLS) == {
        a.name.removeprefix("tool ") for a in actions().values() if a.name.startswith("tool ")
    }


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("1", {"window": hv.window_presets()["lung"]}),
        ("4", {"window": hv.window_presets()["bone"]}),
        ("B", {"rendering": "bone"}), ("L", {"rendering": "lung"}),
        ("S", {"rendering": "skin"}),
        ("I", {"colormap": "inverted"}), ("C", {"show_crosshair": False}),
        ("T", {"show_labels": False}), ("O", {"show_planes": True}), ("F6", {"layout": "3d"}),
        ("J", {"show_table": False}), ("Y", {"quality": "full"}),
    ],
)  # fmt: skip
def test_a_key_does_what_the_help_says(viewer, key, expected):
    assert viewer.key(key)
    for name, value in expected.items():
        assert getattr(viewer.state, name) == value
    viewer.key("Ctrl+Z")
    assert viewer.state.value == ViewState()
    viewer.key("Ctrl+Y")
    for name, value in expected.items():
        assert getattr(viewer.state, name) == value


def test_a_tissue_key_shows_its_surface_and_hides_it(viewer):
    viewer.key("Shift+B")
    (bone,) = viewer.state.surfaces
    assert (bone.name, bone.shown) == ("bone", True)
    viewer.key("Shift+B")
    assert [s.shown for s in viewer.state.surfaces] == [False]
    assert len(viewer.state.surfaces) == 1


def test_the_whole_view_as_at_first_keeps_measurements(viewer):
    place(viewer, "ruler", (50, 100), (150, 260))
    kept = viewer.state.measurements
    viewer.key("L")
    viewer.key("Shift+R")
    assert viewer.state.value == ViewState(measurements=kept)


def test_cine_goes_through_all_slices_and_round(viewer):
    viewer.active_pane = "coronal"
    viewer.key("Space")
    assert viewer.playing == "coronal"
    seen = set()
    for _ in range(30):
        viewer.cine_step()
        seen.add(round(viewer.crosshair()[1], 6))
    assert len(seen) == 30
    viewer.key("Space")
    assert viewer.playing is None
    viewer.cine_step()
    viewer.state.undo()
    assert viewer.state.value == ViewState()


def test_what_is_dirty_is_told_and_no_more(viewer):
    told: list[set[str]] = []
    viewer.listen(on_dirty=told.append, on_frame=lambda frame: None)
    viewer.state.window = "lung"
    assert told.pop() == set(PLANES)
    viewer.state.coronal = {"zoom": 2}
    assert told.pop() == {"coronal"}
    viewer.state.camera = {"azimuth": 20}
    assert told.pop() == {"3d"}
    viewer.state.layout = "axial"
    assert told.pop() == set(PANES)
    viewer.state.crosshair = (1, 2, 3)
    assert told.pop() == set(PLANES)
    viewer.state.show_planes = True
    told.clear()
    viewer.state.crosshair = (3, 2, 1)
    assert told.pop() == set(PANES)
    assert told == []


def test_a_pane_that_is_not_touched_looks_the_same():
    volume = small_volume()
    views = [
        ViewState(), ViewState().changed(window="lung"), ViewState().changed(axial={"zoom": 2}),
        ViewState(crosshair=(1, 2, 3)), ViewState().changed(camera={"azimuth": 9}, slab=4),
        ViewState(measurements=(Measurement("probe", [(0, 0, 0)]),)), ViewState(colormap="hot"),
        ViewState().changed(sagittal={"pan": (3, 4)}, oblique=(10, 0, 0)),
        ViewState(show_labels=False), ViewState(show_crosshair=False),
    ]  # fmt: skip
    for before, after in itertools.permutations(views, 2):
        for pane in set(PLANES) - panes_touched(before, after):
            pictures = [
                Viewer(volume, view).picture(pane, (90, 120)) for view in (before, after)
            ]
            assert np.array_equal(*pictures)


def test_the_pointer_is_written_on_the_pane_below_it(viewer):
    plain = viewer.picture("axial", SIZE)
    viewer.pointer_event(PointerEvent("move", "axial", (150, 200), SIZE))
    assert not np.array_equal(viewer.picture("axial", SIZE), plain)
    viewer.pointer_event(PointerEvent("leave", "axial", (-1, -1), SIZE))
    assert np.array_equal(viewer.picture("axial", SIZE), plain)


def test_a_measurement_is_seen_while_it_is_made(viewer):
    viewer.tool = "ruler"
    viewer.pointer_event(PointerEvent("press", "axial", (50, 100), SIZE, "left"))
    viewer.pointer_event(PointerEvent("move", "axial", (150, 260), SIZE, "left"))
    growing = viewer.picture("axial", SIZE)
    viewer.pointer_event(PointerEvent("release", "axial", (150, 260), SIZE, "left"))
    viewer.pointer_event(PointerEvent("leave", "axial", (-1, -1), SIZE))
    viewer.selected = None
    assert np.array_equal(viewer.picture("axial", SIZE), growing)
    assert viewer.draft is None


def test_the_script_and_the_session_name_the_source():
    source = Source("/scans/a", series_uid="1.2.3", series_key="key-1", unit=None)
    viewer = Viewer(small_volume(), ViewState(layout="axial"), source=source)
    assert "hv.load('/scans/a', series='key-1')" in viewer.script()
    saved = viewer.saved()
    assert saved.state == ViewState(layout="axial")
    assert replace(saved.source, fingerprint="") == source
    assert saved.source.fingerprint == fingerprint(viewer.volume)
    assert (
        "hv.phantom('head')" in Viewer(small_volume(), source=Source(phantom="head")).script()
    )


def test_closing_ends_the_scene_and_its_thread():
    threads = set(threading.enumerate())
    viewer = Viewer(hv.phantom("hu-rods", spacing=(6, 4, 4)))
    frames = []
    viewer.listen(on_dirty=lambda panes: None, on_frame=frames.append)
    try:
        viewer.request_3d((80, 80), moving=False)
    except hv.RenderingUnavailableError as error:
        pytest.skip(str(error))
    viewer.close()
    viewer.close()
    assert set(threading.enumerate()) <= threads
