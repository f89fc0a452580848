"""How long verbs tell where they are, and how a caller stops them."""

from __future__ import annotations

from collections.abc import Callable

from hounsview.errors import CancelledError

Progress = Callable[[int, int, str], object]
"""``progress(done, total, what)``; returning False cancels."""


def tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    """Call a progress callback.

    Raises
    ------
    CancelledError
        If it returned False.
    """
    if progress is not None and progress(done, total, what) is False:
        msg = f"cancelled at {done} of {total} ({what})"
        raise CancelledError(msg)
