"""The panel in a Slicer that has no OpenCV, as every new one: tissues ask for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.anatomy import COLORS, LABELS
from hounsview.viewstate import Overlay

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("PySide6", reason="the doubles of Slicer's widgets stand on PySide6")

WITHOUT = """
import sys


class NoOpenCV:
    def find_spec(self, name, *_):
        if name.split(".")[0] == "cv2":
            raise ModuleNotFoundError(name, name=name)


sys.meta_path.insert(0, NoOpenCV())
from pathlib import Path

from hounsview import mrml
from slicer_doubles import application, module_widget

with application(mrml.read_scene(Path(sys.argv[1]))) as slicer, module_widget() as widget:
    from HounsViewLib import tissues

    def asked():
        raise RuntimeError("OpenCV was asked for")

    tissues.require_opencv = asked
    node = slicer.mrmlScene.GetFirstNodeByName("chest")
    widget.ui.volumeBox.setCurrentNode(node)
    view = widget.logic.view(node)
    print([each.name for each in view.overlays if each.shown])
    for do in (widget.onTissues, lambda: widget.onSurface("bone", True)):
        try:
            do()
        except RuntimeError as error:
            print(error)
    assert "cv2" not in sys.modules
"""


def test_a_scene_with_tissues_is_shown_and_finding_tissues_asks(tmp_path: Path) -> None:
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    name = "left_lung"
    state = hv.ViewState(overlays=(Overlay(LABELS[name], name, COLORS[name]),))
    mrml.save_scene(chest, tmp_path / "chest.mrb", state=state, tissues=True)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "chest.mrb")],
        capture_output=True, text=True, check=False, timeout=120, cwd=Path(__file__).parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["['left_lung']", *["OpenCV was asked for"] * 2]
