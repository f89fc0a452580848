"""Rarer traps: encodings, identities and damage that archives really hold."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence

from hounsview.traps.encodings import enhanced
from hounsview.traps.recipes import Build, clean, slices_with, with_tag
from series_kit import (
    COLUMNS,
    ROWS,
    SLICES,
    STEP,
    known_hu,
    make_slice,
    pixel_points,
    positions,
    save,
    stored_of,
    write_series,
)
from trap_series import Trap

UNSIGNED = {"PixelRepresentation": 0, "RescaleIntercept": -1024}


def with_bytes(old: bytes, new: bytes, only: int | None = None) -> Build:
    """A clean series in whose files (or in one of them) some bytes were exchanged."""

    def build(folder: Path) -> None:
        for n, file in enumerate(clean(folder)):
            if only in (None, n):
                raw = file.read_bytes()
                assert old in raw
                file.write_bytes(raw.replace(old, new, 1))

    return build


def encoded(syntax: str, encode: Callable[[np.ndarray], bytes], **tags: Any) -> Build:
    """A series of unsigned cells, each compressed."""

    def build(folder: Path) -> None:
        for n, place in enumerate(positions()):
            ds = make_slice(place, n, **{**UNSIGNED, **tags})
            cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
            ds.PixelData = encapsulate([bytes(encode(cells))])
            ds["PixelData"].is_undefined_length = True
            save(ds, folder / f"{n}.dcm", syntax)

    return build


def jpeg_2000(cells: np.ndarray, codecformat: str = "j2k") -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(cells, level=0, reversible=True, codecformat=codecformat)
    )


def wrong_tile_length(cells: np.ndarray) -> bytes:
    stream = bytearray(jpeg_2000(cells))
    at = stream.index(b"\xff\x90\x00\x0a") + 6
    stream[at : at + 4] = struct.pack(">L", 2 * len(stream))
    return bytes(stream)


def mixed_syntaxes(folder: Path) -> None:
    """Every third slice compressed, another way each time."""
    for n, place in enumerate(positions()):
        ds = make_slice(place, n, **UNSIGNED)
        cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
        kind = n % 3
        if kind == 1:
            ds.compress(uid.RLELossless, cells, generate_instance_uid=False)
        elif kind == 2:
            ds.PixelData = encapsulate([bytes(imagecodecs.jpegls_encode(cells))])
            ds["PixelData"].is_undefined_length = True
        syntax = (uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEGLSLossless)[kind]
        save(ds, folder / f"{n}.dcm", syntax)


def multi_frame_jpeg_ls(folder: Path, arrange: Callable[[Dataset, list[bytes]], None]) -> None:
    """An enhanced file, its frames compressed one by one and then arranged."""
    enhanced(folder)
    ds = pydicom.dcmread(folder / "enhanced.dcm")
    frames = [
        bytes(imagecodecs.jpegls_encode(frame)) for frame in ds.pixel_array.view(np.uint16)
    ]
    arrange(ds, frames)
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "enhanced.dcm", uid.JPEGLSLossless)


def extended_offsets(ds: Dataset, frames: list[bytes]) -> None:
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(
        frames
    )


def offsets_out_of_order(ds: Dataset, frames: list[bytes]) -> None:
    """Fragments lie from last to first, and the table says so."""
    padded = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    items, places = b"", {}
    for n in reversed(range(len(padded))):
        places[n] = len(items)
        items += b"\xfe\xff\x00\xe0" + struct.pack("<L", len(padded[n])) + padded[n]
    table = struct.pack(f"<{len(padded)}L", *(places[n] for n in range(len(padded))))
    ds.PixelData = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(table)) + table + items


def fragments_with_table(ds: Dataset, frames: list[bytes]) -> None:
    ds.PixelData = encapsulate(frames, fragments_per_frame=3, has_bot=True)


def fragments_without_table(ds: Dataset, frames: list[bytes]) -> None:
    ds.PixelData = encapsulate(frames, fragments_per_frame=3, has_bot=False)


def deflated_multi_frame(folder: Path) -> None:
    enhanced(folder)
    ds = pydicom.dcmread(folder / "enhanced.dcm")
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    ds.save_as(folder / "enhanced.dcm")


def deflated_cut_off(folder: Path) -> None:
    for n, file in enumerate(clean(folder)):
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
        ds.save_as(file)
        if n == 5:
            file.write_bytes(file.read_bytes()[:-60])


def phases_in_one_file(first: int) -> Build:
    """An enhanced file of two phases, told apart by TemporalPositionIndex."""

    def build(folder: Path) -> None:
        order = [k for k in range(SLICES // 2) for _ in (0, 1)]
        enhanced(folder, order=order + order[: SLICES - len(order)])
        ds = pydicom.dcmread(folder / "enhanced.dcm")
        for n, item in enumerate(ds.PerFrameFunctionalGroupsSequence):
            content = Dataset()
            content.TemporalPositionIndex = first + n % 2
            item.FrameContentSequence = Sequence([content])
        ds.save_as(folder / "enhanced.dcm")

    return build


def of_bits(allocated: int) -> Build:
    """8 bits: HU in steps of 16; 32 bits: as they are."""

    def build(folder: Path) -> None:
        slope, intercept = (16, -1024) if allocated == 8 else (1, 0)
        for n, place in enumerate(positions()):
            ds = make_slice(
                place, n, RescaleSlope=slope, RescaleIntercept=intercept,
                BitsAllocated=allocated, BitsStored=allocated, HighBit=allocated - 1,
                PixelRepresentation=0 if allocated == 8 else 1, PixelData=b"",
            )  # fmt: skip
            stored = stored_of(ds, known_hu(pixel_points(ds)))
            ds.PixelData = stored.astype({8: np.uint8, 32: np.int32}[allocated]).tobytes()
            save(ds, folder / f"{n}.dcm")

    return build


def without_meta(*, implicit: bool, preamble: bool) -> Build:
    def build(folder: Path) -> None:
        for file in clean(folder):
            bare = Dataset(pydicom.dcmread(file))
            pydicom.dcmwrite(file, bare, implicit_vr=implicit, little_endian=True)
            if preamble:
                file.write_bytes(bytes(128) + b"DICM" + file.read_bytes())

    return build


def implicit_under_explicit(folder: Path) -> None:
    """The meta information says explicit VR, the data set is implicit."""
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        pydicom.dcmwrite(file, Dataset(ds), implicit_vr=True, little_endian=True)
        bare = file.read_bytes()
        save(ds, file)
        raw = file.read_bytes()
        (length,) = struct.unpack("<L", raw[140:144])
        file.write_bytes(raw[: 144 + length] + bare)


def group_lengths(folder: Path) -> None:
    for file in clean(folder):
        raw = file.read_bytes()
        (length,) = struct.unpack("<L", raw[140:144])
        at = 144 + length
        element = b"\x08\x00\x00\x00UL\x04\x00" + struct.pack("<L", 1234)
        file.write_bytes(raw[:at] + element + raw[at:])


def study_of_two_examinations(folder: Path) -> None:
    """An anonymiser gave two studies of one patient the same SeriesInstanceUID."""
    clean(folder / "a")
    write_series(folder / "b", positions(origin=(1, 2, 300)), StudyInstanceUID="1.2.4")


def one_in_zip(folder: Path) -> None:
    import zipfile

    files = clean(folder)
    with zipfile.ZipFile(folder / "rest.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files[6:]:
            archive.write(file, file.name)
            file.unlink()


def float_pixels(folder: Path) -> None:
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        ds.FloatPixelData = np.zeros(ROWS * COLUMNS, np.float32).tobytes()
        del ds.PixelData
        ds.save_as(file)


def long_private_header(folder: Path) -> None:
    """100 KiB of private elements before the pixels, as some scanners write them."""
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        block = ds.private_block(0x0029, "SCANNER HEADER", create=True)
        block.add_new(0x10, "OB", bytes(60_000))
        block.add_new(0x20, "OB", b"\xe0\x7f\x10\x00OW\0\0" * 5000)
        ds.save_as(file)


def nested_private_sequences(folder: Path) -> None:
    for n, file in enumerate(clean(folder)):
        ds = pydicom.dcmread(file)
        inner = Dataset()
        inner.ImagePositionPatient, inner.RescaleIntercept = [0, 0, n], 5
        middle = Dataset()
        middle.ReferencedImageSequence = [inner, inner]
        middle.ReferencedImageSequence.is_undefined_length = n % 2 == 0
        ds.SourceImageSequence = [middle]
        ds["SourceImageSequence"].is_undefined_length = n % 3 == 0
        ds.save_as(file)


def alternating_steps(folder: Path) -> None:
    offsets = np.cumsum([0.0, *(STEP * (1 + 0.04 * (n % 2)) for n in range(SLICES - 1))])
    write_series(folder, [np.add((-7.0, 11.0, 30.0), [0, 0, z]) for z in offsets])


RARE: dict[str, Trap] = {
    # encodings
    "HTJ2K": Trap(
        encoded(uid.HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True)), "ok"
    ),
    "JPEG lossless": Trap(
        encoded(
            uid.JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16)
        ),
        "ok",
    ),
    "JPEG 2000 in a JP2 box": Trap(
        encoded(uid.JPEG2000Lossless, lambda a: jpeg_2000(a, "jp2")), "ok"
    ),
    "JPEG 2000 of a wrong tile length": Trap(
        encoded(uid.JPEG2000Lossless, wrong_tile_length), "refused", ("cannot be decoded",)
    ),
    "JPEG-LS of the wrong size": Trap(
        encoded(uid.JPEGLSLossless, lambda a: imagecodecs.jpegls_encode(a[:, :-2].copy())),
        "refused", ("20 x 22", "20 x 24"),
    ),
    "a stream that is none": Trap(
        encoded(uid.JPEGLSLossless, lambda _: b"no stream at all"), "refused", ("no header",)
    ),
    "transfer syntaxes mixed in one series": Trap(mixed_syntaxes, "ok"),
    "extended offset table": Trap(lambda f: multi_frame_jpeg_ls(f, extended_offsets), "ok"),
    "offset table out of order": Trap(
        lambda f: multi_frame_jpeg_ls(f, offsets_out_of_order), "ok"
    ),
    "three fragments a frame, with table": Trap(
        lambda f: multi_frame_jpeg_ls(f, fragments_with_table), "ok"
    ),
    "three fragments a frame, without table": Trap(
        lambda f: multi_frame_jpeg_ls(f, fragments_without_table), "ok"
    ),
    "deflated multi-frame": Trap(deflated_multi_frame, "ok"),
    "deflated and cut off": Trap(
        deflated_cut_off, "repaired", ("slice005.dcm", "cut off", "FILLED")
    ),
    "8 bits": Trap(of_bits(8), "ok"),
    "32 bits": Trap(of_bits(32), "ok"),
    "explicit VR without preamble": Trap(
        without_meta(implicit=False, preamble=False), "ok", ("without preamble",)
    ),
    "a preamble and no meta": Trap(without_meta(implicit=True, preamble=True), "ok"),
    "implicit VR under an explicit syntax": Trap(implicit_under_explicit, "ok"),
    "group lengths": Trap(group_lengths, "ok"),
    "100 KiB of private elements": Trap(long_private_header, "ok"),
    "positions in nested sequences": Trap(nested_private_sequences, "ok"),
    "half of the series in a zip": Trap(one_in_zip, "ok"),
    # identities
    "all instance UIDs equal": Trap(with_tag(SOPInstanceUID="1.2.3.4.5"), "ok"),
    "two studies under one series UID": Trap(
        study_of_two_examinations, "split", ("study",), volumes=2
    ),
    "phases 1 and 2 in one file": Trap(
        phases_in_one_file(1), "split", ("temporal position",), volumes=2
    ),
    "phases 9 and 10 in one file": Trap(
        phases_in_one_file(9), "split", ("temporal position",), volumes=2
    ),
    "phases 32 and 33 in one file": Trap(
        phases_in_one_file(32), "split", ("temporal position",), volumes=2
    ),
    "compressed with loss once": Trap(
        with_tag(LossyImageCompression="01"), "ok", ("compressed with loss",)
    ),
    "thickness spelled in two ways": Trap(
        slices_with(lambda n: {"SliceThickness": ("2", "2.00")[n % 2]}), "ok"
    ),
    "RescaleType US": Trap(with_tag(RescaleType="US"), "ok", ("unspecified",)),
    "SpacingBetweenSlices plainly wrong": Trap(with_tag(SpacingBetweenSlices=10.0), "ok"),
    "steps that differ by 4 %": Trap(alternating_steps, "repaired", ("unevenly",), slices=None),
    # broken geometry is never made up
    "pixel spacing NaN": Trap(
        with_bytes(b"0.8\\0.5 ", b"nan\\nan "), "refused", ("PixelSpacing nan",)
    ),
    "pixel spacing infinite": Trap(
        with_bytes(b"0.8\\0.5 ", b"inf\\inf "), "refused", ("PixelSpacing inf",)
    ),
    "pixel spacing with commas": Trap(
        with_bytes(b"0.8\\0.5 ", b"0,8\\0,5 "), "refused", ("PixelSpacing nan",)
    ),
    "orientation NaN": Trap(
        with_bytes(b"1.0\\0.0\\0.0\\0.0\\1.0\\0.0", b"nan\\0.0\\0.0\\0.0\\1.0\\0.0"),
        "refused", ("names no plane",),
    ),
    "position NaN in one slice": Trap(
        with_bytes(b"-7.0\\11.0\\38.0", b"-7.0\\nan \\38.0", only=4),
        "refused", ("slice004.dcm", "ImagePositionPatient"),
    ),
    "float pixels": Trap(float_pixels, "refused", ("holds no PixelData",)),
    "everything at instance number and no position": Trap(
        slices_with(lambda n: {"ImagePositionPatient": None, "SliceLocation": n}),
        "refused", ("ImagePositionPatient is missing",),
    ),
    "NumberOfFrames beyond the file": Trap(
        lambda folder: write_series(folder, positions(1), NumberOfFrames=40),
        "refused", ("claims 40 frames",),
    ),
}  # fmt: skip
