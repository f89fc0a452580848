"""The command line: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import hounsview as hv
from hounsview_vizapp.cli import main
from series_kit import write_series
from traps import TRAPS

ROOT = Path(__file__).resolve().parents[1]


def test_info_lists_stacks_and_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["one slice missing"].build(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert main(["info", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "repaired" in said
    assert "20 x 20 x 24" in said
    assert "SLICE_LOST" in said
    assert "slice006.dcm" in said
    assert "not a DICOM file" in said


def test_info_json_is_the_whole_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["one slice missing"].build(tmp_path)
    assert main(["info", str(tmp_path), "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert series["kind"] == "volume"
    assert series["status"] == "repaired"
    assert series["shape"] == [20, 20, 24]
    assert series["spacing_mm"] == pytest.approx([2.0, 0.8, 0.5])
    assert len(series["files"]) == 19
    assert series["findings"][0]["severity"] == "repair"


def test_info_of_nothing_readable_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["orientation missing"].build(tmp_path)
    assert main(["info", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "GEOMETRY_MISSING" in captured.out
    assert "nothing in" in captured.err
    assert main(["info", str(tmp_path / "absent")]) == 1
    assert "no such file or folder" in capsys.readouterr().err


def test_file_names_cannot_style_or_break_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = write_series(tmp_path, [(0, 0, 0)], SeriesDescription="[bold red]x[/]")
    file.rename(tmp_path / "[link=evil]a.dcm")
    assert main(["info", str(tmp_path)]) == 0
    assert "[bold red]x[/]" in capsys.readouterr().out


def test_file_names_that_are_no_text_are_printed(tmp_path: Path) -> None:
    (file,) = write_series(tmp_path, [(0, 0, 0)])
    os.rename(file, os.fsencode(tmp_path) + b"/\xff\xfe.dcm")  # noqa: PTH104
    roots = os.pathsep.join([f"{ROOT}/core", f"{ROOT}/vizapp"])
    for option in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "hounsview_vizapp.cli", "info", str(tmp_path), *option],
            env=dict(os.environ, PYTHONPATH=roots), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_phantom_writes_a_series_that_loads(tmp_path: Path) -> None:
    out = tmp_path / "series"
    arguments = ["phantom", "hu-rods", "-o", str(out), "--spacing", "8,4,4"]
    assert main(arguments) == 0
    volume = hv.load(out)
    assert volume.geometry.spacing == (8, 4, 4)
    assert main(arguments) == 1  # not a second time into the same folder
    assert len(list(out.iterdir())) == volume.shape[0]


def test_render_writes_the_picture_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["one slice missing"].build(tmp_path / "scan")
    out = tmp_path / "a.png"
    arguments = ["render", str(tmp_path / "scan"), "-o", str(out), "--pane", "coronal"]
    assert main([*arguments, "--size", "320x200", "--window", "lung"]) == 0
    assert cv2.imread(str(out)).shape == (200, 320, 3)
    assert "slice006.dcm" in capsys.readouterr().err
    assert main([*arguments, "--strict"]) == 1
    assert "policy='repair'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.jpg"], "PNG"),
        (["-o", "absent/a.png"], "no such folder"),
        (["absent", "-o", "a.png"], "no such file"),
        (["-o", "a.png", "--window", "lungs"], "lungs"),
        (["-o", "a.png", "--preset", "bones"], "bones"),
        (["-o", "a.png", "--unit", "HU"], "needs a PATH"),
        (["-o", "a.png", "--orientation", "SPL"], "is for --raw"),
        (["-o", "a.png", "--raw", "1x1x1,u1,1x1x1"], "needs a PATH"),
    ],
)
def test_what_cannot_be_rendered_ends_with_1_and_leaves_nothing(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["render", *arguments]) == 1
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["show"], ["info"], ["render"], ["render", "-o", "a.png", "--size", "12"],
        ["render", "-o", "a.png", "--size", "1x1"], ["phantom", "-o", "a", "--spacing", "1,1"],
        ["phantom", "-o", "a", "--spacing", "1,x,1"],
        ["render", "-o", "a.png", "--pane", "top"],
        ["convert", "a"], ["convert", "-o", "a.nii"],
        ["convert", "a", "-o", "a.nii", "--raw", "1x1,u1,1x1x1"],
        ["convert", "a", "-o", "a.nii", "--raw", "1x1x1,u1"],
        ["convert", "a", "-o", "a.nii", "--raw", "1x1x1,u1,1x1x1,0,0"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_several_volumes_are_listed_and_one_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["two series in one folder"].build(tmp_path / "scan")
    arguments = ["render", str(tmp_path / "scan"), "-o", str(tmp_path / "a.png")]
    arguments += ["--pane", "axial", "--size", "100x100"]
    assert main(arguments) == 1
    assert "holds 2 volumes" in capsys.readouterr().err
    assert main([*arguments, "--series", "2"]) == 0
    assert main([*arguments, "--series", "1.2.7.1"]) == 0


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha", "a.npz", "series/"])
def test_convert_writes_what_loads_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRAPS["one slice missing"].build(tmp_path / "scan")
    assert main(["convert", str(tmp_path / "scan"), "-o", f"{tmp_path}/{name}"]) == 0
    captured = capsys.readouterr()
    assert name in captured.out
    assert "Volume(20 x 20 x 24" in captured.out
    assert "slice006.dcm" in captured.err
    again, volume = hv.load(tmp_path / name), hv.load(tmp_path / "scan")
    assert again.unit == "HU"
    assert (again.hu == volume.hu).all()
    assert again.geometry.is_close(volume.geometry)
    assert (tmp_path / f"{name}.report.json").exists() == (name != "series/")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scan", "-o", "a.jpg"], ".nii.gz, .nrrd"),
        (["scan", "-o", "absent/a.nii"], "no such folder"),
        (["absent", "-o", "a.nii"], "no such file"),
        (["scan", "-o", "a.nii", "--strict"], "policy='repair'"),
        (["scan", "-o", "a.nii", "--series", "7"], "no series 7"),
        (["scan", "-o", "a.nii", "--unit", "HU"], "DICOM says its own"),
        (["scan", "-o", "a.nii", "--series", "1", "--raw", "1x1x1,u1,1x1x1"], "no --series"),
        (["ct.nrrd", "-o", "series/"], "--unit HU"),
        (["block", "-o", "a.nii", "--raw", "2x2x3,u1,1x1x1"], "8 bytes"),
    ],
)
def test_what_cannot_be_converted_ends_with_1_and_leaves_nothing(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    TRAPS["one slice missing"].build(tmp_path / "scan")
    Path("block").write_bytes(bytes(8))
    unknown = hv.read_raw("block", (2, 2, 2), "u1", (1, 1, 1))
    hv.write(unknown, "ct.nrrd")
    before = sorted(tmp_path.rglob("*"))
    assert main(["convert", *arguments]) == 1
    assert words in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_raw_values_become_a_volume_that_can_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "block.dat"
    raw.write_bytes(b"head" + bytes(range(64)))
    layout = ["--raw", "4x4x4,uint8,3x2x1,4", "--orientation", "IPR"]
    out = tmp_path / "a.nrrd"
    assert main(["convert", str(raw), *layout, "-o", str(out)]) == 0
    said = capsys.readouterr().err
    assert "does not say what its values are" in said
    assert "nothing says where" in said
    volume = hv.load(out, unit="HU")
    assert volume.geometry.orientation == "IPR"
    assert volume.geometry.spacing == (3, 2, 1)
    assert volume.hu[3, 3, 3] == 63
    picture = ["-o", str(tmp_path / "a.png"), "--pane", "axial", "--size", "100x100"]
    assert main(["render", str(out), "--unit", "HU", *picture]) == 0
    assert main(["render", str(raw), *layout, "--unit", "HU", *picture]) == 0
    assert cv2.imread(str(tmp_path / "a.png")).shape == (100, 100, 3)


INTERRUPTED = """
import os, signal, sys

opened = []


def interrupt_at_the_tenth(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".dcm"):
        opened.append(arguments[0])
        if len(opened) == 10:
            os.kill(os.getpid(), signal.SIGINT)


sys.addaudithook(interrupt_at_the_tenth)
from hounsview_vizapp.cli import main

sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A real signal, which the program sends itself in the middle of its writing."""
    out = tmp_path / "series"
    options = ["phantom", "--spacing", "5,8,8", "-o", str(out)]
    command = [sys.executable, "-c", INTERRUPTED, *options]
    environment = dict(
        os.environ, PYTHONPATH=os.pathsep.join([f"{ROOT}/core", f"{ROOT}/vizapp"])
    )
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.strip() == "hounsview: interrupted, nothing was written"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_the_examples_run(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    assert capsys.readouterr().out


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    hv.write_dicom(hv.phantom("hu-rods", spacing=(2, 0.9, 0.9)), "scans")
    code = code.replace("256, 256", "100, 100")
    exec(compile(code, "README.md", "exec"), {})
    assert len(list((tmp_path / "chest").iterdir())) == 161


def test_info_tells_of_an_image_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    hv.write(volume, tmp_path / "rods.nii.gz")
    assert main(["info", str(tmp_path / "rods.nii.gz")]) == 0
    shown = capsys.readouterr().out
    assert " x ".join(str(n) for n in volume.shape) in shown
    assert "unit: HU" in shown
    assert main(["info", "--json", str(tmp_path / "rods.nii.gz")]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["series"]
    assert entry["kind"] == "image file"
    assert entry["shape"] == list(volume.shape)
    result = hv.load_all(tmp_path / "rods.nii.gz")
    assert np.array_equal(result.volumes[0].hu, volume.hu)


def test_limits_are_set_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "series")
    before = hv.get_limits()
    command = ["convert", str(tmp_path / "series"), "-o", str(tmp_path / "a.nrrd")]
    try:
        assert main(["--limit", "volume_bytes=4K", *command]) == 1
        assert "the limit is 4,096 bytes" in capsys.readouterr().err
        assert not (tmp_path / "a.nrrd").exists()
        assert main(["--limit", "volume_bytes=4G", *command]) == 0
    finally:
        hv.set_limits(volume_bytes=before.volume_bytes)
    for wrong in ("volume_bytes", "volume_bytes=-3", "colour=3", "volume_bytes=1.5G"):
        with pytest.raises(SystemExit):
            main(["--limit", wrong, *command])
        assert "is not NAME=SIZE" in capsys.readouterr().err
