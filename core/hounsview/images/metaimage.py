"""MetaImage (.mha, .mhd), ITK's own: text header, LPS mm, i fastest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal

import numpy as np

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
    ZLIB,
    Image,
    Inflated,
    Layout,
    read_values,
    slices_of,
    write_deflated,
)
from hounsview.scanning import Progress
from hounsview.volume import Volume

_LONGEST_HEADER: Final = 1 << 16
_DTYPE_OF: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2",
    "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_OTHER_NAMES: Final = {
    "Position": "Offset", "Origin": "Offset", "Rotation": "TransformMatrix",
    "Orientation": "TransformMatrix", "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}  # fmt: skip
_SIZE_DIGITS: Final = 20
_OPPOSITE: Final = str.maketrans("LRPASI", "RLAPIS")


def write_metaimage(
    volume: Volume, path: Path, name: str, progress: Progress | None = None
) -> None:
    """Write a volume to `path` as a compressed MetaImage in one file.

    Raises
    ------
    GeometryError
        If the axes of the volume do not stand at right angles.
    CancelledError
        If `progress` returned False.
    """
    require_orthogonal(volume, "MetaImage")
    with path.open("wb") as file:
        before, after = _header_of(volume)
        file.write(before)
        size_at = file.tell()
        file.write(b" " * _SIZE_DIGITS + after)
        start = file.tell()
        write_deflated(file, slices_of(volume, progress, name), ZLIB)
        written = file.tell() - start
        # ITK wants the size before the values, and it is known only after them.
        file.seek(size_at)
        file.write(str(written).encode("ascii"))


def _header_of(volume: Volume) -> tuple[bytes, bytes]:
    """Return the header before and after the number of compressed bytes."""
    geometry = volume.geometry
    # MetaImage tells where an axis comes from, we where it goes to, and i is first.
    letters = geometry.orientation[::-1].translate(_OPPOSITE)
    before = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = True
CompressedDataSize = """
    after = f"""
TransformMatrix = {_words(geometry.direction.T[::-1].ravel())}
Offset = {_words(geometry.origin)}
CenterOfRotation = 0 0 0
AnatomicalOrientation = {letters}
ElementSpacing = {_words(geometry.spacing[::-1])}
DimSize = {" ".join(str(n) for n in volume.shape[::-1])}
ElementType = {"MET_SHORT" if volume.hu.dtype == np.int16 else "MET_FLOAT"}
Unit = {volume.unit}
ElementDataFile = LOCAL
"""
    return before.encode("ascii"), after.encode("ascii")


def _words(values: object) -> str:
    return " ".join(repr(float(value)) for value in np.asarray(values, float))


def read_metaimage(path: Path, progress: Progress | None = None) -> Image:
    """Return what a MetaImage holds, or a header with its data file in the same folder.

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
        fields = _read_header(file, path)
        layout = _layout_of(fields, path)
        geometry = _geometry_of(fields, layout, path)
        deflated = _flag(fields, "CompressedData", path)
        with _data_of(fields, file, path) as data:
            _skip_header(fields, data, layout, path, deflated)
            check_claim(path, layout.byte_count, remaining(data), deflated=deflated)
            source = Inflated(data, path, ZLIB) if deflated else data
            hu, valid, seen = read_values(source, layout, path, progress)
    return Image(hu, geometry, valid, fields.get("Unit", ""), seen)


def _read_header(file: BinaryIO, path: Path) -> dict[str, str]:
    """Return the fields; the file stands behind the line ElementDataFile."""
    fields: dict[str, str] = {}
    while file.tell() < _LONGEST_HEADER:
        line = file.readline(_LONGEST_HEADER).decode("utf-8", "replace")
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals:
            kind = "its header is cut off or damaged" if fields else "it does not begin as one"
            raise wrong(path, f"no MetaImage: {kind}")
        fields[_OTHER_NAMES.get(name, name)] = value.strip()
        if name == "ElementDataFile":
            return fields
    raise wrong(path, f"no MetaImage: no ElementDataFile within {_LONGEST_HEADER:,} bytes")


def _flag(fields: dict[str, str], name: str, path: Path) -> bool:
    value = fields.get(name, "False").lower()
    if value not in ("true", "false", "1", "0"):
        raise wrong(path, f"{name} is {value[:20]!r}, not True or False")
    return value in ("true", "1")


def _layout_of(fields: dict[str, str], path: Path) -> Layout:
    dimension = needed(path, fields, "NDims")
    if dimension != "3":
        raise wrong(path, f"it has {dimension[:20]} axes, and a volume has three")
    channels = fields.get("ElementNumberOfChannels", "1")
    if channels != "1":
        raise wrong(path, f"it has {channels[:20]} numbers a voxel (colour or vectors)")
    kind = needed(path, fields, "ElementType")
    if kind not in _DTYPE_OF:
        raise wrong(path, f"its values are of type {kind[:40]!r}, which is no plain number")
    if not _flag(fields, "BinaryData", path):
        raise wrong(path, "its values are written as text, which is not read: convert it")
    order: Literal["<", ">"] = ">" if _flag(fields, "BinaryDataByteOrderMSB", path) else "<"
    shape = sizes_of(path, needed(path, fields, "DimSize"), "DimSize")
    return Layout(shape, np.dtype(_DTYPE_OF[kind]).newbyteorder(order))


def _geometry_of(fields: dict[str, str], layout: Layout, path: Path) -> Geometry:
    """Return the grid.

    Raises
    ------
    GeometryError
        If matrix, offset or spacing are not said, or make no grid.
    """
    require_position(path, fields, ("TransformMatrix", "Offset", "ElementSpacing"))
    spacing = np.asarray(numbers(path, fields["ElementSpacing"], "ElementSpacing", 3))
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        msg = f"{path}: ElementSpacing {fields['ElementSpacing'][:80]} mm is not positive"
        raise GeometryError(msg, files=[path])
    matrix = numbers(path, fields["TransformMatrix"], "TransformMatrix", 9)
    steps = np.asarray(matrix).reshape(3, 3) * spacing[:, None]
    origin = numbers(path, fields["Offset"], "Offset", 3)
    return geometry_of(path, layout.shape, affine_of_steps(steps, origin))


@contextmanager
def _data_of(fields: dict[str, str], file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Give the file that holds the values, at their first byte."""
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        yield file
        return
    if name.upper().startswith("LIST") or "%" in name:
        raise wrong(path, f"its values lie in several files ({name[:40]!r}): convert it")
    with open_regular(beside(path, name)) as data:
        yield data


def _skip_header(
    fields: dict[str, str], data: BinaryIO, layout: Layout, path: Path, deflated: bool
) -> None:
    """Pass HeaderSize bytes; -1 means all that are to spare before raw values."""
    text = fields.get("HeaderSize", "0")
    plain = text.isdecimal() and len(text) < 13
    if (not plain and text != "-1") or (deflated and text != "0"):
        raise wrong(path, f"HeaderSize is {text[:20]!r}, which is not read")
    spare = max(remaining(data) - layout.byte_count, 0)
    data.seek(spare if text == "-1" else int(text), 1)
