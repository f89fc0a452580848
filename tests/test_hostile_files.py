"""Image files that are damaged, lie or attack: refused in words, at no cost."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hounsview as hv
from image_kit import ALL, mha, nifti, npz, nrrd, volume_of


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ElementSpacing": "nan 1 1"}, "nan 1 1 mm is not positive"),
        ({"ElementSpacing": "1 -1 1"}, "is not positive"),
        ({"ElementSpacing": "1 1"}, "3 numbers"),
        ({"ElementSpacing": None}, "no position"),
        ({"Offset": None}, "no field 'Offset'"),
        ({"Offset": "1e300 0 0"}, r"1e\+300 mm"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "span no volume"),
        ({"DimSize": "2 2 0"}, "sizes of at least 1"),
        ({"DimSize": "2 2 2000"}, "8,000 bytes of values, and there are 8"),
        ({"DimSize": "99999 99999 99999"}, r"at most .* are read \(hounsview.set_limits"),
        ({"DimSize": "2 2 1"}, "more values follow"),
        ({"NDims": "4"}, "4 axes"),
        ({"ElementNumberOfChannels": "3"}, "colour or vectors"),
        ({"ElementType": "MET_CFLOAT"}, "MET_CFLOAT"),
        ({"ElementDataFile": "../x.raw"}, r"'../x.raw'.*same folder"),
        ({"ElementDataFile": "/etc/passwd"}, "same folder"),
        ({"ElementDataFile": "link.raw"}, "same folder"),
        ({"ElementDataFile": "fifo.raw"}, "not a regular file"),
        ({"ElementDataFile": "absent.raw"}, "no such file"),
        ({"ElementDataFile": "LIST"}, "several files"),
        ({"ElementDataFile": None}, "cut off or damaged"),
        ({"CompressedData": "True"}, "compressed values are damaged"),
        ({"CompressedData": "perhaps"}, "not True or False"),
        ({"HeaderSize": "-2"}, "HeaderSize"),
        ({"BinaryData": "False"}, "written as text"),
    ],
)
def test_a_metaimage_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "x.raw").write_bytes(bytes(8))
    (tmp_path / "in" / "link.raw").symlink_to(tmp_path / "x.raw")
    os.mkfifo(tmp_path / "in" / "fifo.raw")
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(mha(tmp_path / "in" / "a.mhd", **fields))
    assert isinstance(refused.value, hv.ReadError | hv.GeometryError)
    assert str(tmp_path / "in") in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"space": None}, "no field 'space'"),
        ({"space": "scanner-xyz"}, "scanner-xyz"),
        ({"space_directions": None}, "no field 'space directions'"),
        ({"space_directions": "none (1,0,0) (0,1,0)"}, "3 vector"),
        ({"space_directions": "(nan,0,0) (0,1,0) (0,0,1)"}, "finite"),
        ({"space_directions": "(0,0,0) (0,1,0) (0,0,1)"}, "span no volume"),
        ({"space_origin": None}, "no field 'space origin'"),
        ({"dimension": "4"}, "4 axes"),
        ({"kinds": "RGB-color domain domain"}, "rgb-color"),
        ({"type": "block"}, "'block'"),
        ({"type": "short"}, "'endian'"),
        ({"encoding": "bzip2"}, "raw and gzip are read"),
        ({"encoding": "gzip"}, "damaged"),
        ({"sizes": "2 2 3"}, "12 bytes of values, and there are 8"),
        ({"data_file": "../a.raw"}, "same folder"),
        ({"byte_skip": "-7"}, "byte skip"),
        ({"space_units": '"m" "m" "m"'}, "space units"),
    ],
)
def test_an_nrrd_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = nrrd(tmp_path / "a.nrrd", **fields)
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sform_code", 0, "sform and qform codes are 0"),
        ("srow_x", np.nan, "finite"),
        ("srow_x", 0, "span no volume"),
        ("dim", [4, 5, 3, 2, 2, 1, 1, 1], "three axes"),
        ("dim", [3, 5, 3, -4, 1, 1, 1, 1], "describes no image"),
        ("dim", [3, 5, 3, 5, 1, 1, 1, 1], "150 bytes of values, and there are 120"),
        ("dim", [3, 30000, 30000, 30000, 1, 1, 1, 1], "at most"),
        ("datatype", 128, "colour"),
        ("datatype", 32, "complex"),
        ("datatype", 77, "type 77"),
        ("vox_offset", 1e9, "begin at byte"),
        ("vox_offset", 5000, "there are 0 bytes"),
        ("magic", b"ni1", "pair"),
        ("sizeof_hdr", 347, "does not begin as a NIfTI"),
    ],
)
def test_a_nifti_that_is_off_is_refused_in_words(
    field: str, value: Any, words: str, tmp_path: Path
) -> None:
    def change(header: Any) -> None:
        header["qform_code"] = 0
        header[field] = value

    path = nifti(tmp_path / "a.nii", change)
    with pytest.raises(hv.HounsviewError, match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_eight_gigabytes_in_nine_kilobytes_cost_nothing(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    packed = zlib.compress(bytes(8_000_000))
    if ending == ".mha":
        mha(path, packed, CompressedData="True", DimSize="2000 2000 2000")
    elif ending == ".nrrd":
        nrrd(path, sizes="2000 2000 2000", encoding="gzip")
        path.write_bytes(path.read_bytes()[:-8] + gzip.compress(bytes(8_000_000)))
    else:
        nifti(
            tmp_path / "a.nii", lambda h: h.__setitem__("dim", [3, 2000, 2000, 1000, *[1] * 4])
        )
        path.write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes() + bytes(8_000_000)))
    assert path.stat().st_size < 9000
    tracemalloc.start()
    try:
        with pytest.raises(hv.ImageFormatError, match=r"8,000,000,000 bytes of values"):
            hv.load(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_stream_is_inflated_no_further_than_its_claim(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    path = mha(tmp_path / "a.mha", bomb, CompressedData="True", DimSize="100 100 100")
    tracemalloc.start()
    try:
        with pytest.raises(hv.ImageFormatError, match="more values follow"):
            hv.load(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ALL)
def test_a_file_cut_anywhere_is_refused_with_its_name(ending: str, tmp_path: Path) -> None:
    whole = hv.write(volume_of(), tmp_path / f"whole{ending}")[0].read_bytes()
    path = tmp_path / f"cut{ending}"
    for length in [0, 1, 5, *range(20, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises((hv.ReadError, hv.GeometryError), match=f"cut{ending}"):
            hv.load(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(ALL),
    changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4),
)
def test_no_changed_byte_makes_anything_but_a_volume_or_an_error_of_ours(
    ending: str, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    whole = bytearray(hv.write(volume_of(), tmp_path / f"whole{ending}")[0].read_bytes())
    for place, value in changes:
        whole[place % len(whole)] = value
    path = tmp_path / f"changed{ending}"
    path.write_bytes(whole)
    try:
        said = repr(hv.load(path))
    except hv.HounsviewError as error:
        said = str(error)
    assert said.startswith("Volume(") or "changed" in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hu": np.array([[[{}]]], dtype=object)}, "objects"),
        ({"unit": np.array({"a": 1}, dtype=object)}, "objects"),
        ({"hu": np.zeros((2, 2, 2))}, "float64"),
        ({"hu": np.full((2, 2, 2), np.nan, np.float32)}, "NaN"),
        ({"hu": np.zeros((0, 2, 2), np.int16)}, "none of ours"),
        ({"hu": None}, "no hu"),
        ({"affine": np.full((4, 4), np.nan)}, "finite"),
        ({"affine": np.zeros((3, 3))}, "affine"),
        ({"valid": np.zeros((1, 2, 2), np.uint8)}, "does not fit"),
        ({"valid": np.full((2, 2, 2), 200, np.uint8)}, "does not fit"),
        ({"format": "hounsview volume 2"}, "another version"),
        ({"report": "[" * 100_000}, "no JSON"),
        ({"report": "[1]"}, "report is damaged"),
        ({"report": '{"findings": [{"code": "SATURATED", "message": 7}]}'}, "damaged"),
        ({"report": '{"findings": [{"code": "SATURATED", "files": "x"}]}'}, "damaged"),
        ({"report": '{"findings": [{"code": "NOT_CT", "message": "x"}]}'}, "refused"),
        ({"attributes": '{"a": 1}'}, "attributes"),
    ],
)
def test_an_npz_that_is_off_is_refused_in_words(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = npz(tmp_path / "a.npz", **fields)
    with pytest.raises((hv.ReadError, hv.GeometryError), match=words) as refused:
        hv.load(path)
    assert str(path) in str(refused.value)


def test_findings_of_a_newer_version_are_dropped_in_words(tmp_path: Path) -> None:
    report = {
        "findings": [{"code": "NEW", "message": "beyond"}, {"code": "LOSSY", "message": "x"}]
    }
    volume = hv.load(npz(tmp_path / "a.npz", report=json.dumps(report)))
    assert [finding.code for finding in volume.report.findings] == ["LOSSY", "FINDINGS_DROPPED"]
    assert "beyond" in str(volume.report)


def test_an_npz_member_is_held_against_its_claim(tmp_path: Path) -> None:
    for shape, words in (((2000, 2000, 2000), "16,000,000,000"), ((2, 2, 2), "16")):
        path = npz(tmp_path / "a.npz", hu=None)
        header = {"descr": "<i2", "fortran_order": False, "shape": shape}
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open("hu.npy", "w") as member,
        ):
            np.lib.format.write_array_header_1_0(member, header)
            member.write(bytes(100))
        with pytest.raises(hv.ImageFormatError, match=f"claims {words} bytes .* has 100"):
            hv.load(path)
    whole = npz(tmp_path / "b.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(whole.replace(b"hu.npy", b"hU.npy"))
    with pytest.raises(hv.ImageFormatError, match="no hu"):
        hv.load(tmp_path / "c.npz")


@pytest.mark.parametrize("ending", ALL)
def test_a_fifo_a_device_or_nothing_is_never_opened(ending: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"a{ending}")
    (tmp_path / f"b{ending}").symlink_to("/dev/zero")
    for name in "ab":
        with pytest.raises(hv.ImageFormatError, match="not a regular file"):
            hv.load(tmp_path / f"{name}{ending}")
    with pytest.raises(hv.PathNotFoundError, match="no such file"):
        hv.load(tmp_path / f"c{ending}")


def test_what_an_image_file_is(tmp_path: Path) -> None:
    (tmp_path / "folder.nii").mkdir()
    assert hv.is_image_file("CT.NII.GZ")
    assert hv.is_image_file("a.mhd")
    assert not hv.is_image_file("a.dcm")
    assert not hv.is_image_file("a.gz")
    assert not hv.is_image_file(tmp_path / "folder.nii")
    with pytest.raises(hv.ArgumentError, match=r"\.nhdr"):
        hv.read_image(tmp_path / "a.dcm")
    path = nrrd(tmp_path / "a.nrrd")
    with pytest.raises(hv.ArgumentError, match="is for DICOM"):
        hv.load(path, series=1)
    with pytest.raises(hv.ArgumentError, match="is for DICOM"):
        hv.load(path, as_stored=True)
    with pytest.raises(hv.ArgumentError, match="DICOM says its own"):
        hv.load(tmp_path, unit="HU")
    (tmp_path / "a.nii").write_bytes(gzip.compress(bytes(400)))
    with pytest.raises(hv.ImageFormatError, match="begins as gzip"):
        hv.load(tmp_path / "a.nii")
