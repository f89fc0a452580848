"""Measurements as a table that copies to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QTableWidget,
    QTableWidgetItem,
)

from hounsview.errors import HounsviewError
from hounsview.measure import Measured
from hounsview.viewstate import Measurement
from hounsview_vizapp.desktop.controls import button, label
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.measured import measured, rows_of, tab_separated
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools import TOOLS
from hounsview_vizapp.tools.measuring import remove_selected

_MEASURING: Final = ("ruler", "angle", "rectangle", "ellipse", "probe")
_TOP_LEFT: Final = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
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
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["", "What", "Numbers"])
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.table.setAccessibleName("measurements")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setMinimumHeight(220)
        self.table.itemSelectionChanged.connect(self._selected)
        self.column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.addWidget(button("Copy table", self.copy))
        row.addWidget(button("Name...", self._ask_name))
        row.addWidget(button("Remove", self._remove))
        self.column.addLayout(row)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.copy)
        self._numbers: list[tuple[Measurement, Measured]] = []
        self._measured: tuple[Measurement, ...] = ()
        self.setEnabled(False)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls; numbers are taken again only when measurements changed."""
        for name, made in self.tools.items():
            made.setChecked(viewer.tool == name)
        if self._measured != viewer.state.measurements:
            self._measured = viewer.state.measurements
            self._numbers = measured(viewer.volume, viewer.state.measurements)
            self._show_numbers()
        wanted = viewer.selected
        if wanted is None:
            self.table.clearSelection()
        elif wanted not in {index.row() for index in self._rows()}:
            self.table.selectRow(wanted)

    def clear(self) -> None:
        """Forget the numbers of the volume before."""
        self._numbers, self._measured = [], ()
        self._show_numbers()

    def _rows(self) -> list[QModelIndex]:
        return self.table.selectionModel().selectedRows()

    def copy(self) -> None:
        """Copy the whole table as tab-separated text, as spreadsheets take it."""
        QGuiApplication.clipboard().setText(self.text())

    def text(self) -> str:
        """Return the table as tab-separated lines, the heading first: each number a column."""
        self.follow()
        return tab_separated(rows_of(self._numbers))

    def _show_numbers(self) -> None:
        """Show each measurement in one row; the clipboard gets every number apart."""
        self.table.setRowCount(len(self._numbers))
        for row, (measurement, numbers) in enumerate(self._numbers):
            values = numbers.values().items()
            cells = (
                str(row + 1),
                f"{measurement.text or measurement.kind}\n{measurement.plane}",
                "\n".join(f"{name} {value}" for name, value in values),
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_TOP_LEFT)
                self.table.setItem(row, column, item)
        self.table.resizeRowsToContents()

    def _choose(self, name: str) -> None:
        if self.viewer is not None:
            self.viewer.tool = "crosshair" if self.viewer.tool == name else name
            self.follow()

    def _selected(self) -> None:
        rows = self._rows()
        if self.viewer is not None and not self._filling and rows:
            self.viewer.selected = rows[0].row()

    def _ask_name(self) -> None:
        index = None if self.viewer is None else self.viewer.selected
        if self.viewer is None or index is None:
            return
        measurement = self.viewer.state.measurements[index]
        name, given = QInputDialog.getText(
            self, "Name", "Name of the measurement:", text=measurement.text
        )
        if given:
            self.name(index, name)

    def name(self, index: int, text: str) -> None:
        """Give a measurement a name."""
        if self.viewer is not None:
            kept = list(self.viewer.state.measurements)
            try:
                kept[index] = replace(kept[index], text=text)
            except HounsviewError as error:
                self.on_error("this name cannot be used", error)
                return
            self.edit(measurements=tuple(kept))

    def _remove(self) -> None:
        if self.viewer is not None:
            remove_selected(self.viewer)
