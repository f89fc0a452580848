"""Numbers in Slicer: what lies under markups, tissue histograms, session files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.masks import Tissues
from hounsview.measure import measure, value_text
from hounsview.sessions import Session, Source
from hounsview.tissues import ml_text
from hounsview.viewstate import CropBox, Measurement
from mrml_kit import needs_slicer, turned, volume_on

pytestmark = needs_slicer
STRAIGHT = np.diag([2.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


def points(node: Any, *lps: Any) -> Any:
    import slicer.util

    ras = np.asarray(lps, float) * [-1, -1, 1]
    slicer.util.updateMarkupsControlPointsFromArray(node, ras)
    return node


def test_each_point_has_the_value_of_its_voxel(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    inside, outside = volume.geometry.to_patient((2, 3, 4)), (-50, 0, 0)
    rows = mrml.markups_rows(points(node, inside, outside), volume)
    assert [row["name"] for row in rows] == ["F-1", "F-2"]
    assert rows[0]["value"] == f"{volume.hu[2, 3, 4]} HU"
    assert "outside" in rows[1]["note"]
    assert "value" not in rows[1]


def test_a_line_has_its_length_and_the_values_along_it(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    ends = volume.geometry.to_patient([(1, 2, 0), (1, 2, 5)])
    node = points(scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "L"), *ends)
    (row,) = mrml.markups_rows(node, volume)
    along = volume.hu[1, 2].astype(float)
    assert row["length"].startswith("5")
    assert row["mean"] == f"{along.mean():.1f} HU"
    assert (row["minimum"], row["maximum"]) == (f"{along[0]:.0f} HU", f"{along[-1]:.0f} HU")
    half = points(node, ends[0], volume.geometry.to_patient((1, 2, 10)))
    (row,) = mrml.markups_rows(half, volume)
    assert "not measured" in row["note"]


@pytest.mark.parametrize("angle", [0.0, 33.0])
def test_a_box_counts_the_voxels_whose_centres_lie_in_it(scene: Any, angle: float) -> None:
    from hounsview.mrml.application import matrix_of

    volume = volume_on(turned(3), (12, 14, 16))
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    size, centre = np.array([9.0, 7.0, 11.0]), volume.geometry.centre
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    to_world = np.eye(4)
    to_world[:3, :3] = [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]
    to_world[:3, 3] = centre * [-1, -1, 1]
    node.SetSize(*size)
    node.SetAndObserveObjectToNodeMatrix(matrix_of(to_world))
    index = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), axis=-1)
    ras = volume.geometry.to_patient(index) * [-1, -1, 1]
    own = (ras - to_world[:3, 3]) @ to_world[:3, :3]
    inside = volume.hu[(np.abs(own) <= size / 2).all(axis=-1)].astype(float)
    assert 50 < inside.size < volume.hu.size / 2
    (row,) = mrml.markups_rows(node, volume)
    assert row["kind"] == "box"
    assert f"{inside.mean():.1f}".removesuffix(".0") in row["mean"]
    assert row["volume"] == ml_text(inside.size * volume.geometry.voxel_volume / 1000)
    node.SetSize(0.01, 0.01, 0.01)
    node.SetCenter((500, 0, 0))
    (row,) = mrml.markups_rows(node, volume)
    assert "no voxel" in row["note"]


@pytest.mark.parametrize("spacing", [0.7, 0.9765625, 1 / 3])
def test_voxels_on_the_faces_of_a_box_are_in_it(scene: Any, spacing: float) -> None:
    affine = np.diag([spacing, spacing, spacing, 1.0])[[2, 1, 0, 3]]
    volume = volume_on(affine, (12, 12, 12))
    for first, last in ((0, 1), (1, 4), (2, 11), (3, 9)):
        ends = (first * spacing,) * 3, (last * spacing,) * 3
        box = mrml.crop_node(CropBox(*ends), scene)
        (row,) = mrml.markups_rows(box, volume)
        assert row["voxels"] == str((last - first + 1) ** 3)


@pytest.mark.parametrize("seed", range(6))
def test_a_box_in_any_place_has_the_voxels_that_a_count_one_by_one_finds(
    scene: Any, seed: int
) -> None:
    from hounsview.mrml.application import array_of_matrix, matrix_of

    rng = np.random.default_rng(seed)
    volume = volume_on(turned(seed) if seed % 2 else STRAIGHT, (12, 14, 16))
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    node.SetSize(*rng.uniform(3, 25, 3))
    above = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = np.eye(4)
    moved[:3, :3] = np.diag(rng.uniform(0.5, 2, 3)) @ (turned(seed + 9)[:3, :3] / 2)
    middle = volume.geometry.corners().mean(axis=0) + rng.uniform(-4, 4, 3)
    moved[:3, 3] = middle * [-1, -1, 1]
    above.SetMatrixTransformToParent(matrix_of(moved))
    node.SetAndObserveTransformNodeID(above.GetID())
    world = array_of_matrix(node.GetObjectToWorldMatrix())
    index = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), axis=-1)
    ras = volume.geometry.to_patient(index) * [-1, -1, 1]
    own = (ras - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    inside = volume.hu[(np.abs(own) <= np.asarray(node.GetSize()) / 2).all(axis=-1)]
    (row,) = mrml.markups_rows(node, volume)
    assert int(row["voxels"]) == inside.size > 0
    assert row["mean"] == value_text(float(inside.mean()), "HU")
    if inside.size > 1:
        assert row["SD (n - 1)"] == value_text(float(inside.std(ddof=1)), "HU")
    for percent in (5, 50, 95):
        assert row[f"P{percent}"] == value_text(float(np.percentile(inside, percent)), "HU")


def test_a_point_that_is_not_placed_gives_no_other_its_name(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    points(node, (0, 0, 0), (1, 0, 0), (2, 0, 0))
    for number, name in enumerate(("a", "b", "c")):
        node.SetNthControlPointLabel(number, name)
    node.UnsetNthControlPointPosition(0)
    rows = mrml.markups_rows(node, volume)
    assert {row["name"]: row["value"] for row in rows} == {"b": "-1023 HU", "c": "-1022 HU"}


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_region_of_which_one_point_was_dragged_has_no_numbers(scene: Any, kind: str) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    node = mrml.markups_node(Measurement(kind, ((0, 0, 2), (3, 3, 2))), scene)
    node.SetNthControlPointPosition(1, -9, -9, 2)
    (row,) = mrml.markups_rows(node, volume)
    assert set(row) == {"name", "kind", "note"}
    assert "was changed" in row["note"]


def test_padding_is_in_no_number_of_a_box(scene: Any) -> None:
    hu = np.full((4, 4, 4), 100, np.int16)
    valid = np.zeros(hu.shape, np.uint8)
    hu[0], valid[0] = -1024, 1
    volume = hv.Volume(hu, hv.Geometry(hu.shape, STRAIGHT), valid=valid)
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
    node.SetSize(100, 100, 100)
    (row,) = mrml.markups_rows(node, volume)
    assert row["mean"] == "100 HU"
    assert "25" in row["left out (not measured)"]


def test_curves_of_a_person_have_no_row_and_ours_have_one(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    curve = scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", "C")
    assert mrml.markups_rows(points(curve, (0, 0, 0), (1, 0, 0), (0, 1, 0)), volume) == []
    region = Measurement("rectangle", ((-0.4, 0.6, 2.0), (3.4, 3.4, 2.0)), text="liver")
    (row,) = mrml.markups_rows(mrml.markups_node(region, scene), volume)
    assert row == {"name": "liver", **measure(volume, region).values()} | {
        key: row[key] for key in ("kind", "plane")
    }


def test_a_tissue_histogram_holds_the_ml_of_each_tissue(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    fat, bone = np.zeros(volume.shape, bool), np.zeros(volume.shape, bool)
    fat[0], bone[2] = True, True
    found = Tissues({"body": fat | bone, "fat": fat, "bone": bone}, {}, ())
    chart, table, series = mrml.tissue_histogram(volume, found, scene)
    rows = mrml.rows_of(table)
    assert set(rows[0]) == {"value (HU)", "fat", "bone"}
    assert sum(float(row["fat"]) for row in rows) == pytest.approx(30 * 2 / 1000)
    at = [float(row["value (HU)"]) for row in rows if float(row["fat"])]
    assert min(at) - 5 <= volume.hu[0].min() <= volume.hu[0].max() <= max(at) + 5
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    assert {one.GetName() for one in series} == {"fat", "bone"}
    with pytest.raises(hv.NotHounsfieldError):
        mrml.tissue_histogram(volume_on(STRAIGHT, unit="unknown"), found, scene)


def test_what_lies_beyond_the_ends_of_a_histogram_stands_in_its_title(scene: Any) -> None:
    volume = volume_on(STRAIGHT, (4, 5, 6))
    metal = np.zeros(volume.shape, bool)
    metal[1:3] = True
    hu = volume.hu.copy()
    hu[1] = 3000
    bright = replace(volume, hu=hu)
    chart, _, _ = mrml.tissue_histogram(bright, Tissues({"metal": metal}, {}, ()), scene)
    assert f"{ml_text(30 * 2 / 1000)} of metal" in chart.GetTitle()
    chart, _, _ = mrml.tissue_histogram(volume, Tissues({"metal": metal}, {}, ()), scene)
    assert chart.GetTitle() == "Tissue histogram"


# Session files.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), tmp_path / "rods")
    return tmp_path / "rods"


def a_session(folder: Path) -> Session:
    ends = ((-20.0, -10.0, 0.0), (20.0, 15.0, 0.0))
    state = hv.ViewState(
        window=hv.Window(100, 900),
        crosshair=(5.0, -8.0, 10.0),
        rendering="bone",
        colormap="hot",
        measurements=(Measurement("ruler", ends, text="across"),),
    )
    uid = hv.load(folder).attributes["SeriesInstanceUID"]
    return Session(state, Source(str(folder), series_uid=uid))


def test_a_session_is_shown_and_written_again_as_it_was(
    scene: Any, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "view.hounsview.json"
    hv.write_session(a_session(folder), file)
    node, shown = mrml.show_session(hv.read_session(file), scene)
    assert node.GetName() == "HU rods"
    assert len(shown.markups) == 1
    assert np.array_equal(mrml.volume_of(node).hu, hv.load(folder).hu)
    assert scene.GetFirstNodeByClass("vtkMRMLSelectionNode").GetActiveVolumeID() == node.GetID()
    again = tmp_path / "again.hounsview.json"
    mrml.save_session(node, scene, again)
    back, before = hv.read_session(again), hv.read_session(file)
    assert back.source.series_uid == before.source.series_uid
    assert Path(str(back.source.path)) == folder
    assert back.state.window == before.state.window
    assert back.state.crosshair == pytest.approx(before.state.crosshair)
    assert (back.state.rendering, back.state.colormap) == ("bone", "hot")
    (ruler,) = back.state.measurements
    assert ruler.text == "across"
    assert np.asarray(ruler.points) == pytest.approx(
        np.asarray(before.state.measurements[0].points)
    )
    volume, _ = hv.load_session(back)
    assert np.array_equal(volume.hu, mrml.volume_of(node).hu), "the fingerprint holds"


def test_a_session_whose_scan_is_gone_leaves_the_scene_as_it_was(
    scene: Any, folder: Path, tmp_path: Path
) -> None:
    mrml.volume_node(volume_on(STRAIGHT), scene)
    before = [scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())]
    session = a_session(folder)
    folder.rename(tmp_path / "moved")
    with pytest.raises(hv.PathNotFoundError, match="no longer at"):
        mrml.show_session(session, scene)
    assert [scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())] == before
    node, _ = mrml.show_session(session, scene, path=tmp_path / "moved")
    assert mrml.source_of(node).path == str(tmp_path / "moved")


def test_what_fails_half_way_is_taken_back(
    scene: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hounsview.mrml import sessions

    def broken(*_: Any, **__: Any) -> Any:
        msg = "broken on purpose"
        raise hv.ArgumentError(msg)

    monkeypatch.setattr(sessions, "show_view", broken)
    with pytest.raises(hv.ArgumentError, match="on purpose"):
        mrml.show_session(a_session(folder), scene)
    assert not [
        scene.GetNthNode(n).GetName()
        for n in range(scene.GetNumberOfNodes())
        if scene.GetNthNode(n).IsA("vtkMRMLStorableNode")
    ]


def test_a_volume_of_a_file_that_slicer_read_has_a_session_and_others_are_refused(
    scene: Any, tmp_path: Path
) -> None:
    import slicer

    volume = volume_on(STRAIGHT)
    hv.write(volume, tmp_path / "v.nrrd")
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "read")
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(tmp_path / "v.nrrd"))
    assert storage.ReadData(node)
    node.SetAndObserveStorageNodeID(storage.GetID())
    session = mrml.session_of(node, scene)
    assert session.source.path == str(tmp_path / "v.nrrd")
    loose = mrml.volume_node(volume, scene, name="loose")
    with pytest.raises(hv.ArgumentError, match="does not say which scan"):
        mrml.session_of(loose, scene)
    above = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    loose.SetAndObserveTransformNodeID(above.GetID())
    with pytest.raises(hv.ArgumentError, match="under a transform"):
        mrml.session_of(loose, scene)
    broken = mrml.volume_node(volume, scene)
    broken.SetAttribute("hounsview.source", json.dumps({"path": 7}))
    with pytest.raises(hv.ArgumentError, match="cannot be read"):
        mrml.session_of(broken, scene)
    assert slicer.vtkMRMLScene


def test_aids_go_with_their_volume_and_what_was_asked_for_stays(scene: Any) -> None:
    valid = np.zeros((4, 5, 6), np.uint8)
    valid[0] = 1
    volume = volume_on(STRAIGHT, valid=valid)
    kept = mrml.volume_node(volume, scene, name="kept")
    gone = mrml.volume_node(volume, scene, name="gone")
    ours = len(mrml.companions_of(kept))
    assert ours == 3, "findings, their table, marks"
    mrml.show_view(
        hv.ViewState(measurements=(Measurement("probe", ((0, 0, 0),)),)), gone, scene
    )
    scene.RemoveNode(gone)
    mrml.remove_orphans(scene)
    assert not [
        scene.GetNthNode(n).GetName()
        for n in range(scene.GetNumberOfNodes())
        if scene.GetNthNode(n).GetName().startswith("gone")
    ]
    assert len(mrml.companions_of(kept)) == ours
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 1
