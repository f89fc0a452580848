"""Qt's events in the neutral form of `hounsview_vizapp.tools`."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from hounsview_vizapp.tools.events import Button, Kind, PointerEvent, WheelEvent

_KINDS: Final[dict[QEvent.Type, Kind]] = {
    QEvent.Type.MouseButtonPress: "press",
    QEvent.Type.MouseMove: "move",
    QEvent.Type.MouseButtonRelease: "release",
    QEvent.Type.MouseButtonDblClick: "double",
}
_BUTTONS: Final[dict[Qt.MouseButton, Button]] = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.MiddleButton: "middle",
    Qt.MouseButton.RightButton: "right",
}
_MODIFIERS: Final = {
    Qt.KeyboardModifier.ControlModifier: "ctrl",
    Qt.KeyboardModifier.ShiftModifier: "shift",
    Qt.KeyboardModifier.AltModifier: "alt",
}
_NOTCH: Final = 120  # Qt counts eighths of a degree, 15 degrees to a notch.


def pointer_event(event: QMouseEvent, widget: QWidget, pane: str) -> PointerEvent:
    """Return a mouse event over a pane; a move carries the button that is held."""
    button = _BUTTONS.get(event.button(), "")
    if event.type() == QEvent.Type.MouseMove:
        held = [name for flag, name in _BUTTONS.items() if event.buttons() & flag]
        button = held[0] if held else ""
    return PointerEvent(
        _KINDS[event.type()], pane, _at(event.position(), widget), device_size(widget), button,
        _modifiers(event.modifiers()), widget.devicePixelRatioF(),
    )  # fmt: skip


def leave_event(widget: QWidget, pane: str) -> PointerEvent:
    """Return the event of a pointer that left a pane."""
    return PointerEvent("leave", pane, (-1, -1), device_size(widget))


def wheel_event(event: QWheelEvent, widget: QWidget, pane: str) -> WheelEvent:
    """Return a wheel event over a pane; Alt turns a wheel sideways on some systems."""
    turned = event.angleDelta().y() or event.angleDelta().x()
    return WheelEvent(
        pane, _at(event.position(), widget), device_size(widget), turned / _NOTCH,
        _modifiers(event.modifiers()),
    )  # fmt: skip


def key_name(event: QKeyEvent) -> str:
    """Return a key with its modifiers, such as ``"Ctrl+Z"``, ``"PgUp"`` or ``"?"``."""
    key = event.key()
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    typed = event.text()
    if typed and typed.isprintable() and not typed.isalpha() and not typed.isspace():
        # Which key gives "]" or "?" depends on the keyboard: the character counts.
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
        if not modifiers & Qt.KeyboardModifier.ControlModifier:
            return typed
    if key == Qt.Key.Key_Enter:
        key = Qt.Key.Key_Return
    sequence = QKeySequence(modifiers.value | key)
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def device_size(widget: QWidget) -> tuple[int, int]:
    """Return the (rows, columns) of a widget in device pixels."""
    ratio = widget.devicePixelRatioF()
    return max(1, round(widget.height() * ratio)), max(1, round(widget.width() * ratio))


def _at(position: QPointF, widget: QWidget) -> tuple[float, float]:
    # Pixel (0, 0) has its centre half a pixel from the corner.
    ratio = widget.devicePixelRatioF()
    return position.y() * ratio - 0.5, position.x() * ratio - 0.5


def _modifiers(flags: Qt.KeyboardModifier) -> frozenset[str]:
    return frozenset(name for flag, name in _MODIFIERS.items() if flags & flag)
