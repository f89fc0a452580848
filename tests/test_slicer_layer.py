"""What the HounsView module builds on in Slicer's scripted layer.

These facts hold of Slicer's own layer (run with SLICER_PYTHON_BASE) and of the double of it.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hounsview import mrml

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from slicer_doubles import MODULE, application, module_widget

LAYER = ("slicer.i18n", "slicer.parameterNodeWrapper", "slicer.ScriptedLoadableModule")


@pytest.fixture
def slicer() -> Iterator[Any]:
    with application(mrml.new_scene()) as running:
        yield running


@pytest.fixture
def parameters(slicer: Any) -> Any:
    import HounsView

    return HounsView.HounsViewLogic().getParameterNode()


def volume(slicer: Any, name: str = "ct") -> Any:
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def test_the_layer_that_was_asked_for_is_the_one_that_runs(slicer: Any) -> None:
    import HounsView

    base = os.environ.get("SLICER_PYTHON_BASE")
    for name in LAYER:
        file = getattr(sys.modules[name], "__file__", None)
        assert (file is not None) is bool(base), name
        if base:
            assert Path(base) in Path(str(file)).parents
    assert {each.__module__ for each in HounsView.HounsViewWidget.__mro__} >= {
        "slicer.ScriptedLoadableModule" if base else "slicer_layer_doubles"
    }


def test_nothing_of_the_application_is_left_when_it_ends() -> None:
    import slicer

    with application(mrml.new_scene()):
        pass
    before = set(vars(slicer)), list(slicer.__path__), set(sys.modules)
    with application(mrml.new_scene()), module_widget():
        pass
    assert (set(vars(slicer)), list(slicer.__path__)) == before[:2]
    assert not [name for name in set(sys.modules) - before[2] if name.startswith("slicer.")]


def test_slicer_lists_the_module_in_its_own_words(slicer: Any) -> None:
    import HounsView

    parent = SimpleNamespace(path=str(MODULE / "HounsView.py"))
    listed = HounsView.HounsView(parent)
    assert (listed.moduleName, parent.title) == ("HounsView", "HounsView")
    assert parent.categories == ["Informatics"]
    assert parent.dependencies == [
        "Volumes", "VolumeRendering", "Segmentations", "Markups",
    ]  # fmt: skip
    assert "Hounsfield" in parent.helpText
    assert "hounsview" in parent.contributors[0]
    assert "Not a medical device" in parent.acknowledgementText


def test_the_module_is_cleaned_up_when_it_is_unloaded_and_no_other(slicer: Any) -> None:
    with module_widget() as widget:
        slicer.app.moduleManager().unload("Volumes")
        assert list(widget.Observations)
    assert not list(widget.Observations)


def test_parameters_are_written_when_they_are_first_asked_for(
    slicer: Any, parameters: Any
) -> None:
    node = parameters.parameterNode
    assert node.GetAttribute("ModuleName") == node.GetSingletonTag() == "HounsView"
    assert (parameters.inputVolume, parameters.path, parameters.window) == (None, "", "")
    assert [node.HasParameter(name) for name in ("inputVolume", "path", "window")] == [1, 1, 1]
    import HounsView

    again = HounsView.HounsViewLogic().getParameterNode()
    assert again.parameterNode is node


def test_a_value_of_the_wrong_kind_is_refused(slicer: Any, parameters: Any) -> None:
    model = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    for name, value, error in (
        ("inputVolume", model, TypeError),
        ("path", Path("ct"), TypeError),
        ("window", None, ValueError),
    ):
        with pytest.raises(error):
            setattr(parameters, name, value)
    assert (parameters.inputVolume, parameters.path, parameters.window) == (None, "", "")
    parameters.inputVolume = None


def test_a_value_is_told_once_and_is_there_by_then(slicer: Any, parameters: Any) -> None:
    node, ct, told = parameters.parameterNode, volume(slicer), []
    node.AddObserver("ModifiedEvent", lambda *_: told.append(parameters.inputVolume))
    parameters.inputVolume = ct
    assert told == [ct]
    parameters.inputVolume = None
    assert told == [ct, None]
    parameters.path = "here"
    assert len(told) == 3
    parameters.path = "here"
    assert len(told) == 3, "nothing changed"


def test_all_who_hold_the_parameters_see_what_one_writes(slicer: Any, parameters: Any) -> None:
    import HounsView

    other, ct = HounsView.HounsViewLogic().getParameterNode(), volume(slicer)
    other.inputVolume, other.window = ct, "lung"
    assert (parameters.inputVolume, parameters.window) == (ct, "lung")
    slicer.mrmlScene.RemoveNode(ct)
    assert (parameters.inputVolume, other.inputVolume) == (None, None)


def test_a_closed_scene_keeps_the_node_and_forgets_the_values(
    slicer: Any, parameters: Any
) -> None:
    import HounsView

    node = parameters.parameterNode
    parameters.inputVolume, parameters.path = volume(slicer), "here"
    slicer.mrmlScene.Clear(False)
    assert (parameters.inputVolume, parameters.path) == (None, "")
    again = HounsView.HounsViewLogic().getParameterNode()
    assert again.parameterNode is node
    assert node.GetAttribute("ModuleName") == "HounsView"
    assert (again.inputVolume, again.path) == (None, "")


def test_parameters_that_nobody_holds_are_let_go(slicer: Any, parameters: Any) -> None:
    import HounsView

    gone = weakref.ref(HounsView.HounsViewLogic().getParameterNode())
    gc.collect()
    assert gone() is None
    parameters.path = "here"  # Nothing is told to what is gone.


def test_a_box_shows_the_value_and_writes_what_is_chosen(slicer: Any, parameters: Any) -> None:
    box, one, two = slicer.qMRMLNodeComboBox(), volume(slicer, "one"), volume(slicer, "two")
    parameters.inputVolume = one
    tag = parameters.connectParametersToGui({"inputVolume": box})
    assert box.currentNode() is one
    box.setCurrentNode(two)
    assert parameters.inputVolume is two
    parameters.inputVolume = one
    assert box.currentNode() is one
    slicer.mrmlScene.RemoveNode(one)
    assert box.currentNode() is parameters.inputVolume is None
    parameters.disconnectGui(tag)
    parameters.disconnectGui(tag)
    box.setCurrentNode(two)
    assert parameters.inputVolume is None
    parameters.inputVolume = two
    box.setCurrentNode(None)
    assert parameters.inputVolume is two


def test_a_path_has_no_widget_that_slicer_connects(slicer: Any, parameters: Any) -> None:
    import ctk

    with pytest.raises(RuntimeError, match="connector"):
        parameters.connectParametersToGui({"path": ctk.ctkPathLineEdit()})
