"""What must come out of the traps, and the less ordinary ones, which are written here alone.

Those that `hounsview phantom traps` writes come from `hounsview.traps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import encapsulate

from hounsview import traps
from hounsview.traps.encodings import compressed, encode, enhanced
from hounsview.traps.files import cut_off
from hounsview.traps.places import (
    missing,
    mixed,
    oriented,
    spacing_doubles,
    tilted,
    two_phases,
)
from hounsview.traps.recipes import Build, clean, slices_with, with_tag
from hounsview.traps.slices import known_stored, per_slice
from hounsview.traps.values import modality_lut, padding
from series_kit import (
    COLUMNS,
    ORIGIN,
    ROWS,
    SLICES,
    make_slice,
    positions,
    save,
    write_series,
)


@dataclass(frozen=True)
class Trap:
    """A builder, the status of every volume that must come out, and words of the report."""

    build: Build
    status: str
    words: tuple[str, ...] = ()
    volumes: int = 1
    slices: int | None = SLICES


def written(name: str) -> Build:
    """What the command writes under this name."""
    return traps.TRAPS[name].build


def differing_duplicate(folder: Path) -> None:
    clean(folder)
    cells = np.zeros((ROWS, COLUMNS), np.int16).tobytes()
    save(make_slice(positions()[4], 5, PixelData=cells), folder / "other.dcm")


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


def damaged_stream(folder: Path) -> None:
    compressed(uid.JPEG2000Lossless)(folder)
    file = folder / "slice005.dcm"
    raw = file.read_bytes()
    start = raw.index(b"\xff\x4f\xff\x51")
    file.write_bytes(raw[: start + 60] + bytes(len(raw) - start - 68) + raw[-8:])


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
                    known_stored(n, -shift).astype(np.int16).tobytes()
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
        stored = known_stored(n, -1024)
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
        stored = known_stored(n)
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


OBLIQUE = (0.9541666, -0.2080757, 0.2151061, 0.2785886, 0.880128, -0.3843997)

TRAPS: dict[str, Trap] = {
    # the classic 26
    "clean": Trap(written("clean"), "ok"),
    "instance numbers reversed": Trap(written("instance-numbers-reversed"), "ok"),
    "instance numbers all equal": Trap(written("instance-numbers-equal"), "ok"),
    "no file ending": Trap(written("no-file-ending"), "ok"),
    "names without zeros": Trap(written("names-without-zeros"), "ok"),
    "junk files": Trap(written("junk-files"), "ok"),
    "no preamble, no meta": Trap(written("no-preamble"), "ok", ("without preamble",)),
    "coronal": Trap(written("coronal"), "ok"),
    "rows and columns flipped": Trap(written("rows-and-columns-flipped"), "ok"),
    "rotated in plane": Trap(written("rotated-in-plane"), "ok"),
    "thickness is not spacing": Trap(
        written("thickness-is-not-spacing"), "ok", ("SliceThickness is 5 mm",)
    ),
    "rescale per slice": Trap(written("rescale-per-slice"), "ok", ("rescale differs",)),
    "padding without tag": Trap(written("padding-without-tag"), "ok", ("no tag announces",)),
    "padding with tag": Trap(written("padding-with-tag"), "ok", ("PixelPaddingValue",)),
    "garbage above BitsStored": Trap(written("garbage-above-bits-stored"), "ok"),
    "micrometre jitter": Trap(written("position-jitter"), "ok"),
    "one slice missing": Trap(
        written("one-slice-missing"), "repaired",
        ("slice006.dcm", "slice007.dcm", "FILLED"), slices=20,
    ),
    "spacing doubles half-way": Trap(
        written("spacing-doubles"), "repaired", ("7 x 2 mm", "5 x 4 mm"), slices=18
    ),
    "one slice twice": Trap(written("one-slice-twice"), "repaired", ("copy.dcm", "dropped")),
    "localizer inside the series": Trap(written("localizer-inside"), "ok", ("localizer",)),
    "gantry tilt": Trap(written("gantry-tilt"), "repaired", ("18.00 degrees", "tilted gantry")),
    "two series in one folder": Trap(written("two-series"), "ok", volumes=2),
    "two phases at the same places": Trap(
        written("two-phases"), "split", ("AcquisitionNumber",), volumes=2
    ),
    "enhanced multi-frame, shuffled": Trap(
        written("enhanced-multi-frame"), "ok", ("rescale differs",)
    ),
    "RLE": Trap(written("rle"), "ok"),
    "JPEG 2000": Trap(written("jpeg-2000"), "ok"),
    "JPEG-LS": Trap(written("jpeg-ls"), "ok"),
    "big endian": Trap(written("big-endian"), "ok"),
    # more of the same kinds
    "deflated": Trap(written("deflated"), "ok"),
    "MONOCHROME1": Trap(written("monochrome1"), "ok"),
    "Modality LUT": Trap(written("modality-lut"), "ok", ("Modality LUT",)),
    "overlay in a high bit": Trap(written("overlay-in-a-high-bit"), "ok"),
    "mixed pixel spacing": Trap(
        written("mixed-pixel-spacing"), "split", ("pixel spacing",), volumes=2
    ),
    "mixed matrix size": Trap(
        written("mixed-matrix-size"), "split", ("matrix size",), volumes=2
    ),
    "mixed frame of reference": Trap(
        mixed(FrameOfReferenceUID="1.2.99"), "split", ("frame of reference",), volumes=2
    ),
    "mixed kernels": Trap(mixed(ConvolutionKernel="B70f"), "split", ("kernel",), volumes=2),
    "mixed patients": Trap(mixed(PatientID="another"), "split", ("patient",), volumes=2),
    "axial and sagittal under one UID": Trap(
        written("axial-and-sagittal"), "split", ("orientation",), volumes=2
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
    "zero-length file": Trap(written("zero-length-file"), "ok", ("slice999.dcm", "0 bytes")),
    "inner slice cut off": Trap(
        written("cut-off-file"), "repaired", ("slice005.dcm", "cut off", "FILLED")
    ),
    "last slice cut off": Trap(
        cut_off(SLICES - 1), "repaired", ("slice011.dcm", "shorter"), slices=SLICES - 1
    ),
    "inner stream damaged": Trap(damaged_stream, "repaired", ("5.dcm", "FILLED")),
    "orientation not of unit length": Trap(
        orientation_not_unit, "ok", ("lengths",)
    ),
    "fractional rescale": Trap(written("fractional-rescale"), "ok"),
    "RescaleType absent": Trap(with_tag(RescaleType=None), "ok", ("assumed",)),
    "other objects beside it": Trap(written("other-objects"), "ok"),
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
        written("one-without-rescale"), "refused", ("slice013.dcm", "RescaleIntercept")
    ),
    "one frame of many without rescale": Trap(
        lambda folder: enhanced(folder, drop=4), "refused", ("frame", "missing")
    ),
    "RescaleType not HU": Trap(written("rescale-type-not-hu"), "refused", ("OD", "as_stored")),
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
