"""The HounsView module for 3D Slicer, on Slicer's real MRML core, with doubles for the rest."""

from __future__ import annotations

import ast
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import hounsview as hv

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "slicer_ext/HounsView"
SCRIPTS = sorted(MODULE.rglob("*.py"))

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from hounsview import mrml  # noqa: E402


def test_the_modules_own_self_test_passes(slicer: Any) -> None:
    import HounsView

    HounsView.HounsViewTest().runTest()


def test_a_folder_is_loaded_from_the_panel_and_shown_with_what_was_found(
    widget: Any, slicer: Any, tmp_path: Path
) -> None:
    traps = hv.write_traps(tmp_path / "traps", ["one-slice-missing"])
    assert traps
    widget.ui.pathLine.currentPath = str(tmp_path / "traps")
    widget.ui.loadButton.click()
    node = widget.ui.volumeBox.currentNode()
    volume = hv.load(tmp_path / "traps")
    np.testing.assert_array_equal(mrml.volume_of(node).hu, volume.hu)
    np.testing.assert_allclose(
        mrml.volume_of(node).geometry.affine, volume.geometry.affine, atol=1e-9
    )
    assert "missing" in widget.ui.findingsText.toPlainText()
    assert slicer.app.cursors == 0


def test_a_window_is_one_choice(widget: Any, slicer: Any) -> None:
    node = mrml.volume_node(hv.phantom("hu-rods", spacing=(10, 4, 4)), slicer.mrmlScene)
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.windowBox.textActivated.emit("bone")
    display = node.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (1800, 400)


def test_padding_that_slicer_left_is_found_and_a_copy_repaired(
    widget: Any, slicer: Any
) -> None:
    chest = hv.phantom("thorax", spacing=(8, 4, 4))
    spoilt = chest.hu.copy()
    j, i = np.indices(chest.shape[1:])
    outside = np.hypot(j - chest.shape[1] / 2, i - chest.shape[2] / 2) > chest.shape[2] / 2
    spoilt[:, outside] = -3024
    node = mrml.volume_node(hv.Volume(spoilt, chest.geometry), slicer.mrmlScene, name="ct")
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.auditButton.click()
    assert "-3024" in widget.ui.findingsText.toPlainText()
    widget.ui.repairButton.click()
    copy = widget.ui.volumeBox.currentNode()
    assert copy is not node
    mended = mrml.volume_of(copy)
    assert (mended.hu[:, outside] == hv.AIR_HU).all()
    np.testing.assert_array_equal(mended.hu[:, ~outside], spoilt[:, ~outside])
    assert mrml.volume_of(node).hu.min() == -3024, "the original stays as it was"


def test_without_a_volume_nothing_can_be_pressed_and_scripts_are_told(
    widget: Any, slicer: Any
) -> None:
    from HounsViewLib import panel

    for name in panel.OF_A_VOLUME:
        assert not getattr(widget.ui, name).isEnabled(), name
    surface = partial(widget.onSurface, "bone", True)
    for do in (widget.onAudit, widget.onRepair, widget.onTissues, surface):
        slicer.said.clear()
        with pytest.raises(ValueError, match="Choose a volume"):
            do()
        assert "Choose a volume first" in slicer.said[0]
        assert slicer.app.cursors == 0


def test_a_volume_without_a_unit_is_taken_for_hu_only_after_asking(
    widget: Any, slicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer.util as util

    asked: list[str] = []
    answer = False

    def confirm(question: str, *_: Any, **__: Any) -> bool:
        asked.append(question)
        assert slicer.app.cursors == 0, "asked without the cursor that says wait"
        return answer

    monkeypatch.setattr(util, "confirmYesNoDisplay", confirm)
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    made = mrml.volume_node(chest, slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "from a file")
    node.CopyOrientation(made)
    node.SetAndObserveImageData(made.GetImageData())
    widget.ui.volumeBox.setCurrentNode(node)
    with pytest.raises(hv.NotHounsfieldError):
        widget.onTissues()
    assert mrml.unit_of(node) is None
    answer = True
    widget.ui.tissuesButton.click()
    assert mrml.unit_of(node) == "HU"
    assert mrml.companion(node, mrml.NUMBERS) is not None
    assert len(asked) == 2
    widget.ui.repairButton.click()
    assert len(asked) == 2, "asked once"
    for _ in range(3):
        widget.ui.undoButton.click()
    assert mrml.unit_of(node) is None
    assert slicer.app.cursors == 0


def test_a_file_without_a_unit_that_was_loaded_here_is_asked_about_too(
    widget: Any, slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import SimpleITK
    import slicer.util as util

    monkeypatch.setattr(util, "confirmYesNoDisplay", lambda *_, **__: True)
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    image = SimpleITK.GetImageFromArray(chest.hu)
    image.SetSpacing((5.0, 5.0, 8.0))
    SimpleITK.WriteImage(image, str(tmp_path / "chest.nrrd"))
    widget.ui.pathLine.currentPath = str(tmp_path / "chest.nrrd")
    widget.ui.loadButton.click()
    node = widget.ui.volumeBox.currentNode()
    assert mrml.unit_of(node) is None
    assert mrml.source_of(node).unit is None
    widget.ui.boneButton.click()
    assert mrml.companions_of(node, mrml.SURFACE)
    session = mrml.session_of(node, slicer.mrmlScene)
    assert hv.load_session(session)[0].unit == "HU"
    widget.ui.undoButton.click()
    widget.ui.undoButton.click()
    assert mrml.unit_of(node) is None
    assert mrml.source_of(node).unit is None


def test_closing_the_scene_and_leaving_the_module_leave_nothing_behind(
    widget: Any, slicer: Any
) -> None:
    scene = slicer.mrmlScene
    assert widget.Observations
    scene.StartClose() if hasattr(scene, "StartClose") else widget.onSceneStartClose()
    assert widget._parameters is None
    widget.onSceneEndClose()
    assert widget._parameters is not None
    widget.exit()
    widget.cleanup()
    assert widget._connection is None
    assert not list(widget.Observations)


# What must not be in the sources.


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_sources_keep_to_slicers_rules(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    known = {*sys.stdlib_module_names, "slicer", "HounsViewLib"}
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            )
            assert {str(name).split(".")[0] for name in names} <= known, "file-scope import"
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "_"
        ):
            assert isinstance(node.args[0], ast.Constant), "only plain text is translated"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_text = bool(node.args) and isinstance(node.args[0], ast.Constant)
            assert not (node.func.attr == "connect" and is_text), "string connect"
    assert not re.search(r"slicer\.(arrayFrom|getNode|loadVolume|updateVolume)", text)


def test_the_panel_names_what_the_widget_uses() -> None:
    tree = ElementTree.parse(MODULE / "Resources/UI/HounsView.ui")
    names = {each.get("name") for each in tree.iter("widget")}
    used = set(re.findall(r"self\.ui\.(\w+)", (MODULE / "HounsView.py").read_text()))
    assert used <= names
