"""`write_traps`: a folder of broken series to try a reader on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pydicom

from hounsview.errors import ArgumentError, WriteError
from hounsview.progress import Progress, tell
from hounsview.traps.catalogue import TRAPS, Trap
from hounsview.writing import atomic_folder


def write_traps(
    folder: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    progress: Progress | None = None,
) -> dict[str, Trap]:
    """Write small broken series, one folder each, and return what is wrong with them.

    All together are there or nothing is. What is true of every one: the HU at a point of
    the patient are `hounsview.traps.known_hu` of that point.

    Parameters
    ----------
    folder : path-like
        New, or empty.
    names : sequence of str, optional
        Some of `hounsview.traps.TRAPS`; all when left out.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Returns
    -------
    dict of str to Trap
        By name, which is also the name of the folder below `folder`.

    Raises
    ------
    ArgumentError
        If there is no trap of a name.
    WriteError
        If the folder holds something or cannot be written, or a package is missing.
    CancelledError
        If `progress` returned False.
    """
    if isinstance(names, str):
        names = [names]
    chosen = list(TRAPS) if names is None else list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in TRAPS]
    if unknown:
        msg = f"there is no trap {unknown[0]!r}; there are: {', '.join(TRAPS)}"
        raise ArgumentError(msg)
    _require_pydicom_3()
    with atomic_folder(Path(folder)) as temporary:
        for done, name in enumerate(chosen):
            tell(progress, done, len(chosen), f"writing {name}")
            try:
                (temporary / name).mkdir()
                TRAPS[name].build(temporary / name)
            except ImportError as error:
                msg = f"the trap {name!r} needs a package that is not installed: {error.name}"
                raise WriteError(msg) from error
        tell(progress, len(chosen), len(chosen), "written")
    return {name: TRAPS[name] for name in chosen}


def _require_pydicom_3() -> None:
    if int(pydicom.__version_info__[0]) < 3:
        msg = f"traps are written with pydicom 3 or newer, and this is {pydicom.__version__}"
        raise WriteError(msg)
