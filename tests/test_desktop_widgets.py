"""Controls of the desktop viewer, in this process and off screen."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
from desktop_kit import needs_screen
from hounsview.viewstate import Measurement, Surface
from hounsview_vizapp.contents import contents
from hounsview_vizapp.movies import MovieWish
from hounsview_vizapp.rendering import volume_pane
from scene_kit import needs_opengl

pytestmark = needs_screen

VOLUME = hv.phantom("hu-rods", spacing=(6, 3, 3))


@pytest.fixture(scope="module")
def application() -> Iterator[object]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from hounsview_vizapp.desktop import theme

    program = QApplication.instance() or QApplication(["hounsview"])
    theme.apply_theme(program, "dark")
    yield program
    os.environ.pop("QT_QPA_PLATFORM")


@pytest.fixture
def window(application, tmp_path: Path) -> Iterator[object]:
    from hounsview_vizapp.desktop.window import MainWindow
    from hounsview_vizapp.settings import Settings

    made = MainWindow(Settings(tmp_path / "settings"), "dark")
    made.show()
    yield made
    made.close()
    made.deleteLater()
    application.processEvents()


def until(application, holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        application.processEvents()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def opened(application, window, tmp_path: Path):
    hv.write_dicom(VOLUME, tmp_path / "rods")
    window.open_path(str(tmp_path / "rods"))
    until(application, lambda: window.viewer is not None)
    return window


def mouse(widget, kind: str, place, button: str = "LeftButton") -> None:
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    at = QPointF(place)
    pressed = getattr(Qt.MouseButton, button)
    held = Qt.MouseButton.NoButton if kind == "MouseButtonRelease" else pressed
    event = QMouseEvent(
        getattr(QEvent.Type, kind), at, widget.mapToGlobal(at), pressed, held,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def key(widget, name: str, text: str = "") -> None:
    from PySide6.QtCore import QEvent, Qt
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QApplication

    code = getattr(Qt.Key, f"Key_{name}")
    event = QKeyEvent(QEvent.Type.KeyPress, code, Qt.KeyboardModifier.NoModifier, text)
    QApplication.sendEvent(widget, event)


# The transfer function.


@pytest.fixture
def editor(opened, application):
    opened.tabs.setCurrentWidget(opened.rendering)
    opened.rendering.follow()
    application.processEvents()
    return opened.rendering.editor


def points_of(window) -> tuple[tuple[float, float], ...]:
    state = window.viewer.state
    return state.transfer.scalar_opacity or (
        hv.rendering_presets()[state.rendering].scalar_opacity
    )


def test_a_point_is_dragged_in_one_step(opened, editor) -> None:
    from PySide6.QtCore import QPointF

    before = points_of(opened)
    place = editor.place_of(5)
    mouse(editor, "MouseButtonPress", place)
    for share in (0.5, 1.0):
        mouse(editor, "MouseMove", place + QPointF(20, 10) * share)
    mouse(editor, "MouseButtonRelease", place + QPointF(20, 10))
    after = points_of(opened)
    assert after[5][0] > before[5][0] + 50
    assert after[5][1] < before[5][1]
    assert [a for n, a in enumerate(after) if n != 5] == [
        b for n, b in enumerate(before) if n != 5
    ]
    opened.viewer.state.undo()
    assert opened.viewer.state.transfer.scalar_opacity is None


def test_points_keep_their_order_and_range(opened, editor) -> None:
    from PySide6.QtCore import QPointF

    place = editor.place_of(3)
    mouse(editor, "MouseButtonPress", place)
    mouse(editor, "MouseMove", place + QPointF(5000, -5000))
    mouse(editor, "MouseButtonRelease", place)
    points = points_of(opened)
    hu = [at for at, _ in points]
    assert hu == sorted(hu)
    assert points[3][1] == 1


def test_points_are_added_and_removed_by_mouse_and_keyboard(opened, editor) -> None:
    from PySide6.QtCore import QPointF

    count = len(points_of(opened))
    spot = (editor.place_of(0) + editor.place_of(count - 1)) / 2 + QPointF(-60, 0)
    mouse(editor, "MouseButtonDblClick", spot)
    assert len(points_of(opened)) == count + 1
    editor.setFocus()
    key(editor, "Delete")
    assert len(points_of(opened)) == count
    key(editor, "N", "n")
    key(editor, "Insert")
    assert len(points_of(opened)) == count + 1
    before = points_of(opened)[1]
    key(editor, "Right")
    assert points_of(opened)[1][0] == pytest.approx(before[0] + 5)
    mouse(editor, "MouseButtonPress", editor.place_of(0), "RightButton")
    assert len(points_of(opened)) == count
    assert opened.viewer.state.rendering == "muscle and bone", "N is no preset here"


def test_own_presets_are_saved_and_used(opened, editor, application) -> None:
    opened.viewer.state.change(rendering="bone", transfer={"shift": 55})
    opened.rendering.save_own("mine")
    opened.viewer.state.change(rendering="skin", transfer={"shift": 0})
    opened.rendering.own.setCurrentText("mine")
    opened.rendering._use_own()
    assert opened.viewer.state.rendering == "bone"
    assert opened.viewer.state.transfer.shift == 55
    opened.rendering.save_own("")
    assert "not saved" in opened.banner.text.text()


# Controls and the state.


def test_controls_show_the_state_and_change_it(opened, application) -> None:
    state = opened.viewer.state
    panel = opened.display
    opened.tabs.setCurrentWidget(panel)
    state.window = "lung"
    until(application, lambda: panel.windows["lung"].isChecked())
    assert panel.window_width.value() == 1500
    panel.window_center.setValue(-500)
    assert state.window.center == -500
    panel.windows["bone"].click()
    assert state.value.window_name == "bone"
    panel.thickness.setValue(7)
    assert state.slab.thickness == 7
    panel.angles[2].setValue(15)
    assert state.oblique == (0, 0, 15)
    panel.crosshair.click()
    assert state.show_crosshair is False
    while state.can_undo:
        state.undo()
    assert state.value == hv.ViewState()
    until(application, lambda: panel.crosshair.isChecked())


def test_surfaces_and_crop(opened, application) -> None:
    state = opened.viewer.state
    panel = opened.surfaces
    opened.tabs.setCurrentWidget(panel)
    panel.level.setValue(300)
    panel._add_level()
    until(application, lambda: len(panel._controls) == 1)
    assert state.surfaces == (Surface("300 HU", 300.0),)
    shown, _, level, opacity = panel._controls[0]
    shown.click()
    level.setValue(450)
    opacity.setValue(40)
    (surface,) = state.surfaces
    assert (surface.shown, surface.level, surface.opacity) == (False, 450, 0.4)
    panel.crop.click()
    low, high = (np.array(corner) for corner in (state.crop.low, state.crop.high))
    corners = VOLUME.geometry.corners(faces=True)
    assert np.allclose([low, high], [corners.min(axis=0), corners.max(axis=0)])
    panel.crop_sliders[0][0].setValue(100)
    assert state.crop.low[0] == pytest.approx((low[0] + high[0]) / 2, abs=2)
    panel.crop_sliders[0][1].setValue(0)
    assert state.crop.low[0] < state.crop.high[0]
    panel.crop.click()
    assert state.crop is None


# What goes wrong.


def test_an_exception_in_a_handler_is_said_and_the_state_stays(
    opened, application, monkeypatch
) -> None:
    before = opened.viewer.state.value

    def broken(*_: object, **__: object) -> None:
        msg = "a bug"
        raise RuntimeError(msg)

    monkeypatch.setattr(type(opened.viewer), "pointer_event", broken)
    mouse(opened.grid.panes["axial"], "MouseButtonPress", opened.rect().center())
    until(application, opened.banner.isVisible)
    assert "a bug" in opened.banner.text.text()
    assert opened.viewer.state.value == before
    monkeypatch.undo()
    opened.viewer.state.window = "lung"
    frames = opened.grid.panes["axial"].frames_shown
    until(application, lambda: opened.grid.panes["axial"].frames_shown > frames)


def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_are(
    opened, application, monkeypatch
) -> None:
    drawn = opened.viewer.picture

    def broken(pane: str, *size: object) -> object:
        if pane == "coronal":
            msg = "no picture today"
            raise ValueError(msg)
        return drawn(pane, *size)

    monkeypatch.setattr(opened.viewer, "picture", broken)
    frames = opened.grid.panes["axial"].frames_shown
    opened.viewer.state.window = "lung"
    until(application, lambda: opened.grid.panes["axial"].frames_shown > frames)
    assert "no picture today" in opened.banner.text.text()
    monkeypatch.undo()


def test_an_action_that_fails_is_said(opened, monkeypatch) -> None:
    monkeypatch.setattr(type(opened.viewer.state), "undo", lambda self: 1 / 0)
    opened.run_action("undo")
    assert "division by zero" in opened.banner.text.text()
    assert "as it was before" in opened.banner.text.text()


def test_what_is_dropped_is_opened(window, application, tmp_path: Path) -> None:
    from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
    from PySide6.QtGui import QDropEvent

    hv.write(VOLUME, tmp_path / "rods.nii.gz")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "rods.nii.gz")), QUrl("http://x/y")])
    event = QDropEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    window.dropEvent(event)
    until(application, lambda: window.viewer is not None)
    assert np.array_equal(window.viewer.volume.hu, VOLUME.hu)


def test_cancelling_leaves_what_is_shown(opened, application, tmp_path: Path) -> None:
    before = opened.viewer
    opened.open_path(str(tmp_path / "rods"))
    opened.progress.cancel.click()
    assert not opened.opener.is_busy
    application.processEvents()
    assert opened.viewer is before
    assert opened.progress.isHidden()


def test_a_second_path_overtakes_the_first(window, application, tmp_path: Path) -> None:
    hv.write_dicom(VOLUME, tmp_path / "a")
    hv.write_dicom(hv.phantom("hu-rods", spacing=(9, 3, 3)), tmp_path / "b")
    window.open_path(str(tmp_path / "a"))
    window.open_path(str(tmp_path / "b"))
    until(application, lambda: window.viewer is not None)
    for _ in range(50):
        application.processEvents()
        time.sleep(0.005)
    assert window.viewer.volume.geometry.spacing[0] == pytest.approx(9)
    assert window.series.listed[0] == str(tmp_path / "b")


def test_previewed_slices_are_badged(window, application, tmp_path: Path) -> None:
    from hounsview_vizapp import drawing

    hv.write_dicom(VOLUME, tmp_path / "a")
    (entry,) = contents(tmp_path / "a")
    window._preview(entry.preview(4))
    for pane in window.grid.panes.values():
        assert pane.picture is not None
        assert (pane.picture == drawing.BLUE).all(axis=-1).sum() > 100


# Saving.


def done(window, application) -> None:
    until(application, lambda: not window.commands.is_busy)


def test_pictures_movies_meshes_sessions_and_scripts_are_saved(
    opened, application, tmp_path: Path, monkeypatch
) -> None:
    from hounsview_vizapp.desktop import questions, saving

    out = tmp_path / "out"
    out.mkdir()
    opened.commands.write_picture(saving.PictureWish("axial", 3), out / "a.png")
    done(opened, application)
    import cv2

    grid = opened.grid
    assert cv2.imread(str(out / "a.png")).shape[:2] == (3 * grid.height(), 3 * grid.width())
    opened.commands.write_movie(MovieWish("axial", 128, 10, 8), out / "a.mp4")
    done(opened, application)
    names = iter(["a.stl", "view.hounsview.json", "view.py"])
    monkeypatch.setattr(questions, "ask_target", lambda *_: out / next(names))
    opened.viewer.state.surfaces = (Surface("rods", 200.0),)
    for save in ("save_mesh", "save_session", "save_script"):
        getattr(opened.commands, save)()
        done(opened, application)
    assert {p.name for p in out.iterdir()} == {
        "a.png", "a.mp4", "a.stl", "view.hounsview.json", "view.py",
    }  # fmt: skip
    assert opened.banner.isHidden()
    assert hv.read_session(out / "view.hounsview.json").state == opened.viewer.state.value
    assert (out / "view.py").read_text() == opened.viewer.script()


def test_a_movie_is_cancelled_and_nothing_is_left(opened, application, tmp_path: Path) -> None:

    out = tmp_path / "out"
    out.mkdir()
    opened.commands.write_movie(MovieWish("sagittal", 512, 10, 8), out / "a.mp4")
    opened.saving.cancel.click()
    done(opened, application)
    assert list(out.iterdir()) == []
    assert "nothing was written" in opened.statusBar().currentMessage()


def test_a_failed_save_is_said(opened, application, tmp_path: Path) -> None:
    from hounsview_vizapp.desktop import saving

    opened.commands.write_picture(saving.PictureWish("axial", 1), tmp_path / "no" / "a.png")
    done(opened, application)
    assert "not saved" in opened.banner.text.text()
    opened.viewer.state.surfaces = ()
    opened.commands.save_mesh()
    assert "No surface is shown" in opened.banner.text.text()


# Tissues.


@pytest.fixture
def chest(window, application, tmp_path: Path):
    hv.write_dicom(hv.phantom("thorax", spacing=(6, 3, 3), noise=8), tmp_path / "chest")
    window.open_path(str(tmp_path / "chest"))
    until(application, lambda: window.viewer is not None)
    window.tabs.setCurrentWidget(window.tissues)
    return window


def test_a_tissue_is_looked_for_once_and_laid_over_the_slices(chest, application) -> None:
    viewer = chest.viewer
    plain = viewer.picture("axial", (200, 240))
    chest.tissues.toggles["left_lung"].click()
    until(application, lambda: viewer.labels is not None)
    over = viewer.picture("axial", (200, 240))
    changed = np.abs(over.astype(int) - plain).max(axis=-1) > 20
    assert changed[:, 125:].sum() > 500  # the patient's left is right in the picture
    assert changed[:, :115].sum() == 0
    assert np.array_equal(over, picture_of_pane(viewer, "axial", (200, 240)))
    until(application, lambda: chest.tissues.numbers.topLevelItemCount() > 5)
    names = [what for what, _, _ in viewer.tissue_numbers]
    assert {"left_lung", "bone", "fat", "lung density"} <= set(names)
    viewer.state.undo()
    assert np.array_equal(viewer.picture("axial", (200, 240)), plain)
    labels = viewer.labels
    chest.tissues.toggles["bone"].click()
    application.processEvents()
    assert viewer.labels is labels


def picture_of_pane(viewer, plane: str, size: tuple[int, int]) -> np.ndarray:
    from hounsview_vizapp.pictures import pane_of
    from hounsview_vizapp.tissuework import tissues_for

    volume, state = viewer.volume, viewer.state.value
    return pane_of(volume, state, plane, size, tissues=tissues_for(volume, state))


@needs_opengl
def test_a_surface_is_that_of_its_tissue_once_that_is_found(chest, application) -> None:
    viewer = chest.viewer
    chest.tabs.setCurrentWidget(chest.surfaces)
    viewer.state.show_volume = False
    viewer.key("Shift+B")
    until(application, lambda: viewer.tissue_map is not None)
    state, size = viewer.state.value, (200, 240)
    wanted = volume_pane(viewer.volume, state, size, tissues=viewer.tissue_map)
    assert np.array_equal(viewer.scene.picture(state, size), wanted)
    assert not np.array_equal(volume_pane(viewer.volume, state, size), wanted)
    chest.surfaces.follow()
    chest.surfaces._controls[0][2].setValue(300)
    assert [(s.name, s.tissue) for s in viewer.state.surfaces] == [("300 HU", "")]


def test_the_search_is_cancelled_and_not_begun_again(chest, application, monkeypatch) -> None:
    viewer = chest.viewer
    chest.tissues.toggles["bone"].click()
    until(application, lambda: chest.commands.is_busy)
    chest.saving.cancel.click()
    done(chest, application)
    for _ in range(20):
        application.processEvents()
    assert viewer.labels is None or not viewer.needs_tissues
    assert not chest.commands.is_busy


def test_why_a_tissue_is_missing_is_said(window, application, tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("head", spacing=(6, 4, 4)), tmp_path / "head")
    window.open_path(str(tmp_path / "head"))
    until(application, lambda: window.viewer is not None)
    window.tabs.setCurrentWidget(window.tissues)
    window.tissues._find()
    until(application, lambda: window.viewer.tissue_notes)
    window._follow()
    assert "lung" in window.tissues.notes.text()
    window.tissues.copy()


# What a review found.


def test_a_preview_of_a_load_that_was_overtaken_is_not_shown(
    window, application, tmp_path: Path, monkeypatch
) -> None:
    from hounsview_vizapp import contents as module

    hv.write_dicom(VOLUME, tmp_path / "a")
    hv.write_dicom(VOLUME, tmp_path / "b")
    begun, go_on = threading.Event(), threading.Event()
    plain = module._preview

    def slow(series, count):
        if not begun.is_set():
            begun.set()
            go_on.wait(20)
        return plain(series, count)

    monkeypatch.setattr(module, "_preview", slow)
    shown: list[object] = []
    window.opener.previewed.connect(shown.append)
    window.open_path(str(tmp_path / "a"))
    assert begun.wait(20)
    window.open_path(str(tmp_path / "b"))
    go_on.set()
    until(application, lambda: window.viewer is not None)
    assert len(shown) == 1
    assert window.series.listed[0] == str(tmp_path / "b")


def measured(window) -> None:
    ruler = Measurement("ruler", [(0, 0, 0), (30, 0, 0)])
    window.viewer.state.measurements = (ruler,)


def test_a_closed_volume_takes_its_numbers_along(opened, application, monkeypatch) -> None:
    from hounsview_vizapp.desktop import questions

    measured(opened)
    opened.tabs.setCurrentWidget(opened.measurements)
    opened._follow()
    assert opened.measurements.table.rowCount() == 1
    monkeypatch.setattr(questions, "ask_save_first", lambda *_: "discard")
    opened.close_volume()
    assert opened.measurements.table.rowCount() == 0
    assert "30.0 mm" not in opened.measurements.text()


@pytest.mark.parametrize("answer", ["cancel", "discard", "save"])
def test_measurements_are_not_lost_without_a_question(
    opened, application, tmp_path: Path, monkeypatch, answer: str
) -> None:
    from hounsview_vizapp.desktop import questions

    asked: list[int] = []

    def ask(_, count: int) -> str:
        asked.append(count)
        return answer

    file = tmp_path / "kept.hounsview.json"
    monkeypatch.setattr(questions, "ask_save_first", ask)
    monkeypatch.setattr(questions, "ask_target", lambda *_: file)
    opened.close_volume()
    assert asked == []  # nothing was measured
    opened.open_path(str(tmp_path / "rods"))
    until(application, lambda: opened.viewer is not None)
    measured(opened)
    opened.close_volume()
    assert asked == [1]
    assert (opened.viewer is None) == (answer != "cancel")
    assert file.exists() == (answer == "save")
    if answer == "save":
        assert len(hv.read_session(file).state.measurements) == 1
    if answer == "cancel":
        opened.viewer.mark_saved(opened.viewer.state.value)


def test_controls_follow_when_their_tab_comes_up(opened) -> None:
    opened.tabs.setCurrentWidget(opened.series)
    opened.viewer.state.window = "lung"
    opened.tabs.setCurrentWidget(opened.display)
    assert opened.display.windows["lung"].isChecked()
    assert opened.display.window_width.value() == 1500


def test_boxes_show_what_the_state_says(opened) -> None:
    opened.tabs.setCurrentWidget(opened.display)
    opened.viewer.state.change(
        window=hv.Window(40.4, 0.5, "LINEAR_EXACT"), oblique=(200.0, 0.0, 0.0)
    )
    opened.display.follow()
    assert opened.display.window_center.value() == 40.4
    assert opened.display.window_width.value() == 0.5
    assert opened.display.angles[0].value() == 200


def test_steps_stop_merging_when_a_hand_rests(opened, application) -> None:
    opened.viewer.state.layout = "axial"
    for _ in range(2):
        opened.viewer.key("Up")
        until(application, lambda: not opened.grid._still_timer.isActive())
        opened.grid._refine()
    first = opened.viewer.state.crosshair
    opened.viewer.state.undo()
    assert opened.viewer.state.crosshair not in (None, first)


def test_a_surface_whose_level_is_moved_is_called_by_it(opened) -> None:
    opened.tabs.setCurrentWidget(opened.surfaces)
    opened.viewer.state.surfaces = (Surface("250 HU", 250.0), Surface("bone"))
    opened.surfaces.follow()
    opened.surfaces._controls[0][2].setValue(400)
    opened.surfaces._controls[1][2].setValue(300)
    assert [(s.name, s.level) for s in opened.viewer.state.surfaces] == [
        ("400 HU", 400), ("300 HU", 300),
    ]  # fmt: skip


def test_the_wheel_changes_no_box_that_nobody_chose(opened, application) -> None:
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    opened.tabs.setCurrentWidget(opened.display)
    box = opened.display.window_width
    opened.grid.panes["axial"].setFocus()

    def turn() -> None:
        at = QPointF(box.rect().center())
        event = QWheelEvent(
            at, box.mapToGlobal(at), QPoint(), QPoint(0, -240), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(box, event)

    turn()
    assert opened.viewer.state.window.width == 400
    box.setFocus()
    turn()
    assert opened.viewer.state.window.width < 400


def test_a_long_name_does_not_widen_the_window(window, application) -> None:
    width = window.width()
    window.say_error("could not open " + "x" * 400, hv.ReadError("y" * 400))
    application.processEvents()
    assert window.minimumSizeHint().width() <= width
    assert window.width() == width


def test_a_file_of_unknown_unit_can_be_called_hu(window, application, tmp_path: Path) -> None:
    import nibabel

    nibabel.save(
        nibabel.Nifti1Image(np.random.default_rng(0).normal(0, 99, (9, 9, 9)), np.eye(4)),
        tmp_path / "a.nii.gz",
    )
    window.open_path(str(tmp_path / "a.nii.gz"))
    until(application, lambda: window.viewer is not None)
    assert window.viewer.volume.unit == "unknown"
    assert window.banner.more.text() == "They are HU"
    first = window.viewer
    window.banner.more.click()
    until(application, lambda: window.viewer is not first)
    assert window.viewer.volume.unit == "HU"
    assert window.viewer.source.unit == "HU"


def test_a_session_asks_until_it_has_its_scan(
    window, application, tmp_path: Path, monkeypatch
) -> None:
    from hounsview_vizapp.desktop import questions

    hv.write_dicom(VOLUME, tmp_path / "scan")
    hv.write_dicom(hv.phantom("hu-rods", spacing=(9, 3, 3)), tmp_path / "other")
    window.open_path(str(tmp_path / "scan"))
    until(application, lambda: window.viewer is not None)
    file = hv.write_session(window.viewer.saved(), tmp_path / "a.hounsview.json")
    window.close_volume()
    (tmp_path / "scan").rename(tmp_path / "moved")
    answers = iter([str(tmp_path / "other"), str(tmp_path / "moved")])
    reasons: list[str] = []

    def ask(_, why: str) -> str:
        reasons.append(why)
        return next(answers)

    monkeypatch.setattr(questions, "ask_where", ask)
    window.open_path(str(file))
    until(application, lambda: window.viewer is not None)
    assert ["no longer at" in reasons[0], "holds no series" in reasons[1]] == [True, True]
    assert window.viewer.source.path == str(tmp_path / "moved")


def test_files_get_the_ending_of_the_chosen_kind() -> None:
    from hounsview_vizapp.desktop.questions import with_ending

    kinds = (".stl", ".ply")
    assert with_ending(Path("/a/bone"), ".ply", kinds) == Path("/a/bone.ply")
    assert with_ending(Path("/a/bone.STL"), ".ply", kinds) == Path("/a/bone.STL")
    assert with_ending(Path("/a/pat.v2"), ".ply", kinds) == Path("/a/pat.v2.ply")
    session = (".hounsview.json",)
    assert (
        with_ending(Path("view.json"), session[0], session).name == "view.json.hounsview.json"
    )


def test_a_measurement_gets_a_name(opened) -> None:
    measured(opened)
    opened.measurements.name(0, "aorta")
    assert opened.viewer.state.measurements[0].text == "aorta"
    assert "aorta" in opened.measurements.text()
    opened.measurements.name(0, "a\nb")
    assert "this name cannot be used" in opened.banner.text.text().lower()
    assert opened.viewer.state.measurements[0].text == "aorta"
    opened.viewer.mark_saved(opened.viewer.state.value)


def test_nothing_can_be_done_to_nothing(window, opened) -> None:
    entries = [a for a in window.menus._needing if a.text()]
    assert all(entry.isEnabled() for entry in entries)
    window.close_volume()
    assert not any(entry.isEnabled() for entry in entries)


def test_keys_have_the_names_of_the_table(application) -> None:
    from PySide6.QtCore import QEvent, Qt
    from PySide6.QtGui import QKeyEvent

    from hounsview_vizapp.desktop.events import key_name

    modifier = Qt.KeyboardModifier
    for code, held, text, name in (
        ("A", modifier.NoModifier, "a", "A"),
        ("B", modifier.ShiftModifier, "B", "Shift+B"),
        ("Z", modifier.ControlModifier, "\x1a", "Ctrl+Z"),
        ("Question", modifier.ShiftModifier, "?", "?"),
        ("BracketRight", modifier.AltModifier | modifier.ControlModifier, "]", "Ctrl+Alt+]"),
        ("BracketRight", modifier.NoModifier, "]", "]"),
        ("7", modifier.KeypadModifier, "7", "7"),
        ("PageUp", modifier.NoModifier, "", "PgUp"),
        ("Enter", modifier.KeypadModifier, "\r", "Return"),
        ("Up", modifier.ShiftModifier, "", "Shift+Up"),
        ("Space", modifier.NoModifier, " ", "Space"),
        ("Tab", modifier.ControlModifier, "", "Ctrl+Tab"),
        ("Backspace", modifier.NoModifier, "\x08", "Backspace"),
    ):
        event = QKeyEvent(QEvent.Type.KeyPress, getattr(Qt.Key, f"Key_{code}"), held, text)
        assert key_name(event) == name
