"""Surfaces: where they lie, what they enclose, how files hold them, whether they print."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import pyvista

import hounsview as hv
from hounsview import surfaces
from hounsview.surfaces import extraction
from test_geometry import ALL_48

SPACINGS = [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (2.5, 0.7, 0.9)]
CENTRE = np.array([13.0, -37.0, 71.0])


def grid_around(
    half: float, spacing: tuple[float, float, float], matrix: np.ndarray | None = None
) -> tuple[hv.Geometry, np.ndarray]:
    """A grid about CENTRE, and (k, j, i, 3) how far each voxel lies from it, LPS mm."""
    shape = [2 * int(np.ceil(half / mm)) + 6 for mm in spacing]
    geometry = hv.Geometry.from_parts(shape, spacing=spacing)
    affine = geometry.affine.copy()
    if matrix is not None:
        affine[:3, :3] = matrix @ affine[:3, :3]
    index = (np.asarray(shape) - 1) / 2
    # Not on the voxels' centres: an unlucky symmetry is no proof.
    affine[:3, 3] = CENTRE - affine[:3, :3] @ index + np.array([0.21, 0.13, 0.34])
    geometry = hv.Geometry(tuple(shape), affine)
    where = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return geometry, geometry.to_patient(where) - CENTRE


def ball(away: np.ndarray, radius: float) -> np.ndarray:
    return np.linalg.norm(away, axis=-1) < radius


def torus(away: np.ndarray, ring: float, tube: float) -> np.ndarray:
    across = np.hypot(away[..., 0], away[..., 1]) - ring
    return np.hypot(across, away[..., 2]) < tube


def outward(mesh: surfaces.Mesh, centre: np.ndarray) -> float:
    """Share of the area whose normals point away from a centre."""
    corners = mesh.points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = corners.mean(axis=1) - centre
    areas = np.linalg.norm(normals, axis=1)
    return float(areas[np.einsum("ij,ij->i", normals, away) > 0].sum() / areas.sum())


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("target", [None, 4000, 800])
def test_a_sphere_has_the_volume_of_its_mask_and_the_area_of_a_sphere(spacing, target):
    geometry, away = grid_around(22, spacing)
    mask = ball(away, 20)
    mesh = surfaces.from_mask(mask, geometry, target=target)
    assert mesh.is_watertight
    assert mesh.volume_ml == pytest.approx(mask.sum() * np.prod(spacing) / 1000, rel=2e-3)
    assert mesh.volume_ml == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)
    assert mesh.area_cm2 == pytest.approx(4 * np.pi * 4, rel=0.05)
    assert np.allclose((mesh.box[0] + mesh.box[1]) / 2, CENTRE, atol=0.7)
    assert outward(mesh, CENTRE) > 0.999
    assert len(mesh.islands_ml) == 1
    if target:
        assert len(mesh.triangles) <= 1.1 * target


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_torus_and_a_cube_keep_their_volume(spacing):
    geometry, away = grid_around(24, spacing)
    for mask, area in (
        (torus(away, 15, 6), 4 * np.pi**2 * 15 * 6 / 100),
        ((np.abs(away) < 14).all(axis=-1), 6 * 28**2 / 100),
    ):
        mesh = surfaces.from_mask(mask, geometry, target=None)
        assert mesh.is_watertight
        assert mesh.volume_ml == pytest.approx(mask.sum() * np.prod(spacing) / 1000, rel=3e-3)
        assert mesh.area_cm2 == pytest.approx(area, rel=0.08)


def test_without_smoothing_the_steps_stay_and_the_area_is_larger():
    geometry, away = grid_around(22, (1, 1, 1))
    mask = ball(away, 20)
    stepped = surfaces.from_mask(mask, geometry, target=None, smooth=False)
    smooth = surfaces.from_mask(mask, geometry, target=None)
    assert stepped.is_watertight
    assert stepped.area_cm2 > 1.04 * smooth.area_cm2


def test_volume_and_area_agree_with_vtk():
    geometry, away = grid_around(22, (1.5, 1, 1))
    mesh = surfaces.from_mask(torus(away, 14, 5), geometry, target=3000)
    wrapped = pyvista.wrap(mesh.to_vtk())
    assert mesh.volume_ml == pytest.approx(wrapped.volume / 1000, rel=1e-6)
    assert mesh.area_cm2 == pytest.approx(wrapped.area / 100, rel=1e-6)
    assert wrapped.is_manifold == mesh.is_watertight
    again = surfaces.Mesh.from_vtk(mesh.to_vtk())
    assert np.array_equal(again.triangles, mesh.triangles)
    assert np.allclose(again.points, mesh.points)


@pytest.mark.parametrize("letters", ALL_48[::5])
def test_a_surface_does_not_depend_on_how_the_array_was_stored(letters):
    geometry, away = grid_around(16, (2, 1, 1.4))
    mask = ball(away, 9) | ball(away - (8, 3, -2), 6)
    hu = np.where(mask, 300, -1000).astype(np.int16)
    straight = hv.Volume(hu, geometry)
    turned = straight.reorient(letters)
    one = surfaces.from_mask(straight.hu > 0, straight.geometry, target=None)
    other = surfaces.from_mask(turned.hu > 0, turned.geometry, target=None)
    assert outward(other, np.add(CENTRE, (3, 1, -1))) > 0.97
    assert other.volume_ml == pytest.approx(one.volume_ml, rel=1e-4)
    assert np.allclose(other.box, one.box, atol=0.02)


def test_an_oblique_and_a_sheared_grid_give_the_same_ball():
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    shear = np.array([[1, 0, 0], [0, 1, 0.35], [0, 0, 1]])
    for matrix in (turn, shear, -np.eye(3)):
        geometry, away = grid_around(30, (1.2, 1, 1), matrix)
        mask = ball(away, 15)
        mesh = surfaces.from_mask(mask, geometry, target=None)
        assert mesh.is_watertight
        assert mesh.volume_ml == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.02)
        assert outward(mesh, CENTRE) > 0.999
        assert np.allclose(mesh.size, 30, atol=1)


def test_what_meets_the_edge_of_the_grid_is_closed_there():
    geometry = hv.Geometry.from_parts((10, 12, 14), spacing=(1, 1, 1))
    mesh = surfaces.from_mask(np.ones(geometry.shape, bool), geometry, target=None)
    assert mesh.is_watertight
    assert mesh.volume_ml == pytest.approx(10 * 12 * 14 / 1000, rel=0.03)


def test_a_level_lies_where_the_values_cross_it():
    geometry, away = grid_around(22, (1.5, 1, 1))
    radius = np.linalg.norm(away, axis=-1)
    volume = hv.Volume((1000 - 50 * radius).astype(np.float32), geometry)
    for hu, wanted in ((500.0, 10.0), (250.0, 15.0)):
        mesh = surfaces.from_level(volume, hu, target=None)
        far = np.linalg.norm(mesh.points - CENTRE, axis=1)
        assert np.abs(far - wanted).max() < 0.1
        assert mesh.is_watertight
    half = surfaces.from_level(volume, 250, mask=away[..., 0] > 0, target=None)
    assert half.volume_ml == pytest.approx(2 / 3 * np.pi * 1.5**3, rel=0.06)
    with pytest.raises(hv.ArgumentError, match="nothing here is 5000 HU or more"):
        surfaces.from_level(volume, 5000)


def test_padding_is_outside_of_a_level():
    geometry, away = grid_around(12, (1, 1, 1))
    hu = np.full(geometry.shape, 500, np.int16)
    valid = np.where(ball(away, 10), 0, 1).astype(np.uint8)
    mesh = surfaces.from_level(hv.Volume(hu, geometry, valid), 200, target=None)
    # Between a voxel at 500 HU and one outside at -1024 the level lies 0.2 of the way.
    assert mesh.volume_ml == pytest.approx(4 / 3 * np.pi, rel=0.12)


def test_islands_and_cavities_below_a_volume_are_dropped():
    geometry, away = grid_around(30, (1, 1, 1))
    mask = ball(away, 12) & ~ball(away, 4)
    mask |= ball(away - (22, 0, 0), 3)
    mesh = surfaces.from_mask(mask, geometry, target=None)
    assert sorted(mesh.islands_ml) == pytest.approx(
        [-4 / 3 * np.pi * 0.064, 4 / 3 * np.pi * 0.027, 4 / 3 * np.pi * 1.728], rel=0.25
    )
    assert len(surfaces.from_mask(mask, geometry, target=None, least_ml=0.2).islands_ml) == 2
    only = surfaces.from_mask(mask, geometry, target=None, least_ml=0.5)
    assert len(only.islands_ml) == 1
    assert only.is_watertight


def test_decimation_without_the_fast_library(monkeypatch):
    geometry, away = grid_around(22, (1, 1, 1))
    monkeypatch.setitem(__import__("sys").modules, "fast_simplification", None)
    mesh = surfaces.from_mask(ball(away, 20), geometry, target=1500)
    assert len(mesh.triangles) <= 1650
    assert mesh.is_watertight
    assert mesh.volume_ml == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)


def test_a_torn_decimation_is_not_taken(monkeypatch):
    geometry, away = grid_around(22, (1, 1, 1))

    def torn(mesh: surfaces.Mesh, share: float) -> surfaces.Mesh:
        return mesh.part(np.arange(len(mesh.triangles)) % 3 > 0)

    monkeypatch.setattr(extraction, "_decimated", torn)
    assert surfaces.from_mask(ball(away, 20), geometry, target=1000).is_watertight


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.zeros((4, 5, 6), bool)}, "empty"),
        ({"mask": np.ones((4, 5), bool)}, "does not lie on a grid"),
        ({"target": 10}, "at least 100 triangles"),
    ],
)
def test_what_has_no_surface_is_refused(change, message):
    geometry = hv.Geometry.from_parts((4, 5, 6), spacing=(1, 1, 1))
    given = {"mask": np.ones((4, 5, 6), bool), "target": None} | change
    with pytest.raises(hv.ArgumentError, match=message):
        surfaces.from_mask(given["mask"], geometry, target=given["target"])


def test_a_mesh_checks_its_triangles():
    with pytest.raises(hv.ArgumentError, match="outside"):
        surfaces.Mesh(np.zeros((3, 3)), np.array([[0, 1, 3]]))
    with pytest.raises(hv.ArgumentError, match="points"):
        surfaces.Mesh(np.zeros((3, 2)), np.array([[0, 1, 2]]))
    empty = surfaces.Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    assert not empty.is_watertight
    assert empty.volume_ml == 0


def test_an_open_and_a_turned_triangle_are_not_watertight():
    geometry, away = grid_around(8, (1, 1, 1))
    mesh = surfaces.from_mask(ball(away, 6), geometry, target=None)
    assert not mesh.part(np.arange(len(mesh.triangles)) > 0).is_watertight
    turned = np.array(mesh.triangles)
    turned[0] = turned[0, ::-1]
    assert not surfaces.Mesh(mesh.points, turned).is_watertight


# Files.


@pytest.fixture
def mesh():
    geometry, away = grid_around(14, (1, 1, 1))
    shape = ball(away, 9) | ball(away - (7, 2, 4), 5)
    return surfaces.from_mask(shape, geometry, target=2000, name="ball é\n")


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_files_hold_the_mesh_in_mm(tmp_path: Path, mesh, suffix, space):
    path = surfaces.write_mesh(mesh, tmp_path / f"a{suffix}", space=space)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    read = pyvista.read(path)
    assert f"SPACE={space}".encode() in path.read_bytes()[:400]
    signs = np.array([1, 1, 1]) if space == "LPS" else np.array([-1, -1, 1])
    assert np.allclose(np.sort(read.points * signs, axis=0)[[0, -1]], mesh.box, atol=1e-3)
    assert read.n_cells == len(mesh.triangles)
    corners = read.points[read.regular_faces].astype(float)
    signed = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    assert signed.sum() / 6000 == pytest.approx(mesh.volume_ml, rel=1e-4)


def test_glb_is_in_metres_with_y_up_and_the_front_towards_z(tmp_path: Path, mesh):
    path = surfaces.write_mesh(mesh, tmp_path / "a.glb", color=(1, 0.5, 0))
    content = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    size, kind = struct.unpack_from("<I4s", content, 12)
    scene = json.loads(content[20 : 20 + size])
    assert kind == b"JSON"
    assert size % 4 == 0
    accessor = scene["accessors"][0]
    low, high = mesh.box
    assert accessor["min"] == pytest.approx([low[0] / 1e3, low[2] / 1e3, -high[1] / 1e3])
    assert accessor["max"] == pytest.approx([high[0] / 1e3, high[2] / 1e3, -low[1] / 1e3])
    (block,) = [b for b in pyvista.read(path).recursive_iterator() if b is not None]
    assert block.n_cells == len(mesh.triangles)
    assert block.extract_surface(algorithm=None).volume * 1e6 == pytest.approx(
        mesh.volume_ml, rel=1e-3
    )
    red, green, blue, _ = scene["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"]
    assert (red, blue) == (1, 0)
    assert green == pytest.approx(0.2140, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [("a.vtk", {}, r"\.stl"), ("a.stl", {"space": "XYZ"}, "LPS, RAS")],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, mesh, name, options, message):
    with pytest.raises(hv.ArgumentError, match=message):
        surfaces.write_mesh(mesh, tmp_path / name, **options)
    empty = mesh.part(np.zeros(len(mesh.triangles), bool))
    with pytest.raises(hv.ArgumentError, match="empty"):
        surfaces.write_mesh(empty, tmp_path / "a.stl")
    with pytest.raises(hv.WriteError):
        surfaces.write_mesh(mesh, tmp_path / "no" / "a.stl")
    assert list(tmp_path.iterdir()) == []


# Printing.


def test_a_print_check_names_what_matters():
    geometry, away = grid_around(26, (1, 1, 1))
    mask = (ball(away, 12) & ~ball(away, 4)) | ball(away - (20, 0, 0), 4)
    mesh = surfaces.from_mask(mask, geometry, target=None)
    check = surfaces.check_print(mesh, mask=mask, geometry=geometry, thinner_than_mm=2)
    assert (check.is_watertight, check.islands, check.cavities) == (True, 2, 1)
    assert check.size_mm[0] == pytest.approx(36, abs=1.5)
    assert check.volume_ml == pytest.approx(mesh.volume_ml)
    assert check.thin_ml is not None
    assert check.thin_ml < 0.02 * mesh.volume_ml
    shown = check.values()
    assert shown["watertight"] == "yes"
    assert "thinner than 2 mm (estimate)" in shown
    broken = surfaces.check_print(mesh.part(np.arange(len(mesh.triangles)) > 0))
    assert broken.values()["watertight"] == "NO"
    assert broken.thin_ml is None


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.5, 0.5)])
@pytest.mark.parametrize("thickness", [1.0, 2.0, 4.0])
def test_a_plate_is_thin_below_its_thickness(spacing, thickness):
    geometry = hv.Geometry.from_parts((20, 80, 60), spacing=spacing)
    mask = np.zeros(geometry.shape, bool)
    layers = round(thickness / spacing[2])
    mask[2:18, 4:76, 20 : 20 + layers] = True
    whole = mask.sum() * np.prod(spacing) / 1000
    voxel = spacing[2]
    assert surfaces.thin_ml(mask, geometry, thickness - 0.6 * voxel) < 0.06 * whole
    assert surfaces.thin_ml(mask, geometry, thickness + 0.6 * voxel) == pytest.approx(whole)


def test_a_fin_on_a_block_is_what_is_thin():
    geometry = hv.Geometry.from_parts((30, 30, 30), spacing=(1, 1, 1))
    mask = np.zeros(geometry.shape, bool)
    mask[10:20, 5:20, 5:25] = True
    mask[14, 20:28, 8:22] = True
    fin = 8 * 14 / 1000
    assert surfaces.thin_ml(mask, geometry, 2.5) == pytest.approx(fin, rel=0.3)
    for wrong in (0, -1):
        with pytest.raises(hv.ArgumentError):
            surfaces.thin_ml(mask, geometry, wrong)


def test_a_mesh_is_turned_and_made_smaller_to_fit_the_bed(mesh):
    fitted, factor = surfaces.fit_bed(mesh, (500, 400, 300))
    assert factor == 1
    assert np.allclose(fitted.box[0], 0, atol=1e-9)
    assert fitted.volume_ml == pytest.approx(mesh.volume_ml)
    small, factor = surfaces.fit_bed(mesh, (15, 40, 12))
    assert factor < 1
    assert (small.size <= np.array([15, 40, 12]) + 1e-9).all()
    assert small.volume_ml == pytest.approx(mesh.volume_ml * factor**3)
    assert small.is_watertight
    assert np.argmax(small.size) == 1
    with pytest.raises(hv.ArgumentError, match="bed"):
        surfaces.fit_bed(mesh, (10, 0, 10))
