"""Undo and redo: what a person did, as the states before and after."""

from __future__ import annotations

from typing import Final

from hounsview.viewstate import ViewState

LONGEST: Final = 2000


class History:
    """Steps that can be undone and done again.

    A step is the state before it. Steps that follow one another under the same `merge` word
    are one: turning a wheel is undone in one go.
    """

    def __init__(self) -> None:
        self._before: list[tuple[ViewState, str | None]] = []
        self._after: list[ViewState] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return bool(self._after)

    def record(self, before: ViewState, merge: str | None = None) -> None:
        """Record that the state was `before`; what had been undone is forgotten."""
        goes_on = bool(merge and self._before and self._before[-1][1] == merge)
        if not (goes_on and not self._after):
            self._before.append((before, merge))
            del self._before[:-LONGEST]
        self._after.clear()

    def undo(self, now: ViewState) -> ViewState:
        """Return the state before the last step; `now` when there is none."""
        if not self._before:
            return now
        self._after.append(now)
        return self._before.pop()[0]

    def redo(self, now: ViewState) -> ViewState:
        """Return the state after the step undone last; `now` when there is none."""
        if not self._after:
            return now
        self._before.append((now, None))
        return self._after.pop()

    def end_merging(self) -> None:
        """Let the next step stand alone, whatever its word."""
        if self._before:
            self._before[-1] = (self._before[-1][0], None)

    def clear(self) -> None:
        """Forget every step."""
        self._before.clear()
        self._after.clear()
