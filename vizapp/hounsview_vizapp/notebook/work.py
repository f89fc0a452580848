"""Long work of a screen: one job at a time, with progress and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

from hounsview.errors import CancelledError
from hounsview_vizapp.jobs import Job, Tell
from hounsview_vizapp.notebook.loop import Loop

Doing = Callable[[Tell], Any]
OnEnd = Callable[[Any], object]


class Work:
    """Does one piece of work after the other; a new one stops the one before.

    Parameters
    ----------
    loop : Loop
        Where the ends are told.
    show : callable
        Takes what the page shows of it: ``{"text", "share"}``, empty when nothing is done.
    """

    def __init__(self, loop: Loop, show: Callable[[dict[str, Any]], object]) -> None:
        self._loop, self._show = loop, show
        self._job: Job[Any] | None = None
        self._ticket = object()
        self._ended = Event()
        self._ended.set()
        self._stopped = Event()
        self._shown: dict[str, Any] = {}

    @property
    def is_busy(self) -> bool:
        """Whether anything is being done."""
        return self._job is not None

    @property
    def doing(self) -> str:
        """What is being done, in words; empty for nothing."""
        return str(self._shown.get("text", ""))

    def begin(
        self, what: str, doing: Doing, on_done: OnEnd, on_failed: OnEnd = lambda _: None
    ) -> None:
        """Begin a piece of work in a thread.

        Parameters
        ----------
        what : str
            In words.
        doing : callable
            Takes a `Tell`.
        on_done : callable
            Takes the result, in the loop.
        on_failed : callable
            Takes the exception, in the loop; a `CancelledError` where it was stopped.
        """
        if self._job is not None:
            self._job.cancel()
        ticket, begun = object(), Event()
        self._ticket = ticket
        self._ended.clear()
        self._tell(what, 0.0)

        def work(tell: Tell) -> Any:
            begun.wait()  # until the job is known: it may end before it is
            return doing(tell)

        def told(done: int, total: int, now: str) -> None:
            if self._ticket is ticket:
                self._tell(now or what, round(done / total, 2) if total else 0.0)

        def end(then: Callable[[], object]) -> None:
            if self._ticket is ticket:
                self._job = None
                self._tell("", 0.0)
                try:
                    then()
                finally:
                    self._ended.set()

        post = self._loop.post
        stopped = CancelledError(f"{what}: cancelled")
        self._job = Job(
            work,
            on_done=lambda result: post(partial(end, partial(on_done, result))),
            on_error=lambda error: post(partial(end, partial(on_failed, error))),
            on_progress=told,
            on_cancelled=lambda: post(partial(end, partial(on_failed, stopped))),
        )
        begun.set()

    def here(self, what: str) -> Tell:
        """Return what tells the progress of work in the caller's own thread, until `done`."""
        self._stopped.clear()

        def told(done: int, total: int, _: str) -> bool:
            self._tell(what, round(done / total, 2) if total else 0.0)
            return not self._stopped.is_set()

        return told

    def done_here(self) -> None:
        """Show no progress any more."""
        self._tell("", 0.0)

    def cancel(self) -> None:
        """Ask what is being done to stop; returns at once."""
        self._stopped.set()
        if self._job is not None:
            self._job.cancel()

    def forget(self) -> None:
        """Stop, and tell nobody how it ended."""
        self.cancel()
        self._ticket, self._job = object(), None
        self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of what is being done; return whether it came."""
        return self._ended.wait(seconds)

    def _tell(self, text: str, share: float) -> None:
        shown = {"text": text, "share": share} if text else {}
        if shown != self._shown:
            self._shown = shown
            self._show(shown)
