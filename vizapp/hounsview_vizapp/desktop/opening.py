"""Opening: list what lies under a path, show a preview, load, and say what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, Signal

import hounsview as hv
from hounsview.sessions import SUFFIX, Source
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.contents import Entry, contents, first_to_show, loaded_entry
from hounsview_vizapp.jobs import Job, Tell

_PREVIEW_SLICES: Final = 4
Say = Callable[..., None]
"""``say(signal, *values)``: have a signal sent in the window's thread."""


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


class Opener(QObject):
    """Does the work in threads, one job at a time; its signals come in the window's thread.

    A new job stops the one before; what that one still says is not heard.
    """

    listed = Signal(str, list)
    """The path, and the entries under it."""
    previewed = Signal(list)
    """One-slice volumes, while the rest loads."""
    opened = Signal(object)
    """An `Opened`."""
    failed = Signal(str, object)
    """The path, and the exception."""
    cancelled = Signal()
    progressed = Signal(int, int, str)
    _said = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._job: Job[Any] | None = None
        self._ticket = object()
        self._said.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        """Whether something is being opened."""
        return self._job is not None

    def cancel(self) -> None:
        """Stop what is being opened; nothing of it is shown."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._ticket = object()
            self.cancelled.emit()

    def wait(self) -> None:
        """Stop, and wait for the thread to end: before the program ends."""
        job = self._job
        self.cancel()
        if job is not None:
            job.wait(10)

    def open_path(
        self, path: str, *, series: str | None = None, unit: str | None = None
    ) -> None:
        """List what lies under a path, and load what a person most likely wants."""
        if path.endswith(SUFFIX):
            self.open_session(path)
            return

        def work(tell: Tell, say: Say) -> Opened | None:
            entries = contents(path, tell, unit=unit)
            say(self.listed, path, entries)
            first = first_to_show(entries, series)
            if first is None:
                # Loading says why nothing here can be shown, for all entries together.
                hv.load(path, series=series, progress=tell)
                return None
            return self._loaded(first, path, entries, tell, say)

        self._begin(path, work)

    def open_entry(self, entry: Entry, where: str, entries: list[Entry]) -> None:
        """Load one of the entries."""
        self._begin(where, lambda tell, say: self._loaded(entry, where, entries, tell, say))

    def open_session(self, file: str, path: str | None = None) -> None:
        """Load what a session file shows; `path` says where the scan is now."""

        def work(tell: Tell, say: Say) -> Opened:
            del say
            session = hv.read_session(file)
            volume, found = hv.load_session(session, path, progress=tell)
            source = session.source
            if found is not None:
                source = replace(source, path=str(Path(found).absolute()))
            entry = loaded_entry(volume, source)
            where = source.path or "Built-in phantom"
            return Opened(volume, source, where, [entry], entry, session.state)

        self._begin(file, work)

    def _loaded(
        self, entry: Entry, where: str, entries: list[Entry], tell: Tell, say: Say
    ) -> Opened:
        if entry.preview is not None and entry.can_be_shown:
            say(self.previewed, entry.preview(_PREVIEW_SLICES))
        return Opened(entry.load(tell), entry.source, where, entries, entry)

    def _begin(self, path: str, work: Callable[[Tell, Say], Opened | None]) -> None:
        self.cancel()
        # What a job says carries its own ticket: nobody hears one that was overtaken.
        ticket = self._ticket = object()

        def say(signal: Any, *values: Any) -> None:
            self._said.emit(ticket, (signal, values))

        def done(opened: Opened | None) -> None:
            if opened is not None:
                say(self.opened, opened)

        self._job = Job(
            lambda tell: work(tell, say),
            on_done=done,
            on_error=lambda error: say(self.failed, path, error),
            on_progress=lambda *told: say(self.progressed, *told),
        )

    def _hear(self, ticket: object, said: tuple[Any, tuple[Any, ...]]) -> None:
        if ticket is not self._ticket:
            return
        signal, values = said
        if signal in (self.opened, self.failed):
            self._job = None
        signal.emit(*values)
