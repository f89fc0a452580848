"""How many frames may be on their way to the browser: so many that none pile up."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

MOST: Final = 2
"""Batches of frames that were sent and not yet shown."""
_LOST_S: Final = 5.0
"""Whoever has not confirmed for so long was cut off: it is sent something again."""


class Flow:
    """Counts batches of frames sent and confirmed.

    Parameters
    ----------
    clock : callable, optional
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._sent = 0
        self._confirmed = 0
        self._last = clock()

    @property
    def in_flight(self) -> int:
        """How many batches are on their way."""
        return self._sent - self._confirmed

    @property
    def is_free(self) -> bool:
        """Whether another batch may be sent now."""
        return self.in_flight < MOST or self._clock() - self._last > _LOST_S

    @property
    def wait_s(self) -> float:
        """After how long it is free, whatever is confirmed until then."""
        return max(0.0, self._last + _LOST_S - self._clock()) + 0.01

    def sent(self) -> int:
        """Count a batch; return its number."""
        if self.in_flight >= MOST:
            self._confirmed = self._sent
        self._sent += 1
        self._last = self._clock()
        return self._sent

    def confirmed(self, number: int) -> None:
        """Count a batch, and those before it, as shown."""
        self._confirmed = max(self._confirmed, min(number, self._sent))

    def start_over(self) -> None:
        """Forget what is on its way: the page was loaded again."""
        self._confirmed = self._sent
