"""NIfTI, NRRD, MetaImage, npz and raw values: the same HU at the same patient points."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hounsview as hv
from hounsview.findings import Finding, Report
from series_kit import positions, write_series

IMAGES = (".nii", ".nii.gz", ".nrrd", ".mha")
ALL = (*IMAGES, ".npz")
OBLIQUE = np.linalg.qr(np.array([[0.9, 0.2, 0.1], [-0.3, 0.8, 0.3], [0.2, -0.1, 1.0]]))[0]
ORIENTATIONS = [
    np.eye(3)[:, order] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
ROOT = Path(__file__).resolve().parents[1]


def volume_of(
    direction: np.ndarray = OBLIQUE, dtype: Any = np.int16, seed: int = 2, **parts: Any
) -> hv.Volume:
    hu = np.random.default_rng(seed).integers(-1024, 3000, (4, 3, 5)).astype(dtype)
    if dtype == np.float32:
        hu += np.float32(0.37)
    geometry = hv.Geometry.from_parts(
        hu.shape, spacing=(2.5, 0.7, 0.9), origin=(-31.25, 12.5, 7), direction=direction
    )
    return hv.Volume(hu, geometry, **parts)


def assert_same(again: hv.Volume, volume: hv.Volume) -> None:
    assert again.hu.dtype == volume.hu.dtype
    assert np.array_equal(again.hu, volume.hu)
    assert again.geometry.is_close(volume.geometry, tolerance=1e-4)
    assert again.unit == volume.unit


def assert_itk_agrees(path: Path, volume: hv.Volume) -> None:
    theirs = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(theirs)
    for index in np.ndindex(volume.shape):
        point = volume.geometry.to_patient(index).tolist()
        assert values[theirs.TransformPhysicalPointToIndex(point)[::-1]] == volume.hu[index]


def assert_nibabel_agrees(path: Path, volume: hv.Volume) -> None:
    theirs = nib.load(path)
    values = np.asarray(theirs.dataobj)
    index = np.argwhere(np.ones(volume.shape, bool))
    ras = volume.geometry.to_patient(index) * (-1, -1, 1)
    at = nib.affines.apply_affine(np.linalg.inv(theirs.affine), ras)
    assert np.abs(at - np.rint(at)).max() < 1e-3
    found = values[tuple(np.rint(at).astype(int).T)]
    assert np.array_equal(found, volume.hu[tuple(index.T)])


# --- out, and back ---------------------------------------------------------------------


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("unit", ["HU", "stored", "Bq/ml"])
def test_a_volume_comes_back(ending: str, dtype: Any, unit: str, tmp_path: Path) -> None:
    volume = volume_of(dtype=dtype, unit=unit)
    path = tmp_path / f"ct.v1{ending}"
    assert hv.write(volume, path) == [path, tmp_path / "ct.v1.report.json"]
    assert_same(hv.load(path), volume)
    assert sorted(tmp_path.iterdir()) == sorted([path, tmp_path / "ct.v1.report.json"])


@pytest.mark.parametrize("direction", [*ORIENTATIONS, OBLIQUE, -OBLIQUE])
def test_itk_and_nibabel_find_each_voxel_at_its_point(
    direction: np.ndarray, tmp_path: Path
) -> None:
    volume = volume_of(direction)
    for ending in IMAGES[1:]:
        path = tmp_path / f"ct{ending}"
        hv.write(volume, path)
        assert_itk_agrees(path, volume)
        assert_same(hv.read_image(path), volume)
    assert_nibabel_agrees(tmp_path / "ct.nii.gz", volume)


def test_the_nifti_header_says_what_others_look_for(tmp_path: Path) -> None:
    volume = volume_of(dtype=np.float32)
    hv.write(volume, tmp_path / "ct.nii")
    header = nib.Nifti1Header((tmp_path / "ct.nii").read_bytes()[:348])
    (sform, s), (qform, q) = header.get_sform(coded=True), header.get_qform(coded=True)
    assert (s, q) == (1, 1)
    assert np.allclose(sform, qform, atol=1e-4)
    assert header.get_xyzt_units()[0] == "mm"
    assert header.get_slope_inter() == (1.0, 0.0)
    assert header.get_data_dtype() == np.float32


def test_itk_reads_the_letters_of_metaimage_as_it_writes_them(tmp_path: Path) -> None:
    for direction in (np.eye(3)[:, ::-1], OBLIQUE):
        hv.write(volume_of(direction), tmp_path / "ours.mha")
        sitk.WriteImage(sitk.ReadImage(str(tmp_path / "ours.mha")), str(tmp_path / "itk.mha"))
        letters = [
            line
            for name in ("ours.mha", "itk.mha")
            for line in (tmp_path / name).read_bytes().split(b"\n")
            if line.startswith(b"AnatomicalOrientation")
        ]
        assert letters[0] == letters[1]


def test_shear_is_kept_where_it_can_be_said_and_refused_elsewhere(tmp_path: Path) -> None:
    volume = volume_of()
    affine = volume.geometry.affine.copy()
    affine[1, 0] += 0.5
    sheared = hv.Volume(volume.hu, hv.Geometry(volume.shape, affine))
    for ending in (".nii", ".npz"):
        hv.write(sheared, tmp_path / f"ct{ending}")
        assert_same(hv.load(tmp_path / f"ct{ending}"), sheared)
    assert_nibabel_agrees(tmp_path / "ct.nii", sheared)
    assert nib.load(tmp_path / "ct.nii").header["qform_code"] == 0
    before = sorted(tmp_path.iterdir())
    for ending in (".nrrd", ".mha"):
        with pytest.raises(hv.GeometryError, match="resample_onto"):
            hv.write(sheared, tmp_path / f"ct{ending}")
    assert sorted(tmp_path.iterdir()) == before


def test_an_npz_restores_everything(tmp_path: Path) -> None:
    valid = np.zeros((4, 3, 5), np.uint8)
    valid[0], valid[2] = hv.Validity.PADDING, hv.Validity.FILLED | hv.Validity.SATURATED
    report = Report(
        (
            Finding("SLICE_LOST", "lost: ä", (Path("a.dcm"), Path("b.dcm")), "T (1,2)", "Go."),
            Finding("SATURATED", "x"),
        )
    )
    volume = volume_of(valid=valid, report=report, attributes={"KVP": "120", "Modality": "CT"})
    hv.write(volume, tmp_path / "ct.npz")
    again = hv.load(tmp_path / "ct.npz")
    assert_same(again, volume)
    assert again.geometry == volume.geometry
    assert np.array_equal(again.valid, valid)
    assert again.report == report
    assert dict(again.attributes) == dict(volume.attributes)
    with np.load(tmp_path / "ct.npz") as plain:
        assert str(plain["unit"]) == "HU"
        assert np.array_equal(plain["hu"], volume.hu)
    with pytest.raises(hv.RepairNeededError):
        hv.load(tmp_path / "ct.npz", policy="strict")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    spacing=st.tuples(*[st.floats(0.05, 50)] * 3),
    origin=st.tuples(*[st.floats(-900, 900)] * 3),
    ending=st.sampled_from(ALL),
)
def test_any_grid_comes_back(
    seed: int, shape: Any, spacing: Any, origin: Any, ending: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    direction = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    hu = rng.integers(-32768, 32768, shape).astype(np.int16)
    geometry = hv.Geometry.from_parts(
        shape, spacing=spacing, origin=origin, direction=direction
    )
    hv.write(hv.Volume(hu, geometry), tmp_path / f"x{ending}")
    again = hv.load(tmp_path / f"x{ending}")
    assert np.array_equal(again.hu, hu)
    # NIfTI keeps its sform in float32.
    assert again.geometry.is_close(geometry, tolerance=1e-3)


def test_the_report_beside_it_counts_and_names_no_folder(tmp_path: Path) -> None:
    valid = np.zeros((4, 3, 5), np.uint8)
    valid[0] = hv.Validity.PADDING
    hu = volume_of().hu.copy()
    hu[0] = -1024
    secret = Path("/scans/Doe Jane/ct")
    finding = Finding("PADDING_REPLACED", f"{secret}/a.dcm of {secret}", (secret / "a.dcm",))
    volume = volume_of(attributes={"KVP": "120"})
    volume = hv.Volume(
        hu, volume.geometry, valid, report=Report((finding,)), attributes={"KVP": "120"}
    )
    _, beside = hv.write(volume, tmp_path / "ct.nrrd")
    said = json.loads(beside.read_text())
    assert said["voxels"] == {"PADDING": 15, "FILLED": 0, "RESAMPLED": 0, "SATURATED": 0}
    assert said["padding_value"] == -1024
    assert (said["unit"], said["shape_kji"]) == ("HU", [4, 3, 5])
    assert said["spacing_kji_mm"] == pytest.approx([2.5, 0.7, 0.9])
    assert np.allclose(said["affine_kji_to_lps_mm"], volume.geometry.affine)
    assert said["attributes"] == {"KVP": "120"}
    assert said["findings"][0]["files"] == ["a.dcm"]
    assert "Doe" not in beside.read_text()


@pytest.mark.parametrize("ending", ALL)
def test_no_name_of_a_patient_or_folder_leaves(ending: str, tmp_path: Path) -> None:
    places = positions()[:5] + positions()[6:]
    write_series(tmp_path / "Doe", places, PatientName="Doe^Jane", PatientID="Doe7")
    volume = hv.load(tmp_path / "Doe")
    assert "Doe" in volume.report.to_json()
    for file in hv.write(volume, tmp_path / f"out{ending}"):
        content = file.read_bytes()
        if ending == ".nii.gz" and file.name.endswith("gz"):
            content = gzip.decompress(content)
        if file.suffix == ".npz":
            with zipfile.ZipFile(file) as archive:
                content += b"".join(archive.read(name) for name in archive.namelist())
        # Text in an .npy member has four bytes a letter.
        assert b"Doe" not in content.replace(b"\0", b"")
        assert b"Jane" not in content.replace(b"\0", b"")


def test_a_folder_takes_a_dicom_series(tmp_path: Path) -> None:
    volume = volume_of()
    (tmp_path / "empty.v1").mkdir()
    for path in (tmp_path / "new", f"{tmp_path}/x.nii/", tmp_path / "empty.v1"):
        assert len(hv.write(volume, path)) == 4
        assert hv.load(path).shape == volume.shape


@pytest.mark.parametrize("name", ["a.png", "a.mrb", "a.nhdr", "scan.2024", "a.gz"])
def test_an_unknown_ending_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(hv.ArgumentError, match=r"\.nii\.gz, \.nrrd, \.mha, \.npz"):
        hv.write(volume_of(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "dir.nii").mkdir()
    with pytest.raises(hv.WriteError, match="is a folder"):
        hv.write(volume_of(), tmp_path / "dir.nii")
    with pytest.raises(hv.WriteError, match="no such folder"):
        hv.write(volume_of(), tmp_path / "absent" / "a.nii")
    for unit in ("", "a\nb", "x" * 33, " HU", "µ"):
        with pytest.raises(hv.ArgumentError, match="printable"):
            hv.write(volume_of(unit=unit), tmp_path / "a.nrrd")
    long = hv.Volume(np.zeros((1, 1, 40000), np.int16), hv.Geometry((1, 1, 40000), np.eye(4)))
    with pytest.raises(hv.ArgumentError, match="40000"):
        hv.write(long, tmp_path / "a.nii")
    assert [path.name for path in tmp_path.iterdir()] == ["dir.nii"]


@pytest.mark.parametrize("ending", ALL)
def test_a_cancelled_write_leaves_the_old_files_and_no_others(
    ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{ending}"
    for old in (False, True):
        if old:
            path.write_bytes(b"old")
            (tmp_path / "a.report.json").write_text("old")
        before = {file: file.read_bytes() for file in tmp_path.iterdir()}
        with pytest.raises(hv.CancelledError):
            hv.write(volume_of(), path, progress=lambda done, *_: done < 2)
        assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("fails", [1, 2])
def test_both_files_or_neither_when_a_rename_fails(
    old: bool, fails: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.nrrd"
    if old:
        hv.write(volume_of(seed=7), path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    calls, rename = [], Path.replace

    def replace(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == fails:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(hv.WriteError, match="No space left"):
        hv.write(volume_of(), path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("ending", ALL)
def test_a_full_disk_leaves_the_old_file(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a{ending}").write_bytes(b"old")
    code = (
        "import resource, sys, numpy as np, hounsview as hv\n"
        "hu = np.random.default_rng(0).integers(0, 999, (9, 99, 99)).astype(np.int16)\n"
        "volume = hv.Volume(hu, hv.Geometry(hu.shape, np.eye(4)))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))\n"
        "try: hv.write(volume, sys.argv[1])\n"
        "except hv.WriteError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / f"a{ending}")],
        env=dict(os.environ, PYTHONPATH=f"{ROOT}/core", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "could not be written: File too large" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == [f"a{ending}"]
    assert (tmp_path / f"a{ending}").read_bytes() == b"old"


@pytest.mark.parametrize("ending", ALL)
def test_writing_copies_no_volume(ending: str, tmp_path: Path) -> None:
    hu = np.zeros((64, 256, 256), np.int16)
    volume = hv.Volume(hu, hv.Geometry(hu.shape, np.eye(4)))
    hv.write(volume_of(), tmp_path / f"first{ending}")  # imports count once
    tracemalloc.start()
    try:
        hv.write(volume, tmp_path / f"a{ending}")
        assert tracemalloc.get_traced_memory()[1] < hu.nbytes / 2
        tracemalloc.reset_peak()
        hv.load(tmp_path / f"a{ending}")
        assert tracemalloc.get_traced_memory()[1] < 1.5 * hu.nbytes
    finally:
        tracemalloc.stop()


# --- foreign files ---------------------------------------------------------------------


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


def nifti(path: Path, change: Any, values: Any = None) -> Path:
    """A NIfTI of (5, 3, 4) int16 with a header edited in place; no check of nibabel's."""
    values = np.arange(60, dtype=np.int16).reshape(5, 3, 4) if values is None else values
    image = nib.Nifti1Image(values, np.diag([0.9, 0.7, 2.5, 1]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    header = nib.Nifti1Header(path.read_bytes()[:348])
    content = path.read_bytes()[352:]
    change(header)
    path.write_bytes(header.binaryblock + bytes(4) + content)
    return path


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


def nrrd(path: Path, **fields: str | None) -> Path:
    """An NRRD of (2, 2, 2) uint8, 0 to 7, written by hand."""
    said: dict[str, str | None] = {
        "type": "uint8", "dimension": "3", "space": "left-posterior-superior",
        "sizes": "2 2 2", "space directions": "(2,0,0) (0,3,0) (0,0,4)",
        "encoding": "raw", "space origin": "(10,20,30)",
    }  # fmt: skip
    said |= {name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in said.items() if value is not None]
    path.write_bytes("\n".join(["NRRD0005", *lines, "", ""]).encode() + bytes(range(8)))
    return path


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


# --- hostile files ---------------------------------------------------------------------


def mha(path: Path, data: bytes = bytes(8), **fields: str | None) -> Path:
    said: dict[str, str | None] = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0", "ElementSpacing": "1 1 1",
        "DimSize": "2 2 2", "ElementType": "MET_UCHAR", "ElementDataFile": "LOCAL",
    }  # fmt: skip
    last = fields.pop("ElementDataFile", "LOCAL")
    said |= fields
    said["ElementDataFile"] = said.pop("ElementDataFile") and last
    lines = [f"{name} = {value}\n" for name, value in said.items() if value is not None]
    path.write_bytes("".join(lines).encode() + data)
    return path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ElementSpacing": "nan 1 1"}, "nan 1 1 mm is not positive"),
        ({"ElementSpacing": "1 -1 1"}, "is not positive"),
        ({"ElementSpacing": "1 1"}, "3 numbers"),
        ({"ElementSpacing": None}, "no position"),
        ({"Offset": None}, "no field Offset"),
        ({"Offset": "1e300 0 0"}, r"1e\+300 mm"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "span no volume"),
        ({"DimSize": "2 2 0"}, "sizes of at least 1"),
        ({"DimSize": "2 2 2000"}, "8,000 bytes of values, and there are 8"),
        ({"DimSize": "99999 99999 99999"}, "at most 17,179,869,184"),
        ({"DimSize": "2 2 1"}, "more values follow"),
        ({"NDims": "4"}, "4 axes"),
        ({"ElementNumberOfChannels": "3"}, "colour or vectors"),
        ({"ElementType": "MET_CFLOAT"}, "MET_CFLOAT"),
        ({"ElementDataFile": "../x.raw"}, r"'../x.raw'.*same folder"),
        ({"ElementDataFile": "/etc/passwd"}, "same folder"),
        ({"ElementDataFile": "link.raw"}, "same folder"),
        ({"ElementDataFile": "fifo.raw"}, "not a regular file"),
        ({"ElementDataFile": "absent.raw"}, "no such file"),
        ({"ElementDataFile": "LIST"}, "several files"),
        ({"ElementDataFile": None}, "cut off or damaged"),
        ({"CompressedData": "True"}, "compressed values are damaged"),
        ({"CompressedData": "perhaps"}, "not True or False"),
        ({"HeaderSize": "-2"}, "HeaderSize"),
        ({"BinaryData": "False"}, "written as text"),
    ],
)
def test_a_metaimage_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "x.raw").write_bytes(bytes(8))
    (tmp_path / "in" / "link.raw").symlink_to(tmp_path / "x.raw")
    os.mkfifo(tmp_path / "in" / "fifo.raw")
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(mha(tmp_path / "in" / "a.mhd", **fields))
    assert isinstance(refused.value, hv.ReadError | hv.GeometryError)
    assert str(tmp_path / "in") in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"space": None}, "no field 'space'"),
        ({"space": "scanner-xyz"}, "scanner-xyz"),
        ({"space_directions": None}, "no field 'space directions'"),
        ({"space_directions": "none (1,0,0) (0,1,0)"}, "3 vector"),
        ({"space_directions": "(nan,0,0) (0,1,0) (0,0,1)"}, "finite"),
        ({"space_directions": "(0,0,0) (0,1,0) (0,0,1)"}, "span no volume"),
        ({"space_origin": None}, "no field 'space origin'"),
        ({"dimension": "4"}, "4 axes"),
        ({"kinds": "RGB-color domain domain"}, "rgb-color"),
        ({"type": "block"}, "'block'"),
        ({"type": "short"}, "'endian'"),
        ({"encoding": "bzip2"}, "raw and gzip are read"),
        ({"encoding": "gzip"}, "damaged"),
        ({"sizes": "2 2 3"}, "12 bytes of values, and there are 8"),
        ({"data_file": "../a.raw"}, "same folder"),
        ({"byte_skip": "-7"}, "byte skip"),
        ({"space_units": '"m" "m" "m"'}, "space units"),
    ],
)
def test_an_nrrd_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = nrrd(tmp_path / "a.nrrd", **fields)
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sform_code", 0, "sform and qform codes are 0"),
        ("srow_x", np.nan, "finite"),
        ("srow_x", 0, "span no volume"),
        ("dim", [4, 5, 3, 2, 2, 1, 1, 1], "three axes"),
        ("dim", [3, 5, 3, -4, 1, 1, 1, 1], "describes no image"),
        ("dim", [3, 5, 3, 5, 1, 1, 1, 1], "150 bytes of values, and there are 120"),
        ("dim", [3, 30000, 30000, 30000, 1, 1, 1, 1], "at most"),
        ("datatype", 128, "colour"),
        ("datatype", 32, "complex"),
        ("datatype", 77, "type 77"),
        ("vox_offset", 1e9, "begin at byte"),
        ("vox_offset", 5000, "there are 0 bytes"),
        ("magic", b"ni1", "pair"),
        ("sizeof_hdr", 347, "does not begin as a NIfTI"),
    ],
)
def test_a_nifti_that_is_off_is_refused_in_words(
    field: str, value: Any, words: str, tmp_path: Path
) -> None:
    def change(header: Any) -> None:
        header["qform_code"] = 0
        header[field] = value

    path = nifti(tmp_path / "a.nii", change)
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_eight_gigabytes_in_nine_kilobytes_cost_nothing(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    packed = zlib.compress(bytes(8_000_000))
    if ending == ".mha":
        mha(path, packed, CompressedData="True", DimSize="2000 2000 2000")
    elif ending == ".nrrd":
        nrrd(path, sizes="2000 2000 2000", encoding="gzip")
        path.write_bytes(path.read_bytes()[:-8] + gzip.compress(bytes(8_000_000)))
    else:
        nifti(
            tmp_path / "a.nii", lambda h: h.__setitem__("dim", [3, 2000, 2000, 1000, *[1] * 4])
        )
        path.write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes() + bytes(8_000_000)))
    assert path.stat().st_size < 9000
    tracemalloc.start()
    try:
        with pytest.raises(hv.ImageFormatError, match=r"8,000,000,000 bytes of values"):
            hv.load(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_stream_is_inflated_no_further_than_its_claim(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    path = mha(tmp_path / "a.mha", bomb, CompressedData="True", DimSize="100 100 100")
    tracemalloc.start()
    try:
        with pytest.raises(hv.ImageFormatError, match="more values follow"):
            hv.load(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ALL)
def test_a_file_cut_anywhere_is_refused_with_its_name(ending: str, tmp_path: Path) -> None:
    whole = hv.write(volume_of(), tmp_path / f"whole{ending}")[0].read_bytes()
    path = tmp_path / f"cut{ending}"
    for length in [0, 1, 5, *range(20, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises((hv.ReadError, hv.GeometryError), match=f"cut{ending}"):
            hv.load(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(ALL),
    changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4),
)
def test_no_changed_byte_makes_anything_but_a_volume_or_an_error_of_ours(
    ending: str, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    whole = bytearray(hv.write(volume_of(), tmp_path / f"whole{ending}")[0].read_bytes())
    for place, value in changes:
        whole[place % len(whole)] = value
    path = tmp_path / f"changed{ending}"
    path.write_bytes(whole)
    try:
        said = repr(hv.load(path))
    except hv.HounsviewError as error:
        said = str(error)
    assert said.startswith("Volume(") or "changed" in said


def npz(path: Path, **fields: Any) -> Path:
    said: dict[str, Any] = {
        "format": "hounsview volume 1", "unit": "HU", "attributes": "{}",
        "report": '{"findings": []}', "affine": np.eye(4), "hu": np.zeros((2, 2, 2), np.int16),
    }  # fmt: skip
    said |= fields
    np.savez(path, **{name: value for name, value in said.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hu": np.array([[[{}]]], dtype=object)}, "objects"),
        ({"unit": np.array({"a": 1}, dtype=object)}, "objects"),
        ({"hu": np.zeros((2, 2, 2))}, "float64"),
        ({"hu": np.full((2, 2, 2), np.nan, np.float32)}, "NaN"),
        ({"hu": np.zeros((0, 2, 2), np.int16)}, "none of ours"),
        ({"hu": None}, "no hu"),
        ({"affine": np.full((4, 4), np.nan)}, "finite"),
        ({"affine": np.zeros((3, 3))}, "affine"),
        ({"valid": np.zeros((1, 2, 2), np.uint8)}, "does not fit"),
        ({"valid": np.full((2, 2, 2), 200, np.uint8)}, "does not fit"),
        ({"format": "hounsview volume 2"}, "another version"),
        ({"report": "[" * 100_000}, "no JSON"),
        ({"report": "[1]"}, "report is damaged"),
        ({"report": '{"findings": [{"code": "SATURATED", "message": 7}]}'}, "damaged"),
        ({"report": '{"findings": [{"code": "SATURATED", "files": "x"}]}'}, "damaged"),
        ({"report": '{"findings": [{"code": "NOT_CT", "message": "x"}]}'}, "refused"),
        ({"attributes": '{"a": 1}'}, "attributes"),
    ],
)
def test_an_npz_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = npz(tmp_path / "a.npz", **fields)
    with pytest.raises((hv.ReadError, hv.GeometryError), match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


def test_findings_of_a_newer_version_are_dropped_in_words(tmp_path: Path) -> None:
    report = {
        "findings": [{"code": "NEW", "message": "beyond"}, {"code": "LOSSY", "message": "x"}]
    }
    volume = hv.load(npz(tmp_path / "a.npz", report=json.dumps(report)))
    assert [finding.code for finding in volume.report.findings] == ["LOSSY", "FINDINGS_DROPPED"]
    assert "beyond" in str(volume.report)


def test_an_npz_member_is_held_against_its_claim(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", hu=None)
    header = {"descr": "<i2", "fortran_order": False, "shape": (2000, 2000, 2000)}
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("hu.npy", "w") as member,
    ):
        np.lib.format.write_array_header_1_0(member, header)
        member.write(bytes(100))
    with pytest.raises(hv.ImageFormatError, match="claims 16,000,000,000 bytes"):
        hv.load(path)
    whole = npz(tmp_path / "b.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(whole.replace(b"hu.npy", b"hU.npy"))
    with pytest.raises(hv.ImageFormatError, match="no hu"):
        hv.load(tmp_path / "c.npz")


@pytest.mark.parametrize("ending", ALL)
def test_a_fifo_a_device_or_nothing_is_never_opened(ending: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"a{ending}")
    (tmp_path / f"b{ending}").symlink_to("/dev/zero")
    for name in "ab":
        with pytest.raises(hv.ImageFormatError, match="not a regular file"):
            hv.load(tmp_path / f"{name}{ending}")
    with pytest.raises(hv.PathNotFoundError, match="no such file"):
        hv.load(tmp_path / f"c{ending}")


def test_what_an_image_file_is(tmp_path: Path) -> None:
    (tmp_path / "folder.nii").mkdir()
    assert hv.is_image_file("CT.NII.GZ")
    assert hv.is_image_file("a.mhd")
    assert not hv.is_image_file("a.dcm")
    assert not hv.is_image_file("a.gz")
    assert not hv.is_image_file(tmp_path / "folder.nii")
    with pytest.raises(hv.ArgumentError, match=r"\.nhdr"):
        hv.read_image(tmp_path / "a.dcm")
    path = nrrd(tmp_path / "a.nrrd")
    with pytest.raises(hv.ArgumentError, match="is for DICOM"):
        hv.load(path, series=1)
    with pytest.raises(hv.ArgumentError, match="is for DICOM"):
        hv.load(path, as_stored=True)
    with pytest.raises(hv.ArgumentError, match="DICOM says its own"):
        hv.load(tmp_path, unit="HU")
    (tmp_path / "a.nii").write_bytes(gzip.compress(bytes(400)))
    with pytest.raises(hv.ImageFormatError, match="begins as gzip"):
        hv.load(tmp_path / "a.nii")


# --- raw values ------------------------------------------------------------------------


def test_a_raw_block_is_read_as_said(tmp_path: Path) -> None:
    values = np.arange(24, dtype=">i2").reshape(2, 3, 4) - 5
    (tmp_path / "a.raw").write_bytes(b"head" + values.astype(">i2").tobytes())
    volume = hv.read_raw(
        tmp_path / "a.raw", (2, 3, 4), ">i2", (3, 2, 1), offset=4, orientation="IPR", unit="HU"
    )
    assert np.array_equal(volume.hu, values)
    assert volume.geometry.spacing == (3, 2, 1)
    assert volume.geometry.orientation == "IPR"
    assert volume.unit == "HU"
    assert volume.report.has("POSITION_UNKNOWN")
    last = hv.read_raw(tmp_path / "a.raw", (2, 3, 4), ">i2", (3, 2, 1), offset=-1)
    assert np.array_equal(last.hu, values)
    assert last.unit == "unknown"


def test_a_folder_of_raw_slices_is_read_in_the_order_of_counting(tmp_path: Path) -> None:
    for n in (1, 2, 10):
        header = bytes(n)  # of another length in each file
        (tmp_path / f"c_vm{n}.fro").write_bytes(header + np.full(6, n, ">i2").tobytes())
    (tmp_path / ".hidden").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    volume = hv.read_raw(tmp_path, (3, 2, 3), ">i2", (1, 1, 1), offset=-1)
    assert volume.hu[:, 0, 0].tolist() == [1, 2, 10]
    with pytest.raises(hv.ImageFormatError, match="3 files"):
        hv.read_raw(tmp_path, (4, 2, 3), ">i2", (1, 1, 1), offset=-1)
    with pytest.raises(hv.ImageFormatError, match=r"vm2.fro: it has 14 bytes.*offset=2 would"):
        hv.read_raw(tmp_path, (3, 2, 3), ">i2", (1, 1, 1), offset=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": (2, 2, 3)}, r"it has 8 bytes, and 12 bytes.*too large"),
        ({"shape": (2, 2, 1)}, r"it has 8 bytes, and 4 bytes.*offset=4 would fit"),
        ({"offset": 3}, r"8 bytes of values behind 3.*offset=0 would fit"),
        ({"shape": (2, 2)}, "three sizes"),
        ({"shape": (2, 2, 0)}, "three sizes"),
        ({"dtype": "object"}, "object"),
        ({"dtype": "i1,i1"}, "i1,i1"),
        ({"dtype": "c8"}, "c8"),
        ({"dtype": "nonsense"}, "nonsense"),
        ({"spacing": (1, 0, 1)}, "positive"),
        ({"spacing": (1, float("nan"), 1)}, "positive"),
        ({"orientation": "SPP"}, "SPP"),
        ({"offset": -2}, "-2"),
        ({"unit": ""}, "printable"),
    ],
)
def test_a_raw_layout_that_is_off_is_refused_in_words(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(8))
    layout = {"shape": (2, 2, 2), "dtype": "uint8", "spacing": (1, 1, 1)} | changes
    with pytest.raises((hv.ArgumentError, hv.ImageFormatError), match=words):
        hv.read_raw(tmp_path / "a.raw", **layout)
