"""Traps that lie in the files: names, order, neighbours, and what is left of them."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom import uid
from pydicom.dataset import Dataset

from hounsview.traps.recipes import Build, clean
from hounsview.traps.slices import make_slice, per_slice, save, write_series


def instance_numbers_reversed(folder: Path) -> None:
    """Write a series that InstanceNumber counts from the other end."""
    write_series(folder, change=per_slice(InstanceNumber=lambda n: 100 - n))


def no_file_ending(folder: Path) -> None:
    """Write a series whose file names have no ending and no order."""
    for n, file in enumerate(clean(folder)):
        file.rename(folder / f"IM{n * 7 % 13:04d}")


def names_without_zeros(folder: Path) -> None:
    """Write a series whose names count 1, 2 ... 10, 11: sorted as text, 10 follows 1."""
    for n, file in enumerate(clean(folder)):
        file.rename(folder / f"{n + 1}.dcm")


def junk_files(folder: Path) -> None:
    """Write a series among files that are none of it."""
    clean(folder)
    (folder / "readme.txt").write_text("CT of the phantom, 12 slices\n")
    (folder / "thumbs.db").write_bytes(bytes(range(256)) * 20)
    (folder / ".hidden").write_bytes(b"\x08\x00junk" * 40)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))


def zero_length_file(folder: Path) -> None:
    """Write a series beside an empty file."""
    clean(folder)
    (folder / "slice999.dcm").touch()


def no_preamble(folder: Path) -> None:
    """Write implicit VR data sets alone, as before PS3.10 files were usual."""
    for file in clean(folder):
        bare = Dataset(pydicom.dcmread(file))
        pydicom.dcmwrite(file, bare, implicit_vr=True, little_endian=True)


def cut_off(number: int) -> Build:
    """Return what writes a series one of whose files lost its last 300 bytes."""

    def build(folder: Path) -> None:
        file = clean(folder)[number]
        file.write_bytes(file.read_bytes()[:-300])

    return build


def slice_twice(folder: Path) -> None:
    """Write a series with a second copy of one file."""
    files = clean(folder)
    (folder / "copy.dcm").write_bytes(files[4].read_bytes())


def other_objects(folder: Path) -> None:
    """Write a series with what lies beside a CT in an archive's folder."""
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
