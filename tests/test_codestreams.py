"""Code streams that lost bytes: an error, never a picture that was not taken."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate, generate_frames

import hounsview as hv
from hounsview.dicom import openjph
from hounsview.dicom.codestreams import jpeg_2000_header, jpeg_header, tile_parts_are_whole
from hounsview.dicom.losslessjpeg import is_whole
from real_data import FOLDER, needs_data
from series_kit import make_slice, positions, save

ROWS, COLUMNS = 61, 75


def picture(bits: int = 16, kind: int = 0) -> np.ndarray:
    """A noisy disc on an even background, where codes are shortest."""
    rng = np.random.default_rng(kind)
    j, i = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    inside = (j - 30) ** 2 + (i - 37) ** 2 < (26 if kind % 2 else 45) ** 2
    noise = rng.normal(0, 3 + 20 * kind, (ROWS, COLUMNS))
    top = (1 << min(bits, 12)) - 1
    cells = np.clip(np.where(inside, top * 0.4 + noise, 0), 0, top)
    return cells.astype(np.uint8 if bits == 8 else np.uint16)


STREAMS: dict[str, tuple[str, Callable[[np.ndarray], bytes], int]] = {
    "JPEG lossless": (
        uid.JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16), 16
    ),
    "JPEG baseline": (
        uid.JPEGBaseline8Bit, lambda a: imagecodecs.jpeg_encode(a, level=95), 8
    ),
    "JPEG-LS": (uid.JPEGLSLossless, lambda a: imagecodecs.jpegls_encode(a), 16),
    "JPEG 2000": (
        uid.JPEG2000Lossless,
        lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat="j2k"), 16,
    ),
    "HTJ2K": (
        uid.HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True), 16
    ),
    "RLE": (uid.RLELossless, lambda a: rle(a), 16),
}  # fmt: skip


def rle(cells: np.ndarray) -> bytes:
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 1
    ds.BitsAllocated = ds.BitsStored = 16
    ds.PixelRepresentation, ds.PhotometricInterpretation = 0, "MONOCHROME2"
    ds.SOPInstanceUID = "1.2.3"
    ds.compress(uid.RLELossless, cells, generate_instance_uid=False)
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def file_of(stream: bytes, syntax: str, bits: int, path: Path) -> Path:
    ds = make_slice(
        positions()[0], Rows=ROWS, Columns=COLUMNS, PixelRepresentation=0, PixelData=b"",
        BitsAllocated=8 if bits == 8 else 16, BitsStored=bits, HighBit=bits - 1,
        RescaleIntercept=-1024,
    )  # fmt: skip
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].is_undefined_length = True
    return save(ds, path, syntax)


def damaged(stream: bytes, at: int, *, lossy: bool) -> dict[str, bytes]:
    ways = {"cut off": stream[:at], "cut off, with an end": stream[:at] + b"\xff\xd9"}
    if not lossy:
        # Baseline JPEG may by chance end with its last block all the same.
        ways["20 bytes gone"] = stream[:at] + stream[at + 20 :]
    return ways


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("name", list(STREAMS))
def test_a_stream_that_lost_bytes_is_never_a_picture(
    name: str, kind: int, tmp_path: Path
) -> None:
    syntax, encode, bits = STREAMS[name]
    stream = bytes(encode(picture(bits, kind)))
    whole = hv.load(file_of(stream, syntax, bits, tmp_path / "whole.dcm"))
    if name != "JPEG baseline":
        assert np.array_equal(whole.hu[0], picture(bits, kind).astype(int) - 1024)
    refused = 0
    # CharLS takes seconds to give up a stream that runs dry.
    places = 3 if name == "JPEG-LS" else 12
    # With loss, the last five blocks of 8 x 8 cannot be vouched for.
    last = 0.85 * len(stream) if name == "JPEG baseline" else len(stream) - 25
    for at in np.linspace(0.3 * len(stream), last, places).astype(int):
        for what, broken in damaged(stream, int(at), lossy="JPEG baseline" in name).items():
            path = file_of(broken, syntax, bits, tmp_path / "broken.dcm")
            try:
                volume = hv.load(path)
            except hv.ReadError:
                refused += 1
                continue
            assert np.array_equal(volume.hu, whole.hu), f"{what} at {at} of {len(stream)}"
    assert refused >= 1.6 * places


@needs_data
@pytest.mark.parametrize(
    "name",
    ["jpeg57-lossless-p14", "jpeg70-lossless-sv1", "jpegls80-lossless", "j2k90-lossless",
     "htj2k201", "htj2k202", "jpeg50-baseline-8bit", "jpeg51-extended-12bit"],
)  # fmt: skip
def test_a_real_stream_that_lost_bytes_is_never_a_picture(name: str, tmp_path: Path) -> None:
    ds = pydicom.dcmread(FOLDER / f"codecs/ctimage-{name}.dcm")
    stream = next(generate_frames(ds.PixelData, number_of_frames=1)).rstrip(b"\0")
    for at in np.linspace(0.2 * len(stream), len(stream) - 30, 4).astype(int):
        for what, broken in damaged(
            stream, int(at), lossy="jpeg5" in name and "57" not in name
        ).items():
            ds.PixelData = encapsulate([broken])
            ds["PixelData"].is_undefined_length = True
            ds.save_as(tmp_path / "broken.dcm")
            with pytest.raises(hv.ReadError, match=r"broken\.dcm"):
                print(what, at, hv.load(tmp_path / "broken.dcm"))


def test_streams_without_their_end_marker_or_with_padding_are_read(tmp_path: Path) -> None:
    cells = picture(16, 2)
    stream = bytes(imagecodecs.ljpeg_encode(cells, bitspersample=16))
    for n, written in enumerate((stream[:-2], stream + b"\0", stream[:-2] + b"\xff\xff\xd9")):
        path = file_of(written, uid.JPEGLosslessSV1, 16, tmp_path / f"{n}.dcm")
        assert np.array_equal(hv.load(path).hu[0], cells.astype(int) - 1024)


def test_headers_of_streams_say_what_was_encoded() -> None:
    cells = picture(16)
    jpeg = jpeg_header(bytes(imagecodecs.ljpeg_encode(cells, bitspersample=16)))
    assert jpeg is not None
    assert (jpeg.rows, jpeg.columns, jpeg.components, jpeg.process) == (ROWS, COLUMNS, 1, 0xC3)
    ls = jpeg_header(bytes(imagecodecs.jpegls_encode(cells)))
    assert ls is not None
    assert (ls.rows, ls.columns, ls.process) == (ROWS, COLUMNS, 0xF7)
    for signed in (False, True):
        stream = bytes(
            imagecodecs.jpeg2k_encode(
                cells.astype(np.int16 if signed else np.uint16), codecformat="j2k"
            )
        )
        said = jpeg_2000_header(stream)
        assert said is not None
        assert (said.rows, said.columns, said.bits, said.signed) == (ROWS, COLUMNS, 16, signed)
        assert tile_parts_are_whole(stream)
        assert not tile_parts_are_whole(stream[:-30])
        assert not tile_parts_are_whole(stream[:-30] + b"\xff\xd9")
    for junk in (b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"\xff\xd8\x01\x02\x03\x04\x05"):
        assert jpeg_header(junk) is None
        assert jpeg_2000_header(junk) is None
        assert not tile_parts_are_whole(junk)


@needs_data
@pytest.mark.parametrize(
    "name",
    ["codecs/ctimage-jpeg70-lossless-sv1", "codecs/ctimage-jpeg57-lossless-p14",
     "codecs/elscint-jpeg70", "odd/bad-sequence-jpeg70"],
)  # fmt: skip
def test_a_lossless_picture_tells_how_long_its_code_is(name: str) -> None:
    ds = pydicom.dcmread(FOLDER / f"{name}.dcm")
    stream = next(generate_frames(ds.PixelData, number_of_frames=1))
    body = stream[: stream.rindex(b"\xff\xd9")]
    said = jpeg_header(stream)
    assert said is not None
    cells = imagecodecs.jpeg_decode(stream)
    assert is_whole(cells, body, said.bits)
    assert not is_whole(cells, body[:-1], said.bits)
    assert not is_whole(cells, body + b"\x55", said.bits)
    changed = cells.copy()
    changed[100:104, 100:140] += np.arange(40, dtype=np.uint16) * 37
    assert not is_whole(changed, body, said.bits)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("extreme", [False, True])
def test_every_predictor_of_lossless_jpeg_is_known(predictor: int, extreme: bool) -> None:
    """Against an encoder written here from the Standard, pixel by pixel."""
    rng = np.random.default_rng(predictor)
    cells = rng.integers(0, 65536 if extreme else 300, (9, 11)).astype(np.uint16)
    body = encoded_by_the_standard(cells, predictor)
    assert np.array_equal(imagecodecs.jpegsof3_decode(body + b"\xff\xd9"), cells)
    assert is_whole(cells, body, 16)
    assert not is_whole(cells, body[:-2], 16)


def encoded_by_the_standard(cells: np.ndarray, predictor: int) -> bytes:
    """Lossless JPEG of 16 bits with 17 Huffman codes of 5 bits (ISO/IEC 10918-1 H)."""
    bits = ""
    for j, i in np.ndindex(cells.shape):
        x = int(cells[j, i])
        a, b, c = (
            int(cells[j - dj, i - di]) if j >= dj and i >= di else 0
            for dj, di in ((0, 1), (1, 0), (1, 1))
        )
        if j == 0:
            guess = a if i else 1 << 15
        elif i == 0:
            guess = b
        else:
            guess = (
                a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1
            )[predictor - 1]  # fmt: skip
        difference = (x - guess + 32767) % 65536 - 32767
        category = abs(difference).bit_length() if difference != 32768 else 16
        bits += f"{category:05b}"
        if 0 < category < 16:
            further = difference if difference > 0 else difference + (1 << category) - 1
            bits += f"{further:0{category}b}"
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[n : n + 8], 2) for n in range(0, len(bits), 8))
    table = b"\0" + bytes(17 if n == 4 else 0 for n in range(16)) + bytes(range(17))
    frame = struct.pack(">BHHB", 16, *cells.shape, 1) + b"\1\x11\0"
    scan = bytes((1, 1, 0, predictor, 0, 0))
    segments = ((0xC3, frame), (0xC4, table), (0xDA, scan))
    head = b"".join(
        bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content
        for marker, content in segments
    )
    return b"\xff\xd8" + head + data.replace(b"\xff", b"\xff\0")


@pytest.mark.parametrize("name", ["JPEG 2000", "HTJ2K"])
def test_a_cut_stream_whose_length_was_mended_is_no_picture(name: str, tmp_path: Path) -> None:
    """Psot and the end marker fit: only the decoder can tell that packets are missing."""
    syntax, encode, bits = STREAMS[name]
    stream = bytes(encode(picture(bits, 2)))
    tile = stream.index(b"\xff\x90\x00\x0a")
    for share in (0.3, 0.6, 0.9, 0.97):
        stop = int(share * len(stream))
        broken = bytearray(stream[:stop] + b"\xff\xd9")
        struct.pack_into(">L", broken, tile + 6, stop - tile)
        assert tile_parts_are_whole(bytes(broken))
        with pytest.raises(hv.ReadError, match="cannot be decoded"):
            hv.load(file_of(bytes(broken), syntax, bits, tmp_path / "broken.dcm"))


def test_other_ignored_exceptions_still_reach_their_hook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: heard.append(repr(ignored)))
    openjph.decode(bytes(imagecodecs.htj2k_encode(picture(16), reversible=True)))

    class Loud:
        def __del__(self) -> None:
            msg = "said by another"
            raise ValueError(msg)

    Loud()
    assert len(heard) == 1
    assert "said by another" in heard[0]
