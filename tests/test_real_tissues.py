"""Tissues of real scans: plausible, said by name, and none invented."""

from __future__ import annotations

import numpy as np

import hounsview as hv
from real_data import FOLDER, needs_data
from tissue_phantoms import dice

pytestmark = needs_data


def ml(volume: hv.Volume, mask: np.ndarray) -> float:
    return float(np.count_nonzero(mask)) * volume.geometry.voxel_volume / 1000


def test_a_thorax_has_two_lungs_airways_bone_contrast_and_metal() -> None:
    volume = hv.load(FOLDER / "thorax-ge-vct")
    found = hv.masks.segment(volume)
    assert not found.reasons
    sizes = {name: ml(volume, mask) for name, mask in found.masks.items()}
    assert 16_000 < sizes["body"] < 17_800
    assert 1_850 < sizes["left_lung"] < 2_150
    assert 2_300 < sizes["right_lung"] < 2_650
    assert 25 < sizes["airways"] < 70
    assert 350 < sizes["bone"] < 700
    assert 350 < sizes["contrast"] < 600
    assert 3 < sizes["metal"] < 10
    notes = " ".join(found.notes)
    for words in ("field of view", "lower end", "contrast", "metal"):
        assert words in notes
    lung = found.masks["left_lung"] | found.masks["right_lung"]
    assert -880 < hv.tissue_numbers(volume, lung).percentiles[50] < -820
    # The patient's left is +x; the table's shell lies behind 130 mm.
    for name, sign in (("left_lung", 1), ("right_lung", -1)):
        middle = volume.geometry.to_patient(np.argwhere(found.masks[name]).mean(axis=0))
        assert sign * middle[0] > 40
    behind = volume.geometry.to_patient(np.argwhere(found.masks["body"])[::97])[:, 1].max()
    assert behind < 140


def test_an_abdomen_has_no_lung_but_two_arms() -> None:
    volume = hv.load(FOLDER / "body-siemens-j2k-nouid")
    found = hv.masks.segment(volume, ["body", "lungs", "bone"])
    assert "is this a thorax" in found.reasons["left_lung"]
    assert 3_200 < ml(volume, found.masks["body"]) < 3_400
    assert 80 < ml(volume, found.masks["bone"]) < 150
    columns = np.flatnonzero(found.masks["body"].any(axis=(0, 1)))
    across = (columns[-1] - columns[0]) * volume.geometry.spacing[2]
    assert across > 440


def test_a_few_slices_whose_view_cuts_the_patient() -> None:
    volume = hv.load(FOLDER / "enhanced-multiframe" / "legacy-converted-rider.dcm")
    found = hv.masks.segment(volume, ["body", "lungs", "bone", "contrast"])
    assert 250 < ml(volume, found.masks["left_lung"]) < 350
    assert 130 < ml(volume, found.masks["right_lung"]) < 190
    assert "no airways" in found.reasons["airways"]
    assert any("upper end" in note for note in found.notes)
    assert any("leaves the field of view" in note for note in found.notes)
    assert 15 < ml(volume, found.masks["contrast"]) < 60


def test_a_head_phantom_is_bone_and_plastic_without_lung() -> None:
    volume = hv.load(FOLDER / "head-philips-phantom")
    found = hv.masks.segment(volume, ["body", "lungs", "bone"])
    assert "no lungs" in found.reasons["right_lung"]
    # The skull without flesh is as thin as a table's shell, and goes up to the last slices.
    bone = volume.hu > 400
    assert dice(found.masks["bone"], bone) > 0.9
    heights = np.flatnonzero(found.masks["bone"].any(axis=(1, 2)))
    assert set(np.flatnonzero(np.count_nonzero(bone, axis=(1, 2)) > 500)) <= set(heights)
