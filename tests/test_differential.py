"""The walk reads every header as pydicom does, or leaves it to pydicom."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from differential import by_pydicom, by_walking, plain, was_walked
from hounsview.dicom.headers import HeaderReader
from hounsview.dicom.walking import OddError, items_of
from real_data import FOLDER, needs_data
from test_mutations import KINDS, mutated
from traps import TRAPS


@pytest.mark.parametrize("name", sorted(TRAPS))
def test_every_generated_header_reads_alike(name: str, tmp_path: Path) -> None:
    TRAPS[name].build(tmp_path)
    reader = HeaderReader()
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        pydicom = by_pydicom(path)
        if b"1.2.840.10008.1.2.1.99" not in path.read_bytes()[:400]:
            assert plain(by_walking(path)) == plain(pydicom)
            # ... and with what the files before it taught
            assert plain(by_walking(path, reader)) == plain(pydicom)


@needs_data
def test_every_real_header_reads_alike() -> None:
    reader = HeaderReader()
    walked = total = 0
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        expected = plain(by_pydicom(path))
        if path.name == "ctimage-deflated.dcm":
            continue
        assert plain(by_walking(path)) == expected, path
        assert plain(by_walking(path, reader)) == expected, path
        total += 1
        walked += was_walked(path)
    assert total > 500
    assert walked > 0.9 * total


def test_ordinary_headers_are_walked(tmp_path: Path) -> None:
    for name in ("clean", "RLE", "deflated", "enhanced multi-frame, shuffled", "JPEG-LS"):
        TRAPS[name].build(tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        assert all(was_walked(path) for path in files), name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no preamble, no meta"])
def test_mutated_headers_read_alike(kind: str, tmp_path: Path) -> None:
    rng = random.Random(kind)
    TRAPS[kind].build(tmp_path / "good")
    originals = [path.read_bytes() for path in sorted((tmp_path / "good").iterdir())]
    reader = HeaderReader()
    path = tmp_path / "damaged.dcm"
    for n in range(400):
        raw = originals[n % len(originals)]
        path.write_bytes(mutated(raw, rng) if n % 5 else raw)
        expected = plain(by_pydicom(path))
        assert plain(by_walking(path)) == expected, n
        assert plain(by_walking(path, reader)) == expected, n


def test_an_item_that_ends_before_its_length_is_left_to_pydicom() -> None:
    element = b"\x08\x00\x05\x00CS\x02\x00AB"
    whole = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(element)) + element
    assert items_of(("SQ", whole), implicit=False)[0].text(0x00080005) == "AB"
    early = element + b"\xfe\xff\x0d\xe0\0\0\0\0" + element
    odd = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(early)) + early
    with pytest.raises(OddError):
        items_of(("SQ", odd), implicit=False)
