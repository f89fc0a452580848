"""From generated files to volumes: the HU contract, padding, sources, progress."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, RLELossless

import hounsview as hv
from series_kit import (
    COLUMNS,
    ROWS,
    SLICES,
    expected_hu,
    known_hu,
    make_slice,
    pixel_points,
    positions,
    save,
    write_series,
)


def true_stored(n: int) -> np.ndarray:
    ds = make_slice(positions()[n])
    return known_hu(pixel_points(ds))


def exact(volume: hv.Volume) -> bool:
    measured = volume.valid is None or not volume.valid.any()
    return measured and np.abs(volume.hu - expected_hu(volume)).max() <= 0.5


def test_a_plain_series_agrees_with_simpleitk(tmp_path: Path) -> None:
    orientation = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
    places = positions(orientation=orientation)
    write_series(tmp_path, places[::-1], ImageOrientationPatient=list(orientation))
    volume = hv.load(tmp_path)
    assert exact(volume)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    theirs = reader.Execute()
    hu = sitk.GetArrayFromImage(theirs)
    for index in [(0, 0, 0), (3, 5, 7), (SLICES - 1, ROWS - 1, COLUMNS - 1)]:
        point = volume.geometry.to_patient(index)
        at = theirs.TransformPhysicalPointToIndex(point.tolist())
        assert hu[at[::-1]] == volume.hu[index]


@pytest.mark.parametrize("policy", ["repair", "strict"])
def test_a_clean_series_is_ok_under_both_policies(tmp_path: Path, policy: Any) -> None:
    write_series(tmp_path)
    volume = hv.load(tmp_path, policy=policy)
    assert volume.report.status == "ok"
    assert volume.hu.dtype == np.int16
    assert volume.unit == "HU"
    assert volume.attributes["Modality"] == "CT"
    assert "PatientID" not in volume.attributes


def test_sources_name_file_and_rescale_and_give_stored_values(tmp_path: Path) -> None:
    def rescale(n: int, tags: dict[str, Any]) -> None:
        tags["RescaleIntercept"] = -1024 + n

    files = write_series(tmp_path, change=rescale)
    volume = hv.load(tmp_path)
    assert volume.report.has("RESCALE_VARIES")
    assert exact(volume)
    (source,) = volume.source(3)
    assert source.file == files[3]
    assert (source.slope, source.intercept, source.weight) == (1.0, -1021.0, 1.0)
    assert volume.stored_value(3, 4, 5) == volume.hu[3, 4, 5] + 1021
    files[3].unlink()
    with pytest.raises(hv.PixelDataError, match="changed since"):
        volume.stored_value(3, 4, 5)


@pytest.mark.parametrize("slope", [0.001, 1.001, 0.5])
def test_fractional_slopes_give_float32_within_half_a_step(
    tmp_path: Path, slope: float
) -> None:
    write_series(
        tmp_path, RescaleSlope=str(slope), BitsAllocated=32, BitsStored=32, HighBit=31,
        PixelData=b"",
        change=lambda n, tags: tags.update(
            PixelData=np.rint(true_stored(n) / slope).astype(np.int32).tobytes()
        ),
    )  # fmt: skip
    volume = hv.load(tmp_path)
    assert volume.hu.dtype == np.float32
    assert np.abs(volume.hu - expected_hu(volume)).max() <= slope / 2 + 1e-3


def test_hu_beyond_int16_are_float32(tmp_path: Path) -> None:
    write_series(tmp_path, RescaleSlope=32, RescaleIntercept=-1000)
    volume = hv.load(tmp_path)
    assert volume.hu.dtype == np.int16
    other = tmp_path / "other"
    cells = np.full((ROWS, COLUMNS), 2000, np.int16).tobytes()
    write_series(other, RescaleSlope=32, RescaleIntercept=-1000, PixelData=cells)
    volume = hv.load(other)
    assert volume.hu.dtype == np.float32
    assert (volume.hu == 63000).all()


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"RescaleSlope": None}, "RESCALE_MISSING"),
        ({"RescaleIntercept": None}, "RESCALE_MISSING"),
        ({"RescaleSlope": 0}, "RESCALE_INVALID"),
        ({"RescaleType": "HU_MOD"}, "NOT_HU"),
        ({"RescaleType": "EDW"}, "NOT_HU"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "RCBF"]}, "NOT_HU"),
        ({"Modality": "MR"}, "NOT_CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Modality": "PT"}, "NOT_CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "NOT_CT"),
    ],
)
def test_what_is_not_hu_is_refused_and_given_as_stored(
    tmp_path: Path, tags: dict[str, Any], code: str
) -> None:
    cells = true_stored(5).astype(np.int16)
    write_series(tmp_path, PixelData=cells.tobytes(), **tags)
    with pytest.raises(hv.NotHounsfieldError, match="as_stored=True") as caught:
        hv.load(tmp_path)
    assert caught.value.report.has(code)
    assert len(caught.value.files) == SLICES
    volume = hv.load(tmp_path, as_stored=True)
    assert volume.unit == "stored"
    assert (volume.hu == cells).all()
    assert volume.report.status == "ok"


def test_one_slice_of_many_without_rescale_refuses_all(tmp_path: Path) -> None:
    def drop(n: int, tags: dict[str, Any]) -> None:
        tags.pop("RescaleIntercept", None)
        if n == 7:
            tags["RescaleIntercept"] = None

    write_series(tmp_path, change=drop)
    with pytest.raises(hv.NotHounsfieldError, match=r"slice007\.dcm.*1 of 12"):
        hv.load(tmp_path)


@pytest.mark.parametrize(
    ("bits", "high", "signed"),
    [(12, 11, 0), (12, 11, 1), (12, 15, 0), (13, 14, 1), (16, 15, 0)],
)
def test_only_the_stored_bits_count(tmp_path: Path, bits: int, high: int, signed: int) -> None:
    intercept = 0 if signed else -1024

    def shifted(n: int, tags: dict[str, Any]) -> None:
        stored = np.rint(true_stored(n) - intercept).astype(np.int64) & ((1 << bits) - 1)
        shift = high + 1 - bits
        garbage = 0xA5A5 & ~(((1 << bits) - 1) << shift) & 0xFFFF
        tags["PixelData"] = ((stored << shift) | garbage).astype(np.uint16).tobytes()

    write_series(
        tmp_path, change=shifted, BitsStored=bits, HighBit=high, PixelRepresentation=signed,
        RescaleIntercept=intercept,
    )  # fmt: skip
    assert exact(hv.load(tmp_path))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_photometric_interpretation_and_window_change_no_hu(
    tmp_path: Path, photometric: str
) -> None:
    write_series(
        tmp_path, PhotometricInterpretation=photometric, WindowCenter=40, WindowWidth=400
    )
    assert exact(hv.load(tmp_path))


def test_a_modality_lut_is_looked_up_and_clamped(tmp_path: Path) -> None:
    item = Dataset()
    item.add_new(0x00283002, "SS", [100, 10, 16])
    item.add_new(0x00283006, "US", list(range(500, 600)))
    item.ModalityLUTType = "HU"
    cells = np.linspace(0, 200, ROWS * COLUMNS).astype(np.int16).reshape(ROWS, COLUMNS)
    write_series(
        tmp_path, RescaleSlope=None, RescaleIntercept=None, RescaleType=None,
        PixelData=cells.tobytes(), ModalityLUTSequence=[item],
    )  # fmt: skip
    volume = hv.load(tmp_path)
    assert volume.report.has("MODALITY_LUT_APPLIED")
    assert (volume.hu == np.clip(cells.astype(int) - 10, 0, 99) + 500).all()


def disc() -> np.ndarray:
    j, i = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    return (j - ROWS / 2 + 0.5) ** 2 / 100 + (i - COLUMNS / 2 + 0.5) ** 2 / 144 <= 1


@pytest.mark.parametrize("tag", [None, -2000, 63536])
def test_padding_is_minus_1024_and_marked_with_or_without_the_tag(
    tmp_path: Path, tag: int | None
) -> None:
    def pad(n: int, tags: dict[str, Any]) -> None:
        stored = np.where(disc(), true_stored(n), -2000)
        tags["PixelData"] = np.rint(stored).astype(np.int16).tobytes()

    files = write_series(tmp_path, change=pad)
    if tag is not None:
        for file in files:
            ds = pydicom.dcmread(file)
            ds.add_new(0x00280120, "US" if tag > 0 else "SS", tag)
            ds.save_as(file)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    padded = (volume.valid & hv.Validity.PADDING) > 0
    assert (padded == ~disc()).all()
    assert (volume.hu[padded] == -1024).all()
    assert np.abs(volume.hu - expected_hu(volume))[~padded].max() <= 0.5
    assert volume.report.has("PADDING_WITHOUT_TAG" if tag is None else "PADDING_REPLACED")
    assert volume.hu.dtype == np.int16


@pytest.mark.parametrize(("vr", "add"), [("SS", 0), ("US", 65536)])
@pytest.mark.parametrize("ends", [(-2000, -1990), (-1990, -2000)])
def test_a_padding_range_is_padding_from_end_to_end(
    ends: tuple[int, int], vr: str, add: int, tmp_path: Path
) -> None:
    cells = np.full((ROWS, COLUMNS), -500, np.int16)
    cells[0], cells[1], cells[2], cells[3] = -2000, -1990, -1989, -1995
    for file in write_series(tmp_path, PixelData=cells.tobytes()):
        ds = pydicom.dcmread(file)
        ds.add_new(0x00280120, vr, ends[0] + add)
        ds.add_new(0x00280121, vr, ends[1] + add)
        ds.save_as(file)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    marked = ((volume.valid & hv.Validity.PADDING) > 0).any(axis=(0, 2))
    assert np.flatnonzero(marked).tolist() == [0, 1, 3]


def test_padding_beyond_the_stored_bits_spares_bone_with_the_same_low_bits(
    tmp_path: Path,
) -> None:
    cells = np.full((ROWS, COLUMNS), 300, np.uint16)
    cells[0], cells[1, 5] = 0xF830, 0x0830  # bone that touches the padding
    for file in write_series(
        tmp_path, PixelData=cells.tobytes(), BitsStored=12, HighBit=11, PixelRepresentation=0,
        RescaleIntercept=-1024,
    ):  # fmt: skip
        ds = pydicom.dcmread(file)
        ds.add_new(0x00280120, "US", 0xF830)
        ds.save_as(file)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    padded = (volume.valid & hv.Validity.PADDING) > 0
    assert padded[:, 0].all()
    assert not padded[:, 1:].any()
    assert (volume.hu[:, 1, 5] == 0x830 - 1024).all()


def test_a_padding_value_that_tissue_has_is_believed_from_the_border_only(
    tmp_path: Path,
) -> None:
    cells = np.full((ROWS, COLUMNS), -700, np.int16)
    cells[:, :3] = 0
    cells[8:10, 10:12] = 0
    write_series(tmp_path, PixelData=cells.tobytes(), PixelPaddingValue=0)
    volume = hv.load(tmp_path)
    assert volume.report.has("PADDING_LIKE_TISSUE")
    assert volume.valid is not None
    padded = (volume.valid & hv.Validity.PADDING) > 0
    assert padded[:, :, :3].all()
    assert not padded[:, :, 3:].any()
    assert (volume.hu[:, 8:10, 10:12] == 0).all()


def test_the_top_of_the_stored_range_is_saturated(tmp_path: Path) -> None:
    cells = np.full((ROWS, COLUMNS), 100, np.uint16)
    cells[4, 5] = 4095
    write_series(
        tmp_path, PixelData=cells.tobytes(), BitsStored=12, HighBit=11, PixelRepresentation=0,
        RescaleIntercept=-1024,
    )  # fmt: skip
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    assert np.argwhere(volume.valid[0]).tolist() == [[4, 5]]
    assert volume.valid[0, 4, 5] == hv.Validity.SATURATED
    assert volume.hu[0, 4, 5] == 3071


def test_3071_is_saturated_where_it_is_the_ceiling_of_16_bits(tmp_path: Path) -> None:
    cells = np.full((ROWS, COLUMNS), -900, np.int16)
    cells[4, 5] = 3071
    write_series(tmp_path, PixelData=cells.tobytes())
    assert hv.load(tmp_path).report.has("SATURATED")
    cells[4, 6] = 3072
    write_series(tmp_path / "higher", PixelData=cells.tobytes())
    assert not hv.load(tmp_path / "higher").report.has("SATURATED")


@pytest.mark.parametrize("offset", [1000, -1024])
def test_offset_values_get_a_warning(tmp_path: Path, offset: int) -> None:
    write_series(tmp_path, RescaleIntercept=0, change=lambda n, tags: tags.update(
        PixelData=(np.rint(true_stored(n)) + offset).astype(np.int16).tobytes()))  # fmt: skip
    assert hv.load(tmp_path).report.has("OFFSET_DATA")


def test_a_lone_slice_takes_its_thickness_from_the_header_and_says_so(tmp_path: Path) -> None:
    (file,) = write_series(tmp_path, positions(1), SliceThickness=3.5)
    for path in (tmp_path, file):
        volume = hv.load(path)
        assert volume.geometry.spacing[0] == 3.5
        assert volume.report.has("SINGLE_SLICE")
    assert hv.scan(tmp_path).series[0].kind == "single"


def test_progress_tells_and_cancels(tmp_path: Path) -> None:
    write_series(tmp_path)
    calls: list[tuple[int, int, str]] = []
    hv.load(tmp_path, progress=lambda *call: calls.append(call))
    assert calls[-1][:2] == (SLICES, SLICES)
    assert {what.split()[0] for _, _, what in calls} == {"reading", "sorting"}
    for stop_at in (0, 5, SLICES, SLICES + 2):
        count = iter(range(10_000))
        with pytest.raises(hv.CancelledError):
            hv.load(tmp_path, progress=lambda *_, count=count, at=stop_at: next(count) < at)


def test_previews_are_slices_of_the_volume(tmp_path: Path) -> None:
    write_series(tmp_path)
    volume = hv.load(tmp_path)
    shown = hv.scan(tmp_path).series[0].preview(3)
    assert len(shown) == 3
    for hu, position in shown:
        k = round(float(volume.geometry.to_index(position)[0]))
        assert np.array_equal(hu, volume.hu[k])
    with pytest.raises(hv.ArgumentError, match="at least 1"):
        hv.scan(tmp_path).series[0].preview(0)


def test_a_preview_of_a_refused_series_raises_what_loading_it_would(tmp_path: Path) -> None:
    write_series(tmp_path, PixelSpacing=None)
    with pytest.raises(hv.GeometryError, match="PixelSpacing is missing"):
        hv.scan(tmp_path).series[0].preview()


def test_keys_are_unique_and_the_same_at_every_scan(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", ConvolutionKernel="B70f")
    keys = [series.key for series in hv.scan(tmp_path).series]
    assert len(set(keys)) == 2
    assert keys == [series.key for series in hv.scan(tmp_path).series]


def test_one_of_several_is_chosen_by_number_key_or_uid(tmp_path: Path) -> None:
    write_series(tmp_path / "a", SeriesInstanceUID="1.2.9.1", SeriesNumber=1)
    write_series(tmp_path / "b", positions(5), SeriesInstanceUID="1.2.9.2", SeriesNumber=2)
    with pytest.raises(hv.AmbiguousSeriesError, match="holds 2 volumes") as caught:
        hv.load(tmp_path)
    assert [series.number for series in caught.value.series] == [1, 2]
    key = caught.value.series[1].key
    for wanted in (2, key, "1.2.9.2"):
        assert hv.load(tmp_path, series=wanted).shape[0] == 5
    for absent in (3, "1.2.9.3", True):
        with pytest.raises(hv.SeriesNotFoundError, match="there are: 1"):
            hv.load(tmp_path, series=absent)


def test_a_refused_series_beside_a_good_one_is_said_and_left_out(tmp_path: Path) -> None:
    write_series(tmp_path / "a", SeriesInstanceUID="1.2.9.1")
    write_series(tmp_path / "b", SeriesInstanceUID="1.2.9.2", PixelSpacing=None)
    volume = hv.load(tmp_path)
    assert exact(volume)
    assert volume.report.has("LEFT_OUT")
    assert "PixelSpacing is missing" in str(volume.report)


def test_nothing_to_load_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(hv.PathNotFoundError, match="no such file"):
        hv.load(tmp_path / "absent")
    with pytest.raises(hv.NoSeriesError, match="no files at all"):
        hv.load(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(hv.NotDicomError, match=r"notes\.txt"):
        hv.load(tmp_path)
    (tmp_path / "empty.dcm").touch()
    with pytest.raises(hv.NoSeriesError, match="empty"):
        hv.load(tmp_path)
    assert len(hv.scan(tmp_path).series) == 2


def test_an_unknown_policy_is_an_argument_error(tmp_path: Path) -> None:
    with pytest.raises(hv.ArgumentError, match="'gentle'"):
        hv.load(tmp_path, policy="gentle")  # type: ignore[arg-type]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    (file,) = write_series(outside, positions(1))
    inside.mkdir()
    (inside / "link.dcm").symlink_to(file)
    assert hv.scan(inside).series == []


def test_16_bit_pixels_under_a_compressed_syntax_are_read_as_raw(tmp_path: Path) -> None:
    for n, place in enumerate(positions()):
        ds = make_slice(place, n)
        path = save(ds, tmp_path / f"{n}.dcm")
        raw = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
        path.write_bytes(raw)
    volume = hv.load(tmp_path)
    assert exact(volume)
    assert volume.report.has("TRANSFER_SYNTAX_WRONG")


def test_without_imagecodecs_pydicom_reads_or_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, place in enumerate(positions(3)):
        for syntax, name in ((RLELossless, "rle"), (HTJ2KLossless, "htj2k")):
            ds = make_slice(place, n, PixelRepresentation=0, RescaleIntercept=-1024)
            _compress(ds, syntax)
            save(ds, tmp_path / name / f"{n}.dcm", syntax)
    assert exact(hv.load(tmp_path / "htj2k"))
    with zipfile.ZipFile(tmp_path / "rle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (tmp_path / "rle").iterdir():
            archive.write(file, file.name)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert exact(hv.load(tmp_path / "rle"))
    assert exact(hv.load(tmp_path / "rle.zip"))
    with pytest.raises(hv.UnsupportedSyntaxError, match="pip install imagecodecs"):
        hv.load(tmp_path / "htj2k")


def _compress(ds: Dataset, syntax: str) -> None:
    cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
    if syntax == RLELossless:
        ds.compress(RLELossless, cells, generate_instance_uid=False)
    else:
        ds.PixelData = encapsulate([imagecodecs.htj2k_encode(cells, reversible=True)])
        ds["PixelData"].is_undefined_length = True


@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_broken_rle_header_is_a_lost_slice(place: int, tmp_path: Path) -> None:
    for n, position in enumerate(positions()):
        ds = make_slice(position, n, PixelRepresentation=0, RescaleIntercept=-1024)
        _compress(ds, RLELossless)
        file = save(ds, tmp_path / f"{n}.dcm", RLELossless)
        if n == 5:
            raw = bytearray(file.read_bytes())
            start = raw.index(b"\x02\x00\x00\x00\x40\x00\x00\x00") + place
            raw[start : start + 4] = b"\xff\xff\xff\x7f"
            file.write_bytes(raw)
    volume = hv.load(tmp_path)
    assert volume.valid is not None
    assert (volume.valid[5] == hv.Validity.FILLED).all()
    assert "5.dcm" in str(volume.report)
    assert np.abs(volume.hu - expected_hu(volume)).max() <= 1


def test_copies_of_a_colour_screen_are_no_crash(tmp_path: Path) -> None:
    cells = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    for n in range(3):
        screen = make_slice(
            positions()[0], n, SamplesPerPixel=3, PhotometricInterpretation="RGB",
            BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0,
            PlanarConfiguration=0, PixelData=cells.tobytes(),
        )  # fmt: skip
        save(screen, tmp_path / f"{n}.dcm")
    with pytest.raises(hv.HounsviewError, match="colour"):
        hv.load(tmp_path)
