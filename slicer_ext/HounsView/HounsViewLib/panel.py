"""What the panel's widgets need and Qt does not have: questions, filled tables, no echo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ENDING = ".hounsview.json"
SESSIONS = f"HounsView session (*{ENDING})"
SURFACES = ("bone", "lung", "skin")
OF_A_VOLUME = (
    "saveButton", "auditButton", "repairButton", "findingsButton", "windowBox", "renderingBox",
    "boneButton", "lungButton", "skinButton", "cropCheck", "tissuesButton", "numbersButton",
    "chartButton", "pointButton", "lineButton", "boxButton",
)  # fmt: skip
"""Widgets that do something with the chosen volume."""


LAST = ("kind", "plane")
"""Columns of least interest."""
Calls = Mapping[str, Callable[..., object]]


def connect(ui: Any, clicked: Calls, toggled: Calls, **boxes: Any) -> None:
    """Let buttons and boxes, by their names, call functions.

    Parameters
    ----------
    ui : namespace of widgets
    clicked : mapping of a button's name to what it does
    toggled : mapping of a button's name to a function of whether it is down
    **boxes : callable
        Name of a combo box to a function of the chosen text.
    """
    for name, do in clicked.items():
        getattr(ui, name).clicked.connect(do)
    for name, do in toggled.items():
        getattr(ui, name).toggled.connect(do)
    for name, do in boxes.items():
        getattr(ui, name).textActivated.connect(do)


def fill_box(box: Any, names: Iterable[str]) -> None:
    """Put names into a combo box, in the place of those before."""
    box.clear()
    for name in names:
        box.addItem(name)


def choose(box: Any, name: str) -> None:
    """Show a name in a combo box, and nothing where it does not hold it."""
    box.setCurrentIndex(box.findText(name))


@contextmanager
def quiet(*widgets: Any) -> Any:
    """Change widgets without their signals: what they show is not what a person chose."""
    before = [widget.blockSignals(True) for widget in widgets]
    try:
        yield
    finally:
        for widget, blocked in zip(widgets, before, strict=True):
            widget.blockSignals(blocked)


def show_state(ui: Any, state: Any, presets: Mapping[str, str]) -> None:
    """Show a view in the panel, without acting on it.

    Parameters
    ----------
    ui : namespace of widgets
    state : hounsview.ViewState
    presets : mapping of the label of a rendering preset to its name; "" for none
    """
    labels = {name: label for label, name in presets.items()}
    shown = {each.name for each in state.surfaces if each.shown}
    boxes = (ui.windowBox, ui.renderingBox, ui.layoutBox, ui.planesCheck, ui.cropCheck)
    buttons = {tissue: getattr(ui, f"{tissue}Button") for tissue in SURFACES}
    with quiet(*boxes, *buttons.values()):
        choose(ui.windowBox, state.window_name)
        choose(ui.renderingBox, labels[state.rendering if state.show_volume else ""])
        choose(ui.layoutBox, state.layout)
        ui.planesCheck.setChecked(state.show_planes)
        ui.cropCheck.setChecked(state.crop is not None)
        for tissue, button in buttons.items():
            button.setChecked(tissue in shown)


def enable(ui: Any, there: bool) -> None:
    """Let the widgets of a volume be used while one is chosen."""
    for name in OF_A_VOLUME:
        getattr(ui, name).setEnabled(there)


def fill_table(table: Any, rows: list[dict[str, str]]) -> None:
    """Show rows of name -> value in a QTableWidget: a column for each name, values first."""
    import qt

    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=lambda name: name in LAST)
    table.setColumnCount(len(names))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(names)
    for row, values in enumerate(rows):
        for column, name in enumerate(names):
            table.setItem(row, column, qt.QTableWidgetItem(values.get(name, "")))
    table.resizeColumnsToContents()


def is_confirmed(question: str) -> bool:
    """Return whether a person says yes; asked without the cursor that says "wait"."""
    import qt
    import slicer.util

    slicer.app.restoreOverrideCursor()
    try:
        return bool(slicer.util.confirmYesNoDisplay(question))
    finally:
        slicer.app.setOverrideCursor(qt.Qt.WaitCursor)


def file_to_open(title: str) -> str:
    """Return the session file that a person chose; empty when none."""
    import qt

    return str(qt.QFileDialog.getOpenFileName(None, title, "", SESSIONS))


def file_to_save(title: str) -> str:
    """Return the name that a person gave a session file; empty when none."""
    import qt
    import slicer.util
    from slicer.i18n import tr as _

    name = str(qt.QFileDialog.getSaveFileName(None, title, f"view{ENDING}", SESSIONS))
    if not name or name.endswith(ENDING):
        return name
    # A name without the ending would not be known again; Qt asked for the other one.
    name += ENDING
    question = _("{file} is there already. Write over it?").format(file=name)
    if Path(name).exists() and not slicer.util.confirmYesNoDisplay(question):
        return ""
    return name


def folder(title: str) -> str:
    """Return the folder that a person chose; empty when none."""
    import qt

    return str(qt.QFileDialog.getExistingDirectory(None, title))
