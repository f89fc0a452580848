"""What was opened: the list of series, and what was found in each."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QSplitter,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from hounsview.findings import Finding, Report, Severity
from hounsview_vizapp.contents import Entry, in_plain_words
from hounsview_vizapp.desktop.controls import breakable, label
from hounsview_vizapp.desktop.theme import Mode, colors

_TONE: Final = {"ok": "good", "repaired": "warn", "split": "warn", "refused": "bad"}
_WORDS: Final = {
    Severity.REFUSAL: ("Refused", "bad"),
    Severity.REPAIR: ("Repaired", "warn"),
    Severity.WARNING: ("Warning", "warn"),
    Severity.NOTE: ("Note", "faint"),
}
_MOST_FILES: Final = 6


class SeriesPanel(QWidget):
    """The list of entries; a double click or Return opens one.

    Parameters
    ----------
    on_chosen : callable
        Takes the `Entry` that a person wants to see.
    """

    def __init__(self, on_chosen: Callable[[Entry], object]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self._mode: Mode = "dark"
        self._where = ""
        self._entries: list[Entry] = []
        self._items: list[QTreeWidgetItem] = []
        self._shown: int | None = None
        self._report: Report | None = None
        self.where = label()
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        # With dots Qt would leave out the second line.
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.list.setHeaderLabels(["", "Series", "Status"])
        self.list.setAccessibleName("series")
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemActivated.connect(self._activated)
        self.list.currentItemChanged.connect(lambda *_: self._tell())
        self.findings = QTextBrowser()
        self.findings.setOpenLinks(False)
        self.findings.setAccessibleName("findings")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.list)
        split.addWidget(self.findings)
        split.setSizes([220, 320])
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.addWidget(self.where)
        column.addWidget(split)

    @property
    def listed(self) -> tuple[str, list[Entry]]:
        """The path, and the entries under it."""
        return self._where, self._entries

    def show_entries(self, where: str, entries: list[Entry]) -> None:
        """List what lies under a path."""
        self._where = where
        self._entries, self._shown, self._report = entries, None, None
        self.where.setText(breakable(where))
        self._items.clear()
        self.list.clear()
        for entry in entries:
            item = QTreeWidgetItem(
                [str(entry.number), f"{entry.title}\n{entry.detail}", str(entry.report.status)]
            )
            item.setToolTip(1, f"{entry.title}\n{entry.detail}\n{entry.source.series_uid}")
            self._items.append(item)
            self.list.addTopLevelItem(item)
        if self._items:
            self.list.setCurrentItem(self._items[0])
        self._color()
        self._tell()

    def mark_shown(self, entry: Entry, report: Report | None = None) -> None:
        """Mark the entry that is shown; `report` is what loading added."""
        self._shown = self._entries.index(entry) if entry in self._entries else None
        self._report = report
        if self._shown is not None:
            item = self._items[self._shown]
            if report is not None:
                item.setText(2, str(report.status))
            self.list.setCurrentItem(item)
        self._color()
        self._tell()

    def use_colors(self, mode: Mode) -> None:
        """Follow light or dark."""
        self._mode = mode
        self._color()
        self._tell()

    def _color(self) -> None:
        chosen = colors(self._mode)
        for row, item in enumerate(self._items):
            item.setForeground(2, QBrush(QColor(chosen[_TONE[item.text(2)]])))
            font = item.font(1)
            font.setBold(row == self._shown)
            item.setFont(1, font)
            if not self._entries[row].can_be_shown:
                item.setForeground(1, QBrush(QColor(chosen["faint"])))

    def _activated(self, item: QTreeWidgetItem) -> None:
        row = self.list.indexOfTopLevelItem(item)
        self._on_chosen(self._entries[row])

    def _tell(self) -> None:
        """Show the findings of the current entry, the gravest first."""
        item = self.list.currentItem()
        row = self.list.indexOfTopLevelItem(item) if item is not None else self._shown
        if row is None or not 0 <= row < len(self._entries):
            self.findings.setHtml("")
            return
        entry = self._entries[row]
        loaded = row == self._shown and self._report is not None
        report = self._report if loaded and self._report is not None else entry.report
        self.findings.setHtml(_html(entry, report, colors(self._mode)))


def _html(entry: Entry, report: Report, chosen: dict[str, str]) -> str:
    parts = [f"<p><b>{escape(entry.title)}</b><br>{escape(entry.detail)}</p>"]
    order = list(_WORDS)
    for finding in sorted(report.findings, key=lambda f: order.index(f.severity)):
        parts.append(_finding_html(finding, chosen))
    if not report.findings:
        parts.append(f'<p style="color:{chosen["good"]}">Nothing was found amiss.</p>')
    return "".join(parts)


def _finding_html(finding: Finding, chosen: dict[str, str]) -> str:
    word, tone = _WORDS[finding.severity]
    names = [file.name for file in finding.files[:_MOST_FILES]]
    if len(finding.files) > _MOST_FILES:
        names.append(f"and {len(finding.files) - _MOST_FILES} more")
    files = f"<br><small>{escape(', '.join(names))}</small>" if names else ""
    return (
        f'<p><b style="color:{chosen[tone]}">{word}.</b> '
        f"{escape(in_plain_words(finding))} "
        f'<span style="color:{chosen["faint"]}">[{finding.code}]</span>{files}</p>'
    )
