"""Every trap: the right volume at the right place, or a repair or refusal that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from series_kit import COLUMNS, ROWS, SLICES, check_voxels, write_series
from traps import TRAPS, Trap


@pytest.mark.parametrize("name", [n for n, trap in TRAPS.items() if trap.status != "refused"])
def test_a_trap_gives_the_right_volume(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]
    trap.build(tmp_path)
    result = hv.load_all(tmp_path)
    assert len(result.volumes) == trap.volumes, result.refused
    for volume in result.volumes:
        check_voxels(volume)
        assert volume.report.status == trap.status, volume.report
        if trap.slices is not None and trap.volumes == 1:
            assert volume.shape[0] == trap.slices
        has_words(str(volume.report), trap)
    if trap.volumes == 1:
        assert np.array_equal(hv.load(tmp_path).hu, result.volumes[0].hu)
    else:
        with pytest.raises(hv.AmbiguousSeriesError):
            hv.load(tmp_path)


@pytest.mark.parametrize("name", [n for n, trap in TRAPS.items() if trap.status == "repaired"])
def test_a_repair_is_marked_or_refused_under_the_strict_policy(
    name: str, tmp_path: Path
) -> None:
    TRAPS[name].build(tmp_path)
    with pytest.raises(hv.RepairNeededError, match="policy='repair'") as caught:
        hv.load(tmp_path, policy="strict")
    assert caught.value.report.status == "refused"


@pytest.mark.parametrize("name", [n for n, trap in TRAPS.items() if trap.status == "refused"])
def test_a_trap_without_a_right_volume_is_refused(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]
    trap.build(tmp_path)
    with pytest.raises(hv.HounsviewError) as caught:
        hv.load(tmp_path)
    has_words(str(caught.value), trap)
    assert caught.value.report.status == "refused"
    assert caught.value.files
    result = hv.load_all(tmp_path)
    assert result.volumes == []
    assert any(series.report.of("refusal") for series in result.refused)


def has_words(text: str, trap: Trap) -> None:
    for word in trap.words:
        assert word in text


def test_what_is_not_measured_is_marked_in_the_filled_slice_alone(tmp_path: Path) -> None:
    TRAPS["one slice missing"].build(tmp_path)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    assert np.flatnonzero(volume.valid.any(axis=(1, 2))).tolist() == [7]
    assert (volume.valid[7] == hv.Validity.FILLED).all()
    assert [source.weight for source in volume.source(7)] == [0.5, 0.5]
    assert volume.stored_value(7, 0, 0) is None
    assert volume.stored_value(6, 0, 0) == volume.hu[6, 0, 0]


def test_an_unreadable_slice_among_uneven_ones_is_marked_filled(tmp_path: Path) -> None:
    TRAPS["uneven and one cut off"].build(tmp_path)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    filled = (volume.valid & hv.Validity.FILLED).any(axis=(1, 2))
    assert np.flatnonzero(filled).tolist() == [3]


@pytest.mark.parametrize(
    "tags",
    [
        {"PixelSpacing": [1.6, 1.0], "PixelData": bytes(2 * ROWS * COLUMNS)},
        {"ImageOrientationPatient": None, "PixelData": bytes(2 * ROWS * COLUMNS)},
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"FrameOfReferenceUID": "1.2.99"},
    ],
)
@pytest.mark.parametrize("where", [4, SLICES - 1])
def test_one_slice_of_another_kind_is_split_off_and_named_and_never_closes_the_gap(
    tags: dict[str, Any], where: int, tmp_path: Path
) -> None:
    write_series(tmp_path, change=lambda n, own: own.update(tags if n == where else {}))
    volume = hv.load(tmp_path)
    check_voxels(volume)
    assert volume.report.status == "split"
    (split,) = [f for f in volume.report.findings if f.code == "SERIES_SPLIT"]
    assert f"slice{where:03d}.dcm" in split.message
    assert [file.name for file in split.files] == [f"slice{where:03d}.dcm"]
    assert volume.shape[0] == (SLICES if where == 4 else SLICES - 1)
    assert volume.report.has("SLICE_LOST") == (where == 4)


def test_every_tilted_voxel_inside_a_stored_slice_has_a_value(tmp_path: Path) -> None:
    TRAPS["gantry tilt"].build(tmp_path)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    known = (volume.valid & hv.Validity.PADDING) == 0
    # A shift by part of a pixel leaves one row fewer between the pixel centres.
    assert set(known.any(axis=2).sum(axis=1)) == {ROWS - 1, ROWS}
    assert volume.geometry.is_orthogonal


@pytest.mark.slow
def test_five_thousand_slices(tmp_path: Path) -> None:
    cells = np.full((4, 4), -900, np.int16)
    places = [(0.0, 0.0, 0.25 * n) for n in range(5000)]
    write_series(tmp_path, places, Rows=4, Columns=4, PixelData=cells.tobytes())
    volume = hv.load(tmp_path)
    assert volume.shape == (5000, 4, 4)
    assert volume.geometry.spacing[0] == 0.25
    assert volume.report.status == "ok"
