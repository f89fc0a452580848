"""Faces: seen where there is one, gone after they were cut, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
from hounsview.faces import front_picture
from hounsview_vizapp.cli import main
from real_data import FOLDER, needs_data

HEAD = hv.phantom("head", spacing=(1.5, 1.5, 1.5))


def test_a_face_is_seen_on_a_head_and_not_elsewhere() -> None:
    check = hv.check_face(HEAD)
    assert check.found
    assert check.lights >= 3
    top, left, bottom, right = check.box
    assert 80 < bottom - top < 220
    middle = (left + right) / 2
    assert abs(middle - HEAD.shape[2] * 1.5 / 2) < 25
    for other in (
        hv.phantom("thorax", spacing=(4, 3, 3)),
        hv.phantom("hu-rods", spacing=(5, 3, 3)),
        HEAD.crop(j=(HEAD.shape[1] // 2, HEAD.shape[1])),
    ):
        assert not hv.check_face(other).found


def test_the_back_of_a_head_is_no_face() -> None:
    turned = HEAD.geometry.affine.copy()
    turned[:2] *= -1  # half a turn about the long axis
    assert not hv.check_face(hv.Volume(HEAD.hu, hv.Geometry(HEAD.shape, turned))).found


@pytest.mark.parametrize("letters", ["SPL", "IAR", "LSP"])
def test_a_cut_face_is_no_longer_seen_and_the_rest_is_as_it_was(letters: str) -> None:
    volume = HEAD.reorient(letters)
    without = hv.deface(volume)
    assert not hv.check_face(without).found
    made = (without.valid & np.uint8(hv.Validity.FILLED)) > 0
    assert np.array_equal(without.hu[~made], volume.hu[~made])
    assert without.report.has("DEFACED")
    points = volume.geometry.to_patient(np.argwhere(made))
    assert points[:, 1].mean() < volume.geometry.centre[1] - 40  # anterior
    was_skin = made & (volume.hu > -400)
    air = without.hu[was_skin & (without.hu < -900)]
    assert air.mean() == pytest.approx(-1000, abs=2)
    assert air.std() == pytest.approx(12, abs=2)
    brain = np.linalg.norm(points - (0, 10, 60), axis=1).min()
    assert brain > 30


def test_the_face_cannot_be_read_back_from_the_files(tmp_path: Path) -> None:
    hv.write_dicom(HEAD, tmp_path / "head")
    without = hv.deface(hv.load(tmp_path / "head"))
    made = np.argwhere((without.valid & np.uint8(hv.Validity.FILLED)) > 0)[0]
    assert without.stored_value(*made) is None
    assert without.source(0) == []
    hv.write(without, tmp_path / "a.nii.gz")
    assert not hv.check_face(hv.load(tmp_path / "a.nii.gz")).found


def test_without_a_face_it_says_so() -> None:
    with pytest.raises(hv.TissueNotFoundError, match="no face"):
        hv.deface(hv.phantom("thorax", spacing=(6, 4, 4)))
    air = hv.Volume(
        np.full((5, 6, 7), -1000, np.int16),
        hv.Geometry.from_parts((5, 6, 7), spacing=(1, 1, 1)),
    )
    assert "nothing is denser" in hv.check_face(air).words
    with pytest.raises(hv.TissueNotFoundError):
        front_picture(air)


def test_values_are_shifted_and_said_padding_is_not() -> None:
    geometry = hv.Geometry.from_parts((1, 1, 3), spacing=(1, 1, 1))
    hu = np.array([[[-1024, 100, 32000]]], np.int16)
    valid = np.array([[[1, 0, 0]]], np.uint8)
    moved = hv.shifted(hv.Volume(hu, geometry, valid), -1000, reason="offset")
    assert moved.hu.tolist() == [[[-1024, -900, 31000]]]
    assert moved.hu.dtype == np.int16
    assert moved.report.has("VALUES_SHIFTED")
    assert "offset" in str(moved.report)
    assert hv.shifted(moved, 5000, reason="x").hu.dtype == np.float32
    assert hv.shifted(moved, 0.5, reason="x").hu.dtype == np.float32


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hv.write_dicom(HEAD, tmp_path / "head")
    out = tmp_path / "a.nrrd"
    assert main(["deface", str(tmp_path / "head"), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "before: a face is seen" in said
    assert "after: no face is seen" in said
    hv.write_dicom(hv.phantom("thorax", spacing=(6, 4, 4)), tmp_path / "thorax")
    assert main(["deface", str(tmp_path / "thorax"), "-o", str(tmp_path / "b.nrrd")]) == 1
    assert "no face" in capsys.readouterr().err
    assert not (tmp_path / "b.nrrd").exists()


@needs_data
def test_the_face_of_a_real_head_is_seen_and_cut() -> None:
    stored = hv.load(FOLDER / "head-lowres-volunteer")
    volume = hv.shifted(stored, -1000, reason="values are offset by about 1000")
    assert hv.check_face(volume).lights >= 3
    assert not hv.check_face(hv.deface(volume)).found
