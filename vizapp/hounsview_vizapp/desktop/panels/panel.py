"""What the parts of the side panel share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QGroupBox, QScrollArea, QVBoxLayout, QWidget

from hounsview.errors import HounsviewError
from hounsview_vizapp.session import Viewer


class Panel(QScrollArea):
    """A scrolling column of controls that follows a viewer.

    Parameters
    ----------
    on_error : callable
        Takes what failed in words and the exception.
    """

    def __init__(self, on_error: Callable[[str, Exception], object]) -> None:
        super().__init__()
        self.on_error = on_error
        self.viewer: Viewer | None = None
        self._filling = False
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(10, 4, 10, 10)
        self.column.setSpacing(6)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_viewer(self, viewer: Viewer | None) -> None:
        """Follow another viewer."""
        self.viewer = viewer
        self.setEnabled(viewer is not None)
        self.clear()
        if viewer is not None:
            self.follow()

    def clear(self) -> None:
        """Forget what belongs to the viewer before."""

    def follow(self) -> None:
        """Show what the state says now."""
        if self.viewer is not None:
            with self._quietly():
                self.fill(self.viewer)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls; what they signal meanwhile is not heard."""
        raise NotImplementedError

    def edit(self, merge: str | None = None, **changes: Any) -> None:
        """Change the state as a person asked; a refused value is told and taken back."""
        if self.viewer is None or self._filling:
            return
        try:
            self.viewer.state.change(merge=merge, **changes)
        except HounsviewError as error:
            self.on_error("this value cannot be used", error)
            self.follow()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._filling = True
        try:
            yield
        finally:
            self._filling = False

    def group(self, title: str) -> QFormLayout:
        """Add a titled group, and return its rows."""
        box = QGroupBox(title)
        rows = QFormLayout(box)
        rows.setContentsMargins(0, 8, 0, 4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.column.addWidget(box)
        return rows
