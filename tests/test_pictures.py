"""Volume rendering and whole pictures, drawn without a display."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import hounsview as hv
from hounsview.cameras import view_axes
from hounsview.viewstate import Camera
from hounsview_vizapp import drawing, pictures
from hounsview_vizapp.rendering import opengl, volume_pane
from hounsview_vizapp.rendering.body import inside_body
from hounsview_vizapp.rendering.placing import image_of
from hounsview_vizapp.rendering.pyramid import around, level_of, smoothed
from scene_kit import BARE, marked, needs_opengl

SIZE = (220, 220)


def bright(picture: np.ndarray) -> np.ndarray:
    return np.argwhere(picture.astype(int).sum(-1) > 200)


@needs_opengl
@pytest.mark.parametrize(
    ("azimuth", "side"), [(0, "right"), (180, "left"), (90, "a little left"), (30, "right")]
)
def test_the_left_of_the_patient_is_right_in_a_picture_from_the_front(
    azimuth: float, side: str
) -> None:
    picture = volume_pane(marked(), replace(BARE, camera=Camera(azimuth)), SIZE)
    rows, columns = bright(picture).T
    # The ball is at the upper end: there the picture reaches to its side of the bar.
    offset = columns[rows < 80].mean() - columns[rows > 140].mean()
    # From the left it hides the bar and reaches towards anterior, which is left there.
    seen = {"right": offset > 10, "left": offset < -10, "a little left": -30 < offset < -2}
    assert seen[side]


@needs_opengl
@pytest.mark.parametrize("letters", ["SPL", "IAR", "LSP", "PRI", "RAS"])
def test_stored_orientation_does_not_change_the_rendering(letters: str) -> None:
    straight = volume_pane(marked(), BARE, SIZE).astype(int)
    turned = volume_pane(marked().reorient(letters), BARE, SIZE).astype(int)
    assert np.abs(straight - turned).max() <= 2


@needs_opengl
def test_an_oblique_grid_is_drawn_where_it_lies_in_the_patient() -> None:
    volume = marked()
    c, s = np.cos(1.3), np.sin(1.3)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    target = hv.Geometry.from_parts(
        (44, 60, 60), spacing=(2, 2, 2), origin=turn @ (-59, -59, -43),
        direction=turn @ np.eye(3)[:, ::-1],
    )  # fmt: skip
    picture = volume_pane(volume.resample_onto(target), BARE, SIZE)
    rows, columns = bright(picture).T
    assert columns[rows < 80].mean() - columns[rows > 140].mean() > 10


@needs_opengl
@pytest.mark.parametrize("preset", list(hv.rendering_presets()))
def test_every_preset_shows_something_of_the_thorax(preset: str) -> None:
    volume = hv.phantom("thorax", spacing=(5, 4, 4))
    picture = volume_pane(volume, replace(BARE, rendering=preset), SIZE)
    shown = (picture.astype(int) - drawing.NOT_MEASURED).max(axis=-1) > 25
    assert 0.005 < shown.mean() < 0.95  # airways are thin


@needs_opengl
def test_the_same_state_gives_the_same_picture() -> None:
    volume = hv.phantom("hu-rods", spacing=(6, 3, 3))
    assert np.array_equal(volume_pane(volume, BARE, SIZE), volume_pane(volume, BARE, SIZE))


def test_camera_axes_stand_at_right_angles() -> None:
    for azimuth in (0, 45, 200):
        for elevation in (-90, -20, 0, 70, 90):
            towards, up = view_axes(Camera(azimuth, elevation))
            assert abs(towards @ up) < 1e-9
            assert np.linalg.norm(towards) == pytest.approx(1)
    towards, up = view_axes(Camera())
    assert towards.tolist() == [0, -1, 0]
    assert up.tolist() == [0, 0, 1]


@pytest.mark.parametrize("letters", ["SPL", "IAR", "LSP", "RPI"])
def test_a_level_keeps_every_place_and_the_mean(letters: str) -> None:
    rng = np.random.default_rng(1)
    hu = rng.integers(-1000, 1000, (12, 41, 45)).astype(np.int16)  # one row fills no block
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(3, 0.8, 0.8), origin=(1, 2, 3))
    volume = hv.Volume(hu, geometry).reorient(letters)
    level = level_of(volume, 12 * 20 * 22)
    assert level.factors == (1, 2, 2)
    assert level.geometry.orientation == "SPL"
    blocks = hu[:, :40, :44].reshape(12, 20, 2, 22, 2).mean(axis=(2, 4))
    assert np.abs(level.hu - blocks).max() <= 0.51
    assert level.geometry.to_patient([0, 0, 0]) == pytest.approx([1.4, 2.4, 3])
    assert np.prod(level.hu.shape) <= 12 * 20 * 22


def test_cutting_to_what_is_shown_moves_nothing() -> None:
    level = level_of(marked(), 10**6)
    part = around(level, 300)
    assert part.hu.size < level.hu.size
    inside = np.argwhere(part.hu > 300)
    at = np.rint(level.geometry.to_index(part.geometry.to_patient(inside))).astype(int)
    assert (level.hu[tuple(at.T)] > 300).all()
    assert len(inside) == np.count_nonzero(level.hu > 300)


def test_outside_the_body_there_is_no_air_and_no_table() -> None:
    level = inside_body(level_of(hv.phantom("thorax", spacing=(8, 2, 2)), 10**7))

    def hu_at(*point: float) -> int:
        index = np.rint(level.geometry.to_index(point)).astype(int)
        return int(level.hu[tuple(index)])

    assert hu_at(-195, -140, 0) == 0  # air in a corner
    assert hu_at(0, 139, 0) == 0  # foam of the table
    assert hu_at(-100, 20, 40) < -800  # lung
    assert hu_at(0, 11, 80) < -900  # trachea
    assert hu_at(20, 54, -32) == 235  # aorta


def test_smoothing_keeps_a_slope_and_halves_a_spike() -> None:
    geometry = hv.Geometry.from_parts((9, 9, 9), spacing=(1, 1, 1))
    k, j, i = np.indices((9, 9, 9))
    slope = hv.Volume((10 * k + 20 * j - 30 * i).astype(np.int16), geometry)
    level = smoothed(level_of(slope, 10**6))
    inner = (slice(1, -1),) * 3
    assert np.abs(level.hu[inner] - slope.hu[inner]).max() <= 1
    spike = np.zeros((9, 9, 9), np.int16)
    spike[4, 4, 4] = 1000
    level = smoothed(level_of(hv.Volume(spike, geometry), 10**6))
    assert level.hu[3, 4, 4] == pytest.approx(level.hu[4, 4, 4] / 2, abs=1)
    assert level.hu.sum(dtype=int) == pytest.approx(1000, rel=0.02)


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.0])
def test_the_image_for_vtk_lies_where_its_voxels_lie(angle: float) -> None:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    geometry = hv.Geometry.from_parts(
        (4, 5, 6), spacing=(3, 1, 2), origin=(7, 8, 9), direction=turn @ -np.eye(3)[:, ::-1]
    )
    level = level_of(hv.Volume(np.zeros((4, 5, 6), np.int16), geometry), 10**6)
    image, matrix = image_of(level)
    assert matrix.Determinant() == pytest.approx(1)
    assert image.GetDimensions() == level.hu.shape[::-1]
    for k, j, i in [(0, 0, 0), (3, 2, 3), (1, 0, 2)]:
        local = (*np.multiply((i, j, k), image.GetSpacing()), 1.0)
        placed = matrix.MultiplyPoint(local)[:3]
        assert placed == pytest.approx(level.geometry.to_patient([k, j, i]))


def test_no_opengl_leaves_the_slices_and_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_PROBE", "import os; os.abort()")
    opengl._answer.cache_clear()
    try:
        with pytest.raises(hv.RenderingUnavailableError, match="libegl1"):
            volume_pane(marked(), BARE, SIZE)
        picture = pictures.picture_of(marked(), hv.ViewState(), (500, 500))
        assert (picture[300:460, 30:220].max(axis=-1) > 200).any()
    finally:
        opengl._answer.cache_clear()


def test_software_renderers_are_known_by_name() -> None:
    assert opengl.OpenGL("w", "llvmpipe (LLVM 15.0.6, 256 bits)").is_software
    assert opengl.OpenGL("w", "").is_software
    assert not opengl.OpenGL("w", "NVIDIA GeForce RTX 4070/PCIe/SSE2").is_software


@pytest.mark.parametrize("layout", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("size", [(64, 64), (333, 500)])
def test_a_layout_of_one_pane_fills_the_picture(layout: str, size: tuple[int, int]) -> None:
    picture = pictures.picture_of(marked(), hv.ViewState(layout=layout), size)
    assert picture.shape == (*size, 3)


@needs_opengl
def test_the_four_panes_lie_where_a_radiologist_looks() -> None:
    state = replace(BARE, window=hv.Window(0, 2000))
    picture = pictures.picture_of(marked(), state, (404, 404))
    axial, volume = picture[:200, :200], picture[:200, 204:]
    coronal, sagittal = picture[204:, :200], picture[204:, 204:]
    assert np.array_equal(axial, pictures.pane_of(marked(), state, "axial", (200, 200)))
    assert np.array_equal(coronal, pictures.pane_of(marked(), state, "coronal", (200, 200)))
    assert np.array_equal(sagittal, pictures.pane_of(marked(), state, "sagittal", (200, 200)))
    assert np.array_equal(volume, pictures.pane_of(marked(), state, "3d", (200, 200)))


def test_values_that_are_not_hu_get_slices_and_no_3d() -> None:
    volume = hv.Volume(marked().hu, marked().geometry, unit="stored")
    picture = pictures.picture_of(volume, hv.ViewState(), (500, 500))
    assert picture.shape == (500, 500, 3)
    with pytest.raises(hv.NotHounsfieldError, match="a volume rendering"):
        volume_pane(volume, BARE, SIZE)


def test_windows_are_given_by_name_or_by_numbers() -> None:
    state = pictures.with_window(hv.ViewState(), "lung")
    assert state.window == hv.window_presets()["lung"]
    assert pictures.with_window(state, "40,350").window == hv.Window(40, 350)
    assert pictures.with_rendering(state, "mip").rendering == "MIP"
    for wrong in ("lungs", "40", "40,x", "40,350,1"):
        with pytest.raises(hv.ArgumentError, match="lung"):
            pictures.with_window(state, wrong)
    with pytest.raises(hv.ArgumentError, match="bones"):
        pictures.with_rendering(state, "bones")


def test_a_png_holds_the_picture_and_appears_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    pictures.save_png(picture, tmp_path / "a.png")
    again = cv2.cvtColor(cv2.imread(str(tmp_path / "a.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(again, picture)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(hv.WriteError, match="No space left"):
        pictures.save_png(picture, tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("columns", [120, 300, 500, 1200])
def test_a_long_description_leaves_the_status_readable(columns: int) -> None:
    """It ends in "..." before the status, which is drawn alone in its place."""
    state = hv.ViewState(layout="axial")
    size = (300, columns)
    short = replace(marked(), attributes={"SeriesDescription": "CT"})
    long = replace(marked(), attributes={"SeriesDescription": "Thorax nativ " * 30})
    height = pictures.text_height((150, columns // 2)) or pictures.text_height(size)
    width = drawing.text_width("ok", height) + 3 * height
    ends = [pictures.picture_of(v, state, size)[: 3 * height, -width:] for v in (short, long)]
    assert np.array_equal(*ends)
    said = drawing.elided("Thorax nativ " * 30, 200, 10)
    assert said.endswith("...")
    assert 100 < drawing.text_width(said, 10) <= 200
    assert drawing.elided("CT", 200, 10) == "CT"
    assert drawing.elided("CT", 3, 10) == ""
