"""Volumes as MRML nodes and back; scenes as .mrb files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.findings import Finding, Report
from hounsview_vizapp.cli import main
from mrml_kit import needs_slicer, same, turned, volume_on

BITS = hv.Validity


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


def marked(seed: int = 3) -> hv.Volume:
    """A volume with every kind of mark, findings and attributes."""
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[:, 0] = BITS.PADDING
    valid[2] |= np.uint8(BITS.FILLED | BITS.RESAMPLED)
    valid[3, 4, 5] = BITS.SATURATED
    text = 'the tag says "5" mm\tand the positions 2.5 mm: größer'
    report = Report((Finding("SLICE_LOST", text, (Path("/secret/name/a.dcm"),)),))
    return volume_on(turned(seed), valid=valid, report=report, attributes={"KVP": "120"})


def test_importing_the_package_loads_neither_vtk_nor_slicer() -> None:
    code = (
        "import sys, hounsview.mrml; "
        "print(sorted({'vtk', 'vtkmodules', 'slicer', 'slicer_core'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_slicer_core_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "slicer", None)
    monkeypatch.delitem(sys.modules, "slicer.util", raising=False)
    with pytest.raises(hv.ArgumentError, match=r"install hounsview\[slicer\]"):
        mrml.new_scene()
    source = hv.write(hv.phantom("hu-rods", spacing=(8, 4, 4)), tmp_path / "a.nrrd")[0]
    assert main(["convert", str(source), "-o", str(tmp_path / "a.mrb")]) == 1
    assert "hounsview[slicer]" in capsys.readouterr().err
    assert not (tmp_path / "a.mrb").exists()


@needs_slicer
def test_a_volume_comes_back_from_its_node_in_all_48_orientations(scene: Any) -> None:
    axial = volume_on(np.diag([2.5, 0.7, 0.6, 1.0])[[2, 1, 0, 3]])
    letters = [
        "".join(pair[which] for pair, which in zip(order, ends, strict=True))
        for order in permutations(("LR", "PA", "SI"))
        for ends in product((0, 1), repeat=3)
    ]
    assert len(set(letters)) == 48
    for orientation in letters:
        volume = axial.reorient(orientation)
        node = mrml.volume_node(volume, scene)
        back = mrml.volume_of(node)
        same(volume, back)
        assert back.geometry.orientation == orientation


@needs_slicer
@pytest.mark.parametrize("seed", range(4))
def test_an_oblique_volume_comes_back_from_its_node(scene: Any, seed: int) -> None:
    volume = volume_on(turned(seed))
    same(volume, mrml.volume_of(mrml.volume_node(volume, scene)))


@needs_slicer
def test_slicer_finds_a_voxel_where_the_volume_has_it(scene: Any) -> None:
    import slicer.util

    volume = volume_on(turned(1))
    node = mrml.volume_node(volume, scene)
    matrix = slicer.util.vtkMatrixFromArray(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    for k, j, i in ((0, 0, 0), (3, 4, 5), (1, 3, 2)):
        x, y, z = volume.geometry.to_patient((k, j, i))
        ras = matrix.MultiplyPoint((i, j, k, 1))
        assert ras[:3] == pytest.approx((-x, -y, z))
        assert node.GetImageData().GetScalarComponentAsDouble(i, j, k, 0) == volume.hu[k, j, i]
    assert node.GetImageData().GetSpacing() == (1, 1, 1)
    assert node.GetImageData().GetOrigin() == (0, 0, 0)
    assert np.array_equal(slicer.util.arrayFromVolume(node), volume.hu)


@needs_slicer
def test_the_node_has_its_own_voxels(scene: Any) -> None:
    import slicer.util

    volume = volume_on(turned(1))
    node = mrml.volume_node(volume, scene)
    back = mrml.volume_of(node)
    slicer.util.arrayFromVolume(node)[...] = 7
    assert volume.hu[0, 0, 0] == back.hu[0, 0, 0] == -1024
    float_volume = replace(volume, hu=volume.hu.astype(np.float32) + np.float32(0.25))
    same(float_volume, mrml.volume_of(mrml.volume_node(float_volume, scene)))


@needs_slicer
def test_a_node_says_hounsfield_units_and_shows_the_window(scene: Any) -> None:
    node = mrml.volume_node(volume_on(turned(1)), scene, window=hv.Window(-600, 1500))
    units, quantity = node.GetVoxelValueUnits(), node.GetVoxelValueQuantity()
    assert (units.GetCodeValue(), units.GetCodingSchemeDesignator()) == ("[hnsf'U]", "UCUM")
    assert (quantity.GetCodeValue(), quantity.GetCodingSchemeDesignator()) == ("112031", "DCM")
    display = node.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (1500, -600)
    assert not display.GetAutoWindowLevel()
    assert mrml.window_of(node) == hv.Window(-600, 1500)


@needs_slicer
@pytest.mark.parametrize("unit", ["stored", "unknown"])
def test_values_that_are_no_hounsfield_units_are_not_called_so(scene: Any, unit: str) -> None:
    volume = volume_on(turned(1), unit=unit)
    node = mrml.volume_node(volume, scene)
    assert node.GetVoxelValueUnits() is None
    assert mrml.volume_of(node).unit == unit


@needs_slicer
def test_marks_findings_and_attributes_come_back(scene: Any) -> None:
    volume = marked()
    node = mrml.volume_node(volume, scene, name="CT")
    same(volume, mrml.volume_of(node))
    marks = scene.GetFirstNodeByName("CT marks")
    names = {marks.GetSegmentation().GetSegment(n).GetName() for n in mrml.segment_ids(marks)}
    assert "Outside FOV" in names
    padding = mrml.segment_mask(marks, "PADDING", volume.geometry)
    assert np.array_equal(padding, (volume.valid & 1) > 0)


@needs_slicer
def test_no_folder_goes_into_a_scene(scene: Any, tmp_path: Path) -> None:
    mrml.volume_node(marked(), scene)
    scene.SetSaveToXMLString(1)
    scene.SetURL(str(tmp_path / "x.mrml"))
    scene.Commit()
    assert "a.dcm" in scene.GetSceneXMLString()
    assert "secret" not in scene.GetSceneXMLString()


@needs_slicer
@pytest.mark.parametrize("seed", range(4))
def test_a_scene_file_holds_all_that_the_node_held(
    scene: Any, tmp_path: Path, seed: int
) -> None:
    volume = marked(seed)
    mrml.volume_node(volume, scene, name="CT", window=hv.Window(300, 1500))
    path = mrml.write_scene(scene, tmp_path / "Thorax größer 1.mrb")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    again = mrml.read_scene(path)
    node = again.GetFirstNodeByName("CT")
    # Slicer's reader turns left-handed grids round; every voxel stays where it was.
    same(volume, mrml.volume_of(node).reorient(volume.geometry.orientation))
    assert mrml.window_of(node) == hv.Window(300, 1500)
    (row,) = mrml.rows_of(again.GetFirstNodeByName("CT findings"))
    assert row["code"] == "SLICE_LOST"
    assert row["message"] == "the tag says '5' mm and the positions 2.5 mm: größer"


@needs_slicer
def test_a_grid_that_is_not_orthogonal_is_refused(scene: Any) -> None:
    affine = turned(1)
    affine[:3, 0] += 0.2 * affine[:3, 1]
    sheared = volume_on(affine)
    with pytest.raises(hv.GeometryError, match="right angles"):
        mrml.volume_node(sheared, scene)
    node = mrml.volume_node(volume_on(turned(1)), scene)
    from hounsview.mrml.application import matrix_of

    node.SetIJKToRASMatrix(matrix_of(sheared.geometry.to_ras()))
    with pytest.raises(hv.GeometryError, match="right angles"):
        mrml.volume_of(node)


@needs_slicer
def test_transforms_above_a_node_are_applied_or_refused(scene: Any) -> None:
    import vtk

    from hounsview.mrml.application import matrix_of

    volume = volume_on(turned(1))
    node = mrml.volume_node(volume, scene)
    above = scene.AddNewNodeByClass("vtkMRMLTransformNode", "moved")
    shift = np.eye(4)
    shift[:3, 3] = (10, 20, 30)  # RAS
    above.SetMatrixTransformToParent(matrix_of(shift))
    node.SetAndObserveTransformNodeID(above.GetID())
    moved = mrml.geometry_of(node)
    assert moved.origin - volume.geometry.origin == pytest.approx([-10, -20, 30])
    bent = vtk.vtkThinPlateSplineTransform()
    above.SetAndObserveTransformToParent(bent)
    with pytest.raises(hv.GeometryError, match="bends it"):
        mrml.volume_of(node)


@needs_slicer
def test_a_node_without_voxels_or_with_several_numbers_in_each_is_refused(scene: Any) -> None:
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(hv.ArgumentError, match="empty holds no voxels"):
        mrml.volume_of(node)
    image = vtk.vtkImageData()
    image.SetDimensions(2, 2, 2)
    image.AllocateScalars(vtk.VTK_SHORT, 3)
    node.SetAndObserveImageData(image)
    with pytest.raises(hv.ArgumentError, match="3 numbers in each voxel"):
        mrml.volume_of(node)


@needs_slicer
@pytest.mark.parametrize(
    ("dtype", "largest", "kept"),
    [
        ("uint8", 255, "int16"),
        ("uint16", 32767, "int16"),
        ("uint16", 65535, "float32"),
        ("int32", 70_000, "float32"),
        ("float64", 0.5, "float32"),
    ],
)
def test_other_types_become_what_a_volume_holds(
    scene: Any, dtype: str, largest: float, kept: str
) -> None:
    from vtkmodules.util.numpy_support import numpy_to_vtk

    node = mrml.volume_node(volume_on(turned(1)), scene)
    values = np.zeros((4, 5, 6), dtype)
    values[1, 2, 3] = largest
    node.GetImageData().GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=1))
    back = mrml.volume_of(node)
    assert back.hu.dtype == kept
    assert np.array_equal(back.hu, values)


@needs_slicer
def test_integers_that_float32_cannot_hold_are_refused(scene: Any) -> None:
    from vtkmodules.util.numpy_support import numpy_to_vtk

    node = mrml.volume_node(volume_on(turned(1)), scene)
    values = np.full(4 * 5 * 6, 2**24 + 1, np.int32)
    node.GetImageData().GetPointData().SetScalars(numpy_to_vtk(values, deep=1))
    with pytest.raises(hv.ArgumentError, match="16777217"):
        mrml.volume_of(node)


@needs_slicer
def test_an_image_whose_indices_do_not_begin_at_0_lies_where_slicer_has_it(scene: Any) -> None:
    volume = volume_on(turned(1))
    node = mrml.volume_node(volume, scene)
    node.GetImageData().SetExtent(2, 7, -1, 3, 4, 7)
    moved = mrml.geometry_of(node)
    assert moved.origin == pytest.approx(volume.geometry.to_patient((4, -1, 2)))


@needs_slicer
def test_a_foreign_node_has_the_unit_that_it_or_the_caller_says(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "foreign")
    node.SetAndObserveImageData(mrml.volume_node(volume_on(turned(1)), scene).GetImageData())
    unknown = mrml.volume_of(node)
    assert unknown.unit == "unknown"
    assert unknown.report.has("UNIT_UNKNOWN")
    assert unknown.report.has("IMPORTED")
    told = mrml.volume_of(node, unit="HU")
    assert told.unit == "HU"
    assert told.report.has("UNIT_GIVEN")
    with pytest.raises(hv.ArgumentError, match="says that its values are 'HU'"):
        mrml.volume_of(mrml.volume_node(volume_on(turned(1)), scene), unit="labels")


@needs_slicer
def test_findings_that_somebody_broke_are_dropped_aloud(scene: Any) -> None:
    node = mrml.volume_node(marked(), scene)
    node.GetNodeReference("hounsview.findings").SetText('{"findings": 7}')
    back = mrml.volume_of(node)
    assert back.report.has("FINDINGS_DROPPED")
    assert back.unit == "HU"
