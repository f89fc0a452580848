"""What is drawn over a pane: text with room, label maps, measurements, colour maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview.frames import plane_frame
from hounsview.planes import plane_axes
from hounsview.viewstate import COLORMAPS, PLANES, Measurement, Overlay, PlaneView, Slab
from hounsview_vizapp import drawing, lettering
from hounsview_vizapp.panes import marks, slice_pane
from hounsview_vizapp.panes.captions import Captions, text_height
from hounsview_vizapp.panes.page import Page
from hounsview_vizapp.panes.sampling import sample_plane
from test_geometry import ALL_48

BARE = hv.ViewState(show_labels=False, show_crosshair=False, window=hv.Window(0, 2000))
SIZES = [((200, 200), 1.0), ((300, 900), 1.0), ((900, 300), 1.0), ((800, 800), 1.0),
         ((1600, 1600), 2.0), ((110, 130), 1.0), ((240, 330), 1.5)]  # fmt: skip


def water(shape: tuple[int, int, int] = (21, 40, 50), **parts: Any) -> hv.Volume:
    geometry = hv.Geometry.from_parts(
        shape, spacing=(2.0, 1.0, 1.0), origin=(-25.0, -20.0, -20.0)
    )
    return hv.Volume(np.zeros(shape, np.int16), geometry, **parts)


def told_everything() -> tuple[hv.Volume, hv.ViewState]:
    """A volume and a view that have everything to say at once."""
    valid = np.zeros((21, 40, 50), np.uint8)
    valid[10], valid[:, :3] = hv.Validity.FILLED | hv.Validity.RESAMPLED, hv.Validity.PADDING
    state = hv.ViewState(slab=Slab(10, "minip"), crosshair=(3.0, 4.0, 1.0))
    return water(valid=valid), state


@pytest.mark.parametrize("oblique", [(0.0, 0.0, 0.0), (20.0, 10.0, 30.0)])
@pytest.mark.parametrize(("size", "ratio"), SIZES)
def test_text_stays_inside_the_pane_and_overlaps_nothing(
    size: tuple[int, int], ratio: float, oblique: tuple[float, ...]
) -> None:
    volume, state = told_everything()
    state = replace(state, oblique=oblique)
    for plane in PLANES:
        frame = plane_frame(volume.geometry, state, plane, size)
        page = Page(drawing.blank(size), text_height(size, ratio))
        Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
        assert len(page.taken) >= 7  # four letters, the plane, its place, the slab
        for n, (top, left, bottom, right) in enumerate(page.taken):
            assert top >= 0
            assert left >= 0
            assert bottom <= size[0]
            assert right <= size[1]
            for a, b, c, d in page.taken[n + 1 :]:
                assert bottom <= a or top >= c or right <= b or left >= d


def test_nothing_is_drawn_outside_the_boxes_that_text_has_taken() -> None:
    """So the boxes are true, and what they say of overlaps holds for the pixels."""
    volume, state = told_everything()
    size = (400, 500)
    frame = plane_frame(volume.geometry, state, "axial", size)
    page = Page(drawing.blank(size), text_height(size))
    Captions(volume, state, frame, sample_plane(volume, frame)).write(page)
    inked = (page.picture.astype(int) - drawing.NOT_MEASURED).max(axis=-1) > 40
    assert inked.sum() > 500
    for top, left, bottom, right in page.taken:
        assert inked[top:bottom, left:right].any()
        inked[top:bottom, left:right] = False
    assert not inked.any()


def test_text_is_as_large_on_a_dense_screen() -> None:
    assert text_height((1600, 1600), 2.0) == 2 * text_height((800, 800))
    assert text_height((240, 240), 2.0) == 2 * text_height((120, 120))
    assert text_height((150, 150), 2.0) == 0
    volume = water()
    heights = []
    for size, ratio in (((300, 300), 1.0), ((600, 600), 2.0)):
        state = hv.ViewState(show_labels=False)
        picture = slice_pane(volume, state, "axial", size, pixel_ratio=ratio).astype(int)
        column = picture[:, size[1] // 8, 1] - picture[:, size[1] // 8, 0]
        heights.append(np.count_nonzero(column > 60))
    assert heights[1] == 2 * heights[0] > 0


@pytest.mark.parametrize("text", ["S 120.5 mm", "jgpq|", "Ärger 20°", "ÅÇçµmm²", ""])
def test_a_text_lies_in_the_box_it_says(text: str) -> None:
    picture = drawing.blank((60, 300))
    drawing.draw_text(picture, text, (30, 40), height=12)
    changed = (picture != drawing.NOT_MEASURED).any(axis=-1)
    box = drawing.text_box(text, (30, 40), height=12)
    changed[max(0, box[0]) : box[2], max(0, box[1]) : box[3]] = False
    assert not changed.any()
    assert bool(text) == (picture != drawing.NOT_MEASURED).any()


def ink(text: str, height: int = 20) -> np.ndarray:
    picture = drawing.blank((80, 200), (0, 0, 0))
    drawing.draw_text(picture, text, (40, 20), height=height)
    return picture[..., 0] > 128


@pytest.mark.parametrize(
    ("letter", "bare"),
    [*zip("ÄÖÜäöüÉéèêñçåíïøž", "AOUaoueeeencaiioz", strict=True), ("µ", "u"), ("Å", "A")],
)
def test_an_accent_is_drawn_at_its_letter_and_takes_no_room_of_its_own(
    letter: str, bare: str
) -> None:
    bare = bare.upper() if letter.isupper() else bare
    with_it, without = ink(letter), ink(bare)
    more, less = (np.count_nonzero(part) for part in (with_it & ~without, without & ~with_it))
    assert more > 6
    # The dot of an i makes room for its accent.
    assert less == 0 or bare == "i"
    assert lettering.text_width(letter, 20) == lettering.text_width(bare, 20)


def test_degrees_and_small_digits_are_drawn_high_and_unknown_characters_as_a_question() -> None:
    rows = {text: np.nonzero(ink(text))[0] for text in "°²³2"}
    for text in "°²³":
        assert rows[text].max() < rows["2"].max() - 6
        assert rows[text].min() < rows["2"].min() + 3
    assert np.array_equal(ink("漢"), ink("?"))
    assert np.array_equal(ink("Straße\u2026"), ink("Strasse..."))


def test_a_stamp_at_the_edge_is_cut_off() -> None:
    stamp = lettering.text_stamp("WW", 12, (255, 255, 255))
    rows, columns = stamp.keep.shape[:2]
    whole = drawing.blank((rows, columns))
    lettering.lay(whole, stamp, (0, 0))
    for top, left in ((-5, -7), (8, 9), (-500, 0), (0, 500)):
        picture = drawing.blank((rows, columns))
        lettering.lay(picture, stamp, (top, left))
        expected = drawing.blank((rows, columns))
        if abs(top) < rows and abs(left) < columns:
            seen = whole[max(0, -top) : rows - max(0, top)]
            seen = seen[:, max(0, -left) : columns - max(0, left)]
            at_row, at_column = max(0, top), max(0, left)
            expected[at_row : at_row + seen.shape[0], at_column : at_column + seen.shape[1]] = (
                seen
            )
        assert np.array_equal(picture, expected)


@pytest.mark.parametrize("letters", ALL_48)
def test_a_label_has_its_colour_at_its_voxel_and_nowhere_else(letters: str) -> None:
    volume = water()
    labels = np.zeros(volume.shape, np.uint8)
    labels[10, 30, 12], labels[10, 8, 40], labels[10, 3, 3] = 1, 2, 3
    named = hv.Volume(labels.astype(np.int16), volume.geometry).reorient(letters)
    styles = (
        Overlay(1, color=(1, 0, 0), opacity=1.0),
        Overlay(2, color=(0, 0, 1), opacity=0.5),
        Overlay(3, shown=False),
    )
    state = replace(BARE, overlays=styles)
    turned = volume.reorient(letters)
    grey = 128
    places = {"axial": (10, 20, 25), "coronal": (10, 30, 12), "sagittal": (10, 8, 40)}
    for plane, index in places.items():
        state = replace(state, crosshair=tuple(volume.geometry.to_patient(index)))
        picture = slice_pane(turned, state, plane, (320, 400), labels=named.hu.astype(np.uint8))
        frame = plane_frame(turned.geometry, state, plane, (320, 400))
        seen = {1: (255, 0, 0), 2: (64, 64, 192)}
        expected = np.zeros(picture.shape[:2], bool)
        for label, color in seen.items():
            at = np.argwhere(labels == label)[0]
            if plane != "axial" and not np.array_equal(at, index):
                continue
            row, column = (round(p) for p in frame.to_pixel(volume.geometry.to_patient(at)))
            assert np.abs(picture[row, column].astype(int) - color).max() <= 1
            across = 1 / frame.mm_per_pixel
            down = across * (1 if plane == "axial" else 2)
            rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
            expected |= (abs(rows - row) <= down / 2 + 1) & (
                abs(columns - column) <= across / 2 + 1
            )
        inside = (picture != drawing.NOT_MEASURED).any(axis=-1)
        colored = inside & (np.abs(picture.astype(int) - grey).max(axis=-1) > 2)
        assert colored.any()
        assert not (colored & ~expected).any()


def test_labels_turn_with_the_plane() -> None:
    volume = water()
    labels = np.zeros(volume.shape, np.uint8)
    labels[8:13, 28:33, 10:15] = 1
    state = replace(
        BARE, overlays=(Overlay(1, color=(1, 0, 0), opacity=1),), oblique=(0, 0, 35)
    )
    middle = volume.geometry.to_patient((10, 30, 12))
    frame = plane_frame(volume.geometry, state, "axial", (300, 300))
    row, column = (round(part) for part in frame.to_pixel(middle))
    picture = slice_pane(volume, state, "axial", (300, 300), labels=labels)
    red = (picture == (255, 0, 0)).all(axis=-1)
    assert red[row, column]
    assert red.sum() * frame.mm_per_pixel**2 == pytest.approx(25, abs=2)
    assert not (slice_pane(volume, state, "axial", (300, 300)) == (255, 0, 0)).all(-1).any()


@pytest.mark.parametrize("labels", [np.zeros((2, 2, 2), np.uint8), np.zeros((21, 40, 50))])
def test_labels_on_another_grid_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(hv.ArgumentError, match="labels must be uint8 of shape"):
        slice_pane(water(), BARE, "axial", (100, 100), labels=labels)


def drawn_pixels(volume: hv.Volume, state: hv.ViewState, plane: str, **more: Any) -> np.ndarray:
    """(rows, columns) bool: where the measurements change the picture."""
    size = (400, 500)
    bare = slice_pane(volume, replace(state, measurements=()), plane, size)
    return np.asarray((bare != slice_pane(volume, state, plane, size, **more)).any(axis=-1))


def test_a_measurement_is_drawn_on_its_plane_slice_and_turn_only() -> None:
    volume = water()
    ellipse = Measurement("ellipse", ((-10, -8, 0), (6, 7, 0)))
    state = replace(BARE, measurements=(ellipse,))
    assert drawn_pixels(volume, state, "axial").any()
    for plane in ("coronal", "sagittal"):
        assert not drawn_pixels(volume, state, plane).any()
    for z, seen in ((0.9, True), (-0.9, True), (1.1, False), (-1.1, False), (6.0, False)):
        moved = replace(state, crosshair=(0.0, 0.0, z))
        assert drawn_pixels(volume, moved, "axial").any() == seen
        slab = replace(moved, slab=Slab(13, "mean"))
        assert drawn_pixels(volume, slab, "axial").any()
    assert not drawn_pixels(volume, replace(state, oblique=(0, 0, 5)), "axial").any()
    turned = replace(
        state, oblique=(10, 0, 5), measurements=(replace(ellipse, oblique=(10, 0, 5)),)
    )
    assert drawn_pixels(volume, turned, "axial").any()
    assert not drawn_pixels(volume, replace(turned, oblique=(0, 0, 0)), "axial").any()
    away = replace(turned, crosshair=(0.0, 0.0, 5.0))
    assert not drawn_pixels(volume, away, "axial").any()


@pytest.mark.parametrize("plane", PLANES)
def test_shapes_lie_in_patient_mm(plane: str) -> None:
    volume = water()
    right, down = plane_axes(plane)
    corners = (-9 * right - 6 * down, 5 * right + 8 * down)
    state = replace(BARE, measurements=(Measurement("rectangle", corners, plane),))
    state = replace(state, **{plane: PlaneView(zoom=1.3, pan=(2.0, -1.0))})
    rows, columns = np.nonzero(drawn_pixels(volume, state, plane))
    frame = plane_frame(volume.geometry, state, plane, (400, 500))
    (top, left), (bottom, right_end) = (frame.to_pixel(corner) for corner in corners)
    found = (rows.min(), rows.max(), columns.min(), columns.max())
    assert found == pytest.approx((top, bottom, left, right_end), abs=6)
    line = slice_pane(volume, state, plane, (400, 500))[round((top + bottom) / 2), round(left)]
    assert np.abs(line.astype(int) - marks.MARK).max() < 60


def test_the_selected_measurement_is_amber_and_the_others_are_not() -> None:
    volume = water()
    rulers = tuple(Measurement("ruler", ((-15, y, 0), (15, y, 0))) for y in (-9.0, 9.0))
    state = replace(BARE, measurements=rulers)
    frame = plane_frame(volume.geometry, state, "axial", (400, 500))
    for selected in (None, 0, 1):
        picture = slice_pane(volume, state, "axial", (400, 500), selected=selected)
        for number, y in enumerate((-9.0, 9.0)):
            row, column = (round(part) for part in frame.to_pixel((0, y, 0)))
            near = picture[row - 2 : row + 3, column].astype(int)
            color = marks.SELECTED if number == selected else marks.MARK
            assert np.abs(near - color).max(axis=1).min() < 90


@pytest.mark.parametrize("kind", ["probe", "ruler", "angle", "rectangle", "ellipse"])
def test_points_far_outside_draw_no_nonsense(kind: str) -> None:
    volume = water()
    points = ((9e4, -9e4 - 1, 0), (-9e4 - 1, 9e4, 0), (5, 9e4, 0))
    count = {"probe": 1, "angle": 3}.get(kind, 2)
    state = hv.ViewState(measurements=(Measurement(kind, points[:count]),))
    state = replace(state, axial=PlaneView(zoom=200))
    picture = slice_pane(volume, state, "axial", (300, 300))
    assert picture.shape == (300, 300, 3)
    if kind == "ruler":  # from corner to corner through the middle of the volume
        middle = plane_frame(volume.geometry, state, "axial", (300, 300)).to_pixel(
            (-0.5, -0.5, 0)
        )
        row, column = (round(part) for part in middle)
        part = picture[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4].astype(int)
        assert np.abs(part - marks.MARK).max(axis=-1).min() < 60


def test_a_line_through_the_pane_is_straight_however_far_its_ends_are() -> None:
    """Its ends would overflow OpenCV's integers, so that a part of it is drawn."""
    size, middle = (600, 600), np.array((-0.5, -0.5, 0))
    state = replace(BARE, axial=PlaneView(zoom=200))
    volume = water()
    bare = slice_pane(volume, state, "axial", size)
    at = plane_frame(volume.geometry, state, "axial", size).to_pixel(middle)
    for far in (10.0, 4e4):
        end = np.array((far, 2 * far, 0))
        ruler = Measurement("ruler", (middle + end, middle - end))
        state = replace(state, measurements=(ruler,))
        seen = slice_pane(volume, state, "axial", size)
        rows, columns = np.nonzero((bare != seen).any(axis=-1))
        assert len(rows) > 600
        beside = (rows - at[0]) - 2 * (columns - at[1])
        assert np.abs(beside).max() < 8


@pytest.mark.parametrize("at", [(5, 50), (50, 2), (50, 198), (97, 50)])
def test_text_that_would_leave_the_picture_is_left_out(at: tuple[int, int]) -> None:
    page = Page(drawing.blank((100, 200)), 8)
    assert not page.write(["MMMM"], at, anchor="centre")
    assert (page.picture == drawing.NOT_MEASURED).all()
    assert page.write(["MMMM", "M"], (50, 100), anchor="centre")


def test_numbers_are_written_beside_a_shape_and_keep_clear_of_each_other() -> None:
    volume = water()
    probes = [Measurement("probe", ((float(x), 0.0, 0.0),)) for x in (-8, 0, 8)]
    size = (400, 500)
    state = hv.ViewState(measurements=tuple(probes), show_crosshair=False)
    frame = plane_frame(volume.geometry, state, "axial", size)
    page = Page(drawing.blank(size), text_height(size))
    marks.draw_measurements(
        page, volume, frame, probes, selected=None, texts=True, pixel_ratio=1.0
    )
    handles, texts = page.taken[:3], page.taken[3:]
    assert len(texts) == 6  # a number at each shape, and a text
    for n, (top, left, bottom, right) in enumerate(texts):
        for a, b, c, d in (*handles, *texts[n + 1 :]):
            assert bottom <= a or top >= c or right <= b or left >= d


def test_with_a_slab_numbers_are_said_to_be_of_one_slice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    monkeypatch.setattr(Page, "write_block", lambda page, lines, *more: written.extend(lines))
    monkeypatch.setattr(Page, "write", lambda page, texts, *a, **b: written.append(texts[0]))
    volume = water()
    state = hv.ViewState(measurements=(Measurement("probe", ((0, 0, 0),)),))
    slice_pane(volume, state, "axial", (400, 400), pointer=(0, 0, 0))
    assert not [text for text in written if "slab" in text or "in the plane" in text]
    slice_pane(volume, state.changed(slab=10), "axial", (400, 400), pointer=(0, 0, 0))
    assert "in its slice, not the slab" in written
    assert any(text.startswith("in the plane: 0 HU") for text in written)


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_padding_is_slate_in_every_colour_map_and_values_are_coloured(colormap: str) -> None:
    valid = np.zeros((21, 40, 50), np.uint8)
    valid[:, :, :10] = hv.Validity.PADDING
    volume = water(valid=valid)
    state = replace(BARE, colormap=colormap, window=hv.Window(500, 2000))
    picture = slice_pane(volume, state, "axial", (320, 400))
    frame = plane_frame(volume.geometry, state, "axial", (320, 400))

    def color_at(index: tuple[int, int, int]) -> tuple[int, ...]:
        row, column = frame.to_pixel(volume.geometry.to_patient(index))
        return tuple(int(part) for part in picture[round(row), round(column)])

    assert color_at((10, 20, 5)) == drawing.NOT_MEASURED
    red, green, blue = color_at((10, 20, 30))
    grey = 64
    expected = {
        "gray": red == green == blue == grey,
        "inverted": red == green == blue == 255 - grey,
        "hot": red > 120 and blue < 10,
        "bone": blue > red,
        "rainbow": blue > red and green > red,
    }
    assert expected[colormap]


def test_a_float_volume_gets_the_greys_of_its_window() -> None:
    values = np.linspace(-1500, 1500, 21 * 40 * 50).astype(np.float32).reshape(21, 40, 50)
    volume = hv.Volume(values, water().geometry)
    for window in (hv.Window(40, 400), hv.Window(0, 900, "SIGMOID"), hv.Window(10, 1)):
        state = replace(BARE, window=window)
        sample = sample_plane(
            volume, plane_frame(volume.geometry, state, "coronal", (100, 120))
        )
        picture = slice_pane(volume, state, "coronal", (100, 120))[..., 0].astype(int)
        inside = sample.valid == 0
        assert np.abs(picture - window.apply(sample.values))[inside].max() <= 1


def test_what_is_no_number_is_black_and_numbers_beyond_integers_are_not() -> None:
    values = np.zeros((3, 3, 3), np.float32)
    values[1] = (1e30, 1e30, -1e30)
    volume = hv.Volume(values, hv.Geometry.from_parts((3, 3, 3), spacing=(1, 1, 1)))
    picture = slice_pane(volume, BARE, "axial", (3, 3))
    assert picture[1, :, 0].tolist() == [255, 255, 0]
    nothing = np.full((3, 3, 3), np.nan, np.float32)
    picture = slice_pane(hv.Volume(nothing, volume.geometry), BARE, "axial", (3, 3))
    assert picture[1, 1].tolist() == [0, 0, 0]
