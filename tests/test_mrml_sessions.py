"""Sessions of volumes that a person changed in Slicer, and of what Slicer itself read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.viewstate import Measurement
from mrml_kit import needs_slicer, turned, volume_on

pytestmark = needs_slicer
STRAIGHT = np.diag([2.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


def edit(node: Any, value: int) -> None:
    """Change the first slices of a volume, as Slicer's modules do."""
    import slicer.util

    slicer.util.arrayFromVolume(node)[:4] = value
    slicer.util.arrayFromVolumeModified(node)


@pytest.mark.parametrize("seed", range(2))
def test_a_volume_that_was_changed_has_no_session(
    scene: Any, tmp_path: Path, seed: int
) -> None:
    path = hv.write(volume_on(turned(seed)), tmp_path / "v.nrrd")[0]
    volume = hv.load(path)
    node = mrml.volume_node(volume, scene, name="CT")
    mrml.note_source(node, mrml.source_at(path, volume))
    mrml.set_window(node, hv.Window(0, 100))
    assert mrml.session_of(node, scene).source.path == str(path)
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "c.mrb"))
    read = again.GetFirstNodeByName("CT")
    assert mrml.session_of(read, again).source.path == str(path), "also with k reversed"
    origin = node.GetOrigin()
    node.SetOrigin(origin[0] + 1, *origin[1:])
    with pytest.raises(hv.ArgumentError, match="was changed since"):
        mrml.session_of(node, scene)
    node.SetOrigin(origin)
    mrml.session_of(node, scene)
    edit(node, 7)
    with pytest.raises(hv.ArgumentError, match="was changed since"):
        mrml.session_of(node, scene)


def read_by_slicer(scene: Any, *paths: Path) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "read")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(paths[0]))
    for path in paths[1:]:
        storage.AddFileName(str(path))
    assert storage.ReadData(node)
    node.SetAndObserveStorageNodeID(storage.GetID())
    return node


def test_one_slice_of_a_series_is_no_source_of_a_session(scene: Any, tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 6, 6)), tmp_path / "rods")
    files = sorted(file for file in (tmp_path / "rods").rglob("*") if file.is_file())
    node = read_by_slicer(scene, *files)
    assert node.GetImageData().GetDimensions()[2] > 1
    with pytest.raises(hv.ArgumentError, match="does not say the whole scan"):
        mrml.session_of(node, scene)


def test_a_file_that_slicer_read_has_no_session_once_its_voxels_changed(
    scene: Any, tmp_path: Path
) -> None:
    node = read_by_slicer(scene, hv.write(volume_on(STRAIGHT), tmp_path / "v.nrrd")[0])
    mrml.show_view(hv.ViewState(), node, scene)
    mrml.session_of(node, scene)
    edit(node, 7)
    with pytest.raises(hv.ArgumentError, match="was changed since"):
        mrml.session_of(node, scene)


def test_a_file_that_does_not_say_what_was_not_measured_has_no_session(
    scene: Any, tmp_path: Path
) -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[0] = hv.Validity.PADDING
    volume = volume_on(STRAIGHT, valid=valid)
    node = mrml.volume_node(volume, scene, name="CT")
    node.AddDefaultStorageNode(str(tmp_path / "v.nrrd"))
    assert node.GetStorageNode().WriteData(node)
    with pytest.raises(hv.ArgumentError, match=r"not measured.*\.npz"):
        mrml.session_of(node, scene)
    path = hv.write(mrml.volume_of(node), tmp_path / "v.npz")[0]
    again = hv.load(path)
    assert again.valid is not None
    assert np.array_equal(again.valid, valid)


def test_series_without_a_uid_are_opened_again_by_their_key(tmp_path: Path) -> None:
    import pydicom

    for number, spacing in enumerate((10, 5)):
        hv.write_dicom(hv.phantom("hu-rods", spacing=(spacing, 6, 6)), tmp_path / f"{number}")
    for file in tmp_path.rglob("*.dcm"):
        held = pydicom.dcmread(file)
        held.SeriesInstanceUID = ""
        held.save_as(file)
    found = hv.scan(tmp_path).series
    assert len(found) == 2
    for series in found:
        volume = hv.load(tmp_path, series=series.key)
        source = mrml.source_at(tmp_path, volume, key=series.key)
        scene = mrml.new_scene()
        node = mrml.volume_node(volume, scene)
        mrml.note_source(node, source)
        file = mrml.save_session(node, scene, tmp_path / "v.hounsview.json")
        again, _ = hv.load_session(hv.read_session(file))
        assert np.array_equal(again.hu, volume.hu)


def test_what_a_person_called_a_measurement_in_slicer_is_its_text(
    scene: Any, tmp_path: Path
) -> None:
    import slicer.util

    node = mrml.volume_node(volume_on(STRAIGHT), scene, name="CT")
    given = (
        Measurement("ruler", ((0, 0, 0), (3, 3, 0)), text="across"),
        Measurement("probe", ((1, 1, 0),), text="liver"),
        Measurement("ruler", ((0, 0, 0), (3, 0, 0))),
    )
    ruler, *_ = mrml.show_view(hv.ViewState(measurements=given), node, scene).markups
    texts = [one.text for one in mrml.view_of(node, scene).measurements]
    assert texts == ["across", "liver", ""]
    ruler.SetName("long axis\n" + 300 * "x")
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    slicer.util.updateMarkupsControlPointsFromArray(points, np.array([[0.0, 0, 0], [1, 0, 0]]))
    points.SetNthControlPointLabel(0, "nodule")
    points.SetNthControlPointLabel(1, "")
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "m.mrb"))
    for there in (scene, again):
        seen = mrml.view_of(there.GetFirstNodeByName("CT"), there).measurements
        first, *rest = [one.text for one in seen]
        assert first.startswith("long axisxx")
        assert rest == ["liver", "", "nodule", "F"]
