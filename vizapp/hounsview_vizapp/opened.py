"""From a path to a volume that can be shown, step by step; no toolkit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import hounsview as hv
from hounsview.sessions import SUFFIX, Source
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.contents import Entry, contents, first_to_show, loaded_entry
from hounsview_vizapp.jobs import Tell

_PREVIEW_SLICES: Final = 4
OnListed = Callable[[str, list[Entry]], object]
OnPreviewed = Callable[[list[Volume]], object]


@dataclass(frozen=True)
class Opened:
    """A volume that was loaded, ready to be shown.

    Parameters
    ----------
    volume : Volume
    source : Source
    where : str
        What was opened.
    entries : list of Entry
        What lies there.
    entry : Entry
        Which of them it is.
    state : ViewState, optional
        From a session file.
    """

    volume: Volume
    source: Source
    where: str
    entries: list[Entry]
    entry: Entry
    state: ViewState | None = None


def open_path(
    path: str,
    tell: Tell,
    *,
    series: str | None = None,
    unit: str | None = None,
    on_listed: OnListed,
    on_previewed: OnPreviewed,
) -> Opened | None:
    """Return what a person most likely wants of what lies under a path.

    Parameters
    ----------
    path : str
        A folder, file, zip, DICOMDIR, image file or session file.
    tell : Tell
        Progress.
    series, unit : str, optional
        As for `hounsview.load`.
    on_listed : callable
        Takes the path and the entries under it.
    on_previewed : callable
        Takes one-slice volumes, while the rest loads.

    Raises
    ------
    HounsviewError
        If nothing here can be shown, or it cannot be read.
    CancelledError
        If `tell` returned False.
    """
    if path.endswith(SUFFIX):
        return open_session(path, tell)
    entries = contents(path, tell, unit=unit)
    on_listed(path, entries)
    first = first_to_show(entries, series)
    if first is None:
        # Loading says why nothing here can be shown, for all entries together.
        hv.load(path, series=series, progress=tell)
        return None
    return open_entry(first, path, entries, tell, on_previewed=on_previewed)


def open_entry(
    entry: Entry,
    where: str,
    entries: list[Entry],
    tell: Tell,
    *,
    on_previewed: OnPreviewed,
) -> Opened:
    """Return one of the entries, loaded."""
    if entry.preview is not None and entry.can_be_shown:
        on_previewed(entry.preview(_PREVIEW_SLICES))
    return Opened(entry.load(tell), entry.source, where, entries, entry)


def open_session(file: str, tell: Tell, path: str | None = None) -> Opened:
    """Return what a session file shows; `path` says where the scan is now."""
    session = hv.read_session(file)
    volume, found = hv.load_session(session, path, progress=tell)
    source = session.source
    if found is not None:
        source = replace(source, path=str(Path(found).absolute()))
    entry = loaded_entry(volume, source)
    where = source.path or "Built-in phantom"
    return Opened(volume, source, where, [entry], entry, session.state)
