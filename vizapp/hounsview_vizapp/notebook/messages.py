"""What the browser says, in the neutral form of `hounsview_vizapp.tools.events`."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final

from hounsview_vizapp.tools.events import PointerEvent, WheelEvent

_KINDS: Final = ("press", "move", "release", "double", "leave")
_BUTTONS: Final = ("left", "middle", "right", "")
_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt"})
_LARGEST_SIDE: Final = 8192


@dataclass(frozen=True)
class KeyEvent:
    """A key that was pressed, such as ``"Ctrl+Z"``."""

    key: str


Event = PointerEvent | WheelEvent | KeyEvent


def event_of(message: Mapping[str, Any]) -> Event | None:
    """Return the event that a message tells of; None where it makes no sense."""
    try:
        if message["type"] == "key":
            return KeyEvent(str(message["key"])[:40])
        pane = str(message["pane"])
        at = (float(message["row"]), float(message["column"]))
        size = size_of(message)
        modifiers = _MODIFIERS & set(message["modifiers"])
        if message["type"] == "wheel":
            return WheelEvent(pane, at, size, float(message["steps"]), modifiers)
        kind, button = message["kind"], message["button"]
        if message["type"] != "pointer" or kind not in _KINDS or button not in _BUTTONS:
            return None
        return PointerEvent(kind, pane, at, size, button, modifiers, ratio_of(message))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def size_of(message: Mapping[str, Any]) -> tuple[int, int]:
    """Return the (rows, columns) of a pane, device pixels.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the message says none.
    """
    rows, columns = (int(message[name]) for name in ("rows", "columns"))
    if not (0 < rows <= _LARGEST_SIDE and 0 < columns <= _LARGEST_SIDE):
        msg = f"{rows} x {columns} pixels"
        raise ValueError(msg)
    return rows, columns


def ratio_of(message: Mapping[str, Any]) -> float:
    """Return the device pixels for each point of the screen."""
    return min(max(float(message.get("ratio", 1.0)), 0.25), 8.0)


class Inbox:
    """Events that wait for the loop; what has been overtaken is merged."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._events: deque[Event] = deque()

    def put(self, event: Event) -> bool:
        """Keep an event; return whether it is the first to wait."""
        with self._lock:
            merged = _merged(self._events[-1], event) if self._events else None
            if merged is not None:
                self._events[-1] = merged
                return False
            self._events.append(event)
            return len(self._events) == 1

    def take(self) -> list[Event]:
        """Return what waits, and forget it."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events


def _merged(before: Event, event: Event) -> Event | None:
    """Return one event that stands for two, if one can."""
    if isinstance(before, PointerEvent) and isinstance(event, PointerEvent):
        same = replace(before, at=event.at) == event
        return event if same and event.kind == "move" else None
    if isinstance(before, WheelEvent) and isinstance(event, WheelEvent):
        same = replace(before, at=event.at, steps=event.steps) == event
        return replace(event, steps=before.steps + event.steps) if same else None
    return None
