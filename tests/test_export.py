"""write_dicom: valid by an independent checker, and the same volume when read back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import hounsview as hv

OBLIQUE = np.linalg.qr(np.array([[0.9, 0.2, 0.1], [-0.3, 0.8, 0.3], [0.2, -0.1, 1.0]]))[0]
HEAD_FIRST = np.eye(3)[:, ::-1]


def volume_of(
    direction: np.ndarray = HEAD_FIRST, dtype: Any = np.int16, **parts: Any
) -> hv.Volume:
    rng = np.random.default_rng(2)
    hu = rng.integers(-1024, 3000, (5, 6, 7)).astype(dtype)
    geometry = hv.Geometry.from_parts(
        hu.shape, spacing=(2.5, 0.7, 0.9), origin=(-31.25, 12.5, 7), direction=direction
    )
    return hv.Volume(hu, geometry, **parts)


@pytest.mark.parametrize("direction", [HEAD_FIRST, -HEAD_FIRST, OBLIQUE, np.eye(3)])
def test_a_series_read_back_is_the_same_volume(direction: np.ndarray, tmp_path: Path) -> None:
    volume = volume_of(direction)
    files = hv.write_dicom(volume, tmp_path / "series")
    assert [file.exists() for file in files] == [True] * 5
    again = hv.load(tmp_path / "series")
    assert again.report.status == "ok"
    assert again.geometry.spacing == pytest.approx(volume.geometry.spacing)
    for index in np.ndindex(volume.shape):
        at = np.rint(again.geometry.to_index(volume.geometry.to_patient(index))).astype(int)
        assert again.hu[tuple(at)] == volume.hu[index]
    assert again.geometry.is_close(volume.geometry) or again.flip(0).geometry.is_close(
        volume.geometry
    )


@pytest.mark.parametrize("direction", [HEAD_FIRST, OBLIQUE])
def test_simpleitk_reads_the_same_hu_at_the_same_points(
    direction: np.ndarray, tmp_path: Path
) -> None:
    volume = volume_of(direction)
    hv.write_dicom(volume, tmp_path / "series")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    theirs = reader.Execute()
    hu = sitk.GetArrayFromImage(theirs)
    for index in np.ndindex(volume.shape):
        point = volume.geometry.to_patient(index).tolist()
        assert hu[theirs.TransformPhysicalPointToIndex(point)[::-1]] == volume.hu[index]


def test_float_hu_come_back_within_half_a_slope(tmp_path: Path) -> None:
    volume = volume_of(dtype=np.float32)
    precise = hv.Volume(volume.hu + np.float32(0.37), volume.geometry)
    hv.write_dicom(precise, tmp_path / "series")
    again = hv.load(tmp_path / "series")
    slope = again.source(0)[0].slope
    assert slope < 0.07
    assert np.abs(again.hu - precise.hu).max() <= slope / 2 + 1e-3


def test_padding_comes_back_as_padding(tmp_path: Path) -> None:
    valid = np.zeros((5, 6, 7), np.uint8)
    valid[:, 0], valid[2] = hv.Validity.PADDING, hv.Validity.FILLED
    volume = volume_of()
    hu = np.where(valid == hv.Validity.PADDING, -1024, volume.hu).astype(np.int16)
    hv.write_dicom(hv.Volume(hu, volume.geometry, valid), tmp_path / "series")
    again = hv.load(tmp_path / "series")
    assert again.valid is not None
    assert ((again.valid == hv.Validity.PADDING) == (valid == hv.Validity.PADDING)).all()
    assert np.array_equal(again.hu, hu)


def test_the_whole_int16_range_comes_back(tmp_path: Path) -> None:
    volume = volume_of()
    hu = volume.hu.copy()
    hu[0, 0, 0], hu[0, 0, 1] = -32768, 32767
    hv.write_dicom(hv.Volume(hu, volume.geometry), tmp_path / "series")
    again = hv.load(tmp_path / "series")
    assert np.array_equal(again.hu, hu)


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy (dicom3tools) is absent")
@pytest.mark.parametrize("padded", [False, True])
def test_dciodvfy_finds_no_error(padded: bool, tmp_path: Path) -> None:
    valid = np.zeros((5, 6, 7), np.uint8)
    if padded:
        valid[:, 0], valid[2] = hv.Validity.PADDING, hv.Validity.RESAMPLED
    hv.write_dicom(hv.Volume(volume_of().hu, volume_of().geometry, valid), tmp_path / "series")
    for file in sorted((tmp_path / "series").iterdir()):
        done = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "CTImage" in said
        assert "Error" not in said, said


def test_what_a_ct_series_cannot_say_is_refused(tmp_path: Path) -> None:
    volume = volume_of()
    affine = volume.geometry.affine.copy()
    affine[1, 0] += 0.5
    sheared = hv.Volume(volume.hu, hv.Geometry(volume.shape, affine))
    with pytest.raises(hv.GeometryError, match="resample"):
        hv.write_dicom(sheared, tmp_path / "series")
    with pytest.raises(hv.NotHounsfieldError, match="stored"):
        hv.write_dicom(volume_of(unit="stored"), tmp_path / "series")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_mixed_overwritten_or_left_half_written(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(hv.WriteError, match="not an empty folder"):
        hv.write_dicom(volume_of(), tmp_path / "full")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    with pytest.raises(hv.CancelledError):
        hv.write_dicom(volume_of(), tmp_path / "new", progress=lambda done, *_: done < 3)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    (tmp_path / "empty").mkdir()
    assert len(hv.write_dicom(volume_of(), tmp_path / "empty")) == 5


def test_a_full_disk_is_a_write_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.dataset import FileDataset

    def full(*_: object, **__: object) -> None:
        # As pydicom words it, with the traceback in the message.
        cause = OSError(28, "No space left on device")
        msg = "With tag (7FE0,0010) got exception: no space\nTraceback ..."
        raise OSError(msg) from cause

    monkeypatch.setattr(FileDataset, "save_as", full)
    with pytest.raises(hv.WriteError, match=r"series could not be written: No space left.*$"):
        hv.write_dicom(volume_of(), tmp_path / "series")
    assert list(tmp_path.iterdir()) == []
