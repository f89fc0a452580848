"""Tissues over the slices, and their numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QGridLayout, QHBoxLayout, QTreeWidget
from PySide6.QtWidgets import QTreeWidgetItem as Line

from hounsview_vizapp.desktop.controls import (
    breakable,
    button,
    label,
    set_slider,
    slider,
)
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.tissues import OVERLAYS, shown_overlays, toggle_overlay

_HINT = (
    "Found from HU alone, on this machine. Look at the overlay before you trust a number; for "
    "teaching and research."
)


class TissuesPanel(Panel):
    """Toggles of the overlays, what could not be found and why, and the numbers."""

    def __init__(self, on_error: Callable[[str, Exception], object]) -> None:
        super().__init__(on_error)
        rows = self.group("Tissues over the slices")
        grid = QGridLayout()
        grid.setSpacing(4)
        self.toggles = {}
        for place, name in enumerate(OVERLAYS):
            text = name.replace("_", " ").capitalize()
            made = button(text, partial(self._toggle, name), checkable=True)
            red, green, blue = (round(255 * part) for part in OVERLAYS[name])
            made.setStyleSheet(f"border-left: 6px solid rgb({red}, {green}, {blue})")
            grid.addWidget(made, place // 2, place % 2)
            self.toggles[name] = made
        rows.addRow(grid)
        self.opacity = slider("overlay opacity", 100, self._make_clear)
        rows.addRow("Opacity", self.opacity)
        rows.addRow(label(_HINT))
        self.notes = label(look="")
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self.notes)
        self.numbers = QTreeWidget()
        self.numbers.setAccessibleName("numbers of the tissues")
        self.numbers.setHeaderLabels(["Tissue", "Value"])
        self.numbers.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.numbers.setMinimumHeight(220)
        self.column.addWidget(self.numbers, 1)
        row = QHBoxLayout()
        row.addWidget(button("Find and measure", self._find))
        row.addWidget(button("Copy numbers", self.copy))
        self.column.addLayout(row)
        self._shown_rows: list[tuple[str, str, str]] | None = None
        self.setEnabled(False)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls."""
        shown = shown_overlays(viewer.state)
        for name, made in self.toggles.items():
            made.setChecked(name in shown)
        overlays = viewer.state.overlays
        set_slider(self.opacity, round(100 * overlays[0].opacity) if overlays else 40)
        self.notes.setText(breakable("\n".join(viewer.tissue_notes)))
        if self._shown_rows != viewer.tissue_numbers:
            self._shown_rows = viewer.tissue_numbers
            self._show_numbers(viewer.tissue_numbers)

    def clear(self) -> None:
        """Forget the numbers of the volume before."""
        self._shown_rows = None
        self.numbers.clear()
        self.notes.clear()

    def copy(self) -> None:
        """Copy the numbers as tab-separated lines."""
        rows = [] if self.viewer is None else self.viewer.tissue_numbers
        lines = ["\t".join(row) for row in [("what", "name", "value"), *rows]]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _show_numbers(self, rows: list[tuple[str, str, str]]) -> None:
        self.numbers.clear()
        parents: dict[str, Line] = {}
        for what, name, value in rows:
            if what not in parents:
                parents[what] = Line([what.replace("_", " ")])
                self.numbers.addTopLevelItem(parents[what])
                parents[what].setText(1, value)
            item = Line([name, value])
            item.setToolTip(1, value)
            parents[what].addChild(item)
        self.numbers.resizeColumnToContents(0)

    def _toggle(self, name: str) -> None:
        if self.viewer is not None:
            toggle_overlay(name, self.viewer)
            self.follow()

    def _make_clear(self, percent: int) -> None:
        if self.viewer is not None and self.viewer.state.overlays:
            from dataclasses import replace

            changed = tuple(
                replace(each, opacity=percent / 100) for each in self.viewer.state.overlays
            )
            self.edit("overlay opacity", overlays=changed)

    def _find(self) -> None:
        if self.viewer is not None:
            self.viewer.want_tissues()
