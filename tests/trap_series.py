"""Traps: series as they come from real scanners, archives and tools, HU known everywhere.

Each builder writes one folder. `TRAPS` says what must come out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from series_kit import (
    AXIAL,
    COLUMNS,
    ORIGIN,
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

Build = Callable[[Path], object]


@dataclass(frozen=True)
class Trap:
    """A builder, the status of every volume that must come out, and words of the report."""

    build: Build
    status: str
    words: tuple[str, ...] = ()
    volumes: int = 1
    slices: int | None = SLICES


def per_slice(**tags: Callable[[int], Any]) -> Callable[[int, dict[str, Any]], None]:
    def change(n: int, attributes: dict[str, Any]) -> None:
        for keyword, value in tags.items():
            attributes[keyword] = value(n)

    return change


def clean(folder: Path) -> list[Path]:
    return write_series(folder)


def instance_numbers_reversed(folder: Path) -> None:
    write_series(folder, change=per_slice(InstanceNumber=lambda n: 100 - n))


def instance_numbers_equal(folder: Path) -> None:
    write_series(folder, InstanceNumber=1)


def no_file_ending(folder: Path) -> None:
    for n, file in enumerate(clean(folder)):
        file.rename(folder / f"IM{n * 7 % 13:04d}")


def junk_files(folder: Path) -> None:
    clean(folder)
    (folder / "readme.txt").write_text("CT of the phantom, 12 slices\n")
    (folder / "thumbs.db").write_bytes(bytes(range(256)) * 20)
    (folder / ".hidden").write_bytes(b"\x08\x00junk" * 40)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))


def zero_length_file(folder: Path) -> None:
    clean(folder)
    (folder / "slice999.dcm").touch()


def no_preamble(folder: Path) -> None:
    for file in clean(folder):
        bare = Dataset(pydicom.dcmread(file))
        pydicom.dcmwrite(file, bare, implicit_vr=True, little_endian=True)


def oriented(orientation: tuple[float, ...], **changes: Any) -> Build:
    def build(folder: Path) -> None:
        places = positions(orientation=orientation)
        write_series(folder, places, ImageOrientationPatient=list(orientation), **changes)

    return build


def thickness(folder: Path) -> None:
    write_series(folder, SliceThickness=5.0, SpacingBetweenSlices=-0.7, SliceLocation=0)


def rescale_per_slice(folder: Path) -> None:
    write_series(
        folder,
        change=per_slice(
            RescaleIntercept=lambda n: -1024 if n % 3 else -2036 - n,
            RescaleSlope=lambda n: 1 if n % 2 else 2,
        ),
        PixelRepresentation=1,
    )


def padded_cells(n: int, value: int) -> bytes:
    ds = make_slice(positions()[n])
    j, i = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    outside = (j - 9.5) ** 2 / 100 + (i - 11.5) ** 2 / 144 > 1
    stored = np.where(outside, value, np.rint(known_hu(pixel_points(ds))))
    return stored.astype(np.int16).tobytes()


def padding(tag: int | None, vr: str = "SS") -> Build:
    def build(folder: Path) -> None:
        files = write_series(
            folder, change=per_slice(PixelData=lambda n: padded_cells(n, -2000))
        )
        for file in files if tag is not None else ():
            ds = pydicom.dcmread(file)
            ds.add_new(0x00280120, vr, tag)
            ds.save_as(file)

    return build


def garbage_bits(folder: Path) -> None:
    def cells(n: int) -> bytes:
        stored = np.rint(known_hu(pixel_points(make_slice(positions()[n])))) + 1024
        return (stored.astype(np.uint16) | 0x9000).tobytes()

    write_series(
        folder, change=per_slice(PixelData=cells), BitsStored=12, HighBit=11,
        PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip


def overlay_in_high_bit(folder: Path) -> None:
    def cells(n: int) -> bytes:
        stored = (np.rint(known_hu(pixel_points(make_slice(positions()[n])))) + 1024).astype(
            int
        )
        stored[5:9, 3:11] |= 0x1000
        return stored.astype(np.uint16).tobytes()

    files = write_series(
        folder, change=per_slice(PixelData=cells), BitsStored=12, HighBit=11,
        PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip
    for file in files:
        ds = pydicom.dcmread(file)
        ds.add_new(0x60000010, "US", ROWS)
        ds.add_new(0x60000011, "US", COLUMNS)
        ds.add_new(0x60000040, "CS", "G")
        ds.add_new(0x60000100, "US", 16)
        ds.add_new(0x60000102, "US", 12)
        ds.save_as(file)


def jitter(folder: Path) -> None:
    rng = np.random.default_rng(3)
    write_series(folder, [p + rng.uniform(-5e-6, 5e-6, 3) for p in positions()])


def missing(*numbers: int) -> Build:
    def build(folder: Path) -> None:
        write_series(folder, [p for n, p in enumerate(positions(20)) if n not in numbers])

    return build


def spacing_doubles(folder: Path) -> None:
    offsets = [*range(8), *range(9, 18, 2)]
    write_series(folder, [np.add(ORIGIN, [0, 0, STEP * k]) for k in offsets])


def slice_twice(folder: Path) -> None:
    files = clean(folder)
    (folder / "copy.dcm").write_bytes(files[4].read_bytes())


def differing_duplicate(folder: Path) -> None:
    clean(folder)
    cells = np.zeros((ROWS, COLUMNS), np.int16).tobytes()
    save(make_slice(positions()[4], 5, PixelData=cells), folder / "other.dcm")


def localizer_inside(folder: Path) -> None:
    clean(folder)
    scout = make_slice(
        (0, -100, 0), 0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )  # fmt: skip
    save(scout, folder / "a_scout.dcm")


def tilted(degrees: float, offsets: list[float] | None = None) -> Build:
    """Slices tilted by an angle about x, the table moving along z."""

    def build(folder: Path) -> None:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        steps = [STEP * k for k in range(SLICES)] if offsets is None else offsets
        places = [np.add(ORIGIN, [0, 0, step]) for step in steps]
        write_series(folder, places, ImageOrientationPatient=[1, 0, 0, 0, c, s])

    return build


def two_series(folder: Path) -> None:
    write_series(folder / "a", SeriesInstanceUID="1.2.7.1", SeriesNumber=1)
    moved = positions(origin=(40, 50, 60))
    write_series(folder / "b", moved, SeriesInstanceUID="1.2.7.2", SeriesNumber=2)


def two_phases(**differing: tuple[Any, Any]) -> Build:
    def build(folder: Path) -> None:
        for phase in (0, 1):
            tags = {keyword: values[phase] for keyword, values in differing.items()}
            first = 1 + phase * SLICES
            write_series(
                folder / str(phase),
                change=per_slice(InstanceNumber=lambda n, first=first: first + n),
                **tags,
            )

    return build


def mixed(orientation: tuple[float, ...] = AXIAL, **tags: Any) -> Build:
    """Two stacks under one series UID that differ in a hard key."""

    def build(folder: Path) -> None:
        clean(folder / "a")
        places = positions(orientation=orientation, origin=(3, 4, 5))
        write_series(folder / "b", places, ImageOrientationPatient=list(orientation), **tags)

    return build


def enhanced(folder: Path, *, order: list[int] | None = None, drop: int | None = None) -> None:
    """One enhanced multi-frame file: shuffled frames, each with its own rescale."""
    shuffled = list(np.random.default_rng(1).permutation(SLICES)) if order is None else order
    slices = [make_slice(positions()[n], n + 1) for n in shuffled]
    ds = make_slice(ORIGIN, 1)
    for keyword in (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
        "RescaleSlope", "RescaleIntercept", "RescaleType",
    ):  # fmt: skip
        delattr(ds, keyword)
    ds.SOPClassUID, ds.NumberOfFrames = uid.EnhancedCTImageStorage, SLICES
    shared, per_frame, cells = Dataset(), [], []
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = slices[0].PixelSpacing, STEP
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    for place, (n, one) in enumerate(zip(shuffled, slices, strict=True)):
        item, position, rescale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        rescale.RescaleSlope, rescale.RescaleType = 1 + n % 2, "HU"
        rescale.RescaleIntercept = -1024 - int(n)
        item.PlanePositionSequence = Sequence([position])
        if place != drop:
            item.PixelValueTransformationSequence = Sequence([rescale])
        per_frame.append(item)
        one.RescaleSlope, one.RescaleIntercept = rescale.RescaleSlope, rescale.RescaleIntercept
        cells.append(stored_of(one, known_hu(pixel_points(one))).tobytes())
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(per_frame)
    ds.PixelData = b"".join(cells)
    save(ds, folder / "enhanced.dcm")


def compressed(syntax: str) -> Build:
    def build(folder: Path) -> None:
        for n, place in enumerate(positions()):
            ds = make_slice(place, n, PixelRepresentation=0, RescaleIntercept=-1024)
            cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
            if syntax == uid.RLELossless:
                ds.compress(syntax, cells, generate_instance_uid=False)
            else:
                ds.PixelData = encapsulate([encode(cells, syntax)])
                ds["PixelData"].is_undefined_length = True
            save(ds, folder / f"{n}.dcm", syntax)

    return build


def encode(cells: np.ndarray, syntax: str) -> bytes:
    if syntax == uid.JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(cells))
    return bytes(imagecodecs.jpeg2k_encode(cells, level=0, reversible=True, codecformat="j2k"))


def sign_mismatch(folder: Path) -> None:
    """JPEG 2000 that calls its samples unsigned under PixelRepresentation 1."""
    for n, place in enumerate(positions()):
        ds = make_slice(place, n)
        cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
        ds.PixelData = encapsulate([encode(cells, uid.JPEG2000Lossless)])
        ds["PixelData"].is_undefined_length = True
        save(ds, folder / f"{n}.dcm", uid.JPEG2000Lossless)


def fragmented_multi_frame(folder: Path) -> None:
    """Three fragments a frame, and no offset table that would say so."""
    enhanced(folder)
    ds = pydicom.dcmread(folder / "enhanced.dcm")
    cells = np.frombuffer(ds.PixelData, np.int16).reshape(SLICES, ROWS, COLUMNS)
    frames = [encode(c.view(np.uint16), uid.JPEGLSLossless) for c in cells]
    ds.PixelData = encapsulate(frames, fragments_per_frame=3, has_bot=False)
    ds["PixelData"].is_undefined_length = True
    save(ds, folder / "enhanced.dcm", uid.JPEGLSLossless)


def big_endian(folder: Path) -> None:
    for n, place in enumerate(positions()):
        ds = make_slice(place, n)
        ds.PixelData = np.frombuffer(ds.PixelData, np.int16).byteswap().tobytes()
        save(ds, folder / f"{n}.dcm", uid.ExplicitVRBigEndian)


def deflated(folder: Path) -> None:
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
        ds.save_as(file)


def modality_lut(folder: Path) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [4096, 0, 16])
    item.add_new(0x00283006, "SS", [int(v) - 1024 for v in range(4096)])
    item.ModalityLUTType = "HU"

    def cells(n: int) -> bytes:
        stored = np.rint(known_hu(pixel_points(make_slice(positions()[n])))) + 1024
        return stored.astype(np.uint16).tobytes()

    write_series(
        folder, change=per_slice(PixelData=cells), PixelRepresentation=0, RescaleSlope=None,
        RescaleIntercept=None, RescaleType=None, ModalityLUTSequence=Sequence([item]),
    )  # fmt: skip


def cut_off(number: int) -> Build:
    def build(folder: Path) -> None:
        file = clean(folder)[number]
        file.write_bytes(file.read_bytes()[:-300])

    return build


def damaged_stream(folder: Path) -> None:
    compressed(uid.JPEG2000Lossless)(folder)
    file = folder / "5.dcm"
    raw = file.read_bytes()
    start = raw.index(b"\xff\x4f\xff\x51")
    file.write_bytes(raw[: start + 60] + bytes(len(raw) - start - 68) + raw[-8:])


def other_objects(folder: Path) -> None:
    """What lies beside a CT in an archive's folder."""
    clean(folder)
    others = {
        "seg": ("1.2.840.10008.5.1.4.1.1.66.4", "SEG"),
        "rtstruct": ("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"),
        "dose_report": ("1.2.840.10008.5.1.4.1.1.88.67", "SR"),
        "screen": ("1.2.840.10008.5.1.4.1.1.7", "CT"),
        "mr": ("1.2.840.10008.5.1.4.1.1.4", "MR"),
    }
    for name, (sop_class, modality) in others.items():
        ds = make_slice((0, 0, 0), SOPClassUID=sop_class, Modality=modality)
        if name in ("rtstruct", "dose_report"):
            del ds.PixelData, ds.Rows, ds.Columns
        if name == "mr":
            ds.SeriesInstanceUID = "1.2.77"
        save(ds, folder / f"{name}.dcm")
    index = Dataset()
    index.SOPClassUID, index.SOPInstanceUID = uid.MediaStorageDirectoryStorage, "1.2.88"
    index.FileSetID = "ARCHIVE"
    save(index, folder / "DICOMDIR")


def colour_screen_of_modality_ct(folder: Path) -> None:
    clean(folder)
    cells = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    screen = make_slice(
        (0, 0, 0), SamplesPerPixel=3, PhotometricInterpretation="RGB", BitsAllocated=8,
        BitsStored=8, HighBit=7, PixelRepresentation=0, PlanarConfiguration=0,
        PixelData=cells.tobytes(),
    )  # fmt: skip
    save(screen, folder / "screen.dcm")


def broken_private_sequence(folder: Path) -> None:
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        ds.add_new(0x00091001, "UN", b"\xfe\xff\x00\xe0\x30\x00\x00\x00garbage-")
        ds.save_as(file)


def one_without_rescale(folder: Path) -> None:
    write_series(
        folder, positions(20),
        lambda n, tags: tags.update(RescaleIntercept=None if n == 13 else -1024),
    )  # fmt: skip


def one_place(folder: Path) -> None:
    def cells(n: int) -> bytes:
        return np.full((ROWS, COLUMNS), n, np.int16).tobytes()

    write_series(folder, [ORIGIN] * 6, change=per_slice(PixelData=cells))


def orientation_not_unit(folder: Path) -> None:
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        ds.ImageOrientationPatient = [2.0, 0, 0, 0, 3.0, 0]
        ds.save_as(file)


def slice_beside(folder: Path) -> None:
    places = positions()
    places[6] = places[6] + np.array([0, 25.0, 0])
    write_series(folder, places)


def with_tag(**tags: Any) -> Build:
    return lambda folder: write_series(folder, **tags)


def slices_with(change: Callable[[int], dict[str, Any]]) -> Build:
    return lambda folder: write_series(folder, change=lambda n, tags: tags.update(change(n)))


def taking_turns(folder: Path) -> None:
    """Two phases at the same places, told apart by odd and even InstanceNumbers alone."""
    for phase in (0, 1):
        write_series(
            folder / str(phase),
            change=per_slice(
                InstanceNumber=lambda n, phase=phase: 2 * n + phase + 1,
                RescaleIntercept=lambda n, phase=phase: -1024 * phase,
            ),
        )


def twice_with_the_same_numbers(folder: Path) -> None:
    for phase in (0, 1):
        shift = 50 * phase
        write_series(
            folder / str(phase),
            change=per_slice(
                PixelData=lambda n, shift=shift: (
                    (np.rint(known_hu(pixel_points(make_slice(positions()[n])))) + shift)
                    .astype(np.int16)
                    .tobytes()
                )
            ),
        )


def copied_twice(folder: Path) -> None:
    for name in ("a", "b"):
        write_series(folder / name)


def thick_and_thin(folder: Path) -> None:
    """1 mm slices every 2 mm and 5 mm slices every 6 mm between them, under one UID."""
    clean(folder / "thin")
    places = positions(6, step=6.0, origin=(ORIGIN[0], ORIGIN[1], ORIGIN[2] - 5.3))
    write_series(folder / "thick", places, SliceThickness=5.0)


def cut_off_many(*numbers: int) -> Build:
    def build(folder: Path) -> None:
        files = clean(folder)
        for number in numbers or range(SLICES):
            files[number].write_bytes(files[number].read_bytes()[:-300])

    return build


def uneven_and_cut_off(folder: Path) -> None:
    spacing_doubles(folder)
    file = folder / "slice003.dcm"
    file.write_bytes(file.read_bytes()[:-300])


def fragmented_and_cut_off(folder: Path) -> None:
    fragmented_multi_frame(folder)
    file = folder / "enhanced.dcm"
    file.write_bytes(file.read_bytes()[:-2000])


def padding_beyond_the_stored_bits(folder: Path) -> None:
    """12 stored bits; padding is the whole cell 0xF830, whose low bits a bone has too."""

    def cells(n: int) -> bytes:
        stored = np.rint(known_hu(pixel_points(make_slice(positions()[n])))) + 1024
        stored[0] = 0xF830
        return stored.astype(np.uint16).tobytes()

    files = write_series(
        folder, change=per_slice(PixelData=cells), BitsStored=12, HighBit=11,
        PixelRepresentation=0, RescaleIntercept=-1024,
    )  # fmt: skip
    for file in files:
        ds = pydicom.dcmread(file)
        ds.add_new(0x00280120, "US", 0xF830)
        ds.save_as(file)


def padding_in_few_corners(folder: Path) -> None:
    """Padding without a tag that fills the corners of most slices, not of all."""

    def cells(n: int) -> bytes:
        stored = np.rint(known_hu(pixel_points(make_slice(positions()[n]))))
        if n == 4:
            stored[8:12, 0] = -2000
        else:
            stored[:, 0] = -2000
        return stored.astype(np.int16).tobytes()

    write_series(folder, change=per_slice(PixelData=cells))


def broken_modality_lut(folder: Path) -> None:
    modality_lut(folder)
    for file in sorted(folder.iterdir()):
        ds = pydicom.dcmread(file)
        ds.ModalityLUTSequence[0].add_new(0x00283002, "US", [4000, 0, 16])
        ds.save_as(file)


CORONAL = (1.0, 0, 0, 0, 0, -1)
SAGITTAL = (0.0, 1, 0, 0, 0, -1)
OBLIQUE = (0.9541666, -0.2080757, 0.2151061, 0.2785886, 0.880128, -0.3843997)
NEXT_PHASE = {"AcquisitionNumber": (1, 2)}

TRAPS: dict[str, Trap] = {
    # the classic 26
    "clean": Trap(clean, "ok"),
    "instance numbers reversed": Trap(instance_numbers_reversed, "ok"),
    "instance numbers all equal": Trap(instance_numbers_equal, "ok"),
    "no file ending": Trap(no_file_ending, "ok"),
    "junk files": Trap(junk_files, "ok"),
    "no preamble, no meta": Trap(no_preamble, "ok", ("without preamble",)),
    "coronal": Trap(oriented(CORONAL), "ok"),
    "rows and columns flipped": Trap(oriented((-1, 0, 0, 0, -1, 0)), "ok"),
    "rotated in plane": Trap(oriented((0.8, 0.6, 0, -0.6, 0.8, 0)), "ok"),
    "thickness is not spacing": Trap(thickness, "ok", ("SliceThickness is 5 mm",)),
    "rescale per slice": Trap(rescale_per_slice, "ok", ("rescale differs",)),
    "padding without tag": Trap(padding(None), "ok", ("no tag announces",)),
    "padding with tag": Trap(padding(-2000), "ok", ("PixelPaddingValue",)),
    "garbage above BitsStored": Trap(garbage_bits, "ok"),
    "micrometre jitter": Trap(jitter, "ok"),
    "one slice missing": Trap(
        missing(7), "repaired", ("slice006.dcm", "slice007.dcm", "FILLED"), slices=20
    ),
    "spacing doubles half-way": Trap(
        spacing_doubles, "repaired", ("7 x 2 mm", "5 x 4 mm"), slices=18
    ),
    "one slice twice": Trap(slice_twice, "repaired", ("copy.dcm", "dropped")),
    "localizer inside the series": Trap(localizer_inside, "ok", ("localizer",)),
    "gantry tilt": Trap(tilted(18.0), "repaired", ("18.00 degrees", "tilted gantry")),
    "two series in one folder": Trap(two_series, "ok", volumes=2),
    "two phases at the same places": Trap(
        two_phases(**NEXT_PHASE), "split", ("AcquisitionNumber",), volumes=2
    ),
    "enhanced multi-frame, shuffled": Trap(enhanced, "ok", ("rescale differs",)),
    "RLE": Trap(compressed(uid.RLELossless), "ok"),
    "JPEG 2000": Trap(compressed(uid.JPEG2000Lossless), "ok"),
    "JPEG-LS": Trap(compressed(uid.JPEGLSLossless), "ok"),
    "big endian": Trap(big_endian, "ok"),
    # more of the same kinds
    "deflated": Trap(deflated, "ok"),
    "MONOCHROME1": Trap(with_tag(PhotometricInterpretation="MONOCHROME1"), "ok"),
    "Modality LUT": Trap(modality_lut, "ok", ("Modality LUT",)),
    "overlay in a high bit": Trap(overlay_in_high_bit, "ok"),
    "mixed pixel spacing": Trap(
        mixed(PixelSpacing=[1.6, 1.0]), "split", ("pixel spacing",), volumes=2
    ),
    "mixed matrix size": Trap(mixed(Rows=16), "split", ("matrix size",), volumes=2),
    "mixed frame of reference": Trap(
        mixed(FrameOfReferenceUID="1.2.99"), "split", ("frame of reference",), volumes=2
    ),
    "mixed kernels": Trap(mixed(ConvolutionKernel="B70f"), "split", ("kernel",), volumes=2),
    "mixed patients": Trap(mixed(PatientID="another"), "split", ("patient",), volumes=2),
    "axial and sagittal under one UID": Trap(
        mixed(SAGITTAL), "split", ("orientation",), volumes=2
    ),
    "phases told apart by time": Trap(
        two_phases(ContentTime=("101010", "101055")), "split", ("ContentTime",), volumes=2
    ),
    "phases told apart by number alone": Trap(
        two_phases(), "split", ("InstanceNumber",), volumes=2
    ),
    "temporal positions": Trap(
        two_phases(TemporalPositionIdentifier=(1, 2)), "split", ("temporal",), volumes=2
    ),
    "zero-length file": Trap(zero_length_file, "ok", ("slice999.dcm", "0 bytes")),
    "inner slice cut off": Trap(cut_off(5), "repaired", ("slice005.dcm", "cut off", "FILLED")),
    "last slice cut off": Trap(
        cut_off(SLICES - 1), "repaired", ("slice011.dcm", "shorter"), slices=SLICES - 1
    ),
    "inner stream damaged": Trap(damaged_stream, "repaired", ("5.dcm", "FILLED")),
    "orientation not of unit length": Trap(
        orientation_not_unit, "ok", ("lengths",)
    ),
    "fractional rescale": Trap(with_tag(RescaleSlope="1.5"), "ok"),
    "RescaleType absent": Trap(with_tag(RescaleType=None), "ok", ("assumed",)),
    "other objects beside it": Trap(other_objects, "ok"),
    "colour screen of Modality CT": Trap(colour_screen_of_modality_ct, "ok"),
    "one slice": Trap(
        lambda folder: write_series(folder, positions(1)), "ok", ("lone slice",), slices=1
    ),
    "padding 63536 as US with signed pixels": Trap(padding(63536, "US"), "ok"),
    "tilt of the other sign": Trap(tilted(-22.0), "repaired", ("22.00 degrees",)),
    "tilt with uneven gaps": Trap(
        tilted(12.0, [0, 2, 4, 6, 8, 11, 14, 17, 20]), "repaired",
        ("unevenly", "12.00 degrees"), slices=11,
    ),
    "two slices missing at two places": Trap(missing(5, 12), "repaired", slices=20),
    "two neighbours missing": Trap(
        missing(8, 9), "repaired", ("2 slices are missing",), slices=20
    ),
    "empty SeriesInstanceUID": Trap(
        with_tag(SeriesInstanceUID=""), "ok", ("SeriesInstanceUID is empty",)
    ),
    "mangled SOP class": Trap(
        with_tag(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.999"), "ok", ("SOP class",)
    ),
    "frames in descending order": Trap(
        lambda folder: enhanced(folder, order=list(range(SLICES))[::-1]), "ok"
    ),
    "fragmented multi-frame JPEG-LS": Trap(fragmented_multi_frame, "ok"),
    "feet first, prone": Trap(oriented((1.0, 0, 0, 0, -1.0, 0)), "ok"),
    "oblique": Trap(oriented(OBLIQUE), "ok"),
    "JPEG 2000 of the wrong sign": Trap(sign_mismatch, "ok", ("disagree about the sign",)),
    "broken private sequence": Trap(broken_private_sequence, "ok"),
    "phases that take turns in number": Trap(
        taking_turns, "split", ("InstanceNumber",), volumes=2
    ),
    "the whole series copied": Trap(copied_twice, "repaired", ("12 copies were dropped",)),
    "thick and thin slices interleaved": Trap(
        thick_and_thin, "split", ("SliceThickness",), volumes=2
    ),
    "uneven and one cut off": Trap(
        uneven_and_cut_off, "repaired", ("unevenly", "slice003.dcm"), slices=18
    ),
    "padding beyond the stored bits": Trap(padding_beyond_the_stored_bits, "ok"),
    "padding in few corners": Trap(padding_in_few_corners, "ok", ("no tag announces",)),
    "tube voltage spelled in two ways": Trap(
        slices_with(lambda n: {"KVP": ("120", "120.0")[n % 2]}), "ok"
    ),
    "mixed tube voltages": Trap(mixed(KVP=80), "split", ("tube voltage",), volumes=2),
    # no right volume can be made
    "one slice of twenty without rescale": Trap(
        one_without_rescale, "refused", ("slice013.dcm", "RescaleIntercept")
    ),
    "one frame of many without rescale": Trap(
        lambda folder: enhanced(folder, drop=4), "refused", ("frame", "missing")
    ),
    "RescaleType not HU": Trap(with_tag(RescaleType="OD"), "refused", ("OD", "as_stored")),
    "slope zero": Trap(
        with_tag(RescaleSlope=0, PixelData=bytes(2 * ROWS * COLUMNS)),
        "refused", ("RescaleSlope is 0",),
    ),
    "MR": Trap(with_tag(Modality="MR", SOPClassUID=uid.MRImageStorage), "refused", ("MR",)),
    "perfusion map": Trap(
        with_tag(ImageType=["DERIVED", "PRIMARY", "AXIAL", "RCBF"]), "refused", ("RCBF",)
    ),
    "orientation missing": Trap(
        with_tag(ImageOrientationPatient=None), "refused", ("OrientationPatient is missing",)
    ),
    "orientation zero": Trap(
        with_tag(ImageOrientationPatient=[0] * 6), "refused", ("names no plane",)
    ),
    "orientation not orthogonal": Trap(
        with_tag(ImageOrientationPatient=[1, 0, 0, 0.5, 0.8660254, 0]), "refused", ("degrees",)
    ),
    "pixel spacing missing": Trap(with_tag(PixelSpacing=None), "refused", ("PixelSpacing",)),
    "pixel spacing zero": Trap(
        with_tag(PixelSpacing=[0, 0.5], PixelData=bytes(2 * ROWS * COLUMNS)),
        "refused", ("PixelSpacing 0",),
    ),
    "pixel spacing negative": Trap(
        with_tag(PixelSpacing=[-0.8, 0.5]), "refused", ("not two positive numbers",)
    ),
    "position missing in one slice": Trap(
        slices_with(lambda n: {"ImagePositionPatient": None} if n == 4 else {}),
        "refused", ("ImagePositionPatient",),
    ),
    "a seventh of the slices missing": Trap(
        missing(3, 8, 13, 15), "repaired", ("unevenly", "RESAMPLED"), slices=20
    ),
    "a gap of five": Trap(missing(8, 9, 10, 11), "refused", ("slice007.dcm", "10 mm")),
    "differing duplicate": Trap(differing_duplicate, "refused", ("other.dcm", "differ")),
    "all slices at one place": Trap(one_place, "refused", ("at one place",)),
    "one slice beside the others": Trap(slice_beside, "refused", ("slice006.dcm", "25 mm")),
    "no PixelRepresentation": Trap(
        with_tag(PixelRepresentation=None), "refused", ("PixelRepresentation",)
    ),
    "two phases with the same numbers": Trap(
        twice_with_the_same_numbers, "refused", ("same place and differ",)
    ),
    "all slices cut off": Trap(cut_off_many(), "refused", ("no slice can be read",)),
    "a sixth of the slices cut off": Trap(
        cut_off_many(4, 8), "refused", ("slice004.dcm", "more than a tenth")
    ),
    "three neighbours cut off": Trap(cut_off_many(4, 5, 6), "refused", ("slice003.dcm",)),
    "multi-frame stream cut off": Trap(fragmented_and_cut_off, "refused", ("cut off",)),
    "broken Modality LUT": Trap(broken_modality_lut, "refused", ("Modality LUT",)),
    "sheared beyond reason": Trap(
        tilted(80.0, [4.0 * k for k in range(SLICES)]), "refused", ("not one grid",)
    ),
    "BitsStored above BitsAllocated": Trap(
        with_tag(BitsStored=17), "refused", ("BitsStored is 17",)
    ),
    "BitsAllocated of 12": Trap(with_tag(BitsAllocated=12), "refused", ("12",)),
    "HighBit below the stored bits": Trap(with_tag(HighBit=3), "refused", ("HighBit is 3",)),
    "no rows": Trap(
        with_tag(Rows=0, PixelData=bytes(2 * ROWS * COLUMNS)), "refused", ("Rows 0",)
    ),
    "PixelSpacing of one number": Trap(
        slices_with(lambda n: {"PixelSpacing": "0.8", "PixelData": bytes(2 * ROWS * COLUMNS)}),
        "refused", ("PixelSpacing 0.8",),
    ),
}  # fmt: skip
