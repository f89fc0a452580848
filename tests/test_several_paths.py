"""Several paths named at once: those files together, and nothing that lies beside them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import hounsview as hv


@pytest.fixture
def two(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Two series in one folder, file by file."""
    hv.write_traps(tmp_path / "traps", ["two-series"])
    together = tmp_path / "together"
    together.mkdir()
    a, b = (
        sorted(f.rename(together / f"{n}-{f.name}") for f in one.files)
        for n, one in enumerate(hv.scan(tmp_path / "traps").series)
    )
    return a, b


def test_named_files_are_one_series_and_what_lies_beside_them_is_no_part(
    two: tuple[list[Path], list[Path]],
) -> None:
    for mine in two:
        (found,) = hv.scan(mine).series
        assert sorted(found.files) == mine
        whole = hv.load(mine[0].parent, series=found.key)
        alone = hv.load([str(file) for file in reversed(mine)])
        np.testing.assert_array_equal(alone.hu, whole.hu)
        assert alone.geometry.is_close(whole.geometry)
        assert {s.file for k in range(len(alone.hu)) for s in alone.source(k)} == set(mine)


def test_a_folder_and_files_in_it_are_read_once(
    two: tuple[list[Path], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = two
    folder = a[0].parent
    monkeypatch.chdir(folder)
    twice = hv.scan([folder, a[0], b[0].name, f"../{folder.name}/{b[1].name}"])
    assert [len(one.files) for one in twice.series] == [len(a), len(b)]
    assert all(one.report.status == "ok" for one in twice.series)


def test_the_path_of_several_is_the_folder_that_holds_them_all(
    two: tuple[list[Path], list[Path]],
) -> None:
    a, b = two
    assert hv.scan([*a, *b]).path == a[0].parent
    assert hv.scan([a[0]]).path == a[0]
    with pytest.raises(hv.AmbiguousSeriesError, match=a[0].parent.name):
        hv.load([*a, *b])
    assert len(hv.load_all([*a, *b]).volumes) == 2


def test_progress_counts_the_named_files_from_the_beginning(
    two: tuple[list[Path], list[Path]],
) -> None:
    told: list[tuple[int, int]] = []
    hv.scan(two[0], progress=lambda done, total, _: told.append((done, total)))
    count = len(two[0])
    assert told == [(n, count) for n in (*range(count), count)]


@pytest.mark.parametrize("how", ["folder", "folder in a zip"])
def test_progress_counts_files_alone(
    two: tuple[list[Path], list[Path]], how: str, tmp_path: Path
) -> None:
    place = two[0][0].parent
    if how != "folder":
        with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
            for file in place.iterdir():
                archive.write(file, f"case/{file.name}")
        place = tmp_path / "scan.zip" / "case"
    told: list[tuple[int, int]] = []
    hv.scan(place, progress=lambda done, total, _: told.append((done, total)))
    count = len(two[0]) + len(two[1])
    assert told == [(n, count) for n in (*range(count), count)]


def test_a_missing_one_among_several_and_none_at_all_are_refused(
    two: tuple[list[Path], list[Path]],
) -> None:
    with pytest.raises(hv.PathNotFoundError, match=r"gone\.dcm"):
        hv.scan([*two[0], two[0][0].with_name("gone.dcm")])
    with pytest.raises(hv.ArgumentError, match="no path"):
        hv.load([])
    with pytest.raises(hv.ArgumentError, match="unit='HU'"):
        hv.load(two[0], unit="HU")
