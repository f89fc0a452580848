"""Reading where imagecodecs is not installed, as in 3D Slicer: RLE by our own decoder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hounsview as hv
from hounsview.dicom import rle
from hounsview.dicom.decoding import undecodable
from real_data import FOLDER, needs_data


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)


@pytest.fixture
def old_pydicom(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """pydicom 2 has no pydicom.pixels; 3D Slicer 5.10 brings it."""
    monkeypatch.setitem(sys.modules, "pydicom.pixels", None)


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Any]:
    def made(name: str) -> tuple[Path, hv.Volume]:
        hv.write_traps(tmp_path / name, [name])
        return tmp_path / name / name, hv.load(tmp_path / name)

    return made  # type: ignore[return-value]


def test_rle_is_read_the_same_without_any_decoder(
    series: Any, request: pytest.FixtureRequest
) -> None:
    folder, volume = series("rle")
    request.getfixturevalue("old_pydicom")
    np.testing.assert_array_equal(hv.load(folder).hu, volume.hu)


@needs_data
def test_a_real_rle_image_is_read_the_same(request: pytest.FixtureRequest) -> None:
    file = FOLDER / "codecs/ctimage-rle.dcm"
    expected = hv.load(file).hu
    request.getfixturevalue("old_pydicom")
    np.testing.assert_array_equal(hv.load(file).hu, expected)


@given(st.binary(max_size=400), st.randoms(use_true_random=False))
def test_unpacking_is_what_imagecodecs_does(whole: bytes, random: Any) -> None:
    import imagecodecs

    packed = bytes(imagecodecs.packbits_encode(whole)) if whole else b""
    for stream in (packed, packed + b"\0", b"\x80" + packed):
        assert rle.unpacked(stream, len(whole)) == whole
    if whole:
        place = random.randrange(len(packed))
        broken = packed[:place] + bytes([random.randrange(256)]) + packed[place + 1 :]
        assert bytes_or_none(rle.unpacked, broken, len(whole)) == bytes_or_none(
            lambda stream, size: imagecodecs.packbits_decode(stream, out=size),
            broken,
            len(whole),
        )


def bytes_or_none(unpack: Any, stream: bytes, size: int) -> bytes | None:
    try:
        return bytes(unpack(stream, size))
    except (ValueError, RuntimeError):
        return None


def frame_of(*segments: bytes) -> bytes:
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    header = np.zeros(16, "<u4")
    header[0], header[1 : 1 + len(segments)] = len(segments), starts
    return header.tobytes() + b"".join(segments)


@pytest.mark.parametrize("installed", [True, False])
def test_segments_are_bytes_of_cells_the_highest_first(
    installed: bool, request: pytest.FixtureRequest
) -> None:
    if not installed:
        request.getfixturevalue("bare")
    encoded = frame_of(b"\xff\x01", b"\x01\x02\x03")
    assert rle.decode(encoded, 2, 2).tolist() == [0x0102, 0x0103]
    with pytest.raises(ValueError, match=r"is cut off: 1 of 2 bytes|cannot be decoded"):
        rle.decode(frame_of(b"\xff\x01", b"\x00\x02"), 2, 2)
    with pytest.raises(ValueError, match=r"3 bytes of RLE where 2|cannot be decoded"):
        rle.decode(frame_of(b"\xfe\x01", b"\x01\x02\x03"), 2, 2)
    with pytest.raises(ValueError, match="broken RLE header: 1 segments"):
        rle.decode(frame_of(b"\xff\x01"), 2, 2)
    with pytest.raises(ValueError, match="broken RLE header: 3 segments"):
        rle.decode(frame_of(b"\xff\x01", b"\x00\x02", b"\x00\x03"), 2, 2)


@pytest.mark.parametrize("name", ["jpeg-ls", "jpeg-2000"])
def test_what_nothing_decodes_is_told_by_the_header_and_refused_with_the_way_out(
    series: Any, request: pytest.FixtureRequest, name: str
) -> None:
    folder, _ = series(name)
    (found,) = hv.scan(folder).series
    assert undecodable(found.frames[0]) == ""
    request.getfixturevalue("old_pydicom")
    said = undecodable(found.frames[0])
    assert "pip install imagecodecs" in said
    with pytest.raises(hv.UnsupportedSyntaxError) as caught:
        hv.load(folder)
    assert said.split(" is stored in ")[1] in str(caught.value)


@pytest.mark.parametrize("name", ["clean", "rle", "deflated", "big-endian"])
def test_what_needs_no_decoder_is_never_told(
    series: Any, request: pytest.FixtureRequest, name: str
) -> None:
    folder, _ = series(name)
    request.getfixturevalue("old_pydicom")
    (found,) = hv.scan(folder).series
    assert undecodable(found.frames[0]) == ""


def test_a_decoder_of_pydicom_counts_only_where_it_is_there(
    series: Any, bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydicom import pixels

    monkeypatch.undo()
    folder, _ = series("jpeg-ls")
    (found,) = hv.scan(folder).series
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for there in (True, False):

        class Decoder:
            is_available = there

        monkeypatch.setattr(pixels, "get_decoder", lambda _, kind=Decoder: kind())
        assert bool(undecodable(found.frames[0])) is not there

    def unknown(_: str) -> None:
        raise NotImplementedError

    monkeypatch.setattr(pixels, "get_decoder", unknown)
    assert undecodable(found.frames[0])
