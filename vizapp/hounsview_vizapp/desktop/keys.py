"""The help that shows all keys, and what the mouse does."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from hounsview_vizapp.desktop.theme import Mode, colors
from hounsview_vizapp.tools.guide import guide


class KeysDialog(QDialog):
    """A window that stays open beside the panes."""

    def __init__(self, parent: QWidget, files: dict[str, str], mode: Mode) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Mouse and keys")
        text = QTextBrowser()
        text.setHtml(_html(files, colors(mode)))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)
        self.resize(900, 640)


def _html(files: dict[str, str], chosen: dict[str, str]) -> str:
    told = guide()
    groups = {"Mouse": told.pop("Mouse"), "File": files, **told}
    halves: tuple[list[str], list[str]] = ([], [])
    lengths = [0, 0]
    for name, rows in groups.items():
        side = int(lengths[1] < lengths[0])
        lengths[side] += len(rows) + 2
        lines = "".join(
            f'<tr><td style="padding-right:14px"><b>{escape(key)}</b></td>'
            f"<td>{escape(label)}</td></tr>"
            for key, label in rows.items()
        )
        halves[side].append(
            f'<h3 style="color:{chosen["accent"]}">{name}</h3><table>{lines}</table>'
        )
    cells = "".join(f'<td width="50%" valign="top">{"".join(half)}</td>' for half in halves)
    return f'<table width="100%"><tr>{cells}</tr></table>'
