"""Values along a line, and how often a value occurs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import hounsview as hv
from hounsview.histograms import histogram
from hounsview.profiles import profile
from mrml_kit import turned, volume_on


@pytest.mark.parametrize("seed", range(4))
def test_values_along_a_line_are_those_of_an_independent_interpolation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hu = rng.integers(-1000, 1000, (9, 11, 13)).astype(np.int16)
    volume = hv.Volume(hu, hv.Geometry(hu.shape, turned(seed)))
    ends = rng.uniform(0, 1, (2, 3)) * (np.array(hu.shape) - 1)
    first, last = volume.geometry.to_patient(ends)
    line = profile(volume, first, last)
    assert line.distance[0] == 0
    assert line.distance[-1] == pytest.approx(np.linalg.norm(last - first))
    assert np.diff(line.distance).max() <= min(volume.geometry.spacing) + 1e-9
    share = np.linspace(0, 1, len(line.values))[:, None]
    at = ends[0] * (1 - share) + ends[1] * share
    wanted = ndimage.map_coordinates(hu.astype(float), at.T, order=1)
    assert line.values == pytest.approx(wanted, abs=1e-6)


def test_outside_and_beside_padding_there_is_no_value() -> None:
    hu = np.zeros((1, 1, 20), np.int16)
    valid = np.zeros(hu.shape, np.uint8)
    hu[..., 5], valid[..., 5] = -1024, 1
    volume = hv.Volume(hu, hv.Geometry(hu.shape, np.eye(4)[[2, 1, 0, 3]]), valid=valid)
    line = profile(volume, (-2, 0, 0), (12, 0, 0))
    known = dict(zip(line.distance - 2, np.isfinite(line.values), strict=True))
    assert [x for x, seen in known.items() if not seen] == [-2, -1, 5]
    assert line.values[np.isfinite(line.values)].tolist() == [0] * 12
    between = profile(volume, (4.5, 0, 0), (4.5, 0, 0))
    assert np.isnan(between.values).all()


def test_a_line_of_no_length_has_one_value_and_no_point_is_refused() -> None:
    volume = volume_on(turned(1))
    place = volume.geometry.to_patient((2, 3, 4))
    assert profile(volume, place, place).values == pytest.approx([float(volume.hu[2, 3, 4])])
    with pytest.raises(hv.ArgumentError, match="two points"):
        profile(volume, (np.nan, 0, 0), place)


def test_a_histogram_of_a_mask_counts_every_voxel_in_it() -> None:
    volume = volume_on(turned(1), (5, 6, 7))
    mask = np.zeros(volume.shape, bool)
    mask[1, 2] = True
    counts, edges = histogram(volume, -1100, 1100, 22, mask=mask)
    assert counts.sum() == 7
    values = volume.hu[1, 2]
    at = np.digitize(values, edges) - 1
    assert counts.tolist() == np.bincount(at, minlength=22).tolist()
    with pytest.raises(hv.ArgumentError, match="does not fit"):
        histogram(volume, mask=mask[1:])
