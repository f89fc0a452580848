"""Files inside zips, under the path that a person would give: ``scan.zip/series/IM0001``.

Nothing is unpacked to disk. A member is inflated in memory, as far as it is asked for and
never beyond its claimed size, and held to its checksum when it was inflated as a whole.
"""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from struct import unpack
from typing import Final

from hounsview.dicom.sources import (
    LARGEST_HEADER,
    FileSource,
    InflatedSource,
    MemorySource,
    PartSource,
    Source,
)
from hounsview.errors import DamagedFileError, LimitError
from hounsview.limits import get_limits, in_words

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER: Final = 30
_ENCRYPTED: Final = 0x1
_ZIP_RATIO: Final = 16


@dataclass(frozen=True)
class _Archive:
    """A zip: its members by normalised name, and how its bytes are opened."""

    members: Mapping[str, zipfile.ZipInfo]
    open: Callable[[], Source]


def open_source(path: Path) -> Source:
    """Return the bytes of a regular file or of a member of a zip.

    Raises
    ------
    NotDicomError
        If the path is no regular file.
    DamagedFileError, LimitError
        If the zip or the member cannot be used; the message names neither.
    OSError
        If there is no such file, or it cannot be opened.
    """
    try:
        return FileSource(path)
    except (NotADirectoryError, FileNotFoundError):
        above = next((parent for parent in path.parents if parent.is_file()), None)
        if above is None:
            raise
    archive, name = _around(above, path.relative_to(above).as_posix())
    if name not in archive.members:
        raise FileNotFoundError(errno.ENOENT, "no such file in the zip", str(path))
    return _opened(archive.members[name], archive)


def version_of(path: Path) -> tuple[int, int]:
    """Return time of change and size of a file, or of the zip that a path leads into.

    Raises
    ------
    OSError
        If there is no such file.
    """
    outer = next((p for p in (path, *path.parents) if p.is_file()), path)
    status = outer.stat()
    return status.st_mtime_ns, status.st_size


def members_of(path: Path) -> list[Path]:
    """Return the paths of all files in a zip, in the order of its directory.

    Raises
    ------
    DamagedFileError, LimitError
        If it is broken, or holds too much.
    """
    if path.is_file():
        return [path / name for name in _on_disk(path).members]
    above = next(parent for parent in path.parents if parent.is_file())
    archive, _ = _around(above, f"{path.relative_to(above).as_posix()}/")
    return [path / name for name in archive.members]


def _around(above: Path, name: str) -> tuple[_Archive, str]:
    """Return the innermost zip that a name leads to, and the rest of the name."""
    archive, inside, depth = _on_disk(above), "", 1
    while name not in archive.members:
        inner = next((n for n in archive.members if name.startswith(f"{n}/")), None)
        if inner is None:
            break
        _check_ratio(archive.members[inner])
        inside, depth = f"{inside}{inner}/", depth + 1
        name = name[len(inner) + 1 :]
        archive = _inside(above, version_of(above), inside, depth)
    return archive, name


def _check_ratio(inner: zipfile.ZipInfo) -> None:
    """Refuse a zip in a zip that shrank as no zip of pictures does: it goes into memory."""
    most = _ZIP_RATIO * inner.compress_size + LARGEST_HEADER
    if inner.file_size > most:
        msg = (
            f"a zip of {in_words(inner.file_size)} that was packed into "
            f"{in_words(inner.compress_size)}: a zip bomb; unpack it by hand if it is none"
        )
        raise LimitError(msg)


def _on_disk(path: Path) -> _Archive:
    return _read_on_disk(path, version_of(path))


@lru_cache(maxsize=8)
def _read_on_disk(path: Path, version: tuple[int, int]) -> _Archive:
    with path.open("rb") as stream:
        return _Archive(_directory(stream), partial(FileSource, path))


@lru_cache(maxsize=2)
def _inside(above: Path, version: tuple[int, int], name: str, depth: int) -> _Archive:
    """Return the zip at a name that ends in "/", held in memory."""
    limit, most = get_limits().inflated_bytes, get_limits().zip_depth
    if depth > most:
        msg = f"a zip {depth} deep, and the limit is {most}: unpack the outer one first"
        raise LimitError(msg)
    source = open_source(above / name)
    try:
        if source.size > limit:
            msg = f"a zip of {in_words(source.size)} in a zip; the limit is {in_words(limit)}"
            raise LimitError(msg)
        content = source.read(0, source.size)
    finally:
        source.close()
    return _Archive(_directory(io.BytesIO(content)), partial(MemorySource, content))


def _directory(stream: io.BufferedIOBase) -> Mapping[str, zipfile.ZipInfo]:
    """Return the members of a zip by their normalised names."""
    most = get_limits().frames
    claimed = _claimed_members(stream)
    if claimed > most:
        msg = f"the zip claims {claimed:,} files, and the limit is {most:,}"
        raise LimitError(msg)
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
    except OSError:
        raise
    except Exception as broken:  # zipfile raises many kinds on crafted directories
        msg = f"a broken zip: {broken}"
        raise DamagedFileError(msg) from broken
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _normalised(info.filename)
        if not name or info.is_dir():
            continue
        again = 2
        while name in found:
            name = f"{_normalised(info.filename)}~{again}"
            again += 1
        found[name] = info
    return found


def _claimed_members(stream: io.BufferedIOBase) -> int:
    """Return how many members the end record of a zip claims; 0 where it is not found."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 66_000))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    stream.seek(0)
    if at < 0 or at + 16 > len(tail):
        return 0
    (count, directory_bytes) = unpack("<HL", tail[at + 10 : at + 16])
    # A zip64 says 65,535 here; each entry of its directory takes at least 46 bytes.
    return int(count if count < 0xFFFF else min(directory_bytes, size) // 46)


def _normalised(name: str) -> str:
    r"""Return a member's name without anything that leads elsewhere.

    >>> _normalised("..\\..\\etc/./passwd"), _normalised("/C:/IM1")
    ('etc/passwd', 'C:/IM1')
    """
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _opened(info: zipfile.ZipInfo, archive: _Archive) -> Source:
    """Return the bytes of one member."""
    if info.flag_bits & _ENCRYPTED:
        msg = "encrypted in its zip; unpack it with the password first"
        raise DamagedFileError(msg)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = f"packed with zip method {info.compress_type}; store and deflate are read"
        raise DamagedFileError(msg)
    outer = archive.open()
    header = outer.read(info.header_offset, _LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or header[:4] != MAGIC[0]:
        outer.close()
        msg = "its zip has no file where the directory says"
        raise DamagedFileError(msg)
    names, extra = unpack("<HH", header[26:30])
    start = info.header_offset + _LOCAL_HEADER + names + extra
    if info.compress_type == zipfile.ZIP_STORED:
        return PartSource(outer, start, info.file_size, checksum=info.CRC)
    return InflatedSource(
        outer, start, info.compress_size, size=info.file_size, checksum=info.CRC, name="it"
    )
