"""`hounsview mesh`, `measure` and `segment`: from a scan to a file and a number."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import pyvista

import hounsview as hv
from hounsview_vizapp.cli import main


@pytest.fixture(scope="module")
def thorax(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan") / "thorax"
    hv.write_dicom(hv.phantom("thorax", spacing=(4, 2, 2), noise=10), folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_bone_mesh_lies_in_the_patient_and_says_whether_it_prints(
    thorax: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "bone.stl"
    status, said, _ = run(capsys, "mesh", thorax, "-o", out, "--triangles", 20_000)
    assert status == 0
    assert "watertight: yes" in said
    assert "pieces:" in said
    mesh = pyvista.read(out)
    assert mesh.n_cells <= 22_000
    corners = hv.load(thorax).geometry.corners(faces=True)
    assert (mesh.points.min(axis=0) > corners.min(axis=0) - 5).all()
    assert (mesh.points.max(axis=0) < corners.max(axis=0) + 5).all()


def test_lungs_lie_left_and_right(thorax: Path, tmp_path: Path, capsys) -> None:
    for side, sign in (("left", 1), ("right", -1)):
        out = tmp_path / f"{side}.ply"
        assert run(capsys, "mesh", thorax, "-o", out, "--tissue", f"{side}_lung")[0] == 0
        mesh = pyvista.read(out)
        assert sign * mesh.center[0] > 20
        assert mesh.volume / 1e6 == pytest.approx(2.5, abs=0.7)


def test_a_level_a_bed_and_small_pieces(thorax: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "a.stl"
    status, said, _ = run(
        capsys, "mesh", thorax, "-o", out, "--level", 250, "--least-ml", 5, "--fit-bed",
        "100,120,90", "--triangles", 30_000,
    )  # fmt: skip
    assert status == 0
    assert "made smaller by" in said
    mesh = pyvista.read(out)
    assert (mesh.points.max(axis=0) <= np.array([100, 120, 90]) + 0.01).all()
    assert mesh.points.min() > -0.01


def test_what_is_not_there_is_refused_by_name(tmp_path: Path, capsys) -> None:
    hv.write_dicom(hv.phantom("head", spacing=(6, 3, 3)), tmp_path / "head")
    out = tmp_path / "a.stl"
    status, _, said = run(capsys, "mesh", tmp_path / "head", "-o", out, "--tissue", "lung")
    assert status == 1
    assert "lung" in said
    assert not out.exists()
    status, _, said = run(capsys, "mesh", tmp_path / "head", "-o", tmp_path / "a.vtk")
    assert status == 1
    assert ".stl" in said


def test_numbers_as_text_and_as_csv(thorax: Path, tmp_path: Path, capsys) -> None:
    status, text, _ = run(capsys, "measure", thorax)
    assert status == 0
    assert "left lung\n  volume: 2" in text
    assert "LAA-950" in text
    out = tmp_path / "a.csv"
    assert run(capsys, "measure", thorax, "--csv", "-o", out)[0] == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    found = {(row["what"], row["name"]): row["value"] for row in rows}
    assert float(found["left_lung", "volume"].split()[0]) == pytest.approx(2450, rel=0.1)
    assert found["fat", "mean"].endswith("HU")
    assert ("slice", "bone") in found
    assert any(what.startswith("candidate 1") for what, _ in found)


def test_a_label_map_names_its_values(thorax: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "labels.nrrd"
    status, said, _ = run(
        capsys, "segment", thorax, "-o", out, "--tissue", "bone", "--tissue", "lung"
    )
    assert status == 0
    labels = hv.load(out)
    names = dict(line.strip().split(": ") for line in said.splitlines()[1:])
    assert set(names.values()) == {"bone", "left_lung", "right_lung", "airways"}
    assert set(np.unique(labels.hu)) - {0} == {int(value) for value in names}


@pytest.mark.parametrize(
    "options",
    [
        ["--triangles", "5"], ["--triangles", "x"], ["--fit-bed", "1,2"], ["--thin", "0"],
        ["--least-ml", "-1"], ["--tissue", "liver"], ["--tissue", "bone", "--level", "3"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(tmp_path: Path, capsys, options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["mesh", "-o", str(tmp_path / "a.stl"), *options])
    assert caught.value.code == 2
