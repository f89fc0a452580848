"""Rare files and odd ways of writing them: right, or said, and errors of the tree alone."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

import hounsview as hv
from hounsview.traps.encodings import encode
from series_kit import (
    AXIAL,
    COLUMNS,
    ORIGIN,
    ROWS,
    SLICES,
    SPACING,
    STEP,
    expected_hu,
    known_hu,
    make_slice,
    pixel_points,
    positions,
    save,
    write_series,
)

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"


def is_right(volume: hv.Volume) -> bool:
    return bool(np.abs(volume.hu - expected_hu(volume)).max() <= 0.51)


def shifted(position: Any, shift: int) -> bytes:
    cells = np.rint(known_hu(pixel_points(make_slice(position)))) + shift
    return bytes(cells.astype(np.int16).tobytes())


def enhanced(
    path: Path,
    numbers: range = range(SLICES),
    change: Callable[[Dataset], None] | None = None,
    syntax: str = uid.ExplicitVRLittleEndian,
    shift: int = 0,
    slope: int = 1,
) -> Path:
    """An enhanced file of ordinary frames, in order, everything else shared."""
    ds = make_slice(ORIGIN)
    for keyword in (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
        "RescaleSlope", "RescaleIntercept", "RescaleType",
    ):  # fmt: skip
        delattr(ds, keyword)
    ds.SOPClassUID, ds.NumberOfFrames = uid.EnhancedCTImageStorage, len(numbers)
    shared, orientation, measures, rescale = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), STEP
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = slope, 0, "HU"
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([rescale])
    items, cells = [], []
    for n in numbers:
        place, item = Dataset(), Dataset()
        place.ImagePositionPatient = list(positions()[n])
        item.PlanePositionSequence = Sequence([place])
        items.append(item)
        cells.append(shifted(positions()[n], shift))
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(items)
    ds.PixelData = b"".join(cells)
    if change is not None:
        change(ds)
    return save(ds, path, syntax)


# --- wrong volumes in silence -----------------------------------------------------------


def test_a_zip_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    """Multi-frame pixels of a zip are cached by path and sizes alone."""
    found = []
    for shift in (0, 100):
        file = enhanced(tmp_path / "enhanced.dcm", shift=shift, slope=2)
        with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
            archive.write(file, "enhanced.dcm")
        found.append(hv.load(tmp_path / "scan.zip").hu)
    assert np.array_equal(found[1], found[0] + 200)


def test_stored_values_are_those_of_the_file_that_was_loaded(tmp_path: Path) -> None:
    write_series(tmp_path)
    hv.load(tmp_path).stored_value(3, 0, 0)
    write_series(tmp_path, change=lambda n, own: own.update(PixelData=shifted(ORIGIN, 7)))
    volume = hv.load(tmp_path)
    assert volume.stored_value(3, 0, 0) == volume.hu[3, 0, 0]


@pytest.mark.parametrize("extended", [False, True])
def test_an_offset_table_of_zeros_does_not_make_all_frames_the_first(
    extended: bool, tmp_path: Path
) -> None:
    def compress(ds: Dataset) -> None:
        cells = np.frombuffer(ds.PixelData, np.uint16).reshape(SLICES, ROWS, COLUMNS)
        whole = encapsulate([encode(c, uid.JPEGLSLossless) for c in cells], has_bot=False)
        if extended:
            ds.ExtendedOffsetTable = bytes(8 * SLICES)
            ds.ExtendedOffsetTableLengths = bytes(8 * SLICES)
        else:
            table = struct.pack("<HHL", 0xFFFE, 0xE000, 4 * SLICES) + bytes(4 * SLICES)
            whole = table + whole[8:]
        ds.PixelData = whole
        ds["PixelData"].is_undefined_length = True
        ds["PixelData"].VR = "OB"

    enhanced(tmp_path / "enhanced.dcm", change=compress, syntax=uid.JPEGLSLossless)
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    assert is_right(volume)


@pytest.mark.parametrize(
    "tags",
    [
        {"AcquisitionNumber": (1, 2)},
        {"SliceThickness": (1.0, 3.0)},
        {"AcquisitionTime": ("101010", "101512")},
        {"TriggerTime": (100, 500)},
    ],
)
@pytest.mark.parametrize("share", [0.5, 1 / 3])
def test_two_acquisitions_between_each_other_are_never_one_volume(
    share: float, tags: dict[str, tuple[Any, Any]], tmp_path: Path
) -> None:
    """Both even, both whole, one between the other: docs/decisions/0003 says split."""
    for part in (0, 1):
        places = [np.add(ORIGIN, [0, 0, STEP * (k + share * part)]) for k in range(SLICES)]
        write_series(
            tmp_path / str(part),
            places,
            lambda n, own, part=part, places=places: own.update(
                PixelData=shifted(places[n], 40 * part), InstanceNumber=n + 1 + SLICES * part
            ),
            **{keyword: values[part] for keyword, values in tags.items()},
        )
    volumes = hv.load_all(tmp_path).volumes
    assert [volume.shape[0] for volume in volumes] in ([SLICES, SLICES], [])


def test_three_acquisitions_that_overlap_in_a_chain_are_not_mixed(tmp_path: Path) -> None:
    for part in range(3):
        places = [np.add(ORIGIN, [0, 0, 17 * part + STEP * k]) for k in range(10)]
        write_series(
            tmp_path / str(part),
            places,
            lambda n, own, part=part, places=places: own.update(
                PixelData=shifted(places[n], 40 * part)
            ),
            AcquisitionNumber=part + 1,
        )
    volumes = hv.load_all(tmp_path).volumes
    assert [volume.shape[0] for volume in volumes] in ([10, 10, 10], [])


def test_a_stored_member_of_a_zip_is_held_to_its_checksum(tmp_path: Path) -> None:
    files = write_series(tmp_path / "series")
    with zipfile.ZipFile(tmp_path / "scan.zip", "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.name)
    info = zipfile.ZipFile(tmp_path / "scan.zip").infolist()[5]
    raw = bytearray((tmp_path / "scan.zip").read_bytes())
    raw[info.header_offset + 30 + len(info.filename) + info.file_size - 301] ^= 0x40
    (tmp_path / "scan.zip").write_bytes(raw)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(tmp_path / "scan.zip").read(info)
    volume = hv.load(tmp_path / "scan.zip")
    assert volume.report.status == "repaired" or volume.report.findings


def test_more_pixel_data_than_the_header_describes_is_said(tmp_path: Path) -> None:
    """Columns says 12, and every file holds a slice of 24: a picture of stripes."""
    write_series(
        tmp_path,
        change=lambda n, own: own.update(PixelData=make_slice(positions()[n]).PixelData),
        Columns=COLUMNS // 2,
    )
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    assert volume.report.findings


@pytest.mark.parametrize("claimed", [8, None])
def test_frames_beyond_number_of_frames_are_not_dropped_in_silence(
    claimed: int | None, tmp_path: Path
) -> None:
    def change(ds: Dataset) -> None:
        ds.NumberOfFrames = claimed
        if claimed is None:
            del ds.NumberOfFrames

    enhanced(tmp_path / "enhanced.dcm", change=change)
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    said = {finding.code for finding in volume.report.findings} - {"SINGLE_SLICE"}
    assert volume.shape[0] == SLICES or said


def test_a_missing_part_of_a_concatenation_is_said(tmp_path: Path) -> None:
    """The two files that are there say that there are three."""
    for part in (0, 1):

        def change(ds: Dataset, part: int = part) -> None:
            ds.ConcatenationUID, ds.InConcatenationNumber = "1.2.9", part + 1
            ds.InConcatenationTotalNumber = 3
            ds.ConcatenationFrameOffsetNumber = 4 * part
            ds.SOPInstanceUIDOfConcatenationSource = "1.2.10"

        enhanced(tmp_path / f"{part}.dcm", range(4 * part, 4 * part + 4), change)
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    assert volume.report.findings


def test_bytes_of_8_bit_pixels_are_swapped_in_big_endian_words(tmp_path: Path) -> None:
    """PS3.5 8.1.1 and A.3: VR OW of 8-bit cells lies in swapped pairs; GDCM agrees."""
    cells = (np.arange(ROWS * COLUMNS) % 200).astype(np.uint8)
    ds = make_slice(
        ORIGIN, BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0, PixelData=b""
    )
    ds["PixelData"].VR = "OW"
    ds.PixelData = cells.reshape(-1, 2)[:, ::-1].tobytes()
    save(ds, tmp_path / "slice.dcm", uid.ExplicitVRBigEndian)
    assert np.array_equal(pydicom.dcmread(tmp_path / "slice.dcm").pixel_array.ravel(), cells)
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    assert np.array_equal(volume.hu.ravel(), cells)


def test_rows_and_columns_that_are_not_orthogonal_are_said(tmp_path: Path) -> None:
    """0.28 degrees: 1.6 mm at the far end of 400 rows of 0.8 mm, past any rounding."""
    write_series(
        tmp_path,
        positions(5),
        ImageOrientationPatient=[1, 0, 0, 0.0049, 0.999988, 0],
        Rows=400,
    )
    try:
        volume = hv.load(tmp_path)
    except hv.HounsviewError:
        return
    assert np.abs(volume.hu - expected_hu(volume)).max() < 3 or volume.report.findings


def test_a_slice_of_another_study_is_not_part_of_the_volume_in_silence(tmp_path: Path) -> None:
    write_series(tmp_path)
    other = make_slice(positions(SLICES + 1)[-1], StudyInstanceUID="1.2.99", SeriesNumber=7)
    save(other, tmp_path / "other.dcm")
    volume = hv.load(tmp_path)
    assert volume.shape[0] == SLICES or volume.report.findings


def signed_slice(path: Path, stream: bytes, syntax: str, **tags: Any) -> Path:
    ds = make_slice(ORIGIN, **tags)
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    return save(ds, path, syntax)


def test_signed_pixels_of_a_12_bit_lossless_jpeg_keep_their_sign(tmp_path: Path) -> None:
    """BitsStored 16, stream of 12 bits: as JPEG 2000, where this is done; GDCM agrees."""
    hu = np.rint(known_hu(pixel_points(make_slice(ORIGIN)))).astype(np.int16)
    stream = imagecodecs.ljpeg_encode(hu.view(np.uint16) & 0xFFF, bitspersample=12)
    file = signed_slice(tmp_path / "slice.dcm", bytes(stream), JPEG_LOSSLESS)
    try:
        volume = hv.load(file)
    except hv.HounsviewError:
        return
    assert np.array_equal(volume.hu[0], hu)


def test_values_of_a_stream_above_the_stored_bits_do_not_wrap_in_silence(
    tmp_path: Path,
) -> None:
    """A 16-bit stream holds 5000, BitsStored is 12; GDCM gives 5000, here it is 904."""
    cells = np.linspace(0, 6000, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.uint16)
    file = signed_slice(
        tmp_path / "slice.dcm", encode(cells, uid.JPEG2000Lossless), uid.JPEG2000Lossless,
        BitsStored=12, HighBit=11, PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip
    try:
        volume = hv.load(file)
    except hv.HounsviewError:
        return
    said = {finding.code for finding in volume.report.findings} - {"SINGLE_SLICE"}
    assert np.array_equal(volume.hu[0], cells.astype(int) - 1024) or said


# --- exceptions outside the tree, and one file that stops a whole folder -----------------


@pytest.mark.parametrize("tag", ["RescaleSlope", "RescaleIntercept"])
def test_an_enormous_rescale_ends_in_the_error_tree(tag: str, tmp_path: Path) -> None:
    write_series(tmp_path, PixelData=b"\1\0" * (ROWS * COLUMNS), **{tag: "1e19"})
    with pytest.raises(hv.HounsviewError):
        hv.load(tmp_path)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEGLSLossless])
def test_an_enormous_matrix_ends_in_the_error_tree(syntax: str, tmp_path: Path) -> None:
    ds = make_slice(ORIGIN)
    for tag in (0x00280010, 0x00280011):
        ds[tag] = DataElement(tag, "DS", "1e300")
    if syntax == uid.JPEGLSLossless:
        ds.PixelData = encapsulate([b"\xff\xd8\xff\xf7"])
        ds["PixelData"].is_undefined_length = True
        ds["PixelData"].VR = "OB"
    save(ds, tmp_path / "slice.dcm", syntax)
    with pytest.raises(hv.HounsviewError):
        hv.load(tmp_path)


def test_a_damaged_npy_header_ends_in_the_error_tree(tmp_path: Path) -> None:
    """numpy's second try at a header raises tokenize.TokenError."""
    write_series(tmp_path / "series")
    hv.write(hv.load(tmp_path / "series"), tmp_path / "whole.npz")
    with (
        zipfile.ZipFile(tmp_path / "whole.npz") as whole,
        zipfile.ZipFile(tmp_path / "broken.npz", "w") as broken,
    ):
        for info in whole.infolist():
            raw = whole.read(info)
            broken.writestr(
                info.filename, raw.replace(b"{", b"R", 1) if info.filename == "hu.npy" else raw
            )
    with pytest.raises(hv.HounsviewError):
        hv.load(tmp_path / "broken.npz")


@pytest.mark.parametrize(
    "tags",
    [
        {"PixelSpacing": ["1e-200", "1e-200"]},
        {"SliceThickness": "1e-320"},
        {"Rows": -ROWS, "Columns": -COLUMNS},
    ],
)
def test_one_absurd_file_does_not_stop_the_scan_of_its_folder(
    tags: dict[str, Any], tmp_path: Path
) -> None:
    """`scan` raises a GeometryError that names no file; the good series is lost with it."""
    write_series(tmp_path)
    ds = make_slice(ORIGIN, SeriesInstanceUID="1.2.3.9")
    for keyword, value in tags.items():
        setattr(ds, keyword, value) if isinstance(value, (list, str)) else None
        if isinstance(value, int):
            ds[keyword] = DataElement(ds[keyword].tag, "SS", value)
    save(ds, tmp_path / "absurd.dcm")
    assert any(series.shape == (SLICES, ROWS, COLUMNS) for series in hv.scan(tmp_path).series)


# --- ordinary files that are refused ----------------------------------------------------


@pytest.mark.parametrize("encoder", ["libjpeg", "ljpeg"])
def test_an_even_slice_in_lossless_jpeg_is_read(encoder: str, tmp_path: Path) -> None:
    """Nothing is missing: a whole slice of padding, whose last code bit changes nothing."""
    cells = np.full((ROWS, COLUMNS), 37 if encoder == "libjpeg" else 0, np.uint16)
    stream = (
        imagecodecs.jpeg8_encode(cells, lossless=True)
        if encoder == "libjpeg"
        else imagecodecs.ljpeg_encode(cells)
    )
    file = signed_slice(
        tmp_path / "slice.dcm", bytes(stream), JPEG_LOSSLESS,
        PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip
    assert np.array_equal(hv.load(file).hu[0], cells.astype(int) - 1024)


def test_a_two_level_phantom_in_lossless_jpeg_is_read(tmp_path: Path) -> None:
    cells = np.full((ROWS, COLUMNS), 24, np.uint16)
    cells[6:14, 6:18] = 1060
    stream = bytes(imagecodecs.jpeg8_encode(cells, lossless=True))
    file = signed_slice(
        tmp_path / "slice.dcm", stream, JPEG_LOSSLESS,
        PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip
    assert np.array_equal(hv.load(file).hu[0], cells.astype(int) - 1024)


def test_a_copy_in_another_transfer_syntax_is_a_copy(tmp_path: Path) -> None:
    """The same instances, sent once as implicit and once as explicit VR."""
    for file in write_series(tmp_path / "explicit"):
        ds = pydicom.dcmread(file)
        save(ds, tmp_path / "implicit" / file.name, uid.ImplicitVRLittleEndian)
    assert hv.load(tmp_path).shape[0] == SLICES


def test_a_frame_of_reference_made_up_for_every_slice_says_nothing(tmp_path: Path) -> None:
    """As StudyInstanceUID, where such writers are known: 12 stacks of one slice come out."""
    write_series(tmp_path, change=lambda n, own: own.update(FrameOfReferenceUID=f"1.2.{n + 1}"))
    assert hv.load(tmp_path).shape[0] == SLICES


@pytest.mark.parametrize("sform", [0, 1])
def test_nifti_with_qfac_0_is_read_as_with_1(sform: int, tmp_path: Path) -> None:
    """nifti1.h: "If pixdim[0] = 0, use qfac = 1"; nibabel and ITK read such files."""
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([-1, 1, 2, 1]))
    image.set_qform(np.diag([1, 1, 2, 1]), 1)
    image.set_sform(np.diag([1, 1, 2, 1]), sform)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "whole.nii.gz")
    raw = bytearray(gzip.decompress((tmp_path / "whole.nii.gz").read_bytes()))
    struct.pack_into("<f", raw, 76, 0.0)
    (tmp_path / "qfac.nii").write_bytes(raw)
    wanted = nibabel.load(tmp_path / "qfac.nii").affine
    assert np.allclose(hv.load(tmp_path / "qfac.nii").geometry.to_ras(), wanted)


def test_a_dicomdir_inside_a_zip_leads_to_its_files(tmp_path: Path) -> None:
    from pydicom.fileset import FileSet

    tags = {"PatientName": "A", "StudyDate": "20200101", "StudyTime": "10", "StudyID": "1"}
    files = write_series(tmp_path / "series", **tags)
    fileset = FileSet()
    for file in files:
        fileset.add(file)
    fileset.write(tmp_path / "disc")
    fileset._stage["t"].cleanup()
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        for file in (tmp_path / "disc").rglob("*"):
            archive.write(file, file.relative_to(tmp_path / "disc"))
    assert hv.load(tmp_path / "disc.zip" / "DICOMDIR").shape[0] == SLICES


@pytest.mark.parametrize(("sine", "said"), [(1e-4, False), (1e-3, True), (0.0049, None)])
def test_a_small_skew_is_said_and_a_large_one_refused(
    sine: float, said: bool | None, tmp_path: Path
) -> None:
    """At 400 rows: 0.06 pixels, 0.6 pixels, 3 pixels across."""
    column = [sine, float(np.sqrt(1 - sine**2)), 0]
    write_series(tmp_path, positions(4), ImageOrientationPatient=[1, 0, 0, *column], Rows=400)
    if said is None:
        with pytest.raises(hv.GeometryError, match="degrees, not 90"):
            hv.load(tmp_path)
        return
    volume = hv.load(tmp_path)
    assert volume.report.has("ORIENTATION_NOT_UNIT") == said
    assert volume.geometry.is_orthogonal
