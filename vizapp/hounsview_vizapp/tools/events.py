"""Pointer and wheel events in one neutral form; each front end translates its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["press", "move", "release", "double", "leave"]
Button = Literal["left", "middle", "right", ""]


@dataclass(frozen=True)
class PointerEvent:
    """A pointer over a pane.

    Parameters
    ----------
    kind : str
        ``"move"`` comes with the button that is held, or "".
    pane : str
        A plane's name or ``"3d"``.
    at : (row, column) float
        Device pixels from the pane's upper left corner; outside of it while dragging.
    size : (rows, columns) int
        Of the pane, device pixels.
    button : str
    modifiers : frozenset of str
        Of ``"ctrl"``, ``"shift"``, ``"alt"``.
    pixel_ratio : float
        Device pixels for each point of the screen.
    """

    kind: Kind
    pane: str
    at: tuple[float, float]
    size: tuple[int, int]
    button: Button = ""
    modifiers: frozenset[str] = field(default_factory=frozenset)
    pixel_ratio: float = 1.0


@dataclass(frozen=True)
class WheelEvent:
    """A turned wheel over a pane; `steps` is positive away from the person.

    One notch is 1; touchpads send parts of it, and merged events more than 1.
    """

    pane: str
    at: tuple[float, float]
    size: tuple[int, int]
    steps: float
    modifiers: frozenset[str] = field(default_factory=frozenset)
