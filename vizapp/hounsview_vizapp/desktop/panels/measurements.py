"""Measurements as a table that copies to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QTableWidget,
    QTableWidgetItem,
)

from hounsview.measure import measure, table_row
from hounsview_vizapp.desktop.controls import button, label
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools import TOOLS
from hounsview_vizapp.tools.measuring import remove_selected

_MEASURING: Final = ("ruler", "angle", "rectangle", "ellipse", "probe")
_HINT: Final = (
    "Drag, or click point by point. Padding and filled slices are left out of every number."
)


class MeasurementsPanel(Panel):
    """Tools, the table of measurements, and what becomes of it."""

    def __init__(self, on_error: Callable[[str, Exception], object]) -> None:
        super().__init__(on_error)
        rows = self.group("Measure")
        buttons = QGridLayout()
        buttons.setSpacing(4)
        self.tools = {}
        for place, name in enumerate(_MEASURING):
            made = button(TOOLS[name], partial(self._choose, name), checkable=True)
            buttons.addWidget(made, place // 3, place % 3)
            self.tools[name] = made
        rows.addRow(buttons)
        rows.addRow(label(_HINT))
        self.table = QTableWidget(0, 0)
        self.table.setAccessibleName("measurements")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setMinimumHeight(220)
        self.table.itemSelectionChanged.connect(self._selected)
        self.column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.addWidget(button("Copy table", self.copy))
        row.addWidget(button("Remove", self._remove))
        self.column.addLayout(row)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.copy)
        self._cells: list[dict[str, str]] = []
        self._key: object = None
        self.setEnabled(False)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls; numbers are taken again only when measurements changed."""
        for name, made in self.tools.items():
            made.setChecked(viewer.tool == name)
        key = (id(viewer), viewer.state.measurements)
        if key != self._key:
            self._key = key
            self._cells = [
                {"": str(number), **table_row(each, measure(viewer.volume, each))}
                for number, each in enumerate(viewer.state.measurements, start=1)
            ]
            self._show_cells()
        wanted = viewer.selected
        if wanted is None:
            self.table.clearSelection()
        elif self.table.currentRow() != wanted:
            self.table.selectRow(wanted)

    def copy(self) -> None:
        """Copy the whole table as tab-separated text, as spreadsheets take it."""
        QGuiApplication.clipboard().setText(self.text())

    def text(self) -> str:
        """Return the table as tab-separated lines, the heading first."""
        names = self._columns()
        lines = ["\t".join(names)]
        lines += ["\t".join(cells.get(name, "") for name in names) for cells in self._cells]
        return "\n".join(lines)

    def _columns(self) -> list[str]:
        return list(dict.fromkeys(name for cells in self._cells for name in cells))

    def _show_cells(self) -> None:
        names = self._columns()
        self.table.setColumnCount(len(names))
        self.table.setRowCount(len(self._cells))
        self.table.setHorizontalHeaderLabels(names)
        for row, cells in enumerate(self._cells):
            for column, name in enumerate(names):
                self.table.setItem(row, column, QTableWidgetItem(cells.get(name, "")))
        self.table.resizeColumnsToContents()

    def _choose(self, name: str) -> None:
        if self.viewer is not None:
            self.viewer.tool = "crosshair" if self.viewer.tool == name else name
            self.follow()

    def _selected(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if self.viewer is not None and not self._filling and rows:
            self.viewer.selected = rows[0].row()

    def _remove(self) -> None:
        if self.viewer is not None:
            remove_selected(self.viewer)
