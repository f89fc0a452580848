"""What is said to a person without taking the keyboard away: banner, progress, pages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)


class Banner(QFrame):
    """A line above the panes that stays until it is closed or something else is said."""

    def __init__(self) -> None:
        super().__init__(objectName="banner")
        self.text = QLabel(wordWrap=True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.more = QPushButton("Details")
        self.more.clicked.connect(self._tell_more)
        close = QPushButton("Close")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self.text, 1)
        row.addWidget(self.more)
        row.addWidget(close)
        self._on_more: Callable[[], object] | None = None
        self.hide()

    def say(
        self, text: str, level: str = "warn", on_more: Callable[[], object] | None = None
    ) -> None:
        """Show a text; `level` is ``"warn"`` or ``"bad"``."""
        self.text.setText(text)
        self._on_more = on_more
        self.more.setVisible(on_more is not None)
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()

    def _tell_more(self) -> None:
        if self._on_more is not None:
            self._on_more()


class ProgressStrip(QFrame):
    """Says how far long work is, and lets a person stop it.

    Parameters
    ----------
    on_cancel : callable
    """

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        super().__init__()
        self.what = QLabel()
        self.what.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setMinimumWidth(160)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(lambda: on_cancel())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.addWidget(self.what, 1)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        self.hide()

    def begin(self, what: str) -> None:
        """Show that work has begun."""
        self.what.setText(what)
        self.bar.setRange(0, 0)
        self.show()

    def tell(self, done: int, total: int, what: str) -> None:
        """Show how far it is."""
        self.what.setText(what if total <= 0 else f"{what}  {done} of {total}")
        self.bar.setRange(0, max(total, 0))
        self.bar.setValue(done)


class Page(QWidget):
    """A page in place of the panes: a title, some words, and buttons.

    Parameters
    ----------
    title, text : str
    """

    def __init__(self, title: str = "", text: str = "") -> None:
        super().__init__()
        self.title = QLabel(title, objectName="title")
        self.text = QLabel(text, wordWrap=True)
        for label in (self.title, self.text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.text.setMinimumWidth(300)
        self.text.setMaximumWidth(680)
        self.buttons = QHBoxLayout()
        self.links = QVBoxLayout()
        inside = QVBoxLayout()
        inside.setSpacing(12)
        inside.addStretch(2)
        inside.addWidget(self.title)
        inside.addWidget(self.text)
        inside.addLayout(self.buttons)
        inside.addLayout(self.links)
        inside.addStretch(3)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addLayout(inside, 3)
        row.addStretch(1)

    def add_button(self, label: str, run: Callable[[], object]) -> QPushButton:
        """Add a button to the row of buttons."""
        button = QPushButton(label)
        button.clicked.connect(lambda: run())
        self.buttons.addWidget(button)
        return button

    def set_links(self, links: dict[str, Callable[[], object]]) -> None:
        """Show a column of plain buttons, in place of those before."""
        while (item := self.links.takeAt(0)) is not None:
            item.widget().deleteLater()
        for label, run in links.items():
            button = QPushButton(label, flat=True)
            button.setStyleSheet("text-align: left")
            button.clicked.connect(lambda _=False, run=run: run())
            self.links.addWidget(button)
