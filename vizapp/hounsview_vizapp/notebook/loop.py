"""One thread that does a notebook's drawing in turn, as a window's main loop would.

Kernels call widgets from more than one thread: cells run in the main thread, and events of
the browser in that or in another one. Whatever draws and sends is therefore done here.
"""

from __future__ import annotations

import heapq
import logging
import sys
import threading
from collections.abc import Callable
from functools import cache
from itertools import count
from time import monotonic

Work = Callable[[], object]

_log = logging.getLogger(__name__)


class Later:
    """Work that waits for its time."""

    def __init__(self, work: Work) -> None:
        self._work: Work | None = work

    def cancel(self) -> None:
        """Let it never be done."""
        self._work = None

    def __call__(self) -> None:
        """Do it, unless it was cancelled."""
        work, self._work = self._work, None
        if work is not None:
            work()


class Loop:
    """A thread that does one piece of work after the other; it begins with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Later]] = []
        self._order = count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def post(self, work: Work) -> None:
        """Queue work; after `close` nothing is done any more."""
        self.later(0.0, work)

    def later(self, seconds: float, work: Work) -> Later:
        """Do work after a time; return what can cancel it."""
        item = Later(work)
        with self._changed:
            if self._closed:
                return item
            heapq.heappush(self._waiting, (monotonic() + seconds, next(self._order), item))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="hounsview notebook", daemon=True
                )
                self._thread.start()
            self._changed.notify()
        return item

    def is_here(self) -> bool:
        """Return whether the caller is the thread."""
        return threading.current_thread() is self._thread

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until what is queued now is done; return whether it came to that."""
        done = threading.Event()
        self.post(done.set)
        return self.is_here() or done.wait(seconds)

    def close(self) -> None:
        """End the thread after the work at hand."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        if self._thread is not None and not self.is_here():
            self._thread.join(5)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                item()
            except Exception:
                # Whoever posts work guards it; what gets here must not end the loop.
                _log.exception("a notebook's view failed")
            del item

    def _next(self) -> Later | None:
        with self._changed:
            while not self._closed:
                if not self._waiting:
                    self._changed.wait()
                    continue
                rest = self._waiting[0][0] - monotonic()
                if rest <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(rest)
        return None


@cache
def shared_loop() -> Loop:
    """Return the loop of all views of this process: linked views are drawn in turn."""
    _let_scenes_use_main_thread()
    return Loop()


def _let_scenes_use_main_thread() -> None:
    """Where 3D scenes must be drawn in the main thread, it is the kernel's loop."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if sys.platform == "darwin" and kernel is not None:
        from hounsview_vizapp.rendering import use_main_loop

        use_main_loop(kernel.io_loop.add_callback)
