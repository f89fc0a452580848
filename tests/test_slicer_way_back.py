"""Taking back what the HounsView module did, on Slicer's real MRML core."""

from __future__ import annotations

from typing import Any

import pytest

import hounsview as hv
from hounsview import mrml

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")


def test_finding_tissues_again_is_undone_to_those_before(widget: Any, slicer: Any) -> None:
    node = mrml.volume_node(
        hv.phantom("thorax", spacing=(8, 5, 5)), slicer.mrmlScene, name="chest"
    )
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.tissuesButton.click()
    grid = mrml.own_grid_of(node)
    first = mrml.companion(node, mrml.TISSUES)
    first.GetSegmentation().RemoveSegment("fat")
    before = mrml.tissues_of(first, grid)
    widget.ui.tissuesButton.click()
    assert "fat" in mrml.tissues_of(mrml.companion(node, mrml.TISSUES), grid)
    widget.ui.undoButton.click()
    assert mrml.companion(node, mrml.TISSUES) is first
    assert first.GetDisplayNode().GetVisibility()
    assert "edited" not in first.GetName()
    first.SetAttribute("hounsview.made", None)  # as if nobody had changed it
    widget.ui.tissuesButton.click()
    assert first.GetScene() is None
    widget.ui.undoButton.click()
    back = mrml.tissues_of(mrml.companion(node, mrml.TISSUES), grid)
    assert set(back) == set(before)
    assert all((back[name] == before[name]).all() for name in before)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    numbers = mrml.rows_of(mrml.companion(node, mrml.NUMBERS))
    assert {row["tissue"] for row in numbers} == set(before)


def test_what_a_person_deleted_is_not_kept_in_memory_by_the_steps(
    widget: Any, slicer: Any
) -> None:
    import gc

    from HounsViewLib.steps import Steps
    from vtkmodules.vtkCommonCore import vtkWeakReference

    steps, scene = Steps(), slicer.mrmlScene
    with steps.step("loading", scene):
        node = mrml.volume_node(hv.phantom("hu-rods", spacing=(9, 9, 9)), scene)
    held = vtkWeakReference()
    held.Set(node)
    scene.RemoveNode(node)
    del node
    gc.collect()
    assert held.Get() is None
    assert steps.undo(scene) == "loading"


def test_tissues_that_a_person_deleted_do_not_come_back_with_a_window(
    widget: Any, slicer: Any
) -> None:
    node = mrml.volume_node(hv.phantom("thorax", spacing=(8, 5, 5)), slicer.mrmlScene)
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.tissuesButton.click()
    mrml.show_view(mrml.view_of(node, slicer.mrmlScene), node, slicer.mrmlScene)
    widget.ui.windowBox.setCurrentIndex(1)
    widget.ui.windowBox.textActivated.emit(widget.ui.windowBox.currentText())
    mrml.remove(mrml.companion(node, mrml.TISSUES))
    widget.ui.undoButton.click()
    assert mrml.companion(node, mrml.TISSUES) is None
