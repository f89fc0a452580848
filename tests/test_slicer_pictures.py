"""Slice views of MRML scenes, drawn by Slicer's own slice logic and displayable managers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import hounsview as hv
from hounsview import masks, mrml
from hounsview.anatomy import COLORS
from hounsview.frames import plane_frame
from hounsview.phantoms import BALL_AT, RODS, phantom_hu
from hounsview.planes import plane_axes, rotation
from hounsview.viewstate import Measurement, Slab
from hounsview_vizapp.panes import slice_pane
from mrml_kit import needs_slicer
from scene_kit import needs_opengl
from slicer_views import matrix_array, on_slice, place_slice, slice_node, slice_picture

pytestmark = [needs_slicer, needs_opengl]

PLANES = {"Red": "axial", "Yellow": "sagittal", "Green": "coronal"}
FIELD = 240
SIZE = (FIELD, FIELD)


def shown(volume: hv.Volume, state: hv.ViewState | None = None) -> tuple[Any, Any]:
    """A scene that shows a volume, and its node."""
    scene = mrml.new_scene()
    node = mrml.volume_node(volume, scene)
    mrml.show_view(hv.ViewState() if state is None else state, node, scene)
    mrml.show_in_slices(node, scene)
    return scene, node


def grids() -> dict[str, hv.Geometry]:
    """Grids of 4 mm around the hu-rods phantom: how a scanner, a person or a tool stores it."""
    shape, step, half = (60, 60, 60), 4.0, 118.0
    turns = {
        "axial": np.eye(3)[:, ::-1],
        "left-handed": np.eye(3)[:, ::-1] * (-1, 1, 1),
        "sagittal": np.stack([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], axis=1),
        "oblique": (rotation((20.0, -15.0, 30.0)) @ np.eye(3)[:, ::-1]),
    }
    found = {}
    for name, axes in turns.items():
        affine = np.eye(4)
        affine[:3, :3] = axes * step
        affine[:3, 3] = -axes.sum(axis=1) * half
        found[name] = hv.Geometry(shape, affine)
    return found


def rods_on(geometry: hv.Geometry) -> hv.Volume:
    points = geometry.to_patient(np.moveaxis(np.indices(geometry.shape), 0, -1))
    return hv.Volume(np.rint(phantom_hu("hu-rods", points)).astype(np.int16), geometry)


def is_inside(volume: hv.Volume, point: npt.ArrayLike) -> bool:
    return bool(volume.geometry.contains(volume.geometry.to_index(point)))


def middle(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(row, column) of the middle of a mask."""
    assert mask.any()
    found: npt.NDArray[np.float64] = np.argwhere(mask).mean(axis=0)
    return found


@pytest.mark.parametrize("grid", grids())
@pytest.mark.parametrize("name", PLANES)
def test_a_ball_lies_where_a_radiologist_looks_for_it(grid: str, name: str) -> None:
    """Patient left on the right, head and front up, front on the left from the side."""
    scene, _ = shown(rods_on(grids()[grid]), hv.ViewState(window=hv.Window(1500, 400)))
    at = np.zeros(3)
    normal = {"Red": 2, "Yellow": 0, "Green": 1}[name]
    at[normal] = BALL_AT[normal]
    place_slice(scene, name, plane_axes(PLANES[name]), at, FIELD)
    picture = slice_picture(scene, name, SIZE)
    x, y, z = BALL_AT
    right, down = {"Red": (x, y), "Yellow": (y, -z), "Green": (x, -z)}[name]
    expected = np.array([FIELD / 2 - 1 + down, FIELD / 2 + right])
    assert middle(picture[..., 0] > 60) == pytest.approx(expected, abs=1.5)
    assert on_slice(scene, name, BALL_AT)[:2] == pytest.approx(expected, abs=0.01)


def test_slicer_gives_its_views_the_planes_that_they_are_named_for() -> None:
    scene, _ = shown(hv.phantom("hu-rods", spacing=(4, 4, 4)))
    for name, plane in PLANES.items():
        slice_picture(scene, name, SIZE)
        x, y = matrix_array(slice_node(scene, name).GetSliceToRAS())[:3, :2].T
        right, down = plane_axes(plane)
        assert x * (-1, -1, 1) == pytest.approx(right)
        assert y * (-1, -1, 1) == pytest.approx(-down)


def test_the_heart_is_on_the_right_of_an_axial_picture_and_the_spine_below() -> None:
    scene, _ = shown(
        hv.phantom("thorax", spacing=(5, 3, 3)), hv.ViewState(window=hv.Window(200, 400))
    )
    place_slice(scene, "Red", plane_axes("axial"), (0, 0, -52), 360)
    grey = slice_picture(scene, "Red", SIZE)[..., 0].astype(int)
    row, column = middle((grey > 135) & (grey < 160))  # blood of 205 to 250 HU
    assert row < FIELD / 2 - 10
    assert column > FIELD / 2 + 10
    spine, front = (FIELD / 2 + side * 60 * FIELD / 360 for side in (1, -1))
    assert grey[round(spine), FIELD // 2] == pytest.approx(210 / 400 * 255, abs=2)
    assert grey[round(front), FIELD // 2] > grey[round(spine), FIELD // 2] + 3  # blood


@pytest.mark.parametrize("window", [(40, 400), (-600, 1500), (300, 1500), (40, 80)])
def test_the_window_maps_hu_to_grey(window: tuple[float, float]) -> None:
    center, width = window
    scene, _ = shown(
        hv.phantom("hu-rods", spacing=(4, 3, 3)), hv.ViewState(window=hv.Window(*window))
    )
    place_slice(scene, "Red", plane_axes("axial"), (0, 0, 0), FIELD)
    picture = slice_picture(scene, "Red", SIZE)
    for hu, (x, y) in [*RODS.values(), (-1000.0, (110.0, 110.0))]:
        row, column, _ = on_slice(scene, "Red", (x, y, 0))
        expected = np.clip((hu - center + width / 2) / width, 0, 1) * 255
        grey = picture[round(row), round(column)].astype(int)
        assert np.abs(grey - expected).max() <= 2


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal"])
@pytest.mark.parametrize(
    ("turn", "slab"),
    [((0, 0, 0), Slab()), ((15, -25, 40), Slab()), ((0, 0, 0), Slab(16.0, "mip"))],
    ids=["upright", "turned", "slab"],
)
def test_greys_are_those_of_our_own_slices(
    plane: str, turn: tuple[float, float, float], slab: Slab
) -> None:
    """In the slice views as `show_view` sets them."""
    volume = hv.phantom("thorax", spacing=(4, 4, 4))
    state = hv.ViewState(
        window=hv.Window(-300, 1500), crosshair=(6.0, 2.0, -20.0), oblique=turn, slab=slab,
        show_crosshair=False, show_labels=False,
    )  # fmt: skip
    ours = slice_pane(volume, state, plane, SIZE)
    frame = plane_frame(volume.geometry, state, plane, SIZE)
    name = {plane: name for name, plane in PLANES.items()}[plane]
    scene, _ = shown(volume, state)
    theirs = slice_picture(scene, name, SIZE)
    apart = []
    for row, column in np.random.default_rng(3).integers(12, FIELD - 12, (4000, 2)):
        there = on_slice(scene, name, frame.to_patient((row, column)))
        assert there[2] == pytest.approx(0, abs=1e-6)
        r, c = round(there[0]), round(there[1])
        if not (3 <= r < FIELD - 3 and 3 <= c < FIELD - 3):
            continue
        here = ours[row - 3 : row + 4, column - 3 : column + 4, 0]
        if np.ptp(here) <= 3 and is_inside(volume, frame.to_patient((row, column))):
            apart.append(int(here[3, 3]) - int(theirs[r, c, 0]))
    assert len(apart) >= 200
    # The ends of a slab are sampled differently: there something may end in between.
    assert np.mean(np.abs(apart) <= 2) >= (0.97 if slab.thickness else 1)


@pytest.fixture(scope="module")
def lungs() -> tuple[hv.Volume, masks.Tissues]:
    volume = hv.phantom("thorax", spacing=(5, 3, 3))
    return volume, masks.segment(volume)


@pytest.mark.parametrize(("name", "x"), [("left_lung", 79.0), ("right_lung", -78.0)])
@pytest.mark.parametrize("view", ["Red", "Green"])
def test_segments_have_their_colour_on_their_side(
    lungs: tuple[hv.Volume, masks.Tissues], name: str, x: float, view: str
) -> None:
    volume, tissues = lungs
    mask = tissues.masks[name]
    scene, node = shown(volume, hv.ViewState(window=hv.Window(-600, 1500)))
    place_slice(scene, view, plane_axes(PLANES[view]), (0, 0, 0), 360)
    bare = slice_picture(scene, view, SIZE).astype(int)
    segments = mrml.tissue_segmentation(masks.Tissues({name: mask}, {}, ()), node, scene)
    picture = slice_picture(scene, view, SIZE).astype(int)
    row, column, _ = on_slice(scene, view, (x, 0, 0))
    here = round(row), round(column)
    fill = segments.GetDisplayNode().GetOpacity2DFill()
    mixed = (1 - fill) * bare[here] + fill * 255 * np.asarray(COLORS[name])
    assert picture[here] == pytest.approx(mixed, abs=2)
    assert bare[here].min() > 40
    colored = np.abs(picture - bare).max(axis=-1) > 10
    assert not colored[:, : FIELD // 2 - 3].any() or x < 0
    assert not colored[:, FIELD // 2 + 3 :].any() or x > 0
    middle_slice = mask[volume.shape[0] // 2] if view == "Red" else mask[:, mask.shape[1] // 2]
    area = middle_slice.sum() * (9.0 if view == "Red" else 15.0)
    assert colored.sum() * (360 / FIELD) ** 2 == pytest.approx(area, rel=0.08)


MEASUREMENTS = {
    "probe": (Measurement("probe", ((-60.0, 40.0, 0.0),)), [(0, 0)]),
    "ruler": (
        Measurement("ruler", ((-60.0, 40.0, 0.0), (30.0, 10.0, 0.0))),
        [(0, 0), (0.1, 0.1), (0.25, 0.25), (0.9, 0.9), (1, 1)],
    ),
    "rectangle": (
        Measurement("rectangle", ((-60.0, 40.0, 0.0), (30.0, 10.0, 0.0))),
        [(0, 0), (1, 0), (1, 1), (0, 1), (0.2, 0), (1, 0.4), (0.7, 1)],
    ),
    "ellipse": (
        Measurement("ellipse", ((-60.0, 40.0, 0.0), (30.0, 10.0, 0.0))),
        [(0.5, 0), (0.5, 1), (0, 0.5), (1, 0.5), (0.8535, 0.8535)],
    ),
}
"""What is drawn, and where: shares of the way from the first point, along x and y."""


@pytest.mark.parametrize(("drawn", "shares"), MEASUREMENTS.values(), ids=MEASUREMENTS)
def test_a_measurement_is_drawn_at_its_place_and_in_its_slice_alone(
    drawn: Measurement, shares: list[tuple[float, float]]
) -> None:
    first, last = np.asarray(drawn.points[0]), np.asarray(drawn.points[-1])
    volume = hv.phantom("hu-rods", spacing=(4, 4, 4))
    scenes = [
        shown(volume, hv.ViewState(measurements=measurements))[0]
        for measurements in ((), (drawn,))
    ]
    pictures = []
    for scene in scenes:
        place_slice(scene, "Red", plane_axes("axial"), (0, 0, 0), FIELD)
        pictures.append(slice_picture(scene, "Red", SIZE).astype(int))
    changed = np.abs(pictures[1] - pictures[0]).max(axis=-1) > 30
    for share in shares:
        row, column, _ = on_slice(scenes[1], "Red", first + (*share, 0) * (last - first))
        r, c = round(row), round(column)
        assert changed[r - 1 : r + 2, c - 1 : c + 2].any()
    elsewhere = []
    for scene in scenes:
        place_slice(scene, "Red", plane_axes("axial"), (0, 0, 40), FIELD)
        elsewhere.append(slice_picture(scene, "Red", SIZE))
    assert np.array_equal(*elsewhere)


def test_a_volume_under_a_transform_is_where_its_geometry_says() -> None:
    volume = rods_on(grids()["sagittal"])
    scene, node = shown(volume, hv.ViewState(window=hv.Window(1500, 400)))
    turn = np.eye(4)
    turn[:3, :3] = rotation((0.0, 0.0, 25.0))
    turn[:3, 3] = (10, -5, 7)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(mrml.application.matrix_of(turn))
    node.SetAndObserveTransformNodeID(transform.GetID())
    ball = mrml.geometry_of(node).to_patient(volume.geometry.to_index(BALL_AT))
    assert np.linalg.norm(ball - BALL_AT) > 10
    place_slice(scene, "Red", plane_axes("axial"), (0, 0, ball[2]), FIELD)
    picture = slice_picture(scene, "Red", SIZE)
    expected = on_slice(scene, "Red", ball)[:2]
    assert middle(picture[..., 0] > 60) == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("grid", ["axial", "left-handed", "oblique"])
def test_a_scene_from_a_file_looks_as_it_did(grid: str, tmp_path: Path) -> None:
    scene, _ = shown(rods_on(grids()[grid]), hv.ViewState(window=hv.Window(0, 2000)))
    place_slice(scene, "Green", plane_axes("coronal", (0, 10, 5)), BALL_AT, FIELD)
    path = mrml.write_scene(scene, tmp_path / "scene.mrb")
    before = slice_picture(scene, "Green", SIZE)
    again = mrml.read_scene(path)
    after = slice_picture(again, "Green", SIZE)
    assert np.abs(after.astype(int) - before).max() <= 1
    assert np.ptp(before) > 200


def test_an_error_that_slicer_only_prints_is_no_picture() -> None:
    scene, node = shown(hv.phantom("hu-rods", spacing=(8, 8, 8)))
    node.GetDisplayNode().SetAndObserveColorNodeID("")
    with pytest.raises(AssertionError, match="No LookupTable"):
        slice_picture(scene, "Red", (40, 40))
