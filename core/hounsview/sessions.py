"""Session files (``*.hounsview.json``): a view, and which series it is a view of.

A session file is data, not code: every field is checked, and nothing of it is run. It
holds no patient's name; the path is the one that a person opened.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from hounsview.errors import (
    ArgumentError,
    HounsviewError,
    PathNotFoundError,
    SeriesNotFoundError,
    SessionFileError,
)
from hounsview.viewstate import ViewState, checks
from hounsview.viewstate.plaindata import from_plain, to_plain
from hounsview.viewstate.state import parsed_json
from hounsview.writing import atomic_file

if TYPE_CHECKING:
    from hounsview.scanning import Progress
    from hounsview.volume import Volume

SUFFIX: Final = ".hounsview.json"
VERSION: Final = 1
_LARGEST_BYTES: Final = 8 << 20
_LONGEST_PATH: Final = 4096
_MOST_HASHED: Final = 60_000


@dataclass(frozen=True)
class Source:
    """Which volume a session shows.

    Parameters
    ----------
    path : str, optional
        What was opened, absolute; None: a built-in phantom.
    relative_path : str, optional
        The same from the folder of the session file, for when both moved together.
    series_uid : str
        SeriesInstanceUID; empty when the source has none.
    series_key : str
        `hounsview.Series.key`, which tells apart what shares a UID; may be empty.
    unit : str, optional
        What was said of an image file that does not say it, such as ``"HU"``.
    phantom : str
        Name of the phantom when there is no path.
    fingerprint : str
        `fingerprint` of the volume: tells apart what no UID does. Empty: not known.
    """

    path: str | None = None
    relative_path: str | None = None
    series_uid: str = ""
    series_key: str = ""
    unit: str | None = None
    phantom: str = "thorax"
    fingerprint: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("path", "relative_path"):
            value = getattr(self, name)
            if value is not None:
                checks.is_a(value, str, name)
                if not value or len(value) > _LONGEST_PATH or "\0" in value:
                    msg = f"{name} must be a path, not {checks.short(value)}"
                    raise ArgumentError(msg)
        for name in ("series_uid", "series_key", "phantom", "fingerprint"):
            checks.text(getattr(self, name), name)
        if self.unit is not None:
            checks.text(self.unit, "unit")


@dataclass(frozen=True)
class Session:
    """A view and its source; what a session file holds.

    Parameters
    ----------
    state : ViewState
    source : Source
    folder : Path, optional
        Where the file was read from.
    """

    state: ViewState
    source: Source
    folder: Path | None = None

    def candidates(self) -> list[Path]:
        """Return where the source may lie, the likeliest first; existing or not."""
        places = []
        if self.source.path is not None:
            places.append(Path(self.source.path))
        if self.folder is not None and self.source.relative_path is not None:
            places.append(self.folder / self.source.relative_path)
        return places


def fingerprint(volume: Volume) -> str:
    """Return a short text that differs between volumes: of the grid and some values.

    A hash of shape, affine (to 1e-3 mm) and at most some 60,000 voxels spread evenly.
    """
    stride = max(1, math.ceil((volume.hu.size / _MOST_HASHED) ** (1 / 3)))
    every = (slice(None, None, stride),) * 3
    grid = np.rint(volume.geometry.affine * 1e3).astype(np.int64)
    hashed = hashlib.sha256(repr((volume.shape, volume.unit, grid.tolist())).encode())
    hashed.update(np.ascontiguousarray(volume.hu[every]).tobytes())
    return hashed.hexdigest()[:24]


def write_session(session: Session, file: str | os.PathLike[str]) -> Path:
    """Write a session file, whole or not at all; return its path.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    target = Path(file)
    source = to_plain(session.source)
    if session.source.path is not None:
        source["relative_path"] = _relative(session.source.path, target.parent)
    content = {
        "hounsview_session": VERSION,
        "source": source,
        "state": session.state.to_dict(),
    }
    with atomic_file(target) as temporary:
        # ASCII alone: names of files may hold bytes that are no text.
        temporary.write_text(json.dumps(content, indent=2) + "\n", "ascii")
    return target


def read_session(file: str | os.PathLike[str]) -> Session:
    """Return what a session file holds, every field checked.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    SessionFileError
        If it is too large, damaged, no session, or from a newer hounsview.
    """
    path = Path(file)
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        msg = f"{path}: no such session file"
        raise PathNotFoundError(msg, files=[path]) from error
    except OSError as error:
        raise _refused(path, f"it cannot be read: {error.strerror or error}") from error
    if len(content) > _LARGEST_BYTES:
        raise _refused(path, f"it is larger than {_LARGEST_BYTES >> 20} MiB")
    try:
        return _session_of(parsed_json(content.decode("utf-8"), "a session file"), path.parent)
    except UnicodeDecodeError as error:
        raise _refused(path, "it is no text in UTF-8") from error
    except (ArgumentError, RecursionError) as error:
        raise _refused(path, str(error)) from error


def load_session(
    session: Session,
    path: str | os.PathLike[str] | None = None,
    *,
    policy: Literal["repair", "strict"] = "repair",
    progress: Progress | None = None,
) -> tuple[Volume, Path | None]:
    """Return the volume that a session shows, and the path where it was found.

    Parameters
    ----------
    session : Session
    path : path-like, optional
        Where to look instead of the place that the session names.
    policy, progress
        As for `hounsview.load`.

    Raises
    ------
    PathNotFoundError
        If nothing is there: the caller asks for the path.
    SeriesNotFoundError
        If what is there is not the session's series, or no longer as it was.
    HounsviewError
        What `hounsview.load` raises.
    """
    from hounsview.phantoms import phantom

    source = session.source
    if path is None and source.path is None:
        return phantom(source.phantom), None
    places = session.candidates() if path is None else [Path(path)]
    for place in places:
        try:
            volume = _load(place, source, policy, progress)
        except PathNotFoundError:
            continue
        if source.fingerprint and fingerprint(volume) != source.fingerprint:
            raise _another_series(place, source, "is not as it was when the session was saved")
        return volume, place
    listed = ", ".join(map(str, places))
    msg = f"the scan of this session is no longer at {listed}; name where it is now"
    raise PathNotFoundError(msg, files=places)


def _load(
    path: Path, source: Source, policy: Literal["repair", "strict"], progress: Progress | None
) -> Volume:
    """Return the volume of a source that is looked for under a path."""
    from hounsview.images.importing import is_image_file
    from hounsview.loading import load, load_series
    from hounsview.scanning import scan

    if source.unit is not None or is_image_file(path):
        return load(path, unit=source.unit, policy=policy, progress=progress)
    found = scan(path, progress=progress).series
    wanted = [one for one in found if source.series_key and one.key == source.series_key]
    wanted = wanted or [one for one in found if one.series_uid == source.series_uid]
    if source.series_uid and not wanted:
        held = f"holds no series with the SeriesInstanceUID {source.series_uid}"
        raise _another_series(path, source, held)
    if len(wanted) == 1:
        return load_series(wanted[0], policy=policy, progress=progress)
    if not wanted:
        return load(path, policy=policy, progress=progress)
    return load(path, series=source.series_uid or None, policy=policy, progress=progress)


def _another_series(path: Path, source: Source, why: str) -> HounsviewError:
    known = source.series_uid or source.series_key or "the session's scan"
    msg = (
        f"{path} {why}: it is not what the session shows ({known}); name the place that has it"
    )
    return SeriesNotFoundError(msg, files=[path])


def _session_of(values: Any, folder: Path) -> Session:
    checks.is_a(values, Mapping, "a session file")
    version = values.get("hounsview_session")
    if type(version) is not int or version < 1:
        msg = "it does not say 'hounsview_session': it is no session of hounsview"
        raise ArgumentError(msg)
    if version > VERSION:
        msg = f"it has version {version}, and this hounsview reads 1 to {VERSION}"
        raise ArgumentError(msg)
    state = ViewState.from_dict(values.get("state", {}))
    source = from_plain(Source, values.get("source", {}), "source")
    return Session(state, source, folder)


def _relative(path: str, folder: Path) -> str | None:
    try:
        return os.path.relpath(path, folder.resolve())
    except ValueError:
        return None  # On another drive.


def _refused(path: Path, why: str) -> SessionFileError:
    return SessionFileError(f"{path.name} is no usable session file: {why}", files=[path])
