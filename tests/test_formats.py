"""Volumes go out as NIfTI, NRRD, MetaImage and npz, and come back, at the same points."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
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
from image_kit import ALL, IMAGES, OBLIQUE, assert_same, volume_of
from series_kit import positions, write_series

ORIENTATIONS = [
    np.eye(3)[:, order] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
ROOT = Path(__file__).resolve().parents[1]


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


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("unit", ["HU", "stored", "Bq/ml"])
def test_a_volume_comes_back(ending: str, dtype: Any, unit: str, tmp_path: Path) -> None:
    volume = volume_of(dtype=dtype, unit=unit)
    path = tmp_path / f"ct.v1{ending}"
    report = tmp_path / f"ct.v1{ending}.report.json"
    assert hv.write(volume, path) == [path, report]
    assert_same(hv.load(path), volume)
    assert sorted(tmp_path.iterdir()) == sorted([path, report])


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


def test_a_trace_of_shear_does_not_keep_a_volume_from_nifti(tmp_path: Path) -> None:
    volume = volume_of()
    affine = volume.geometry.affine.copy()
    affine[:3, 0] += 5e-5 * affine[:3, 1]
    nearly = hv.Volume(volume.hu, hv.Geometry(volume.shape, affine))
    assert nearly.geometry.is_orthogonal
    for ending in IMAGES:
        hv.write(nearly, tmp_path / f"ct{ending}")
        assert_itk_agrees(tmp_path / f"ct{ending}", nearly)


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
            (tmp_path / f"a{ending}.report.json").write_text("old")
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
        path.write_bytes(b"old")
        (tmp_path / "a.nrrd.report.json").write_text("old")
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


def test_nifti_without_nibabel_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = hv.phantom("hu-rods", spacing=(20, 20, 20))
    hv.write(volume, tmp_path / "a.nii")
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(hv.ArgumentError, match="needs the package nibabel"):
        hv.load(tmp_path / "a.nii")
    with pytest.raises(hv.ArgumentError, match="needs the package nibabel"):
        hv.write(volume, tmp_path / "b.nii.gz")
    assert {file.name for file in tmp_path.iterdir()} == {"a.nii", "a.nii.report.json"}
