"""NRRD (.nrrd, .nhdr): text header, LPS mm (https://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import GeometryError
from hounsview.geometry import Geometry
from hounsview.images.imagefiles import (
    affine_of_steps,
    beside,
    check_claim,
    geometry_of,
    needed,
    numbers,
    open_regular,
    remaining,
    require_orthogonal,
    require_position,
    sizes_of,
    wrong,
)
from hounsview.images.rawvalues import (
    GZIP,
    Image,
    Inflated,
    Layout,
    read_values,
    slices_of,
    write_deflated,
)
from hounsview.scanning import Progress
from hounsview.volume import Volume

_LONGEST_HEADER: Final = 1 << 20
_TYPES: Final = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, "
    "int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_DTYPE_OF: Final = {name: code for code, names in _TYPES.items() for name in names.split(", ")}
_TO_LPS: Final = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
}
_SHORT: Final = {
    "lps": "left-posterior-superior",
    "ras": "right-anterior-superior",
    "las": "left-anterior-superior",
}
_OTHER_NAMES: Final = {
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "sampleunits": "sample units",
}


def write_nrrd(volume: Volume, path: Path, name: str, progress: Progress | None = None) -> None:
    """Write a volume to `path` as NRRD, compressed.

    Raises
    ------
    GeometryError
        If the axes of the volume do not stand at right angles.
    CancelledError
        If `progress` returned False.
    """
    require_orthogonal(volume, "NRRD")
    affine = volume.geometry.affine
    vectors = [_vector(affine[:3, axis]) for axis in (2, 1, 0)]
    header = f"""NRRD0004
# written by hounsview
type: {"int16" if volume.hu.dtype == np.int16 else "float"}
dimension: 3
space: left-posterior-superior
sizes: {" ".join(str(n) for n in volume.shape[::-1])}
space directions: {" ".join(vectors)}
kinds: domain domain domain
endian: little
encoding: gzip
space origin: {_vector(volume.geometry.origin)}
unit:={volume.unit}

"""
    with path.open("wb") as file:
        file.write(header.encode("ascii"))
        write_deflated(file, slices_of(volume, progress, name), GZIP)


def _vector(values: npt.NDArray[np.float64]) -> str:
    return f"({','.join(repr(float(value)) for value in values)})"


def read_nrrd(path: Path, progress: Progress | None = None) -> Image:
    """Return what an NRRD file holds, or a header with its data file in the same folder.

    Raises
    ------
    PathNotFoundError, ImageFormatError
        If it is not there, damaged, or no single volume of plain numbers.
    GeometryError
        If it does not say where the voxels lie.
    CancelledError
        If `progress` returned False.
    """
    with open_regular(path) as file:
        fields, values = _read_header(file, path)
        layout = _layout_of(fields, path)
        geometry = _geometry_of(fields, layout, path)
        with _data_of(fields, file, path) as data:
            deflated = _is_deflated(fields, path)
            skipped = _byte_skip(fields, path, remaining(data) - layout.byte_count, deflated)
            data.seek(skipped, 1)
            check_claim(path, layout.byte_count, remaining(data), deflated=deflated)
            source = Inflated(data, path, GZIP) if deflated else data
            hu, valid, seen = read_values(source, layout, path, progress)
    unit = values.get("unit") or fields.get("sample units", "").strip('"')
    return Image(hu, geometry, valid, unit, seen)


def _read_header(file: BinaryIO, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields and the key/value pairs; the file stands behind the blank line."""
    if not re.match(rb"NRRD000[1-5]\r?\n", file.readline(16)):
        raise wrong(path, "it does not begin as an NRRD file")
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    while file.tell() < _LONGEST_HEADER:
        raw = file.readline(_LONGEST_HEADER)
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if not raw and "data file" not in fields:
                raise wrong(path, "its header does not end: the file is cut off")
            return fields, values
        if line.startswith("#"):
            continue
        key, pair, value = line.partition(":=")
        if pair:
            values[key] = value
            continue
        name, _, value = line.partition(":")
        name = name.strip().lower()
        fields[_OTHER_NAMES.get(name, name)] = value.strip()
    raise wrong(path, f"its header has no end within {_LONGEST_HEADER:,} bytes")


def _layout_of(fields: dict[str, str], path: Path) -> Layout:
    dimension = needed(path, fields, "dimension")
    if dimension != "3":
        raise wrong(
            path,
            f"it has {dimension[:20]} axes (colour, vectors or time), and a volume has three: "
            "extract one volume first",
        )
    kinds = fields.get("kinds", "").lower().split()
    if any(kind not in ("domain", "space", "???", "none") for kind in kinds):
        raise wrong(path, f"its axes are {' '.join(kinds)[:80]}, and not all of space")
    name = needed(path, fields, "type").lower()
    if name not in _DTYPE_OF:
        raise wrong(path, f"its values are of type {name[:40]!r}, which is no plain number")
    dtype = np.dtype(_DTYPE_OF[name])
    if dtype.itemsize > 1:
        endian = needed(path, fields, "endian").lower()
        if endian not in ("little", "big"):
            raise wrong(path, f"its field 'endian' is {endian[:20]!r}, not little or big")
        dtype = dtype.newbyteorder("<" if endian == "little" else ">")
    return Layout(sizes_of(path, needed(path, fields, "sizes"), "sizes"), dtype)


def _geometry_of(fields: dict[str, str], layout: Layout, path: Path) -> Geometry:
    """Return the grid.

    Raises
    ------
    GeometryError
        If space, directions or origin are not said, or make no grid.
    """
    require_position(path, fields, ("space", "space directions", "space origin"))
    said = fields["space"].lower().strip('"')
    space = _SHORT.get(said, said)
    if space not in _TO_LPS:
        msg = (
            f"{path}: its space is {space[:60]!r}, which is not the patient's; "
            f"{', '.join(_TO_LPS)} are read"
        )
        raise GeometryError(msg, files=[path])
    lengths = set(fields.get("space units", '"mm"').lower().replace('"', " ").split())
    if lengths - {"mm", "millimeter", "millimetre"}:
        raise wrong(path, f"its space units are {' '.join(lengths)[:60]}, and mm are read")
    steps = _vectors(path, fields["space directions"], 3, "space directions")
    origin = _vectors(path, fields["space origin"], 1, "space origin")[0]
    affine = affine_of_steps(steps * _TO_LPS[space], origin * _TO_LPS[space])
    return geometry_of(path, layout.shape, affine)


def _vectors(path: Path, text: str, count: int, what: str) -> npt.NDArray[np.float64]:
    """Return (count, 3) numbers of a text such as ``(1,0,0) (0,1,0) (0,0,1)``."""
    inside = re.findall(r"\(([^()]*)\)", text)
    outside = re.sub(r"\([^()]*\)", "", text).strip()
    if len(inside) != count or outside:
        raise wrong(path, f"{what} is {text[:80]!r}, where {count} vector(s) belong")
    rows = [numbers(path, part.replace(",", " "), what, 3) for part in inside]
    return np.asarray(rows, float)


def _is_deflated(fields: dict[str, str], path: Path) -> bool:
    encoding = needed(path, fields, "encoding").lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise wrong(
            path, f"its encoding is {encoding[:20]!r}; raw and gzip are read: convert it first"
        )
    return encoding != "raw"


@contextmanager
def _data_of(fields: dict[str, str], file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Give the file that holds the values, at their first byte."""
    if fields.get("line skip", "0") != "0":
        raise wrong(path, "it skips lines before its values, which is not read: convert it")
    name = fields.get("data file")
    if name is None:
        yield file
        return
    with open_regular(beside(path, name)) as data:
        yield data


def _byte_skip(fields: dict[str, str], path: Path, spare: int, deflated: bool) -> int:
    """Return the bytes before the values; -1 in a raw file means all that are to spare."""
    text = fields.get("byte skip", "0")
    if not re.fullmatch(r"-1|\d{1,12}", text) or (deflated and text != "0"):
        raise wrong(path, f"its field 'byte skip' is {text[:20]!r}, which is not read")
    return max(spare, 0) if text == "-1" else int(text)
