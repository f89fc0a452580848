"""Slicer's scripted layer in small: modules, their parameters in the scene, their translation.

Each piece does what Slicer's own does where the HounsView module can tell; SLICER_PYTHON_BASE
puts Slicer's own in its place.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from slicer_widget_doubles import qMRMLNodeComboBox

UNLOADED = "moduleAboutToBeUnloaded(QString)"


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = parent.helpText = parent.acknowledgementText = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []

    def runTest(self) -> None:
        getattr(sys.modules[self.__module__], f"{self.moduleName}Test")().runTest()


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        import slicer

        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()
        slicer.app.moduleManager().connect(UNLOADED, self._onModuleAboutToBeUnloaded)

    def setup(self) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def resourcePath(self, name: str) -> str:
        import slicer

        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / name)

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        import slicer

        if name == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect(UNLOADED, self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        import slicer

        scene, name, kind = slicer.mrmlScene, self.moduleName, "vtkMRMLScriptedModuleNode"
        node = scene.GetSingletonNode(name, kind)
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(name)
            node.SetName(scene.GenerateUniqueName(name))
            node = scene.AddNode(node)
        # Closing a scene takes the name away, and leaves the node.
        node.SetAttribute("ModuleName", name)
        return node


class ScriptedLoadableModuleTest:
    def delayDisplay(self, text: str) -> None:
        import slicer

        slicer.app.processEvents()


class _Parameter:
    """One value in a vtkMRMLScriptedModuleNode: text, or a node by reference.

    As in Slicer it is kept, and read anew when the node says that it was modified. VTK calls
    the first of all observers last, so that one may be told after others.
    """

    def __init__(self, node: Any, name: str, kind: type, default: Any) -> None:
        self._node, self._name, self._kind, self._default = node, name, kind, default
        self._writing = False
        self.value = self._read()
        me = weakref.ref(self)
        self._observer = node.AddObserver("ModifiedEvent", lambda *_: me()._keep())

    def __del__(self) -> None:
        self._node.RemoveObserver(self._observer)

    def write(self, value: Any) -> None:
        if not isinstance(value, self._kind) and (value is not None or self._kind is str):
            msg = f"{self._name} must be a {self._kind}, not {value!r}"
            raise (ValueError if value is None else TypeError)(msg)
        self._writing = True
        before = self._node.StartModify()
        self._store(value)
        self.value = self._read()
        self._node.EndModify(before)
        self._writing = False

    def _store(self, value: Any) -> None:
        # A reference has a text of the same name, which says that it was ever set.
        self._node.SetParameter(self._name, value if self._kind is str else "")
        if self._kind is not str:
            self._node.SetNodeReferenceID(self._name, value.GetID() if value else None)

    def _read(self) -> Any:
        if not self._node.HasParameter(self._name):
            self._store(self._default)
        if self._kind is str:
            return self._node.GetParameter(self._name)
        return self._node.GetNodeReference(self._name)

    def _keep(self) -> None:
        if not self._writing:
            self.value = self._read()


class _Parameters:
    """All values of a module, and the widgets that show them."""

    fields: Mapping[str, tuple[type, Any]]

    def __init__(self, node: Any) -> None:
        self.parameterNode = node
        self._values = {n: _Parameter(node, n, *each) for n, each in self.fields.items()}
        self._parameterGUIs: dict[int, dict[str, tuple[Any, Any]]] = {}
        self._tags = 0
        self._showing = False

    def connectParametersToGui(self, widgets: Mapping[str, Any]) -> int:
        for name, widget in widgets.items():
            if self.fields[name][0] is str or type(widget) is not qMRMLNodeComboBox:
                # Slicer connects few pairs of value and widget, and fails at all others.
                msg = f"no connector for {name} and {type(widget)}"
                raise RuntimeError(msg)
        tag, self._tags = self._tags, self._tags + 1
        self._parameterGUIs[tag] = {
            name: (widget, partial(self._chosen, name, widget))
            for name, widget in widgets.items()
        }
        for name, (widget, chosen) in self._parameterGUIs[tag].items():
            widget.setCurrentNode(self._values[name].value)
            widget.currentNodeChanged.connect(chosen)
        self.parameterNode.AddObserver("ModifiedEvent", self._show)
        return tag

    def disconnectGui(self, tag: int) -> None:
        for widget, chosen in self._parameterGUIs.pop(tag, {}).values():
            widget.currentNodeChanged.disconnect(chosen)

    def _show(self, *_: Any) -> None:
        if self._showing:
            return
        self._showing = True
        before = self.parameterNode.StartModify()
        for connected in self._parameterGUIs.values():
            for name, (widget, _chosen) in connected.items():
                widget.setCurrentNode(self._values[name].value)
        self.parameterNode.EndModify(before)
        self._showing = False

    def _chosen(self, name: str, widget: Any, *_: Any) -> None:
        before = self.parameterNode.StartModify()
        if not self._showing:
            self._values[name].write(widget.currentNode())
        self.parameterNode.EndModify(before)


def _field(name: str) -> property:
    return property(
        lambda self: self._values[name].value,
        lambda self, value: self._values[name].write(value),
    )


def parameterNodeWrapper(kind: type) -> type:
    # Slicer resolves text by `sys.modules`, where a module need not be while it is executed.
    assert all(isinstance(each, type) for each in kind.__annotations__.values())
    fields = {
        name: (each, getattr(kind, name, "" if each is str else None))
        for name, each in kind.__annotations__.items()
    }
    members = {name: _field(name) for name in fields}
    return type(kind.__name__, (_Parameters,), {"fields": fields, **members})


MODULES: dict[str, dict[str, Any]] = {
    "slicer.i18n": {"tr": lambda text: text, "translate": lambda _, text: text},
    "slicer.parameterNodeWrapper": {"parameterNodeWrapper": parameterNodeWrapper},
    "slicer.ScriptedLoadableModule": {
        each.__name__: each
        for each in (
            ScriptedLoadableModule, ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest,
            ScriptedLoadableModuleWidget,
        )
    },
}  # fmt: skip
