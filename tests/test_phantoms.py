"""Phantoms: known HU at known places, on any grid."""

from __future__ import annotations

import numpy as np
import pytest

import hounsview as hv
from hounsview import head, phantoms, thorax

NAMES = ("thorax", "head", "hu-rods")


def hu(name: str, *point: float) -> float:
    return float(phantoms.phantom_hu(name, point))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spacing", [(7.0, 5.0, 6.0), (9.5, 3.1, 4.7)])
def test_every_voxel_is_the_analytic_value_at_its_centre(
    name: str, spacing: tuple[float, ...]
) -> None:
    volume = hv.phantom(name, spacing=spacing)
    index = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), -1)
    known = phantoms.phantom_hu(name, volume.geometry.to_patient(index))
    assert np.abs(volume.hu - known).max() <= 1.0
    assert volume.geometry.spacing == pytest.approx(spacing)
    assert volume.geometry.orientation == "SPL"
    assert volume.unit == "HU"
    assert volume.report.status == "ok"


def test_the_chest_has_its_organs_on_the_right_sides() -> None:
    assert hu("thorax", *thorax.NODULE_AT) == pytest.approx(thorax.NODULE)
    mirrored = (-thorax.NODULE_AT[0], *thorax.NODULE_AT[1:])
    assert hu("thorax", *mirrored) < -700
    assert thorax.NODULE_AT[0] < 0  # LPS: the right side
    assert hu("thorax", 44, -28, -46) == 230  # left ventricle, contrast
    assert hu("thorax", -80, 0, -120) == thorax.LIVER
    assert hu("thorax", 62, -40, -112) == pytest.approx(-980)  # gas in the stomach
    assert hu("thorax", 20, 54, -30) == 235  # the descending aorta, left of the spine
    assert hu("thorax", 1, 12, 80) == -1000  # trachea
    assert hu("thorax", 0, 0, 300) == -1000


def test_the_nodule_has_its_size() -> None:
    step = 0.25
    offsets = np.stack(np.meshgrid(*[np.arange(-7, 7, step)] * 3, indexing="ij"), -1)
    around = phantoms.phantom_hu("thorax", offsets + thorax.NODULE_AT)
    half_way = (thorax.NODULE - 860) / 2
    sphere = 4 / 3 * np.pi * thorax.NODULE_RADIUS**3
    assert np.count_nonzero(around > half_way) * step**3 == pytest.approx(sphere, rel=0.02)


def test_the_bleed_is_on_the_left() -> None:
    x, y, z = head.CLOT_AT
    assert hu("head", x, y, z) == pytest.approx(head.CLOT)
    assert hu("head", -x, y, z) < head.CLOT - 20
    assert x > 0


@pytest.mark.parametrize("rod", phantoms.RODS)
def test_a_rod_has_its_hu(rod: str) -> None:
    value, (x, y) = phantoms.RODS[rod]
    assert hu("hu-rods", x, y, 0) == value
    assert hu("hu-rods", x + phantoms.ROD_RADIUS_MM + 1, y, 0) == (0 if abs(x) < 80 else -1000)


def test_the_ball_makes_every_orientation_different() -> None:
    mirrored = [
        tuple(np.multiply(phantoms.BALL_AT, signs))
        for signs in ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    ]
    assert hu("hu-rods", *phantoms.BALL_AT) == 2000
    assert all(hu("hu-rods", *point) != 2000 for point in mirrored)


def test_noise_is_the_same_at_every_call_and_of_the_wanted_width() -> None:
    plain = hv.phantom("hu-rods", spacing=(8, 2, 2))
    noisy = hv.phantom("hu-rods", spacing=(8, 2, 2), noise=25)
    assert np.array_equal(noisy.hu, hv.phantom("hu-rods", spacing=(8, 2, 2), noise=25).hu)
    assert (noisy.hu - plain.hu).std() == pytest.approx(25, rel=0.03)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(hv.ArgumentError, match="thorax, head, hu-rods"):
        hv.phantom("knee")
    with pytest.raises(hv.ArgumentError, match="positive"):
        hv.phantom(spacing=(1, 0, 1))
    with pytest.raises(hv.ArgumentError, match="more than"):
        hv.phantom(spacing=(0.01, 0.01, 0.01))
    with pytest.raises(hv.ArgumentError, match="noise"):
        hv.phantom(noise=-1)


@pytest.mark.parametrize("name", NAMES)
def test_a_phantom_survives_dicom(name: str, tmp_path: object) -> None:
    volume = hv.phantom(name, spacing=(12, 6, 5))
    hv.write_dicom(volume, f"{tmp_path}/series")
    again = hv.load(f"{tmp_path}/series")
    assert np.array_equal(again.hu, volume.hu)
    assert again.geometry.is_close(volume.geometry)
