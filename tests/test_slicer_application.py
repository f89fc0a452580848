"""The scene of the application, with the views that Slicer's own logic keeps there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.mrml.panes import node_of_view
from hounsview.viewstate import CropBox, Measurement, Surface

pytest.importorskip("slicer", reason="slicer-core is not installed")

from mrml_kit import needs_slicer
from slicer_application import PLOT, SIX_SLICES, TABLE, ids, looks, modules, open_file, views

pytestmark = needs_slicer


@pytest.fixture
def scene() -> Iterator[Any]:
    made = mrml.new_scene()
    yield made
    made.Clear(1)


def rods(scene: Any) -> Any:
    return mrml.volume_node(hv.phantom("hu-rods", spacing=(10, 4, 4)), scene)


def test_views_that_slicer_makes_meanwhile_are_not_taken_back(scene: Any) -> None:
    made: set[str] = set()

    def fail(shown: Any) -> None:
        with mrml.all_or_nothing(scene):
            mrml.show_fitting(rods(scene), scene)
            shown.arrange(SIX_SLICES)
            shown.arrange(TABLE)
            made.update(ids(scene))
            shown.arrange("no such layout")

    with views(scene) as shown:
        before = ids(scene)
        with pytest.raises(AttributeError, match="no such layout"):
            fail(shown)
        left = ids(scene) - before
        kinds = {scene.GetNodeByID(one).GetClassName() for one in left}
        # The slices in 3D are models under a transform, which Slicer makes for each view.
        assert {"vtkMRMLSliceNode", "vtkMRMLTableViewNode", "vtkMRMLModelNode"} <= kinds
        # Slicer makes a new display node for a volume that loses its own while it is shown.
        assert not [one for one in left if "ScalarVolume" in one or "TableNode" in one]
        assert left < made - before


def test_undoing_a_step_leaves_the_views(scene: Any) -> None:
    with views(scene) as shown:
        before = ids(scene)
        with mrml.all_or_nothing(scene) as added:
            node = rods(scene)
            mrml.show_fitting(node, scene)
            shown.arrange(SIX_SLICES)
        mrml.remove_all(added, scene)
        assert node.GetScene() is None
        assert not [one for one in ids(scene) - before if "ScalarVolume" in one]
        lower = scene.GetSingletonNode("Green+", "vtkMRMLSliceNode")
        assert lower is not None
        assert scene.GetSingletonNode("Green+", "vtkMRMLSliceCompositeNode") is not None
        assert before < ids(scene)


def test_the_tree_of_data_is_not_taken_back(scene: Any) -> None:
    import slicer

    with mrml.all_or_nothing(scene) as added:
        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert tree not in added
    assert tree.GetScene() is scene


def test_views_made_outside_slicer_are_like_its_own() -> None:
    theirs, ours = mrml.new_scene(), mrml.new_scene()
    with views(theirs) as shown:
        shown.arrange(TABLE)
        shown.arrange(PLOT)
        wanted = looks(theirs)
    mrml.show_view(hv.ViewState(), rods(ours), ours)
    for kind, layout in (("Table", "TableView1"), ("Plot", "PlotView1")):
        node_of_view(ours, f"vtkMRML{kind}ViewNode", layout)
    assert looks(ours) == wanted


def test_a_scene_file_leaves_slicers_views_labelled_coloured_and_turned(
    scene: Any, tmp_path: Path
) -> None:
    file, _ = mrml.save_scene(
        hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "rods.mrb", state=hv.ViewState()
    )
    with views(scene):
        before = looks(scene)
        open_file(file, scene, tmp_path)
        assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
        assert looks(scene) == before
        scene.Clear(0)
        assert looks(scene) == before, "a closed scene turns its views to their default"


def test_a_hidden_copy_is_hidden_when_slicer_first_sees_it(scene: Any) -> None:
    node = mrml.volume_node(hv.phantom("thorax", spacing=(8, 5, 5)), scene, name="chest")
    seen: list[tuple[str, int]] = []

    def added(*_: Any) -> None:
        last = scene.GetNthNode(scene.GetNumberOfNodes() - 1)
        seen.append((last.GetClassName(), last.GetHideFromEditors()))

    scene.AddObserver(scene.NodeAddedEvent, added)
    mrml.show_rendering(hv.ViewState(rendering="lung"), node, scene, mrml.CPU_RENDERING, print)
    assert [hidden for kind, hidden in seen if kind == "vtkMRMLScalarVolumeNode"] == [1]


def turned_box(scene: Any) -> Any:
    """A box as a person makes it with Slicer's own handles."""
    from vtkmodules.vtkCommonTransforms import vtkTransform

    box = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "drawn")
    box.SetSize(40, 30, 20)
    turn = vtkTransform()
    turn.RotateZ(30)
    box.SetAndObserveObjectToNodeMatrix(turn.GetMatrix())
    return box


@pytest.mark.parametrize("method", [mrml.CPU_RENDERING, mrml.GPU_RENDERING])
def test_a_box_that_a_person_made_or_turned_goes_on_cropping(scene: Any, method: str) -> None:
    node = rods(scene)
    show = partial(mrml.show_rendering, volume_node=node, scene=scene, tell=print)
    display, _, _ = show(hv.ViewState(), rendering_class=mrml.CPU_RENDERING)
    box = turned_box(scene)
    display.SetAndObserveROINodeID(box.GetID())
    display.SetCroppingEnabled(True)
    for preset in ("bone", "MIP", "bone"):
        state = mrml.view_of(node, scene).changed(rendering=preset)
        display, _, crop = show(state, rendering_class=method)
        assert (crop, display.GetROINode()) == (box, box)
        assert display.GetCroppingEnabled()
        assert tuple(box.GetSize()) == pytest.approx((40, 30, 20))
    display, _, crop = show(state.changed(crop=None), rendering_class=method)
    assert crop is None
    assert not display.GetCroppingEnabled()
    assert box.GetScene() is scene


FULL = hv.ViewState(
    rendering="lung",
    surfaces=(Surface("bone"),),
    measurements=(Measurement("ruler", ((0, 0, 0), (30, 40, 0))),),
    crop=CropBox((-50, -50, -50), (50, 50, 50)),
)


def test_slicers_modules_make_nothing_twice_of_what_we_made(scene: Any) -> None:
    with views(scene) as shown, modules(scene, shown):
        node = mrml.volume_node(hv.phantom("thorax", spacing=(8, 5, 5)), scene)
        mrml.show_fitting(node, scene)
        with mrml.all_or_nothing(scene) as added:
            mrml.show_view(FULL, node, scene, rendering_class=mrml.GPU_RENDERING)
            volume = mrml.volume_of(node)
            mrml.add_tissues(volume, hv.masks.segment(volume), node, scene)
            mrml.start_placing("vtkMRMLMarkupsFiducialNode", scene)
        seen = [one for one in added if one.IsA("vtkMRMLDisplayableNode")]
        assert {one.GetNumberOfDisplayNodes() for one in seen} == {1}
        displays = {one.GetDisplayNodeID() for one in seen}
        assert displays == {one.GetID() for one in added if one.IsA("vtkMRMLDisplayNode")}
        mrml.remove_all(added, scene)
        kinds = ("Display", "Markups", "Segmentation", "PlotSeries", "VolumeProperty")
        left = [one for one in ids(scene) if any(f"vtkMRML{kind}" in one for kind in kinds)]
        assert not left


def test_slicers_volume_rendering_module_takes_ours(scene: Any) -> None:
    node = rods(scene)
    with views(scene) as shown, modules(scene, shown) as logics:
        show = partial(mrml.show_rendering, hv.ViewState(), node, scene)
        display, transfer, _ = show(mrml.GPU_RENDERING, print)
        mrml.set_window(node, hv.window_presets()["lung"])  # It may follow windows; not ours.
        points = transfer.GetVolumeProperty().GetScalarOpacity().GetSize()
        logic, before = logics["VolumeRendering"], ids(scene)
        assert logic.CreateDefaultVolumeRenderingNodes(node) is display
        assert ids(scene) == before
        assert transfer.GetVolumeProperty().GetScalarOpacity().GetSize() == points
        logic.ChangeVolumeRenderingMethod(mrml.CPU_RENDERING)
        again, same, _ = show(mrml.GPU_RENDERING, print)
        assert (again.GetClassName(), same) == (mrml.GPU_RENDERING, transfer)
        assert node.GetNumberOfDisplayNodes() == 2, "one for slices, one in 3D"


def test_the_3d_view_of_the_application_looks_from_where_a_view_does(scene: Any) -> None:
    import slicer

    with views(scene):
        # Slicer makes the camera when it makes the 3D view, and names it by the layout.
        theirs = scene.CreateNodeByClass("vtkMRMLCameraNode")
        theirs.UnRegister(None)
        theirs.SetLayoutName("1")
        scene.AddNode(theirs)
        mrml.show_view(hv.ViewState(), rods(scene), scene)
        assert scene.GetNumberOfNodesByClass("vtkMRMLCameraNode") == 1
        found = slicer.vtkMRMLViewLogic.GetCameraNode(scene, "1")
        view = scene.GetSingletonNode("1", "vtkMRMLViewNode")
        assert found is theirs
        assert theirs.GetParallelScale() == view.GetFieldOfView() > 50
        assert theirs.GetPosition()[1] > 100, "from the front"
