"""Slice panes: right side, right place, right grey, whatever way the array was stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.frames import plane_frame
from hounsview.viewstate import PlaneView
from hounsview_vizapp import drawing
from hounsview_vizapp.panes import slice_pane
from hounsview_vizapp.panes.captions import Captions, text_height
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.sampling import sample_plane
from test_geometry import ALL_48

SIZE = (200, 240)
PLAIN = hv.ViewState(show_labels=False, show_crosshair=False, window=hv.Window(0, 2000))
LEFT, BACK, UP = (18.0, 0.0, 0.0), (0.0, 14.0, 0.0), (0.0, 0.0, 22.0)
CENTRE = (5.0, -7.0, 9.0)


def marked_volume(spacing: tuple[float, float, float] = (2.0, 1.0, 1.5)) -> hv.Volume:
    """Water with three cubes of 900 HU: to the left, the back and the top of the centre."""
    shape = (31, 41, 33)
    geometry = hv.Geometry.from_parts(shape, spacing=spacing)
    moved = geometry.affine.copy()
    moved[:3, 3] = np.array(CENTRE) - geometry.centre
    geometry = hv.Geometry(shape, moved)
    hu = np.zeros(shape, np.int16)
    for mark in (LEFT, BACK, UP):
        k, j, i = np.rint(geometry.to_index(np.add(CENTRE, mark))).astype(int)
        hu[k - 1 : k + 2, j - 2 : j + 3, i - 1 : i + 2] = 900
    return hv.Volume(hu, geometry)


def grey_at(volume: hv.Volume, state: hv.ViewState, plane: str, point: np.ndarray) -> int:
    row, column = plane_frame(volume.geometry, state, plane, SIZE).to_pixel(point)
    return int(slice_pane(volume, state, plane, SIZE)[round(row), round(column), 0])


@pytest.mark.parametrize(
    ("plane", "mark", "side"),
    [
        ("axial", LEFT, "right"), ("axial", BACK, "bottom"),
        ("coronal", LEFT, "right"), ("coronal", UP, "top"),
        ("sagittal", BACK, "right"), ("sagittal", UP, "top"),
    ],
)  # fmt: skip
def test_a_landmark_appears_on_its_side(plane: str, mark: tuple[float, ...], side: str) -> None:
    volume = marked_volume()
    picture = slice_pane(volume, PLAIN, plane, SIZE)[..., 0].astype(int)
    rows, columns = np.nonzero(picture > 200)
    down, right = rows - SIZE[0] / 2, columns - SIZE[1] / 2
    found = {"right": right.max() > 20, "bottom": down.max() > 20, "top": down.min() < -20}
    assert found[side]
    assert grey_at(volume, PLAIN, plane, np.add(CENTRE, mark)) > 230
    assert grey_at(volume, PLAIN, plane, np.subtract(CENTRE, mark)) < 140


@pytest.mark.parametrize("letters", ALL_48)
def test_all_48_stored_orientations_give_the_same_pictures(letters: str) -> None:
    volume = marked_volume()
    turned = volume.reorient(letters)
    for plane in ("axial", "coronal", "sagittal"):
        a = slice_pane(volume, PLAIN, plane, SIZE).astype(int)
        b = slice_pane(turned, PLAIN, plane, SIZE).astype(int)
        # OpenCV places samples to 1/32 pixel: 1/32 of an edge of 900 HU is 4 grey values.
        assert np.abs(a - b).max() <= 4


@pytest.mark.parametrize("letters", ALL_48)
def test_every_landmark_is_at_its_place_in_all_48_stored_orientations(letters: str) -> None:
    """Also those away from the middle slice, and none where its mirror image would be."""
    volume = marked_volume()
    turned = volume.reorient(letters)
    for plane, across in (("axial", UP), ("coronal", BACK), ("sagittal", LEFT)):
        for mark in (LEFT, BACK, UP):
            if mark == across:
                continue
            assert grey_at(turned, PLAIN, plane, np.add(CENTRE, mark)) > 230
            assert grey_at(turned, PLAIN, plane, np.subtract(CENTRE, mark)) < 140
        away = replace(PLAIN, crosshair=tuple(np.add(CENTRE, across)))
        assert grey_at(turned, away, plane, np.array(CENTRE)) > 230
        mirrored = replace(PLAIN, crosshair=tuple(np.subtract(CENTRE, across)))
        assert grey_at(turned, mirrored, plane, np.array(CENTRE)) < 140


class Recording(Page):
    """A page that remembers what was written where."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(drawing.blank(size), text_height(size))
        self.written: dict[str, tuple[int, int]] = {}

    def write(self, texts: Sequence[str], at: tuple[int, int], **more: Any) -> bool:
        self.written[texts[0]] = at
        return super().write(texts, at, **more)


@pytest.mark.parametrize(
    ("plane", "oblique", "top_bottom_left_right"),
    [
        ("axial", (0, 0, 0), "A P R L"), ("coronal", (0, 0, 0), "S I R L"),
        ("sagittal", (0, 0, 0), "S I A P"),
        # Turned about the feet-to-head axis: left turns towards posterior.
        ("axial", (0, 0, 30), "AL PR RA LP"), ("axial", (0, 0, 10), "A P R L"),
        ("axial", (0, 0, 60), "LA RP AR PL"), ("coronal", (0, 0, 30), "S I RA LP"),
        ("sagittal", (40, 0, 0), "SA IP AI PS"),
    ],
)  # fmt: skip
def test_letters_say_where_each_side_lies(
    plane: str, oblique: tuple[float, ...], top_bottom_left_right: str
) -> None:
    volume = marked_volume()
    page = Recording((400, 500))
    state = hv.ViewState(oblique=oblique)
    frame = plane_frame(volume.geometry, state, plane, (400, 500))
    Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
    top, bottom, left, right = top_bottom_left_right.split()
    assert page.written[top][0] < 50
    assert page.written[bottom][0] > 350
    assert page.written[left][1] < 50
    assert page.written[right][1] > 450


def test_the_pane_says_slice_place_window_slab_and_turn() -> None:
    volume = marked_volume()
    state = hv.ViewState(crosshair=(5.0, -7.0, 13.0)).changed(slab=10)
    frame = plane_frame(volume.geometry, state, "axial", (400, 500))
    page = Recording((400, 500))
    Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
    assert {"Axial", "S 13.0 mm   18/31", "MIP 10 mm (5 slices)"} <= set(page.written)
    assert "C 40  W 400  soft tissue" in page.written
    state = replace(state, oblique=(10.0, 0.0, -5.0))
    frame = plane_frame(volume.geometry, state, "axial", (400, 500))
    page = Recording((400, 500))
    Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
    assert any(text.startswith("turned 10 / 0 / -5°   ") for text in page.written)


@pytest.mark.parametrize("oblique", [(0, 0, 0), (10, 0, 20)])
def test_outside_the_volume_nothing_is_shown_as_measured(oblique: tuple[float, ...]) -> None:
    volume = marked_volume()
    for z in (60.0, -60.0):
        state = replace(PLAIN, crosshair=(5.0, -7.0, z), oblique=oblique)
        picture = slice_pane(volume, state, "axial", SIZE)
        assert (picture == drawing.NOT_MEASURED).all()


def test_a_slice_of_padding_alone_is_not_said_to_lie_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(drawing, "draw_sentence", lambda _, text, **more: said.append(text))
    volume = marked_volume()
    nothing = np.full(volume.shape, hv.Validity.PADDING, np.uint8)
    volume = hv.Volume(volume.hu, volume.geometry, nothing)
    state = hv.ViewState()
    slice_pane(volume, state, "axial", SIZE)
    slice_pane(volume, replace(state, crosshair=(0.0, 0.0, 900.0)), "axial", SIZE)
    assert said == ["nothing was measured here", "outside the volume"]


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan")])
def test_a_pixel_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(hv.ArgumentError, match="pixel ratio"):
        slice_pane(marked_volume(), PLAIN, "axial", SIZE, pixel_ratio=ratio)


def test_the_crosshair_runs_through_its_point_and_leaves_it_free() -> None:
    volume = marked_volume()
    for oblique in ((0, 0, 0), (20, 30, 40)):
        state = replace(PLAIN, crosshair=(9.0, -3.0, 9.0), oblique=oblique)
        for plane in ("axial", "coronal", "sagittal"):
            without = slice_pane(volume, state, plane, SIZE)
            lines = slice_pane(volume, replace(state, show_crosshair=True), plane, SIZE)
            changed = (without != lines).any(axis=-1)
            at = plane_frame(volume.geometry, state, plane, SIZE).to_pixel(state.crosshair)
            row, column = (int(np.floor(part + 0.5)) for part in at)
            assert changed[row, [5, -5]].all()
            assert changed[[5, -5], column].all()
            assert not changed[row, column]
            rows, columns = np.nonzero(changed)
            assert ((abs(rows - row) <= 1) | (abs(columns - column) <= 1)).all()


def test_an_oblique_volume_is_shown_in_patient_orientation() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    geometry = hv.Geometry.from_parts(
        (30, 60, 60), spacing=(2, 1, 1), origin=turn @ (-30, -30, -30),
        direction=turn @ np.eye(3)[:, ::-1],
    )  # fmt: skip
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    hu = geometry.to_patient(index) @ (12.0, 7.0, 9.0)
    volume = hv.Volume(hu.astype(np.int16), geometry)
    for plane in ("axial", "coronal", "sagittal"):
        frame = plane_frame(volume.geometry, PLAIN, plane, SIZE)
        picture = slice_pane(volume, PLAIN, plane, SIZE)
        for pixel in [(100, 120), (90, 130), (115, 100)]:
            hu_there = float(frame.to_patient(pixel) @ (12.0, 7.0, 9.0))
            grey = (hu_there + 1000) / 2000 * 255
            assert abs(int(picture[pixel][0]) - grey) < 2.5


@pytest.mark.parametrize("spacing", [(5.0, 0.4, 0.9), (0.5, 2.0, 0.3), (2.0, 1.0, 1.0)])
def test_a_millimetre_is_as_long_across_as_down(spacing: tuple[float, float, float]) -> None:
    volume = marked_volume(spacing)
    extent = np.array(volume.shape) * spacing
    for plane, (down, across) in {
        "axial": (1, 2),
        "coronal": (0, 2),
        "sagittal": (0, 1),
    }.items():
        picture = slice_pane(volume, PLAIN, plane, SIZE)
        inside = (picture != drawing.NOT_MEASURED).any(axis=-1)
        rows, columns = inside.any(axis=1).sum(), inside.any(axis=0).sum()
        assert abs(rows / columns / (extent[down] / extent[across]) - 1) < 0.06
        assert rows == SIZE[0] or columns == SIZE[1]


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    volume = marked_volume()
    state = replace(PLAIN, show_labels=True)
    for size in ((400, 400), (300, 900), (900, 300)):
        frame = plane_frame(volume.geometry, state, "axial", size)
        picture = drawing.blank(size)
        mm, pixels = drawing.draw_scale_bar(picture, frame.mm_per_pixel, height=8, margin=11)
        assert mm in {m * 10**e for m in (1, 2, 5) for e in range(-1, 3)}
        assert pixels * frame.mm_per_pixel == pytest.approx(mm, abs=frame.mm_per_pixel / 2)
        bar = (picture[size[0] - 12] == drawing.TEXT).all(axis=-1)
        assert np.count_nonzero(bar) == pixels


def test_padding_is_slate_filled_is_hatched_and_repairs_are_said() -> None:
    volume = marked_volume()
    valid = np.zeros(volume.shape, np.uint8)
    valid[15] = hv.Validity.FILLED
    valid[:, :, :6] = hv.Validity.PADDING
    hu = np.where(valid == 1, -1024, volume.hu).astype(np.int16)
    marked = hv.Volume(hu, volume.geometry, valid)
    picture = slice_pane(marked, PLAIN, "sagittal", SIZE)
    assert (picture == drawing.AMBER).all(axis=-1).any() or (
        np.ptp(picture, axis=-1) > 40
    ).any()
    axial = slice_pane(marked, PLAIN, "axial", SIZE)
    padded = volume.geometry.to_patient([10, 20, 3])
    row, column = plane_frame(marked.geometry, PLAIN, "axial", SIZE).to_pixel(padded)
    assert (axial[round(row), round(column)] == drawing.NOT_MEASURED).all()
    labelled = replace(PLAIN, show_labels=True)
    plain = slice_pane(volume, labelled, "axial", (400, 400)).astype(int)
    badged = slice_pane(marked, labelled, "axial", (400, 400)).astype(int)
    assert np.abs(plain - badged)[:40, 200:].max() > 100


def test_the_window_sets_the_grey() -> None:
    volume = marked_volume()
    for window in (hv.Window(0, 2000), hv.Window(40, 400), hv.Window(900, 100)):
        state = replace(PLAIN, window=window)
        grey = grey_at(volume, state, "axial", np.subtract(CENTRE, LEFT))
        assert grey == window.apply(np.zeros((1, 1), np.int16))[0, 0]


def test_zoom_and_pan_move_the_plane_as_they_say() -> None:
    volume = marked_volume()
    moved = replace(PLAIN, axial=PlaneView(zoom=2.0, pan=(10.0, -5.0)))
    a = plane_frame(volume.geometry, PLAIN, "axial", SIZE)
    b = plane_frame(volume.geometry, moved, "axial", SIZE)
    assert b.mm_per_pixel == pytest.approx(a.mm_per_pixel / 2)
    row, column = a.to_pixel(CENTRE)
    shifted_row, shifted_column = b.to_pixel(CENTRE)
    assert (shifted_column - column) * b.mm_per_pixel == pytest.approx(10, abs=0.5)
    assert (shifted_row - row) * b.mm_per_pixel == pytest.approx(-5, abs=0.5)


@pytest.mark.parametrize("shape", [(1, 64, 64), (1, 1, 1), (4, 2, 3), (2, 300, 2)])
@pytest.mark.parametrize("size", [(1, 1), (17, 900), (500, 500)])
def test_any_volume_draws_in_any_pane(
    shape: tuple[int, int, int], size: tuple[int, int]
) -> None:
    volume = hv.Volume(
        np.zeros(shape, np.int16), hv.Geometry.from_parts(shape, spacing=(3, 1, 1))
    )
    for plane in ("axial", "coronal", "sagittal"):
        picture = slice_pane(volume, hv.ViewState(), plane, size)
        assert picture.shape == (*size, 3)
        assert picture.dtype == np.uint8


def test_an_unknown_plane_or_size_is_named() -> None:
    with pytest.raises(hv.ArgumentError, match="oblique"):
        slice_pane(marked_volume(), PLAIN, "oblique", SIZE)
    with pytest.raises(hv.ArgumentError, match="pane"):
        slice_pane(marked_volume(), PLAIN, "axial", (0, 10))
