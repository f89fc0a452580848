"""As much of Slicer's widgets as the HounsView module asks of them, over PySide6."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtUiTools import QUiLoader


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
    nodeTypes: tuple[str, ...] = ()
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


class QFileDialog:
    """Answers what `answers` holds, one after the other; as text, as PythonQt has it."""

    answers: ClassVar[list[str]] = []

    @classmethod
    def getOpenFileName(cls, *_: Any) -> str:
        import slicer

        assert not slicer.app.cursors, "a question is asked under the cursor that says wait"
        return cls.answers.pop(0)

    getSaveFileName = getExistingDirectory = getOpenFileName


OF_CTK: dict[str, Any] = {
    each.__name__: each for each in (ctkCollapsibleButton, ctkPathLineEdit)
}
# Slicer's own layer names these; the module has none of them.
OF_CTK |= {
    name: type(name, (QtWidgets.QWidget,), {})
    for name in ("ctkDirectoryButton", "ctkRangeWidget", "ctkSliderWidget")
}
OF_QT = {n: getattr(m, n) for m in (QtCore, QtGui, QtWidgets) for n in dir(m)}
OF_QT["QFileDialog"] = QFileDialog
OF_SLICER = {each.__name__: each for each in (qMRMLWidget, qMRMLNodeComboBox)}


def load_ui(path: str) -> Any:
    loader = QUiLoader()
    for made in (ctkCollapsibleButton, ctkPathLineEdit, qMRMLWidget, qMRMLNodeComboBox):
        loader.registerCustomWidget(made)
    return loader.load(path)


def child_widgets(widget: Any) -> Any:
    found = widget.findChildren(QtCore.QObject)
    return SimpleNamespace(**{each.objectName(): each for each in found if each.objectName()})
