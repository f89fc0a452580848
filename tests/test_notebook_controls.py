"""The controls beside a canvas: what they show is the view, what a person does changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
import hounsview_vizapp as hva
from hounsview.viewstate import CropBox, Measurement
from hounsview_vizapp.notebook.controls.findings import findings_html
from notebook_kit import Page, eventually
from series_kit import write_series


@pytest.fixture(scope="module")
def volume() -> hv.Volume:
    return hv.phantom("thorax", spacing=(4.0, 3.0, 3.0))


@pytest.fixture
def pane(volume: hv.Volume) -> Iterator[Any]:
    """One slice pane, shown by a page."""
    made = hva.SlicePane(volume, "axial")
    Page(made.screen).load()
    yield made
    made.close()


def test_the_window_follows_and_is_followed(pane: Any) -> None:
    window = hva.WindowControls(pane)
    eventually(lambda: window.preset.value == "soft tissue")
    pane.state.window = "lung"
    eventually(lambda: (window.center.value, window.width.value) == (-600, 1500))
    assert window.preset.value == "lung"
    window.preset.value = "bone"
    assert pane.state.window == hv.window_presets()["bone"]
    window.width.value = 777
    assert pane.state.window.width == 777
    eventually(lambda: window.preset.value == "")
    window.colors.value = "hot"
    assert pane.state.colormap == "hot"


def test_a_slider_that_rounds_does_not_change_the_view(pane: Any) -> None:
    window = hva.WindowControls(pane)
    pane.state.window = (33.37, 412.6)
    eventually(lambda: abs(window.width.value - 412.6) <= 0.5)
    # What a browser answers that knows whole steps alone.
    window.width.set_state({"value": 413.0})
    window.center.set_state({"value": 33.0})
    assert (pane.state.window.center, pane.state.window.width) == (33.37, 412.6)
    window.width.set_state({"value": 414.0})
    assert pane.state.window.width == 414.0


def test_a_value_beyond_a_sliders_range_is_shown_and_not_cut_off(pane: Any) -> None:
    window = hva.WindowControls(pane)
    pane.state.window = (9000, 20_000)
    eventually(lambda: window.width.value == 20_000)
    assert (window.center.value, window.center.max) == (9000, 9000)
    assert pane.state.window.width == 20_000


def test_a_range_that_grows_keeps_to_whole_steps(pane: Any) -> None:
    window, rendering = hva.WindowControls(pane), hva.RenderingControls(pane)
    pane.state.window = (-1234.56, 1.3)
    pane.state.transfer = {"shift": -555.7}
    eventually(lambda: window.center.value == -1234.56 and rendering.shift.value == -555.7)
    # On a grid that begins elsewhere the browser would move the value by itself.
    for slider in (window.center, window.width, rendering.shift):
        assert slider.min % slider.step == 0
        assert slider.min <= slider.value <= slider.max
    window.center.set_state({"value": -1235.0})
    assert pane.state.window.center == -1234.56


def test_crop_sliders_that_know_steps_alone_do_not_change_the_box(pane: Any) -> None:
    crop = hva.CropControls(pane)
    box = CropBox((-101.3, -77.7, -33.3), (88.8, 66.6, 55.5))
    pane.state.crop = box
    eventually(lambda: not crop.sides[0].disabled)
    for side in crop.sides:
        side.set_state({"value": [round(part / 0.005) * 0.005 for part in side.value]})
    assert pane.state.crop == box
    low, high = crop.sides[1].value
    crop.sides[1].set_state({"value": [low, high + 0.05]})
    moved = pane.state.crop
    assert (moved.low, moved.high[0], moved.high[2]) == (box.low, 88.8, 55.5)
    assert moved.high[1] > 66.6


def test_values_that_are_not_hu_have_no_tissues_and_the_controls_say_so(
    volume: hv.Volume,
) -> None:
    view = hva.View(replace(volume, unit="unknown"), "axial", controls=False)
    tissues, surfaces = hva.TissueControls(view), hva.SurfaceControls(view)
    eventually(lambda: tissues.find.disabled)
    assert all(made.disabled for made in tissues.toggles.values())
    assert all(made.disabled for made in surfaces.toggles.values())
    assert "not HU" in tissues.text.value
    view.close()


def test_closed_controls_follow_no_longer(pane: Any) -> None:
    before = len(pane.screen._followers)
    hva.WindowControls(pane).close()
    hva.Histogram(pane).close()
    assert len(pane.screen._followers) == before


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_slice_slider_shows_its_slice(pane: Any, volume: hv.Volume, plane: str) -> None:
    slider = hva.SliceSlider(pane, plane).slider
    axis = ("axial", "coronal", "sagittal").index(plane)
    eventually(lambda: slider.max == volume.shape[axis])
    middle = slider.value
    slider.value = 5
    moved = np.subtract(pane.state.crosshair, volume.geometry.centre)
    step = volume.geometry.spacing[axis]
    assert np.abs(moved).max() == pytest.approx((middle - 5) * step, abs=step)
    pane.state.crosshair = tuple(volume.geometry.centre)
    eventually(lambda: slider.value == middle)


def test_slab_and_panes_follow_and_are_followed(volume: hv.Volume) -> None:
    view = hva.View(volume, controls=False)
    Page(view.screen).load()
    slab = hva.SlabControls(view)
    slab.thickness.value = 12
    slab.kind.value = "minip"
    assert (view.state.slab.thickness, view.state.slab.kind) == (12, "minip")
    slab.panes.value = "coronal"
    eventually(lambda: view.screen.grid == [["coronal"]])
    slab.crosshair.value = False
    eventually(lambda: not view.state.show_crosshair)
    view.state.slab = 3.0
    eventually(lambda: slab.thickness.value == 3)
    view.close()


def test_cine_plays_and_stops(pane: Any) -> None:
    cine = hva.CineControls(pane)
    pane.screen.set_cine_speed(30)
    eventually(lambda: pane.viewer is not None)
    before = pane.state.crosshair
    cine.play.value = True
    eventually(lambda: pane.state.crosshair != before)
    eventually(lambda: cine.play.description == "Stop")
    cine.play.value = False
    assert pane.viewer.playing is None


def test_rendering_controls_change_the_3d_picture(pane: Any) -> None:
    rendering = hva.RenderingControls(pane)
    rendering.preset.value = "lung"
    assert pane.state.rendering == "lung"
    rendering.opacity.value = 0.5
    rendering.shift.value = 40
    assert (pane.state.transfer.opacity, pane.state.transfer.shift) == (0.5, 40)
    rendering.shown["show_planes"].value = True
    assert pane.state.show_planes
    rendering.beside.value = "bone"
    assert pane.state.rendering_beside == "bone"
    rendering.preset.value = "bone"
    eventually(lambda: rendering.shift.value == 0)


def test_the_crop_box_keeps_its_sides_apart(pane: Any, volume: hv.Volume) -> None:
    crop = hva.CropControls(pane)
    crop.on.value = True
    low, high = pane.state.crop.low, pane.state.crop.high
    corners = volume.geometry.corners(faces=True)
    np.testing.assert_allclose([low, high], [corners.min(axis=0), corners.max(axis=0)])
    crop.sides[0].value = (0.5, 0.5)
    assert pane.state.crop.low[0] < pane.state.crop.high[0]
    crop.sides[2].value = (0.25, 1.0)
    expected = low[2] + 0.25 * (high[2] - low[2])
    assert pane.state.crop.low[2] == pytest.approx(expected)
    crop.on.value = False
    assert pane.state.crop is None


def test_surfaces_are_toggled_added_and_removed(pane: Any) -> None:
    surfaces = hva.SurfaceControls(pane)
    surfaces.toggles["bone"].value = True
    assert [each.name for each in pane.state.surfaces if each.shown] == ["bone"]
    surfaces.level.value = 300
    surfaces._add_level()
    surfaces._add_level()
    assert [each.name for each in pane.state.surfaces] == ["bone", "300 HU"]
    surfaces.opacity.value = 0.3
    assert [each.opacity for each in pane.state.surfaces] == [1.0, 0.3]
    pane.state.surfaces = ()
    eventually(lambda: not surfaces.toggles["bone"].value)


def test_tissues_are_shown_with_their_numbers(pane: Any) -> None:
    tissues = hva.TissueControls(pane)
    tissues.toggles["left_lung"].value = True
    assert [each.name for each in pane.state.overlays if each.shown] == ["left_lung"]
    eventually(lambda: "left lung" in tissues.text.value, 60)
    assert " ml" in tissues.text.value
    tissues.opacity.value = 0.8
    assert pane.state.overlays[0].opacity == 0.8


def test_measurements_are_listed_picked_and_removed(pane: Any) -> None:
    table = hva.MeasureControls(pane)
    table.tool.value = "ruler"
    eventually(lambda: pane.viewer.tool == "ruler")
    pane.state.measurements = (
        Measurement("ruler", ((0, 0, 0), (30, 40, 0)), "axial", text="<b>mine</b>"),
        Measurement("probe", ((0, 0, 0),), "axial"),
    )
    eventually(lambda: "50.0 mm" in table.table.value)
    assert "&lt;b&gt;mine" in table.table.value
    table.which.value = "1"
    assert pane.viewer.selected == 0
    pane.state.measurements = ()
    eventually(lambda: "Choose a tool" in table.table.value)
    assert table.which.value == ""


def test_findings_are_told_and_another_series_can_be_opened(tmp_path: Path) -> None:
    write_series(tmp_path / "a", SeriesInstanceUID="1.2.3", SeriesDescription="first")
    write_series(tmp_path / "b", SeriesInstanceUID="1.2.4", SeriesDescription="second")
    view = hva.View(tmp_path, controls=False)
    view.wait(30)
    found = hva.FindingsControls(view)
    eventually(lambda: len(found.series.options) == 2)
    first = view.viewer
    shown = found.series.value
    found.series.value = "1" if shown == "0" else "0"
    eventually(lambda: view.viewer is not first and view.viewer is not None)
    eventually(lambda: found.series.value != shown)
    assert view.viewer.source.series_uid != first.source.series_uid
    view.close()


def test_a_series_that_is_refused_is_listed_with_its_reason(tmp_path: Path) -> None:
    hv.write_traps(tmp_path, ["one-without-rescale"])
    view = hva.View(tmp_path, controls=False)
    with pytest.raises(hv.HounsviewError):
        view.wait(30)
    found = hva.FindingsControls(view)
    eventually(lambda: "Refusal" in found.text.value)
    assert len(found.series.options) == 1
    view.close()


def test_findings_are_escaped_and_the_gravest_come_first() -> None:
    note = hv.Finding("SINGLE_SLICE", "a <note>")
    repair = hv.Finding("SLICE_LOST", "a repair")
    text = findings_html((note, repair))
    assert "a &lt;note&gt;" in text.lower()
    assert text.index("repair") < text.index("&lt;note")
    assert "as it should be" in findings_html(())


def test_points_of_the_transfer_function_are_dragged_added_and_removed(pane: Any) -> None:
    editor = hva.Histogram(pane)
    page = Page(editor, (190, 340))
    page.load()
    eventually(lambda: editor.curve.points)
    area = editor._area(page.size, 1.0)
    before = list(editor.curve.points)
    x, y = editor.curve.places(area)[1]
    page.drag("histogram", (y, x), (y - 30, x), "left")
    eventually(lambda: pane.state.transfer.scalar_opacity is not None)
    eventually(lambda: not pane.state.in_gesture)
    moved = pane.state.transfer.scalar_opacity
    assert moved[1][1] > before[1][1]
    assert [hu for hu, _ in moved] == pytest.approx([hu for hu, _ in before], abs=8)
    pane.state.undo()
    assert pane.state.transfer.scalar_opacity is None
    eventually(lambda: editor.curve.points == before)
    page.pointer("double", "histogram", (20, 30), "left")
    eventually(lambda: len(pane.state.transfer.scalar_opacity or ()) == len(before) + 1)
    page.key("Del")
    eventually(lambda: len(pane.state.transfer.scalar_opacity) == len(before))
    editor.close()


def test_a_histogram_stands_alone(volume: hv.Volume) -> None:
    alone = hva.Histogram(volume)
    page = Page(alone, (190, 340)).load()
    eventually(lambda: "histogram" in page.frames)
    picture = page.frames["histogram"]
    # Air, the highest bar, lies at -1000 of -1100 to 2100.
    column = round(14 + (340 - 28) * 100 / 3200)
    assert (picture[12, column - 3 : column + 4] == (92, 98, 108)).all(axis=-1).any()
    alone.close()
