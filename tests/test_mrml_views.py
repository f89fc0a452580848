"""A view as MRML nodes, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv
from hounsview import mrml
from hounsview.viewstate import Camera, CropBox, Measurement, PlaneView, Slab, Transfer
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


def test_a_transfer_node_has_the_name_that_it_was_given(scene: Any) -> None:
    from hounsview.mrml.renderings import transfer_node

    bone = hv.rendering_presets()["bone"]
    assert transfer_node(bone, scene, mean_edge=1.0, name="mine").GetName() == "mine"
    assert transfer_node(bone, scene, mean_edge=1.0).GetName() == bone.label
    node = mrml.volume_node(volume_on(turned(1)), scene)
    for preset in ("bone", "skin"):
        shown = mrml.show_view(hv.ViewState(rendering=preset), node, scene)
        assert shown.transfer.GetName() == hv.rendering_presets()[preset].label


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


def any_view(seed: int) -> hv.ViewState:
    """A view in which nothing is as it is by default."""
    rng = np.random.default_rng(seed)

    def plane() -> PlaneView:
        pan = rng.uniform(-20, 20, 2).tolist()
        return PlaneView(zoom=float(rng.uniform(0.5, 6)), pan=(pan[0], pan[1]))

    x, y, z = rng.uniform(-8, 8, 3).tolist()
    turn = tuple(rng.uniform(-80, 80, 3).tolist()) if seed % 2 else (0.0, 0.0, 0.0)
    return hv.ViewState(
        window=hv.Window(float(rng.integers(-600, 600)), float(rng.integers(2, 3000))),
        crosshair=(x, y, z),
        oblique=turn,
        axial=plane(),
        coronal=plane(),
        sagittal=plane(),
        slab=Slab(float(rng.uniform(3, 40)), ("mip", "minip", "mean")[seed % 3]),
        layout=("four-up", "axial", "coronal", "sagittal", "3d")[seed % 5],
        show_crosshair=bool(seed % 2),
        rendering=list(hv.rendering_presets())[seed % 8],
        transfer=Transfer(float(rng.uniform(-90, 90)), float(rng.uniform(0.2, 1))),
        quality=("auto", "full")[seed % 2],
        camera=Camera(
            float(rng.uniform(-179, 179)), float(rng.uniform(-89, 89)),
            float(rng.uniform(0.3, 5)), (float(rng.uniform(-9, 9)), float(rng.uniform(-9, 9))),
        ),
        crop=CropBox(low=(-10.5, -20, -30), high=(15, 25.25, 35)),
        show_volume=bool(seed % 3),
        show_planes=bool(seed % 2),
    )  # fmt: skip


def numbers(values: Any) -> Any:
    """All numbers in plain data, in order; and all else."""
    if isinstance(values, dict):
        return [n for key in sorted(values) for n in numbers(values[key])]
    if isinstance(values, list):
        return [n for each in values for n in numbers(each)]
    return [values]


def same_view(a: hv.ViewState, b: hv.ViewState, tolerance: float) -> None:
    for (key, one), other in zip(a.to_dict().items(), b.to_dict().values(), strict=True):
        for x, y in zip(numbers(one), numbers(other), strict=True):
            if isinstance(x, float):
                assert x == pytest.approx(y, abs=tolerance, rel=1e-5), key
            else:
                assert x == y, key


@pytest.mark.parametrize("seed", range(15))
def test_all_that_slicer_can_show_of_a_view_comes_back(
    scene: Any, seed: int, tmp_path: Path
) -> None:
    state = any_view(seed)
    node = mrml.volume_node(volume_on(turned(seed), (20, 30, 25)), scene, name="CT")
    shown = mrml.show_view(state, node, scene)
    assert not [note for note in shown.notes if "air around" not in note]
    bare = hv.ViewState()
    same_view(mrml.view_of(node, scene, base=bare), state, 1e-6)
    again = mrml.read_scene(mrml.write_scene(scene, tmp_path / "v.mrb"))
    same_view(mrml.view_of(again.GetFirstNodeByName("CT"), again, base=bare), state, 1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_view_shown_twice_leaves_as_many_nodes_as_once(scene: Any, seed: int) -> None:
    node = mrml.volume_node(volume_on(turned(seed), (20, 30, 25)), scene, name="CT")
    first = any_view(seed).changed(measurements=tuple(MEASUREMENTS))
    other = any_view(seed + 1).changed(measurements=tuple(MEASUREMENTS))
    for state in (first, other):  # one of them may need the copy inside the body
        mrml.show_view(state, node, scene)
    count = scene.GetNumberOfNodes()
    for state in (first, other, first):
        mrml.show_view(state, node, scene)
    assert scene.GetNumberOfNodes() == count
    mrml.show_view(first.changed(measurements=(), crop=None), node, scene)
    same_view(mrml.view_of(node, scene), first.changed(measurements=(), crop=None), 1e-6)


def test_planes_lie_where_slicers_own_presets_lie(scene: Any) -> None:
    import slicer

    from hounsview.mrml.application import array_of_matrix

    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    node = mrml.volume_node(volume_on(np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]]), scene)
    mrml.show_view(hv.ViewState(), node, scene)
    for layout, name in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
        ours = scene.GetSingletonNode(layout, "vtkMRMLSliceNode")
        preset = scene.CreateNodeByClass("vtkMRMLSliceNode")
        preset.SetOrientation(name)
        wanted = array_of_matrix(preset.GetSliceToRAS())[:3, :3]
        assert array_of_matrix(ours.GetSliceToRAS())[:3, :3] == pytest.approx(wanted), layout


def test_what_a_person_changed_in_slicer_is_read(scene: Any) -> None:
    volume = volume_on(np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], (40, 40, 40))
    node = mrml.volume_node(volume, scene)
    shown = mrml.show_view(hv.ViewState(crosshair=(5, 6, 8)), node, scene)
    between = hv.ViewState(crosshair=(5.25, 6.4, 8.7))
    mrml.show_view(between, node, scene)
    assert mrml.view_of(node, scene, base=hv.ViewState()).crosshair == pytest.approx(
        (5.25, 6.4, 8.7)
    ), "the slices shown are those nearest to it"
    mrml.show_view(hv.ViewState(crosshair=(5, 6, 8)), node, scene)
    red = scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    red.SetSliceOffset(20.0)
    assert mrml.view_of(node, scene).crosshair == pytest.approx((5, 6, 20))
    red.SetSliceToRASByNTP(0.6, 0, 0.8, -1, 0, 0, 0, 0, 0, 0)
    assert mrml.view_of(node, scene).oblique == (0, 0, 0), "one view alone was turned"
    looks = shown.transfer.GetVolumeProperty()
    looks.GetScalarOpacity().AddPoint(77.0, 0.125)
    custom = mrml.view_of(node, scene).transfer.scalar_opacity
    assert custom is not None
    assert (77.0, 0.125) in custom
    view = scene.GetSingletonNode("1", "vtkMRMLViewNode")
    view.SetRaycastTechnique(view.MaximumIntensityProjection)
    seen = mrml.view_of(node, scene)
    assert (seen.rendering, seen.transfer) == ("MIP", Transfer())
    shown.rendering.SetVisibility(False)
    assert not mrml.view_of(node, scene).show_volume


def test_slicers_own_volume_rendering_is_read_as_points(scene: Any) -> None:
    node = mrml.volume_node(volume_on(turned(1)), scene)
    display = scene.AddNewNodeByClass("vtkMRMLCPURayCastVolumeRenderingDisplayNode")
    node.AddAndObserveDisplayNodeID(display.GetID())
    theirs = scene.AddNewNodeByClass("vtkMRMLVolumePropertyNode")
    opacity = theirs.GetVolumeProperty().GetScalarOpacity()
    opacity.RemoveAllPoints()
    for hu, share in ((-100.0, 0.0), (300.0, 0.4), (300.0, 0.8)):
        opacity.AddPoint(hu, share)
    display.SetAndObserveVolumePropertyNodeID(theirs.GetID())
    read = mrml.view_of(node, scene).transfer.scalar_opacity
    assert read is not None
    assert read[0] == (-100.0, 0.0)
    # A preset of ours does not write over a node that a person made.
    mrml.show_view(hv.ViewState(rendering="bone"), node, scene)
    assert opacity.GetValue(-100.0) == 0
    assert theirs.GetScene() is scene


def test_what_slicer_cannot_show_is_said_and_kept(scene: Any) -> None:
    node = mrml.volume_node(volume_on(turned(1)), scene)
    state = hv.ViewState(colormap="hot", rendering_beside="bone")
    notes = mrml.show_view(state, node, scene).notes
    assert any("hot" in note for note in notes)
    assert any("bone" in note for note in notes)
    same_view(mrml.view_of(node, scene).changed(crosshair=None), state, 1e-6)


def test_presets_that_see_air_are_drawn_inside_the_body(scene: Any) -> None:
    chest = hv.phantom("thorax", spacing=(8, 5, 5))
    node = mrml.volume_node(chest, scene, name="chest")
    before = mrml.volume_of(node).hu
    lung = mrml.show_view(hv.ViewState(rendering="lung"), node, scene)
    drawn = lung.rendering.GetVolumeNode()
    assert drawn is not node
    assert drawn.GetHideFromEditors()
    seen = mrml.volume_of(drawn, unit="HU")
    assert seen.geometry.is_close(chest.geometry)
    body = hv.masks.body(chest)
    assert (seen.hu[~body] == 0).all()
    core = seen.hu[len(body) // 2][body[len(body) // 2]]
    assert (core < -600).mean() > 0.2, "the air in the lungs stays"
    bone = mrml.show_view(hv.ViewState(rendering="bone"), node, scene)
    assert bone.rendering.GetVolumeNode() is node
    assert np.array_equal(mrml.volume_of(node).hu, before)
    again = mrml.show_view(hv.ViewState(rendering="lung"), node, scene)
    assert again.rendering.GetVolumeNode() is drawn, "made once"


@pytest.mark.parametrize(
    "window", [hv.Window(40, 400, "SIGMOID"), hv.Window(40, 400, "LINEAR_EXACT")]
)
def test_the_function_of_a_window_comes_back_unless_it_was_changed(
    scene: Any, window: hv.Window
) -> None:
    node = mrml.volume_node(volume_on(turned(1)), scene)
    notes = mrml.show_view(hv.ViewState(window=window), node, scene).notes
    assert any("SIGMOID" in note for note in notes) == (window.function == "SIGMOID")
    assert mrml.view_of(node, scene).window == window
    node.GetDisplayNode().SetWindowLevel(300, 40)
    assert mrml.view_of(node, scene).window == hv.Window(40, 300)
    for width in (0, -50):  # Slicer lets a person draw a window to nothing, and beyond
        node.GetDisplayNode().SetWindowLevel(width, 40)
        assert mrml.view_of(node, scene).window == window


def test_colours_that_slicer_has_not_are_gray_and_not_those_before(scene: Any) -> None:
    import slicer

    for name in ("Grey", "InvertedGrey"):
        table = slicer.vtkMRMLColorTableNode()
        table.SetTypeToGrey()
        table.SetSingletonTag(name)
        scene.AddNode(table)
    node = mrml.volume_node(volume_on(turned(1)), scene)
    mrml.show_view(hv.ViewState(colormap="inverted"), node, scene)
    held = node.GetDisplayNode()
    if held.GetColorNodeID() != "vtkMRMLColorTableNodeInvertedGrey":
        pytest.skip("this core has no such table")
    mrml.show_view(hv.ViewState(colormap="hot"), node, scene)
    assert held.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"
    assert mrml.view_of(node, scene).colormap == "hot"


@pytest.mark.parametrize("turn", [(30.0, 90.0, 0.0), (10.0, -90.0, 50.0), (0.0, 90.0, 0.0)])
def test_planes_whose_pitch_and_yaw_are_one_are_read(scene: Any, turn: Any) -> None:
    from hounsview.planes import plane_axes

    node = mrml.volume_node(volume_on(turned(2), (20, 30, 25)), scene)
    mrml.show_view(hv.ViewState(oblique=turn, show_volume=False), node, scene)
    back = mrml.view_of(node, scene, base=hv.ViewState()).oblique
    for plane in ("axial", "coronal", "sagittal"):
        for one, other in zip(plane_axes(plane, turn), plane_axes(plane, back), strict=True):
            assert other == pytest.approx(one, abs=1e-5)
