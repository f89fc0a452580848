"""HounsView in Slicer's DICOM browser, on Slicer's real scene and subject hierarchy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest

import hounsview as hv
from real_data import FOLDER, needs_data

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from hounsview import mrml
from slicer_dicom_doubles import (
    PLUGIN,
    dicom_application,
    select_highest_confidence,
    slicers_own,
)


@pytest.fixture
def slicer() -> Iterator[Any]:
    with dicom_application(mrml.new_scene()) as running:
        yield running


@pytest.fixture
def plugin(slicer: Any) -> Any:
    import HounsViewDICOMPlugin

    HounsViewDICOMPlugin.HounsViewDICOMPlugin(SimpleNamespace())
    return slicer.modules.dicomPlugins["HounsViewDICOMPlugin"]()


def examined(slicer: Any, plugin: Any, *paths: Path) -> list[Any]:
    return list(plugin.examineForImport(slicer.dicomDatabase.add(*paths)))


def trap(folder: Path, name: str) -> Path:
    hv.write_traps(folder / f"with {name}", [name])
    return folder / f"with {name}" / name


def same(node: Any, volume: hv.Volume) -> None:
    loaded = mrml.volume_of(node)
    np.testing.assert_array_equal(loaded.hu, volume.hu)
    np.testing.assert_allclose(loaded.geometry.affine, volume.geometry.affine, atol=1e-9)
    assert [f.code for f in loaded.report.findings] == [f.code for f in volume.report.findings]


def node_count(slicer: Any) -> int:
    return int(slicer.mrmlScene.GetNumberOfNodes())


# Registering.


def test_the_module_is_hidden_and_registers_its_plugin_beside_others(slicer: Any) -> None:
    import HounsViewDICOMPlugin

    slicer.modules.dicomPlugins = {"Other": object}
    module = SimpleNamespace()
    HounsViewDICOMPlugin.HounsViewDICOMPlugin(module)
    assert module.hidden is True
    assert set(slicer.modules.dicomPlugins) == {"Other", "HounsViewDICOMPlugin"}


def test_a_checkout_with_the_plugins_folder_alone_on_the_path_finds_the_rest() -> None:
    code = (
        "import sys, types\n"
        "sys.path[:0] = [sys.argv[1]]\n"
        "lib = types.ModuleType('DICOMLib')\n"
        "lib.DICOMPlugin = lib.DICOMLoadable = object\n"
        "i18n = types.ModuleType('slicer.i18n'); i18n.tr = str\n"
        "slicer = types.ModuleType('slicer'); slicer.i18n = i18n\n"
        "sys.modules.update({'DICOMLib': lib, 'slicer': slicer, 'slicer.i18n': i18n})\n"
        "import HounsViewDICOMPlugin, hounsview\n"
        "from HounsViewLib import dicom\n"
        "print(hounsview.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code, str(PLUGIN)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parents[1] == PLUGIN.parents[1] / "core"


# What is offered.


def test_a_clean_ct_is_offered_once_without_a_warning(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    (row,) = examined(slicer, plugin, folder)
    assert row.warning == ""
    assert row.selected
    assert row.name == "1: Unnamed Series"
    assert "24 x 20 x 12 voxels" in row.tooltip
    assert sorted(row.files) == sorted(str(f) for f in folder.rglob("*.dcm"))


def test_it_is_ticked_before_slicers_own_and_gives_way_where_it_refuses(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    expected = {"clean": True, "one-slice-missing": True, "rescale-type-not-hu": False}
    for name, ours in expected.items():
        slicer.dicomDatabase.files.clear()
        (files,) = slicer.dicomDatabase.add(trap(tmp_path, name))
        rows, own = plugin.examineForImport([files]), slicers_own(files)
        select_highest_confidence(rows, [own])
        assert [row.selected for row in rows] == [ours], name
        assert own.selected is not ours, name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one-slice-missing", "missing"),
        ("gantry-tilt", "tilt"),
        ("spacing-doubles", "mm"),
        ("cut-off-file", ".dcm"),
    ],
)
def test_what_headers_tell_is_said_before_loading_and_again_afterwards(
    slicer: Any, plugin: Any, tmp_path: Path, name: str, words: str
) -> None:
    folder = trap(tmp_path, name)
    (row,) = examined(slicer, plugin, folder)
    assert row.warning.startswith("Repair: ")
    assert words in row.warning
    assert row.selected
    same(plugin.load(row), hv.load(folder))


def test_no_pixels_are_read_before_loading(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hounsview.dicom.decoding.read_frame", None)
    monkeypatch.setattr("hounsview.series.read_frame", None)
    monkeypatch.setattr("hounsview.reading.read_stack", None)
    (row,) = examined(slicer, plugin, trap(tmp_path, "one-slice-missing"))
    assert row.warning


@pytest.mark.parametrize("name", ["two-phases", "axial-and-sagittal", "mixed-matrix-size"])
def test_stacks_under_one_series_are_a_row_each_with_voxels_of_their_own(
    slicer: Any, plugin: Any, tmp_path: Path, name: str
) -> None:
    folder = trap(tmp_path, name)
    rows = examined(slicer, plugin, folder)
    series = hv.scan(folder).series
    assert [set(row.files) for row in rows] == [set(map(str, one.files)) for one in series]
    assert not set(rows[0].files) & set(rows[1].files)
    assert [row.name for row in rows] == [f"1: Unnamed Series - stack {n} of 2" for n in (1, 2)]
    assert all("one of 2 stacks" in row.warning and row.selected for row in rows)
    nodes = [plugin.load(row) for row in rows]
    for node, one in zip(nodes, series, strict=True):
        same(node, hv.load(folder, series=one.key))
    assert nodes[0].GetName() != nodes[1].GetName()


def test_stacks_in_one_file_are_told_apart(slicer: Any, plugin: Any, tmp_path: Path) -> None:
    folder = trap(tmp_path, "enhanced-multi-frame")
    (file,) = folder.rglob("*.dcm")
    turned = pydicom.dcmread(file)
    turned.SharedFunctionalGroupsSequence[0].pop("PlaneOrientationSequence", None)
    frames = sorted(
        turned.PerFrameFunctionalGroupsSequence,
        key=lambda frame: frame.PlanePositionSequence[0].ImagePositionPatient[2],
    )
    for n, frame in enumerate(frames):
        plane = pydicom.Dataset()
        plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0] if n < 6 else [0, 1, 0, -1, 0, 0]
        frame.PlaneOrientationSequence = [plane]
    turned.save_as(file)
    rows = examined(slicer, plugin, folder)
    assert [row.files for row in rows] == [[str(file)]] * 2
    assert all(row.selected for row in rows)
    for row in rows:
        same(plugin.load(row), hv.load(folder, series=row.hounsviewKey))


def test_a_localizer_inside_the_series_is_no_part_of_the_volume_and_no_row(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "localizer-inside")
    (row,) = examined(slicer, plugin, folder)
    scouts = [one for one in hv.scan(folder).series if one.kind == "localizer"]
    assert not set(map(str, scouts[0].files)) & set(row.files)
    assert row.warning == ""
    assert "localizer" in row.tooltip
    node = plugin.load(row)
    same(node, hv.load(folder))
    assert mrml.volume_of(node).report.has("LEFT_OUT")
    assert plugin.examineForImport([[str(scouts[0].files[0])]]) == []


def test_what_is_no_ct_is_not_offered(slicer: Any, plugin: Any, tmp_path: Path) -> None:
    folder = trap(tmp_path, "other-objects")
    kinds = {}
    for file in folder.rglob("*"):
        if file.is_file():
            slicer.dicomDatabase.add(file)
            offered = plugin.examineForImport([[str(file)]])
            kinds[slicer.dicomDatabase.fileValue(str(file), "0008,0060")] = bool(offered)
    assert {"MR", "SEG", "SR", "RTSTRUCT"} <= set(kinds)
    assert [kind for kind, offered in kinds.items() if offered] in ([], ["CT"])
    # The database may hold them under the series of the CT: that is still found, alone.
    (row,) = plugin.examineForImport([slicer.dicomDatabase.files])
    same(plugin.load(row), hv.load(folder))


def test_mr_is_not_even_read(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trap(tmp_path, "clean")
    for file in folder.rglob("*.dcm"):
        mr = pydicom.dcmread(file)
        mr.Modality = "MR"
        mr.save_as(file)
    monkeypatch.setattr(hv, "scan", None)
    assert examined(slicer, plugin, folder) == []


def test_a_refused_series_is_a_row_with_its_reason_and_not_ticked(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    (row,) = examined(slicer, plugin, trap(tmp_path, "rescale-type-not-hu"))
    assert row.warning.startswith("Refusal: ")
    assert row.confidence < 0.2
    assert not row.selected


def test_what_this_python_cannot_decode_is_said_and_left_to_slicers_own(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trap(tmp_path, "jpeg-ls")
    (files,) = slicer.dicomDatabase.add(folder)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setitem(sys.modules, "pydicom.pixels", None)
    (row,), own = plugin.examineForImport([files]), slicers_own(files)
    assert "JPEG-LS" in row.warning
    assert "slicer.util.pip_install('imagecodecs')" in row.warning
    select_highest_confidence([row], [own])
    assert (row.selected, own.selected) == (False, True)
    before = node_count(slicer)
    assert plugin.load(row) is None
    assert "imagecodecs" in slicer.said[0]
    assert node_count(slicer) == before


def test_a_lone_slice_beside_a_volume_is_a_row_and_not_ticked(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "axial-and-sagittal")
    stray = hv.scan(folder).series[1].files
    for file in stray[1:]:
        file.unlink()
    volume, single = examined(slicer, plugin, folder)
    assert (len(volume.files), len(single.files)) == (12, 1)
    assert (volume.selected, single.selected) == (True, False)
    alone = plugin.examineForImport([single.files])
    assert [row.selected for row in alone] == [True]


def test_a_series_is_examined_once_whatever_came_out(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = slicer.dicomDatabase.add(trap(tmp_path, "clean"))
    scout = trap(tmp_path, "localizer-inside")
    (file,) = next(one for one in hv.scan(scout).series if one.kind == "localizer").files
    slicer.dicomDatabase.add(file)
    lists = [*clean, [str(file)]]
    first = plugin.examineForImport(lists)
    monkeypatch.setattr(hv, "scan", None)
    assert plugin.examineForImport(lists) == first


def test_files_that_the_database_lost_are_said(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    (files,) = slicer.dicomDatabase.add(folder)
    last = Path(sorted(files)[-1])
    last.unlink()
    (row,) = plugin.examineForImport([files])
    assert (
        row.warning == "1 file(s) of this series that the database knows are not on the disk."
    )
    same(plugin.load(row), hv.load(folder))
    for file in folder.rglob("*.dcm"):
        file.unlink()
    assert plugin.examineForImport([[*files, "again"]]) == []


# What is loaded.


def test_only_the_given_files_are_used_though_others_lie_beside_them(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    others = trap(tmp_path, "one-slice-missing")
    for file in others.rglob("*.dcm"):
        file.rename(next(folder.rglob("*.dcm")).with_name(f"other-{file.name}"))
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM")
    mine = [str(f) for f in folder.rglob("*.dcm") if f.name[:5] not in ("other", "broke")]
    slicer.dicomDatabase.add(folder)
    (row,) = plugin.examineForImport([tuple(mine)])
    assert row.warning == ""
    same(plugin.load(row), hv.load(trap(tmp_path / "again", "clean")))


def test_a_loaded_volume_has_its_place_in_slicer(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    for file in folder.rglob("*.dcm"):
        slice_ = pydicom.dcmread(file)
        slice_.SeriesDescription = "Ab|do/men*"
        slice_.WindowCenter, slice_.WindowWidth = [55, -600], [333, 1500]
        slice_.save_as(file)
    (row,) = examined(slicer, plugin, folder)
    assert row.name == "1: Ab-do-men(star)"
    node = plugin.load(row)
    assert node.GetName() == row.name
    uids = [pydicom.dcmread(file).SOPInstanceUID for file in row.files]
    assert node.GetAttribute("DICOM.instanceUIDs") == " ".join(uids)
    display = node.GetDisplayNode()
    assert (display.GetLevel(), display.GetWindow()) == (55, 333)
    assert display.GetNumberOfWindowLevelPresets() == 2
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = tree.GetItemByDataNode(node)
    uid_name = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMUIDName()
    assert tree.GetItemUID(item, uid_name) == pydicom.dcmread(row.files[0]).SeriesInstanceUID
    assert tree.GetItemUID(tree.GetItemParent(item), uid_name) == "1.2.3"
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActiveVolumeID() == node.GetID()


@pytest.mark.parametrize("name", ["clean", "axial-and-sagittal", "two-phases"])
def test_what_the_browser_loaded_has_a_session_that_finds_it_again(
    slicer: Any, plugin: Any, tmp_path: Path, name: str
) -> None:
    rows = examined(slicer, plugin, trap(tmp_path, name))
    assert len(rows) == (1 if name == "clean" else 2)
    for row in rows:
        node = plugin.load(row)
        file = mrml.save_session(node, slicer.mrmlScene, tmp_path / "v.hounsview.json")
        again, _ = hv.load_session(hv.read_session(file))
        loaded = mrml.volume_of(node)
        assert np.array_equal(again.hu, loaded.hu)
        assert again.geometry.is_close(loaded.geometry)


def test_findings_and_marks_stand_beside_the_volume_in_the_tree(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = examined(slicer, plugin, trap(tmp_path, "padding-with-tag"))
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    shown = ("vtkMRMLTextNode", "vtkMRMLTableNode", "vtkMRMLSegmentationNode")
    original = plugin.addSeriesInSubjectHierarchy

    def as_the_application_does(loadable: Any, node: Any) -> None:
        for name in shown:
            each = slicer.mrmlScene.GetFirstNodeByClass(name)
            tree.CreateItem(tree.GetSceneItemID(), each)
        original(loadable, node)

    monkeypatch.setattr(plugin, "addSeriesInSubjectHierarchy", as_the_application_does)
    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    before = tree.CreateItem(tree.GetSceneItemID(), mine)
    study = tree.GetItemParent(tree.GetItemByDataNode(plugin.load(row)))
    for name in shown:
        item = tree.GetItemByDataNode(slicer.mrmlScene.GetFirstNodeByClass(name))
        assert tree.GetItemParent(item) == study
    assert tree.GetItemParent(before) == tree.GetSceneItemID()


def test_the_active_volume_is_shown_in_the_slice_views(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetLayoutName("Red")
    (row,) = examined(slicer, plugin, trap(tmp_path, "clean"))
    node = plugin.load(row)
    assert composite.GetBackgroundVolumeID() == node.GetID()


def test_windows_that_are_none_are_passed_over(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    for file in folder.rglob("*.dcm"):
        slice_ = pydicom.dcmread(file)
        slice_.WindowCenter, slice_.WindowWidth = [40, 50], [0, 350]
        slice_.save_as(file)
    node = plugin.load(examined(slicer, plugin, folder)[0])
    assert (node.GetDisplayNode().GetLevel(), node.GetDisplayNode().GetWindow()) == (50, 350)
    plain = plugin.load(examined(slicer, plugin, trap(tmp_path / "b", "two-phases"))[0])
    assert (plain.GetDisplayNode().GetLevel(), plain.GetDisplayNode().GetWindow()) == (40, 400)


def test_a_loadable_that_names_its_files_alone_is_loaded_too(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    from DICOMLib import DICOMLoadable

    folder = trap(tmp_path, "two-phases")
    first, _ = examined(slicer, plugin, folder)
    bare = DICOMLoadable()
    bare.files, bare.name = first.files, "bare"
    same(plugin.load(bare), hv.load(first.files))


# Errors.


def test_a_refusal_is_shown_with_its_reason_and_leaves_nothing_in_the_scene(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    (row,) = examined(slicer, plugin, trap(tmp_path, "rescale-type-not-hu"))
    before = node_count(slicer)
    assert plugin.load(row) is None
    assert node_count(slicer) == before
    assert len(slicer.said) == 1
    assert row.name in slicer.said[0]
    assert "CT volume (HU checked)" in slicer.said[0]
    assert "RescaleType" in slicer.said[0]


def test_files_that_vanished_since_they_were_examined_are_an_error_that_is_shown(
    slicer: Any, plugin: Any, tmp_path: Path
) -> None:
    folder = trap(tmp_path, "clean")
    (row,) = examined(slicer, plugin, folder)
    for file in list(folder.rglob("*.dcm"))[::2]:
        file.unlink()
    before = node_count(slicer)
    assert plugin.load(row) is None
    assert "no series" in slicer.said[0]
    assert node_count(slicer) == before


def test_a_failure_after_the_node_was_made_takes_everything_out_again(
    slicer: Any, plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = examined(slicer, plugin, trap(tmp_path, "padding-with-tag"))
    before = node_count(slicer)

    def broken(loadable: Any, node: Any) -> None:
        msg = "the tree is full"
        raise RuntimeError(msg)

    monkeypatch.setattr(plugin, "addSeriesInSubjectHierarchy", broken)
    assert plugin.load(row) is None
    assert "the tree is full" in slicer.said[0]
    assert node_count(slicer) == before
    monkeypatch.undo()
    assert plugin.load(row) is not None


# Real data.


@needs_data
@pytest.mark.parametrize("name", ["ct-with-seg", "ct-with-rtstruct", "tilt-ge-varspacing"])
def test_real_series_are_offered_and_loaded_as_the_library_reads_them(
    slicer: Any, plugin: Any, name: str
) -> None:
    rows = examined(slicer, plugin, FOLDER / name)
    (row,) = rows
    volume = hv.load(FOLDER / name)
    assert bool(row.warning) is (volume.report.status != "ok")
    same(plugin.load(row), volume)


@needs_data
def test_a_real_series_that_is_no_volume_is_told_and_not_ticked(
    slicer: Any, plugin: Any
) -> None:
    (row,) = examined(slicer, plugin, FOLDER / "odd-series/notavolume-siemens")
    assert "one place" in row.warning
    assert not row.selected
    assert plugin.load(row) is None
    assert "one place" in slicer.said[0]
