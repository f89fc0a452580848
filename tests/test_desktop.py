"""The real window on an X server of its own, driven by real events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
from desktop_kit import Desktop, desktop, needs_screen, screen
from hounsview.frames import plane_frame
from hounsview.sessions import Source
from hounsview_vizapp import drawing
from hounsview_vizapp.pictures import pane_of
from real_data import FOLDER, needs_data
from scene_kit import needs_opengl

pytestmark = needs_screen

PHANTOM = hv.phantom("thorax", spacing=(5, 2, 2))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans") / "thorax"
    hv.write_dicom(PHANTOM, folder)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, scan: Path) -> Iterator[Desktop]:
    with desktop(tmp_path_factory.mktemp("desktop"), str(scan)) as running:
        running.until(lambda seen: seen["shape"])
        yield running


@pytest.fixture
def viewer(shared: Desktop) -> Desktop:
    """The running viewer, as at the start."""
    shared.key("Escape", "shift+R")
    while shared.state["measurements"]:
        shared.key("apostrophe", "Delete")
    shared.until(lambda seen: seen["state"]["layout"] == "four-up")
    return shared


def settled(viewer: Desktop) -> None:
    """Wait until no more frames come."""
    last: list[object] = []

    def still(seen: dict[str, object]) -> bool:
        last.append(seen["frames"])
        return len(last) > 20 and last[-20] == last[-1]

    viewer.until(still)


def test_the_series_is_open_and_drawn(viewer: Desktop) -> None:
    seen = viewer.ask("look")
    assert seen["shape"] == list(PHANTOM.shape)
    assert seen["series"][0][2] == "ok"
    assert all(count > 0 for pane, count in seen["frames"].items() if pane != "3d")
    assert seen["banner"] == ""


def test_the_window_shows_what_the_headless_picture_shows(
    viewer: Desktop, tmp_path: Path
) -> None:
    viewer.key("1")
    viewer.do("mousemove", 5, 5)  # off the panes
    settled(viewer)
    shown = viewer.shot(tmp_path / "shot.png")
    state = hv.ViewState.from_dict(viewer.state)
    left, top, width, height = viewer.ask("where", name="pane axial")["at"]
    frame = pane_of(PHANTOM, state, "axial", (height, width))
    pane = shown[top : top + height, left : left + width]
    # But for the frame round the active pane they are the same, text and all.
    assert np.array_equal(pane[2:-2, 2:-2], frame[2:-2, 2:-2])


def test_left_and_right_are_those_of_the_patient(viewer: Desktop, tmp_path: Path) -> None:
    viewer.key("t", "c")
    viewer.do("mousemove", 5, 5)
    settled(viewer)
    shown = viewer.shot(tmp_path / "shot.png").astype(int)
    left, top, width, height = viewer.ask("where", name="pane axial")["at"]
    pane = shown[top + 4 : top + height - 4, left + 4 : left + width - 4]
    state = hv.ViewState.from_dict(viewer.state)
    frame = plane_frame(PHANTOM.geometry, state, "axial", (height, width))
    k = round(PHANTOM.geometry.to_index(frame.origin)[0])
    bright = state.window.apply(PHANTOM.hu[k])
    columns = np.arange(PHANTOM.shape[2])
    wanted = (bright * columns).sum() / bright.sum()
    point = PHANTOM.geometry.to_patient((k, 0, wanted))
    grey = np.where(np.ptp(pane, axis=-1) < 4, pane[..., 0], 0)
    found = (grey * np.arange(grey.shape[1])).sum() / grey.sum() + 4
    assert found == pytest.approx(frame.to_pixel(point)[1], abs=3)


def test_a_click_moves_the_crosshair_of_all_panes(viewer: Desktop) -> None:
    before = viewer.ask("look")["frames"]
    viewer.click("pane axial", 0.4, 0.3)
    seen = viewer.until(lambda seen: seen["state"]["crosshair_lps_mm"])
    x, y, _ = seen["state"]["crosshair_lps_mm"]
    assert x < 0  # left in the picture is the patient's right
    assert y < PHANTOM.geometry.centre[1]
    for pane in ("axial", "coronal", "sagittal"):
        assert seen["frames"][pane] > before[pane]


def test_the_wheel_scrolls_ctrl_zooms_and_shift_thickens(viewer: Desktop) -> None:
    viewer.move("pane axial")
    viewer.do("click", 4)
    first = viewer.until(lambda s: s["state"]["crosshair_lps_mm"])["state"]["crosshair_lps_mm"]
    viewer.do("click", 4)
    second = viewer.until(lambda s: s["state"]["crosshair_lps_mm"] != first)["state"]
    assert second["crosshair_lps_mm"][2] - first[2] == pytest.approx(5)
    viewer.do("keydown", "ctrl")
    viewer.do("click", 4)
    viewer.do("keyup", "ctrl")
    viewer.until(lambda seen: seen["state"]["axial"]["zoom"] == pytest.approx(1.15))
    viewer.do("keydown", "shift", "click", 4, "keyup", "shift")
    viewer.until(lambda seen: seen["state"]["slab"]["thickness_mm"] == 1)


def test_drags_change_window_and_place(viewer: Desktop) -> None:
    viewer.drag("pane coronal", (0.5, 0.4), (0.4, 0.6), button=3)
    window = viewer.state["window"]
    assert window["width"] > 400
    assert window["center"] > 40
    viewer.drag("pane coronal", (0.5, 0.4), (0.6, 0.5), button=2)
    right, down = viewer.state["coronal"]["pan_mm"]
    assert right > 5
    assert down > 5
    assert viewer.state["axial"]["pan_mm"] == [0, 0]


def test_keys_window_undo_redo_and_maximise(viewer: Desktop) -> None:
    viewer.click("pane sagittal", 0.6, 0.6)
    viewer.key("4")
    assert viewer.until(lambda s: s["state"]["window"]["center"] == 400)
    viewer.key("ctrl+z")
    viewer.until(lambda seen: seen["state"]["window"]["center"] == 40)
    viewer.key("ctrl+y")
    viewer.until(lambda seen: seen["state"]["window"]["center"] == 400)
    viewer.key("f")
    viewer.until(lambda seen: seen["state"]["layout"] == "sagittal")
    viewer.key("f")
    viewer.until(lambda seen: seen["state"]["layout"] == "four-up")
    viewer.move("pane coronal")
    viewer.do("click", "--repeat", 2, "--delay", 60, 1)
    viewer.until(lambda seen: seen["state"]["layout"] == "coronal")
    viewer.key("F2")


def test_tab_goes_from_pane_to_pane(viewer: Desktop) -> None:
    viewer.click("pane axial")
    seen = {viewer.ask("look")["active"]}
    for _ in range(3):
        viewer.key("Tab")
        seen.add(viewer.ask("look")["active"])
    assert seen == {"axial", "coronal", "sagittal", "3d"}


def test_a_ruler_and_its_numbers(viewer: Desktop) -> None:
    viewer.key("d")
    viewer.until(lambda seen: seen["tool"] == "ruler")
    viewer.drag("pane axial", (0.3, 0.3), (0.6, 0.7))
    (made,) = viewer.until(lambda s: s["state"]["measurements"])["state"]["measurements"]
    length = np.linalg.norm(np.subtract(*made["points_lps_mm"]))
    viewer.ask("tab", number=4)
    head, line = viewer.ask("look")["table"].splitlines()
    row = dict(zip(head.split("\t"), line.split("\t"), strict=True))
    assert row["length"] == f"{length:.1f} mm"
    viewer.key("Delete")
    viewer.until(lambda seen: not seen["state"]["measurements"])


def test_cine_plays_and_stops(viewer: Desktop) -> None:
    viewer.click("pane axial")
    begin = viewer.state["crosshair_lps_mm"]
    viewer.key("space")
    viewer.until(lambda seen: seen["playing"] == "axial")
    viewer.until(lambda seen: seen["state"]["crosshair_lps_mm"] != begin)
    viewer.key("space")
    viewer.until(lambda seen: seen["playing"] is None)


@needs_opengl
def test_3d_turns_under_the_pointer_and_becomes_fine_again(viewer: Desktop) -> None:
    settled(viewer)
    before = viewer.ask("look")["frames"]
    viewer.drag("pane 3d", (0.5, 0.4), (0.5, 0.6))
    assert viewer.state["camera"]["azimuth_degrees"] < -10
    settled(viewer)
    after = viewer.ask("look")["frames"]
    assert after["3d"] >= before["3d"] + 2
    viewer.key("b")
    viewer.until(lambda seen: seen["state"]["rendering"] == "bone")


def test_many_changes_at_once_are_drawn_once(viewer: Desktop) -> None:
    """A drag of many moves must not draw what nobody sees: frames are fewer than events."""
    settled(viewer)
    before = viewer.ask("look")["frames"]["axial"]
    viewer.key("1")
    viewer.until(lambda seen: seen["state"]["window"]["center"] == -600)
    settled(viewer)
    assert viewer.ask("look")["frames"]["axial"] == before + 1


def test_a_refused_and_a_damaged_path_are_said_and_the_view_stays(
    viewer: Desktop, tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_text("no CT")
    viewer.ask("open", path=str(tmp_path))
    seen = viewer.until(lambda seen: not seen["busy"])
    assert "x.txt: not a DICOM file" in seen["banner"]
    assert seen["series"][0][1].startswith("Thorax phantom"), "what is shown stays listed"
    assert seen["shape"] == list(PHANTOM.shape)
    viewer.ask("open", path=str(tmp_path / "nothing"))
    seen = viewer.until(lambda seen: not seen["busy"] and "nothing" in seen["banner"])
    assert seen["state"]
    (tmp_path / "bad.hounsview.json").write_text("{")
    viewer.ask("open", path=str(tmp_path / "bad.hounsview.json"))
    viewer.until(lambda seen: not seen["busy"] and "no usable session" in seen["banner"])


def test_a_session_brings_the_view_back(tmp_path: Path, scan: Path, shared: Desktop) -> None:
    one = hv.scan(scan).series[0]
    state = hv.ViewState().changed(window="lung", crosshair=(30, -10, 20), layout="coronal")
    source = Source(str(scan), series_uid=one.series_uid, series_key=one.key)
    file = hv.write_session(hv.Session(state, source), tmp_path / "a.hounsview.json")
    shared.ask("open", path=str(file))
    seen = shared.until(lambda seen: not seen["busy"] and seen["state"]["layout"] == "coronal")
    assert hv.ViewState.from_dict(seen["state"]) == state
    assert not seen["can_undo"]


def test_without_a_volume_there_is_a_start_page_and_refusals_have_their_own(
    tmp_path: Path, scan: Path
) -> None:
    broken = tmp_path / "broken"
    hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 4)), broken)
    for file in sorted(broken.iterdir()):
        file.write_bytes(file.read_bytes()[:-2000])
    with desktop(tmp_path) as running:
        assert running.ask("look")["page"] == 0
        running.ask("open", path=str(broken))
        seen = running.until(lambda seen: seen["page"] == 2)
        assert "cut off" in seen["refusal"] or "unreadable" in seen["refusal"]
        running.ask("open", path=str(scan))
        running.until(lambda seen: seen["page"] == 1 and seen["shape"])
        running.ask("close")
        assert running.ask("look")["page"] == 0
        assert str(scan) in json.dumps(
            json.loads((tmp_path / "settings" / "recent.json").read_text())
        )
        assert running.stop() == 0


def test_a_repaired_series_says_so_before_anything_else(tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    files = hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 4)), folder)
    files[len(files) // 2].unlink()
    with desktop(tmp_path, str(folder)) as running:
        seen = running.until(lambda seen: seen["shape"])
        assert "missing" in seen["banner"]
        assert seen["series"][0][2] == "repaired"
        assert "Repaired" in seen["findings"]


@pytest.mark.slow
@needs_opengl
def test_memory_is_flat_over_20_opened_and_closed_series(tmp_path: Path, scan: Path) -> None:
    with desktop(tmp_path) as running:
        used = []
        for _ in range(20):
            running.ask("open", path=str(scan))
            running.until(lambda seen: seen["shape"] and seen["frames"]["3d"] > 0)
            settled(running)
            running.ask("close")
            running.until(lambda seen: not seen["shape"])
            used.append(running.ask("memory"))
        volume = PHANTOM.hu.nbytes
        growth = used[-1]["bytes"] - used[4]["bytes"]
        # 15 volumes kept would be 15 times as much, and their levels and frames on top.
        assert growth < 7 * volume, str([u["bytes"] >> 20 for u in used])
        assert used[-1]["threads"] == used[1]["threads"]


@needs_data
@pytest.mark.parametrize(
    ("name", "shape"),
    [("thorax-ge-vct", [100, 512, 512]), ("head-philips-phantom", [140, 512, 512])],
)
def test_a_real_series_opens(tmp_path: Path, name: str, shape: list[int]) -> None:
    with desktop(tmp_path, str(FOLDER / name)) as running:
        seen = running.until(lambda seen: seen["shape"])
        assert seen["shape"] == shape
        settled(running)
        shown = running.shot(tmp_path / "shot.png")
        left, top, width, height = running.ask("where", name="pane axial")["at"]
        pane = shown[top : top + height, left : left + width]
        assert np.unique(pane).size > 100
        assert (pane == drawing.NOT_MEASURED).all(axis=-1).mean() < 0.9


def test_an_exception_in_a_handler_leaves_the_viewer_alive(tmp_path: Path, scan: Path) -> None:
    with desktop(tmp_path, str(scan)) as running:
        running.until(lambda seen: seen["shape"])
        running.key("1")
        state = running.until(lambda s: s["state"]["window"]["center"] == -600)["state"]
        running.ask("break")
        running.ask("tab", number=2)
        running.click("transfer function")
        seen = running.until(lambda seen: seen["banner"])
        assert "a bug in a handler" in seen["banner"]
        assert seen["state"] == state
        running.click("pane axial", 0.3, 0.3)
        running.key("4")
        running.until(lambda seen: seen["state"]["window"]["center"] == 400)
        assert running.stop() == 0


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_frames_have_as_many_pixels_as_a_dense_screen(
    tmp_path: Path, scan: Path, scale: str
) -> None:
    with desktop(tmp_path, str(scan), size="1920x1200", QT_SCALE_FACTOR=scale) as running:
        seen = running.until(lambda seen: seen["shape"])
        settled(running)
        _, _, width, height = running.ask("where", name="pane axial")["at"]
        rows, columns = running.ask("look")["sizes"]["axial"]
        assert rows == pytest.approx(height * float(scale), abs=1)
        assert columns == pytest.approx(width * float(scale), abs=1)
        assert seen["shape"]


@pytest.mark.parametrize("size", ["1280x720", "1600x1200"])
def test_the_window_begins_within_the_screen(tmp_path: Path, size: str) -> None:
    with screen(size) as display:
        running = Desktop(display, tmp_path / "settings", None)
        try:
            left, top, width, height = running.ask("where", name="window")["at"]
        finally:
            running.stop()
    columns, rows = map(int, size.split("x"))
    assert (width, height) == (min(1360, columns), min(860, rows))
    assert (left + width <= columns, top + height <= rows) == (True, True)


def test_ctrl_c_on_the_terminal_ends_it(tmp_path: Path, scan: Path) -> None:
    with desktop(tmp_path, str(scan)) as running:
        running.until(lambda seen: seen["shape"])
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) in (0, 130)


def test_view_without_a_display_says_so() -> None:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    environment.pop("QT_QPA_PLATFORM", None)
    done = subprocess.run(
        [sys.executable, "-m", "hounsview_vizapp.cli", "view"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no display" in done.stderr
    assert "hounsview render" in done.stderr
