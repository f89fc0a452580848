"""Opening: list what lies under a path, show a preview, load, and say what was found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from hounsview_vizapp import opened
from hounsview_vizapp.contents import Entry
from hounsview_vizapp.jobs import Job, Tell
from hounsview_vizapp.opened import Opened

Say = Callable[..., None]
"""``say(signal, *values)``: have a signal sent in the window's thread."""


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
        self._begin(
            path,
            lambda tell, say: opened.open_path(
                path, tell, series=series, unit=unit,
                on_listed=partial(say, self.listed), on_previewed=partial(say, self.previewed),
            ),
        )  # fmt: skip

    def open_entry(self, entry: Entry, where: str, entries: list[Entry]) -> None:
        """Load one of the entries."""
        self._begin(
            where,
            lambda tell, say: opened.open_entry(
                entry, where, entries, tell, on_previewed=partial(say, self.previewed)
            ),
        )

    def open_session(self, file: str, path: str | None = None) -> None:
        """Load what a session file shows; `path` says where the scan is now."""
        self._begin(file, lambda tell, _: opened.open_session(file, tell, path))

    def _begin(self, path: str, work: Callable[[Tell, Say], Opened | None]) -> None:
        self.cancel()
        # What a job says carries its own ticket: nobody hears one that was overtaken.
        ticket = self._ticket = object()

        def say(signal: Any, *values: Any) -> None:
            self._said.emit(ticket, (signal, values))

        def done(result: Opened | None) -> None:
            if result is not None:
                say(self.opened, result)

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
