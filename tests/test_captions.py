"""What a pane says in words: badges that never go away, and texts that are true."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.findings import CODES, Finding, Report, Severity
from hounsview.frames import plane_frame
from hounsview.viewstate import Measurement, Slab
from hounsview_vizapp import drawing, pictures
from hounsview_vizapp.lettering import Color, plate_size
from hounsview_vizapp.panes import full_window, marks, notes, shown_window, slice_pane
from hounsview_vizapp.panes.captions import Captions, text_height, window_texts
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.sampling import sample_plane
from hounsview_vizapp.rendering import volume_pane
from scene_kit import BARE, marked, needs_opengl

REPAIR = next(code for code, severity in CODES.items() if severity == Severity.REPAIR)
BADGES = {
    "REPAIRED": drawing.AMBER,
    "FILLED": drawing.AMBER,
    "RESAMPLED": drawing.BLUE,
}


def repaired(shape: tuple[int, int, int] = (21, 40, 50), **parts: Any) -> hv.Volume:
    """A repaired volume whose middle slice is filled and resampled."""
    valid = np.zeros(shape, np.uint8)
    valid[shape[0] // 2] = hv.Validity.FILLED | hv.Validity.RESAMPLED
    geometry = hv.Geometry.from_parts(shape, spacing=(2, 1, 1), origin=(-25, -20, -20))
    report = Report((Finding(REPAIR, "a slice was lost"),))
    return hv.Volume(np.zeros(shape, np.int16), geometry, valid, report=report, **parts)


def written(
    volume: hv.Volume, state: hv.ViewState, size: tuple[int, int], ratio: float = 1.0
) -> dict[str, tuple[int, int]]:
    """What was drawn on an axial pane, and at which (row, column)."""
    frame = plane_frame(volume.geometry, state, "axial", size)
    page = Page(drawing.blank(size), text_height(size, ratio))
    found: dict[str, tuple[int, int]] = {}
    original = drawing.draw_text

    def draw_text(picture: Any, text: str, at: tuple[int, int], **more: Any) -> None:
        found[text] = at
        original(picture, text, at, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "draw_text", draw_text)
        Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
    return found


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("size", [(96, 96), (120, 120), (200, 200), (96, 800), (800, 96)])
def test_no_badge_is_ever_left_out_nor_covered(
    size: tuple[int, int], ratio: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plates: dict[str, tuple[int, int, int, int]] = {}

    def draw_badge(_: Any, text: str, at: tuple[int, int], *, height: int, color: Color) -> int:
        rows, columns = plate_size(text, height)
        top = at[0] - rows // 2
        plates[text] = (top, at[1] - columns, top + rows, at[1])
        assert color == BADGES[text]
        return 0

    monkeypatch.setattr(drawing, "draw_badge", draw_badge)
    size = (round(size[0] * ratio), round(size[1] * ratio))
    state = hv.ViewState(show_labels=said, slab=Slab(10))
    slice_pane(repaired(), state, "axial", size, pixel_ratio=ratio)
    assert set(plates) == set(BADGES)
    boxes = list(plates.values())
    for n, box in enumerate(boxes):
        assert drawing.is_free(box, size, boxes[n + 1 :])


@pytest.mark.parametrize("side", [12, 32, 64, 95])
def test_a_pane_too_small_for_text_has_a_mark_in_its_corner(side: int) -> None:
    volume = repaired()
    corner = slice_pane(volume, hv.ViewState(), "axial", (side, side))[:2, -2:]
    assert (corner == drawing.AMBER).all()
    resampled = replace(volume, valid=volume.valid & ~np.uint8(2 | 8) | 4, report=Report())
    assert hv.Validity(4) == hv.Validity.RESAMPLED
    corner = slice_pane(resampled, hv.ViewState(), "axial", (side, side))[:2, -2:]
    assert (corner == drawing.BLUE).all()
    plain = hv.Volume(volume.hu, volume.geometry)
    corner = slice_pane(plain, hv.ViewState(), "axial", (side, side))[:2, -2:]
    assert not (corner == drawing.AMBER).all(axis=-1).any()


def test_every_small_picture_of_a_montage_is_marked() -> None:
    whole = pictures.montage_of(repaired(), hv.ViewState(), "axial", (3, 3), (200, 200))
    amber = (whole == drawing.AMBER).all(axis=-1)
    for row in range(3):
        for column in range(3):
            part = amber[row * 68 : row * 68 + 3, column * 68 : column * 68 + 64]
            assert part[:, -3:].all()


@needs_opengl
@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("size", [(60, 60), (200, 200)])
def test_the_3d_pane_says_that_a_volume_was_repaired(size: tuple[int, int], said: bool) -> None:
    plain = marked()
    report = Report((Finding(REPAIR, "a slice was lost"),))
    state = replace(BARE, show_labels=said)
    before = volume_pane(plain, state, size).astype(int)
    after = volume_pane(replace(plain, report=report), state, size)
    changed = np.abs(after - before).max(axis=-1) > 100
    rows, columns = np.nonzero(changed & (np.abs(after - drawing.AMBER) < 20).all(axis=-1))
    assert len(rows) > 20
    assert rows.max() < size[0] / 3
    assert columns.min() > size[1] / 2


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("side", [120, 160, 200, 300])
def test_a_small_pane_still_says_which_slice_it_shows(side: int, ratio: float) -> None:
    size = (round(side * ratio),) * 2
    texts = written(repaired(), hv.ViewState(slab=Slab(10)), size, ratio)
    assert any(text.endswith("11/21") for text in texts)


def test_where_values_are_no_hu_a_fresh_view_shows_the_measured_range() -> None:
    valid = np.zeros((3, 4, 5), np.uint8)
    valid[0], valid[1, 0] = hv.Validity.PADDING, hv.Validity.FILLED
    geometry = hv.Geometry.from_parts(valid.shape, spacing=(1, 1, 1))
    for nothing, dtype in ((-1024, np.int16), (np.nan, np.float32)):
        values = np.linspace(200, 600, valid.size).reshape(valid.shape)
        values[valid > 0] = nothing
        values[2, 3, :2] = (200, 600)
        volume = hv.Volume(values.astype(dtype), geometry, valid, unit="stored")
        fresh = hv.ViewState()
        assert shown_window(volume, fresh).range == pytest.approx((200, 600))
        assert full_window(volume) == shown_window(volume, fresh)
        full = window_texts(volume, fresh)[0]
        assert full == "C 400  W 400  full range, stored values"
        chosen = fresh.changed(window="lung")
        assert shown_window(volume, chosen) == chosen.window
        assert window_texts(volume, chosen)[0] == "C -600  W 1500  lung, stored values"
    nowhere = replace(volume, valid=np.ones(valid.shape, np.uint8))
    assert full_window(nowhere).range == (0, 1)
    assert full_window(replace(volume, unit="HU")) != shown_window(
        replace(volume, unit="HU"), fresh
    )


def test_a_window_changes_the_picture_of_values_that_are_no_hu() -> None:
    volume = hv.phantom("thorax", spacing=(10, 8, 8))
    volume = hv.Volume(volume.hu, volume.geometry, unit="unknown")
    pictures_of = [
        slice_pane(volume, hv.ViewState().changed(window=name), "axial", (200, 200))
        for name in ("soft tissue", "lung", "bone")
    ]
    for n, picture in enumerate(pictures_of):
        for other in pictures_of[n + 1 :]:
            assert (picture[60:140, 60:140] != other[60:140, 60:140]).mean() > 0.3


@pytest.mark.parametrize(
    ("center", "width", "text"),
    [
        (30.6667, 414.667, "C 31  W 415"), (30.6667, 12.25, "C 30.7  W 12.2"),
        (-0.2, 20, "C 0  W 20"), (40, 19, "C 40  W 19"),
    ],
)  # fmt: skip
def test_a_window_is_said_in_whole_hu(center: float, width: float, text: str) -> None:
    state = hv.ViewState(window=hv.Window(center, width))
    assert window_texts(marked(), state)[-1] == text


def test_a_turned_plane_says_its_turn_its_place_and_that_it_is_interpolated() -> None:
    state = hv.ViewState(oblique=(-0.01, 56.3953, 0.0), crosshair=(-3.0, 4.0, 1.25))
    texts = written(repaired(), state, (500, 700))
    assert any(text.startswith("turned 0 / 56.4 / 0°   ") for text in texts)
    assert {"through R 3.0  P 4.0  S 1.2 mm", "interpolated"} <= set(texts)
    upright = written(repaired(), replace(state, oblique=(0, 0, 0)), (500, 700))
    assert not [text for text in upright if "through" in text or "interpolated" in text]


OBLIQUE = np.linalg.qr(np.array([[0.1, -0.2, 0.9], [0.3, 0.8, -0.1], [1.0, 0.1, 0.2]]))[0]


@pytest.mark.parametrize("oblique", [(0, 0, 0), (20, 10, 0)])
@pytest.mark.parametrize("direction", [None, OBLIQUE])
def test_outside_the_volume_no_slice_is_counted(
    direction: np.ndarray | None, oblique: tuple[float, ...]
) -> None:
    geometry = hv.Geometry.from_parts((21, 40, 50), spacing=(2, 1, 1), direction=direction)
    volume = hv.Volume(np.zeros(geometry.shape, np.int16), geometry)
    centre = tuple(geometry.centre)
    far = (centre[0], centre[1], 5000.0)
    for crosshair, is_counted in ((centre, True), (far, False)):
        state = hv.ViewState(crosshair=crosshair, oblique=oblique, slab=Slab(10))
        texts = written(volume, state, (500, 500))
        counted = [text for text in texts if re.search(r"\d+/\d+$", text)]
        assert bool(counted) == is_counted
        assert any(text.endswith("(0 slices)") for text in texts) is False


def notes_of(
    measurements: tuple[Measurement, ...], size: tuple[int, int]
) -> tuple[Page, list[str], list[list[str]]]:
    """The page they were drawn on, the numbers at the shapes, and the blocks of text."""
    volume = hv.Volume(np.zeros((21, 40, 50), np.int16), repaired().geometry)
    frame = plane_frame(volume.geometry, hv.ViewState(), "axial", size)
    page = Page(drawing.blank(size), text_height(size))
    numbers: list[str] = []
    blocks: list[list[str]] = []
    original, write_block = drawing.draw_text, Page.write_block

    def draw_text(picture: Any, text: str, at: tuple[int, int], **kinds: Any) -> None:
        if kinds.get("anchor") == "centre":
            numbers.append(text)
        original(picture, text, at, **kinds)

    def block(page: Page, lines: list[str], box: Any, color: Color) -> None:
        blocks.append(lines)
        write_block(page, lines, box, color)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "draw_text", draw_text)
        patch.setattr(Page, "write_block", block)
        marks.draw_measurements(
            page, volume, frame, measurements, selected=None, texts=True, pixel_ratio=1.0
        )
    return page, numbers, blocks


PROBES = tuple(Measurement("probe", ((float(x), 0.0, 0.0),)) for x in (-12, 0, 12))


def test_several_measurements_carry_their_numbers_in_the_table() -> None:
    elsewhere = Measurement("probe", ((0.0, 0.0, 6.0),))
    _, numbers, blocks = notes_of((elsewhere, *PROBES), (400, 500))
    assert sorted(numbers) == ["2", "3", "4"]
    assert sorted(blocks) == [["2  0 HU"], ["3  0 HU"], ["4  0 HU"]]
    _, numbers, blocks = notes_of(PROBES[:1], (400, 500))
    assert (numbers, blocks) == ([], [["0 HU"]])


def test_a_text_is_whole_or_says_that_it_is_not() -> None:
    """The whole text of a region is wider than this pane, its first line is not."""
    region = Measurement("ellipse", ((-6.0, -6.0, 0.0), (6.0, 6.0, 0.0)), text="liver")
    for side in (100, 130, 160, 200, 300, 500):
        _, _, blocks = notes_of((region,), (side, side))
        assert len(blocks) <= 1
        for lines in blocks:
            assert lines[0] == "liver" or lines == ["mean 0 HU  SD 0 ..."]
            assert len(lines) in (1, 3)
    assert blocks[0][1:] == ["mean 0 HU  SD 0", "113.1 mm²  113 voxels  0 to 0"]


def test_texts_lie_on_no_shape_and_a_line_leads_to_those_that_lie_apart() -> None:
    crowd = [
        Measurement("rectangle", ((x - 1.0, y - 1.0, 0.0), (x + 1.0, y + 1.0, 0.0)))
        for x in (-3, 0, 3) for y in (-3, 0, 3)
    ]  # fmt: skip
    size = (700, 900)
    page, numbers, blocks = notes_of(tuple(crowd), size)
    assert len(numbers) == 9
    volume = repaired()
    frame = plane_frame(volume.geometry, hv.ViewState(), "axial", size)
    inside = [np.rint([frame.to_pixel(p) for p in m.points]).astype(int) for m in crowd]
    shapes = [(*box.min(axis=0), *box.max(axis=0)) for box in inside]
    handles = 2 * len(crowd)
    texts = page.taken[handles + len(numbers) :]
    assert len(texts) == len(blocks)
    for text in texts:
        assert drawing.is_free(text, size, shapes)
    leads = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            notes.cv2, "line", lambda picture, a, b, color, *more: leads.append(color)
        )
        patch.setattr(marks._Pen, "draw", lambda *_: None)
        notes_of(tuple(crowd), size)
        assert marks.MARK in leads
        leads.clear()
        notes_of(PROBES, size)
        assert not leads
