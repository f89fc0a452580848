"""Buttons, boxes, sliders and labels, made in one line each."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLayout,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)


def breakable(text: str, every: int = 30) -> str:
    """Return a text whose long words may be broken, so that no name widens the window."""
    return re.sub(rf"(\S{{{every}}})(?=\S)", "\\1\u200b", text)


class _WheelOnlyWithFocus(QObject):
    """Lets the wheel scroll the panel, and change a box only once a person chose it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, Qt's name
        if event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return False
        if watched.hasFocus():
            return False
        event.ignore()
        return True


_wheel_filter = _WheelOnlyWithFocus()


def _calm(widget: QWidget) -> None:
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_wheel_filter)


def button(
    text: str,
    run: Callable[[], object],
    *,
    checkable: bool = False,
    tip: str = "",
    name: str = "",
) -> QPushButton:
    """Return a button; `name` is what a screen reader says where the text is a sign."""
    made = QPushButton(text)
    made.setCheckable(checkable)
    made.setToolTip(tip)
    # A click leaves the keyboard with the panes.
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if name:
        made.setAccessibleName(name)
    made.clicked.connect(lambda: run())
    return made


def label(text: str = "", *, look: str = "faint") -> QLabel:
    """Return a text that wraps; `look` is ``"faint"``, ``"title"`` or ``""``."""
    made = QLabel(text)
    made.setObjectName(look)
    made.setWordWrap(look != "title")
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def slider(name: str, highest: int, changed: Callable[[int], object]) -> QSlider:
    """Return a slider from 0 to `highest`."""
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, highest)
    made.setAccessibleName(name)
    made.setToolTip(name.capitalize())
    _calm(made)
    made.valueChanged.connect(changed)
    return made


def set_slider(slider: QSlider, value: int) -> None:
    """Show a value, unless a person holds the slider."""
    if not slider.isSliderDown():
        with QSignalBlocker(slider):
            slider.setValue(value)


def clear(layout: QLayout) -> None:
    """Take every widget out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.deleteLater()


def whole_number(low: int, high: int, value: int, unit: str) -> QSpinBox:
    """Return a box for a whole number."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setSuffix(unit)
    return box


def number_box(
    low: float,
    high: float,
    *,
    step: float = 1.0,
    decimals: int = 0,
    unit: str = "",
    changed: Callable[[float], object],
) -> QDoubleSpinBox:
    """Return a box for a number; `changed` hears of it when a person is done typing."""
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setDecimals(decimals)
    box.setKeyboardTracking(False)
    _calm(box)
    if unit:
        box.setSuffix(f" {unit}")
    box.valueChanged.connect(changed)
    return box


def set_number(box: QDoubleSpinBox, value: float) -> None:
    """Show a number, unless a person is typing into the box."""
    if not (box.hasFocus() and box.lineEdit().isModified()):
        with QSignalBlocker(box):
            box.setValue(value)


def choice(items: dict[str, str], chosen: Callable[[str], object]) -> QComboBox:
    """Return a list to choose from: names, and what is shown for each."""
    box = QComboBox()
    _calm(box)
    for name, label in items.items():
        box.addItem(label, name)
    box.activated.connect(lambda _: chosen(box.currentData()))
    return box


def set_choice(box: QComboBox, name: str | None) -> None:
    """Show a name of a list; nothing when it is not there."""
    with QSignalBlocker(box):
        box.setCurrentIndex(box.findData(name))
