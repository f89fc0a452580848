"""Surfaces in 3D pictures: of tissues, where it is known where they are."""

from __future__ import annotations

import numpy as np
import pytest

import hounsview as hv
from hounsview.masks import LABELS
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import TISSUES, Surface
from hounsview.viewtissues import mask_of, mesh_of
from hounsview_vizapp.pictures import pane_of
from hounsview_vizapp.rendering import volume_pane
from hounsview_vizapp.rendering.body import Body
from hounsview_vizapp.rendering.pyramid import COARSE_VOXELS, Pyramid
from hounsview_vizapp.rendering.stage import FINE_VOXELS
from hounsview_vizapp.rendering.surfaces import Surfaces
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tissuework import tissues_for
from scene_kit import BARE, SIZE, needs_opengl

ALL = ("body", "bone", "left_lung")
SHEARED = np.array([[1.5, 0, 0, 7], [0, 1.5, 0.4, 8], [0, 0, 1.6, 9], [0, 0, 0, 1]])


def parts() -> tuple[np.ndarray, np.ndarray]:
    """HU and labels: in a body that lies on a table, a bone and what is as dense, a lung and
    what is as empty. Levels of bone and lung lie midway between them and the body."""
    hu = np.full((40, 60, 80), -1000, np.int16)
    labels = np.zeros(hu.shape, np.uint8)
    body = np.s_[3:37, 6:48, 5:75]
    hu[body], labels[body] = 40, LABELS["body"]
    hu[3:37, 48:54, :] = 40  # the table, which the body touches
    for columns, name in ((np.s_[12:20], "bone"), (np.s_[24:32], "contrast")):
        hu[10:30, 20:34, columns], labels[10:30, 20:34, columns] = 460, LABELS[name]
    hu[10:30, 16:40, 40:54], labels[10:30, 16:40, 40:54] = -1024, LABELS["left_lung"]
    hu[16:20, 26:30, 44:48] = 60  # a vessel of the lung
    hu[10:30, 16:40, 60:70] = -850  # bowel
    return hu, labels


def made(
    name: str, geometry: hv.Geometry, letters: str = "", voxels: int = FINE_VOXELS
) -> tuple[np.ndarray, float, float]:
    """Points (LPS mm), volume in mm3 and that of the mask, of a surface of `parts`."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersCore import vtkMassProperties
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

    hu, labels = parts()
    volume, kept = hv.Volume(hu, geometry), hv.Volume(labels.astype(np.int16), geometry)
    if letters:
        volume, kept = volume.reorient(letters), kept.reorient(letters)
    pyramid = Pyramid(volume)
    surfaces = Surfaces(pyramid, Body(pyramid.coarse), None)
    surfaces.tissues = TissueMap(kept.hu.astype(np.uint8), frozenset((*ALL, "contrast")))
    (key,) = surfaces.needed(hv.ViewState(surfaces=[Surface(name)]), voxels)
    actor = surfaces.make(key, voxels).actor
    mesh, place = actor.GetMapper().GetInput(), actor.GetUserMatrix()
    transform = vtkTransform()
    transform.SetMatrix(place)
    placed = vtkTransformPolyDataFilter()
    placed.SetTransform(transform)
    placed.SetInputData(mesh)
    placed.Update()
    mass = vtkMassProperties()
    mass.SetInputData(placed.GetOutput())
    mask = surfaces.tissues.mask_of(name) > 0
    voxel = abs(np.linalg.det(geometry.affine[:3, :3]))
    points = vtk_to_numpy(placed.GetOutput().GetPoints().GetData())
    return points, mass.GetVolume(), np.count_nonzero(mask) * voxel


BOXES = {
    "bone": ((10, 20, 12), (29, 33, 19)),
    "lung": ((10, 16, 40), (29, 39, 53)),
    "skin": ((3, 6, 5), (36, 47, 74)),
}
UPRIGHT = hv.Geometry.from_parts((40, 60, 80), spacing=(2.0, 1.5, 1.2), origin=(7, 8, 9))


@pytest.mark.parametrize("letters", ["", "LAI", "IPR", "SRA"])
@pytest.mark.parametrize("name", TISSUES)
def test_a_surface_encloses_its_tissue_and_nothing_else(name: str, letters: str) -> None:
    points, volume, wanted = made(name, UPRIGHT, letters)
    assert volume == pytest.approx(wanted, rel=0.06)
    corners = UPRIGHT.to_patient(np.add(BOXES[name], ((-0.5,), (0.5,))))
    found = np.stack([points.min(axis=0), points.max(axis=0)])
    expected = np.stack([corners.min(axis=0), corners.max(axis=0)])
    assert np.abs(found - expected).max() < 1.3


@pytest.mark.parametrize("name", TISSUES)
def test_a_surface_of_a_sheared_or_reduced_grid_is_that_of_its_tissue(name: str) -> None:
    sheared = hv.Geometry((40, 60, 80), SHEARED)
    points, volume, wanted = made(name, sheared)
    assert volume == pytest.approx(wanted, rel=0.12)
    middle = sheared.to_patient(np.mean(BOXES[name], axis=0))
    assert (points.min(axis=0) + points.max(axis=0)) / 2 == pytest.approx(middle, abs=1.5)
    _, volume, wanted = made(name, UPRIGHT, voxels=30_000)
    assert volume == pytest.approx(wanted, rel=0.25)


def test_until_a_tissue_is_found_its_name_says_which_level_is_shown() -> None:
    hu, labels = parts()
    pyramid = Pyramid(hv.Volume(hu, UPRIGHT))
    surfaces = Surfaces(pyramid, Body(pyramid.coarse), None)
    shown = [Surface("bone"), Surface("lung", shown=False), Surface("rods", 900.0)]
    state = hv.ViewState(surfaces=[*shown, Surface("skin", -200.0)])
    assert surfaces.names(state) == ["bone (250 HU)", "rods", "skin (-200 HU)"]
    surfaces.tissues = TissueMap(labels, frozenset(ALL))
    assert surfaces.names(state) == ["bone", "rods", "skin (-200 HU)"]


@needs_opengl
def test_what_was_not_found_is_not_drawn_and_its_name_says_so() -> None:
    hu, labels = parts()
    volume = hv.Volume(hu, UPRIGHT)
    where = TissueMap(labels, frozenset(("body", "bone")))
    nothing = BARE.changed(show_volume=False)
    state = nothing.changed(surfaces=[Surface("lung")])
    lung = volume_pane(volume, state, SIZE, tissues=where)
    assert np.array_equal(lung, volume_pane(volume, nothing, SIZE))
    pyramid = Pyramid(volume)
    surfaces = Surfaces(pyramid, Body(pyramid.coarse), None)
    surfaces.tissues = where
    assert surfaces.needed(state, COARSE_VOXELS) == []
    assert surfaces.names(state) == ["no lung found"]


@needs_opengl
def test_pictures_look_for_the_tissues_that_they_show() -> None:
    volume = hv.phantom("thorax", spacing=(6, 3, 3), noise=8)
    state = BARE.changed(show_volume=False, layout="3d", surfaces=[Surface("lung")])
    where = tissues_for(volume, state)
    assert where is not None
    assert {"left_lung", "right_lung", "airways"} <= where.names
    picture = pane_of(volume, state, "3d", SIZE, tissues=where)
    by_level = pane_of(volume, state, "3d", SIZE)
    # The trachea is of the level, and not of the lung.
    lost = (by_level != picture).any(axis=-1)
    assert lost[: SIZE[0] // 2, SIZE[1] * 2 // 5 : SIZE[1] * 3 // 5].sum() > 30
    assert tissues_for(volume, state.changed(layout="axial")) is None
    assert tissues_for(volume, state.changed(surfaces=[Surface("lung", -400.0)])) is None


def test_a_mesh_is_the_same_from_the_tissues_of_the_view() -> None:
    volume = hv.phantom("thorax", spacing=(6, 3, 3), noise=8)
    found = hv.masks.segment(volume)
    where = TissueMap.of(found, volume.shape)
    for name in TISSUES:
        assert np.array_equal(where.mask_of(name) > 0, mask_of(found, name)), name
        with_map = mesh_of(volume, Surface(name), tissues=where)
        assert np.array_equal(with_map.points, mesh_of(volume, Surface(name)).points)
    nothing = TissueMap(np.zeros(volume.shape, np.uint8), frozenset())
    head = hv.phantom("head", spacing=(6, 4, 4))
    with pytest.raises(hv.TissueNotFoundError, match="no lungs"):
        mesh_of(head, Surface("lung"), tissues=nothing)


def test_a_search_that_was_stopped_is_begun_again_for_another_tissue_alone() -> None:
    viewer = Viewer(hv.Volume(parts()[0], UPRIGHT))
    assert not viewer.needs_tissues
    viewer.key("Shift+B")
    assert viewer.needs_tissues
    viewer.show_tissues(None)
    assert not viewer.needs_tissues
    viewer.state.show_planes = True
    assert not viewer.needs_tissues
    viewer.key("Shift+B")
    assert not viewer.needs_tissues
    viewer.key("Shift+B")
    assert viewer.needs_tissues
    viewer.show_tissues(viewer.find_tissues())
    assert not viewer.needs_tissues
    assert viewer.tissue_map is not None
    viewer.close()
