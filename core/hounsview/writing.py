"""Outputs appear whole or not at all: a temporary name beside the target, then a rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hounsview.errors import HounsviewError, WriteError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends without an error.

    Raises
    ------
    WriteError
        If the folder is missing or not writable, or the disk is full.
    """
    with _said_as_write_error(path), _temporary(path) as temporary:
        yield temporary
        temporary.replace(path)


@contextmanager
def atomic_pair(path: Path, companion: Path) -> Iterator[tuple[Path, Path]]:
    """Give two temporary paths that become `path` and `companion` together, or neither.

    The companion is the small one of the two: an old one is copied, to be put back.

    Raises
    ------
    WriteError
        If the folder is missing or not writable, or the disk is full.
    """
    with (
        _said_as_write_error(path),
        _temporary(path) as first,
        _temporary(companion) as second,
        _temporary(companion) as before,
    ):
        yield first, second
        existed = companion.exists()
        if existed:
            shutil.copy2(companion, before)
        try:
            second.replace(companion)
            first.replace(path)
        except BaseException:
            if existed:
                before.replace(companion)
            elif not second.exists():
                companion.unlink(missing_ok=True)
            raise


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give an empty file beside `path`, with usual rights, that is gone afterwards."""
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o666 & ~_umask())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an error.

    `path` must be absent or an empty folder, so that nothing is mixed or overwritten.

    Raises
    ------
    WriteError
        If `path` holds something, or cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        msg = f"{path} exists and is not an empty folder: name a new folder"
        raise WriteError(msg, files=[path])
    with _said_as_write_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
        try:
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            with suppress(FileNotFoundError):
                path.rmdir()
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _said_as_write_error(path: Path) -> Iterator[None]:
    try:
        yield
    except HounsviewError:
        raise
    except OSError as error:
        msg = f"{path} could not be written: {_reason(error)}"
        raise WriteError(msg, files=[path]) from error


def _reason(error: OSError) -> str:
    """Return what the system said; pydicom wraps that into words and a traceback."""
    while error.strerror is None and isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error.strerror or str(error).partition("\n")[0]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
