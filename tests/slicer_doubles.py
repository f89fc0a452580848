"""As much of the Slicer application as the HounsView module asks of it.

slicer-core brings the real scene, the real nodes and the real `slicer.util`. What it lacks
(Qt, ctk, the MRML widgets and the scripted layer) stands in small beside this file: enough to
run the module with its real .ui file. Where SLICER_PYTHON_BASE names Slicer's own Base/Python
folder, the scripted layer is taken from there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from PySide6 import QtWidgets

import slicer_layer_doubles
from slicer_widget_doubles import OF_CTK, OF_QT, OF_SLICER, QFileDialog, child_widgets, load_ui

__all__ = ["MODULE", "ROOT", "QFileDialog", "application", "module_widget"]

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "slicer_ext/HounsView"


class ModuleManager:
    """Says when a module goes; connected by text, as Slicer's own layer does it."""

    def __init__(self) -> None:
        self._told: list[Callable[[str], None]] = []

    def connect(self, signal: str, told: Callable[[str], None]) -> None:
        assert signal == slicer_layer_doubles.UNLOADED
        self._told.append(told)

    def disconnect(self, signal: str, told: Callable[[str], None]) -> None:
        self._told.remove(told)

    def unload(self, name: str) -> None:
        for told in list(self._told):
            told(name)


class App:
    """`slicer.app`, which counts cursors and shows no error boxes."""

    cursors = 0

    def __init__(self) -> None:
        self._manager = ModuleManager()

    def moduleManager(self) -> ModuleManager:
        return self._manager

    def setOverrideCursor(self, _: Any) -> None:
        self.cursors += 1

    def restoreOverrideCursor(self) -> None:
        self.cursors -= 1

    def testingEnabled(self) -> bool:
        return False

    def processEvents(self) -> None:
        QtWidgets.QApplication.processEvents()

    def translate(self, _: str, text: str) -> str:
        return text


@contextmanager
def application(scene: Any) -> Iterator[Any]:
    """Give `slicer` as the module finds it inside the application, `said` for its errors."""
    import slicer
    import slicer.util

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    modules, members, found = set(sys.modules), set(vars(slicer)), list(slicer.__path__)
    names = (
        "loadUI", "childWidgetVariables", "errorDisplay", "warningDisplay", "showStatusMessage",
    )  # fmt: skip
    saved = {n: getattr(slicer.util, n) for n in names}
    slicer.mrmlScene, slicer.app, slicer.said = scene, App(), []
    slicer.modules = SimpleNamespace(
        hounsview=SimpleNamespace(path=str(MODULE / "HounsView.py"))
    )
    slicer.util.loadUI, slicer.util.childWidgetVariables = load_ui, child_widgets
    slicer.util.errorDisplay = lambda text, **_: slicer.said.append(text)
    slicer.util.warningDisplay = lambda text, **_: slicer.said.append(text)
    slicer.util.showStatusMessage = lambda text, *_: None
    vars(slicer).update(OF_SLICER)
    _module("qt", OF_QT)
    _module("ctk", OF_CTK)
    if base := os.environ.get("SLICER_PYTHON_BASE"):
        slicer.__path__.append(str(Path(base) / "slicer"))
    else:
        for name, held in slicer_layer_doubles.MODULES.items():
            _module(name, held)
    sys.path.insert(0, str(MODULE))
    try:
        yield slicer
    finally:
        sys.path.remove(str(MODULE))
        slicer.__path__[:] = found
        for name, value in saved.items():
            setattr(slicer.util, name, value)
        for name in set(vars(slicer)) - members:
            delattr(slicer, name)
        for name in set(sys.modules) - modules:
            if name.split(".")[0] in (
                "HounsView",
                "HounsViewLib",
                "qt",
                "ctk",
            ) or name.startswith(tuple(slicer_layer_doubles.MODULES)):
                del sys.modules[name]


@contextmanager
def module_widget() -> Iterator[Any]:
    """Give the panel as Slicer makes it when the module is entered; within `application`."""
    import HounsView
    import slicer

    parent = QtWidgets.QWidget()
    parent.setLayout(QtWidgets.QVBoxLayout())
    parent.isEntered = True
    made = HounsView.HounsViewWidget(parent)
    made.setup()
    try:
        yield made
    finally:
        slicer.app.moduleManager().unload("HounsView")


def _module(name: str, members: Mapping[str, Any]) -> None:
    made = ModuleType(name)
    vars(made).update({n: v for n, v in members.items() if not n.startswith("__")})
    sys.modules[name] = made
