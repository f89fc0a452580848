"""The HounsView panel while Slicer itself is at work: reading scenes, installing, closing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hounsview as hv
from hounsview import mrml

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from slicer_application import open_file
from slicer_doubles import QFileDialog


def wait(milliseconds: int = 250) -> None:
    from PySide6.QtTest import QTest

    QTest.qWait(milliseconds)


def rods(slicer: Any) -> Any:
    rods = hv.phantom("hu-rods", spacing=(10, 4, 4))
    return mrml.volume_node(rods, slicer.mrmlScene, name="rods")


def test_a_folder_is_chosen_by_its_own_button(widget: Any, tmp_path: Path) -> None:
    QFileDialog.answers[:] = [str(tmp_path), ""]
    widget.ui.folderButton.click()
    assert widget.ui.pathLine.currentPath == str(tmp_path)
    widget.ui.folderButton.click()
    assert widget.ui.pathLine.currentPath == str(tmp_path), "nothing was chosen"


def test_the_panel_waits_until_a_scene_is_read(
    widget: Any, slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, asked = slicer.mrmlScene, []
    for name in ("view", "tidy"):
        monkeypatch.setattr(widget.logic, name, lambda *_, name=name: asked.append(name))
    scene.StartState(scene.BatchProcessState)
    node = rods(slicer)
    node.SetAttribute("hounsview.of", "1")  # Its volume is still to come.
    widget._parameters.parameterNode.SetNodeReferenceID("inputVolume", node.GetID())
    widget._parameters.parameterNode.Modified()
    widget._timer.start()
    wait()
    assert not asked
    monkeypatch.undo()
    node.RemoveAttribute("hounsview.of")
    scene.EndState(scene.BatchProcessState)
    wait()
    assert widget.ui.statusLabel.text().startswith("rods: ")


def test_the_volume_that_a_scene_file_chose_is_chosen_when_it_is_read(
    widget: Any, slicer: Any, tmp_path: Path
) -> None:
    scene = slicer.mrmlScene
    widget.ui.volumeBox.setCurrentNode(rods(slicer))
    widget._parameters.path = "scans/rods"
    mrml.write_scene(scene, tmp_path / "rods.mrb")
    scene.Clear(0)
    wait()
    assert widget.ui.volumeBox.currentNode() is None
    assert widget.ui.pathLine.currentPath == ""
    (tmp_path / "cache").mkdir()
    open_file(tmp_path / "rods.mrb", scene, tmp_path / "cache")
    read = scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    assert read.GetImageData() is not None
    assert widget.ui.volumeBox.currentNode() is read
    assert widget._parameters.inputVolume is read
    assert widget.ui.pathLine.currentPath == "scans/rods"
    wait()
    assert widget.ui.statusLabel.text().startswith("rods: ")


def test_a_volume_that_is_gone_is_not_asked_for_its_view(
    widget: Any, slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, view, asked = rods(slicer), widget.logic.view, []
    widget.ui.volumeBox.setCurrentNode(node)
    assert widget.ui.statusLabel.text().startswith("rods: ")
    monkeypatch.setattr(widget.logic, "view", lambda one: asked.append(one) or view(one))
    slicer.mrmlScene.RemoveNode(node)
    assert asked == [None]
    assert widget.ui.statusLabel.text().startswith("Load a CT folder")


def test_what_was_never_set_up_is_cleaned_up(slicer: Any) -> None:
    import HounsView
    from PySide6 import QtWidgets

    parent = QtWidgets.QWidget()
    HounsView.HounsViewWidget(parent).cleanup()


def test_opencv_is_asked_for_as_a_requirement(
    slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from HounsViewLib import tissues

    asked: list[Any] = []
    packaging = ModuleType("slicer.packaging")
    packaging.pip_ensure = lambda wanted, requester: asked.append((wanted, requester))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    tissues.require_opencv()
    (((wanted,), requester),) = asked
    assert (wanted.name, requester) == ("opencv-python-headless", "HounsView")
    assert "4.11.0" in wanted.specifier
    assert "5.0" not in wanted.specifier


def test_before_slicer_512_opencv_is_installed_by_its_text(
    slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from HounsViewLib import tissues

    asked: list[str] = []
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(slicer.util, "pip_install", asked.append, raising=False)
    tissues.require_opencv()
    assert asked == ["opencv-python-headless>=4.11,<5"]


def test_slicers_own_test_run_needs_no_opencv(
    slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import HounsView
    from HounsViewLib import selftest

    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: True)
    monkeypatch.setattr(selftest, "find_spec", lambda name: None)
    HounsView.HounsViewTest().test_tissues()
    assert not slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
