"""Scenes: frames of (volume, state), in their order, from one thread."""

from __future__ import annotations

import gc
import queue
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.viewstate import Surface
from hounsview_vizapp.rendering import (
    Frame,
    Scene,
    Turns,
    opengl,
    pyramid,
    stage,
    use_main_loop,
)
from hounsview_vizapp.rendering import scene as scene_module
from hounsview_vizapp.rendering.stage import Stage
from scene_kit import BARE, SIZE, ball, marked, needs_opengl, without_gpu  # noqa: F401

# The ladder from coarse to fine is what a machine without a graphics card climbs.
pytestmark = pytest.mark.usefixtures("without_gpu")


class Taken:
    """Frames as they come, and a way to wait for the final one of a state."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._changed = threading.Condition()

    def __call__(self, frame: Frame) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def wait(self, count: int = 1, *, final: bool = True) -> list[Frame]:
        """Return all frames as soon as so many (final) ones have come."""
        with self._changed:
            come = self._changed.wait_for(
                lambda: sum(f.is_final or not final for f in self.frames) >= count, timeout=60
            )
        assert come, "no frame came in a minute"
        return self.frames


@pytest.fixture
def two_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small volumes have a coarse and a fine level."""
    for module in (pyramid, stage):
        monkeypatch.setattr(module, "COARSE_VOXELS", 9000)


def turned(azimuth: float, **changes: Any) -> hv.ViewState:
    return BARE.changed(camera={"azimuth": azimuth}, **changes)


def scene_threads() -> list[threading.Thread]:
    return [
        t
        for t in threading.enumerate()
        if t.name.startswith(("hounsview-scene", "hounsview-making"))
    ]


@pytest.fixture
def scene_in_turns(two_levels: None) -> Iterator[tuple[Scene, Turns, Taken]]:
    turns, taken = Turns(), Taken()
    with Scene(marked(), on_frame=taken, executor=turns) as scene:
        yield scene, turns, taken


def turn_until_final(turns: Turns, taken: Taken) -> None:
    while not (taken.frames and taken.frames[-1].is_final):
        turns.turn()


@needs_opengl
def test_the_latest_request_wins(scene_in_turns: tuple[Scene, Turns, Taken]) -> None:
    scene, turns, taken = scene_in_turns
    for azimuth in (10, 20, 30):
        scene.request(turned(azimuth), SIZE, moving=True)
    scene.request(turned(40), SIZE)
    turn_until_final(turns, taken)
    assert {frame.state.camera.azimuth for frame in taken.frames} == {40}


@needs_opengl
def test_where_the_main_thread_must_draw_its_loop_is_woken_from_any_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("hounsview_vizapp.rendering.thread._main_loop", None)
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    use_main_loop(asked.put)
    taken, pictures = Taken(), []
    with Scene(marked(), on_frame=taken) as scene:
        asker = threading.Thread(
            target=lambda: (
                scene.request(turned(10), SIZE),
                pictures.append(scene.picture(turned(20), SIZE)),
            )
        )
        asker.start()
        while not (pictures and taken.frames and taken.frames[-1].is_final):
            asked.get(timeout=20)()  # what a main loop does
        asker.join(5)
        np.testing.assert_array_equal(pictures[0], scene.picture(turned(20), SIZE))


@needs_opengl
def test_moving_frames_are_coarse_and_the_last_frame_is_fine_and_final(
    scene_in_turns: tuple[Scene, Turns, Taken],
) -> None:
    scene, turns, taken = scene_in_turns
    for azimuth in (10, 20):
        scene.request(turned(azimuth), SIZE, moving=True)
        while turns.turn():
            pass
    assert [frame.is_final for frame in taken.frames] == [False, False]
    scene.request(turned(20), SIZE)
    turn_until_final(turns, taken)
    *coarse, fine = taken.frames
    assert all(frame.resolution.startswith("REDUCED TO") for frame in coarse)
    assert not any(frame.is_final for frame in coarse)
    assert fine.is_final
    assert fine.resolution == ""
    assert fine.picture.shape == (*SIZE, 3)
    assert len(taken.frames) == 4


@needs_opengl
def test_a_state_that_looks_the_same_is_answered_from_what_is_there(
    scene_in_turns: tuple[Scene, Turns, Taken], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, turns, taken = scene_in_turns
    scene.request(BARE, SIZE)
    turn_until_final(turns, taken)
    monkeypatch.setattr(Stage, "draw", None)
    other = BARE.changed(crosshair=(1, 2, 3), window="lung")
    scene.request(other, SIZE)
    while turns.turn():
        pass
    assert taken.frames[-1].state == other
    assert taken.frames[-1].is_final
    assert np.array_equal(taken.frames[-1].picture, taken.frames[-2].picture)


@needs_opengl
@pytest.mark.parametrize(
    ("quality", "told"),
    [("fast", [True, True]), ("auto", [True, True]), ("full", [True, True, False])],
)
def test_quality_decides_how_far_a_picture_is_refined(
    quality: str, told: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pyramid, stage):
        monkeypatch.setattr(module, "COARSE_VOXELS", 2500)
    monkeypatch.setattr(stage, "FINE_VOXELS", 9000)
    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        scene.request(BARE.changed(quality=quality), SIZE)
        frames = taken.wait()
    assert [bool(frame.resolution) for frame in frames] == told
    finest = {"fast": "REDUCED TO 6 mm", "auto": "REDUCED TO 4 mm", "full": ""}
    assert frames[-1].resolution == finest[quality]


@needs_opengl
def test_a_request_while_a_picture_is_refined_stops_it(two_levels: None) -> None:
    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        asked: list[int] = []

        def ask_while_refining(*_: object) -> None:
            stage_ = scene._stage
            if stage_ is not None and stage_._interruptible and not asked:
                asked.append(1)
                scene.request(turned(90), SIZE)

        scene.run(
            lambda plotter: plotter.renderer.AddObserver("StartEvent", ask_while_refining)
        )
        scene.request(turned(0), SIZE)
        frames = taken.wait()
    assert asked
    told = [(frame.state.camera.azimuth, frame.is_final) for frame in frames]
    assert told == [(0, False), (90, False), (90, True)]


@needs_opengl
def test_a_request_is_answered_while_the_fine_level_is_still_made(
    two_levels: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, may_go_on = Taken(), threading.Event()
    make = Stage.make

    def slow(self: Stage, job: stage.Job, *, warm: bool) -> Any:
        if warm:
            assert may_go_on.wait(60)
        return make(self, job, warm=warm)

    monkeypatch.setattr(Stage, "make", slow)
    with Scene(marked(), on_frame=taken) as scene:
        scene.request(turned(0), SIZE)
        taken.wait(1, final=False)
        scene.request(turned(90), SIZE)
        taken.wait(2, final=False)
        may_go_on.set()
        frames = taken.wait()
    told = [(frame.state.camera.azimuth, frame.is_final) for frame in frames]
    assert told == [(0, False), (90, False), (90, True)]


@needs_opengl
def test_pictures_asked_for_meanwhile_are_whole(two_levels: None) -> None:
    alone = {}
    for azimuth in (0, 90):
        with Scene(marked()) as scene:
            alone[azimuth] = scene.picture(turned(azimuth), SIZE)
    stop = threading.Event()
    with Scene(marked(), on_frame=lambda _: None) as scene:

        def keep_asking() -> None:
            while not stop.is_set():
                scene.request(turned(45), SIZE, moving=True)
                stop.wait(0.001)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        try:
            pictures = {azimuth: scene.picture(turned(azimuth), SIZE) for azimuth in alone}
        finally:
            stop.set()
            asking.join()
    assert all(np.array_equal(pictures[azimuth], alone[azimuth]) for azimuth in alone)


@needs_opengl
def test_endless_requests_do_not_keep_a_picture_waiting(
    scene_in_turns: tuple[Scene, Turns, Taken],
) -> None:
    scene, turns, taken = scene_in_turns
    scene.request(BARE, SIZE)
    turn_until_final(turns, taken)
    while turns.turn():
        pass
    pictures: list[Any] = []
    waiting = threading.Thread(target=lambda: pictures.append(scene.picture(BARE, SIZE)))
    waiting.start()
    while not turns._queue:
        pass
    for azimuth in range(30):
        scene.request(turned(azimuth), SIZE, moving=True)
        turns.turn()
    waiting.join(60)
    assert len(pictures) == 1
    assert taken.frames[-1].state.camera.azimuth == 29


@needs_opengl
def test_work_runs_in_the_thread_that_owns_the_plotter_and_its_errors_come_back() -> None:
    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        thread = scene.run(lambda plotter: threading.current_thread())
        assert thread is not threading.current_thread()
        assert thread is scene.run(lambda plotter: threading.current_thread())
        with pytest.raises(ZeroDivisionError):
            scene.run(lambda plotter: 1 / 0)
        scene.request(BARE, SIZE)
        assert not taken.wait()[-1].error


@needs_opengl
def test_what_a_script_adds_stays_in_the_picture_until_it_removes_it() -> None:
    import pyvista

    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        scene.request(BARE, SIZE)
        before = taken.wait()[-1].picture
        sphere = pyvista.Sphere(radius=9, center=(-25, 0, 0))
        scene.run(lambda plotter: plotter.add_mesh(sphere, color="lime", name="mine"))
        during = taken.wait(2)[-1].picture
        green = (during[..., 1].astype(int) - during[..., 0]) > 60
        assert green.sum() > 50
        assert np.argwhere(green)[:, 1].mean() < SIZE[1] / 2  # x below 0: the patient's right
        scene.run(lambda plotter: plotter.remove_actor("mine"))
        assert np.array_equal(taken.wait(3)[-1].picture, before)


@needs_opengl
def test_an_error_in_drawing_is_told_and_the_thread_lives_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        with monkeypatch.context() as broken:

            def fail(*_: object, **__: object) -> None:
                msg = "the lamp broke"
                raise RuntimeError(msg)

            broken.setattr(stage, "_pixels", fail)
            scene.request(BARE, SIZE)
            frame = taken.wait()[-1]
            assert frame.error == "the lamp broke"
            assert (frame.picture.max(axis=-1) > 100).any()  # it says so
            with pytest.raises(RuntimeError, match="lamp"):
                scene.picture(BARE, SIZE)
        scene.request(BARE, SIZE)
        assert not taken.wait(2)[-1].error
        scene.picture(BARE, SIZE)


@needs_opengl
def test_an_error_while_a_level_is_made_is_told(
    two_levels: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Stage.make

    def fail(self: Stage, job: stage.Job, *, warm: bool) -> Any:
        if warm:
            raise MemoryError
        return make(self, job, warm=warm)

    taken = Taken()
    with Scene(marked(), on_frame=taken) as scene:
        with monkeypatch.context() as broken:
            broken.setattr(Stage, "make", fail)
            scene.request(BARE, SIZE)
            frames = taken.wait()
            assert [bool(frame.error) for frame in frames] == [False, True]
            with pytest.raises(MemoryError):
                scene.picture(BARE, SIZE)
        assert scene.picture(BARE, SIZE).shape == (*SIZE, 3)


@needs_opengl
def test_whoever_takes_the_frames_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    def fail(frame: Frame) -> None:
        raise ValueError(frame.resolution)

    with Scene(marked(), on_frame=fail) as scene:
        scene.request(BARE, SIZE)
        assert scene.picture(BARE, SIZE).shape == (*SIZE, 3)
    assert "whoever takes the frames failed" in caplog.text


def test_without_opengl_everything_says_the_same_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opengl, "_PROBE", "import os; os.abort()")
    opengl._answer.cache_clear()
    taken = Taken()
    try:
        with Scene(marked(), on_frame=taken) as scene:
            scene.request(BARE, SIZE)
            frame = taken.wait()[-1]
            assert "libegl1" in frame.error
            assert frame.picture.shape == (*SIZE, 3)
            for ask in (lambda: scene.picture(BARE, SIZE), lambda: scene.run(lambda _: None)):
                with pytest.raises(hv.RenderingUnavailableError, match="libegl1"):
                    ask()
    finally:
        opengl._answer.cache_clear()


def test_values_that_are_not_hu_are_refused() -> None:
    with (
        Scene(hv.Volume(marked().hu, marked().geometry, unit="stored")) as scene,
        pytest.raises(hv.NotHounsfieldError, match="a volume rendering"),
    ):
        scene.picture(BARE, SIZE)


@needs_opengl
def test_closing_twice_is_closing_once_and_leaves_no_thread() -> None:
    scene = Scene(marked(), on_frame=lambda _: None)
    scene.request(BARE, SIZE)
    scene.picture(BARE, SIZE)
    assert scene_threads()
    scene.close()
    scene.close()
    assert not scene_threads()
    scene.request(BARE, SIZE)  # nobody is there to answer
    for ask in (lambda: scene.picture(BARE, SIZE), lambda: scene.run(lambda _: None)):
        with pytest.raises(hv.RenderingUnavailableError, match="closed"):
            ask()


@needs_opengl
def test_whoever_still_waits_at_the_end_is_refused() -> None:
    scene = Scene(marked())
    working, may_go_on, errors = threading.Event(), threading.Event(), []

    def hold(_: object) -> None:
        working.set()
        assert may_go_on.wait(60)

    def wait_for_a_picture() -> None:
        try:
            scene.picture(BARE, SIZE)
        except hv.RenderingUnavailableError as error:
            errors.append(str(error))

    holding = threading.Thread(target=lambda: scene.run(hold))
    holding.start()
    assert working.wait(60)
    waiting = threading.Thread(target=wait_for_a_picture)
    waiting.start()
    closing = threading.Thread(target=scene.close)
    while scene._executor._queue.qsize() < 1:  # type: ignore[attr-defined]
        pass
    closing.start()
    while not scene._closed:
        pass
    may_go_on.set()
    for thread in (holding, waiting, closing):
        thread.join(60)
    assert errors == ["this scene is closed: make a new one"]


@needs_opengl
def test_a_scene_may_be_closed_from_its_own_thread() -> None:
    closed = threading.Event()

    def close(_: Frame) -> None:
        scene.close()
        closed.set()

    scene = Scene(marked(), on_frame=close)
    scene.request(BARE, SIZE)
    assert closed.wait(60)
    for thread in scene_threads():
        thread.join(60)
    assert not scene_threads()


@needs_opengl
def test_everything_that_is_added_is_removed_and_nothing_outlives_the_scene() -> None:
    kept: list[weakref.ref[Any]] = []
    everything = BARE.changed(
        show_planes=True,
        rendering_beside="skin",
        surfaces=[Surface("bone"), Surface("skin", opacity=0.5), Surface("lung")],
    )

    def props(plotter: Any) -> int:
        return int(plotter.renderer.GetViewProps().GetNumberOfItems())

    def remember(plotter: Any) -> None:
        kept.extend(map(weakref.ref, (plotter.render_window, plotter.renderer)))
        kept.extend(weakref.ref(prop) for prop in plotter.renderer.GetViewProps())

    with Scene(marked()) as scene:
        scene.picture(BARE, SIZE)
        count = scene.run(props)
        scene.picture(everything, SIZE)
        assert scene.run(props) == count + 3 + 6
        scene.run(remember)
        scene.picture(BARE, SIZE)
        assert scene.run(props) == count
        scene.picture(everything.changed(show_volume=False, rendering_beside=None), SIZE)
        assert scene.run(props) == count - 1 + 3 + 6
    del scene
    gc.collect()
    assert len(kept) >= 12
    assert [ref() for ref in kept if ref() is not None] == []
    assert not scene_module._open


@needs_opengl
def test_on_hardware_the_graphics_card_casts_the_rays(monkeypatch: pytest.MonkeyPatch) -> None:
    # Software OpenGL takes a texture as well, if slowly: enough for a small picture.
    monkeypatch.setattr(opengl.OpenGL, "is_software", False)
    volume = ball(radius=12.0, spacing=3.0)
    with Scene(volume) as scene:
        rows, columns = np.nonzero(scene.picture(BARE, (64, 64)).max(axis=-1) > 45)
        mapper = scene._stage._volumes._shown.GetMapper()  # type: ignore[union-attr]
        assert mapper.IsA("vtkGPUVolumeRayCastMapper")
    assert rows.mean() == pytest.approx(31.5, abs=1)
    assert columns.mean() == pytest.approx(31.5, abs=1)
