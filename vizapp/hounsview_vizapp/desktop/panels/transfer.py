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
from hounsview_vizapp.tools.curve import Curve, CurveArea

_MARGIN: Final = 10
_STRIP: Final = 12
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
        self._curve = Curve()
        self._colors: ColorPoints = ()
        self._heights: npt.NDArray[np.float64] = np.zeros(0)
        self._low, self._high = -1100.0, 2100.0
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
        self._curve.show(points, shift)
        self._colors = colors
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, Qt's name
        """Return the size that a layout should try."""
        return QSize(280, 170)

    def place_of(self, index: int) -> QPointF:
        """Return where a point is drawn."""
        return QPointF(*self._curve.places(self._axes())[index])

    def _area(self) -> QRectF:
        return QRectF(
            _MARGIN, _MARGIN, self.width() - 2 * _MARGIN,
            self.height() - 2 * _MARGIN - _STRIP - 16,
        )  # fmt: skip

    def _axes(self) -> CurveArea:
        area = self._area()
        return CurveArea(
            self._low, self._high, area.left(), area.top(), area.right(), area.bottom()
        )

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802, Qt's name
        """Draw histogram, curve, points and the strip of colours."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.base())
        area = self._area()
        self._paint_histogram(painter, area)
        self._paint_axis(painter, area)
        line = [QPointF(*place) for place in self._curve.places(self._axes())]
        if line:
            first = QPointF(area.left(), line[0].y())
            last = QPointF(area.right(), line[-1].y())
            painter.setClipRect(area.adjusted(-6, -6, 6, 6))
            painter.setPen(QPen(palette.highlight().color(), 2))
            painter.drawPolyline(QPolygonF([first, *line, last]))
        for number, place in enumerate(line):
            chosen = number == self._curve.picked
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
            share = (hu + self._curve.shift - self._low) / span
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
        curve = self._curve
        if curve.picked is not None:
            hu, opacity = curve.points[curve.picked]
            text = f"{hu + curve.shift:.0f} HU  {opacity:.2f}"
            painter.drawText(
                area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, text
            )

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Take hold of a point, or remove it with the right button."""
        curve, at = self._curve, event.position()
        curve.picked = curve.near(self._axes(), (at.x(), at.y()))
        if event.button() == Qt.MouseButton.RightButton:
            self._changed(curve.remove_picked())
        elif curve.picked is not None:
            self._dragging = True
            self._on_begin()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Move the point that is held."""
        if self._dragging and self._curve.picked is not None:
            at = event.position()
            value = self._curve.value_at(self._axes(), (at.x(), at.y()))
            self._curve.move_to(self._curve.picked, *value)
            self._changed(True)

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Let go."""
        if self._dragging:
            self._dragging = False
            self._on_end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802, Qt's name
        """Add a point."""
        at = (event.position().x(), event.position().y())
        if self._curve.near(self._axes(), at) is None:
            self._changed(self._curve.add(*self._curve.value_at(self._axes(), at)))

    def event(self, event: QEvent) -> bool:
        """Keep the arrows and N for the points: they mean something else elsewhere."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, Qt's name
        """Choose and move points with the keyboard."""
        key, curve = event.key(), self._curve
        if key == Qt.Key.Key_N and curve.points:
            curve.pick_next()
            self.update()
        elif key == Qt.Key.Key_Insert:
            self._changed(curve.add_beside())
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and curve.picked is not None:
            self._changed(curve.remove_picked())
        elif key in _ARROWS and curve.picked is not None:
            hu, opacity = curve.points[curve.picked]
            right, up = _ARROWS[Qt.Key(key)]
            curve.move_to(curve.picked, hu + right * _FINE_HU, opacity + up * _FINE_OPACITY)
            self._changed(True)
        else:
            super().keyPressEvent(event)

    def _changed(self, really: bool) -> None:
        self.update()
        if really:
            self._on_points(tuple(self._curve.points))


_ARROWS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
