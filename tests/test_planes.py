"""How the planes of a view are turned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hounsview as hv
from hounsview.planes import degrees_of, plane_axes, rotation, turned_about

ANGLES = st.tuples(*(st.floats(-180, 180) for _ in range(3)))


@given(ANGLES)
def test_a_rotation_is_one_and_its_degrees_give_it_back(degrees):
    turn = rotation(degrees)
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
    assert np.allclose(rotation(degrees_of(turn)), turn, atol=1e-6)


@pytest.mark.parametrize("degrees", [(30, 90, 0), (30, -90, 0), (-120, 90, 40), (0, -90, 15)])
def test_degrees_where_two_turns_are_one(degrees):
    turn = rotation(degrees)
    assert np.allclose(rotation(degrees_of(turn)), turn, atol=1e-6)


def test_turns_are_right_handed_and_pitch_comes_first():
    x, y, z = np.eye(3)
    assert np.allclose(rotation((90, 0, 0)) @ y, z)
    assert np.allclose(rotation((0, 90, 0)) @ z, x)
    assert np.allclose(rotation((0, 0, 90)) @ x, y)
    assert np.allclose(rotation((90, 0, 90)) @ y, z)
    assert np.allclose(rotation((0, 90, 90)) @ z, y)


def test_planes_look_from_the_feet_the_front_and_the_left():
    assert [a.tolist() for a in plane_axes("axial")] == [[1, 0, 0], [0, 1, 0]]
    assert [a.tolist() for a in plane_axes("sagittal")] == [[0, 1, 0], [0, 0, -1]]
    right, down = plane_axes("axial", (90, 0, 0))
    assert np.allclose(right, [1, 0, 0])
    assert np.allclose(down, [0, 0, 1])
    with pytest.raises(hv.ArgumentError, match="plane 'oblique'"):
        plane_axes("oblique")


@given(ANGLES, st.floats(-170, 170))
def test_a_turn_about_a_plane_keeps_its_normal(degrees, angle):
    right, down = plane_axes("coronal", degrees)
    normal = np.cross(right, down)
    turned = turned_about(degrees, normal * 3, angle)
    right_after, down_after = plane_axes("coronal", turned)
    assert np.allclose(np.cross(right_after, down_after), normal, atol=1e-6)
    expected = np.cos(np.radians(angle)) * right + np.sin(np.radians(angle)) * down
    assert np.allclose(right_after, expected, atol=1e-6)
