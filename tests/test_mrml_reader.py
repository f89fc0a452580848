"""Our nodes against Slicer's own reader (ITK and GDCM), and what its reader gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.profiles import profile
from mrml_kit import needs_slicer, turned, volume_on
from real_data import FOLDER, needs_data, truth

pytestmark = needs_slicer


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


def read_by_slicer(files: Sequence[Path], scene: Any) -> Any:
    """A volume node as Slicer's own DICOM reader makes it, slices ordered along the normal."""
    import pydicom

    def height(file: Path) -> float:
        tags = pydicom.dcmread(file, stop_before_pixels=True)
        across = np.cross(tags.ImageOrientationPatient[:3], tags.ImageOrientationPatient[3:])
        return float(across @ np.asarray(tags.ImagePositionPatient, float))

    ordered = sorted(files, key=height)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "read by Slicer")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.ResetFileNameList()
    for file in ordered:
        storage.AddFileName(str(file))
    storage.SetFileName(str(ordered[0]))
    storage.SetSingleFile(False)
    assert storage.ReadData(node)
    return node


def same_places(ours: hv.Volume, theirs: hv.Volume, tolerance: float = 1e-4) -> None:
    there = theirs.reorient(ours.geometry.orientation)
    assert there.geometry.is_close(ours.geometry, tolerance=tolerance)
    assert np.array_equal(there.hu, ours.hu)


@pytest.mark.parametrize("orientation", ["SPL", "IPR", "ASL", "LSP", "PIL", "RAS"])
def test_slicer_reads_the_same_voxels_at_the_same_places(
    scene: Any, tmp_path: Path, orientation: str
) -> None:
    volume = volume_on(np.diag([2.5, 0.7, 0.6, 1.0])[[2, 1, 0, 3]], (6, 7, 8))
    files = hv.write_dicom(volume.reorient(orientation), tmp_path / "s")
    loaded = hv.load(tmp_path / "s")
    theirs = mrml.volume_of(read_by_slicer(files, scene), unit="HU")
    same_places(loaded, theirs)
    node = mrml.volume_node(loaded, scene)
    same_places(mrml.volume_of(node), theirs)


@pytest.mark.parametrize("seed", range(3))
def test_slicer_reads_an_oblique_series_alike(scene: Any, tmp_path: Path, seed: int) -> None:
    affine = turned(seed)
    affine[:3, 2] *= 0.7 / 0.6
    files = hv.write_dicom(volume_on(affine, (6, 7, 8)), tmp_path / "s")
    theirs = mrml.volume_of(read_by_slicer(files, scene), unit="HU")
    same_places(hv.load(tmp_path / "s"), theirs, tolerance=1e-3)


@pytest.mark.parametrize("trap", ["padding-with-tag", "padding-without-tag"])
def test_padding_that_slicer_leaves_is_found_and_repaired(
    scene: Any, tmp_path: Path, trap: str
) -> None:
    hv.write_traps(tmp_path / "traps", [trap])
    ours = hv.load(tmp_path / "traps" / trap)
    theirs = read_by_slicer(sorted((tmp_path / "traps" / trap).iterdir()), scene)
    report = mrml.audit(theirs)
    assert report.has("PADDING_WITHOUT_TAG")
    assert "-2000" in str(report)
    before = mrml.volume_of(theirs, unit="HU")
    assert before.hu.min() == -2000
    made = mrml.repaired(theirs, scene, unit="HU")
    after = mrml.volume_of(made)
    turned_as_ours = after.reorient(ours.geometry.orientation)
    assert np.array_equal(turned_as_ours.hu, ours.hu)
    assert np.array_equal(turned_as_ours.valid & 1, ours.valid & 1)
    assert not mrml.audit(made).findings
    assert after.report.has("PADDING_WITHOUT_TAG")
    assert "This copy has -1024 HU there" in str(after.report)
    assert mrml.volume_of(theirs, unit="HU").hu.min() == -2000
    assert made.GetName() == "read by Slicer repaired"
    assert mrml.volume_node(ours, scene) is not None
    assert not mrml.audit(mrml.volume_node(ours, scene)).findings


def test_a_missing_slice_stretches_slicers_volume_and_not_ours(
    scene: Any, tmp_path: Path
) -> None:
    hv.write_traps(tmp_path / "traps", ["one-slice-missing"])
    folder = tmp_path / "traps" / "one-slice-missing"
    ours = hv.load(folder)
    theirs = mrml.volume_of(read_by_slicer(sorted(folder.iterdir()), scene), unit="HU")
    true = hv.traps.known_hu(ours.geometry.to_patient((10, 5, 5)))
    assert len(theirs.hu) == len(ours.hu) - 1
    assert ours.hu[10, 5, 5] == pytest.approx(float(true), abs=1)
    assert not theirs.reorient("SPL").geometry.is_close(ours.reorient("SPL").geometry)
    node = mrml.volume_node(ours, scene, name="ours")
    filled = mrml.segment_mask(scene.GetFirstNodeByName("ours marks"), "FILLED", ours.geometry)
    assert np.flatnonzero(filled.all(axis=(1, 2))).tolist() == [7]
    assert mrml.geometry_of(node).is_close(ours.geometry)


def test_a_repaired_copy_lies_under_the_transform_of_the_node(scene: Any) -> None:
    import slicer.util

    from hounsview.mrml.application import matrix_of

    node = mrml.volume_node(hv.phantom("hu-rods", spacing=(8, 4, 4)), scene)
    slicer.util.arrayFromVolume(node)[:, :6] = -3024
    above = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = (10, 20, 30)
    above.SetMatrixTransformToParent(matrix_of(shift))
    node.SetAndObserveTransformNodeID(above.GetID())
    made = mrml.repaired(node, scene)
    assert made.GetTransformNodeID() == node.GetTransformNodeID()
    assert mrml.geometry_of(made).is_close(mrml.geometry_of(node))
    marks = made.GetNodeReference("hounsview.marks")
    assert marks.GetTransformNodeID() == above.GetID()
    after = mrml.volume_of(made)
    assert after.valid is not None
    assert np.array_equal(after.valid > 0, mrml.volume_of(node).hu == -3024)


def test_a_clean_copy_is_the_same(scene: Any) -> None:
    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    made = mrml.repaired(mrml.volume_node(volume, scene), scene, name="copy")
    assert made.GetName() == "copy"
    assert np.array_equal(mrml.volume_of(made).hu, volume.hu)
    assert made.GetNodeReference("hounsview.marks") is None


def test_padding_whose_sign_was_lost_is_found_and_repaired(scene: Any) -> None:
    from vtkmodules.util.numpy_support import numpy_to_vtk

    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    values = volume.hu.astype(np.int32)
    values[:, :6] = 62512
    node = mrml.volume_node(volume, scene, window=hv.Window(0, 2000))
    node.GetImageData().GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=1))
    assert [f.code for f in mrml.audit(node).findings] == ["PADDING_WITHOUT_TAG"]
    made = mrml.repaired(node, scene)
    after = mrml.volume_of(made)
    assert after.hu.dtype == np.int16
    assert (after.hu[:, :6] == -1024).all()
    assert np.array_equal(after.hu[:, 6:], volume.hu[:, 6:])
    assert after.valid is not None
    assert np.array_equal(after.valid > 0, values == 62512)
    assert mrml.window_of(made) == hv.Window(0, 2000)


def test_values_that_cannot_be_hounsfield_units_are_told(scene: Any) -> None:
    import slicer.util
    from vtkmodules.util.numpy_support import numpy_to_vtk

    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    node = mrml.volume_node(volume, scene)
    assert mrml.audit(node).status == "ok"
    assert not mrml.audit(node).findings
    slicer.util.arrayFromVolume(node)[...] += 1024
    assert mrml.audit(node).has("OFFSET_DATA")
    values = volume.hu.astype(np.float32)
    values[3, 4, 5] = np.nan
    values[3, 30, 30] = 70_000
    node.GetImageData().GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=1))
    report = mrml.audit(node)
    assert {f.code for f in report.findings} == {"NOT_FINITE", "OFFSET_DATA"}
    after = mrml.volume_of(mrml.repaired(node, scene))
    assert after.hu[3, 4, 5] == -1024
    assert after.valid is not None
    assert after.valid[3, 4, 5] == hv.Validity.PADDING


def test_other_units_and_bent_grids_are_told(scene: Any) -> None:
    from hounsview.mrml.application import matrix_of

    node = mrml.volume_node(volume_on(turned(1)), scene)
    units = node.GetVoxelValueUnits()
    units.SetValueSchemeMeaning("mm2/s", "UCUM", "square millimetre per second")
    node.SetVoxelValueUnits(units)
    assert [f.code for f in mrml.audit(node).findings] == ["NOT_HU"]
    with pytest.raises(hv.NotHounsfieldError, match="mm2/s"):
        mrml.repaired(node, scene)
    node.SetVoxelValueUnits(None)
    with pytest.raises(hv.NotHounsfieldError, match="unit='HU'"):
        mrml.repaired(node, scene)
    sheared = turned(1)
    sheared[:3, 0] += 0.2 * sheared[:3, 1]
    node.SetIJKToRASMatrix(matrix_of(hv.Geometry((4, 5, 6), sheared).to_ras()))
    codes = {finding.code for finding in mrml.audit(node).findings}
    assert {"GEOMETRY_INVALID", "UNIT_UNKNOWN"} <= codes


@needs_data
@pytest.mark.parametrize("name", ["thorax-ge-vct", "head-philips-phantom", "oblique-tiny"])
def test_a_real_series_is_a_node_with_the_true_hu_at_the_true_places(
    scene: Any, name: str
) -> None:
    facts = truth()["series"][name]
    volume = hv.load(FOLDER / name)
    node = mrml.volume_node(volume, scene)
    from hounsview.mrml.application import array_of_matrix, matrix_of

    matrix = matrix_of(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    lps = np.diag([-1, -1, 1, 1]) @ array_of_matrix(matrix)
    assert lps == pytest.approx(np.reshape(facts["ijk_to_lps"], (4, 4)), abs=1e-4)
    for point in facts["points"]:
        i, j, k, _ = np.rint(np.linalg.inv(lps) @ [*point["lps_mm"], 1]).astype(int)
        value = node.GetImageData().GetScalarComponentAsDouble(int(i), int(j), int(k), 0)
        assert value == pytest.approx(point["hu"], abs=1e-3)
    if facts["padding_voxels"]:
        marks = node.GetNodeReference("hounsview.marks")
        padding = mrml.segment_mask(marks, "PADDING", volume.geometry)
        assert np.count_nonzero(padding) == facts["padding_voxels"]


@needs_data
def test_a_tilted_series_is_an_orthogonal_node(scene: Any) -> None:
    volume = hv.load(FOLDER / "tilt-ge-varspacing")
    node = mrml.volume_node(volume, scene)
    back = mrml.volume_of(node)
    assert np.array_equal(back.hu, volume.hu)
    assert back.geometry.is_orthogonal
    assert back.report.has("GANTRY_TILT")
    assert not mrml.audit(node).has("PADDING_WITHOUT_TAG")
    # Interpolated between the true voxels: the HU there are theirs but for a few.
    for point in truth()["series"]["tilt-ge-varspacing"]["points"]:
        (hu,) = profile(back, point["lps_mm"], point["lps_mm"]).values
        assert hu == pytest.approx(point["hu"], abs=3), point["kind"]


@needs_data
def test_a_real_thorax_that_slicer_read_is_repaired_to_ours(scene: Any) -> None:
    folder = FOLDER / "thorax-ge-vct"
    ours = hv.load(folder)
    theirs = read_by_slicer(sorted(folder.glob("*.dcm")), scene)
    assert theirs.GetImageData().GetScalarRange()[0] == -3024
    report = mrml.audit(theirs)
    assert "-3024" in next(str(f) for f in report.findings if f.code == "PADDING_WITHOUT_TAG")
    made = mrml.volume_of(mrml.repaired(theirs, scene, unit="HU"))
    same_places(ours, made, tolerance=1e-3)
    assert ours.valid is not None
    assert made.valid is not None
    padding = made.reorient(ours.geometry.orientation).valid
    assert padding is not None
    assert np.array_equal(padding & 1, ours.valid & 1)
