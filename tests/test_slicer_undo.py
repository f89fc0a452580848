"""What the HounsView module takes back, in a scene with Slicer's own views."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from slicer_application import SIX_SLICES, ids, views
from slicer_doubles import application


@pytest.fixture
def slicer() -> Iterator[Any]:
    with application(mrml.new_scene()) as running, views(running.mrmlScene) as shown:
        running.views = shown
        yield running
        del running.views


@pytest.fixture
def work(slicer: Any) -> Any:
    from HounsViewLib.work import Work

    return Work()


def chest(slicer: Any) -> Any:
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    return mrml.volume_node(chest, slicer.mrmlScene, name="chest")


def test_loading_is_taken_back_but_for_the_views(
    work: Any, slicer: Any, tmp_path: Path
) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "rods")
    before = ids(slicer.mrmlScene)
    work.load(str(tmp_path / "rods"))
    assert work.undo() == "loading"
    assert ids(slicer.mrmlScene) == before


def test_undoing_a_window_leaves_layout_and_slices_in_3d(work: Any, slicer: Any) -> None:
    node, scene = chest(slicer), slicer.mrmlScene
    work.setWindow(node, "lung")
    slicer.views.arrange(SIX_SLICES)
    scene.GetSingletonNode("Green", "vtkMRMLSliceNode").SetSliceVisible(True)
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()
    work.undo()
    assert node.GetDisplayNode().GetLevel() != -600
    assert scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement() == layout
    seen = [
        scene.GetSingletonNode(one, "vtkMRMLSliceNode").GetSliceVisible()
        for one in ("Red", "Green", "Yellow")
    ]
    assert seen == [0, 1, 0]


def test_segments_that_a_person_added_stay_seen(work: Any, slicer: Any) -> None:
    node = chest(slicer)
    segments, _, _ = work.segment(node)
    segments.GetSegmentation().AddEmptySegment("tumour")
    display = segments.GetDisplayNode()
    display.SetOpacity2DFill(0.25)
    work.setWindow(node, "lung")
    work.setSurface(node, "bone", True)
    work.undo()
    work.undo()
    assert display.GetVisibility()
    assert display.GetSegmentVisibility("tumour")
    assert display.GetSegmentVisibility("body")
    assert display.GetOpacity2DFill() == 0.25


def test_a_rendering_that_was_replaced_is_seen_again(work: Any, slicer: Any) -> None:
    node = chest(slicer)
    work.setRendering(node, "bone")
    work.setRendering(node, "lung")  # Drawn of another node.
    assert work.view(node).rendering == "lung"
    work.undo()
    assert (work.view(node).rendering, work.view(node).show_volume) == ("bone", True)
    work.undo()
    assert not work.view(node).show_volume


def test_a_markup_taken_back_is_not_placed_by_the_next_click(work: Any, slicer: Any) -> None:
    interaction = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    work.place("point")
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    work.undo()
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform
    mrml.stop_placing(slicer.mrmlScene)
    mrml.stop_placing(mrml.new_scene())
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform


def test_a_scan_that_was_removed_is_not_kept_in_memory(
    work: Any, slicer: Any, tmp_path: Path
) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "rods")
    node, gone = work.load(str(tmp_path / "rods")), []
    work.setWindow(node, "lung")
    point = work.place("point")
    point.AddControlPoint(np.zeros(3))
    assert work.values(node)
    node.AddObserver("DeleteEvent", lambda *_: gone.append(True))
    slicer.mrmlScene.RemoveNode(node)
    work.tidy()
    assert work.values(None) == []
    del node
    gc.collect()
    assert gone
    assert [work.undo() for _ in range(4)] == ["placing a markup", "the window", "loading", ""]


def test_nodes_of_a_later_scene_are_not_taken_for_those_of_before(
    work: Any, slicer: Any, tmp_path: Path
) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "rods")
    before = work.load(str(tmp_path / "rods"))
    work.setWindow(before, "lung")
    slicer.mrmlScene.Clear(0)
    after = chest(slicer)
    assert after.GetID() == before.GetID()
    level = after.GetDisplayNode().GetLevel()
    assert [work.undo() for _ in range(2)] == ["the window", "loading"]
    assert after.GetScene() is slicer.mrmlScene
    assert after.GetDisplayNode().GetLevel() == level


@pytest.mark.parametrize("first", ["rendering", "surface"])
def test_the_3d_view_turns_to_the_first_that_is_seen_of_a_volume(
    work: Any, slicer: Any, first: str
) -> None:
    volume = hv.phantom("thorax", spacing=(8, 5, 5))
    affine = volume.geometry.affine.copy()
    affine[:3, 3] += (0, 0, -900)  # As far from the origin as a table may stand.
    geometry = hv.Geometry(volume.shape, affine)
    node = mrml.volume_node(hv.Volume(volume.hu, geometry), slicer.mrmlScene, name="low")
    if first == "rendering":
        work.setRendering(node, "bone")
    else:
        work.setSurface(node, "bone", True)
    camera = slicer.mrmlScene.GetSingletonNode("1", "vtkMRMLCameraNode")
    middle = geometry.centre * (-1, -1, 1)
    assert camera.GetFocalPoint() == pytest.approx(middle)
    away = np.asarray(camera.GetPosition()) - middle
    assert away[1] == pytest.approx(np.linalg.norm(away)), "still from the front"
    half = np.linalg.norm(away) * np.sin(np.radians(camera.GetViewAngle()) / 2)
    assert half == pytest.approx(
        np.linalg.norm(np.ptp(geometry.corners(faces=True), axis=0)) / 2
    )
    camera.SetPosition(0, 0, 0)
    work.setSurface(node, "skin", True)
    assert camera.GetPosition() == (0, 0, 0), "a person moved it"


def test_a_camera_that_looks_into_the_volume_stays(work: Any, slicer: Any) -> None:
    scene, node = slicer.mrmlScene, chest(slicer)
    mrml.look_at(node, scene)
    camera = scene.GetSingletonNode("1", "vtkMRMLCameraNode")
    camera.SetPosition(10, -300, 20)
    mrml.look_at(node, scene)
    assert camera.GetPosition() == (10, -300, 20)
    view = scene.GetSingletonNode("1", "vtkMRMLViewNode")
    view.SetRenderMode(view.Orthographic)
    camera.SetFocalPoint(5000, 0, 0)
    mrml.look_at(node, scene)
    corners = mrml.geometry_of(node).corners(faces=True)
    assert view.GetFieldOfView() == pytest.approx(np.linalg.norm(np.ptp(corners, axis=0)) / 2)
    assert camera.GetParallelScale() == view.GetFieldOfView()
    assert camera.GetFocalPoint()[0] < 500
