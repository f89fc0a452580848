"""Numbers of measurements: counted by hand, the same however the array was stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.measure import Angle, Probe, Region, Ruler, measure, table_row
from hounsview.planes import plane_axes
from hounsview.viewstate import Measurement
from test_geometry import ALL_48

SPACING = (3.0, 1.0, 2.0)


def counted(valid: np.ndarray | None = None, unit: str = "HU", **parts: Any) -> hv.Volume:
    """A volume of (4, 5, 6) whose value is its place in memory; i rises to the left."""
    hu = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=SPACING, origin=(10, 20, 30), **parts)
    return hv.Volume(hu, geometry, valid, unit=unit)


def at(k: float, j: float, i: float) -> tuple[float, float, float]:
    """The patient point of an index."""
    return (10 + 2 * i, 20 + j, 30 + 3 * k)


def region(volume: hv.Volume, kind: str, *points: Any, **more: Any) -> Region:
    found = measure(volume, Measurement(kind, points, **more))
    assert isinstance(found, Region)
    return found


def test_a_rectangle_counts_the_voxels_whose_centres_lie_in_it() -> None:
    volume = counted()
    found = region(volume, "rectangle", at(2, 1, 1), at(2, 2.4, 3.4))
    inside = volume.hu[2, 1:3, 1:4]
    assert found.used == 6
    assert found.mean == pytest.approx(inside.mean())
    assert found.deviation == pytest.approx(np.std(inside, ddof=1))
    assert (found.low, found.high) == (inside.min(), inside.max())
    assert found.area == pytest.approx(1.4 * 2.4 * 2)
    assert not found.interpolated


def test_a_centre_on_the_outline_belongs_to_the_shape_and_one_beyond_does_not() -> None:
    volume = counted()
    assert region(volume, "rectangle", at(1, 1, 1), at(1, 3, 4)).used == 12
    assert region(volume, "rectangle", at(1, 1.001, 1), at(1, 3, 4)).used == 8
    on_ends = region(volume, "ellipse", at(1, 2, 1), at(1, 2, 3))
    assert on_ends.used == 3  # flat: its long axis alone
    assert region(volume, "ellipse", at(1, 1, 1.01), at(1, 3, 2.99)).used == 3


def test_an_ellipse_has_no_corners() -> None:
    volume = counted()
    box = region(volume, "rectangle", at(2, 0, 0), at(2, 4, 4))
    found = region(volume, "ellipse", at(2, 0, 0), at(2, 4, 4))
    j, i = np.meshgrid(np.arange(5), np.arange(6), indexing="ij")
    inside = ((j - 2) / 2) ** 2 + ((i - 2) / 2) ** 2 <= 1
    assert found.used == inside.sum() == 13
    assert found.mean == pytest.approx(volume.hu[2][inside].mean())
    assert found.area == pytest.approx(box.area * np.pi / 4)


@pytest.mark.parametrize("letters", ALL_48)
def test_all_48_stored_orientations_give_the_same_numbers(letters: str) -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[2, 1, 2], valid[:, 2, 3] = hv.Validity.PADDING, hv.Validity.FILLED
    valid[2, 2, 2] = hv.Validity.SATURATED | hv.Validity.RESAMPLED
    volume = counted(valid)
    for plane in ("axial", "coronal", "sagittal"):
        # The middle lies half-way between two slices: the tie must not depend on storage.
        drawn = Measurement("ellipse", (at(0.5, 0.2, 0.5), at(3.5, 3.8, 4.5)), plane)
        a, b = measure(volume, drawn), measure(volume.reorient(letters), drawn)
        assert isinstance(a, Region)
        assert isinstance(b, Region)
        assert a.used >= 5
        assert (b.used, b.padding, b.filled) == (a.used, a.padding, a.filled)
        assert (b.resampled, b.saturated) == (a.resampled, a.saturated)
        assert b.mean == pytest.approx(a.mean, rel=1e-12)
        assert b.deviation == pytest.approx(a.deviation, rel=1e-12)
        assert (b.low, b.high, b.area) == (a.low, a.high, pytest.approx(a.area))


def test_padding_and_filled_are_left_out_and_told_and_others_counted_in() -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[2, 1, 1] = hv.Validity.PADDING
    valid[2, 1, 2] = hv.Validity.FILLED
    valid[2, 1, 3] = hv.Validity.FILLED | hv.Validity.PADDING
    valid[2, 2, 1] = hv.Validity.RESAMPLED
    valid[2, 2, 2] = hv.Validity.SATURATED
    volume = counted(valid)
    found = region(volume, "rectangle", at(2, 1, 1), at(2, 2, 3))
    assert (found.used, found.padding, found.filled) == (3, 2, 1)
    assert (found.resampled, found.saturated) == (1, 1)
    assert found.mean == pytest.approx(volume.hu[2, 2, 1:4].mean())
    told = found.lines()[-1]
    for words in ("2 padding", "1 filled", "1 resampled", "1 saturated"):
        assert words in told


def test_a_region_that_touches_nothing_says_so_in_words() -> None:
    everywhere = np.full((4, 5, 6), hv.Validity.FILLED, np.uint8)
    for volume, points in (
        (counted(), (at(2, 50, 50), at(2, 60, 60))),
        (counted(), (at(9, 1, 1), at(9, 3, 3))),
        (counted(), (at(1, 1.2, 1.2), at(1, 1.4, 1.4))),
        (counted(everywhere), (at(2, 1, 1), at(2, 3, 3))),
    ):
        for oblique in ((0, 0, 0), (0, 0, 0.01)):
            found = region(volume, "ellipse", *points, oblique=oblique)
            if found.used:  # a sample in the middle of a shape between voxel centres
                assert found.interpolated
                continue
            assert found.mean is None
            assert found.deviation is None
            text = " ".join((*found.lines(), *found.values().values()))
            assert "no measured voxel" in text
            assert "nan" not in text.lower()


def test_one_voxel_has_a_mean_and_no_deviation() -> None:
    found = region(counted(), "rectangle", at(1, 2, 3), at(1, 2, 3))
    assert (found.used, found.mean, found.deviation) == (1, 45.0, None)


def test_coronal_and_sagittal_regions_lie_in_their_own_planes() -> None:
    volume = counted()
    coronal = region(volume, "rectangle", at(0, 3, 1), at(2, 3, 4), plane="coronal")
    assert coronal.mean == pytest.approx(volume.hu[0:3, 3, 1:5].mean())
    assert coronal.area == pytest.approx(6 * 6)
    sagittal = region(volume, "rectangle", at(0, 1, 4), at(3, 3, 4), plane="sagittal")
    assert sagittal.mean == pytest.approx(volume.hu[:, 1:4, 4].mean())
    assert sagittal.area == pytest.approx(9 * 2)


def linear_volume(direction: np.ndarray | None = None) -> hv.Volume:
    geometry = hv.Geometry.from_parts(
        (20, 24, 28), spacing=(2.0, 1.0, 1.5), origin=(-20, -12, -20), direction=direction
    )
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    hu = geometry.to_patient(index) @ (3.0, -2.0, 5.0)
    return hv.Volume(hu.astype(np.float32), geometry)


SHEARED = np.array([[0.0, 0.0, 1.0], [-np.sin(0.3), 1.0, 0.0], [np.cos(0.3), 0.0, 0.0]])


@pytest.mark.parametrize(
    ("direction", "oblique"),
    [(None, (10, -20, 30)), (SHEARED, (0, 0, 0)), (SHEARED, (10, -20, 30))],
)
def test_turned_planes_and_sheared_arrays_are_sampled_where_the_shape_lies(
    direction: np.ndarray | None, oblique: tuple[float, float, float]
) -> None:
    volume = linear_volume(direction)
    middle = volume.geometry.centre
    right, down = plane_axes("coronal", oblique)
    corners = (middle - 4 * right - 3 * down, middle + 4 * right + 3 * down)
    found = region(volume, "rectangle", *corners, plane="coronal", oblique=oblique)
    assert found.area == pytest.approx(48)
    # Of a linear field the mean over a symmetric shape is the value in its middle.
    assert found.mean == pytest.approx(middle @ (3.0, -2.0, 5.0), abs=1e-3)
    assert found.interpolated
    assert found.used == 9 * 7  # 1 mm apart, the smallest spacing
    assert "interpolated" in found.lines()[-1]
    slope = abs(right @ (3.0, -2.0, 5.0)) * 4 + abs(down @ (3.0, -2.0, 5.0)) * 3
    assert found.high - found.low == pytest.approx(2 * slope, abs=0.01)


def test_padding_never_enters_a_sampled_mean_and_filled_neither() -> None:
    volume = linear_volume()
    hu, valid = np.full(volume.shape, 100, np.int16), np.zeros(volume.shape, np.uint8)
    hu[:, :, :14], valid[:, :, :14] = -1024, hv.Validity.PADDING
    hu[10:], valid[10:] = 900, hv.Validity.FILLED
    marked = hv.Volume(hu, volume.geometry, valid)
    middle = volume.geometry.centre
    found = region(marked, "ellipse", middle - 9, middle + 9, oblique=(25, 5, 40))
    assert found.padding > 10
    assert found.filled > 10
    assert found.used > 10
    assert (found.mean, found.low, found.high) == pytest.approx((100, 100, 100))


def test_a_probe_gives_the_nearest_voxel_and_says_what_it_is() -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[0, 0, 0], valid[0, 0, 1] = hv.Validity.PADDING, hv.Validity.FILLED
    valid[0, 0, 2] = hv.Validity.RESAMPLED | hv.Validity.SATURATED
    volume = counted(valid)

    def probe(*index: float) -> Probe:
        found = measure(volume, Measurement("probe", (at(*index),)))
        assert isinstance(found, Probe)
        return found

    plain = probe(1.4, 2.6, 3.4)
    assert (plain.index, plain.value, plain.note) == ((1, 3, 3), volume.hu[1, 3, 3], "")
    assert probe(0, 0, 0).value is None
    assert "padding" in probe(0, 0, 0).note
    assert probe(0, 0, 1).value is None
    assert "filled" in probe(0, 0, 1).note
    assert probe(0, 0, 2).value == 2
    assert probe(0, 0, 2).note == "resampled, saturated"
    outside = probe(7, 0, 0)
    assert (outside.index, outside.value) == (None, None)
    assert outside.lines() == ("outside the volume",)


def test_a_ruler_measures_in_space() -> None:
    found = measure(counted(), Measurement("ruler", ((1, 2, 3), (4, 6, 15))))
    assert found == Ruler(pytest.approx(13.0))
    assert found.lines() == ("13.0 mm",)


@pytest.mark.parametrize(
    ("end", "degrees"), [((0, 5, 0), 90), ((-2, 0, 0), 180), ((3, 3, 0), 45), ((9, 0, 0), 0)]
)
def test_an_angle_is_that_at_the_middle_point(
    end: tuple[float, float, float], degrees: float
) -> None:
    found = measure(counted(), Measurement("angle", ((7, 0, 0), (0, 0, 0), end)))
    assert isinstance(found, Angle)
    assert found.degrees == pytest.approx(degrees)


def test_an_angle_without_a_leg_says_so() -> None:
    found = measure(counted(), Measurement("angle", ((7, 0, 0), (7, 0, 0), (1, 2, 3))))
    assert found == Angle(None)
    assert "coincide" in found.lines()[0]


@pytest.mark.parametrize(("unit", "said"), [("stored", "stored"), ("unknown", "unknown unit")])
def test_values_that_are_not_hu_are_never_called_hu(unit: str, said: str) -> None:
    volume = counted(unit=unit)
    for drawn in (
        Measurement("rectangle", (at(1, 1, 1), at(1, 3, 3))),
        Measurement("probe", (at(1, 1, 1),)),
    ):
        found = measure(volume, drawn)
        text = " ".join((*found.lines(), *found.values().values()))
        assert said in text
        assert "HU" not in text


def test_a_table_row_names_the_measurement_and_gives_units() -> None:
    drawn = Measurement("rectangle", (at(1, 1, 1), at(1, 3, 3)), text="liver")
    row = table_row(drawn, measure(counted(), drawn))
    assert (row["name"], row["kind"], row["plane"]) == ("liver", "rectangle", "axial")
    assert row["mean"] == "44 HU"
    assert row["area"] == "8.0 mm²"
    assert row["voxels"] == "9"
    ruler = Measurement("ruler", (at(1, 1, 1), at(1, 1, 3)))
    assert table_row(ruler, measure(counted(), ruler))["length"] == "4.0 mm"
    angle = Measurement("angle", (at(1, 1, 1), at(1, 1, 3), at(1, 3, 3)))
    assert table_row(angle, measure(counted(), angle))["angle"] == "90.0°"
    probe = Measurement("probe", (at(1, 1, 1),))
    assert table_row(probe, measure(counted(), probe))["index (k, j, i)"] == "1 1 1"
    turned = replace(drawn, oblique=(10.0, 0.0, 0.0), text="")
    row = table_row(turned, measure(counted(), turned))
    assert (row["name"], row["plane"]) == ("rectangle", "axial turned 10 0 0 degrees")


def test_a_region_far_larger_than_the_volume_costs_no_memory_for_what_is_outside() -> None:
    volume = counted()
    for oblique in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)):
        found = region(
            volume, "rectangle", (-9e4, -9e4, 34.5), (9e4, 9e4, 34.5), oblique=oblique
        )
        assert found.used == 30 if not any(oblique) else found.used > 30


@pytest.mark.parametrize(
    ("first", "second", "is_outside"),
    [
        (at(1, -0.5, -0.5), at(1, 4.5, 5.5), False), (at(1, -0.6, 0), at(1, 3, 3), True),
        (at(1, 1, 1), at(1, 3, 5.6), True), (at(1, 1, 1), at(1, 3, 4), False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_region_says_that_a_part_of_it_lies_outside(
    kind: str, first: Any, second: Any, is_outside: bool
) -> None:
    drawn = Measurement(kind, (first, second))
    found = measure(counted(), drawn)
    assert isinstance(found, Region)
    assert found.used > 0
    assert found.outside == is_outside
    words = "part of it lies outside the volume"
    assert (words in found.lines()[-1]) == is_outside
    assert (words in table_row(drawn, found).get("note", "")) == is_outside
    turned = measure(counted(), replace(drawn, oblique=(0.01, 0.0, 0.0)))
    assert isinstance(turned, Region)
    assert turned.outside == is_outside or "-0.5" in str(first)


def test_an_ellipse_whose_box_alone_leaves_the_volume_lies_inside() -> None:
    c = np.sqrt(0.5)
    turn = np.array([[c, -c, 0], [c, c, 0], [0, 0, 1.0]])
    volume = counted(direction=turn @ np.eye(3)[:, ::-1])
    middle = volume.geometry.to_patient((1, 2, 2.5))
    corner = np.array((2.4, 2.4, 0.0))
    for kind, is_outside in (("rectangle", True), ("ellipse", False)):
        found = region(volume, kind, tuple(middle - corner), tuple(middle + corner))
        assert found.outside == is_outside


def test_a_region_wholly_outside_says_so() -> None:
    for z in (33.0, 300.0):
        found = region(counted(), "rectangle", (100, 100, z), (120, 120, z))
        assert found.lines()[-1] == "no measured voxel in it (outside the volume)"
