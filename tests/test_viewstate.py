"""The view as plain data: round trip, unknown keys, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hounsview as hv
from hounsview.viewstate import LAYOUTS, PLANES, Camera, PlaneView

MM = st.floats(-1000, 1000)
VIEWS = st.builds(PlaneView, st.floats(0.1, 100), st.tuples(MM, MM))
STATES = st.builds(
    hv.ViewState,
    window=st.builds(hv.Window, MM, st.floats(1, 4000), st.sampled_from(["LINEAR", "SIGMOID"])),
    crosshair=st.none() | st.tuples(MM, MM, MM),
    axial=VIEWS,
    coronal=VIEWS,
    sagittal=VIEWS,
    rendering=st.sampled_from(list(hv.rendering_presets())),
    camera=st.builds(Camera, MM, st.floats(-90, 90), st.floats(0.1, 10)),
    layout=st.sampled_from(LAYOUTS),
    show_labels=st.booleans(),
)


@given(STATES)
def test_json_gives_the_same_state_back(state):
    again = hv.ViewState.from_json(state.to_json())
    assert again == state
    assert hash(again) == hash(state)


def test_unknown_keys_are_kept_at_any_depth():
    values = hv.ViewState().to_dict()
    values["registration"] = [{"to": "atlas"}]
    values["camera"]["roll_degrees"] = 5
    values["window"]["explanation"] = "LUNG"
    values["surfaces"] = [{"name": "bone", "texture": "marble"}]
    state = hv.ViewState.from_dict(values)
    written = state.to_dict()
    assert written["surfaces"][0].pop("level_hu") == 250
    assert written["surfaces"][0].items() >= values["surfaces"][0].items()
    assert written | {"surfaces": values["surfaces"]} == values
    assert replace(state, layout="axial").to_dict()["camera"]["roll_degrees"] == 5


def test_missing_keys_get_defaults():
    state = hv.ViewState.from_dict({"window": {"center": 0, "width": 100}})
    assert state == hv.ViewState(window=hv.Window(0, 100))
    assert hv.ViewState.from_dict({}) == hv.ViewState()


def test_the_version_is_written_and_a_newer_one_refused():
    assert json.loads(hv.ViewState().to_json())["version"] == 1
    with pytest.raises(hv.ArgumentError, match="a newer hounsview is needed"):
        hv.ViewState.from_dict({"version": 2})
    with pytest.raises(hv.ArgumentError, match="version"):
        hv.ViewState.from_dict({"version": "1"})


def test_window_name_is_derived_from_the_values():
    assert hv.ViewState().window_name == "soft tissue"
    assert hv.ViewState(window=hv.Window(-600, 1500)).window_name == "lung"
    assert hv.ViewState(window=hv.Window(1, 2)).window_name == ""


def test_plane_returns_the_view_by_name():
    state = hv.ViewState(coronal=PlaneView(2))
    assert [state.plane(name).zoom for name in PLANES] == [1, 2, 1]
    with pytest.raises(hv.ArgumentError, match="plane 'oblique'"):
        state.plane("oblique")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": (40, 400)}, "window must be of type Window"),
        ({"crosshair": (1, 2)}, "crosshair .* 3 finite numbers"),
        ({"crosshair": (1, 2, float("nan"))}, "finite"),
        ({"crosshair": 5}, "crosshair"),
        ({"rendering": "x-ray"}, "rendering preset 'x-ray' must be one of bone"),
        ({"layout": "quad"}, "layout 'quad'"),
        ({"show_labels": 1}, "show_labels must be of type bool"),
        ({"camera": None}, "camera"),
        ({"axial": 2}, "axial"),
    ],
)
def test_a_bad_value_is_refused(change, message):
    with pytest.raises(hv.ArgumentError, match=message):
        hv.ViewState(**change)


@pytest.mark.parametrize("zoom", [0, -1, float("inf"), None])
def test_a_bad_zoom_is_refused(zoom):
    with pytest.raises(hv.ArgumentError, match="zoom"):
        PlaneView(zoom)
    with pytest.raises(hv.ArgumentError, match="zoom"):
        Camera(zoom=zoom)


def test_the_camera_stays_between_feet_and_head():
    with pytest.raises(hv.ArgumentError, match=r"elevation in degrees must lie in -90\.\.90"):
        Camera(elevation=91)


@pytest.mark.parametrize("text", ["{", "[1]", '{"camera": 3}', '{"window": {"width": 0}}'])
def test_text_that_is_no_state_is_refused(text):
    with pytest.raises(hv.ArgumentError):
        hv.ViewState.from_json(text)
