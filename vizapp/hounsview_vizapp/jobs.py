"""Long work in a thread of its own, with progress and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, TypeVar

from hounsview.errors import CancelledError

T = TypeVar("T")
Tell = Callable[[int, int, str], bool]
"""``tell(done, total, what)``: False when the work is to stop."""


class Job(Generic[T]):
    """Work that has begun.

    Exactly one of `on_done`, `on_error` and `on_cancelled` is called at the end, in the job's
    thread. Work that ended although it was asked to stop is done: what it wrote is there.

    Parameters
    ----------
    work : callable
        Takes a `Tell`, which it calls now and then, and returns a result.
    on_done : callable
        Takes the result.
    on_error : callable
        Takes the exception.
    on_progress : callable, optional
        Takes (done, total, what).
    on_cancelled : callable, optional
    """

    def __init__(
        self,
        work: Callable[[Tell], T],
        *,
        on_done: Callable[[T], object],
        on_error: Callable[[Exception], object],
        on_progress: Callable[[int, int, str], object] | None = None,
        on_cancelled: Callable[[], object] | None = None,
    ) -> None:
        self._work = work
        self._on_done = on_done
        self._on_error = on_error
        self._on_progress = on_progress
        self._on_cancelled = on_cancelled
        self._stop = Event()
        self._thread = Thread(target=self._run, name="hounsview job", daemon=True)
        self._thread.start()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Ask the work to stop; returns at once."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _tell(self, done: int, total: int, what: str) -> bool:
        if self._on_progress is not None and not self._stop.is_set():
            self._on_progress(done, total, what)
        return not self._stop.is_set()

    def _run(self) -> None:
        try:
            result = self._work(self._tell)
        except CancelledError:
            self._stop.set()
        except Exception as error:  # whatever it is, a person must see it
            if not self._stop.is_set():
                self._on_error(error)
                return
        else:
            self._on_done(result)
            return
        if self._on_cancelled is not None:
            self._on_cancelled()
