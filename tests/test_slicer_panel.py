"""The panel of the HounsView module as a person uses it, on Slicer's real MRML core."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.sessions import Session, Source
from hounsview.viewstate import Measurement, Surface

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from slicer_doubles import QFileDialog


def wait(milliseconds: int = 250) -> None:
    """Let timers run, as Slicer's own loop does."""
    from PySide6.QtTest import QTest

    QTest.qWait(milliseconds)


def chest(slicer: Any, widget: Any) -> Any:
    """A chosen thorax phantom."""
    node = mrml.volume_node(
        hv.phantom("thorax", spacing=(8, 5, 5)), slicer.mrmlScene, name="chest"
    )
    widget.ui.volumeBox.setCurrentNode(node)
    return node


def kinds(scene: Any) -> Counter[str]:
    """How many nodes of each class are there, but for views, which stay."""
    views = ("View", "Slice", "Layout", "Camera", "Selection", "Interaction", "Crosshair")
    names = [scene.GetNthNode(n).GetClassName() for n in range(scene.GetNumberOfNodes())]
    return Counter(
        each for each in names if not any(f"vtkMRML{view}" in each for view in views)
    )


def press(box: Any, text: str) -> None:
    box.setCurrentIndex(box.findText(text))
    box.textActivated.emit(text)


def cells(table: Any) -> list[dict[str, str]]:
    names = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount())]
    return [
        {name: table.item(row, n).text() for n, name in enumerate(names)}
        for row in range(table.rowCount())
    ]


@pytest.fixture
def two_series(tmp_path: Path) -> Path:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "two/a")
    hv.write_dicom(hv.phantom("hu-rods", spacing=(5, 5, 5)), tmp_path / "two/b")
    return tmp_path / "two"


def test_of_several_series_one_is_chosen(widget: Any, slicer: Any, two_series: Path) -> None:
    assert widget.ui.seriesBox.isHidden()
    widget.ui.pathLine.currentPath = str(two_series)
    with pytest.raises(ValueError, match="choose a series"):
        widget.onLoad()
    assert "choose a series" in slicer.said[0]
    assert not widget.ui.seriesBox.isHidden()
    assert not slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    labels = [widget.ui.seriesBox.itemText(n) for n in range(widget.ui.seriesBox.count())]
    assert len(labels) == 2
    for label in labels:
        press(widget.ui.seriesBox, label)
        widget.ui.loadButton.click()
        node = widget.ui.volumeBox.currentNode()
        size = " x ".join(map(str, mrml.volume_of(node).shape))
        assert label.endswith(size)
        widget.ui.pathLine.currentPath = str(two_series)
        if widget.ui.seriesBox.isHidden():
            with pytest.raises(ValueError, match="choose a series"):
                widget.onLoad()


def test_an_empty_path_and_a_folder_without_ct_leave_nothing(
    widget: Any, slicer: Any, tmp_path: Path
) -> None:
    before = kinds(slicer.mrmlScene)
    widget.ui.pathLine.currentPath = ""
    with pytest.raises(ValueError, match="name a folder"):
        widget.onLoad()
    (tmp_path / "note.txt").write_text("no CT")
    widget.ui.pathLine.currentPath = str(tmp_path)
    with pytest.raises(hv.HounsviewError):
        widget.onLoad()
    assert len(slicer.said) == 2
    assert kinds(slicer.mrmlScene) == before
    assert not widget.logic.lastStep
    assert slicer.app.cursors == 0


def test_loading_is_undone_and_done_again_without_a_trace(
    widget: Any, slicer: Any, tmp_path: Path
) -> None:
    hv.write_traps(tmp_path / "t", ["padding-with-tag"])
    before = kinds(slicer.mrmlScene)
    counts = []
    for _ in range(3):
        widget.ui.pathLine.currentPath = str(tmp_path / "t")
        widget.ui.loadButton.click()
        wait()
        assert kinds(slicer.mrmlScene)["vtkMRMLScalarVolumeNode"] == 1
        assert "loading" in widget.ui.undoButton.text()
        widget.ui.undoButton.click()
        wait()
        counts.append(len(list(widget.Observations)))
        assert kinds(slicer.mrmlScene) == before
    assert len(set(counts)) == 1
    assert not widget.ui.undoButton.isEnabled()
    assert widget.ui.volumeBox.currentNode() is None


def test_a_rendering_preset_is_one_choice_by_card_or_processor(
    widget: Any, slicer: Any
) -> None:
    node = chest(slicer, widget)
    assert widget.ui.renderingBox.currentText() == "none"
    bone = hv.rendering_presets()["bone"]
    press(widget.ui.renderingBox, bone.label)
    (display,) = shown = displays(node)
    assert display.GetClassName() == "vtkMRMLGPURayCastVolumeRenderingDisplayNode"
    transfer = display.GetVolumePropertyNode()
    press(widget.ui.methodBox, "processor")
    (display,) = displays(node)
    assert display.GetClassName() == "vtkMRMLCPURayCastVolumeRenderingDisplayNode"
    assert display.GetVolumePropertyNode() is transfer
    assert shown[0].GetScene() is None
    press(widget.ui.renderingBox, hv.rendering_presets()["lung"].label)
    assert not displays(node), "drawn of the copy inside the body"
    assert mrml.view_of(node, slicer.mrmlScene).rendering == "lung"
    press(widget.ui.renderingBox, "none")
    assert not mrml.view_of(node, slicer.mrmlScene).show_volume
    assert widget.ui.renderingBox.currentText() == "none"
    widget.ui.undoButton.click()
    assert widget.ui.renderingBox.currentText() == hv.rendering_presets()["lung"].label


def displays(node: Any) -> list[Any]:
    found = [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    return [one for one in found if one.IsA("vtkMRMLVolumeRenderingDisplayNode")]


def test_the_crop_box_begins_around_the_body_and_is_dragged(widget: Any, slicer: Any) -> None:
    node = chest(slicer, widget)
    press(widget.ui.renderingBox, hv.rendering_presets()["bone"].label)
    widget.ui.cropCheck.click()
    (display,) = displays(node)
    roi = display.GetROINode()
    box = mrml.body_box(node).corners(faces=True)
    size = box.max(axis=0) - box.min(axis=0)
    assert roi.GetSize() == pytest.approx(size)
    roi.SetSize(50, 60, 70)
    crop = mrml.view_of(node, slicer.mrmlScene).crop
    assert crop is not None
    assert np.subtract(crop.high, crop.low) == pytest.approx((50, 60, 70))
    widget.ui.cropCheck.click()
    assert not display.GetCroppingEnabled()
    assert not slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode")


def test_surfaces_are_toggled_and_undone(widget: Any, slicer: Any) -> None:
    node = chest(slicer, widget)
    widget.ui.boneButton.click()
    widget.ui.lungButton.click()
    models = mrml.companions_of(node, mrml.SURFACE)
    assert [model.GetName() for model in models] == ["chest bone", "chest lung"]
    widget.ui.boneButton.click()
    assert not widget.ui.boneButton.isChecked()
    assert mrml.companions_of(node, mrml.SURFACE) == models[1:]
    widget.ui.undoButton.click()
    assert widget.ui.boneButton.isChecked()
    assert {s.name for s in mrml.view_of(node, slicer.mrmlScene).surfaces if s.shown} == {
        "bone", "lung",
    }  # fmt: skip
    for _ in range(2):
        widget.ui.undoButton.click()
    assert not mrml.companions_of(node, mrml.SURFACE)
    assert not widget.ui.boneButton.isChecked()


def test_a_surface_that_is_not_there_is_told(widget: Any, slicer: Any) -> None:
    head = hv.phantom("head", spacing=(6, 4, 4))
    node = mrml.volume_node(head, slicer.mrmlScene, name="head")
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.lungButton.click()
    assert "no surface of lung" in slicer.said[0]
    assert not widget.ui.lungButton.isChecked()
    assert not widget.logic.lastStep, "nothing was done"


def test_tissues_are_found_shown_and_replaced(widget: Any, slicer: Any) -> None:
    node, scene = chest(slicer, widget), slicer.mrmlScene
    with pytest.raises(ValueError, match="find them first"):
        widget.onTable(widget.logic.showChart)
    widget.ui.tissuesButton.click()
    once = kinds(scene)
    assert once["vtkMRMLSegmentationNode"] == 1
    assert once["vtkMRMLPlotChartNode"] == 1
    widget.ui.tissuesButton.click()
    assert kinds(scene) == once
    widget.ui.chartButton.click()
    plot = scene.GetSingletonNode("PlotView1", "vtkMRMLPlotViewNode")
    assert plot.GetPlotChartNode().GetName() == "chest tissue histogram"
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotView
    widget.ui.numbersButton.click()
    table = scene.GetSingletonNode("TableView1", "vtkMRMLTableViewNode").GetTableNode()
    rows = {row["tissue"]: row for row in mrml.rows_of(table)}
    bone = float(hv.masks.bone(mrml.volume_of(node)).sum()) * 8 * 5 * 5 / 1000
    assert float(rows["bone"]["volume (ml)"]) == pytest.approx(bone, rel=0.05)


def test_values_follow_markups_while_they_are_moved(widget: Any, slicer: Any) -> None:
    node, scene = chest(slicer, widget), slicer.mrmlScene
    widget.ui.pointButton.click()
    (markups,) = mrml.markups_in(node, scene)
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert selection.GetActivePlaceNodeID() == markups.GetID()
    volume = mrml.volume_of(node)
    for index in ((10, 20, 30), (5, 30, 50)):
        x, y, z = volume.geometry.to_patient(index)
        if markups.GetNumberOfControlPoints():
            markups.SetNthControlPointPosition(0, -x, -y, z)
        else:
            markups.AddControlPoint(-x, -y, z)
        wait()
        (row,) = cells(widget.ui.valuesTable)
        assert row["value"] == f"{volume.hu[index]} HU"
        assert row["index (k, j, i)"] == "{} {} {}".format(*index)
    widget.exit()
    markups.SetNthControlPointPosition(0, 0, 0, 0)
    wait()
    assert cells(widget.ui.valuesTable) == [row], "not followed while it is not seen"
    widget.enter()
    wait()
    assert cells(widget.ui.valuesTable) != [row]
    scene.RemoveNode(markups)
    wait()
    assert not cells(widget.ui.valuesTable)


def test_a_session_is_opened_where_the_scan_is_now_and_saved(
    widget: Any, slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hv.write_dicom(hv.phantom("thorax", spacing=(8, 5, 5)), tmp_path / "before")
    uid = hv.load(tmp_path / "before").attributes["SeriesInstanceUID"]
    ruler = Measurement("ruler", ((0, 0, 0), (30, 40, 0)), text="across")
    state = hv.ViewState(
        window=hv.window_presets()["lung"], measurements=(ruler,),
        surfaces=(Surface("bone"),), rendering="bone",
    )  # fmt: skip
    source = Source(str(tmp_path / "before"), series_uid=uid)
    file = hv.write_session(Session(state, source), tmp_path / "v.hounsview.json")
    (tmp_path / "before").rename(tmp_path / "now")
    QFileDialog.answers[:] = [str(file), str(tmp_path / "now")]
    widget.ui.openButton.click()
    assert not slicer.said
    node = widget.ui.volumeBox.currentNode()
    assert widget.ui.windowBox.currentText() == "lung"
    assert widget.ui.boneButton.isChecked()
    wait()
    (row,) = cells(widget.ui.valuesTable)
    assert (row["name"], row["length"]) == ("across", "50.0 mm")
    press(widget.ui.windowBox, "bone")
    QFileDialog.answers[:] = [str(tmp_path / "again")]
    widget.ui.saveButton.click()
    back = hv.read_session(tmp_path / "again.hounsview.json")
    assert back.state.window_name == "bone"
    assert back.source.path == str(tmp_path / "now")
    assert [one.text for one in back.state.measurements] == ["across"]
    assert [one.name for one in back.state.surfaces] == ["bone"]
    import slicer.util as util

    # The ending comes after Qt asked whether to write over the name that was given.
    monkeypatch.setattr(util, "confirmYesNoDisplay", lambda question: "again" not in question)
    press(widget.ui.windowBox, "lung")
    QFileDialog.answers[:] = [str(tmp_path / "again")]
    widget.ui.saveButton.click()
    assert hv.read_session(tmp_path / "again.hounsview.json").state.window_name == "bone"
    QFileDialog.answers[:] = [""]
    widget.ui.saveButton.click()
    widget.ui.volumeBox.setCurrentNode(None)
    assert node.GetScene() is slicer.mrmlScene


def test_entering_again_connects_nothing_twice(widget: Any, slicer: Any) -> None:
    node = chest(slicer, widget)
    parameters = widget._parameters
    counts = []
    for _ in range(3):
        widget.enter()
        wait()
        counts.append(len(list(widget.Observations)))
    assert len(set(counts)) == 1
    assert not parameters._parameterGUIs, "the connection before was let go"
    assert widget.ui.volumeBox.currentNode() is node


def test_deleting_a_volume_takes_its_aids_along(widget: Any, slicer: Any) -> None:
    before = kinds(slicer.mrmlScene)
    node = chest(slicer, widget)
    slicer.mrmlScene.RemoveNode(node)
    wait()
    assert kinds(slicer.mrmlScene) - before == Counter({"vtkMRMLScalarVolumeDisplayNode": 1}), (
        "its display is Slicer's to remove"
    )
    assert "Load a CT" in widget.ui.statusLabel.text()


def test_what_was_found_in_one_volume_is_not_shown_for_another(
    widget: Any, slicer: Any
) -> None:
    first = chest(slicer, widget)
    widget.ui.auditButton.click()
    assert "doubtful" in widget.ui.findingsText.toPlainText()
    second = chest(slicer, widget)
    assert widget.ui.findingsText.toPlainText() == ""
    widget.ui.auditButton.click()
    slicer.mrmlScene.RemoveNode(second)
    wait()
    assert widget.ui.findingsText.toPlainText() == ""
    assert first.GetScene() is slicer.mrmlScene


def test_a_series_that_will_be_refused_says_so_in_the_list(
    widget: Any, slicer: Any, two_series: Path, tmp_path: Path
) -> None:
    hv.write_traps(tmp_path / "traps", ["rescale-type-not-hu"])
    (tmp_path / "traps").rename(two_series / "traps")
    widget.ui.pathLine.currentPath = str(two_series)
    with pytest.raises(ValueError, match="choose a series"):
        widget.onLoad()
    labels = [widget.ui.seriesBox.itemText(n) for n in range(widget.ui.seriesBox.count())]
    assert [label.endswith("refused") for label in sorted(labels)].count(True) == 1


def test_closing_the_scene_forgets_all_and_a_new_one_is_followed(
    widget: Any, slicer: Any
) -> None:
    chest(slicer, widget)
    widget.ui.boneButton.click()
    widget.ui.auditButton.click()
    observed = len(list(widget.Observations))
    slicer.mrmlScene.Clear(False)
    wait()
    assert not widget.logic.lastStep
    assert widget.ui.findingsText.toPlainText() == ""
    assert not widget.ui.boneButton.isChecked()
    node = chest(slicer, widget)
    widget.ui.auditButton.click()
    assert widget.ui.findingsText.toPlainText()
    assert node.GetScene() is slicer.mrmlScene
    assert len(list(widget.Observations)) <= observed


def test_a_volume_that_slicer_sheared_is_told_and_breaks_nothing(
    widget: Any, slicer: Any
) -> None:
    from hounsview.mrml.application import matrix_of

    node = chest(slicer, widget)
    widget.ui.volumeBox.setCurrentNode(None)
    sheared = np.array(mrml.geometry_of(node).to_ras())
    sheared[1, 2] += 3.0
    node.SetIJKToRASMatrix(matrix_of(sheared))
    widget.ui.volumeBox.setCurrentNode(node)
    assert "not at right angles" in widget.ui.statusLabel.text()
    widget.ui.auditButton.click()
    assert "right angles" in widget.ui.findingsText.toPlainText()
    with pytest.raises(hv.GeometryError):
        widget.onRepair()
    mrml.markups_node(Measurement("probe", ((0, 0, 0),)), slicer.mrmlScene)
    wait()
    (row,) = cells(widget.ui.valuesTable)
    assert "right angles" in row["note"]
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    widget.ui.volumeBox.setCurrentNode(empty)
    assert "holds no voxels" in widget.ui.statusLabel.text()
    wait()
    for do in (widget.onAudit, widget.onTissues, widget.onSaveSession):
        QFileDialog.answers[:] = ["x"]
        with pytest.raises(ValueError, match="voxels"):
            do()
    assert slicer.app.cursors == 0
