"""`hounsview render` with all its options: the same frames as the window shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import hounsview as hv
from hounsview.sessions import Source
from hounsview.viewstate import Slab
from hounsview_vizapp.cli import main
from hounsview_vizapp.panes import slice_pane, step
from hounsview_vizapp.pictures import montage_of, pane_of, picture_of
from hounsview_vizapp.session import Viewer
from scene_kit import needs_opengl

VOLUME = hv.phantom("hu-rods", spacing=(4, 2, 2))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan") / "rods"
    hv.write_dicom(VOLUME, folder)
    return folder


def render(scan: Path | None, out: Path, *options: str) -> np.ndarray:
    path = [] if scan is None else [str(scan)]
    assert main(["render", *path, "-o", str(out), *options]) == 0
    return cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB)


def test_a_pane_with_window_slab_and_place(scan: Path, tmp_path: Path) -> None:
    drawn = render(
        scan, tmp_path / "a.png", "--pane", "coronal", "--window", "-600,1500",
        "--slab", "10,mean", "--at", "-20,5,-30", "--size", "300x240",
    )  # fmt: skip
    state = hv.ViewState(
        layout="coronal", window=hv.Window(-600, 1500), slab=Slab(10, "mean"),
        crosshair=(-20, 5, -30),
    )  # fmt: skip
    assert drawn.shape == (240, 300, 3)
    assert np.array_equal(drawn, picture_of(hv.load(scan), state, (240, 300)))
    assert main(["render", str(scan), "-o", str(tmp_path / "b.png"), "--slab", "5"]) == 0


def test_a_pane_is_the_frame_that_the_window_shows(scan: Path) -> None:
    volume = hv.load(scan)
    state = hv.ViewState().changed(window="bone", slab=6, crosshair=(10, 5, 3))
    viewer = Viewer(volume, state)
    for plane in ("axial", "coronal", "sagittal"):
        shown = viewer.picture(plane, (200, 260))
        assert np.array_equal(shown, pane_of(volume, state, plane, (200, 260)))


def test_a_session_is_drawn_and_options_go_over_it(scan: Path, tmp_path: Path) -> None:
    one = hv.scan(scan).series[0]
    state = hv.ViewState().changed(window="lung", layout="axial", crosshair=(0, 0, 8))
    source = Source(str(scan), series_uid=one.series_uid, series_key=one.key)
    file = str(hv.write_session(hv.Session(state, source), tmp_path / "a.hounsview.json"))
    volume = hv.load(scan)
    drawn = render(None, tmp_path / "a.png", "--session", file, "--size", "200x200")
    assert np.array_equal(drawn, picture_of(volume, state, (200, 200)))
    over = render(
        None, tmp_path / "b.png", "--session", file, "--size", "200x200", "--window", "bone"
    )
    assert np.array_equal(over, picture_of(volume, state.changed(window="bone"), (200, 200)))


def test_a_session_whose_scan_moved_takes_a_path(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = hv.scan(scan).series[0]
    source = Source(str(tmp_path / "gone"), series_uid=one.series_uid)
    file = str(
        hv.write_session(hv.Session(hv.ViewState(), source), tmp_path / "a.hounsview.json")
    )
    command = ["render", "--session", file, "-o", str(tmp_path / "a.png"), "--pane", "axial"]
    assert main(command) == 1
    assert "name where it is now" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
    assert main([*command, str(scan)]) == 0


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_a_montage_spreads_its_slices_evenly(scan: Path, tmp_path: Path, plane: str) -> None:
    drawn = render(
        scan, tmp_path / "a.png", "--montage", "2x3", "--pane", plane, "--size", "318x210"
    )
    volume = hv.load(scan)
    state = hv.ViewState(layout=plane)
    assert np.array_equal(drawn, montage_of(volume, state, plane, (2, 3), (210, 318)))
    total = {"axial": volume.shape[0], "coronal": volume.shape[1]}[plane]
    plain = hv.ViewState(layout=plane, show_crosshair=False)
    first = step(volume, plain, plane, -total)
    for place in range(6):
        shown = step(volume, first, plane, (2 * place + 1) * total // 12)
        top, left = 107 * (place // 3), 107 * (place % 3)
        cell = drawn[top : top + 103, left : left + 103]
        wanted = slice_pane(volume, shown, plane, (103, 103))[: cell.shape[0], : cell.shape[1]]
        assert np.array_equal(cell, wanted[: cell.shape[0]])


def test_more_places_than_slices_stay_empty(tmp_path: Path) -> None:
    volume = VOLUME.crop(k=(0, 3))
    picture = montage_of(volume, hv.ViewState(), "axial", (2, 2), (204, 204))
    assert len(np.unique(picture[110:, 110:].reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(picture[110:, :90].reshape(-1, 3), axis=0)) > 10
    with pytest.raises(hv.ArgumentError, match="fewer slices, or a larger size"):
        montage_of(volume, hv.ViewState(), "axial", (30, 30), (204, 204))


def test_slices_of_a_plane_as_a_movie(scan: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.gif"
    command = ["render", str(scan), "-o", str(out), "--pane", "axial", "--size", "96x96"]
    assert main(command) == 0
    with Image.open(out) as movie:
        assert movie.size == (96, 96)
        # Slices that look the same are one frame, shown for as long as all of them.
        lasting = 0
        for number in range(movie.n_frames):
            movie.seek(number)
            lasting += movie.info["duration"]
    assert lasting == 50 * hv.load(scan).shape[0]


@needs_opengl
def test_a_turntable(scan: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    command = ["render", str(scan), "-o", str(out), "--turntable", "5", "--size", "96x80"]
    assert main([*command, "--preset", "bone"]) == 0
    movie = cv2.VideoCapture(str(out))
    frames = []
    while (read := movie.read())[0]:
        frames.append(read[1])
    movie.release()
    assert [frame.shape for frame in frames] == [(80, 96, 3)] * 5
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "a.mp4"], "say which movie"),
        (["-o", "a.png", "--turntable"], "a turntable is a movie"),
        (["-o", "a.mp4", "--montage", "2x2", "--pane", "axial"], "a montage is a picture"),
        (["-o", "a.jpg"], "PNG, movies as MP4 or GIF"),
        (["-o", "no/a.png"], "no such folder"),
        (["-o", "a.png", "--session", "none.hounsview.json"], "no such session file"),
        (["-o", "a.png", "--session", "x", "--series", "1"], "--session says which series"),
        (["-o", "a.mp4", "--turntable", "--pane", "axial"], "shows the 3D picture"),
        (["-o", "a.png", "--montage", "2x2", "--pane", "3d"], "slices of one plane"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["render", *options]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--at", "1,2"], ["--at", "1,2,nan"], ["--at", "a,b,c"], ["--slab", "x"],
        ["--slab", "-3"], ["--slab", "5,max"], ["--montage", "3"], ["--montage", "0x3"],
        ["--montage", "99x3"], ["--size", "10x10"], ["--size", "5"], ["--turntable", "1"],
        ["--pane", "top"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["render", "-o", str(tmp_path / "a.png"), *options])
    assert caught.value.code == 2
    assert options[0] in capsys.readouterr().err
