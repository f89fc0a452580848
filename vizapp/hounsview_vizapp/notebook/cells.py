"""Which cell shows which view: one that runs again closes what it showed before."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakSet

_shown_by: Final[dict[str, WeakSet[Any]]] = {}
_just_shown: Final[WeakSet[Any]] = WeakSet()
"""Views that the cell that runs has displayed: one may be its last expression as well."""


def displayed(view: Any) -> None:
    """Note that the cell that runs displays a view, and close what it displayed before."""
    cell, run = _running()
    if not cell:
        return
    shown = _shown_by.setdefault(cell, WeakSet())
    for other in list(shown):
        if other is not view and run not in other.shown_in.get(cell, ()):
            shown.discard(other)
            other.shown_in.pop(cell, None)
            # One that another cell shows too lives on.
            if not other.shown_in:
                other.close()
    shown.add(view)
    view.shown_in.setdefault(cell, set()).add(run)


def expect_again(view: Any) -> None:
    """Take it that a view may be the last expression of the cell that displays it."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    _just_shown.add(view)
    if _forget not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _forget)


def is_again(view: Any) -> bool:
    """Return, once, whether the cell that runs has displayed a view already."""
    known = view in _just_shown
    _just_shown.discard(view)
    return known


def _running() -> tuple[str, int]:
    """Return (identity, count) of the cell that runs; "" where the front end names none."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "get_parent"):
        return "", 0
    metadata = (shell.get_parent() or {}).get("metadata") or {}
    return str(metadata.get("cellId", "")), int(shell.execution_count)


def _forget(*_: object) -> None:
    _just_shown.clear()
