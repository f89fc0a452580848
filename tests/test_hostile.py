"""Files made to harm: an answer within a second and 200 MB, nothing written, no hang.

Each case runs in a process of its own, whose memory is measured by the kernel.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

import hounsview as hv
from series_kit import COLUMNS, ROWS, make_slice, positions, save, write_series

MEMORY_MIB = 200
HANG_S = 60
"""Far above the second that is promised: a loaded machine is no failure, a hang is one."""

RUN = """
import json, pathlib, resource, sys
import hounsview as hv
import hounsview.loading, imagecodecs, pydicom.filereader


def peak():
    return int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


before = peak()
answer = {}
try:
    volume = hv.load(sys.argv[1])
    answer = {"shape": volume.shape, "said": str(volume.report)}
except hv.HounsviewError as error:
    answer = {"error": type(error).__name__, "said": str(error)}
answer["mib"] = (peak() - before) / 1024
print(json.dumps(answer))
"""


def answer_to(path: Path) -> dict[str, object]:
    """What `hv.load` says to a path, and the MiB that it took beyond its imports."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(path)],
        capture_output=True, text=True, timeout=HANG_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def tagged(path: Path, **tags: object) -> Path:
    return save(make_slice(positions()[0], PixelData=bytes(2 * ROWS * COLUMNS), **tags), path)


def claims_8_gb_of_one_picture(folder: Path) -> None:
    ds = make_slice(
        positions()[0], Rows=65535, Columns=65535, PixelData=b"", BitsStored=16, HighBit=15
    )
    ds.PixelData = encapsulate([bytes(9000)])
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "a.dcm", uid.JPEG2000Lossless)


def claims_a_large_native_picture(folder: Path) -> None:
    tagged(folder / "a.dcm", Rows=65535, Columns=65535)


def claims_two_billion_frames(folder: Path) -> None:
    tagged(folder / "a.dcm", NumberOfFrames=2**31 - 1)


def claims_many_compressed_frames(folder: Path) -> None:
    ds = make_slice(positions()[0], Rows=512, Columns=512, NumberOfFrames=90_000, PixelData=b"")
    ds.PixelData = encapsulate([bytes(100)])
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "a.dcm", uid.RLELossless)


def claims_a_4_gb_element(folder: Path) -> None:
    raw = tagged(folder / "a.dcm").read_bytes()
    # A private element before the pixels whose length runs to 4 GB.
    at = raw.index(b"\xe0\x7f\x10\x00")
    element = b"\x29\x00\x10\x10OB\0\0" + struct.pack("<L", 0xFFFFFFF0)
    (folder / "a.dcm").write_bytes(raw[:at] + element + raw[at:])


def sequences_10_000_deep(folder: Path) -> None:
    raw = tagged(folder / "a.dcm").read_bytes()
    at = raw.index(b"\xe0\x7f\x10\x00")
    opening = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    deep = opening * 10_000 + closing * 10_000
    (folder / "a.dcm").write_bytes(raw[:at] + deep + raw[at:])


def a_million_elements(folder: Path) -> None:
    raw = tagged(folder / "a.dcm").read_bytes()
    at = raw.index(b"\xe0\x7f\x10\x00")
    many = b"".join(
        struct.pack("<HH", 0x1001 + 2 * (n >> 16), n & 0xFFFF) + b"UN\0\0\0\0\0\0"
        for n in range(1_200_000)
    )
    (folder / "a.dcm").write_bytes(raw[:at] + many + raw[at:])


def deflate_bomb(folder: Path) -> None:
    path = tagged(folder / "a.dcm")
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    ds.save_as(path)
    raw = path.read_bytes()
    data = zlib.decompress(packed_of(raw), -15)
    at = data.index(b"\xe0\x7f\x10\x00")
    # 256 MiB of nothing in a private element before the pixels.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [packer.compress(data[:at] + b"\x29\x00\x10\x10OB\0\0" + struct.pack("<L", 2**28))]
    zeros = bytes(1 << 24)
    parts += [packer.compress(zeros) for _ in range(16)]
    parts += [packer.compress(data[at:]), packer.flush()]
    path.write_bytes(raw[: len(raw) - len(packed_of(raw))] + b"".join(parts))


def packed_of(raw: bytes) -> bytes:
    """The deflated data set of a file: what follows its file meta information."""
    length = struct.unpack("<L", raw[140:144])[0]
    return raw[144 + length :]


def zip_bomb(folder: Path) -> None:
    raw = tagged(folder / "a.dcm").read_bytes()
    (folder / "a.dcm").unlink()
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.dcm", "w", force_zip64=True) as member:
            at = raw.index(b"\xe0\x7f\x10\x00")
            member.write(raw[:at] + b"\x29\x00\x10\x10OB\0\0" + struct.pack("<L", 2**28))
            for _ in range(16):
                member.write(bytes(1 << 24))
            member.write(raw[at:])
        with archive.open("zeros", "w", force_zip64=True) as member:
            for _ in range(8):
                member.write(bytes(1 << 24))


def zip_of_a_million_files(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a", b"")
    raw = (folder / "a.zip").read_bytes()
    at = raw.index(b"PK\x05\x06")
    entry = raw[raw.index(b"PK\x01\x02") : at]
    many = entry * 300_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(many), 31, 0)
    (folder / "a.zip").write_bytes(raw[: raw.index(b"PK\x01\x02")] + many + end)


def rle_that_claims_too_much(folder: Path) -> None:
    ds = make_slice(positions()[0], Rows=8000, Columns=8000, PixelData=b"")
    ds.PixelData = encapsulate([bytes(9000)])
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "a.dcm", uid.RLELossless)


def a_stream_of_another_size(folder: Path) -> None:
    import imagecodecs
    import numpy as np

    small = imagecodecs.jpeg2k_encode(np.zeros((8, 8), np.uint16), codecformat="j2k")
    ds = make_slice(positions()[0], Rows=8000, Columns=8000, PixelData=b"")
    ds.PixelData = encapsulate([small])
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "a.dcm", uid.JPEG2000Lossless)


def zip_bomb_behind_the_pixels(folder: Path) -> None:
    """A whole slice, and then 512 MiB of zeros that only the checksum would want."""
    raw = tagged(folder / "a.dcm").read_bytes()
    (folder / "a.dcm").unlink()
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.dcm", "w", force_zip64=True) as member,
    ):
        member.write(raw)
        for _ in range(32):
            member.write(bytes(1 << 24))


def zip_bomb_that_looks_like_a_zip(folder: Path) -> None:
    """A member that begins as a zip and goes on for 512 MiB."""
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("inner.zip", "w", force_zip64=True) as member,
    ):
        member.write(b"PK\x03\x04")
        for _ in range(32):
            member.write(bytes(1 << 24))


def a_sparse_terabyte(folder: Path) -> None:
    """A short code stream in a file whose end is a terabyte away and takes no disk."""
    ds = make_slice(positions()[0], PixelData=b"")
    ds.PixelData = encapsulate([bytes(100)])
    ds["PixelData"].is_undefined_length = True
    path = save(ds, folder / "a.dcm", uid.JPEGLSLossless)
    os.truncate(path, 1 << 40)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "claims 8 GB of one picture": (claims_8_gb_of_one_picture, "65535 x 65535"),
    "claims a large native picture": (claims_a_large_native_picture, "8,589,672,450"),
    "claims two billion frames": (claims_two_billion_frames, "2,147,483,647 frames"),
    "claims many compressed frames": (claims_many_compressed_frames, "90,000"),
    "claims a 4 GB element": (claims_a_4_gb_element, "a.dcm"),
    "sequences 10,000 deep": (sequences_10_000_deep, "64 deep"),
    "a million elements": (a_million_elements, "50,000 elements"),
    "deflate bomb": (deflate_bomb, "64.0 MiB"),
    "zip bomb": (zip_bomb, "64.0 MiB"),
    "zip bomb behind the pixels": (zip_bomb_behind_the_pixels, "from its pixels on"),
    "zip bomb that looks like a zip": (zip_bomb_that_looks_like_a_zip, "a zip bomb"),
    "a sparse terabyte": (a_sparse_terabyte, "1,024.0 GiB from its pixels on"),
    "zip of a million files": (zip_of_a_million_files, "the limit is 100,000"),
    "RLE that claims too much": (rle_that_claims_too_much, "its RLE can hold"),
    "a stream of another size": (a_stream_of_another_size, "a stream of 8 x 8"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_gets_an_answer_in_little_memory(name: str, tmp_path: Path) -> None:
    build, words = HOSTILE[name]
    folder = tmp_path / "folder"
    folder.mkdir()
    build(folder)
    answer = answer_to(folder)
    assert "shape" not in answer, answer
    assert words in str(answer["said"])
    assert float(str(answer["mib"])) < MEMORY_MIB
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


def test_trailing_garbage_changes_nothing(tmp_path: Path) -> None:
    for file in write_series(tmp_path):
        file.write_bytes(file.read_bytes() + b"\xa5" * 600)
    volume = hv.load(tmp_path)
    assert volume.report.status == "ok"
    assert volume.shape[0] == 12


def test_a_file_that_shrinks_between_header_and_pixels_is_a_lost_slice(tmp_path: Path) -> None:
    files = write_series(tmp_path)
    (series,) = hv.scan(tmp_path).series
    raw = files[5].read_bytes()
    files[5].write_bytes(raw[:-200])
    volume = hv.loading.load_series(series)
    assert volume.report.status == "repaired"
    assert volume.valid is not None
    assert (volume.valid[5] == hv.Validity.FILLED).all()
    assert "slice005.dcm" in str(volume.report)
    files[5].unlink()
    assert hv.loading.load_series(series).report.status == "repaired"


def test_a_volume_beyond_the_limit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    write_series(tmp_path)
    before = hv.set_limits(volume_bytes=10_000)
    try:
        with pytest.raises(hv.LimitError, match=r"12 slices of 20 x 24 .*set_limits"):
            hv.load(tmp_path)
        assert hv.load_all(tmp_path).refused[0].report.has("LIMIT_EXCEEDED")
    finally:
        hv.set_limits(volume_bytes=before.volume_bytes)
    assert hv.load(tmp_path).shape[0] == 12


@pytest.mark.parametrize("change", [{"frames": 0}, {"colour": 3}, {"frame_bytes": 1.5}])
def test_a_limit_that_is_none_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(hv.ArgumentError, match="limit"):
        hv.set_limits(**change)


def test_a_series_of_a_dataset_that_names_no_syntax(tmp_path: Path) -> None:
    ds = Dataset(make_slice(positions()[0]))
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, implicit_vr=True, little_endian=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(raw[:200])
    with pytest.raises(hv.HounsviewError, match=r"a\.dcm"):
        hv.load(tmp_path)
