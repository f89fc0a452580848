"""Slices on their own: the right one, the right way round, whatever way it was stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hounsview as hv
from hounsview.frames import plane_frame
from hounsview.phantoms import BALL_AT
from hounsview.planes import is_aligned, rotation
from hounsview.slices import NOT_MEASURED
from hounsview.thorax import NODULE_AT
from hounsview.viewstate import PLANES
from hounsview_vizapp.panes import slice_pane
from hounsview_vizapp.panes.sampling import sample_plane
from test_geometry import ALL_48
from test_panes import CENTRE, PLAIN, marked_volume

RODS = hv.phantom("hu-rods", spacing=(4, 3, 2))
THORAX = hv.phantom("thorax", spacing=(4, 2, 2))


def turned_by(volume: hv.Volume, degrees: tuple[float, float, float]) -> hv.Volume:
    """The same array in a patient who lies turned."""
    affine = volume.geometry.affine.copy()
    affine[:3] = rotation(degrees) @ affine[:3]
    return replace(volume, geometry=hv.Geometry(volume.shape, affine))


def points_of(shown: hv.OrthogonalSlice) -> np.ndarray:
    """The (rows, columns, 3) patient points of the pixels, LPS mm."""
    down, right = (
        (np.arange(n) - (n - 1) / 2) * mm
        for n, mm in zip(shown.hu.shape, shown.spacing, strict=True)
    )
    return shown.position + down[:, None, None] * shown.down + right[:, None] * shown.right


@pytest.mark.parametrize("letters", ALL_48)
def test_the_ball_is_where_a_reader_of_ct_expects_it(letters: str) -> None:
    """It lies to the left, the front and the top of the patient."""
    volume = RODS.reorient(letters)
    sides = {"axial": (-1, 1), "coronal": (-1, 1), "sagittal": (-1, -1)}
    for plane, (down, right) in sides.items():
        hu = hv.orthogonal_slice(volume, plane, BALL_AT).hu
        rows, columns = np.nonzero(hu > 1500)
        assert np.sign(rows.mean() - (hu.shape[0] - 1) / 2) == down
        assert np.sign(columns.mean() - (hu.shape[1] - 1) / 2) == right


@pytest.mark.parametrize("letters", ALL_48)
def test_all_48_stored_orientations_give_the_same_slices_as_views(letters: str) -> None:
    volume = marked_volume()
    valid = (volume.hu > 0).astype(np.uint8) * np.uint8(hv.Validity.SATURATED)
    volume = replace(volume, valid=valid)
    turned = volume.reorient(letters)
    for plane in PLANES:
        for at in (None, CENTRE, np.add(CENTRE, 9.0)):
            a, b = (hv.orthogonal_slice(v, plane, at) for v in (volume, turned))
            assert np.array_equal(a.hu, b.hu)
            assert a.valid is not None
            assert b.valid is not None
            assert np.array_equal(b.valid > 0, b.hu > 0)
            assert a.spacing == pytest.approx(b.spacing)
            assert a.position == pytest.approx(b.position)
            assert np.shares_memory(b.hu, turned.hu)
            assert not b.hu.flags.writeable


@pytest.mark.parametrize("degrees", [(0, 0, 0), (20, 0, 0), (10, -25, 35), (0, 0, 170)])
@pytest.mark.parametrize("letters", ["SPL", "RSA", "ILP", "PIR"])
def test_every_pixel_is_the_voxel_at_its_patient_point(
    letters: str, degrees: tuple[float, float, float]
) -> None:
    volume = turned_by(RODS, degrees).reorient(letters)
    middle = np.add(volume.geometry.centre, (3, -5, 7))
    for plane in PLANES:
        shown = hv.orthogonal_slice(volume, plane, middle)
        index = np.rint(volume.geometry.to_index(points_of(shown))).astype(int)
        assert np.array_equal(shown.hu, volume.hu[tuple(np.moveaxis(index, -1, 0))])
        assert (index[..., shown.axis] == shown.index).all()


@pytest.mark.parametrize("degrees", [(20, 0, 0), (10, -25, 35), (0, 0, 40)])
def test_an_oblique_volume_shows_its_nearest_slice_upright(
    degrees: tuple[float, float, float],
) -> None:
    volume = turned_by(RODS, degrees)
    assert not is_aligned(volume.geometry)
    at = rotation(degrees) @ np.array(BALL_AT)
    for plane in PLANES:
        shown = hv.orthogonal_slice(volume, plane, at)
        upright = hv.orthogonal_slice(RODS, plane, BALL_AT)
        assert np.array_equal(shown.hu, upright.hu)
        assert shown.right @ upright.right > 0.7
        assert shown.down @ upright.down > 0.7


@pytest.mark.parametrize("letters", ["SPL", "LIA", "PSR"])
@pytest.mark.parametrize("plane", PLANES)
def test_the_viewer_shows_the_same_slice(letters: str, plane: str) -> None:
    volume = hv.phantom("hu-rods", spacing=(3, 3, 3)).reorient(letters)
    for at in (None, BALL_AT, (1.5, -1.5, 1.5), (-40.2, 33.3, -20.7)):
        shown = hv.orthogonal_slice(volume, plane, at)
        state = replace(PLAIN, crosshair=at)
        frame = plane_frame(volume.geometry, state, plane, shown.hu.shape)
        assert (frame.shown.axis, frame.shown.index) == (shown.axis, shown.index)
        assert np.array_equal(sample_plane(volume, frame).values, shown.hu)
        assert np.allclose(frame.to_patient([0, 0]), points_of(shown)[0, 0])


def test_of_a_hardly_tilted_volume_a_plane_has_one_slice_wherever_the_point_lies() -> None:
    shape = (41, 600, 3)
    geometry = hv.Geometry.from_parts(shape, spacing=(0.3, 1, 1))
    volume = turned_by(hv.Volume(np.zeros(shape, np.int16), geometry), (0.05, 0, 0))
    assert is_aligned(volume.geometry)
    middle = volume.geometry.centre
    index = hv.orthogonal_slice(volume, "axial", middle).index
    for apart in (-290, 290):
        at = np.add(middle, (0, apart, 0))
        assert np.rint(volume.geometry.to_index(at))[0] != index
        assert hv.orthogonal_slice(volume, "axial", at).index == index
        state = replace(PLAIN, crosshair=tuple(at))
        assert plane_frame(volume.geometry, state, "axial", (90, 90)).shown.index == index


@pytest.mark.parametrize("plane", PLANES)
def test_a_plane_beyond_the_volume_is_refused_with_its_ends(plane: str) -> None:
    with pytest.raises(hv.ArgumentError, match="outside the volume"):
        hv.orthogonal_slice(RODS, plane, (500, 500, 500))
    with pytest.raises(hv.ArgumentError, match=r"I 60\.0 mm to .*S 60\.0 mm"):
        hv.orthogonal_slice(RODS, "axial", (0, 0, 62.1))
    assert hv.orthogonal_slice(RODS, "axial", (0, 0, 61.9)).index == RODS.shape[0] - 1


@pytest.mark.parametrize("at", [(1, 2), (1, 2, np.nan), 5.0])
def test_what_is_no_point_or_plane_is_refused(at: object) -> None:
    with pytest.raises(hv.ArgumentError, match="three finite numbers"):
        hv.orthogonal_slice(RODS, "axial", at)
    with pytest.raises(hv.ArgumentError, match="'lateral'"):
        hv.orthogonal_slice(RODS, "lateral")


@pytest.mark.parametrize("letters", ["SPL", "LAI", "ARS"])
def test_a_thumbnail_of_the_thorax_is_the_right_way_round(letters: str) -> None:
    volume = THORAX.reorient(letters)
    window = hv.Window(-200, 600)
    axial = hv.thumbnail(volume, "axial", window, side=400, at=NODULE_AT)[..., 0].astype(int)
    rows, columns = axial.shape
    wide = THORAX.shape[2] * 2.0
    row = round(rows / 2 + (NODULE_AT[1] - THORAX.geometry.centre[1]) / wide * 400)
    column = round(columns / 2 + (NODULE_AT[0] - THORAX.geometry.centre[0]) / wide * 400)
    # The nodule stands in the patient's right lung, the picture's left.
    assert column < columns / 2
    assert axial[row, column] > 200
    assert axial[row, columns - 1 - column] < 60
    # The spine is behind: there is bone in the lower half only.
    bone = hv.thumbnail(volume, "sagittal", hv.Window(500, 200), at=(0, 0, 0))[..., 0] > 200
    assert np.nonzero(bone)[1].mean() > bone.shape[1] / 2
    # Soft tissue below the lungs: liver and spleen.
    coronal = hv.thumbnail(volume, "coronal", window)[..., 0].astype(int)
    assert coronal[-20:-10, 40:120].mean() > coronal[40:80, 40:120].mean() + 50


@pytest.mark.parametrize("plane", PLANES)
def test_a_thumbnail_looks_like_the_viewers_pane(plane: str) -> None:
    window = hv.Window(0, 2000)
    small = hv.thumbnail(THORAX, plane, window, side=200)
    state = replace(PLAIN, window=window)
    pane = slice_pane(THORAX, state, plane, small.shape[:2])
    apart = np.abs(small.astype(int) - pane.astype(int))
    assert apart.mean() < 4
    assert np.abs(small[:, ::-1].astype(int) - pane.astype(int)).mean() > 2 * apart.mean()


def test_millimetres_are_alike_in_both_directions() -> None:
    volume = marked_volume(spacing=(6.0, 1.0, 0.5))
    tall = [n * mm for n, mm in zip(volume.shape, (6.0, 1.0, 0.5), strict=True)]
    for plane, (down, across) in (("axial", (1, 2)), ("coronal", (0, 2)), ("sagittal", (0, 1))):
        rows, columns, _ = hv.thumbnail(volume, plane, hv.Window(0, 2000), side=300).shape
        assert max(rows, columns) == 300
        assert rows / columns == pytest.approx(tall[down] / tall[across], rel=0.03)


def test_padding_is_slate_and_air_black_and_neither_blurs_into_the_other() -> None:
    hu = np.full((3, 64, 64), -1024, np.int16)
    hu[:, :, :33] = 100
    valid = np.zeros(hu.shape, np.uint8)
    valid[:, :, 33:] = hv.Validity.PADDING
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(1, 1, 1))
    water = hv.Window(100, 400)
    padded = hv.thumbnail(hv.Volume(hu, geometry, valid), "axial", water, side=25)
    assert (padded[:, 13:] == NOT_MEASURED).all()
    # A tenth of column 12 is padding: it enters no grey value.
    assert len(np.unique(padded[:, :13])) == 1
    air = hv.thumbnail(hv.Volume(hu, geometry), "axial", water, side=25)
    assert (air[:, 13:] == 0).all()


def test_filled_slices_are_hatched_and_values_that_are_none_are_slate() -> None:
    hu = np.zeros((30, 30, 30), np.float32)
    hu[:, 5:10, 5:10] = np.nan
    valid = np.zeros(hu.shape, np.uint8)
    valid[14:17] = hv.Validity.FILLED
    volume = hv.Volume(hu, hv.Geometry.from_parts(hu.shape, spacing=(1, 1, 1)), valid)
    coronal = hv.thumbnail(volume, "coronal", hv.Window(0, 100), side=60)
    colored = (coronal.max(axis=2) != coronal.min(axis=2)).any(axis=1)
    assert np.nonzero(colored)[0].tolist() == list(range(26, 32))
    axial = hv.thumbnail(volume, "axial", hv.Window(0, 100), side=60, at=(0, 0, 3))
    assert (axial[11:19, 11:19] == NOT_MEASURED).all()


@pytest.mark.parametrize("side", [0, -1, 5000])
def test_a_thumbnail_has_a_sensible_side(side: int) -> None:
    with pytest.raises(hv.ArgumentError, match=str(side)):
        hv.thumbnail(RODS, "axial", hv.Window(0, 100), side=side)
