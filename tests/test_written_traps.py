"""`hounsview phantom traps`: every kind of broken series, from the generator of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
import traps as expectations
from hounsview.traps import TRAPS, known_hu
from hounsview_vizapp.cli import main
from series_kit import check_voxels

REFUSED = {"one-without-rescale", "rescale-type-not-hu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("written") / "traps"
    assert main(["phantom", "traps", "-o", str(out)]) == 0
    return out


def test_the_command_tells_what_is_wrong_with_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["phantom", "traps", "-o", str(tmp_path / "traps")]) == 0
    said = capsys.readouterr().out
    for name, trap in TRAPS.items():
        (line,) = [line for line in said.splitlines() if line.split()[:1] == [name]]
        assert line.split()[1] == trap.met
        assert line.rstrip().endswith(trap.wrong)
    assert sorted(p.name for p in (tmp_path / "traps").iterdir()) == sorted(TRAPS)


@pytest.mark.parametrize("name", TRAPS)
def test_every_written_trap_is_loaded_right_or_refused(name: str, folder: Path) -> None:
    result = hv.load_all(folder / name)
    assert (not result.volumes) == (name in REFUSED)
    for volume in result.volumes:
        check_voxels(volume)
    if not result.volumes:
        with pytest.raises(hv.HounsviewError):
            hv.load(folder / name)


@pytest.mark.parametrize("name", TRAPS)
def test_what_must_come_out_of_every_written_trap_is_also_tested(name: str) -> None:
    tested = {id(trap.build) for trap in expectations.TRAPS.values()}
    assert id(TRAPS[name].build) in tested


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_told_in_one_sentence(name: str) -> None:
    wrong = TRAPS[name].wrong
    assert wrong.endswith(".")
    assert ". " not in wrong
    assert name == name.lower()
    assert " " not in name


def test_a_few_can_be_written_and_their_hu_are_known(tmp_path: Path) -> None:
    written = hv.write_traps(tmp_path / "two", ["clean", "coronal", "clean"])
    assert list(written) == ["clean", "coronal"]
    volume = hv.load(tmp_path / "two" / "coronal")
    point = volume.geometry.to_patient([3, 4, 5])
    assert volume.hu[3, 4, 5] == pytest.approx(known_hu(point), abs=0.5)
    assert np.shape(known_hu(np.zeros((2, 5, 3)))) == (2, 5)


def test_a_full_folder_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["phantom", "traps", "-o", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "not an empty folder" in captured.err
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("option", [["--spacing", "1,1,1"], ["--noise", "3"]])
def test_options_of_a_phantom_are_refused(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["phantom", "traps", "-o", str(tmp_path / "traps"), *option]) == 1
    assert "traps are as they are" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(hv.ArgumentError, match=r"no trap 'tilt'.*gantry-tilt"):
        hv.write_traps(tmp_path / "traps", "tilt")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(hv.WriteError, match=r"'jpeg-ls' needs.*imagecodecs"):
        hv.write_traps(tmp_path / "traps", ["clean", "jpeg-ls"])
    assert list(tmp_path.iterdir()) == []
    hv.write_traps(tmp_path / "traps", ["clean", "rle"])


def test_an_old_pydicom_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pydicom.__version_info__", ("2", "4", "4"))
    with pytest.raises(hv.WriteError, match="pydicom 3"):
        hv.write_traps(tmp_path / "traps")
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(hv.CancelledError):
        hv.write_traps(tmp_path / "traps", progress=lambda done, total, what: done < 3)
    assert list(tmp_path.iterdir()) == []
