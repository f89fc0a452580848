"""The observable view: batches, refusals, undo and redo."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import fields, replace

import pytest
import traitlets

import hounsview as hv
from hounsview.viewstate import LAYOUTS, Camera, Measurement, Slab
from hounsview_vizapp.history import LONGEST, History
from hounsview_vizapp.state import ViewerState


def told_of(state: ViewerState, name: str = "value") -> list[traitlets.Bunch]:
    events: list[traitlets.Bunch] = []
    state.observe(events.append, name)
    return events


def test_it_has_a_trait_for_each_field_of_the_view():
    names = {each.name for each in fields(hv.ViewState)}
    assert set(ViewerState.class_trait_names()) == {*names, "value"}
    state = ViewerState()
    assert {name: getattr(state, name) for name in names} == {
        name: getattr(hv.ViewState(), name) for name in names
    }


def test_a_change_is_told_once_with_old_and_new():
    state = ViewerState()
    whole, part, other = told_of(state), told_of(state, "window"), told_of(state, "camera")
    state.window = "lung"
    assert [(e.old.window_name, e.new.window_name) for e in whole] == [("soft tissue", "lung")]
    assert [e.new for e in part] == [hv.Window(-600, 1500)]
    assert other == []


def test_a_value_that_changes_nothing_is_not_told_and_no_step():
    state = ViewerState(layout="axial")
    events = told_of(state)
    state.layout = "axial"
    state.crosshair = None
    assert events == []
    assert not state.can_undo


def test_values_in_short():
    state = ViewerState()
    state.window = 1500
    assert state.window == hv.Window(40, 1500)
    state.window = (100, 200)
    assert state.window == hv.Window(100, 200)
    state.slab = 7.5
    assert state.slab == Slab(7.5, "mip")
    state.camera = {"azimuth": 90}
    state.camera = {"zoom": 2}
    assert state.camera == Camera(90, 0, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", 0), ("window", "no such"), ("window", (1, 2, 3)), ("layout", "quad"),
        ("crosshair", (0, float("nan"), 0)), ("camera", {"zoom": 0}), ("camera", {"zom": 1}),
        ("slab", -1), ("slab", "thick"), ("measurements", [1]), ("surfaces", "bone"),
        ("value", "all"),
    ],
)  # fmt: skip
def test_a_refused_value_leaves_the_old_one_and_no_step(name, value):
    state = ViewerState(window="lung", slab=3)
    before, events = state.value, told_of(state)
    with pytest.raises(hv.ArgumentError):
        setattr(state, name, value)
    assert state.value == before
    assert events == []
    assert not state.can_undo


def test_change_takes_all_or_none():
    state = ViewerState()
    with pytest.raises(hv.ArgumentError, match="layout"):
        state.change(window="lung", layout="quad")
    assert state.value == hv.ViewState()
    with pytest.raises(hv.ArgumentError, match="no 'windw'; it has: "):
        state.change(windw="lung")


def test_a_batch_is_one_notification_and_one_step():
    state = ViewerState()
    events = told_of(state)
    with state.batch():
        state.window = "lung"
        state.slab = 10
        with state.batch():
            state.layout = "axial"
        assert events == []
        assert state.layout == "axial"
    assert len(events) == 1
    state.undo()
    assert state.value == hv.ViewState()
    assert not state.can_undo


def test_a_batch_that_fails_changes_nothing():
    state = ViewerState(window="lung")
    events = told_of(state)

    def half_wrong():
        with state.batch():
            state.slab = 10
            state.layout = "quad"

    with pytest.raises(hv.ArgumentError, match="layout"):
        half_wrong()
    assert state.value == hv.ViewState().changed(window="lung")
    assert events == []
    assert not state.can_undo


def test_a_gesture_is_told_at_once_and_undone_in_one_step():
    state = ViewerState()
    events = told_of(state)
    state.begin_gesture()
    for width in (100, 200, 300):
        state.window = width
    assert len(events) == 3
    assert state.can_undo
    state.end_gesture()
    state.undo()
    assert state.value == hv.ViewState()
    state.redo()
    assert state.window.width == 300


def test_steps_with_one_word_are_undone_together_until_something_else_happens():
    state = ViewerState()
    for z in (1, 2, 3):
        state.change(merge="scroll", crosshair=(0, 0, z))
    state.layout = "axial"
    state.change(merge="scroll", crosshair=(0, 0, 9))
    state.undo()
    assert state.crosshair == (0, 0, 3)
    state.undo()
    assert state.layout == "four-up"
    state.undo()
    assert state.crosshair is None


def test_after_an_undo_a_merging_step_is_a_step_of_its_own():
    state = ViewerState()
    state.change(merge="scroll", crosshair=(0, 0, 1))
    state.layout = "axial"
    state.undo()
    state.change(merge="scroll", crosshair=(0, 0, 5))
    state.undo()
    assert state.crosshair == (0, 0, 1)


def test_a_new_step_forgets_what_was_undone():
    state = ViewerState()
    state.layout = "axial"
    state.undo()
    assert state.can_redo
    state.layout = "3d"
    assert not state.can_redo
    state.redo()
    assert state.layout == "3d"


def test_undo_and_redo_without_steps_do_nothing():
    state = ViewerState()
    state.undo()
    state.redo()
    assert state.value == hv.ViewState()


def test_start_over_forgets_the_steps():
    state = ViewerState()
    state.layout = "axial"
    state.start_over(hv.ViewState(layout="3d"))
    assert state.layout == "3d"
    assert not state.can_undo


def test_the_history_has_an_end():
    history = History()
    for n in range(LONGEST + 5):
        history.record(hv.ViewState(crosshair=(0, 0, n)))
    state, steps = hv.ViewState(), 0
    while history.can_undo:
        state, steps = history.undo(state), steps + 1
    assert (steps, state.crosshair) == (LONGEST, (0, 0, 5))


def test_views_can_be_linked():
    a, b = ViewerState(), ViewerState()
    traitlets.link((a, "crosshair"), (b, "crosshair"))
    a.crosshair = (1, 2, 3)
    assert b.crosshair == (1, 2, 3)
    b.crosshair = (4, 5, 6)
    assert a.crosshair == (4, 5, 6)


def random_action(state: ViewerState, rng: random.Random) -> None:
    """One thing that a person or a program may do, right or wrong."""

    def number() -> float:
        return rng.uniform(-200, 200)

    actions = [
        lambda: setattr(state, "window", (number(), rng.uniform(1, 3000))),
        lambda: setattr(state, "crosshair", (number(), number(), number())),
        lambda: state.change(merge="scroll", crosshair=(0, 0, number())),
        lambda: setattr(state, "layout", rng.choice(LAYOUTS)),
        lambda: setattr(state, "camera", {"azimuth": number()}),
        lambda: state.change(slab=abs(number()), colormap="hot"),
        lambda: setattr(
            state,
            "measurements",
            (*state.measurements, Measurement("probe", [(number(), number(), number())])),
        ),
        lambda: setattr(state, "oblique", (number(), number(), number())),
        lambda: setattr(state, "layout", "quad"),
        lambda: setattr(state, "slab", -1),
        lambda: state.change(window="lung", camera={"zoom": -1}),
        lambda: batched(state, number, fail=False),
        lambda: batched(state, number, fail=True),
        lambda: dragged(state, number),
        state.undo,
        state.redo,
    ]
    with suppress(hv.ArgumentError):
        rng.choice(actions)()


def batched(state: ViewerState, number, *, fail: bool) -> None:
    with state.batch():
        state.crosshair = (number(), 0, 0)
        state.axial = {"pan": (number(), number())}
        if fail:
            state.axial = {"zoom": 0}


def dragged(state: ViewerState, number) -> None:
    state.begin_gesture()
    for _ in range(3):
        state.coronal = {"pan": (number(), number())}
    state.end_gesture()


@pytest.mark.parametrize("seed", range(20))
def test_200_random_actions_undone_give_the_first_view_and_redone_the_last(seed):
    rng = random.Random(seed)
    first = hv.ViewState(layout="axial", crosshair=(1, 2, 3))
    state = ViewerState(first)
    seen = []
    state.observe(lambda event: seen.append(event.new), "value")
    for _ in range(200):
        random_action(state, rng)
        assert not seen or seen[-1] == state.value
    while state.can_redo:
        state.redo()
    last = state.value
    steps = 0
    while state.can_undo:
        state.undo()
        steps += 1
    assert steps > 20
    assert state.value == first
    while state.can_redo:
        state.redo()
    assert state.value == last


def test_replace_keeps_working_beside_it():
    state = ViewerState()
    state.value = replace(state.value, layout="axial")
    assert state.layout == "axial"
    state.undo()
    assert state.layout == "four-up"
