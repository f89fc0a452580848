"""The 3D camera: from what a view says to an aim, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hounsview as hv
from hounsview.cameras import aim_at, camera_at
from hounsview.viewstate import Camera

SHOWN = hv.Geometry((40, 50, 60), np.diag([2.5, 0.7, 0.8, 1.0])[[2, 1, 0, 3]])


@given(
    st.floats(-179.9, 179.9), st.floats(-90, 90), st.floats(0.05, 200),
    st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    st.tuples(st.integers(1, 900), st.integers(1, 900)),
)  # fmt: skip
def test_a_camera_comes_back_from_its_aim(
    azimuth: float,
    elevation: float,
    zoom: float,
    pan: tuple[float, float],
    size: tuple[int, int],
) -> None:
    aim = aim_at(SHOWN, Camera(azimuth, elevation, zoom, pan), size)
    # Any point on the line of sight may be the focus.
    aim = replace(aim, focus=aim.focus + 37 * aim.towards)
    back = aim_at(SHOWN, camera_at(SHOWN, aim, size), size)
    assert back.towards == pytest.approx(aim.towards, abs=1e-6)
    assert back.up == pytest.approx(aim.up, abs=1e-4)
    assert back.half_height == pytest.approx(aim.half_height, rel=1e-6)
    point = np.array([12.0, -7.0, 31.0])
    assert back.to_pixel(point, (500, 500)) == pytest.approx(
        aim.to_pixel(point, (500, 500)), abs=0.05 * zoom + 0.1
    )


@pytest.mark.parametrize("elevation", [90, -90])
@pytest.mark.parametrize("azimuth", [0, 30, 100, -100, 179])
def test_from_above_and_below_the_azimuth_is_that_of_the_upper_edge(
    azimuth: float, elevation: float
) -> None:
    camera = Camera(azimuth, elevation)
    back = camera_at(SHOWN, aim_at(SHOWN, camera, (1, 1)), (1, 1))
    assert back.azimuth == pytest.approx(azimuth)
    assert back.elevation == pytest.approx(elevation)


def test_a_roll_is_left_out_and_a_zoom_beyond_the_limits_is_brought_to_them() -> None:
    aim = aim_at(SHOWN, Camera(azimuth=40, elevation=20), (1, 1))
    turned = replace(aim, up=aim.right, half_height=1e6)
    back = camera_at(SHOWN, turned, (1, 1))
    assert (back.azimuth, back.elevation) == pytest.approx((40, 20))
    assert back.zoom == 0.05
