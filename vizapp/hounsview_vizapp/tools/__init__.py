"""From neutral pointer, wheel and key events to changes of the state."""

from hounsview_vizapp.tools.events import PointerEvent, WheelEvent
from hounsview_vizapp.tools.pointer import TOOLS, PointerTools

__all__ = ["TOOLS", "PointerEvent", "PointerTools", "WheelEvent"]
