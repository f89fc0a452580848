"""Every real series and file against what independent readers found in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

import hounsview as hv
from real_data import FOLDER, needs_data, truth

pytestmark = needs_data

TO_IJK = np.eye(4)[[2, 1, 0, 3]]
READ = ("reads", "reads-with-warning")
SERIES = sorted(truth()["series"])
FILES = sorted(truth()["files"])


def sha256(hu: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(hu, "<i2").tobytes()).hexdigest()


def hu_with_padding_as_stored(volume: hv.Volume, padding_hu: float | None) -> np.ndarray:
    """HU with padding put back, as readers that know no padding give them."""
    hu = volume.hu.copy()
    if volume.valid is not None and padding_hu is not None:
        hu[(volume.valid & hv.Validity.PADDING) > 0] = padding_hu
    return hu


def named(expect: str) -> list[str]:
    return [name for name in SERIES if truth()["series"][name]["expect"] == expect]


@pytest.mark.parametrize("name", named("reads") + named("reads-with-warning"))
def test_a_series_has_the_true_hu_at_the_true_places(name: str) -> None:
    facts = truth()["series"][name]
    volume = hv.load(FOLDER / name)
    assert volume.report.status == "ok"
    assert list(volume.shape) == facts["shape_kji"]
    affine = np.reshape(facts["ijk_to_lps"], (4, 4))
    assert np.allclose(volume.geometry.affine @ TO_IJK, affine, atol=1e-4)
    for point in facts["points"]:
        index = np.rint(volume.geometry.to_index(point["lps_mm"])).astype(int)
        assert index.tolist() == point["kji"]
        assert volume.hu[tuple(index)] == pytest.approx(point["hu"], abs=1e-3)
        assert volume.source(index[0])[0].file == FOLDER / name / point["file"]
    if volume.hu.dtype == np.int16:
        whole = hu_with_padding_as_stored(volume, facts["padding_hu"])
        assert sha256(whole) == facts["sha256_hu_int16"]
    if "sha256_hu_int16_padding_as_minus_1024" in facts:
        assert sha256(volume.hu) == facts["sha256_hu_int16_padding_as_minus_1024"]
        padded = volume.valid & hv.Validity.PADDING  # type: ignore[operator]
        assert np.count_nonzero(padded) == facts["padding_voxels"]


@pytest.mark.parametrize("name", named("reads-with-warning"))
def test_an_offset_series_is_read_with_a_warning(name: str) -> None:
    report = hv.load(FOLDER / name).report
    assert report.has("OFFSET_DATA")
    assert report.of("warning")


@pytest.mark.parametrize("name", named("refuse"))
def test_what_is_no_volume_is_refused_by_file_name(name: str) -> None:
    with pytest.raises(hv.GeometryError, match=r"\.dcm") as caught:
        hv.load(FOLDER / name)
    assert caught.value.report.status == "refused"
    assert caught.value.files


def test_a_tiny_series_has_the_true_hu() -> None:
    name = "odd-series/pydicom-ct5n-tiny/CT5N"
    assert sha256(hv.load(FOLDER / name).hu) == truth()["series"][name]["sha256_hu_int16"]


def test_a_folder_of_localizers_holds_no_volume() -> None:
    with pytest.raises(hv.NoSeriesError, match="localizer"):
        hv.load(FOLDER / "odd-series/pydicom-ct5n-tiny/CT2N")


def test_time_points_under_one_roof_are_offered_apart() -> None:
    name = "odd-series/4d-tiny-toshiba"
    with pytest.raises(hv.AmbiguousSeriesError) as caught:
        hv.load(FOLDER / name)
    assert len(caught.value.series) == 19
    result = hv.load_all(FOLDER / name)
    assert [volume.shape for volume in result.volumes] == [(4, 2, 3)] * 19
    assert len({volume.source(0)[0].file for volume in result.volumes}) == 19


@pytest.fixture(scope="module")
def tilted() -> hv.Volume:
    return hv.load(FOLDER / "tilt-ge-varspacing")


def test_tilt_and_uneven_steps_are_repaired_and_said(tilted: hv.Volume) -> None:
    assert tilted.report.status == "repaired"
    assert tilted.report.has("GANTRY_TILT")
    assert tilted.report.has("UNEVEN_SPACING")
    assert tilted.geometry.is_orthogonal
    assert tilted.geometry.spacing[0] == pytest.approx(4.002, abs=1e-3)
    assert tilted.valid is not None
    marked = hv.Validity.RESAMPLED | hv.Validity.PADDING
    assert ((tilted.valid & marked) > 0).all()


def test_every_tilted_pixel_is_found_at_its_patient_point(tilted: hv.Volume) -> None:
    """Slices that lie on the new grid: linear interpolation of the old pixels, within 1 HU."""
    for name in ("03.dcm", "09.dcm", "14.dcm"):
        ds = pydicom.dcmread(FOLDER / "tilt-ge-varspacing" / name)
        hu = ds.pixel_array.astype(float) * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        position = np.array(ds.ImagePositionPatient, float)
        row, column = np.reshape(np.array(ds.ImageOrientationPatient, float), (2, 3))
        k = round(float(tilted.geometry.to_index(position)[0]))
        j, i = np.meshgrid(np.arange(20, 560, 7), np.arange(10, 500, 9), indexing="ij")
        points = tilted.geometry.to_patient(np.stack([np.full(j.shape, k), j, i], -1))
        spacing = np.array(ds.PixelSpacing, float)
        at_j = (points - position) @ column / spacing[0]
        at_i = np.rint((points - position) @ row / spacing[1]).astype(int)
        inside = (at_j > 0) & (at_j < 510)
        low = np.floor(at_j).astype(int).clip(0, 510)
        share = at_j - low
        a, b = hu[low, at_i], hu[low + 1, at_i]
        measured = inside & (a > -1400) & (b > -1400)
        expected = a * (1 - share) + b * share
        ours = tilted.hu[k, j, i]
        assert measured.sum() > 2000
        assert np.abs(ours[measured] - expected[measured]).max() <= 1.01
        assert (ours[inside & (a < -1400) & (b < -1400)] == -1024).all()


@pytest.mark.parametrize("name", [n for n in FILES if truth()["files"][n]["expect"] in READ])
def test_a_file_has_the_true_hu(name: str) -> None:
    facts = truth()["files"][name]
    volume = hv.load(FOLDER / name)
    gdcm: dict[str, Any] = facts.get("gdcm") or {}
    independent = gdcm if "sha256_hu_int16" in gdcm else facts["pydicom"]
    assert list(volume.shape) == independent.get("shape_kji", independent.get("shape"))
    if not volume.report.has("LOSSY"):
        whole = hu_with_padding_as_stored(volume, independent["min"])
        # Frames may be stored in descending order; ours rise along the normal.
        descending = gdcm.get("direction", [0] * 9)[8] < 0 < volume.geometry.affine[2, 0]
        assert sha256(whole[::-1] if descending else whole) == independent["sha256_hu_int16"]
    assert volume.geometry.spacing[1:] == pytest.approx(gdcm["spacing"][1::-1], abs=1e-4)
    if facts["expect"] == "reads-with-warning":
        assert volume.report.of("warning")


def test_all_lossless_codecs_give_the_same_voxels() -> None:
    native = hv.load(FOLDER / "codecs/ctimage-explicit-le.dcm")
    lossy = ("jpegls81", "j2k91", "jpeg50", "jpeg51", "jpeg53")
    same = [
        path
        for path in sorted((FOLDER / "codecs").glob("ctimage-*.dcm"))
        if not any(word in path.name for word in lossy)
    ]
    assert len(same) == 11
    for path in same:
        assert np.array_equal(hv.load(path).hu, native.hu), path.name


@pytest.mark.parametrize("name", ["jpegls81-near", "j2k91-lossy"])
def test_lossy_files_are_close_and_say_that_they_are_lossy(name: str) -> None:
    native = hv.load(FOLDER / "codecs/ctimage-explicit-le.dcm")
    lossy = hv.load(FOLDER / f"codecs/ctimage-{name}.dcm")
    assert lossy.report.has("LOSSY")
    both = native.measured() & lossy.measured()
    assert np.abs(native.hu[both] - lossy.hu[both]).max() <= 40
    assert np.count_nonzero(native.measured() != lossy.measured()) < 0.001 * both.size


@pytest.mark.parametrize(
    "name", [n for n in FILES if truth()["files"][n]["expect"] in ("skip", "refuse")]
)
def test_what_is_no_ct_slice_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(hv.HounsviewError) as caught:
        hv.load(FOLDER / name)
    assert Path(name).name in str(caught.value)
    assert caught.value.report.status == "refused"
    result = hv.load_all(FOLDER / name)
    assert not result.volumes
    assert result.refused[0].report.of("refusal")


@pytest.mark.parametrize("name", ["jpeg50-baseline-8bit", "jpeg51-extended-12bit"])
def test_lossy_jpeg_is_read_with_a_warning(name: str) -> None:
    assert hv.load(FOLDER / f"codecs/ctimage-{name}.dcm").report.has("LOSSY")


def test_a_retired_jpeg_process_is_refused_by_name() -> None:
    with pytest.raises(hv.UnsupportedSyntaxError, match=r"1\.2\.840\.10008\.1\.2\.4\.53"):
        hv.load(FOLDER / "codecs/ctimage-jpeg53-retired.dcm")


def test_a_segmentation_and_contours_beside_a_ct_are_left_out() -> None:
    for name, reason in (("ct-with-seg", "SEG"), ("ct-with-rtstruct", "RTSTRUCT")):
        found = hv.scan(FOLDER / name)
        assert [series.kind for series in found.series] == ["volume", "not CT"]
        assert reason in found.series[1].report.findings[0].message


def test_stored_values_are_given_where_hu_are_refused() -> None:
    for name in ("odd/mr-small.dcm", "enhanced-multiframe/perfusion-rcbf-uncompressed.dcm"):
        volume = hv.load(FOLDER / name, as_stored=True)
        independent = pydicom.dcmread(FOLDER / name).pixel_array
        assert volume.unit == "stored"
        assert np.array_equal(
            volume.hu.squeeze(), independent[::-1] if volume.shape[0] > 1 else independent
        )
        assert volume.report.has("STORED_VALUES")


def test_the_legacy_converted_file_agrees_with_its_single_frames() -> None:
    many = hv.load(FOLDER / "enhanced-multiframe/tiny-legacy-converted-24x38x3.dcm")
    single = hv.load(FOLDER / "enhanced-multiframe/tiny-24x38x3-singleframe")
    assert many.geometry.is_close(single.geometry)
    assert np.array_equal(many.hu, single.hu)
