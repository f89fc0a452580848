"""Label maps as files: every label at its place in the patient, in each format."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

import hounsview as hv
from hounsview.labelmaps import write_labels
from test_geometry import ALL_48

NAMES = {1: "bone", 3: "left_lung", 7: "something odd"}


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 5)), tmp_path / "scan")
    return tmp_path / "scan"


def labels_of(volume: hv.Volume) -> np.ndarray:
    """A label map without any symmetry."""
    index = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), -1)
    points = volume.geometry.to_patient(index)
    labels = np.zeros(volume.shape, np.uint8)
    labels[points[..., 0] > 20] = 1
    labels[(points[..., 1] < -10) & (points[..., 2] > 5)] = 3
    labels[np.linalg.norm(points - (-30, 30, 20), axis=-1) < 25] = 7
    return labels


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha", ".npz"])
def test_an_image_holds_every_label_at_its_place(tmp_path: Path, scan: Path, ending) -> None:
    volume = hv.load(scan)
    labels = labels_of(volume)
    written = write_labels(volume, labels, NAMES, tmp_path / f"a{ending}")
    again = hv.load(tmp_path / f"a{ending}")
    assert again.unit == "labels"
    at = np.argwhere(labels > 0)[::97]
    points = volume.geometry.to_patient(at)
    found = np.rint(again.geometry.to_index(points)).astype(int)
    assert (again.hu[tuple(found.T)] == labels[tuple(at.T)]).all()
    assert np.count_nonzero(again.hu) == np.count_nonzero(labels)
    told = json.loads(written[1].read_text())["attributes"]
    assert {told[f"label {value}"] for value in NAMES} == set(NAMES.values())
    if ending == ".nii.gz":
        assert set(np.unique(np.asanyarray(nibabel.load(written[0]).dataobj))) == {0, 1, 3, 7}


@pytest.mark.parametrize("letters", [None, *ALL_48[::11]])
def test_a_dicom_seg_lies_on_its_slices(tmp_path: Path, scan: Path, letters) -> None:
    highdicom = pytest.importorskip("highdicom")
    volume = hv.load(scan)
    if letters is not None:
        volume = volume.reorient(letters)
    labels = labels_of(volume)
    (path,) = write_labels(volume, labels, NAMES, tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(path)
    assert [d.SegmentLabel for d in seg.SegmentSequence] == [
        "bone", "left lung", "something odd",
    ]  # fmt: skip
    held = seg.get_volume(combine_segments=True)
    at = np.argwhere(labels > 0)[::53]
    points = volume.geometry.to_patient(at)
    found = np.rint(held.map_reference_to_indices(points)).astype(int)
    numbered = {1: 1, 3: 2, 7: 3}
    wanted = [numbered[int(value)] for value in labels[tuple(at.T)]]
    assert (held.array[tuple(found.T)] == wanted).all()
    assert np.count_nonzero(held.array) == np.count_nonzero(labels)
    study = {ds.StudyInstanceUID for ds in [seg]}
    assert study == {hv.load(scan).attributes["StudyInstanceUID"]}


def test_what_cannot_be_written_is_refused_in_words(tmp_path: Path, scan: Path) -> None:
    pytest.importorskip("highdicom")
    volume = hv.load(scan)
    labels = labels_of(volume)
    with pytest.raises(hv.ArgumentError, match="no name was given"):
        write_labels(volume, labels, {1: "bone"}, tmp_path / "a.nrrd")
    with pytest.raises(hv.ArgumentError, match="do not fit"):
        write_labels(volume, labels[1:], NAMES, tmp_path / "a.nrrd")
    with pytest.raises(hv.ArgumentError, match="a label map is a file"):
        write_labels(volume, labels, NAMES, tmp_path / "folder")
    with pytest.raises(hv.WriteError, match="no such folder"):
        write_labels(volume, labels, NAMES, tmp_path / "no" / "a.dcm")
    with pytest.raises(hv.ArgumentError, match="empty"):
        write_labels(volume, np.zeros_like(labels), NAMES, tmp_path / "a.dcm")
    resampled = volume.resample((4, 4, 4))
    with pytest.raises(hv.ArgumentError, match="slices as they were scanned"):
        write_labels(resampled, labels_of(resampled), NAMES, tmp_path / "a.dcm")
    phantom = hv.phantom("hu-rods", spacing=(6, 4, 5))
    with pytest.raises(hv.ArgumentError, match="slices as they were scanned"):
        write_labels(phantom, labels_of(phantom), NAMES, tmp_path / "a.dcm")
    assert [p.name for p in tmp_path.iterdir()] == ["scan"]


def test_without_highdicom_it_is_named(tmp_path: Path, scan: Path, monkeypatch) -> None:
    volume = hv.load(scan)
    monkeypatch.setitem(__import__("sys").modules, "highdicom", None)
    with pytest.raises(hv.ArgumentError, match=r"install hounsview\[seg\]"):
        write_labels(volume, labels_of(volume), NAMES, tmp_path / "a.dcm")
