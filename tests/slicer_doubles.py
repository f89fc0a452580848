"""As much of the Slicer application as the HounsView module asks of it.

slicer-core brings the real scene, the real nodes and the real `slicer.util`. What it lacks
(Qt, ctk, the MRML widgets and the scripted layer) stands here in small, over PySide6: enough
to run the module with its real .ui file. Where SLICER_PYTHON_BASE names Slicer's own
Base/Python folder, the scripted layer is taken from there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtUiTools import QUiLoader

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "slicer_ext/HounsView"


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A titled group; the title is a property of the .ui file."""


class ctkPathLineEdit(QtWidgets.QLineEdit):
    """A path; `currentPath` is an attribute, as PythonQt has it."""

    @property
    def currentPath(self) -> str:
        return self.text()

    @currentPath.setter
    def currentPath(self, path: str) -> None:
        self.setText(path)


class qMRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = QtCore.Signal(object)

    def setMRMLScene(self, scene: Any) -> None:
        self.scene = scene
        for box in self.findChildren(qMRMLNodeComboBox):
            box.scene = scene


class qMRMLNodeComboBox(QtWidgets.QWidget):
    currentNodeChanged = QtCore.Signal(object)
    scene: Any = None
    _node: Any = None

    def currentNode(self) -> Any:
        # The real one follows the scene.
        gone = self._node is not None and self._node.GetScene() is None
        return None if gone else self._node

    def setCurrentNode(self, node: Any) -> None:
        if node is not self._node:
            self._node = node
            self.currentNodeChanged.emit(node)


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        pass

    def resourcePath(self, name: str) -> str:
        return str(MODULE / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def getParameterNode(self) -> Any:
        import slicer

        scene, tag = slicer.mrmlScene, "HounsView"
        for number in range(scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode")):
            node = scene.GetNthNodeByClass(number, "vtkMRMLScriptedModuleNode")
            if node.GetAttribute("ModuleName") == tag:
                return node
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(tag)
        node.SetAttribute("ModuleName", tag)
        return scene.AddNode(node)


class ScriptedLoadableModuleTest:
    def delayDisplay(self, text: str) -> None:
        pass


class _Parameters:
    """Fields in a vtkMRMLScriptedModuleNode: text, or a node by reference.

    As in Slicer each value is kept, and read anew when the node says that it was modified. VTK
    calls the first of all observers last, so that the first field may be told after others.
    """

    _own = ("_values", "_connected", "_writing", "_showing", "parameterNode")

    def __init__(self, node: Any) -> None:
        self.parameterNode = node
        self._values: dict[str, Any] = {}
        self._connected: dict[int, Mapping[str, Any]] = {}
        self._writing = self._showing = False
        for name in type(self).__annotations__:
            self._values[name] = self._read(name)
            node.AddObserver("ModifiedEvent", partial(self._keep, name))

    def __getattr__(self, name: str) -> Any:
        if name in _Parameters._own:
            raise AttributeError(name)
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _Parameters._own:
            object.__setattr__(self, name, value)
            return
        self._writing, node = True, self.parameterNode
        before = node.StartModify()
        if _is_text(type(self), name):
            node.SetParameter(name, value)
        else:
            node.SetNodeReferenceID(name, value.GetID() if value else None)
        self._values[name] = self._read(name)
        node.EndModify(before)
        self._writing = False

    def connectParametersToGui(self, widgets: Mapping[str, Any]) -> int:
        for name, widget in widgets.items():
            if not isinstance(widget, qMRMLNodeComboBox):
                # Slicer connects few pairs of value and widget, and fails at all others.
                msg = f"no connector for {name} and {type(widget)}"
                raise RuntimeError(msg)
            widget.setCurrentNode(self._values[name])
            widget.currentNodeChanged.connect(partial(self._chosen, name))
        tag = len(self._connected)
        self._connected[tag] = widgets
        self.parameterNode.AddObserver("ModifiedEvent", self._show)
        return tag

    def disconnectGui(self, tag: int) -> None:
        for widget in self._connected.pop(tag).values():
            widget.currentNodeChanged.disconnect()

    def _read(self, name: str) -> Any:
        if _is_text(type(self), name):
            return self.parameterNode.GetParameter(name) or ""
        return self.parameterNode.GetNodeReference(name)

    def _keep(self, name: str, *_: Any) -> None:
        if not self._writing:
            self._values[name] = self._read(name)

    def _show(self, *_: Any) -> None:
        self._showing = True
        for widgets in self._connected.values():
            for name, widget in widgets.items():
                widget.setCurrentNode(self._values[name])
        self._showing = False

    def _chosen(self, name: str, value: Any) -> None:
        if not self._showing:
            setattr(self, name, value)


def _is_text(kind: type, name: str) -> bool:
    return kind.__annotations__[name] is str


def parameterNodeWrapper(kind: type) -> type:
    # Slicer resolves text by `sys.modules`, where a module need not be while it is executed.
    assert all(isinstance(each, type) for each in kind.__annotations__.values())
    return type(kind.__name__, (_Parameters,), {"__annotations__": kind.__annotations__})


def load_ui(path: str) -> Any:
    loader = QUiLoader()
    for made in (ctkCollapsibleButton, ctkPathLineEdit, qMRMLWidget, qMRMLNodeComboBox):
        loader.registerCustomWidget(made)
    return loader.load(path)


def child_widgets(widget: Any) -> Any:
    found = widget.findChildren(QtCore.QObject)
    return SimpleNamespace(**{each.objectName(): each for each in found if each.objectName()})


class QFileDialog:
    """Answers what `answers` holds, one after the other; as text, as PythonQt has it."""

    answers: ClassVar[list[str]] = []

    @classmethod
    def getOpenFileName(cls, *_: Any) -> str:
        import slicer

        assert not slicer.app.cursors, "a question is asked under the cursor that says wait"
        return cls.answers.pop(0)

    getSaveFileName = getExistingDirectory = getOpenFileName


class App:
    """`slicer.app`, which counts cursors and shows no error boxes."""

    cursors = 0

    def setOverrideCursor(self, _: Any) -> None:
        self.cursors += 1

    def restoreOverrideCursor(self) -> None:
        self.cursors -= 1

    def testingEnabled(self) -> bool:
        return False


@contextmanager
def application(scene: Any) -> Iterator[Any]:
    """Give `slicer` as the module finds it inside the application, `said` for its errors."""
    import slicer
    import slicer.util

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    before = set(sys.modules)
    names = (
        "loadUI", "childWidgetVariables", "errorDisplay", "warningDisplay", "showStatusMessage",
    )  # fmt: skip
    saved = {n: getattr(slicer.util, n) for n in names}
    slicer.mrmlScene, slicer.app, slicer.said = scene, App(), []
    slicer.util.loadUI, slicer.util.childWidgetVariables = load_ui, child_widgets
    slicer.util.errorDisplay = lambda text, **_: slicer.said.append(text)
    slicer.util.warningDisplay = lambda text, **_: slicer.said.append(text)
    slicer.util.showStatusMessage = lambda text, *_: None
    real = os.environ.get("SLICER_PYTHON_BASE")
    qt = ({n: getattr(m, n) for n in dir(m)} for m in (QtCore, QtGui, QtWidgets))
    _module("qt", *qt, {"QFileDialog": QFileDialog})
    _module("ctk", {each.__name__: each for each in (ctkCollapsibleButton, ctkPathLineEdit)})
    _module("slicer.i18n", {"tr": lambda text: text, "translate": lambda _, text: text})
    if real:
        slicer.__path__.append(str(Path(real) / "slicer"))
    else:
        _module("slicer.parameterNodeWrapper", {"parameterNodeWrapper": parameterNodeWrapper})
        scripted = (
            ScriptedLoadableModule, ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest,
            ScriptedLoadableModuleWidget,
        )  # fmt: skip
        _module("slicer.ScriptedLoadableModule", {each.__name__: each for each in scripted})
    sys.path.insert(0, str(MODULE))
    try:
        yield slicer
    finally:
        sys.path.remove(str(MODULE))
        for name, value in saved.items():
            setattr(slicer.util, name, value)
        for name in ("mrmlScene", "app", "said"):
            delattr(slicer, name)
        for name in set(sys.modules) - before:
            if name.split(".")[0] in ("HounsView", "HounsViewLib", "qt", "ctk") or name in (
                "slicer.i18n", "slicer.parameterNodeWrapper", "slicer.ScriptedLoadableModule",
            ):  # fmt: skip
                del sys.modules[name]


@contextmanager
def module_widget() -> Iterator[Any]:
    """Give the panel as Slicer makes it when the module is entered; within `application`."""
    import HounsView

    parent = QtWidgets.QWidget()
    parent.setLayout(QtWidgets.QVBoxLayout())
    parent.isEntered = True
    made = HounsView.HounsViewWidget(parent)
    made.setup()
    try:
        yield made
    finally:
        made.cleanup()


def _module(name: str, *members: Mapping[str, Any]) -> None:
    made = ModuleType(name)
    for each in members:
        vars(made).update({n: v for n, v in each.items() if not n.startswith("__")})
    sys.modules[name] = made
