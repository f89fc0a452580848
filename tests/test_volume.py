"""The Volume value: frozen, every operation a new one, validity kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from hounsview import ArgumentError, Geometry, NotHounsfieldError, SliceSource, Validity, Volume


def linear(points: np.ndarray) -> np.ndarray:
    return points @ np.array([3.0, -2.0, 5.0]) - 100


def linear_volume(shape: tuple[int, int, int] = (6, 7, 8), **parts: Any) -> Volume:
    geometry = Geometry.from_parts(shape, spacing=(2.0, 1.0, 1.5), origin=(5, 6, 7), **parts)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return Volume(linear(geometry.to_patient(index)).astype(np.float32), geometry)


def rotated(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.eye(3)[:, ::-1]


def test_arrays_cannot_be_written() -> None:
    volume = linear_volume()
    with pytest.raises(ValueError, match="read-only"):
        volume.hu[0, 0, 0] = 1


def test_a_view_of_foreign_memory_is_copied() -> None:
    base = np.zeros((4, 4, 4), np.int16)
    volume = Volume(base[:2], Geometry.from_parts((2, 4, 4), spacing=(1, 1, 1)))
    base[:] = 7
    assert volume.hu.max() == 0


def test_crop_keeps_every_voxel_at_its_place() -> None:
    volume = linear_volume()
    part = volume.crop(k=(1, 4), i=(2, 8))
    assert part.shape == (3, 7, 6)
    index = np.stack(np.meshgrid(*map(np.arange, part.shape), indexing="ij"), -1)
    assert np.allclose(part.hu, linear(part.geometry.to_patient(index)), atol=1e-3)


@pytest.mark.parametrize("wanted", [(3, 3), (-1, 2), (0, 7), (4, 2)])
def test_an_empty_or_outer_crop_is_refused(wanted: tuple[int, int]) -> None:
    with pytest.raises(ArgumentError, match="within"):
        linear_volume().crop(k=wanted)


def test_wrong_axes_are_named() -> None:
    with pytest.raises(ArgumentError, match="not 3"):
        linear_volume().flip(3)
    with pytest.raises(ArgumentError, match="once each"):
        linear_volume().permute((0, 0, 1))


@pytest.mark.parametrize("degrees", [0, 17, 90])
def test_resampling_a_linear_field_is_exact(degrees: float) -> None:
    volume = linear_volume()
    target = Geometry.from_parts(
        (5, 5, 5), spacing=(1.3, 0.9, 1.1), origin=volume.geometry.centre - 2,
        direction=rotated(degrees),
    )  # fmt: skip
    moved = volume.resample_onto(target)
    index = np.stack(np.meshgrid(*map(np.arange, moved.shape), indexing="ij"), -1)
    points = moved.geometry.to_patient(index)
    at = volume.geometry.to_index(points)
    deep = ((at >= 0) & (at <= np.array(volume.shape) - 1)).all(-1)
    assert deep.sum() > 30
    assert np.allclose(moved.hu[deep], linear(points[deep]), atol=1e-2)
    assert moved.valid is not None
    assert (moved.valid[deep] == Validity.RESAMPLED).all()
    outside = ~volume.geometry.contains(at)
    assert (moved.valid[outside] == Validity.PADDING).all()
    assert (moved.hu[outside] == -1024).all()


def test_resampling_agrees_with_simpleitk() -> None:
    rng = np.random.default_rng(5)
    geometry = Geometry.from_parts((9, 10, 11), spacing=(2, 1, 1.5), direction=rotated(10))
    volume = Volume(rng.normal(0, 300, (9, 10, 11)).astype(np.float32), geometry)
    target = Geometry.from_parts(
        (7, 8, 9), spacing=(1.7, 1.2, 1.1), origin=geometry.to_patient([1, 2, 2])
    )
    image = _as_image(volume.hu, geometry)
    reference = _as_image(np.zeros(target.shape, np.float32), target)
    theirs = sitk.GetArrayFromImage(
        sitk.Resample(image, reference, sitk.Transform(), sitk.sitkLinear, -1024.0)
    )
    ours = volume.resample_onto(target)
    index = np.stack(np.meshgrid(*map(np.arange, target.shape), indexing="ij"), -1)
    at = geometry.to_index(target.to_patient(index))
    deep = ((at > 0.01) & (at < np.array(volume.shape) - 1.01)).all(-1)
    assert deep.sum() > 50
    assert np.allclose(ours.hu[deep], theirs[deep], atol=0.05)


def _as_image(values: np.ndarray, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetOrigin(geometry.origin.tolist())
    image.SetDirection(geometry.direction[:, ::-1].ravel().tolist())
    return image


@pytest.mark.parametrize("degrees", [0, 20])
def test_beyond_either_end_of_a_grid_there_is_padding(degrees: float) -> None:
    volume = linear_volume((4, 4, 4))
    target = Geometry.from_parts(
        (16, 16, 16), spacing=(2, 1, 1.5), direction=rotated(degrees),
        origin=volume.geometry.centre - rotated(degrees) @ (15.0, 7.5, 11.25),
    )  # fmt: skip
    wider = volume.resample_onto(target)
    index = np.stack(np.meshgrid(*map(np.arange, wider.shape), indexing="ij"), -1)
    outside = ~volume.geometry.contains(volume.geometry.to_index(target.to_patient(index)))
    assert wider.valid is not None
    assert 0 < np.count_nonzero(~outside) <= 130
    assert ((wider.valid == Validity.PADDING) == outside).mean() > 0.995
    assert (wider.valid[outside] == Validity.PADDING).mean() > 0.995


def test_padding_never_bleeds_into_a_resampled_value() -> None:
    hu = np.full((4, 4, 4), 50, np.int16)
    valid = np.zeros((4, 4, 4), np.uint8)
    hu[:, :, 0], valid[:, :, 0] = -1024, Validity.PADDING
    volume = Volume(hu, Geometry.from_parts((4, 4, 4), spacing=(1, 1, 1)), valid)
    finer = volume.resample((1, 1, 0.5))
    assert finer.valid is not None
    measured = (finer.valid & Validity.PADDING) == 0
    assert set(finer.hu[measured]) == {50}
    assert set(finer.hu[~measured]) == {-1024}


def test_filled_and_saturated_marks_follow_their_voxels() -> None:
    valid = np.zeros((4, 3, 3), np.uint8)
    valid[1] = Validity.FILLED
    valid[3] = Validity.SATURATED
    volume = Volume(
        np.zeros((4, 3, 3), np.int16), Geometry.from_parts((4, 3, 3), spacing=(2, 1, 1)), valid
    )
    finer = volume.resample((1, 1, 1))
    assert finer.valid is not None
    assert [bool(f & Validity.FILLED) for f in finer.valid[:, 1, 1]] == [
        False, True, True, True, True, False, False, False,
    ]  # fmt: skip
    assert (finer.valid[7] & Validity.SATURATED).all()


def test_measured_leaves_out_padding_and_filled_and_counts_resampled() -> None:
    valid = np.array([[[0, 1, 2, 4, 8]]], np.uint8)
    volume = Volume(
        np.zeros((1, 1, 5), np.int16), Geometry.from_parts((1, 1, 5), spacing=(1, 1, 1)), valid
    )
    assert volume.measured().tolist() == [[[True, False, False, True, True]]]
    assert linear_volume().measured().all()


def test_all_measured_is_none() -> None:
    volume = Volume(
        np.zeros((1, 1, 2), np.int16),
        Geometry.from_parts((1, 1, 2), spacing=(1, 1, 1)),
        np.zeros((1, 1, 2), np.uint8),
    )
    assert volume.valid is None


def test_stored_values_follow_crops_flips_and_permutations() -> None:
    stored = np.arange(2 * 3 * 4).reshape(2, 3, 4)

    def source(k: int) -> SliceSource:
        return SliceSource(None, f"1.2.{k}", 0, 1.0, -1024.0, read_stored=lambda: stored[k])

    geometry = Geometry.from_parts((2, 3, 4), spacing=(3, 1, 1))
    hu = (stored - 1024).astype(np.int16)
    volume = Volume(hu, geometry, sources=[[source(0)], [source(1)]])
    for made in (volume, volume.flip(0, 2), volume.permute((2, 0, 1)), volume.crop(k=(1, 2))):
        for index in np.ndindex(made.shape):
            assert made.stored_value(*index) == made.hu[index] + 1024
    assert volume.flip(0).source(0)[0].sop_instance_uid == "1.2.1"
    assert volume.crop(k=(1, 2)).source(0)[0].sop_instance_uid == "1.2.1"
    assert len(volume.permute((2, 0, 1)).source(0)) == 2
    assert volume.resample((1, 1, 1)).stored_value(0, 0, 0) is None
    with pytest.raises(ArgumentError, match="outside"):
        volume.source(2)


def test_values_of_another_unit_are_refused_where_hu_are_needed() -> None:
    volume = Volume(
        np.zeros((1, 1, 2), np.int16),
        Geometry.from_parts((1, 1, 2), spacing=(1, 1, 1)),
        unit="stored",
    )
    with pytest.raises(NotHounsfieldError, match="'stored'"):
        volume.require_hu("a bone mask")


@pytest.mark.parametrize(
    ("hu", "valid", "words"),
    [
        (np.zeros((2, 2, 2)), None, "float64"),
        (np.zeros((2, 2, 3), np.int16), None, "do not fit"),
        (np.zeros((2, 2, 2), np.int16), np.zeros((2, 2, 2), bool), "uint8"),
        (np.zeros((2, 2, 2), np.int16), np.zeros((2, 2, 3), np.uint8), "uint8"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    hu: np.ndarray, valid: np.ndarray | None, words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        Volume(hu, Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1)), valid)


def test_the_repr_tells_shape_unit_and_status() -> None:
    text = repr(linear_volume())
    assert "6 x 7 x 8 (k, j, i)" in text
    assert "float32 HU" in text
    assert text.endswith("ok)")
