"""One session file in the desktop viewer, in a notebook and in Slicer's scene.

The window is the real one (off screen), the notebook's view is the real one with a page that
takes its frames, the pictures of Slicer are drawn by Slicer's own code. Tolerances stand where
they are used: greys within 3 of 255, colours of tissues within 12, places within 1.5 pixels.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.anatomy import COLORS
from hounsview.frames import plane_frame
from hounsview.masks import LABELS
from hounsview.sessions import Session, Source
from hounsview.viewstate import Camera, CropBox, Measurement, Overlay
from mrml_kit import needs_slicer
from notebook_kit import Page, eventually
from scene_kit import needs_opengl
from slicer_views import on_slice, slice_picture, three_d_picture

pytestmark = [needs_slicer, needs_opengl]

pytest.importorskip("PySide6", reason="the desktop viewer is not installed")
pytest.importorskip("anywidget", reason="the notebook's widgets are not installed")

SIZE = (360, 360)
SLICES = {"axial": "Red", "coronal": "Green", "sagittal": "Yellow"}
LUNG = 0.4
MEASUREMENTS = (
    Measurement("probe", ((-70.0, 0.0, -20.0),), text="in the right lung"),
    Measurement("ruler", ((-60.0, 10.0, -20.0), (65.0, -12.0, -20.0)), text="across"),
    Measurement("rectangle", ((60.0, -20.0, -20.0), (80.0, 20.0, -20.0)), text="left"),
)
STATE = hv.ViewState(
    window=hv.Window(-300, 1500),
    crosshair=(4.0, 6.0, -20.0),
    rendering="bone",
    camera=Camera(azimuth=35.0, elevation=12.0, zoom=1.2, pan=(8.0, -6.0)),
    crop=CropBox(low=(-200.0, -200.0, -90.0), high=(200.0, 200.0, 70.0)),
    quality="full",
    show_labels=False,
    show_crosshair=False,
    overlays=tuple(
        Overlay(LABELS[name], name, COLORS[name], LUNG) for name in ("left_lung", "right_lung")
    ),
    measurements=MEASUREMENTS,
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    hv.write_dicom(hv.phantom("thorax", spacing=(4, 3, 3)), folder / "thorax")
    uid = hv.load(folder / "thorax").attributes["SeriesInstanceUID"]
    source = Source(str(folder / "thorax"), series_uid=uid)
    return hv.write_session(Session(STATE, source), folder / "view.hounsview.json")


class Seen:
    """What one front end shows of the session."""

    def __init__(
        self,
        state: hv.ViewState,
        pictures: dict[str, Any],
        rows: list[dict[str, str]],
        scene: Any = None,
    ) -> None:
        self.state, self.pictures, self.rows, self.scene = state, pictures, rows, scene


@pytest.fixture(scope="module")
def desktop(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from hounsview_vizapp.desktop.window import MainWindow
    from hounsview_vizapp.settings import Settings

    program = QApplication.instance() or QApplication(["hounsview"])
    window = MainWindow(Settings(tmp_path_factory.mktemp("settings")), "dark")
    window.show()
    window.open_path(str(session))

    def work_until(holds: Any) -> None:
        end = time.monotonic() + 180
        while not holds():
            program.processEvents()
            assert time.monotonic() < end
            time.sleep(0.005)

    work_until(lambda: window.viewer is not None and window.viewer.labels is not None)
    viewer = window.viewer
    frames: list[Any] = []
    viewer._on_frame = frames.append  # what the window's 3D pane is given
    work_until(lambda: frames and frames[-1].is_final)
    # Once it is at rest, the window asks for no picture of its own size.
    viewer.request_3d(SIZE, moving=False)
    work_until(lambda: frames[-1].is_final and frames[-1].picture.shape[:2] == SIZE)
    pictures = {plane: viewer.picture(plane, SIZE) for plane in SLICES}
    pictures["3d"] = frames[-1].picture
    window.measurements.fill(viewer)
    lines = [line.split("\t") for line in window.measurements.text().splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    seen = Seen(viewer.state.value, pictures, rows)
    window.close()
    return seen


@pytest.fixture(scope="module")
def notebook(session: Path) -> Iterator[Seen]:
    import hounsview_vizapp as hva

    view = hva.show(str(session))
    view.wait(180)
    page = Page(view.screen, size=SIZE).load()
    eventually(lambda: view.viewer.labels is not None, 180)
    eventually(lambda: page.batches and set(page.batches[-1].values()) == {"image/png"}, 180)
    eventually(lambda: len(view.numbers) == len(MEASUREMENTS), 180)
    come = -1
    while come != len(page.batches):  # the last frames are those in full quality
        come = len(page.batches)
        time.sleep(1.5)
    seen = Seen(view.state.value, dict(page.frames), list(view.numbers))
    yield seen
    view.close()


@pytest.fixture(scope="module")
def slicer(session: Path) -> Seen:
    scene = mrml.new_scene()
    node, shown = mrml.show_session(hv.read_session(session), scene)
    assert not shown.notes
    state = mrml.view_of(node, scene, base=hv.ViewState())
    for markups in shown.markups:
        markups.GetDisplayNode().SetVisibility(False)
    shown.crop.GetDisplayNode().SetVisibility(False)
    view = scene.GetSingletonNode("1", "vtkMRMLViewNode")
    view.SetBoxVisible(False)  # Slicer's own frame around the scene
    view.SetAxisLabelsVisible(False)
    pictures = {plane: slice_picture(scene, name, SIZE) for plane, name in SLICES.items()}
    pictures["3d"] = three_d_picture(scene, SIZE)
    volume = mrml.volume_of(node)
    rows = [row for markups in shown.markups for row in mrml.markups_rows(markups, volume)]
    return Seen(state, pictures, rows, scene)


def test_all_three_have_the_same_view(desktop: Seen, notebook: Seen, slicer: Seen) -> None:
    assert desktop.state == notebook.state == STATE
    theirs = slicer.state
    assert theirs.window == STATE.window
    assert theirs.crosshair == pytest.approx(STATE.crosshair)
    assert theirs.crop is not None
    assert STATE.crop is not None
    assert (*theirs.crop.low, *theirs.crop.high) == pytest.approx(
        (*STATE.crop.low, *STATE.crop.high)
    )
    assert (theirs.rendering, theirs.quality) == ("bone", "full")
    assert (theirs.camera.azimuth, theirs.camera.elevation) == pytest.approx((35, 12))
    shown = {one.name: one for one in theirs.overlays if one.shown}
    assert set(shown) == {"left_lung", "right_lung"}
    assert shown["left_lung"].color == pytest.approx(COLORS["left_lung"])


def test_all_three_measure_the_same(desktop: Seen, notebook: Seen, slicer: Seen) -> None:
    assert desktop.rows
    for ours, noted, theirs in zip(desktop.rows, notebook.rows, slicer.rows, strict=True):
        told = {name: value for name, value in ours.items() if value and name}
        assert {name: value for name, value in noted.items() if name} == told
        # In Slicer a line also has the values along it.
        assert {name: theirs[name] for name in told} == told


@pytest.mark.parametrize("plane", SLICES)
def test_a_point_of_the_patient_is_as_bright_in_all_three(
    desktop: Seen, notebook: Seen, slicer: Seen, session: Path, plane: str
) -> None:
    """Of 1,500 points of each slice, away from edges and lines of measurements."""
    volume, _ = hv.load_session(hv.read_session(session))
    frame = plane_frame(volume.geometry, STATE, plane, SIZE)
    lungs = hv.masks.lungs(volume).both
    compared = {"grey": 0, "tissue": 0}
    for row, column in np.random.default_rng(5).integers(6, SIZE[0] - 6, (1500, 2)):
        point = frame.to_patient((row, column))
        index = np.rint(volume.geometry.to_index(point)).astype(int)
        if not volume.geometry.contains(index) or near_a_measurement(point):
            continue
        around = tuple(slice(max(n - 1, 0), n + 2) for n in index)
        inside = lungs[around]
        if np.ptp(volume.hu[around]) > 60 or (inside.any() and not inside.all()):
            continue
        r, c, depth = on_slice(slicer.scene, SLICES[plane], point)
        assert depth == pytest.approx(0, abs=1e-3)
        pixels = [
            desktop.pictures[plane][row, column],
            notebook.pictures[plane][row, column],
            slicer.pictures[plane][round(r), round(c)],
        ]
        kind = "tissue" if inside.all() else "grey"
        ours, noted, theirs = (pixel.astype(int) for pixel in pixels)
        assert np.abs(ours - noted).max() <= 1, point
        assert np.abs(ours - theirs).max() <= (12 if kind == "tissue" else 3), point
        compared[kind] += 1
    assert compared["grey"] > 150
    assert plane == "sagittal" or compared["tissue"] > 50


def near_a_measurement(point: npt.NDArray[np.float64]) -> bool:
    """Whether a point lies where a measurement or its text may be drawn."""
    if abs(point[2] + 20) > 8:
        return False
    x, y, _ = point
    return -85 < x < 110 and -45 < y < 45


def foreground(picture: Any, background: Any) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.abs(picture.astype(int) - background).max(axis=-1) > 24
    return found


def test_the_bones_stand_at_the_same_place_in_3d(
    desktop: Seen, notebook: Seen, slicer: Seen
) -> None:
    """The same outline: Dice above 0.9, middle within 4 of 360 pixels, edges within 6."""
    shapes = {}
    for name, seen in (("desktop", desktop), ("notebook", notebook), ("slicer", slicer)):
        picture = seen.pictures["3d"]
        # The corners are background; Slicer's is a gradient from below to above.
        behind = np.broadcast_to(picture[:, :1].astype(int), picture.shape)
        shapes[name] = foreground(picture, behind)
    first = shapes["desktop"]
    assert 0.03 < first.mean() < 0.6
    for name, shape in shapes.items():
        same = 2 * (first & shape).sum() / (first.sum() + shape.sum())
        assert same > (0.99 if name == "notebook" else 0.9), (name, same)
        for a, b in zip(np.nonzero(first), np.nonzero(shape), strict=True):
            assert a.mean() == pytest.approx(b.mean(), abs=4), name
            assert (a.min(), a.max()) == pytest.approx((b.min(), b.max()), abs=6), name


def test_bone_has_the_colour_of_bone_in_all_three(
    desktop: Seen, notebook: Seen, slicer: Seen
) -> None:
    """Bright and warm, where all three show bone; Slicer's one light leaves it darker."""
    warm = {}
    for name, seen in (("desktop", desktop), ("notebook", notebook), ("slicer", slicer)):
        picture = seen.pictures["3d"].astype(int)
        shape = foreground(picture, np.broadcast_to(picture[:, :1], picture.shape))
        warm[name] = picture[shape].mean(axis=0)
    for name, (red, green, blue) in warm.items():
        assert red > green > blue > 40, (name, warm)
    assert warm["notebook"] == pytest.approx(warm["desktop"], abs=3)
    assert warm["slicer"] == pytest.approx(warm["desktop"], abs=40)
