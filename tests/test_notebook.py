"""The notebook's front end without a browser: events in, frames out."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from traitlets import link

import hounsview as hv
import hounsview_vizapp as hva
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
    opened(view, size=(100, 100))
    view.close()
    view.close()
    view.screen.loop.settle()
    assert len(_instances) == before
    del view, volume
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


# Errors.


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
    with pytest.raises(hv.ArgumentError, match="no controls"):
        hva.View(volume, controls=("wheels",))
    with pytest.raises(hv.ArgumentError, match="plane"):
        hva.SlicePane(volume, "frontal")
    with pytest.raises(hv.ArgumentError, match="Volume or a path"):
        hva.View(volume.hu)
    with pytest.raises(hv.ArgumentError, match="controls need"):
        hva.SliceSlider(volume)
