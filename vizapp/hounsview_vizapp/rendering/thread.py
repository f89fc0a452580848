"""Where a scene's work is done: in a thread of its own, or in turns of a main loop.

VTK wants one thread for a window. On macOS windows are believed to need the main thread:
there a front end says with `use_main_loop` how work gets into it.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

Work = Callable[[], None]
Wake = Callable[[Callable[[], object]], object]


class Executor(Protocol):
    """Does one piece of work after the other, always in the same thread."""

    def post(self, work: Work) -> None:
        """Queue work, which must not raise; after `close` nothing is done any more."""

    def is_here(self) -> bool:
        """Return whether the caller runs in the thread that does the work."""

    def close(self) -> None:
        """Do what is queued, then end; returns when it has ended."""


class OwnThread:
    """A thread that does a scene's work."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="hounsview-scene", daemon=True)
        self._thread.start()

    def post(self, work: Work) -> None:
        """Queue work for the thread."""
        self._queue.put(work)

    def is_here(self) -> bool:
        """Return whether the caller is the thread."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End the thread after what is queued, and wait for it."""
        self._queue.put(None)
        if not self.is_here():
            self._thread.join()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()


class Turns:
    """Work that waits until the thread that made it has time.

    A scene that works in turns is closed from that thread.

    Parameters
    ----------
    wake : callable, optional
        Has a function called in that thread soon; without it somebody calls `turn`.
    """

    def __init__(self, wake: Wake | None = None) -> None:
        self._queue: deque[Work] = deque()
        self._thread = threading.main_thread() if wake else threading.current_thread()
        self._wake = wake

    def post(self, work: Work) -> None:
        """Queue work for one of the next turns."""
        self._queue.append(work)
        if self._wake is not None:
            self._wake(self.turn)

    def is_here(self) -> bool:
        """Return whether the caller is the thread of the main loop."""
        return threading.current_thread() is self._thread

    def turn(self) -> bool:
        """Do one piece of work; return whether there was one."""
        try:
            work = self._queue.popleft()
        except IndexError:
            return False
        work()
        return True

    def close(self) -> None:
        """Do what is queued; from another thread it is left to the main loop."""
        while self.is_here() and self.turn():
            pass


_main_loop: Wake | None = None


def use_main_loop(wake: Wake) -> None:
    """Say how a function gets into the main loop of this process, from any thread.

    Parameters
    ----------
    wake : callable
        Takes a function that takes nothing; called from any thread.
    """
    global _main_loop
    _main_loop = wake


def default_executor() -> Executor:
    """Return what suits this system."""
    return Turns(_main_loop) if sys.platform == "darwin" else OwnThread()
