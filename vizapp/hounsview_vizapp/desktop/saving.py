"""What can be saved: picture, movie, mesh, session, script; long ones with progress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QWidget,
)

from hounsview import surfaces, viewtissues
from hounsview.errors import CancelledError
from hounsview.tissuemap import TissueMap
from hounsview.writing import atomic_file
from hounsview_vizapp import movies, pictures
from hounsview_vizapp.desktop.controls import whole_number
from hounsview_vizapp.dirty import PANES
from hounsview_vizapp.jobs import Tell
from hounsview_vizapp.session import Viewer

if TYPE_CHECKING:
    from hounsview.viewstate import Surface, ViewState
    from hounsview.volume import Volume

PANE_NAMES: Final = {
    "four-up": "All four panes", "axial": "Axial", "coronal": "Coronal",
    "sagittal": "Sagittal", "3d": "3D",
}  # fmt: skip


@dataclass(frozen=True)
class PictureWish:
    """What a person wants of a picture: which pane, and how many times the window's size."""

    pane: str
    scale: int


def write_picture(
    volume: Volume,
    state: ViewState,
    wish: PictureWish,
    size: tuple[int, int],
    path: Path,
    tell: Tell,
    *,
    tissues: TissueMap | None = None,
) -> Path:
    """Draw and write a picture; `size` is that of the window, (rows, columns)."""
    whole = (size[0] * wish.scale, size[1] * wish.scale)
    shown = state.changed(layout=wish.pane)
    picture = pictures.picture_of(volume, shown, whole, pixel_ratio=wish.scale, tissues=tissues)
    if not tell(1, 1, f"writing {path.name}"):
        msg = f"{path}: cancelled, nothing was written"
        raise CancelledError(msg)
    pictures.save_png(picture, path)
    return path


def write_movie(
    volume: Volume,
    state: ViewState,
    wish: movies.MovieWish,
    path: Path,
    tell: Tell,
    *,
    tissues: TissueMap | None = None,
) -> Path:
    """Draw and write a movie."""
    movies.write_movie_of(volume, state, wish, path, progress=tell, tissues=tissues)
    return path


def write_mesh(
    volume: Volume,
    surface: Surface,
    path: Path,
    tell: Tell,
    *,
    tissues: TissueMap | None = None,
) -> Path:
    """Make and write the mesh of a surface."""
    mesh = viewtissues.mesh_of(volume, surface, tissues=tissues, progress=tell)
    return surfaces.write_mesh(mesh, path, color=surface.color)


def write_text(path: Path, text: str) -> Path:
    """Write a text, whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, "utf-8")
    return path


class PictureDialog(QDialog):
    """Asks which picture."""

    def __init__(self, parent: QWidget, viewer: Viewer) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save picture")
        self.pane = QComboBox()
        for name, label in PANE_NAMES.items():
            self.pane.addItem(label, name)
        self.pane.setCurrentIndex(self.pane.findData(viewer.state.layout))
        self.scale = whole_number(1, 4, 2, "x")
        rows = QFormLayout(self)
        rows.addRow("Shows", self.pane)
        rows.addRow("Size, times the window", self.scale)
        rows.addRow(_ok_cancel(self))

    def wish(self) -> PictureWish:
        """Return what was chosen."""
        return PictureWish(self.pane.currentData(), self.scale.value())


class MovieDialog(QDialog):
    """Asks which movie."""

    def __init__(self, parent: QWidget, viewer: Viewer) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save movie")
        self.pane = QComboBox()
        for name in reversed(PANES):
            label = "Turntable of the 3D picture" if name == "3d" else f"{name} slices"
            self.pane.addItem(label[:1].upper() + label[1:], name)
        self.pane.setCurrentIndex(self.pane.findData(viewer.active_pane))
        self.rows = whole_number(128, 2160, 720, " px")
        self.fps = whole_number(1, 60, 20, " frames/s")
        self.turns = whole_number(8, 720, 90, " frames")
        self.pane.currentIndexChanged.connect(self._follow)
        self._follow()
        rows = QFormLayout(self)
        rows.addRow("Shows", self.pane)
        rows.addRow("Height and width", self.rows)
        rows.addRow("Speed", self.fps)
        rows.addRow("Turntable", self.turns)
        rows.addRow(_ok_cancel(self))

    def _follow(self) -> None:
        self.turns.setEnabled(self.pane.currentData() == "3d")

    def wish(self) -> movies.MovieWish:
        """Return what was chosen."""
        pane: str = self.pane.currentData()
        return movies.MovieWish(pane, self.rows.value(), self.fps.value(), self.turns.value())


def _ok_cancel(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
    )
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons
