"""Scenes as .mrb files: written whole, read again, made by `hounsview convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.masks import LABELS
from hounsview.sessions import Session, Source
from hounsview.viewstate import Measurement, Overlay, Surface
from hounsview_vizapp.cli import main
from mrml_kit import needs_slicer, same, turned, volume_on


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


@needs_slicer
def test_convert_writes_a_scene_that_opens_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    hv.write_dicom(volume, tmp_path / "series")
    target = tmp_path / "rods.mrb"
    assert main(["convert", str(tmp_path / "series"), "-o", str(target)]) == 0
    assert "rods.mrb" in capsys.readouterr().out
    loaded = hv.load(tmp_path / "series")
    scene = mrml.read_scene(target)
    node = scene.GetFirstNodeByName("rods")
    same(loaded, mrml.volume_of(node))
    for view in ("Red", "Yellow", "Green"):
        shown = scene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
        assert shown.GetLayoutName() == view
        assert shown.GetBackgroundVolumeID() == node.GetID()
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    assert selection.GetActiveVolumeID() == node.GetID()


@needs_slicer
def test_convert_takes_a_view_and_tissues_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    hv.write_dicom(chest, tmp_path / "series")
    state = hv.ViewState(
        window=hv.window_presets()["lung"],
        rendering="bone",
        colormap="hot",
        surfaces=(Surface("lung"),),
        overlays=(Overlay(LABELS["left_lung"], "left_lung", opacity=0.3),),
        measurements=(Measurement("ruler", ((0, 0, 0), (30, 40, 0)), text="across"),),
    )
    view = hv.write_session(Session(state, Source()), tmp_path / "v.hounsview.json")
    target = tmp_path / "chest.mrb"
    asked = ["convert", str(tmp_path / "series"), "-o", str(target)]
    assert main([*asked, "--session", str(view), "--tissues"]) == 0
    assert "'hot'" in capsys.readouterr().err
    scene = mrml.read_scene(target)
    node = scene.GetFirstNodeByName("chest")
    back = mrml.view_of(node, scene)
    assert back.window_name == "lung"
    assert back.rendering == "bone"
    assert [one.text for one in back.measurements] == ["across"]
    shown = [(one.name, one.shown) for one in back.overlays if one.shown]
    assert shown == [("left_lung", True)]
    (model,) = mrml.companions_of(node, mrml.SURFACE)
    found = hv.masks.segment(hv.load(tmp_path / "series"))
    lungs = (found.masks["left_lung"] | found.masks["right_lung"]).sum() * 0.2
    assert mrml.mesh_of(model).volume_ml == pytest.approx(lungs, rel=0.03)
    segments = mrml.companion(node, mrml.TISSUES)
    masks = mrml.tissues_of(segments, mrml.geometry_of(node))
    for name, mask in masks.items():
        assert np.array_equal(mask, found.masks[name]), name
    numbers = mrml.rows_of(mrml.companion(node, mrml.NUMBERS))
    assert {row["tissue"] for row in numbers} == set(masks)
    assert main(["convert", str(tmp_path / "series"), "-o", "x.nrrd", "--tissues"]) == 1
    assert "are for .mrb" in capsys.readouterr().err


@needs_slicer
def test_convert_shows_a_session_of_this_scan_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rods = hv.phantom("hu-rods", spacing=(8, 4, 4))
    for name, volume in (("a", rods), ("b", hv.phantom("thorax", spacing=(8, 5, 5)))):
        hv.write_dicom(volume, tmp_path / "both" / name)
    source = mrml.source_at(tmp_path / "both/a", hv.load(tmp_path / "both/a"))
    state = hv.ViewState(window=hv.window_presets()["lung"])
    view = hv.write_session(Session(state, source), tmp_path / "v.hounsview.json")
    target = tmp_path / "x.mrb"
    asked = ["--session", str(view), "-o", str(target)]
    assert main(["convert", str(tmp_path / "both/b"), *asked]) == 1
    assert "holds no series with the SeriesInstanceUID" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "both"), "--series", "1", *asked]) == 1
    assert "do not go with --session" in capsys.readouterr().err
    assert not target.exists()
    assert main(["convert", str(tmp_path / "both"), *asked]) == 0
    scene = mrml.read_scene(target)
    node = scene.GetFirstNodeByName("x")
    assert mrml.volume_of(node).shape == rods.shape
    assert mrml.view_of(node, scene).window_name == "lung"


@needs_slicer
def test_views_that_are_there_are_not_made_again(scene: Any) -> None:
    for _ in range(2):
        node = mrml.volume_node(volume_on(turned(1)), scene)
        mrml.show_in_slices(node, scene)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode") == 3
    shown = scene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    assert shown.GetBackgroundVolumeID() == node.GetID()


def test_what_is_no_scene_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(hv.PathNotFoundError, match="no such file"):
        mrml.read_scene(tmp_path / "absent.mrb")
    with pytest.raises(hv.ArgumentError, match=r"written as \.mrb"):
        mrml.write_scene(None, tmp_path / "a.mrml")
    with pytest.raises(hv.WriteError, match="no such folder"):
        mrml.write_scene(None, tmp_path / "absent" / "a.mrb")


@needs_slicer
def test_a_scene_is_written_and_read_by_a_relative_path(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mrml.volume_node(volume_on(turned(1)), scene, name="here")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for path in (Path("a.mrb"), Path("sub/a.mrb")):
        assert mrml.write_scene(scene, path) == path
        assert mrml.read_scene(path).GetFirstNodeByName("here") is not None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.mrb", "sub"]


@needs_slicer
def test_a_damaged_scene_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.mrb").write_bytes(b"PK no zip")
    with pytest.raises(hv.ImageFormatError, match="holds no scene"):
        mrml.read_scene(tmp_path / "a.mrb")


@needs_slicer
def test_a_scene_that_cannot_be_written_leaves_the_old_file(scene: Any, tmp_path: Path) -> None:
    class Failing:
        def WriteToMRB(self, name: str) -> bool:  # noqa: N802
            Path(name).write_bytes(b"half")
            return False

    target = tmp_path / "a.mrb"
    target.write_bytes(b"old")
    with pytest.raises(hv.WriteError, match="could not be written"):
        mrml.write_scene(Failing(), target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
