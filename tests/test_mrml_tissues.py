"""Tissues and surfaces as MRML nodes, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml, surfaces
from hounsview.anatomy import CODES, COLORS
from hounsview.masks import TISSUES, Tissues
from hounsview.mrml.codes import terminology
from mrml_kit import needs_slicer, turned, volume_on


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


@pytest.fixture(scope="module")
def thorax() -> hv.Volume:
    return hv.phantom("thorax", spacing=(6, 4, 4))


@pytest.fixture(scope="module")
def tissues(thorax: hv.Volume) -> Tissues:
    return hv.masks.segment(thorax)


def every_tissue(shape: tuple[int, int, int]) -> Tissues:
    """Masks of all tissues, apart from each other but for body and skin."""
    which = np.random.default_rng(4).integers(0, len(TISSUES) + 1, shape)
    masks = {name: which == n for n, name in enumerate(TISSUES)}
    masks["skin"] |= masks["bone"]
    masks["body"] = np.any([masks[name] for name in TISSUES if name != "skin"], axis=0)
    return Tissues(masks, {}, ())


def test_every_tissue_has_a_terminology_and_all_but_the_body_a_colour() -> None:
    assert {*COLORS, "body"} == set(TISSUES)
    for name in TISSUES:
        parts = terminology(name).split("~")
        assert len(parts) == 7
        assert all(len(parts[place].split("^")) == 3 for place in (1, 2, 3, 5, 6))


@pytest.mark.parametrize("name", ["bone", "skin", "fat", "soft_tissue", "airways"])
def test_codes_are_those_of_the_standard(name: str) -> None:
    from pydicom.sr.codedict import Collection, codes
    from pydicom.sr.coding import Code

    assert isinstance(codes.SCT, Collection)
    words = {"fat": "AdiposeTissue", "airways": "AirwayStructure", "soft_tissue": "SoftTissue"}
    assert getattr(codes.SCT, words.get(name, name.capitalize())) == Code(*CODES[name])


@needs_slicer
@pytest.mark.parametrize(
    ("name", "category", "kind", "side"),
    [
        ("left_lung", "Anatomical Structure", "Lung", "Left"),
        ("right_lung", "Anatomical Structure", "Lung", "Right"),
        ("fat", "Tissue", "Adipose tissue", None),
        ("bone", "Anatomical Structure", "Bone", None),
    ],
)
def test_slicer_reads_the_terminology(
    name: str, category: str, kind: str, side: str | None
) -> None:
    import slicer

    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    assert logic.DeserializeTerminologyEntry(terminology(name), entry)
    assert entry.GetCategoryObject().GetCodeMeaning() == category
    assert entry.GetTypeObject().GetCodeMeaning() == kind
    modifier = entry.GetTypeModifierObject()
    assert (modifier.GetCodeMeaning() or None if modifier else None) == side
    assert logic.SerializeTerminologyEntry(entry) == terminology(name)


@needs_slicer
@pytest.mark.parametrize("seed", range(4))
def test_segments_read_back_identical(scene: Any, seed: int) -> None:
    volume = volume_on(turned(seed), (7, 8, 9))
    made = every_tissue(volume.shape)
    node = mrml.volume_node(volume, scene)
    segmentation = mrml.tissue_segmentation(made, node, scene)
    back = mrml.tissues_of(segmentation, volume.geometry)
    assert set(back) == set(TISSUES)
    segments = [
        segmentation.GetSegmentation().GetSegment(key) for key in mrml.segment_ids(segmentation)
    ]
    maps = [one.GetRepresentation("Binary labelmap") for one in segments]
    assert len({each.GetAddressAsString("") for each in maps}) == 3
    owned = {one.GetLabelValue() for one in segments if one.GetName() not in ("Body", "Skin")}
    shared = maps[-1].GetPointData().GetScalars()
    assert {shared.GetValue(n) for n in range(shared.GetNumberOfValues())} == {0, *owned}
    for name, mask in made.masks.items():
        assert np.array_equal(back[name], mask), name


@needs_slicer
def test_segments_lie_in_slicer_where_the_mask_is(scene: Any) -> None:
    from hounsview.mrml.application import array_of_matrix, matrix_of

    volume = volume_on(turned(2), (7, 8, 9))
    mask = np.zeros(volume.shape, bool)
    mask[5, 3, 6] = True
    node = mrml.volume_node(volume, scene)
    one = Tissues({"metal": mask}, {"fat": "none is there"}, ("a note",))
    segmentation = mrml.tissue_segmentation(one, node, scene)
    segment = segmentation.GetSegmentation().GetSegment("metal")
    image = segment.GetRepresentation("Binary labelmap")
    extent, matrix = image.GetExtent(), matrix_of(np.eye(4))
    assert extent == (6, 6, 3, 3, 5, 5)
    image.GetImageToWorldMatrix(matrix)
    ras = array_of_matrix(matrix) @ [6, 3, 5, 1]
    x, y, z = volume.geometry.to_patient((5, 3, 6))
    assert ras[:3] == pytest.approx([-x, -y, z])
    assert segment.GetColor() == pytest.approx(COLORS["metal"])
    assert segmentation.GetDescription() == "fat: none is there\na note"


@needs_slicer
@pytest.mark.parametrize("seed", range(4))
def test_tissues_survive_a_scene_file(scene: Any, tmp_path: Path, seed: int) -> None:
    import vtk

    volume = volume_on(turned(seed), (7, 8, 9))
    made = every_tissue(volume.shape)
    node = mrml.volume_node(volume, scene)
    mrml.tissue_segmentation(made, node, scene, name="T")
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "t.mrb"))
    segmentation = again.GetFirstNodeByName("T")
    back = mrml.tissues_of(segmentation, volume.geometry)
    # Slicer turns left-handed volumes round as it reads them, and not their segments.
    read = mrml.volume_of(again.GetFirstNodeByName("CT"))
    turned_round = mrml.tissues_of(segmentation, read.geometry)
    for name, mask in made.masks.items():
        assert np.array_equal(back[name], mask), name
        assert set(volume.hu[mask]) == set(read.hu[turned_round[name]]), name
    said = vtk.reference("")
    bone = segmentation.GetSegmentation().GetSegment("bone")
    assert bone.GetTag("TerminologyEntry", said)
    assert str(said) == terminology("bone")
    assert bone.GetColor() == pytest.approx(COLORS["bone"], abs=1e-5)


@needs_slicer
def test_segments_on_another_grid_are_refused(scene: Any) -> None:
    volume = volume_on(turned(1), (7, 8, 9))
    node = mrml.volume_node(volume, scene)
    segmentation = mrml.tissue_segmentation(every_tissue(volume.shape), node, scene)
    other = volume_on(turned(2), (7, 8, 9)).geometry
    with pytest.raises(hv.GeometryError, match="another grid"):
        mrml.tissues_of(segmentation, other)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.01), -np.sin(0.01)], [np.sin(0.01), np.cos(0.01)]]
    middle = np.eye(4)
    middle[:3, 3] = volume.geometry.origin
    slanted = middle @ turn @ np.linalg.inv(middle) @ volume.geometry.affine
    with pytest.raises(hv.GeometryError, match="another grid"):
        mrml.tissues_of(segmentation, hv.Geometry(volume.shape, slanted))
    half = volume.geometry.with_spacing([n / 2 for n in volume.geometry.spacing])
    with pytest.raises(hv.GeometryError, match="another grid"):
        mrml.tissues_of(segmentation, half)
    with pytest.raises(hv.ArgumentError, match="no segment"):
        mrml.segment_mask(segmentation, "liver", volume.geometry)
    with pytest.raises(hv.ArgumentError, match="do not fit"):
        mrml.tissue_segmentation(every_tissue((2, 2, 2)), node, scene)


@needs_slicer
def test_a_segment_that_a_person_emptied_is_empty(scene: Any) -> None:
    import slicer

    volume = volume_on(turned(1), (7, 8, 9))
    node = mrml.volume_node(volume, scene)
    segmentation = mrml.tissue_segmentation(every_tissue(volume.shape), node, scene)
    empty = slicer.vtkSegment()
    empty.AddRepresentation("Binary labelmap", slicer.vtkOrientedImageData())
    segmentation.GetSegmentation().AddSegment(empty, "empty")
    assert not mrml.segment_mask(segmentation, "empty", volume.geometry).any()
    nothing = Tissues({"bone": np.zeros(volume.shape, bool)}, {}, ())
    made = mrml.tissue_segmentation(nothing, node, scene)
    assert not mrml.tissues_of(made, volume.geometry)["bone"].any()


@needs_slicer
def test_a_part_of_the_volume_gets_its_part_of_the_segments(scene: Any) -> None:
    volume = volume_on(turned(1), (7, 8, 9))
    made = every_tissue(volume.shape)
    segmentation = mrml.tissue_segmentation(made, mrml.volume_node(volume, scene), scene)
    part = volume.crop(k=(2, 5), i=(4, 9)).flip(1)
    for name, mask in mrml.tissues_of(segmentation, part.geometry).items():
        assert np.array_equal(mask, made.masks[name][2:5, ::-1, 4:9]), name


@needs_slicer
def test_the_numbers_of_tissues_are_those_of_the_library(
    scene: Any, thorax: hv.Volume, tissues: Tissues, tmp_path: Path
) -> None:
    mrml.tissue_table(thorax, tissues, scene, name="N")
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "n.mrb"))
    rows = {row["tissue"]: row for row in mrml.rows_of(again.GetFirstNodeByName("N"))}
    assert set(rows) == set(tissues.masks)
    for name, row in rows.items():
        numbers = hv.tissue_numbers(thorax, tissues.masks[name])
        assert float(row["volume (ml)"]) == pytest.approx(numbers.volume, rel=1e-5)
        assert float(row["mean (HU)"]) == pytest.approx(numbers.mean, rel=1e-5, abs=1e-3)


@needs_slicer
@pytest.mark.parametrize("orientation", ["SPL", "IPL", "LSA", "ASR"])
def test_surfaces_are_closed_outward_and_at_their_place(
    scene: Any, thorax: hv.Volume, orientation: str, tmp_path: Path
) -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    volume = thorax.reorient(orientation)
    bone = hv.masks.bone(volume)
    mesh = surfaces.from_mask(bone, volume.geometry, target=20_000, name="bone")
    mrml.model_node(mesh, scene, color=(0.9, 0.8, 0.7), opacity=0.5)
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "m.mrb"))
    node = again.GetFirstNodeByName("bone")
    back = mrml.mesh_of(node)
    assert back.is_watertight
    assert back.volume_ml == pytest.approx(mesh.volume_ml, rel=1e-4)
    assert back.points == pytest.approx(mesh.points, abs=1e-3)
    # In Slicer's own space too: inside out it would enclose less than nothing.
    corners = vtk_to_numpy(node.GetPolyData().GetPolys().GetConnectivityArray()).reshape(-1, 3)
    a, b, c = vtk_to_numpy(node.GetPolyData().GetPoints().GetData())[corners.T]
    enclosed = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6000
    assert enclosed == pytest.approx(mesh.volume_ml, rel=1e-2)
    ras = vtk_to_numpy(node.GetPolyData().GetPoints().GetData())
    assert ras == pytest.approx(mesh.points * [-1, -1, 1], abs=1e-3)
    assert node.GetDisplayNode().GetOpacity() == pytest.approx(0.5)


@needs_slicer
def test_a_model_that_is_no_triangles_is_refused(scene: Any) -> None:
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "square")
    with pytest.raises(hv.ArgumentError, match="not made of triangles"):
        mrml.mesh_of(node)
    plane = vtk.vtkPlaneSource()
    plane.Update()
    node.SetAndObservePolyData(plane.GetOutput())
    with pytest.raises(hv.ArgumentError, match="not made of triangles"):
        mrml.mesh_of(node)
