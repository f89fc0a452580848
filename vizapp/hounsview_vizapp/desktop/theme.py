"""Light and dark: colours of the controls around the panes, which are always dark."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

Mode = Literal["dark", "light"]

_COLORS: Final[dict[str, dict[str, str]]] = {
    "dark": {
        "window": "#1b1f26", "base": "#14181e", "text": "#e2e6ec", "faint": "#96a0ae",
        "button": "#272d37", "line": "#39414e", "accent": "#3f7fd0", "on_accent": "#ffffff",
        "warn": "#ffba49", "warn_back": "#3a2f17", "bad": "#ff8277", "bad_back": "#3d2020",
        "good": "#6fd68c",
    },
    "light": {
        "window": "#f2f4f7", "base": "#ffffff", "text": "#1c222b", "faint": "#5b6675",
        "button": "#e4e8ee", "line": "#c3cad4", "accent": "#1f5fb4", "on_accent": "#ffffff",
        "warn": "#8a5a00", "warn_back": "#fff1d0", "bad": "#b3261e", "bad_back": "#fde3e1",
        "good": "#1b7a3d",
    },
}  # fmt: skip

_STYLE: Final = """
QToolBar {{ border: 0; border-bottom: 1px solid {line}; spacing: 2px; padding: 3px; }}
QToolBarExtension {{ background: {button}; }}
QToolButton {{ padding: 4px 8px; border: 1px solid transparent; border-radius: 4px; }}
QToolButton:hover {{ background: {button}; }}
QToolButton:checked {{ background: {accent}; color: {on_accent}; }}
QPushButton {{ padding: 4px 10px; border: 1px solid {line}; border-radius: 4px;
  background: {button}; }}
QPushButton:hover, QToolButton:focus, QPushButton:focus {{ border-color: {accent}; }}
QPushButton:checked {{ background: {accent}; color: {on_accent}; }}
QPushButton:disabled {{ color: {faint}; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {faint};
  border-radius: 3px; background: {base}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QCheckBox::indicator:disabled {{ border-color: {line}; }}
QTabWidget::pane {{ border: 0; }}
QTabBar::tab {{ padding: 6px 8px; border-bottom: 2px solid transparent; color: {faint}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}
QGroupBox {{ border: 0; border-top: 1px solid {line}; margin-top: 18px; padding-top: 4px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; top: 4px; color: {faint}; }}
QTreeWidget, QTableWidget, QTextBrowser, QListWidget {{ border: 1px solid {line}; }}
QHeaderView::section {{ background: {window}; border: 0; border-bottom: 1px solid {line};
  padding: 3px; color: {faint}; }}
QScrollArea {{ border: 0; }}
#banner {{ background: {warn_back}; border-bottom: 1px solid {warn}; }}
#banner QLabel {{ color: {text}; }}
#banner[level="bad"] {{ background: {bad_back}; border-bottom-color: {bad}; }}
#faint {{ color: {faint}; }}
#title {{ font-size: 20px; font-weight: 600; }}
"""


def colors(mode: Mode) -> dict[str, str]:
    """Return the colours of a mode by name, as ``#rrggbb``."""
    return _COLORS[mode]


def apply_theme(application: QApplication, mode: Mode) -> None:
    """Give all windows the colours of a mode."""
    chosen = _COLORS[mode]
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: "window", QPalette.ColorRole.Base: "base",
        QPalette.ColorRole.AlternateBase: "window", QPalette.ColorRole.Button: "button",
        QPalette.ColorRole.Text: "text", QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.ButtonText: "text", QPalette.ColorRole.ToolTipBase: "button",
        QPalette.ColorRole.ToolTipText: "text", QPalette.ColorRole.PlaceholderText: "faint",
        QPalette.ColorRole.Highlight: "accent", QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent", QPalette.ColorRole.Mid: "line",
        QPalette.ColorRole.Dark: "line", QPalette.ColorRole.Light: "button",
    }  # fmt: skip
    for role, name in roles.items():
        palette.setColor(role, QColor(chosen[name]))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText,
                 QPalette.ColorRole.ButtonText):  # fmt: skip
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(chosen["faint"]))
    application.setStyle("Fusion")
    application.setPalette(palette)
    application.setStyleSheet(_STYLE.format(**chosen))


def system_mode(application: QApplication) -> Mode:
    """Return what the desktop asks for; dark where it asks for nothing."""
    from PySide6.QtCore import Qt

    scheme = application.styleHints().colorScheme()
    return "light" if scheme == Qt.ColorScheme.Light else "dark"
