"""VTK and pyvista, imported by one thread at a time.

Two threads that import them at once may each wait for a module of the other; Python then
gives one of them a module that is half imported.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any, Final

_one_at_a_time: Final = threading.RLock()


def imported(*names: str) -> Any:
    """Return the last of some modules, all of them imported in this order."""
    with _one_at_a_time:
        modules = [import_module(name) for name in names]
    return modules[-1]
