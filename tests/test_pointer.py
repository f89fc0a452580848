"""What lies under the pointer, and how many slices there are to step through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hounsview as hv
from hounsview import reading
from hounsview.frames import plane_frame
from hounsview.planes import NORMAL, slice_at
from hounsview.viewstate import PLANES, Measurement
from hounsview_vizapp.panes import reading_at, slice_number, slice_pane, step
from hounsview_vizapp.panes.pointer import UNREADABLE
from series_kit import write_series
from test_geometry import ALL_48

ONWARD = {"axial": (0, 0, 1), "coronal": (0, -1, 0), "sagittal": (1, 0, 0)}


def counted(valid: np.ndarray | None = None) -> hv.Volume:
    hu = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(3, 1, 2), origin=(-5, 20, -30))
    return hv.Volume(hu, geometry, valid)


def test_a_reading_has_value_place_and_index() -> None:
    found = reading_at(counted(), (-0.6, 22.4, -24.9))
    assert found.index == (2, 2, 2)
    assert (found.value, found.unit) == (74, "HU")
    assert found.lines() == ("74 HU   R 0.6  P 22.4  I 24.9 mm", "k 2  j 2  i 2")


@pytest.mark.parametrize(
    ("bit", "words", "has_value"),
    [
        (hv.Validity.PADDING, "not measured", False),
        (hv.Validity.FILLED, "filled", True),
        (hv.Validity.RESAMPLED, "resampled", True),
        (hv.Validity.SATURATED, "saturated", True),
    ],
)
def test_a_reading_says_in_words_what_the_voxel_is(
    bit: hv.Validity, words: str, has_value: bool
) -> None:
    found = reading_at(counted(np.full((4, 5, 6), bit, np.uint8)), (1, 22, -27))
    assert (found.value is not None) == has_value
    assert words in found.lines()[0]


def test_outside_the_volume_there_is_a_place_and_no_value() -> None:
    found = reading_at(counted(), (500, 22, -27))
    assert (found.index, found.value, found.file) == (None, None, "")
    assert found.lines() == ("outside the volume   L 500.0  P 22.0  I 27.0 mm",)


def test_stored_value_and_file_name_come_from_the_slice_and_no_folder_does(
    tmp_path: Path,
) -> None:
    write_series(tmp_path, RescaleIntercept=-1024)
    volume = hv.load(tmp_path)
    k, j, i = 3, 4, 5
    found = reading_at(volume, volume.geometry.to_patient((k, j, i)))
    assert found.stored == volume.hu[k, j, i] + 1024
    assert found.file == volume.source(k)[0].file.name
    text = "   ".join(found.lines())
    assert f"stored {found.stored}" in text
    assert found.file in text
    assert tmp_path.name not in text
    turned = volume.reorient("LIA")
    again = reading_at(turned, found.point)
    assert (again.stored, again.file, again.value) == (found.stored, found.file, found.value)


def test_moving_over_one_slice_reads_its_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path)
    volume = hv.load(tmp_path)
    read = []
    original = reading.read_frame
    monkeypatch.setattr(
        reading, "read_frame", lambda frame: read.append(frame.path) or original(frame)
    )
    reading._stored_of.cache_clear()
    for i in range(10):
        assert reading_at(volume, volume.geometry.to_patient((3, 4, i))).stored is not None
    assert len(read) == 1


def test_a_file_that_is_gone_is_told_and_never_raised(tmp_path: Path) -> None:
    write_series(tmp_path)
    volume = hv.load(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    found = reading_at(volume, volume.geometry.to_patient((3, 4, 5)))
    assert found.value == volume.hu[3, 4, 5]
    assert (found.stored, found.stored_note) == (None, UNREADABLE)
    assert UNREADABLE in found.lines()[1]


def test_the_reading_is_of_the_slice_that_the_pane_shows() -> None:
    volume = counted()
    for plane in PLANES:
        # Half-way between two slices: picture and reading must take the same one.
        point = volume.geometry.to_patient((1.5, 1.5, 2.5))
        state = hv.ViewState(crosshair=tuple(point))
        frame = plane_frame(volume.geometry, state, plane, (100, 100))
        under = reading_at(volume, frame.to_patient((50, 50)))
        assert under.index is not None
        assert under.index[frame.shown.axis] == frame.shown.index


@pytest.mark.parametrize("letters", ALL_48)
def test_steps_go_up_forward_and_left_from_slice_to_slice(letters: str) -> None:
    volume = counted().reorient(letters)
    for plane in PLANES:
        axis = NORMAL[plane]
        count = {"axial": 4, "coronal": 5, "sagittal": 6}[plane]
        state = step(volume, hv.ViewState(), plane, -1000)
        assert slice_number(volume, state, plane) == (1, count)
        seen = [slice_at(volume.geometry, plane, state.crosshair).index]
        for number in range(2, count + 1):
            before, state = state, step(volume, state, plane, 1)
            moved = np.subtract(state.crosshair, before.crosshair)
            expected = np.multiply(ONWARD[plane], {0: 2, 1: 1, 2: 3}[axis])
            assert moved == pytest.approx(expected, abs=1e-9)
            assert slice_number(volume, state, plane) == (number, count)
            seen.append(slice_at(volume.geometry, plane, state.crosshair).index)
        assert sorted(seen) == list(range(count))
        assert step(volume, state, plane, 1).crosshair == pytest.approx(state.crosshair)


def test_a_step_lands_on_the_middle_of_a_slice_and_leaves_the_other_planes() -> None:
    volume = counted()
    state = hv.ViewState(crosshair=(1.3, 21.7, -25.1))
    moved = step(volume, state, "axial", 1)
    assert moved.crosshair == pytest.approx((1.3, 21.7, -21.0))
    assert step(volume, state, "axial", 0).crosshair == pytest.approx((1.3, 21.7, -24.0))


@pytest.mark.parametrize("crosshair", [(0.0, 0.0, 900.0), (0.0, 0.0, -900.0)])
def test_a_crosshair_outside_comes_back_to_the_end(crosshair: tuple[float, ...]) -> None:
    volume = counted()
    state = hv.ViewState(crosshair=crosshair)
    number = slice_number(volume, state, "axial")[0]
    assert number == (4 if crosshair[2] > 0 else 1)
    z = step(volume, state, "axial", 0).crosshair[2]
    assert z == pytest.approx(-21 if crosshair[2] > 0 else -30)


@pytest.mark.parametrize("oblique", [(20.0, 0.0, 0.0), (10.0, 20.0, 30.0)])
def test_turned_planes_step_along_their_normal_through_the_whole_volume(
    oblique: tuple[float, float, float],
) -> None:
    volume = hv.phantom("thorax", spacing=(5, 4, 4))
    for plane in PLANES:
        state = step(volume, hv.ViewState(oblique=oblique), plane, -10000)
        first, count = slice_number(volume, state, plane)
        assert first == 1
        frame = plane_frame(volume.geometry, state, plane, (50, 50))
        after = step(volume, state, plane, 3)
        moved = np.subtract(after.crosshair, state.crosshair)
        assert moved == pytest.approx(frame.onward * frame.step * 3)
        assert slice_number(volume, after, plane) == (4, count)
        last = step(volume, state, plane, 10000)
        assert slice_number(volume, last, plane) == (count, count)
        shape = np.asarray(volume.shape) - 1
        ends = np.array(list(np.ndindex(2, 2, 2))) * shape
        reach = volume.geometry.to_patient(ends) @ frame.onward
        assert reach.min() - 1e-6 <= np.asarray(last.crosshair) @ frame.onward
        assert np.asarray(last.crosshair) @ frame.onward <= reach.max() + 1e-6


def test_an_unknown_plane_is_named() -> None:
    for call in (slice_number, lambda *a: step(*a, 1)):
        with pytest.raises(hv.ArgumentError, match="oblique"):
            call(counted(), hv.ViewState(), "oblique")


def test_the_pane_writes_the_reading_at_its_bottom() -> None:
    volume = hv.phantom("thorax", spacing=(5, 4, 4))
    state = hv.ViewState()
    without = slice_pane(volume, state, "axial", (500, 500)).astype(int)
    with_it = slice_pane(volume, state, "axial", (500, 500), pointer=(0, 0, 0)).astype(int)
    rows = np.nonzero((without != with_it).any(axis=(1, 2)))[0]
    assert rows.min() > 400
    assert rows.max() < 490


@pytest.mark.parametrize("tilt", [8e-4, -8e-4])
def test_pointer_and_probe_read_the_slice_that_is_shown(tilt: float) -> None:
    """Thin slices of an array that leans by less than the eye sees: corners are of others."""
    lean = np.array([[1, 0, 0], [0, 1, -tilt], [0, tilt, 1]], float)
    geometry = hv.Geometry.from_parts(
        (61, 20, 20), spacing=(0.2, 20, 20), direction=lean @ np.eye(3)[:, ::-1]
    )
    hu = np.broadcast_to(np.arange(61, dtype=np.int16)[:, None, None], geometry.shape)
    volume = hv.Volume(hu.copy(), geometry)
    frame = plane_frame(volume.geometry, hv.ViewState(), "axial", (100, 100))
    others = 0
    for pixel in [(3, 3), (3, 96), (50, 50), (96, 3), (96, 96)]:
        point = frame.to_patient(pixel)
        others += reading_at(volume, point).index[0] != frame.shown.index
        assert reading_at(volume, point, frame).index[0] == frame.shown.index
        assert reading_at(volume, point, frame).value == frame.shown.index
        probe = hv.measure.measure(volume, Measurement("probe", (tuple(point),)))
        assert (probe.index[0], probe.value) == (frame.shown.index, frame.shown.index)
    assert others >= 2
    far = np.add(frame.to_patient((50, 50)), (0, 0, 20))
    above = plane_frame(
        volume.geometry, hv.ViewState(crosshair=tuple(far)), "axial", (100, 100)
    )
    assert reading_at(volume, above.to_patient((50, 50)), above).index is None
