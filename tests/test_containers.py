"""Zips, zips in folders, DICOMDIR and file sets: the same volume wherever the files lie."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.fileset import FileSet

import hounsview as hv
from hounsview.dicom.sources import FileSource
from hounsview.dicom.zips import members_of, open_source
from series_kit import SLICES, expected_hu, positions, write_series
from traps import TRAPS


def zipped(
    folder: Path, target: Path, method: int = zipfile.ZIP_DEFLATED, level: int | None = None
) -> Path:
    with zipfile.ZipFile(target, "w", method, compresslevel=level) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, f"case 1/{file.relative_to(folder)}")
    return target


def exact(volume: hv.Volume) -> bool:
    return bool(np.abs(volume.hu - expected_hu(volume)).max() <= 0.5)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    write_series(tmp_path / "series")
    return tmp_path / "series"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_reads_as_its_folder(series: Path, tmp_path: Path, method: int) -> None:
    archive = zipped(series, tmp_path / "scan.zip", method)
    volume = hv.load(archive)
    assert np.array_equal(volume.hu, hv.load(series).hu)
    assert exact(volume)
    assert volume.report.status == "ok"
    (source,) = volume.source(3)
    assert source.file == archive / "case 1" / "slice003.dcm"
    assert volume.stored_value(3, 4, 5) == volume.hu[3, 4, 5]


def test_a_file_in_a_zip_is_a_path(series: Path, tmp_path: Path) -> None:
    archive = zipped(series, tmp_path / "scan.zip")
    volume = hv.load(archive / "case 1" / "slice004.dcm")
    assert volume.shape[0] == 1
    assert np.array_equal(volume.hu[0], hv.load(series).hu[4])
    with pytest.raises(hv.ReadError, match=r"slice999\.dcm"):
        hv.load(archive / "case 1" / "slice999.dcm")


def test_zips_in_a_folder_and_zips_in_zips_are_read(series: Path, tmp_path: Path) -> None:
    inner = zipped(series, tmp_path / "inner.zip")
    folder = tmp_path / "archive"
    (folder / "2024").mkdir(parents=True)
    with zipfile.ZipFile(folder / "2024" / "outer.dat", "w") as archive:
        archive.write(inner, "patient 7/export.zip")
        archive.writestr("readme.txt", "hello")
    (folder / "notes.txt").write_text("hello")
    assert exact(hv.load(folder))
    with zipfile.ZipFile(tmp_path / "deeper.zip", "w") as archive:
        archive.write(folder / "2024" / "outer.dat", "outer.zip")
    with pytest.raises(hv.HounsviewError, match="unpack the outer one"):
        hv.load(tmp_path / "deeper.zip")


@pytest.mark.parametrize(
    "name",
    ["enhanced multi-frame, shuffled", "RLE", "deflated", "JPEG 2000", "one slice missing"],
)
def test_every_kind_of_file_reads_out_of_a_zip(name: str, tmp_path: Path) -> None:
    TRAPS[name].build(tmp_path / "series")
    outside = hv.load(tmp_path / "series")
    inside = hv.load(zipped(tmp_path / "series", tmp_path / "scan.zip"))
    assert np.array_equal(inside.hu, outside.hu)
    assert inside.geometry == outside.geometry
    assert inside.report.status == outside.report.status


def test_other_zips_are_one_entry(series: Path) -> None:
    with zipfile.ZipFile(series / "letter.docx", "w") as archive:
        for n in range(20):
            archive.writestr(f"word/{n}.xml", "<a/>")
    found = hv.scan(series)
    assert [s.kind for s in found.series] == ["volume", "not CT"]
    assert "without DICOM" in found.series[1].report.findings[0].message
    assert exact(hv.load(series))


@pytest.mark.parametrize(
    "names", [("../../IM1", "/etc/IM1"), ("IM1", "IM1"), ("..\\IM1", "IM1")]
)
def test_names_in_a_zip_lead_nowhere_and_hide_nothing(
    names: tuple[str, str], series: Path, tmp_path: Path
) -> None:
    files = sorted(series.iterdir())
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for n, file in enumerate(files):
            name = names[n] if n < 2 else file.name
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zipfile warns of a name that is there
                archive.writestr(name, file.read_bytes())
    for member in members_of(tmp_path / "scan.zip"):
        assert ".." not in member.parts
        assert member.is_relative_to(tmp_path / "scan.zip")
    assert exact(hv.load(tmp_path / "scan.zip"))
    assert hv.load(tmp_path / "scan.zip").shape[0] == SLICES


@pytest.mark.parametrize("level", [0, 6])
def test_a_flipped_bit_in_a_zip_is_a_lost_slice_not_a_wrong_one(
    level: int, series: Path, tmp_path: Path
) -> None:
    """At level 0 the bytes lie open in the stream: only the checksum tells."""
    archive = zipped(series, tmp_path / "scan.zip", zipfile.ZIP_DEFLATED, level)
    with zipfile.ZipFile(archive) as opened:
        info = opened.infolist()[5]
    raw = bytearray(archive.read_bytes())
    raw[info.header_offset + 30 + len(info.filename) + info.compress_size - 40] ^= 0x10
    archive.write_bytes(raw)
    volume = hv.load(archive)
    assert volume.report.status == "repaired"
    assert volume.valid is not None
    assert np.flatnonzero(volume.valid.any(axis=(1, 2))).tolist() == [5]
    assert "slice005.dcm" in str(volume.report)


def test_broken_and_locked_zips_say_so(series: Path, tmp_path: Path) -> None:
    archive = zipped(series, tmp_path / "scan.zip")
    (tmp_path / "cut.zip").write_bytes(archive.read_bytes()[:3000])
    with pytest.raises(hv.DamagedFileError, match=r"cut\.zip: a broken zip"):
        hv.load(tmp_path / "cut.zip")
    raw = bytearray(archive.read_bytes())
    at = -1
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        raw[at + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(raw)
    with pytest.raises(hv.HounsviewError, match="password"):
        hv.load(tmp_path / "locked.zip")


def test_a_member_is_read_by_parts(series: Path, tmp_path: Path) -> None:
    archive = zipped(series, tmp_path / "scan.zip")
    raw = (series / "slice002.dcm").read_bytes()
    for length in (1, 100, len(raw), len(raw) + 50):
        source = open_source(archive / "case 1" / "slice002.dcm")
        assert source.size == len(raw)
        assert source.read(0, length) == raw[:length]
        assert source.read(300, length) == raw[300 : 300 + length]
        buffer = memoryview(bytearray(len(raw) + 9))
        assert source.read_into(10, buffer) == len(raw) - 10
        assert buffer[: len(raw) - 10] == raw[10:]
        source.close()


def write_file_set(series: Path, target: Path) -> Path:
    files = FileSet()
    for n, file in enumerate(sorted(series.iterdir())):
        ds = pydicom.dcmread(file)
        ds.PatientName, ds.StudyDate, ds.StudyTime = "Test", "20240101", "120000"
        ds.StudyID, ds.InstanceNumber = "1", n + 1
        files.add(ds)
    files.write(target)
    files._stage["t"].cleanup()
    return target / "DICOMDIR"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_dicomdir_leads_to_its_files(series: Path, tmp_path: Path) -> None:
    index = write_file_set(series, tmp_path / "disc")
    assert exact(hv.load(index))
    assert exact(hv.load(tmp_path / "disc"))
    # A medium copied by another system: lower case and an ending.
    for file in sorted((tmp_path / "disc").rglob("*"), reverse=True):
        if file.name != "DICOMDIR":
            ending = ".dcm" if file.is_file() else ""
            file.rename(file.with_name(file.name.lower() + ending))
    assert exact(hv.load(index))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_file_that_a_dicomdir_names_and_that_is_gone_is_said(
    series: Path, tmp_path: Path
) -> None:
    index = write_file_set(series, tmp_path / "disc")
    files = [hv.load(index).source(k)[0].file for k in range(SLICES)]
    assert files[SLICES - 1] is not None
    files[SLICES - 1].unlink()
    volume = hv.load(index)
    assert volume.shape[0] == SLICES - 1
    assert volume.report.has("UNREADABLE_FILE")
    assert "named by the DICOMDIR and not there" in str(volume.report)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_dicomdir_leads_to_no_other_place(series: Path, tmp_path: Path) -> None:
    index = write_file_set(series, tmp_path / "disc")
    ds = pydicom.dcmread(index)
    for record in ds.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = ["..", "series", "slice000.dcm"]
    ds.save_as(index)
    with pytest.raises(hv.HounsviewError, match="no such place"):
        hv.load(index)


def test_links_fifos_and_loops_are_passed_over(series: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_series(tmp_path / "elsewhere", positions(2), SeriesInstanceUID="1.2.66")
    (series / "out").symlink_to(tmp_path / "elsewhere")
    (series / "loop").symlink_to(series)
    (series / "again.dcm").symlink_to(series / "slice001.dcm")
    (series / "broken").symlink_to(series / "nowhere")
    os.mkfifo(series / "pipe.dcm")
    found = hv.scan(series)
    assert found.passed_over == 5
    assert [s.kind for s in found.series] == ["volume"]
    volume = hv.load(series)
    assert volume.report.status == "ok"
    assert exact(volume)
    with pytest.raises(hv.NotDicomError, match="not a regular file"):
        hv.load(series / "pipe.dcm")


def test_a_folder_of_links_says_why_it_is_empty(series: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    for file in series.iterdir():
        (tmp_path / "links" / file.name).symlink_to(file)
    with pytest.raises(hv.NoSeriesError, match=r"12 link\(s\)"):
        hv.load(tmp_path / "links")


def test_a_folder_in_a_zip_is_a_path(series: Path, tmp_path: Path) -> None:
    write_series(tmp_path / "other", positions(5), SeriesInstanceUID="1.2.66")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for folder in (series, tmp_path / "other"):
            for file in folder.iterdir():
                archive.write(file, f"{folder.name}/CT/{file.name}")
    with pytest.raises(hv.AmbiguousSeriesError):
        hv.load(tmp_path / "both.zip")
    assert exact(hv.load(tmp_path / "both.zip" / "series"))
    assert hv.load(tmp_path / "both.zip" / "other" / "CT").shape[0] == 5
    with pytest.raises(hv.HounsviewError, match="no such file in the zip"):
        hv.load(tmp_path / "both.zip" / "third")


def test_a_member_that_is_not_where_the_directory_says_is_refused(
    series: Path, tmp_path: Path
) -> None:
    archive = zipped(series, tmp_path / "scan.zip")
    raw = bytearray(archive.read_bytes())
    at = raw.index(b"PK\x01\x02")
    for offset in (0xFFFFFF00, 7):
        struct.pack_into("<L", raw, at + 42, offset)
        archive.write_bytes(raw)
        volume = hv.load(archive)
        assert volume.shape[0] == SLICES - 1
        assert "slice000.dcm" in str(volume.report)


def test_no_source_reads_beyond_its_ends(series: Path) -> None:
    source = FileSource(series / "slice000.dcm")
    buffer = memoryview(bytearray(10))
    for offset in (source.size, 2**70, -1):
        assert source.read(offset, 10) == b""
        assert source.read_into(offset, buffer) == 0
    source.close()
