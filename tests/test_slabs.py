"""Turned planes and slabs: the same values as other libraries and plain arithmetic give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import SimpleITK as sitk

import hounsview as hv
from hounsview import Validity
from hounsview.frames import PlaneFrame, plane_frame
from hounsview.viewstate import PLANES, SLAB_KINDS, Slab
from hounsview_vizapp.panes.sampling import sample_plane
from hounsview_vizapp.panes.slabs import Composite, slab_text
from test_geometry import ALL_48

TURNS = [(0.0, 0.0, 30.0), (20.0, 0.0, 0.0), (15.0, -25.0, 40.0), (0.0, 90.0, 0.0)]
SIZE = (90, 110)


def noise(shape: tuple[int, int, int] = (20, 31, 27), **parts: Any) -> hv.Volume:
    hu = np.random.default_rng(3).integers(-1000, 1500, shape).astype(np.int16)
    parts = {"spacing": (2.5, 0.8, 1.1), "origin": (7.0, -9.0, 31.0), **parts}
    return hv.Volume(hu, hv.Geometry.from_parts(shape, **parts))


def trilinear(volume: hv.Volume, points: np.ndarray) -> np.ndarray:
    """Eight neighbours, weighted; NaN outside; outer half voxels take the edge's value."""
    at = volume.geometry.to_index(points)
    inside = volume.geometry.contains(at)
    last = np.asarray(volume.shape) - 1
    at = np.clip(at, 0, last)
    low = np.minimum(np.floor(at), np.maximum(last - 1, 0)).astype(int)
    total = np.zeros(at.shape[:-1])
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, at - low, 1 - (at - low)), axis=-1)
        k, j, i = np.moveaxis(np.minimum(low + corner, last), -1, 0)
        total += weight * volume.hu[k, j, i]
    return np.where(inside, total, np.nan)


def pixel_points(frame: PlaneFrame, offset: float = 0.0) -> np.ndarray:
    pixels = np.stack(np.meshgrid(*map(np.arange, frame.size), indexing="ij"), axis=-1)
    return frame.to_patient(pixels) + offset * frame.onward


def assert_sampled(volume: hv.Volume, frame: PlaneFrame, expected: np.ndarray) -> None:
    """Within rounding, and one pixel of tolerance for which pixels lie inside."""
    sample = sample_plane(volume, frame)
    inside = (sample.valid & Validity.PADDING) == 0
    assert np.count_nonzero(inside != ~np.isnan(expected)) <= 3
    both = inside & ~np.isnan(expected)
    assert both.any()
    # VTK places samples to 2^-17 voxel, which edges of 2,500 HU turn into hundredths.
    assert np.abs(sample.values[both] - expected[both]).max() <= 0.53


@pytest.mark.parametrize("oblique", TURNS)
@pytest.mark.parametrize("plane", PLANES)
def test_turned_planes_show_what_simpleitk_resamples(
    plane: str, oblique: tuple[float, float, float]
) -> None:
    volume = noise()
    frame = plane_frame(volume.geometry, hv.ViewState(oblique=oblique), plane, SIZE)
    image = sitk.GetImageFromArray(volume.hu.astype(np.float64))
    image.SetSpacing(volume.geometry.spacing[::-1])
    image.SetOrigin(volume.geometry.origin.tolist())
    normal = np.cross(frame.right, frame.down)
    wanted = sitk.ResampleImageFilter()
    wanted.SetSize((SIZE[1], SIZE[0], 1))
    wanted.SetOutputOrigin(frame.origin.tolist())
    wanted.SetOutputSpacing((frame.mm_per_pixel, frame.mm_per_pixel, 1))
    wanted.SetOutputDirection(np.stack([frame.right, frame.down, normal], 1).ravel().tolist())
    wanted.SetInterpolator(sitk.sitkLinear)
    wanted.SetDefaultPixelValue(float("nan"))
    assert_sampled(volume, frame, sitk.GetArrayFromImage(wanted.Execute(image))[0])


SHEARED = np.array([[0.0, 0.0, 1.0], [-np.sin(0.3), 1.0, 0.0], [np.cos(0.3), 0.0, 0.0]])


@pytest.mark.parametrize("shape", [(20, 31, 27), (1, 31, 27), (20, 1, 27), (1, 1, 1)])
@pytest.mark.parametrize("direction", [None, SHEARED])
@pytest.mark.parametrize("oblique", [(0.0, 0.0, 0.0), (15.0, -25.0, 40.0)])
def test_sheared_arrays_and_single_slices_are_sampled_trilinearly(
    shape: tuple[int, int, int], direction: np.ndarray | None, oblique: tuple[float, ...]
) -> None:
    if direction is None and not any(oblique):
        return
    for volume in (noise(shape, direction=direction),):
        exact = replace(volume, hu=volume.hu.astype(np.float32))
        for plane in PLANES:
            frame = plane_frame(volume.geometry, hv.ViewState(oblique=oblique), plane, SIZE)
            assert_sampled(volume, frame, trilinear(volume, pixel_points(frame)))
            assert_sampled(exact, frame, trilinear(exact, pixel_points(frame)))


def test_turned_planes_go_through_the_crosshair_and_do_not_jump() -> None:
    volume = noise()
    point = (15.0, 2.0, 50.0)
    state = hv.ViewState(oblique=(15, -25, 40), crosshair=point)
    upright = plane_frame(volume.geometry, hv.ViewState(), "axial", SIZE)
    for plane in PLANES:
        frame = plane_frame(volume.geometry, state, plane, SIZE)
        row, column = frame.to_pixel(point)
        assert frame.to_patient((row, column)) == pytest.approx(point)
        inside = state.changed(crosshair=tuple(np.add(point, 3 * frame.right - frame.down)))
        assert plane_frame(volume.geometry, inside, plane, SIZE).origin == pytest.approx(
            frame.origin
        )
        zoomed = state.changed(**{plane: {"zoom": 2.0, "pan": (3.0, -2.0)}})
        closer = plane_frame(volume.geometry, zoomed, plane, SIZE)
        assert closer.mm_per_pixel == pytest.approx(frame.mm_per_pixel / 2)
    assert (
        plane_frame(volume.geometry, state, "axial", SIZE).mm_per_pixel == upright.mm_per_pixel
    )


def marked_noise() -> hv.Volume:
    volume = noise((12, 16, 16), spacing=(2.0, 1.0, 1.0))
    rng = np.random.default_rng(4)
    valid = rng.choice(np.array([0, 0, 0, 1, 2, 4, 8, 5, 12], np.uint8), volume.shape)
    valid[:, 3, 4], valid[4, :, 7], valid[6, 8, :] = 1, 1, 1
    hu = np.where(valid & 1, -1024, volume.hu).astype(np.int16)
    return hv.Volume(hu, volume.geometry, valid)


def composite(hu: np.ndarray, valid: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Plain masked arithmetic over the first axis."""
    masked = np.ma.MaskedArray(hu.astype(float), (valid & 1) > 0)
    values = {"mip": masked.max, "minip": masked.min, "mean": masked.mean}[kind](axis=0)
    bits = np.zeros(hu.shape[1:], np.uint8)
    for layer in valid:
        bits |= np.where(layer & 1, 0, layer).astype(np.uint8)
    return values, np.where(((valid & 1) > 0).all(axis=0), 1, bits)


@pytest.mark.parametrize("kind", SLAB_KINDS)
@pytest.mark.parametrize(("thickness", "reach"), [(1.9, 0), (4.0, 1), (9.9, 2), (500, 12)])
def test_a_slab_holds_the_slices_within_half_its_thickness_and_no_padding(
    kind: str, thickness: float, reach: int
) -> None:
    volume = marked_noise()
    state = hv.ViewState(slab=Slab(thickness, kind))
    frame = plane_frame(volume.geometry, state, "axial", (16, 16))  # a pixel is a voxel
    sample = sample_plane(volume, frame)
    k = frame.shown.index
    box = slice(max(0, k - reach), k + reach + 1)
    values, bits = composite(volume.hu[box], volume.valid[box], kind)
    measured = (bits & 1) == 0
    assert measured.any()
    assert np.array_equal((sample.valid & 1) == 0, measured)
    assert np.array_equal(sample.valid[measured], bits[measured])
    assert np.abs(sample.values - values)[measured].max() <= 0.5


@pytest.mark.parametrize("kind", SLAB_KINDS)
@pytest.mark.parametrize(("thickness", "reach"), [(0.9, 0), (4.0, 2), (8.0, 4), (9.9, 4)])
def test_turned_slabs_hold_the_same_slices(kind: str, thickness: float, reach: int) -> None:
    """Turned by right angles the layers lie on slices, so that the answer is exact."""
    volume = marked_noise()
    geometry = hv.Geometry.from_parts((12, 12, 12), spacing=(1, 1, 1))
    cube = hv.Volume(volume.hu[:, :12, :12], geometry, volume.valid[:, :12, :12])
    state = hv.ViewState(
        slab=Slab(thickness, kind), crosshair=(5.0, 5.0, 5.0), oblique=(0, 0, 90)
    )
    sample = sample_plane(cube, plane_frame(cube.geometry, state, "axial", (12, 12)))
    box = slice(5 - reach, 6 + reach)
    values, bits = composite(cube.hu[box], cube.valid[box], kind)
    # Columns rise towards posterior, rows towards the patient's right.
    values, bits = (np.rot90(found, 1) for found in (values, bits))
    measured = (bits & 1) == 0
    assert np.array_equal((sample.valid & 1) == 0, measured)
    assert np.array_equal(sample.valid[measured], bits[measured])
    assert np.abs(sample.values - values)[measured].max() <= 0.5


@pytest.mark.parametrize("oblique", [(0, 0, 0), (20, -35, 10)])
def test_padding_never_enters_a_least_or_mean_value(oblique: tuple[float, ...]) -> None:
    shape = (20, 30, 30)
    geometry = hv.Geometry.from_parts(shape, spacing=(2, 1, 1))
    j, i = np.mgrid[:30, :30]
    outside = np.broadcast_to((j - 14.5) ** 2 + (i - 14.5) ** 2 > 120, shape)
    hu = np.where(outside, -1024, 100).astype(np.int16)
    volume = hv.Volume(hu, geometry, outside.astype(np.uint8))
    for kind in SLAB_KINDS:
        state = hv.ViewState(slab=Slab(12, kind), oblique=oblique)
        for plane in PLANES:
            sample = sample_plane(
                volume, plane_frame(volume.geometry, state, plane, (200, 200))
            )
            measured = (sample.valid & 1) == 0
            assert measured.mean() > 0.1
            assert set(np.unique(sample.values[measured])) == {100}


@pytest.mark.parametrize("kind", SLAB_KINDS)
def test_an_enlarged_turned_slab_is_that_of_every_pixel(kind: str) -> None:
    """Of a smooth volume: sampled at the spacing and enlarged, or at every pixel."""
    geometry = hv.Geometry.from_parts((40, 40, 40), spacing=(1, 1, 1), origin=(-20, -20, -20))
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    x, y, z = np.moveaxis(geometry.to_patient(index), -1, 0)
    hu = 300 * np.sin(x / 7) + 200 * np.cos(y / 9) + 100 * z / 20
    volume = hv.Volume(hu.astype(np.float32), geometry)
    state = hv.ViewState(oblique=(20, 10, 30), slab=Slab(6, kind))
    frame = plane_frame(volume.geometry, state, "coronal", (200, 240))
    assert frame.mm_per_pixel < 0.3
    sample = sample_plane(volume, frame)
    layers = np.stack([trilinear(volume, pixel_points(frame, n * frame.step))
                       for n in range(-3, 4) if abs(n * frame.step) <= 3])  # fmt: skip
    # Away from the edge, where some layers have ended and others have not.
    whole = (~np.isnan(layers).any(axis=0)).astype(np.uint8)
    all_inside = cv2.erode(whole, np.ones((17, 17), np.uint8), borderValue=0) > 0
    expected = {"mip": np.max, "minip": np.min, "mean": np.mean}[kind](layers, axis=0)
    assert all_inside.mean() > 0.2
    assert np.abs(sample.values - expected)[all_inside].max() < 6
    assert ((sample.valid & 1) == 0)[all_inside].all()


@pytest.mark.parametrize("letters", ALL_48)
def test_slabs_are_the_same_in_all_48_stored_orientations(letters: str) -> None:
    volume = marked_noise()
    turned = volume.reorient(letters)
    for kind in SLAB_KINDS:
        state = hv.ViewState(slab=Slab(5, kind))
        for plane in PLANES:
            a = sample_plane(volume, plane_frame(volume.geometry, state, plane, (16, 16)))
            b = sample_plane(turned, plane_frame(turned.geometry, state, plane, (16, 16)))
            assert np.array_equal(a.valid, b.valid)
            if plane == "axial":
                inside = (a.valid & 1) == 0
                assert np.array_equal(a.values[inside], b.values[inside])


def test_float_slabs_keep_their_fractions() -> None:
    values = np.array([[[0.25]], [[0.5]], [[1.5]]], np.float32)
    for kind, expected in (("mip", 1.5), ("minip", 0.25), ("mean", 0.75)):
        laid = Composite(kind, values.dtype)
        laid.add(values[:2], None)
        laid.add(values[2:], np.zeros((1, 1, 1), np.uint8))
        found, _ = laid.result()
        assert found.dtype == np.float32
        assert found == expected


def test_a_slab_is_named_with_its_thickness_and_its_slices() -> None:
    assert slab_text(Slab(10, "mip"), 5) == "MIP 10 mm (5 slices)"
    assert slab_text(Slab(2.5, "minip"), 1) == "MinIP 2.5 mm (1 slice)"
    assert slab_text(Slab(2.5, "mean"), 3, "layer") == "Mean 2.5 mm (3 layers)"
    assert slab_text(Slab(0, "mean"), 1) == ""


@pytest.mark.parametrize(
    ("thickness", "z", "count"),
    [(4.9, 31, 1), (5, 31, 2), (5, 51, 3), (500, 51, 20), (5, 900, 0)],
)
def test_a_frame_counts_the_slices_of_its_slab(thickness: float, z: float, count: int) -> None:
    state = hv.ViewState(slab=Slab(thickness), crosshair=(0, 0, z))
    assert plane_frame(noise().geometry, state, "axial", SIZE).slices == count
    turned = plane_frame(noise().geometry, replace(state, oblique=(0, 0, 90)), "axial", SIZE)
    assert turned.slices == {4.9: 1, 5: 3, 500: 201}[thickness]


@pytest.mark.parametrize("nothing", [-1024, float("nan")])
@pytest.mark.parametrize("oblique", [(0, 0, 0), (20, -35, 10)])
def test_padding_enters_no_pixel_that_is_shown_as_measured(
    oblique: tuple[float, ...], nothing: float
) -> None:
    """Where pixels are averaged in a small pane, between two, and enlarged."""
    j, i = np.mgrid[:300, :300]
    outside = np.broadcast_to(i + 2 * j < 290, (9, 300, 300))
    dtype = np.int16 if nothing == nothing else np.float32
    hu = np.where(outside, nothing, 100).astype(dtype)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(25, 0.7, 0.7))
    volume = hv.Volume(hu, geometry, outside.astype(np.uint8))
    for thickness, side, plane in [
        (0, 60, "axial"), (0, 120, "coronal"), (0, 350, "axial"), (60, 120, "axial"),
        (0, 120, "sagittal"), (60, 350, "coronal"),
    ]:  # fmt: skip
        state = hv.ViewState(slab=Slab(thickness, "mean"), oblique=oblique)
        sample = sample_plane(volume, plane_frame(volume.geometry, state, plane, (side, side)))
        measured = (sample.valid & 1) == 0
        assert measured.mean() > 0.1
        assert np.abs(sample.values[measured] - 100).max() < 0.01
