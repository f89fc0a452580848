"""One pane: a plain widget that shows frames and hands on events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from hounsview_vizapp import drawing
from hounsview_vizapp.desktop import events
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.tools.events import PointerEvent, WheelEvent


class PaneWidget(QWidget):
    """Shows the frames of one pane.

    Parameters
    ----------
    pane : str
        A plane's name or ``"3d"``.
    on_pointer, on_wheel : callable
        Take neutral events.
    on_resized, on_focus : callable
        Take the pane's name.
    """

    def __init__(
        self,
        pane: str,
        *,
        on_pointer: Callable[[PointerEvent], object],
        on_wheel: Callable[[WheelEvent], object],
        on_resized: Callable[[str], object],
        on_focus: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.pane = pane
        self.frames_shown = 0
        self._on_pointer = on_pointer
        self._on_wheel = on_wheel
        self._on_resized = on_resized
        self._on_focus = on_focus
        self._picture: Picture | None = None
        self._active = False
        self.setObjectName(f"pane {pane}")
        self.setAccessibleName(f"{pane} picture")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def picture(self) -> Picture | None:
        """The frame shown now, (rows, columns, 3) uint8 RGB."""
        return self._picture

    def show_picture(self, picture: Picture | None) -> None:
        """Show a frame; None for an empty pane."""
        self._picture = None if picture is None else np.ascontiguousarray(picture)
        self.frames_shown += picture is not None
        self.update()

    def mark_active(self, active: bool) -> None:
        """Say whether keys act on this pane."""
        if active != self._active:
            self._active = active
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, Qt's name
        """Return the size that a layout should try."""
        return QSize(480, 480)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802, Qt's name
        """Draw the frame; one of an older size is stretched until the new one comes."""
        painter = QPainter(self)
        if self._picture is None:
            painter.fillRect(self.rect(), QColor(*drawing.NOT_MEASURED))
        else:
            rows, columns = self._picture.shape[:2]
            image = QImage(
                self._picture.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888
            )
            if (rows, columns) == events.device_size(self):
                image.setDevicePixelRatio(self.devicePixelRatioF())
                painter.drawImage(0, 0, image)
            else:
                painter.drawImage(self.rect(), image)
        if self._active:
            painter.setPen(QColor(*drawing.BLUE))
            painter.drawRect(QRect(0, 0, self.width() - 1, self.height() - 1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, Qt's name
        """Ask for a frame of the new size."""
        super().resizeEvent(event)
        self._on_resized(self.pane)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802, Qt's name
        """Let keys act on this pane."""
        super().focusInEvent(event)
        self._on_focus(self.pane)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Hand on a press."""
        self._on_pointer(events.pointer_event(event, self, self.pane))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Hand on a move."""
        self._on_pointer(events.pointer_event(event, self, self.pane))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Hand on a release."""
        self._on_pointer(events.pointer_event(event, self, self.pane))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Hand on a double click."""
        self._on_pointer(events.pointer_event(event, self, self.pane))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802, Qt's name
        """Hand on a turned wheel."""
        self._on_wheel(events.wheel_event(event, self, self.pane))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802, Qt's name
        """Hand on that the pointer left."""
        super().leaveEvent(event)
        self._on_pointer(events.leave_event(self, self.pane))
