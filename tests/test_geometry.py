"""Geometry: one affine, and everything derived from it, in every orientation."""

from __future__ import annotations

import itertools
import pickle

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from hounsview import ArgumentError, Geometry, GeometryError, Volume

AXES = "LPS"
OPPOSITE = dict(zip("LPSRAI", "RAILPS", strict=True))
ALL_48 = [
    "".join(letters[n] if keep else OPPOSITE[letters[n]] for n, keep in enumerate(signs))
    for letters in itertools.permutations("LPS")
    for signs in itertools.product((True, False), repeat=3)
]
SPACING = (2.5, 0.7, 0.9)


def direction_of(letters: str) -> np.ndarray:
    columns = []
    for letter in letters:
        positive = letter in AXES
        axis = AXES.index(letter if positive else OPPOSITE[letter])
        columns.append(np.eye(3)[axis] * (1 if positive else -1))
    return np.stack(columns, axis=1)


def rotations() -> st.SearchStrategy[np.ndarray]:
    quaternion = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)

    def matrix(q: tuple[float, ...]) -> np.ndarray:
        w, x, y, z = np.asarray(q) / np.linalg.norm(q)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    return quaternion.map(matrix)


def geometries() -> st.SearchStrategy[Geometry]:
    return st.builds(
        lambda rotation, spacing, origin, shape, flip: Geometry.from_parts(
            shape,
            spacing=spacing,
            origin=origin,
            direction=rotation * (1, 1, -1 if flip else 1),
        ),
        rotations(),
        st.tuples(*[st.floats(0.1, 10)] * 3),
        st.tuples(*[st.floats(-500, 500)] * 3),
        st.tuples(*[st.integers(1, 6)] * 3),
        st.booleans(),
    )


@pytest.mark.parametrize("letters", ALL_48)
def test_corners_are_the_ends_of_the_grid(letters: str) -> None:
    geometry = Geometry.from_parts((4, 5, 6), spacing=SPACING, direction=direction_of(letters))
    for faces, reach in ((False, 0.0), (True, 0.5)):
        found = geometry.to_index(geometry.corners(faces=faces))
        assert found.min(axis=0) == pytest.approx([-reach] * 3)
        assert found.max(axis=0) == pytest.approx(np.array([3, 4, 5]) + reach)
        assert len(np.unique(found.round(6), axis=0)) == 8


def test_the_48_orientations_are_48() -> None:
    assert len(set(ALL_48)) == 48


@pytest.mark.parametrize("letters", ALL_48)
def test_orientation_letters_say_where_the_axes_rise(letters: str) -> None:
    geometry = Geometry.from_parts((4, 5, 6), spacing=SPACING, direction=direction_of(letters))
    assert geometry.orientation == letters
    for axis, letter in enumerate(letters):
        step = np.eye(3)[axis]
        moved = geometry.to_patient(step) - geometry.to_patient([0, 0, 0])
        patient_axis = AXES.index(letter if letter in AXES else OPPOSITE[letter])
        assert moved[patient_axis] == pytest.approx(
            SPACING[axis] * (1 if letter in AXES else -1)
        )


@pytest.mark.parametrize("letters", ALL_48)
def test_reorienting_moves_no_voxel_in_the_patient(letters: str) -> None:
    geometry = Geometry.from_parts((3, 4, 5), spacing=SPACING, origin=(7, -8, 9))
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    volume = Volume(values, geometry)
    turned = volume.reorient(letters)
    assert turned.geometry.orientation == letters
    for index in np.ndindex(turned.shape):
        old = np.rint(geometry.to_index(turned.geometry.to_patient(index))).astype(int)
        assert turned.hu[index] == values[tuple(old)]
    back = turned.reorient("SPL")
    assert np.array_equal(back.hu, values)
    assert back.geometry.is_close(geometry, tolerance=1e-9)


@given(geometries(), st.tuples(*[st.floats(-20, 20)] * 3))
def test_index_to_mm_to_index_is_the_same_index(
    geometry: Geometry, index: tuple[float, float, float]
) -> None:
    assert np.allclose(geometry.to_index(geometry.to_patient(index)), index, atol=1e-6)


@given(geometries())
def test_parts_are_recovered_from_the_affine(geometry: Geometry) -> None:
    again = Geometry.from_parts(
        geometry.shape,
        spacing=geometry.spacing,
        origin=geometry.origin,
        direction=geometry.direction,
    )
    assert again.is_close(geometry, tolerance=1e-6)
    assert geometry.is_orthogonal
    assert geometry.voxel_volume == pytest.approx(np.prod(geometry.spacing))


@given(geometries())
def test_ras_matrix_agrees_with_nibabel(geometry: Geometry) -> None:
    image = nib.Nifti1Image(
        np.zeros(geometry.shape[::-1], np.int16), geometry.to_ras(), dtype=np.int16
    )
    letters = "".join(nib.aff2axcodes(image.affine))
    ours = geometry.orientation[::-1]
    # Near 45 degrees two letters are equally close; elsewhere both must say the same.
    closeness = np.sort(np.abs(geometry.direction), axis=0)
    if (closeness[2] - closeness[1] > 0.05).all():
        assert letters == ours
    assert Geometry.from_ras(geometry.shape, image.affine).is_close(geometry, tolerance=1e-2)


@given(geometries(), st.tuples(*[st.integers(-5, 5)] * 3))
def test_points_agree_with_simpleitk(geometry: Geometry, index: tuple[int, int, int]) -> None:
    image = sitk.Image([int(n) for n in geometry.shape[::-1]], sitk.sitkInt16)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetOrigin(geometry.origin.tolist())
    image.SetDirection(geometry.direction[:, ::-1].ravel().tolist())
    theirs = image.TransformIndexToPhysicalPoint([int(n) for n in index[::-1]])
    assert np.allclose(geometry.to_patient(index), theirs, atol=1e-6)


@given(geometries(), st.tuples(*[st.floats(0.2, 20)] * 3))
def test_another_spacing_covers_the_same_box(
    geometry: Geometry, spacing: tuple[float, float, float]
) -> None:
    other = geometry.with_spacing(spacing)
    assert np.allclose(other.spacing, spacing)
    assert np.allclose(other.to_patient([-0.5] * 3), geometry.to_patient([-0.5] * 3), atol=1e-6)
    extent = np.array(geometry.shape) * geometry.spacing
    covered = np.array(other.shape) * other.spacing
    assert (covered >= extent - 1e-3).all()
    assert (covered < extent + np.array(spacing) + 1e-3).all()


def test_contains_reaches_half_a_voxel_beyond_the_centres() -> None:
    geometry = Geometry.from_parts((2, 3, 4), spacing=(1, 1, 1))
    inside = geometry.contains([[-0.5, 0, 0], [1.49, 2.49, 3.49], [1.5, 0, 0], [0, 0, -0.51]])
    assert inside.tolist() == [True, True, False, False]


def test_a_sheared_grid_is_not_orthogonal() -> None:
    affine = Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1)).affine.copy()
    affine[1, 0] = 0.3
    assert not Geometry((2, 2, 2), affine).is_orthogonal


def test_equal_geometries_hash_alike_and_survive_pickling() -> None:
    geometry = Geometry.from_parts((2, 3, 4), spacing=SPACING, origin=(1, 2, 3))
    again = pickle.loads(pickle.dumps(geometry))
    assert again == geometry
    assert hash(again) == hash(geometry)
    assert geometry != Geometry.from_parts((2, 3, 4), spacing=SPACING, origin=(1, 2, 3.0001))
    assert geometry != "geometry"


def test_the_affine_cannot_be_changed() -> None:
    geometry = Geometry.from_parts((2, 3, 4), spacing=SPACING)
    with pytest.raises(ValueError, match="read-only"):
        geometry.affine[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        geometry.direction[0, 0] = 5


@pytest.mark.parametrize(
    ("shape", "affine", "words"),
    [
        ((0, 2, 2), np.eye(4), "at least 1"),
        ((2, 2), np.eye(4), "three sizes"),
        ((2, 2, 2), np.eye(3), r"\(4, 4\)"),
        ((2, 2, 2), np.full((4, 4), np.nan), "finite"),
        ((2, 2, 2), np.diag([1.0, 1, 1, 2]), "0 0 0 1"),
        ((2, 2, 2), np.diag([1.0, 1, 0, 1]), "no volume"),
    ],
)
def test_what_is_no_grid_is_refused(
    shape: tuple[int, ...], affine: np.ndarray, words: str
) -> None:
    with pytest.raises(GeometryError, match=words):
        Geometry(shape, affine)  # type: ignore[arg-type]


@pytest.mark.parametrize("letters", ["SPX", "SSL", "SP", "SLLL"])
def test_wrong_orientation_letters_are_named(letters: str) -> None:
    geometry = Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1))
    with pytest.raises(ArgumentError, match=letters):
        geometry.axes_to(letters)


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (1, 1)])
def test_wrong_spacing_is_named(spacing: tuple[float, ...]) -> None:
    geometry = Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1))
    with pytest.raises(ArgumentError, match="positive"):
        geometry.with_spacing(spacing)


def test_points_need_three_numbers() -> None:
    with pytest.raises(ArgumentError, match="three numbers"):
        Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1)).to_index([1, 2])


def test_corners_of_another_shape_are_not_close() -> None:
    geometry = Geometry.from_parts((2, 2, 2), spacing=(1, 1, 1))
    assert not geometry.is_close(Geometry.from_parts((2, 2, 3), spacing=(1, 1, 1)))


def test_the_repr_reads_as_a_sentence() -> None:
    text = repr(Geometry.from_parts((2, 3, 4), spacing=SPACING))
    assert "2 x 3 x 4" in text
    assert "SPL" in text
    assert "2.5 x 0.7 x 0.9 mm" in text
