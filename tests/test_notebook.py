"""The notebook's front end without a browser: events in, frames out."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from traitlets import link

import hounsview as hv
import hounsview_vizapp as hva
from hounsview.viewstate import Measurement, ViewState
from hounsview_vizapp.notebook.flow import MOST, Flow
from hounsview_vizapp.notebook.loop import Loop
from hounsview_vizapp.notebook.messages import Inbox, KeyEvent, event_of
from hounsview_vizapp.panes import slice_pane
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.events import PointerEvent, WheelEvent
from notebook_kit import Page, eventually
from scene_kit import needs_opengl
from series_kit import write_series

PLANES = {"axial", "coronal", "sagittal"}


@pytest.fixture(scope="module")
def volume() -> hv.Volume:
    return hv.phantom("thorax", spacing=(4.0, 3.0, 3.0))


@pytest.fixture
def slices(volume: hv.Volume) -> Iterator[Any]:
    """A view whose 3D pane is not shown: what is drawn is known to the pixel."""
    view = hva.View(volume, "axial")
    yield view
    view.close()


def opened(view: Any, **options: Any) -> Page:
    page = Page(view.screen, **options).load()
    eventually(lambda: page.frames)
    eventually(lambda: view.screen.is_settled)
    return page


def test_the_frame_is_the_slice_pane_to_the_pixel(slices: Any, volume: hv.Volume) -> None:
    page = opened(slices)
    expected = slice_pane(volume, slices.state.value, "axial", page.size)
    np.testing.assert_array_equal(page.frames["axial"], expected)


def test_what_moves_is_jpeg_and_what_stands_is_sent_again_without_loss(slices: Any) -> None:
    page = opened(slices)
    assert page.batches[0] == {"axial": "image/jpeg"}
    assert page.batches[-1] == {"axial": "image/png"}
    before = len(page.batches)
    page.wheel("axial", 1)
    eventually(lambda: page.batches[before:] and page.batches[-1] == {"axial": "image/png"})
    assert page.batches[before] == {"axial": "image/jpeg"}


def test_events_that_ride_with_a_confirmation_are_taken_in_their_order(slices: Any) -> None:
    page = opened(slices)
    before = slices.viewer.crosshair()
    events = [
        {"type": "wheel", "pane": "axial", "row": 1, "column": 1, "rows": 300, "columns": 360,
         "steps": steps, "modifiers": modifiers}
        for steps, modifiers in ((1, []), (2, ["shift"]), (4, []))
    ]  # fmt: skip
    page.tell(type="shown", number=page.last, events=events)
    eventually(lambda: slices.state.slab.thickness == 2)
    eventually(lambda: slices.viewer.crosshair()[2] == pytest.approx(before[2] + 20))


def test_a_canvas_at_rest_sends_nothing(slices: Any) -> None:
    page = opened(slices)
    before = len(page.batches)
    time.sleep(0.8)
    assert len(page.batches) == before


def test_the_wheel_turns_slices_and_merged_turns_count_by_their_amount(slices: Any) -> None:
    page = opened(slices)
    start = slices.state.crosshair or slices.viewer.crosshair()
    page.wheel("axial", 3)
    eventually(lambda: slices.state.crosshair is not None)
    eventually(lambda: slices.state.crosshair[2] == pytest.approx(start[2] + 12))


def test_the_pointers_value_is_a_trait(slices: Any, volume: hv.Volume) -> None:
    page = opened(slices)
    told: list[Any] = []
    slices.observe(lambda change: told.append(change["new"]), "pointer_hu")
    page.pointer("move", "axial", (150, 180))
    eventually(lambda: slices.pointer is not None)
    index = slices.pointer.index
    eventually(lambda: told)
    assert slices.pointer_hu == volume.hu[index] == told[-1]
    page.pointer("leave", "axial", (-1, -1))
    eventually(lambda: slices.pointer is None)
    assert slices.pointer_hu is None


def test_the_right_button_changes_the_window_and_it_is_one_step_back(slices: Any) -> None:
    page = opened(slices)
    before = slices.state.window
    page.drag("axial", (100, 100), (60, 150), "right")
    eventually(lambda: slices.state.window != before)
    assert slices.state.window.width > before.width
    assert slices.state.window.center > before.center
    eventually(lambda: not slices.state.in_gesture)
    page.key("Ctrl+Z")
    eventually(lambda: slices.state.window == before)


def test_a_measurement_drawn_with_the_pointer_gives_its_numbers(slices: Any) -> None:
    page = opened(slices)
    page.key("Q")
    page.drag("axial", (120, 150), (160, 200), "left")
    eventually(lambda: slices.state.measurements)
    eventually(lambda: slices.numbers)
    assert slices.numbers[0]["kind"] == "rectangle"
    assert "HU" in slices.numbers[0]["mean"]


def test_double_click_shows_one_pane_and_again_all(volume: hv.Volume) -> None:
    view = hva.View(volume)
    page = Page(view.screen).load()
    page.pointer("double", "coronal", (10, 10), "left")
    eventually(lambda: view.screen.grid == [["coronal"]])
    page.pointer("double", "coronal", (10, 10), "left")
    eventually(lambda: view.screen.grid == [["axial", "3d"], ["coronal", "sagittal"]])
    view.close()


# Back-pressure.


def test_no_more_than_two_batches_are_on_their_way(slices: Any) -> None:
    page = Page(slices.screen, confirm=False).load()
    for count in range(20):
        slices.state.window = (40 + count, 400)
        time.sleep(0.02)
    assert len(page.batches) == MOST
    page.tell(type="shown", number=page.last)
    eventually(lambda: len(page.batches) > MOST)
    time.sleep(0.1)
    # What came last is drawn once, and nothing of what lies between.
    assert len(page.batches) == MOST + 1
    assert slices.screen.flow.in_flight <= MOST


def test_whoever_is_cut_off_is_sent_something_again_after_a_while() -> None:
    now = 0.0
    flow = Flow(lambda: now)
    for _ in range(MOST):
        assert flow.is_free
        flow.sent()
    assert not flow.is_free
    now = 6.0
    assert flow.is_free
    flow.sent()
    assert flow.in_flight == 1


def test_a_confirmation_of_what_was_never_sent_is_not_believed() -> None:
    flow = Flow()
    flow.sent()
    flow.confirmed(99)
    assert flow.in_flight == 0
    flow.sent()
    assert flow.in_flight == 1


def test_nothing_is_drawn_while_nobody_sees_it(slices: Any) -> None:
    page = opened(slices)
    page.tell(type="visible", visible=False)
    before = len(page.batches)
    slices.state.window = "bone"
    time.sleep(0.6)
    assert len(page.batches) == before
    page.tell(type="visible", visible=True)
    eventually(lambda: len(page.batches) > before)


def test_a_page_loaded_again_gets_everything(slices: Any) -> None:
    page = opened(slices)
    page.frames.clear()
    page.load()
    eventually(lambda: "axial" in page.frames)


def test_a_new_size_gives_a_new_frame_of_it(slices: Any) -> None:
    page = opened(slices)
    page.resize("axial", (210, 333), ratio=2.0)
    eventually(lambda: page.frames["axial"].shape == (210, 333, 3))


@needs_opengl
def test_moving_through_slices_does_not_draw_3d(volume: hv.Volume) -> None:
    view = hva.View(volume)
    page = opened(view, size=(160, 160))
    before = len([batch for batch in page.batches if "3d" in batch])
    for _ in range(5):
        page.wheel("axial", 1)
        view.screen.loop.settle()
    eventually(lambda: view.screen.is_settled)
    assert len([batch for batch in page.batches if "3d" in batch]) == before
    view.close()


@needs_opengl
def test_3d_comes_coarse_at_first_and_ends_without_loss(volume: hv.Volume) -> None:
    view = hva.VolumePane(volume, "bone")
    page = opened(view, size=(200, 200))
    assert page.batches[-1] == {"3d": "image/png"}
    before = view.state.camera
    page.drag("3d", (100, 100), (100, 150), "left")
    eventually(lambda: view.state.camera.azimuth != before.azimuth)
    eventually(lambda: view.screen.is_settled)
    assert page.batches[-1] == {"3d": "image/png"}
    view.close()


# Several views.


def test_linked_views_move_together(volume: hv.Volume) -> None:
    a, b = hva.SlicePane(volume, "axial"), hva.SlicePane(volume, "coronal")
    link((a.state, "crosshair"), (b.state, "crosshair"))
    page_a, page_b = opened(a), opened(b)
    before = page_b.frames["coronal"].copy()
    page_a.drag("axial", (100, 100), (110, 120), "left")
    eventually(lambda: b.state.crosshair is not None)
    assert a.state.crosshair == b.state.crosshair
    eventually(lambda: not np.array_equal(before, page_b.frames["coronal"]))
    a.close()
    b.close()


def test_linked_states_changed_by_two_threads_at_once_do_not_wait_for_each_other() -> None:
    a, b = ViewerState(), ViewerState()
    link((a, "window"), (b, "window"))

    def change(state: ViewerState) -> None:
        for count in range(300):
            state.window = (count, 400)

    threads = [threading.Thread(target=change, args=(s,), daemon=True) for s in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert a.window == b.window


def test_panes_that_share_a_state_are_one_view(volume: hv.Volume) -> None:
    state = ViewerState()
    a, b = (hva.SlicePane(volume, plane, state=state) for plane in ("axial", "sagittal"))
    page_a, page_b = opened(a), opened(b)
    before = page_b.frames["sagittal"].copy()
    page_a.drag("axial", (100, 100), (60, 140), "right")
    eventually(lambda: not np.array_equal(before, page_b.frames["sagittal"]))
    a.close()
    state.window = "bone"
    eventually(lambda: b.screen.is_settled)
    expected = slice_pane(volume, state.value, "sagittal", page_b.size)
    np.testing.assert_array_equal(page_b.frames["sagittal"], expected)
    b.close()


def test_a_closed_view_lets_go_of_its_volume() -> None:
    volume = hv.phantom("hu-rods", spacing=(8.0, 4.0, 4.0))
    gone = weakref.ref(volume)
    before = len(_instances)
    view = hva.View(volume)
    page = opened(view, size=(100, 100))
    page.tell(type="visible", visible=False)  # as when its cell's output is cleared
    view.screen.loop.settle()
    view.close()
    view.close()
    view.screen.loop.settle()
    assert len(_instances) == before
    del view, volume, page
    eventually(lambda: gc.collect() >= 0 and gone() is None, 10)


# Loading.


def test_a_folder_is_loaded_while_the_kernel_goes_on(tmp_path: Path) -> None:
    write_series(tmp_path)
    view = hva.View(tmp_path)
    view.state.window = "lung"
    view.wait(30)
    assert view.viewer is not None
    assert view.state.window == hv.window_presets()["lung"]
    page = opened(view, size=(120, 120))
    assert set(page.frames) == {*PLANES, "3d"}
    view.close()


def test_what_cannot_be_loaded_is_said_in_the_cell_and_by_wait(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no CT")
    view = hva.View(tmp_path / "a.txt")
    with pytest.raises(hv.NotDicomError):
        view.wait(30)
    assert "not a DICOM file" in view.screen.message["text"]
    assert view.screen.message["kind"] == "bad"
    assert view.screen.progress == {}
    with pytest.raises(hv.NotDicomError):
        _ = view.volume
    view.close()


def test_a_path_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(hv.PathNotFoundError, match="does not exist"):
        hva.View(tmp_path / "nothing")


def test_long_work_can_be_cancelled_from_the_page(slices: Any) -> None:
    page = opened(slices)
    begun = threading.Event()

    def work(tell: Any) -> None:
        begun.set()
        while tell(1, 4, "counting"):
            time.sleep(0.01)
        msg = "stopped"
        raise hv.CancelledError(msg)

    slices.screen.run("Counting", work, lambda _: None)
    assert begun.wait(5)
    eventually(lambda: slices.screen.progress.get("share") == 0.25)
    page.tell(type="cancel")
    eventually(lambda: slices.screen.progress == {})
    assert "cancelled" in slices.screen.message["text"]
    page.tell(type="dismiss")
    eventually(lambda: slices.screen.message == {})


def test_tissues_are_looked_for_when_they_are_shown(volume: hv.Volume) -> None:
    view = hva.View(volume, "axial")
    page = opened(view)
    before = page.frames["axial"].copy()
    page.key("Alt+L")
    eventually(lambda: view.viewer.labels is not None, 60)
    eventually(lambda: view.screen.is_settled)
    assert not np.array_equal(before, page.frames["axial"])
    view.close()


def test_work_that_ends_before_it_is_known_is_not_still_at_work(slices: Any) -> None:
    for _ in range(100):
        slices.screen.run("x", lambda tell: 1, lambda result: None)
        slices.wait()
        assert not slices.screen.work.is_busy


def two_series(folder: Path) -> Any:
    for number, spacing in enumerate((20.0, 30.0)):
        hv.write_dicom(hv.phantom("thorax", spacing=(spacing, 8, 8)), folder / str(number))
    view = hva.View(folder, controls=False)
    view.wait(30)
    return view


def test_a_view_lives_on_when_another_series_cannot_be_loaded(tmp_path: Path) -> None:
    view = two_series(tmp_path)
    shown = view.volume
    for file in (tmp_path / "1").iterdir():
        file.write_bytes(b"")
    loader = view.screen.loader
    loader.open_entry(next(e for e in loader.entries if e.slices == 11))
    eventually(lambda: view.screen.message)
    assert view.volume is shown
    view.close()


def test_measurements_stay_with_their_series(tmp_path: Path) -> None:
    view = two_series(tmp_path)
    made = (Measurement("probe", ((0, 0, 0),), "axial"),)
    view.state.measurements = made
    view.state.window = "lung"
    first, loader = view.viewer, view.screen.loader
    entries = sorted(loader.entries, key=lambda entry: entry.source != first.source)
    loader.open_entry(entries[1])
    eventually(lambda: view.viewer not in (None, first))
    assert view.state.measurements == ()
    assert view.state.window == hv.window_presets()["lung"]
    assert not view.state.can_undo
    second = view.viewer
    loader.open_entry(entries[0])
    eventually(lambda: view.viewer not in (None, second))
    assert view.state.measurements == made
    view.close()


def session_file(folder: Path) -> Path:
    hv.write_dicom(hv.phantom("thorax", spacing=(20, 8, 8)), folder / "scan")
    first = hva.View(folder / "scan", controls=False)
    first.wait(30)
    first.state.window = "lung"
    hv.write_session(first.viewer.saved(), folder / "a.hounsview.json")
    first.close()
    return folder / "a.hounsview.json"


def test_a_session_is_opened_and_what_was_asked_for_goes_before_it(tmp_path: Path) -> None:
    file = session_file(tmp_path)
    view = hva.View(file, "axial", controls=False)
    view.wait(30)
    assert view.state.layout == "axial"
    assert view.state.window == hv.window_presets()["lung"]
    view.close()
    mine = ViewerState()
    view = hva.View(file, state=mine, controls=False)
    view.wait(30)
    assert mine.window == ViewState().window
    view.close()
    with pytest.raises(hv.ArgumentError, match="its own series"):
        hva.View(file, series=2)


def test_cancel_ends_a_movie_and_nothing_is_written(slices: Any, tmp_path: Path) -> None:
    page = opened(slices)
    slices.screen.observe(lambda _: page.tell(type="cancel"), "progress")
    with pytest.raises(hv.CancelledError):
        slices.movie(tmp_path / "a.gif", "axial", rows=96)
    assert list(tmp_path.iterdir()) == []


# Several pages and views.


def test_another_page_that_is_hidden_does_not_blank_this_one(slices: Any) -> None:
    page = opened(slices)
    page.tell(type="visible", page="other", visible=True)
    page.tell(type="visible", page="other", visible=False)
    before = len(page.batches)
    slices.state.window = "bone"
    eventually(lambda: len(page.batches) > before)


@needs_opengl
def test_what_nobody_sees_lets_go_of_its_3d_scene(
    volume: hv.Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hounsview_vizapp.notebook.painting._UNSEEN_S", 0.1)
    view = hva.VolumePane(volume, "bone")
    page = opened(view, size=(120, 120))
    before = page.frames["3d"].copy()
    page.tell(type="visible", visible=False)
    eventually(lambda: view.viewer._scene is None)
    page.frames.clear()
    page.tell(type="visible", visible=True)
    eventually(lambda: "3d" in page.frames)
    eventually(lambda: view.screen.is_settled)
    np.testing.assert_array_equal(page.frames["3d"], before)
    view.close()


def test_keys_act_on_the_pane_that_is_seen(volume: hv.Volume) -> None:
    for view in (
        hva.SlicePane(volume, "coronal"), hva.VolumePane(volume),
        hva.View(volume, state=ViewState(layout="coronal"), controls=False),
    ):  # fmt: skip
        assert view.viewer.active_pane == view.screen.panes[0]
        view.close()


def test_the_pointer_is_over_no_plane_when_3d_alone_is_shown(volume: hv.Volume) -> None:
    view = hva.View(volume, controls=False)
    page = opened(view)
    page.pointer("move", "axial", (150, 180))
    eventually(lambda: view.pointer_hu is not None)
    view.state.layout = "3d"
    eventually(lambda: view.pointer_hu is None)
    view.close()


class Shell:
    """As much of IPython as cells need; `cell` runs for the `execution_count`-th time."""

    def __init__(self) -> None:
        self.cell, self.execution_count = "a", 1
        self.callbacks: dict[str, list[Any]] = {"post_run_cell": []}
        self.events = self

    def register(self, _: str, callback: Any) -> None:
        self.callbacks["post_run_cell"].append(callback)

    def get_parent(self) -> dict[str, Any]:
        return {"metadata": {"cellId": self.cell}}

    def end(self) -> None:
        for callback in self.callbacks["post_run_cell"]:
            callback(None)
        self.execution_count += 1


class Handle:
    def __init__(self) -> None:
        self.htmls: list[str] = []

    def update(self, html: Any) -> None:
        self.htmls.append(html.data)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    import IPython.display

    made = Shell()
    made.handles = []  # type: ignore[attr-defined]
    made.displayed = 0  # type: ignore[attr-defined]

    def display(*_: Any, display_id: bool = False, **__: Any) -> Any:
        if not display_id:
            made.displayed += 1  # type: ignore[attr-defined]
            return None
        made.handles.append(Handle())  # type: ignore[attr-defined]
        return made.handles[-1]  # type: ignore[attr-defined]

    monkeypatch.setattr("IPython.get_ipython", lambda: made)
    monkeypatch.setattr(IPython.display, "display", display)
    return made


def test_show_as_the_last_expression_of_a_cell_displays_once(
    shell: Any, volume: hv.Volume
) -> None:
    view = hva.show(volume, "axial", controls=False)
    view._ipython_display_()
    assert shell.displayed == 1
    view._ipython_display_()  # in the same cell, on purpose
    assert shell.displayed == 2
    shell.end()
    view._ipython_display_()
    assert shell.displayed == 3
    view.close()


def test_a_cell_that_runs_again_closes_what_it_showed(shell: Any, volume: hv.Volume) -> None:
    first = hva.show(volume, "axial", controls=False)
    shell.end()
    second = hva.show(volume, "axial", controls=False)
    assert first.viewer is None
    assert second.viewer is not None
    shell.cell = "b"
    second.display()
    shell.end()
    shell.cell = "a"
    third = hva.show(volume, "axial", controls=False)
    assert second.viewer is not None, "another cell shows it"
    second.close()
    third.close()


def test_a_still_picture_is_sent_once_for_all_places_and_has_the_tissues(
    shell: Any, slices: Any
) -> None:
    page = opened(slices)
    slices.display()
    slices.display()
    assert len(slices.screen._resters) == 1
    page.key("I")
    eventually(lambda: all(handle.htmls for handle in shell.handles))
    before = shell.handles[0].htmls[-1]
    find = slices.viewer.find_tissues

    def slowly(tell: Any = None) -> Any:
        time.sleep(1.5)
        return find(tell)

    slices.viewer.find_tissues = slowly
    page.key("Alt+L")
    eventually(lambda: slices.viewer.labels is not None)
    count = len(shell.handles[0].htmls)
    eventually(lambda: len(shell.handles[0].htmls) > count)
    html = shell.handles[1].htmls[-1]
    assert html != before
    coded = np.frombuffer(b64decode(html.split("base64,")[1].split('"')[0]), np.uint8)
    picture = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(picture, page.frames["axial"])


def test_without_a_page_there_is_a_still_picture_and_a_reason(
    shell: Any, volume: hv.Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hounsview_vizapp.notebook.still._LATE_S", 0.1)
    view = hva.show(volume, "axial", controls=False)
    eventually(lambda: shell.handles[0].htmls)
    assert "live view did not start" in shell.handles[0].htmls[-1]
    view.close()


# Errors.


@pytest.mark.parametrize("name", ["pointer_hu", "numbers"])
def test_an_error_of_ones_own_about_what_the_view_tells_is_shown(
    slices: Any, name: str
) -> None:
    page = opened(slices)

    def broken(_: Any) -> None:
        msg = "my own mistake"
        raise ValueError(msg)

    slices.observe(broken, name)
    page.pointer("move", "axial", (150, 180))
    slices.state.measurements = (Measurement("probe", ((0, 0, 0),), "axial"),)
    eventually(lambda: "my own mistake" in slices.screen.message.get("text", ""), 5)


def test_an_observer_that_fails_leaves_no_view_behind(volume: hv.Volume) -> None:
    state = ViewerState(ViewState(layout="axial"))

    def broken(_: Any) -> None:
        msg = "my own mistake"
        raise ValueError(msg)

    state.observe(broken, "value")
    view = hva.View(volume, state=state, controls=False)
    page = opened(view)
    before = page.frames["axial"].copy()
    with pytest.raises(ValueError, match="my own mistake"):
        state.window = "lung"
    eventually(lambda: not np.array_equal(before, page.frames["axial"]))
    view.close()


def test_an_error_in_a_callback_is_shown_and_the_view_goes_on(slices: Any) -> None:
    page = opened(slices)

    def broken(_: Any) -> None:
        msg = "my own mistake"
        raise ValueError(msg)

    slices.state.observe(broken, "window")
    page.key("4")
    eventually(lambda: "my own mistake" in slices.screen.message.get("text", ""))
    assert "ValueError" in slices.screen.message["details"]
    slices.state.unobserve(broken, "window")
    page.key("1")
    eventually(lambda: slices.state.window == hv.window_presets()["lung"])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "key"},
        {"type": "pointer", "kind": "press", "pane": "axial"},
        {"type": "wheel", "pane": "axial", "row": "x", "column": 1, "rows": 3, "columns": 3},
        {"type": "size", "pane": "axial", "rows": -1, "columns": 10_000_000},
        {"type": "shown"},
        {"type": "pointer", "kind": "explode", "pane": "axial", "row": 1, "column": 1,
         "rows": 5, "columns": 5, "button": "left", "modifiers": []},
    ],
)  # fmt: skip
def test_messages_that_make_no_sense_change_nothing(slices: Any, message: Any) -> None:
    page = opened(slices)
    before = slices.state.value
    page.tell(**message)
    slices.screen.loop.settle()
    assert slices.state.value == before
    page.wheel("axial", 1)
    eventually(lambda: slices.state.value != before)


def test_events_of_another_pane_than_is_shown_are_not_taken(slices: Any) -> None:
    page = opened(slices)
    before = slices.state.value
    page.wheel("coronal", 1)
    slices.screen.loop.settle()
    assert slices.state.value == before


# Parts.


def test_moves_that_were_overtaken_are_merged_and_presses_are_not() -> None:
    inbox = Inbox()

    def pointer(kind: Any, row: float, button: Any = "left") -> PointerEvent:
        return PointerEvent(kind, "axial", (row, 0), (9, 9), button)

    events = [
        pointer("press", 0),
        pointer("move", 1),
        pointer("move", 2),
        pointer("release", 2),
    ]
    firsts = [inbox.put(event) for event in events]
    assert firsts == [True, False, False, False]
    assert inbox.take() == [events[0], events[2], events[3]]
    wheel = WheelEvent("axial", (0, 0), (9, 9), 1.5)
    for _ in range(3):
        inbox.put(wheel)
    inbox.put(KeyEvent("Up"))
    turned, key = inbox.take()
    assert isinstance(turned, WheelEvent)
    assert turned.steps == 4.5
    assert key == KeyEvent("Up")
    assert inbox.take() == []


def test_an_event_says_what_the_page_said() -> None:
    event = event_of(
        {"type": "pointer", "kind": "press", "pane": "axial", "row": 3.5, "column": 4.5,
         "rows": 10, "columns": 20, "button": "right", "modifiers": ["ctrl", "evil"],
         "ratio": 2}
    )  # fmt: skip
    assert event == PointerEvent(
        "press", "axial", (3.5, 4.5), (10, 20), "right", frozenset({"ctrl"}), 2.0
    )


def test_the_loop_does_work_in_turn_and_in_one_thread_and_lives_on_after_an_error() -> None:
    loop, done = Loop(), []
    loop.later(0.2, lambda: done.append("late"))
    loop.post(lambda: 1 / 0)
    for count in range(5):
        loop.post(lambda count=count: done.append((count, loop.is_here())))
    assert loop.settle()
    assert done == [(count, True) for count in range(5)]
    cancelled = loop.later(0.05, lambda: done.append("never"))
    cancelled.cancel()
    eventually(lambda: done[-1] == "late", 5)
    loop.close()
    loop.post(lambda: done.append("after"))
    time.sleep(0.05)
    assert done[-1] == "late"


def test_a_snapshot_is_the_view(slices: Any, volume: hv.Volume) -> None:
    slices.state.show_labels = False
    picture = np.asarray(slices.snapshot((200, 240)))
    expected = slice_pane(volume, slices.state.value, "axial", (200, 240))
    np.testing.assert_array_equal(picture, expected)


def test_a_movie_is_written(slices: Any, tmp_path: Path) -> None:
    written = slices.movie(tmp_path / "a.gif", "axial", rows=96)
    assert written.stat().st_size > 1000
    assert slices.screen.progress == {}
    with pytest.raises(hv.ArgumentError, match="mp4"):
        slices.movie(tmp_path / "a.txt")


def test_views_are_asked_for_with_what_there_is(volume: hv.Volume) -> None:
    before = len(_instances)
    with pytest.raises(hv.ArgumentError, match="page of controls"):
        hva.View(volume, controls=("wheels",))
    with pytest.raises(hv.ArgumentError, match="plane"):
        hva.SlicePane(volume, "frontal")
    with pytest.raises(hv.ArgumentError, match="Volume or a path"):
        hva.View(volume.hu)
    with pytest.raises(hv.ArgumentError, match="controls need"):
        hva.SliceSlider(volume)
    with pytest.raises(hv.ArgumentError, match="layout"):
        hva.View(volume, "axail")
    with pytest.raises(hv.ArgumentError, match="preset"):
        hva.VolumePane(volume, "bon")
    with pytest.raises(hv.ArgumentError, match="ViewState"):
        hva.View(volume, state="lung")
    with pytest.raises(hv.ArgumentError, match="height"):
        hva.View(volume, height=6.5)
    assert len(_instances) == before
    view = hva.View(volume, "coronal", height=333, controls="slices")
    assert view.screen.height == "333px"
    view.close()
