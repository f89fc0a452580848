"""Image files of other programs: the same values at the same patient points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

import hounsview as hv
from image_kit import IMAGES, OBLIQUE, nifti, nrrd


@pytest.mark.parametrize("ending", [*IMAGES, ".mhd", ".nhdr"])
@pytest.mark.parametrize("dtype", ["i2", "u1", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("compressed", [False, True])
def test_what_itk_wrote_is_read_at_its_place(
    ending: str, dtype: str, compressed: bool, tmp_path: Path
) -> None:
    values = np.random.default_rng(3).integers(0, 250, (4, 3, 5)).astype(dtype)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.9, 0.7, 2.5))
    image.SetOrigin((-31.25, 12.5, 7.0))
    image.SetDirection(OBLIQUE.ravel().tolist())
    path = tmp_path / f"theirs{ending}"
    sitk.WriteImage(image, str(path), compressed)
    volume = hv.load(path)
    assert volume.hu.dtype == np.int16
    assert volume.unit == "unknown"
    assert volume.report.has("UNIT_UNKNOWN")
    assert np.array_equal(volume.hu, values)
    for k, j, i in np.ndindex(volume.shape):
        there = image.TransformIndexToPhysicalPoint((i, j, k))
        assert np.allclose(volume.geometry.to_patient((k, j, i)), there, atol=1e-4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_what_nibabel_wrote_is_read_with_its_scale(
    order: str, kind: Any, tmp_path: Path
) -> None:
    stored = np.random.default_rng(3).integers(0, 4000, (5, 3, 4, 1)).astype(f"{order}i2")
    las = np.diag([-0.9, 0.7, 2.5, 1.0])
    las[:3, 3] = (10, -20, 30)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(stored.dtype)
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    image = kind(stored, las, header)
    image.header.set_slope_inter(0.5, -1024)
    nib.save(image, tmp_path / "a.nii.gz")
    theirs = nib.load(tmp_path / "a.nii.gz")
    volume = hv.load(tmp_path / "a.nii.gz", unit="HU")
    assert volume.hu.dtype == np.float32
    assert volume.geometry.orientation == "SAL"
    for i, j, k in np.ndindex(5, 3, 4):
        assert volume.hu[k, j, i] == theirs.dataobj[i, j, k, 0]
        ras = nib.affines.apply_affine(theirs.affine, (i, j, k))
        assert np.allclose(volume.geometry.to_patient((k, j, i)), ras * (-1, -1, 1), atol=1e-4)
    assert volume.report.has("LENGTH_UNIT_ASSUMED") == (
        image.header.get_xyzt_units()[0] != "mm"
    )


def test_qform_alone_metres_and_microns(tmp_path: Path) -> None:
    def only_qform(header: Any) -> None:
        header.set_qform(np.diag([0.9, 0.7, 2.5, 1]), 1)
        header["sform_code"] = 0

    assert hv.load(nifti(tmp_path / "a.nii", only_qform)).geometry.spacing == pytest.approx(
        (2.5, 0.7, 0.9)
    )
    for code, factor in ((1, 1000.0), (3, 0.001)):
        path = nifti(tmp_path / "b.nii", lambda h, c=code: h.__setitem__("xyzt_units", c))
        assert hv.load(path).geometry.spacing[0] == pytest.approx(2.5 * factor)
    path = nifti(tmp_path / "c.nii", lambda h: h.__setitem__("xyzt_units", 0))
    assert hv.load(path).report.has("LENGTH_UNIT_ASSUMED")


def test_two_places_in_one_nifti_are_told(tmp_path: Path) -> None:
    mirrored = np.diag([-0.9, 0.7, 2.5, 1])
    volume = hv.load(nifti(tmp_path / "a.nii", lambda h: h.set_qform(mirrored, 1)))
    assert volume.report.has("POSITIONS_DISAGREE")
    assert volume.geometry.orientation == "SAR"


@pytest.mark.parametrize(
    ("space", "origin", "orientation"),
    [
        ("right-anterior-superior", (-10, -20, 30), "SAR"),
        ("RAS", (-10, -20, 30), "SAR"),
        ("left-anterior-superior", (10, -20, 30), "SAL"),
        ("LPS", (10, 20, 30), "SPL"),
    ],
)
def test_the_spaces_of_nrrd(space: str, origin: Any, orientation: str, tmp_path: Path) -> None:
    volume = hv.load(nrrd(tmp_path / "a.nrrd", space=space))
    assert volume.geometry.origin.tolist() == list(origin)
    assert volume.geometry.orientation == orientation
    assert volume.geometry.spacing == (4, 3, 2)
    assert volume.hu[1, 0, 0] == 4
    assert volume.unit == "unknown"


def test_the_unit_is_believed_only_where_someone_says_it(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nrrd")
    with pytest.raises(hv.NotHounsfieldError, match="--unit HU"):
        hv.load(path).require_hu("this")
    given = hv.load(path, unit="HU")
    given.require_hu("this")
    assert given.report.has("UNIT_GIVEN")
    path = nrrd(tmp_path / "a.nrrd", sample_units='"HU"')
    assert hv.load(path).unit == "HU"
    assert hv.load(path, unit="HU").unit == "HU"
    with pytest.raises(hv.ArgumentError, match=r"'HU'.*'stored'"):
        hv.load(path, unit="stored")
    unknown = hv.write(hv.load(nrrd(tmp_path / "b.nrrd")), tmp_path / "c.npz")[0]
    assert hv.load(unknown).unit == "unknown"
    assert hv.load(unknown, unit="HU").unit == "HU"


def test_values_that_no_hu_can_be_are_marked_or_told(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.float64).reshape(5, 3, 4)
    values[0, 0, 0], values[1, 0, 0] = np.nan, np.inf
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "a.nii")
    volume = hv.load(tmp_path / "a.nii")
    assert volume.hu.dtype == np.int16
    assert volume.hu[0, 0, 0] == volume.hu[0, 0, 1] == -1024
    assert volume.valid is not None
    assert np.argwhere(volume.valid).tolist() == [[0, 0, 0], [0, 0, 1]]
    assert "2 value(s)" in str(volume.report)
    large = np.full((2, 2, 2), 2**24 + 1, np.int32)
    nib.save(nib.Nifti1Image(large, np.eye(4)), tmp_path / "b.nii")
    volume = hv.load(tmp_path / "b.nii")
    assert volume.hu.dtype == np.float32
    assert volume.report.has("VALUES_ROUNDED")
    assert "by at most 1" in str(volume.report)


def test_int16_until_the_last_slice_and_float_then(tmp_path: Path) -> None:
    values = np.arange(8 * 200 * 200).reshape(8, 200, 200) % 2000
    for last in (0.5, 40000.0):
        values = values.astype(np.float64)
        values[-1, -1, -1] = last
        image = sitk.GetImageFromArray(values)
        sitk.WriteImage(image, str(tmp_path / "a.mha"))
        volume = hv.load(tmp_path / "a.mha")
        assert volume.hu.dtype == np.float32
        assert np.array_equal(volume.hu, values)
