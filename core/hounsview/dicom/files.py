"""Which files lie under a path: in a folder, in a zip, or named by a DICOMDIR.

Only regular files count. Links are passed over: what they lead to inside the folder is
found without them, and what lies outside was not asked for. So are FIFOs and devices.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hounsview.dicom.dicomfile import FIRST_READ, open_dicom
from hounsview.dicom.zips import members_of, open_source
from hounsview.errors import HounsviewError

_DIRECTORY_RECORDS, _REFERENCED_FILE = 0x00041220, 0x00041500


@dataclass
class Found:
    """What lies under a folder.

    Parameters
    ----------
    files : list of Path
        Regular files, sorted.
    passed_over : int
        Links, FIFOs and devices.
    unreadable : list of (Path, str)
        Folders and files that cannot be looked at, and why.
    """

    files: list[Path] = field(default_factory=list)
    passed_over: int = 0
    unreadable: list[tuple[Path, str]] = field(default_factory=list)


def files_in(folder: Path) -> Found:
    """Return what lies in a folder and below it."""
    found = Found()
    waiting = [str(folder)]
    paths: list[str] = []
    while waiting:
        parent = waiting.pop()
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        paths.append(entry.path)
                    else:
                        found.passed_over += 1
        except OSError as error:
            reason = f"cannot be opened: {error.strerror or error}"
            found.unreadable.append((Path(parent), reason))
    found.files = [Path(path) for path in sorted(paths)]
    return found


def files_of_index(path: Path) -> Found:
    """Return the files that a DICOMDIR names (PS3.3 F.3), as far as they are there.

    Names are taken below the folder of the DICOMDIR alone; on media copied by other
    systems they may differ in case or have got an ending.
    """
    folder = path.parent
    there = files_in(folder) if folder.is_dir() else files_in_zip(folder)
    found = Found(passed_over=there.passed_over)
    exact = set(there.files)
    by_name = {_plain(file, folder): file for file in there.files}
    for parts in _named(path):
        file = folder.joinpath(*parts)
        if any(part in ("", ".", "..") or "/" in part or "\\" in part for part in parts):
            found.unreadable.append((folder / parts[-1], "the DICOMDIR names no such place"))
            continue
        known = file if file in exact else by_name.get(_plain(file, folder))
        if known is not None:
            found.files.append(known)
        else:
            found.unreadable.append((file, "named by the DICOMDIR and not there"))
    found.files = sorted(set(found.files))
    return found


def files_in_zip(folder: Path) -> Found:
    """Return the files below a folder inside a zip, such as ``scan.zip/CT``.

    Raises
    ------
    DamagedFileError, LimitError
        If the zip cannot be used.
    """
    above = next((p for p in (folder, *folder.parents) if p.is_file()), None)
    if above is None:
        return Found()
    return Found([path for path in members_of(above) if path.is_relative_to(folder)])


def _plain(file: Path, folder: Path) -> str:
    """Return a name without what changes when media are copied: case and ending."""
    return str(file.relative_to(folder).with_suffix("")).lower()


def _named(path: Path) -> Iterable[tuple[str, ...]]:
    """Return the file names, part by part, in the records of a DICOMDIR."""
    source = open_source(path)
    try:
        index = open_dicom(path, source, source.read(0, FIRST_READ))
    except HounsviewError:
        return ()
    finally:
        source.close()
    records = index.attributes.items(_DIRECTORY_RECORDS)
    return [parts for record in records if (parts := record.texts(_REFERENCED_FILE))]
