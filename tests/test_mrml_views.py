"""A view as MRML nodes, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.viewstate import CropBox, Measurement, Transfer
from mrml_kit import needs_slicer, turned, volume_on

pytestmark = needs_slicer

A, B, C = (10.25, -20.5, 30.125), (1.0, 2.0, -3.0), (-7.1, 0.0, 5.3)
ON_AXIAL = (-5.5, 12.25, 30.125)
MEASUREMENTS = [
    Measurement("probe", (A,), text='größer? "3 mm"; a:b %20 <c>'),
    Measurement("ruler", (A, B), plane="coronal"),
    Measurement("angle", (A, B, C), plane="sagittal"),
    Measurement("rectangle", (A, ON_AXIAL)),
    Measurement("ellipse", (A, ON_AXIAL)),
]


@pytest.fixture
def scene() -> Any:
    return mrml.new_scene()


def same_measurement(a: Measurement, b: Measurement, tolerance: float = 1e-9) -> None:
    assert (a.kind, a.plane, a.text) == (b.kind, b.plane, b.text)
    assert a.oblique == pytest.approx(b.oblique)
    assert np.asarray(a.points) == pytest.approx(np.asarray(b.points), abs=tolerance)


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda one: one.kind)
def test_a_measurement_comes_back_from_its_markups(
    scene: Any, measurement: Measurement, tmp_path: Path
) -> None:
    node = mrml.markups_node(measurement, scene, name="M")
    (back,) = mrml.measurements_of(node)
    same_measurement(back, measurement)
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "m.mrb"))
    (read,) = mrml.measurements_of(again.GetFirstNodeByName("M"))
    same_measurement(read, measurement, tolerance=1e-6)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_region_on_a_turned_plane_comes_back(scene: Any, kind: str) -> None:
    from hounsview.planes import plane_axes

    turn = (10.0, -25.0, 40.0)
    right, down = plane_axes("coronal", turn)
    other = np.asarray(A) + 12 * right - 7 * down
    drawn = Measurement(kind, (A, tuple(other.tolist())), plane="coronal", oblique=turn)
    (back,) = mrml.measurements_of(mrml.markups_node(drawn, scene))
    same_measurement(back, drawn)


def test_slicer_measures_what_the_library_measures(scene: Any) -> None:
    line = mrml.markups_node(Measurement("ruler", (A, B)), scene)
    assert line.GetLineLengthWorld() == pytest.approx(float(np.linalg.norm(np.subtract(A, B))))
    angle = mrml.markups_node(Measurement("angle", (A, B, C)), scene)
    one, other = np.subtract(A, B), np.subtract(C, B)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert angle.GetAngleDegrees() == pytest.approx(np.degrees(np.arccos(cosine)))
    box = mrml.markups_node(Measurement("rectangle", (A, ON_AXIAL)), scene)
    sides = 2 * (abs(A[0] - ON_AXIAL[0]) + abs(A[1] - ON_AXIAL[1]))
    assert box.GetCurveLengthWorld() == pytest.approx(sides)


def test_what_a_person_draws_in_slicer_is_read(scene: Any) -> None:
    import slicer.util

    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    slicer.util.updateMarkupsControlPointsFromArray(points, np.array([[1.0, 2, 3], [4, 5, 6]]))
    probes = mrml.measurements_of(points)
    assert [one.points for one in probes] == [((-1, -2, 3),), ((-4, -5, 6),)]
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "L")
    assert mrml.measurements_of(line) == ()
    slicer.util.updateMarkupsControlPointsFromArray(line, np.array([[1.0, 2, 3], [4, 5, 6]]))
    (ruler,) = mrml.measurements_of(line)
    assert (ruler.kind, ruler.points) == ("ruler", ((-1, -2, 3), (-4, -5, 6)))
    curve = scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", "C")
    slicer.util.updateMarkupsControlPointsFromArray(curve, np.eye(3))
    assert mrml.measurements_of(curve) == ()
    # Somebody took a corner of a rectangle and points of an ellipse away.
    for one in MEASUREMENTS[3:]:
        node = mrml.markups_node(one, scene)
        node.RemoveNthControlPoint(1)
        assert mrml.measurements_of(node) == ()
    broken = mrml.markups_node(MEASUREMENTS[1], scene)
    broken.SetAttribute("hounsview.oblique", "steep")
    broken.SetAttribute("hounsview.plane", "slanted")
    (ruler,) = mrml.measurements_of(broken)
    assert (ruler.plane, ruler.oblique) == ("axial", (0, 0, 0))


def view() -> hv.ViewState:
    return hv.ViewState(
        window=hv.Window(-600, 1500),
        crosshair=A,
        rendering="bone",
        transfer=Transfer(shift=20.0, opacity=0.5),
        crop=CropBox(low=(-10, -20, -30), high=(15, 25, 35)),
        measurements=tuple(MEASUREMENTS),
    )


def test_a_view_comes_back_from_the_scene(scene: Any, tmp_path: Path) -> None:
    state = view()
    node = mrml.volume_node(volume_on(turned(1)), scene, name="CT")
    mrml.show_view(state, node, scene)
    back = mrml.view_of(node, scene, base=state.changed(crosshair=None, crop=None))
    assert back.window == state.window
    assert back.crosshair == pytest.approx(A)
    assert back.crop is not None
    assert back.crop.low == pytest.approx((-10, -20, -30))
    assert back.crop.high == pytest.approx((15, 25, 35))
    assert back.rendering == "bone"
    for one, other in zip(back.measurements, state.measurements, strict=True):
        same_measurement(one, other)
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "v.mrb"))
    read = mrml.view_of(again.GetFirstNodeByName("CT"), again)
    assert read.window == state.window
    assert read.crop is not None
    assert read.crop.low == pytest.approx((-10, -20, -30))
    assert [one.kind for one in read.measurements] == [one.kind for one in MEASUREMENTS]


def test_the_transfer_function_is_that_of_the_preset(scene: Any, tmp_path: Path) -> None:
    state = view()
    node = mrml.volume_node(volume_on(turned(1)), scene, name="CT")
    shown = mrml.show_view(state, node, scene)
    assert shown.rendering.GetVolumePropertyNode() is shown.transfer
    assert shown.rendering.GetVolumeNode() is node
    assert shown.rendering.GetVisibility()
    assert node.GetDisplayNode().IsA("vtkMRMLScalarVolumeDisplayNode")
    preset = hv.rendering_presets()["bone"]
    assert preset.gradient_opacity
    edge = float(np.mean([2.5, 0.7, 0.6]))
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "v.mrb"))
    read = again.GetFirstNodeByClass("vtkMRMLVolumePropertyNode")
    for made in (shown.transfer, read):
        looks = made.GetVolumeProperty()
        for hu, share in preset.scalar_opacity:
            opacity = looks.GetScalarOpacity().GetValue(hu + 20)
            assert opacity == pytest.approx(share / 2, abs=1e-4)
        for slope, share in preset.gradient_opacity:
            factor = looks.GetGradientOpacity().GetValue(slope * edge)
            assert factor == pytest.approx(share, abs=1e-4)
        hu, red, green, blue = preset.color[-1]
        color = looks.GetRGBTransferFunction().GetColor(hu + 20)
        assert color == pytest.approx((red, green, blue), abs=1e-4)
        assert bool(looks.GetShade()) == preset.shade


def test_without_a_crosshair_it_stands_in_the_middle(scene: Any) -> None:
    volume = volume_on(turned(1))
    node = mrml.volume_node(volume, scene)
    shown = mrml.show_view(hv.ViewState(), node, scene)
    x, y, z = volume.geometry.centre
    assert shown.crosshair.GetCrosshairRAS() == pytest.approx((-x, -y, z))
    assert shown.crop is None
    assert not shown.rendering.GetCroppingEnabled()
    assert mrml.view_of(node, scene).crop is None
    assert mrml.show_view(hv.ViewState(), node, scene).crosshair is shown.crosshair
