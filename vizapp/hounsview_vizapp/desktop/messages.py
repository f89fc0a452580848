"""What is said to a person without taking the keyboard away: banner, progress, pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from hounsview_vizapp.desktop.controls import breakable, button, clear, label

START_TEXT: Final = (
    "Open a folder, a file or a zip with a CT, or drop one here. DICOM series in any order "
    "and of any name, also beside other files; NIfTI, NRRD, MetaImage and npz too."
)


class Banner(QFrame):
    """A line above the panes that stays until it is closed or something else is said."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.text = label(look="")
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.more = button("Details", self._tell_more)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self.text, 1)
        row.addWidget(self.more)
        row.addWidget(button("Close", self.hide))
        self._on_more: Callable[[], object] | None = None
        self.hide()

    def say(
        self,
        text: str,
        level: str = "warn",
        on_more: Callable[[], object] | None = None,
        more: str = "Details",
    ) -> None:
        """Show a text; `level` is ``"warn"`` or ``"bad"``, `more` what its button says."""
        self.text.setText(breakable(text))
        self._on_more = on_more
        self.more.setText(more)
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
        self.what = label(look="")
        self.what.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMinimumWidth(160)
        self.cancel = button("Cancel", on_cancel)
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
        self.title = label(title, look="title")
        self.text = label(text, look="")
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
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

    def add_button(self, text: str, run: Callable[[], object]) -> None:
        """Add a button to the row of buttons."""
        self.buttons.addWidget(button(text, run))

    def set_links(self, links: dict[str, Callable[[], object]]) -> None:
        """Show a column of plain buttons, in place of those before."""
        clear(self.links)
        for text, run in links.items():
            made = button(text, run)
            made.setFlat(True)
            made.setStyleSheet("text-align: left")
            self.links.addWidget(made)
