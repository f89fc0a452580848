"""The scene of the application, with the views that Slicer's own logic keeps there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hounsview as hv
from hounsview import mrml

pytest.importorskip("slicer", reason="slicer-core is not installed")

from mrml_kit import needs_slicer
from slicer_application import SIX_SLICES, TABLE, ids, looks, views

pytestmark = needs_slicer


@pytest.fixture
def scene() -> Iterator[Any]:
    made = mrml.new_scene()
    yield made
    made.Clear(1)


def rods(scene: Any) -> Any:
    return mrml.volume_node(hv.phantom("hu-rods", spacing=(10, 4, 4)), scene)


def test_views_that_slicer_makes_meanwhile_are_not_taken_back(scene: Any) -> None:
    with views(scene) as shown:
        before = ids(scene)
        with pytest.raises(RuntimeError, match="late"), mrml.all_or_nothing(scene):
            node = rods(scene)
            mrml.show_fitting(node, scene)
            shown.arrange(SIX_SLICES)
            shown.arrange(TABLE)
            made = ids(scene) - before
            raise RuntimeError("too late")
        assert node.GetScene() is None
        left = ids(scene) - before
        kinds = {scene.GetNodeByID(one).GetClassName() for one in left}
        # The slices in 3D are models under a transform, which Slicer makes for each view.
        assert {"vtkMRMLSliceNode", "vtkMRMLTableViewNode", "vtkMRMLModelNode"} <= kinds
        # Slicer makes a new display node for a volume that loses its own while it is shown.
        assert not [one for one in left if "ScalarVolume" in one or "TableNode" in one]
        assert len(made) > len(left)


def test_undoing_a_step_leaves_the_views(scene: Any) -> None:
    with views(scene) as shown:
        before = ids(scene)
        with mrml.all_or_nothing(scene) as added:
            node = rods(scene)
            mrml.show_fitting(node, scene)
            shown.arrange(SIX_SLICES)
        mrml.remove_all(added, scene)
        assert node.GetScene() is None
        assert not [one for one in ids(scene) - before if "ScalarVolume" in one]
        lower = scene.GetSingletonNode("Green+", "vtkMRMLSliceNode")
        assert lower is not None
        assert scene.GetSingletonNode("Green+", "vtkMRMLSliceCompositeNode") is not None
        assert before < ids(scene)
