"""The HounsView module for 3D Slicer, on Slicer's real MRML core, with doubles for the rest."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import hounsview as hv

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "slicer_ext/HounsView"
SCRIPTS = sorted(MODULE.rglob("*.py"))

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

from hounsview import mrml  # noqa: E402
from slicer_doubles import application, module_widget  # noqa: E402


@pytest.fixture
def slicer() -> Iterator[Any]:
    with application(mrml.new_scene()) as running:
        yield running


@pytest.fixture
def widget(slicer: Any) -> Iterator[Any]:
    with module_widget() as made:
        yield made


def test_the_modules_own_self_test_passes(slicer: Any) -> None:
    import HounsView

    HounsView.HounsViewTest().runTest()


def test_a_folder_is_loaded_from_the_panel_and_shown_with_what_was_found(
    widget: Any, slicer: Any, tmp_path: Path
) -> None:
    traps = hv.write_traps(tmp_path / "traps", ["one-slice-missing"])
    assert traps
    widget.ui.pathLine.currentPath = str(tmp_path / "traps")
    widget.ui.loadButton.click()
    node = widget.ui.volumeBox.currentNode()
    volume = hv.load(tmp_path / "traps")
    np.testing.assert_array_equal(mrml.volume_of(node).hu, volume.hu)
    np.testing.assert_allclose(
        mrml.volume_of(node).geometry.affine, volume.geometry.affine, atol=1e-9
    )
    assert "missing" in widget.ui.findingsText.toPlainText()
    assert slicer.app.cursors == 0


def test_a_window_is_one_choice(widget: Any, slicer: Any) -> None:
    node = mrml.volume_node(hv.phantom("hu-rods", spacing=(10, 4, 4)), slicer.mrmlScene)
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.windowBox.textActivated.emit("bone")
    display = node.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (1800, 400)


def test_padding_that_slicer_left_is_found_and_a_copy_repaired(
    widget: Any, slicer: Any
) -> None:
    chest = hv.phantom("thorax", spacing=(8, 4, 4))
    spoilt = chest.hu.copy()
    j, i = np.indices(chest.shape[1:])
    outside = np.hypot(j - chest.shape[1] / 2, i - chest.shape[2] / 2) > chest.shape[2] / 2
    spoilt[:, outside] = -3024
    node = mrml.volume_node(hv.Volume(spoilt, chest.geometry), slicer.mrmlScene, name="ct")
    widget.ui.volumeBox.setCurrentNode(node)
    widget.ui.auditButton.click()
    assert "-3024" in widget.ui.findingsText.toPlainText()
    widget.ui.repairButton.click()
    copy = widget.ui.volumeBox.currentNode()
    assert copy is not node
    mended = mrml.volume_of(copy)
    assert (mended.hu[:, outside] == hv.AIR_HU).all()
    np.testing.assert_array_equal(mended.hu[:, ~outside], spoilt[:, ~outside])
    assert mrml.volume_of(node).hu.min() == -3024, "the original stays as it was"


def test_without_a_volume_nothing_can_be_pressed_and_scripts_are_told(
    widget: Any, slicer: Any
) -> None:
    from HounsViewLib import panel

    for name in panel.OF_A_VOLUME:
        assert not getattr(widget.ui, name).isEnabled(), name
    surface = partial(widget.onSurface, "bone", True)
    for do in (widget.onAudit, widget.onRepair, widget.onTissues, surface):
        slicer.said.clear()
        with pytest.raises(ValueError, match="Choose a volume"):
            do()
        assert "Choose a volume first" in slicer.said[0]
        assert slicer.app.cursors == 0


def test_closing_the_scene_and_leaving_the_module_leave_nothing_behind(
    widget: Any, slicer: Any
) -> None:
    scene = slicer.mrmlScene
    assert widget.Observations
    scene.StartClose() if hasattr(scene, "StartClose") else widget.onSceneStartClose()
    assert widget._parameters is None
    widget.onSceneEndClose()
    assert widget._parameters is not None
    widget.exit()
    widget.cleanup()
    assert widget._connection is None
    assert not list(widget.Observations)


# Packaging.


def test_every_file_of_the_module_is_listed_and_every_listed_file_is_there() -> None:
    text = (MODULE / "CMakeLists.txt").read_text().replace("${MODULE_NAME}", "HounsView")
    listed = set(re.findall(r"^  (\S+\.(?:py|ui|png))$", text, re.MULTILINE))
    there = {
        str(path.relative_to(MODULE))
        for path in MODULE.rglob("*")
        if path.suffix in (".py", ".ui", ".png") and "__pycache__" not in path.parts
    }
    assert listed == there
    assert [path.name for path in MODULE.glob("*.py")] == ["HounsView.py"]


def test_the_index_entry_names_what_the_extension_is() -> None:
    entry = json.loads((ROOT / "slicer_ext/HounsView.json").read_text())
    needed = {"build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url"}
    assert needed <= set(entry)
    cmake = (ROOT / "CMakeLists.txt").read_text()
    assert "project(HounsView)" in cmake
    assert f'set(EXTENSION_CATEGORY "{entry["category"]}")' in cmake
    assert (ROOT / "LICENSE").exists()


def test_installed_beside_the_module_the_library_loads_with_numpy_pydicom_and_vtk_alone(
    tmp_path: Path,
) -> None:
    """What CMake installs, put where it puts it; the checkout is out of reach."""
    import shutil

    lib = tmp_path / "qt-scripted-modules"
    keep = shutil.ignore_patterns("__pycache__")
    shutil.copytree(MODULE, lib, ignore=keep)
    shutil.copytree(ROOT / "core/hounsview", lib / "hounsview", ignore=keep)
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "banned = {'cv2', 'imagecodecs', 'nibabel', 'pyvista', 'traitlets', 'rich'}\n"
        "class Not:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in banned: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Not())\n"
        "from HounsViewLib import loading\n"
        "import hounsview as hv; from hounsview import mrml\n"
        "assert sys.argv[1] in hv.__file__, hv.__file__\n"
        "hv.write_dicom(hv.phantom('hu-rods', spacing=(10, 4, 4)), sys.argv[2])\n"
        "node = loading.load(sys.argv[2], mrml.new_scene())\n"
        "print(mrml.volume_of(node).unit, banned & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(lib), str(tmp_path / "scan")],
        capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "HU set()"


# What must not be in the sources.


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_sources_keep_to_slicers_rules(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    known = {*sys.stdlib_module_names, "slicer", "HounsViewLib"}
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            )
            assert {str(name).split(".")[0] for name in names} <= known, "file-scope import"
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "_"
        ):
            assert isinstance(node.args[0], ast.Constant), "only plain text is translated"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_text = bool(node.args) and isinstance(node.args[0], ast.Constant)
            assert not (node.func.attr == "connect" and is_text), "string connect"
    assert not re.search(r"slicer\.(arrayFrom|getNode|loadVolume|updateVolume)", text)


def test_the_panel_names_what_the_widget_uses() -> None:
    tree = ElementTree.parse(MODULE / "Resources/UI/HounsView.ui")
    names = {each.get("name") for each in tree.iter("widget")}
    used = set(re.findall(r"self\.ui\.(\w+)", (MODULE / "HounsView.py").read_text()))
    assert used <= names
