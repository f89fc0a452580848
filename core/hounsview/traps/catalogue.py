"""The traps that are written for a person: their names, and what is wrong with each.

How often one is met is a rough word out of public archives and scanners, not a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from pydicom import uid

from hounsview.traps import encodings, files, places, values
from hounsview.traps.recipes import Build, clean, with_tag

Often = Literal["usually", "often", "sometimes", "rarely"]


@dataclass(frozen=True)
class Trap:
    """A series that a reader can get wrong.

    Parameters
    ----------
    wrong : str
        One sentence: what is wrong with it, or unlike what a reader may expect.
    met : str
        ``"usually"``, ``"often"``, ``"sometimes"`` or ``"rarely"``.
    build : callable
        Writes it into a folder.
    """

    wrong: str
    met: Often
    build: Build = field(repr=False)


_ORDER_AND_FILES: Final = {
    "clean": Trap("Nothing is wrong: the series to compare with.", "usually", clean),
    "instance-numbers-reversed": Trap(
        "InstanceNumber counts from the other end: its order is not the patient's.",
        "often", files.instance_numbers_reversed,
    ),
    "instance-numbers-equal": Trap(
        "Every slice has InstanceNumber 1: it gives no order at all.",
        "rarely", with_tag(InstanceNumber=1),
    ),
    "no-file-ending": Trap(
        "The files have no .dcm ending, and their names are in no order.",
        "usually", files.no_file_ending,
    ),
    "names-without-zeros": Trap(
        "The files are 1.dcm to 12.dcm: sorted by name, 10 comes before 2.",
        "often", files.names_without_zeros,
    ),
    "junk-files": Trap(
        "Text, pictures and leftovers lie among the slices, some in folders below.",
        "often", files.junk_files,
    ),
    "no-preamble": Trap(
        "The files begin with the data set: no 128 bytes, no DICM, no meta information.",
        "rarely", files.no_preamble,
    ),
    "zero-length-file": Trap(
        "One file beside the slices is empty, as a broken copy leaves it.",
        "sometimes", files.zero_length_file,
    ),
    "cut-off-file": Trap(
        "One slice in the middle lost its last 300 bytes on the way.",
        "sometimes", files.cut_off(5),
    ),
    "one-slice-twice": Trap(
        "One slice is there in two files.", "often", files.slice_twice,
    ),
    "other-objects": Trap(
        "SEG, RTSTRUCT, dose report, screen, MR and a DICOMDIR lie beside the CT.",
        "often", files.other_objects,
    ),
}  # fmt: skip

_PLACES: Final = {
    "coronal": Trap(
        "The slices are coronal: they follow each other from front to back.",
        "sometimes", places.oriented(places.CORONAL),
    ),
    "rows-and-columns-flipped": Trap(
        "Columns run to the patient's right and rows to the front.",
        "sometimes", places.oriented((-1, 0, 0, 0, -1, 0)),
    ),
    "rotated-in-plane": Trap(
        "Rows and columns are turned by 37 degrees in the plane of the slice.",
        "rarely", places.oriented((0.8, 0.6, 0, -0.6, 0.8, 0)),
    ),
    "thickness-is-not-spacing": Trap(
        "Slices 5 mm thick lie 2 mm apart, and SpacingBetweenSlices says -0.7.",
        "often", places.thickness,
    ),
    "position-jitter": Trap(
        "Positions differ from an even grid in the sixth decimal.", "usually", places.jitter,
    ),
    "one-slice-missing": Trap(
        "One slice of twenty is not there: what follows lies 2 mm too low in a plain stack.",
        "often", places.missing(7),
    ),
    "spacing-doubles": Trap(
        "After the eighth slice the steps are 4 mm instead of 2.",
        "sometimes", places.spacing_doubles,
    ),
    "localizer-inside": Trap(
        "The coronal scout has the SeriesInstanceUID of the slices.",
        "sometimes", places.localizer_inside,
    ),
    "gantry-tilt": Trap(
        "The gantry was tilted by 18 degrees: the stack is a sheared block.",
        "sometimes", places.tilted(18.0),
    ),
    "two-series": Trap(
        "Two series of one patient lie in one folder.", "usually", places.two_series,
    ),
    "two-phases": Trap(
        "Every place was scanned twice under one SeriesInstanceUID.",
        "sometimes", places.two_phases(AcquisitionNumber=(1, 2)),
    ),
    "axial-and-sagittal": Trap(
        "Axial and sagittal slices share one SeriesInstanceUID.",
        "sometimes", places.mixed(places.SAGITTAL),
    ),
    "mixed-pixel-spacing": Trap(
        "Half of the slices have pixels twice as wide and high.",
        "rarely", places.mixed(PixelSpacing=[1.6, 1.0]),
    ),
    "mixed-matrix-size": Trap(
        "Half of the slices have 16 rows instead of 20.", "rarely", places.mixed(Rows=16),
    ),
}  # fmt: skip

_VALUES: Final = {
    "rescale-per-slice": Trap(
        "RescaleSlope and RescaleIntercept differ from slice to slice.",
        "sometimes", values.rescale_per_slice,
    ),
    "fractional-rescale": Trap(
        "RescaleSlope is 1.5: whole stored values are not whole HU.",
        "rarely", with_tag(RescaleSlope="1.5"),
    ),
    "padding-with-tag": Trap(
        "Outside the field of view stands -2000, and PixelPaddingValue says so.",
        "often", values.padding(-2000),
    ),
    "padding-without-tag": Trap(
        "Outside the field of view stands -2000, and no tag says that this is no HU.",
        "often", values.padding(None),
    ),
    "garbage-above-bits-stored": Trap(
        "Of the 16 bits of a pixel 12 count; the others hold something else.",
        "rarely", values.garbage_bits,
    ),
    "overlay-in-a-high-bit": Trap(
        "A drawing lies in the bit above the twelve that count.",
        "rarely", values.overlay_in_high_bit,
    ),
    "monochrome1": Trap(
        "PhotometricInterpretation asks for inverted grey; the HU stay as they are.",
        "rarely", with_tag(PhotometricInterpretation="MONOCHROME1"),
    ),
    "modality-lut": Trap(
        "HU come from a table, not from slope and intercept.", "rarely", values.modality_lut,
    ),
    "one-without-rescale": Trap(
        "One slice of twenty has no RescaleIntercept: its HU cannot be known.",
        "rarely", values.one_without_rescale,
    ),
    "rescale-type-not-hu": Trap(
        "RescaleType is OD, optical density: these are no HU.",
        "rarely", with_tag(RescaleType="OD"),
    ),
}  # fmt: skip

_ENCODINGS: Final = {
    "enhanced-multi-frame": Trap(
        "One file holds all slices, shuffled, each with its own rescale.",
        "sometimes", encodings.enhanced,
    ),
    "rle": Trap(
        "RLE: compressed without loss.", "rarely", encodings.compressed(uid.RLELossless),
    ),
    "jpeg-2000": Trap(
        "JPEG 2000: compressed without loss.",
        "often", encodings.compressed(uid.JPEG2000Lossless),
    ),
    "jpeg-ls": Trap(
        "JPEG-LS: compressed without loss.",
        "sometimes", encodings.compressed(uid.JPEGLSLossless),
    ),
    "big-endian": Trap(
        "Big endian: the bytes of every number are swapped.", "rarely", encodings.big_endian,
    ),
    "deflated": Trap(
        "Deflated: everything after the meta information is one zlib stream.",
        "rarely", encodings.deflated,
    ),
}  # fmt: skip

TRAPS: Final[Mapping[str, Trap]] = MappingProxyType(
    {**_ORDER_AND_FILES, **_PLACES, **_VALUES, **_ENCODINGS}
)
"""Every trap by the name of its folder."""
