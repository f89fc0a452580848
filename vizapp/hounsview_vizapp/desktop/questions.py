"""Questions that stop a person: where something is, and before something is lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

Answer = Literal["save", "discard", "cancel"]


def ask_save_first(parent: QWidget, count: int) -> Answer:
    """Ask what becomes of measurements that no session holds yet."""
    box = QMessageBox(parent)
    box.setWindowTitle("Measurements")
    held = "1 measurement is" if count == 1 else f"{count} measurements are"
    box.setText(f"{held} in no session yet.")
    box.setInformativeText("Save the session before it is closed?")
    buttons = QMessageBox.StandardButton
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    answers: dict[int, Answer] = {buttons.Save.value: "save", buttons.Discard.value: "discard"}
    return answers.get(box.exec(), "cancel")


def ask_sure(parent: QWidget, title: str, text: str) -> bool:
    """Ask whether something may be replaced or removed."""
    yes = QMessageBox.StandardButton.Yes
    return QMessageBox.question(parent, title, text) == yes


def ask_where(parent: QWidget, why: str) -> str | None:
    """Ask for the folder or file that a session shows; None: given up."""
    box = QMessageBox(parent)
    box.setWindowTitle("Where is the scan?")
    box.setText(why)
    folder = box.addButton("Look for a folder...", QMessageBox.ButtonRole.AcceptRole)
    file = box.addButton("Look for a file...", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    title = "Where is the scan of this session now?"
    found = ""
    if box.clickedButton() is folder:
        found = QFileDialog.getExistingDirectory(parent, title)
    elif box.clickedButton() is file:
        found, _ = QFileDialog.getOpenFileName(parent, title)
    return found or None


def ask_target(parent: QWidget, title: str, name: str, kinds: Mapping[str, str]) -> Path | None:
    """Ask where to write; None: given up.

    Parameters
    ----------
    parent : QWidget
    title, name : str
        Of the dialog, and of the file to begin with.
    kinds : mapping of str to str
        What a kind is called -> the ending that its files get, such as ``".png"``.
    """
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    filters = {f"{label} (*{suffix})": suffix for label, suffix in kinds.items()}
    dialog.setNameFilters(list(filters))

    def choose(chosen: str) -> None:
        dialog.setDefaultSuffix(filters[chosen].removeprefix("."))

    dialog.filterSelected.connect(choose)
    choose(next(iter(filters)))
    dialog.selectFile(name)
    if not dialog.exec():
        return None
    typed = Path(dialog.selectedFiles()[0])
    wanted = filters[dialog.selectedNameFilter()]
    path = with_ending(typed, wanted, tuple(kinds.values()))
    if path != typed and path.exists():
        replaced = ask_sure(parent, title, f"{path.name} exists already. Replace it?")
        return path if replaced else None
    return path


def with_ending(path: Path, wanted: str, allowed: tuple[str, ...]) -> Path:
    """Return a path that ends in one of the allowed endings: else `wanted` is put behind it.

    >>> with_ending(Path("pat.v2"), ".ply", (".stl", ".ply")).name
    'pat.v2.ply'
    """
    if any(path.name.lower().endswith(suffix) for suffix in allowed):
        return path
    return path.with_name(path.name + wanted)
