"""Numbers of tissues: known answers, what is left out, and what is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hounsview as hv
from tissue_phantoms import Case, chest


def counted(valid: np.ndarray | None = None) -> tuple[hv.Volume, np.ndarray]:
    """Values 0 to 119 on 2 x 3 x 4 mm voxels, and a mask of the first 60 of them."""
    hu = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(2, 3, 4))
    return hv.Volume(hu, geometry, valid=valid), hu < 60


def test_numbers_of_a_tissue_are_those_of_numpy() -> None:
    volume, mask = counted()
    found = hv.tissue_numbers(volume, mask)
    assert found.used == 60
    assert found.volume == pytest.approx(60 * 24 / 1000)
    assert found.mean == pytest.approx(29.5)
    assert found.deviation == pytest.approx(np.arange(60).std(ddof=1))
    assert found.percentiles[50] == pytest.approx(29.5)
    assert found.left_out == 0
    assert found.values()["mean"] == "29.5 HU"
    assert found.values()["volume"] == "1.44 ml"


def test_padding_and_filled_enter_no_number_and_their_share_is_said() -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[0, 0] = hv.Validity.PADDING
    valid[0, 1] = hv.Validity.FILLED
    valid[0, 2] = hv.Validity.RESAMPLED
    volume, mask = counted(valid)
    found = hv.tissue_numbers(volume, mask)
    assert found.used == 48
    assert found.mean == pytest.approx(np.arange(12, 60).mean())
    assert found.left_out == pytest.approx(0.2)
    assert found.values()["left out (not measured)"] == "20.0 %"


def test_an_empty_mask_has_no_mean_but_a_volume_of_zero() -> None:
    volume, mask = counted()
    found = hv.tissue_numbers(volume, mask & False)
    assert (found.mean, found.deviation, found.volume, found.used) == (None, None, 0, 0)
    assert "mean" not in found.values()
    density = hv.lung_density(volume, mask & False)
    assert density.mean is None
    assert density.emphysema_percent is None
    assert list(density.values()) == ["volume"]


def test_lung_density_counts_below_950_and_finds_the_15th_percentile() -> None:
    hu = np.linspace(-1000, -801, 200).reshape(2, 10, 10)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(1, 1, 1))
    volume = hv.Volume(np.rint(hu).astype(np.int16), geometry)
    found = hv.lung_density(volume, np.ones(hu.shape, bool))
    assert found.emphysema_percent == pytest.approx(100 * (volume.hu < -950).mean())
    assert found.perc15 == pytest.approx(np.percentile(volume.hu, 15))
    assert found.histogram.sum() == 200
    assert len(found.edges) == len(found.histogram) + 1
    in_bin = (volume.hu >= -900) & (volume.hu < -890)
    assert found.histogram[list(found.edges).index(-900)] == in_bin.sum()
    assert found.values()["LAA-950"].endswith(" %")


def test_emphysema_raises_laa_950_and_lowers_perc15() -> None:
    shares, percentiles = [], []
    for emphysema in (False, True):
        made = chest(Case(emphysema=emphysema, spacing=(3.0, 3.0, 3.0)))
        lung = made.truth["left"] | made.truth["right"]
        found = hv.lung_density(made.volume, lung)
        shares.append(found.emphysema_percent)
        percentiles.append(found.perc15)
    assert shares[1] > shares[0] + 5
    assert percentiles[1] == pytest.approx(percentiles[0] - 75, abs=3)


@pytest.mark.parametrize("letters", ["SPL", "IAR", "PSL", "RAS"])
def test_composition_is_that_of_the_slice_wherever_it_is_stored(letters: str) -> None:
    made = chest(Case(noise=0.0, spacing=(2.5, 2.5, 2.5)))
    height = made.volume.geometry.to_patient((50, 0, 0))[2]
    found = hv.body_composition(made.volume.reorient(letters), height)
    pixel = 2.5 * 2.5 / 100
    assert found.point[2] == pytest.approx(height)
    assert found.body == pytest.approx(made.truth["body"][50].sum() * pixel, rel=0.01)
    assert found.bone == pytest.approx(made.truth["bone"][50].sum() * pixel, rel=0.2)
    assert found.fat + found.soft_tissue + found.bone + found.skin < found.body
    assert found.fat > 50
    assert found.soft_tissue > 100
    assert found.values()["body"].endswith(" cm²")


def test_composition_outside_the_volume_or_without_a_body_is_refused() -> None:
    made = chest(Case(spacing=(4.0, 4.0, 4.0)))
    with pytest.raises(hv.ArgumentError, match="outside the volume"):
        hv.body_composition(made.volume, 5000.0)
    air = replace(made.volume, hu=np.full_like(made.volume.hu, -1000))
    with pytest.raises(hv.TissueNotFoundError, match="air"):
        hv.body_composition(air)


def test_composition_takes_masks_that_are_there() -> None:
    made = chest(Case(spacing=(3.0, 3.0, 3.0)))
    tissues = hv.masks.segment(made.volume, ["body"])
    found = hv.body_composition(made.volume, tissues=tissues)
    assert found.body > 0
    assert found.fat == 0


def test_a_nodule_is_the_largest_candidate_and_vessels_are_none() -> None:
    volume = hv.phantom("thorax", spacing=(2, 1.5, 1.5), noise=10)
    lungs = hv.masks.lungs(volume)
    found = hv.bright_islands(volume, lungs.right)
    assert found[0].point == pytest.approx((-78.0, -22.0, 82.0), abs=1.0)
    assert found[0].diameter == pytest.approx(10.0, abs=1.0)
    assert found[0].values()["note"] == "candidate for teaching"
    assert len(found) <= 5
    assert [island.volume for island in found] == sorted(
        (island.volume for island in found), reverse=True
    )


def test_islands_lie_at_the_same_place_wherever_the_array_is_stored() -> None:
    hu = np.full((30, 40, 40), -850.0)
    k, j, i = np.meshgrid(*(np.arange(n) for n in hu.shape), indexing="ij")
    hu[(k - 12) ** 2 + (j - 20) ** 2 + (i - 25) ** 2 <= 16] = 40
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(1, 1, 1), origin=(5, 6, 7))
    volume = hv.Volume(hu.astype(np.int16), geometry)
    for letters in ("SPL", "RAI", "PLS"):
        turned = volume.reorient(letters)
        (found,) = hv.bright_islands(turned, np.ones(turned.shape, bool))
        assert found.point == pytest.approx((30.0, 26.0, 19.0))
        assert found.mean == pytest.approx(40)
    assert hv.bright_islands(volume, np.zeros(volume.shape, bool)) == []


def test_a_mask_of_another_shape_and_values_that_are_no_hu_are_refused() -> None:
    volume, mask = counted()
    for verb in (hv.tissue_numbers, hv.lung_density, hv.bright_islands):
        with pytest.raises(hv.ArgumentError, match="does not fit"):
            verb(volume, mask[1:])
        with pytest.raises(hv.NotHounsfieldError):
            verb(replace(volume, unit="stored"), mask)
