"""The transfer function over the histogram, its points to be dragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from hounsview.presets import ColorPoints, OpacityPoints

_MARGIN: Final = 10
_STRIP: Final = 12
_REACH: Final = 9.0
_FINE_HU: Final = 5.0
_FINE_OPACITY: Final = 0.02


class TransferEditor(QWidget):
    """Shows opacity over HU, and lets a person move, add and remove points.

    Drag a point; double click adds one; right click or Delete removes it. With the
    keyboard: N the next point, arrows move it, Ins adds one.

    Parameters
    ----------
    on_begin, on_end : callable
        Called around a drag.
    on_points : callable
        Takes the new points, (HU, opacity), shift taken off.
    """

    def __init__(
        self,
        *,
        on_begin: Callable[[], object],
        on_points: Callable[[OpacityPoints], object],
        on_end: Callable[[], object],
    ) -> None:
        super().__init__()
        self._on_begin, self._on_points, self._on_end = on_begin, on_points, on_end
        self._points: list[tuple[float, float]] = []
        self._colors: ColorPoints = ()
        self._shift = 0.0
        self._heights: npt.NDArray[np.float64] = np.zeros(0)
        self._low, self._high = -1100.0, 2100.0
        self._picked: int | None = None
        self._dragging = False
        self.setMinimumHeight(150)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName("transfer function")
        self.setAccessibleName("transfer function")
        self.setToolTip(
            "Opacity over HU. Drag points; double click adds, right click or Del removes.\n"
            "Keys: N next point, arrows move it, Ins adds one."
        )

    def show_histogram(
        self, counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]
    ) -> None:
        """Show how often each value occurs (logarithmic) behind the points."""
        self._low, self._high = float(edges[0]), float(edges[-1])
        logs = np.log1p(counts)
        self._heights = logs / max(float(logs.max(initial=0)), 1e-9)
        self.update()

    def show_points(self, points: OpacityPoints, colors: ColorPoints, shift: float) -> None:
        """Show the points of a preset as they are before the shift, and the shift."""
        if self._dragging:
            return
        self._points = [(hu, opacity) for hu, opacity in points]
        self._colors, self._shift = colors, shift
        if self._picked is not None and self._picked >= len(points):
            self._picked = None
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, Qt's name
        """Return the size that a layout should try."""
        return QSize(280, 170)

    def place_of(self, index: int) -> QPointF:
        """Return where a point is drawn."""
        hu, opacity = self._points[index]
        area = self._area()
        share = (hu + self._shift - self._low) / (self._high - self._low)
        return QPointF(
            area.left() + share * area.width(), area.bottom() - opacity * area.height()
        )

    def _area(self) -> QRectF:
        return QRectF(
            _MARGIN, _MARGIN, self.width() - 2 * _MARGIN,
            self.height() - 2 * _MARGIN - _STRIP - 16,
        )  # fmt: skip

    def _value_at(self, at: QPointF) -> tuple[float, float]:
        area = self._area()
        share = (at.x() - area.left()) / area.width()
        hu = self._low + share * (self._high - self._low) - self._shift
        return hu, min(max((area.bottom() - at.y()) / area.height(), 0.0), 1.0)

    def _near(self, at: QPointF) -> int | None:
        far = [(at - self.place_of(n)).manhattanLength() for n in range(len(self._points))]
        nearest = int(np.argmin(far)) if far else None
        return nearest if nearest is not None and far[nearest] <= _REACH * 1.5 else None

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802, Qt's name
        """Draw histogram, curve, points and the strip of colours."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.base())
        area = self._area()
        self._paint_histogram(painter, area)
        self._paint_axis(painter, area)
        line = [self.place_of(n) for n in range(len(self._points))]
        if line:
            first = QPointF(area.left(), line[0].y())
            last = QPointF(area.right(), line[-1].y())
            painter.setClipRect(area.adjusted(-6, -6, 6, 6))
            painter.setPen(QPen(palette.highlight().color(), 2))
            painter.drawPolyline(QPolygonF([first, *line, last]))
        for number, place in enumerate(line):
            chosen = number == self._picked
            painter.setPen(QPen(palette.highlight().color(), 2))
            painter.setBrush(palette.highlight() if chosen else palette.base())
            painter.drawEllipse(place, 6 if chosen else 4.5, 6 if chosen else 4.5)
        painter.setClipping(False)
        if self.hasFocus():
            painter.setPen(palette.highlight().color())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_histogram(self, painter: QPainter, area: QRectF) -> None:
        if not len(self._heights):
            return
        painter.setPen(Qt.PenStyle.NoPen)
        tone = QColor(self.palette().text().color())
        tone.setAlpha(70)
        painter.setBrush(tone)
        step = area.width() / len(self._heights)
        outline = [area.bottomLeft()]
        for number, height in enumerate(self._heights):
            outline.append(
                QPointF(
                    area.left() + (number + 0.5) * step, area.bottom() - height * area.height()
                )
            )
        painter.drawPolygon(QPolygonF([*outline, area.bottomRight()]))

    def _paint_axis(self, painter: QPainter, area: QRectF) -> None:
        strip = QRectF(area.left(), area.bottom() + 3, area.width(), _STRIP)
        gradient = QLinearGradient(strip.topLeft(), strip.topRight())
        span = self._high - self._low
        for hu, red, green, blue in self._colors:
            share = (hu + self._shift - self._low) / span
            gradient.setColorAt(min(max(share, 0), 1), QColor.fromRgbF(red, green, blue))
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.setBrush(gradient)
        painter.drawRect(strip)
        painter.setPen(self.palette().text().color())
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() - 1.5, 6))
        painter.setFont(font)
        below = QRectF(area.left() - 8, strip.bottom() + 1, area.width() + 16, 16)
        for hu in (-1000, 0, 1000, 2000):
            x = area.left() + (hu - self._low) / span * area.width()
            place = QRectF(x - 30, below.top(), 60, below.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, f"{hu}")
        picked = self._picked
        if picked is not None:
            hu, opacity = self._points[picked]
            text = f"{hu + self._shift:.0f} HU  {opacity:.2f}"
            painter.drawText(
                area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, text
            )

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Take hold of a point, or remove it with the right button."""
        self._picked = self._near(event.position())
        if event.button() == Qt.MouseButton.RightButton:
            self._remove()
        elif self._picked is not None:
            self._dragging = True
            self._on_begin()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Move the point that is held."""
        if self._dragging and self._picked is not None:
            self._move_to(self._picked, *self._value_at(event.position()))

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Let go."""
        if self._dragging:
            self._dragging = False
            self._on_end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Add a point."""
        if self._near(event.position()) is None:
            self._add(*self._value_at(event.position()))

    def event(self, event: QEvent) -> bool:
        """Keep the arrows and N for the points: they mean something else elsewhere."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, Qt's name
        """Choose and move points with the keyboard."""
        key, picked = event.key(), self._picked
        if key == Qt.Key.Key_N and self._points:
            self._picked = 0 if picked is None else (picked + 1) % len(self._points)
            self.update()
        elif key == Qt.Key.Key_Insert:
            self._add_beside()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and picked is not None:
            self._remove()
        elif key in _ARROWS and picked is not None:
            hu, opacity = self._points[picked]
            right, up = _ARROWS[Qt.Key(key)]
            self._move_to(picked, hu + right * _FINE_HU, opacity + up * _FINE_OPACITY)
        else:
            super().keyPressEvent(event)

    def _move_to(self, index: int, hu: float, opacity: float) -> None:
        """Move a point, kept between its neighbours."""
        low = self._points[index - 1][0] + 1 if index else -10_000.0
        high = self._points[index + 1][0] - 1 if index + 1 < len(self._points) else 60_000.0
        self._points[index] = (min(max(hu, low), high), min(max(opacity, 0.0), 1.0))
        self._changed()

    def _add(self, hu: float, opacity: float) -> None:
        if any(abs(hu - other) < 1 for other, _ in self._points):
            return
        self._points = sorted([*self._points, (hu, opacity)])
        self._picked = self._points.index((hu, opacity))
        self._changed()

    def _add_beside(self) -> None:
        """Add a point half-way to the next one, or beyond the last."""
        at = len(self._points) - 1 if self._picked is None else self._picked
        if at + 1 < len(self._points):
            (a, low), (b, high) = self._points[at], self._points[at + 1]
            self._add((a + b) / 2, (low + high) / 2)
        elif self._points:
            self._add(self._points[at][0] + 100, self._points[at][1])

    def _remove(self) -> None:
        if self._picked is not None and len(self._points) > 1:
            del self._points[self._picked]
            self._picked = None
            self._changed()

    def _changed(self) -> None:
        self.update()
        self._on_points(tuple(self._points))


_ARROWS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
