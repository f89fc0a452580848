"""Draws the pictures of README and docs from the phantoms: `make docs-images`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "vizapp"), str(ROOT / "tests")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402

import hounsview as hv  # noqa: E402
import slicer_views as views  # noqa: E402
from browser_kit import browsing  # noqa: E402
from desktop_kit import Desktop, desktop  # noqa: E402
from hounsview import masks, mrml  # noqa: E402
from hounsview.anatomy import COLORS  # noqa: E402
from hounsview.planes import plane_axes  # noqa: E402
from hounsview.surfaces import from_mask  # noqa: E402
from hounsview.viewstate import Camera, Measurement  # noqa: E402
from hounsview_vizapp import drawing  # noqa: E402
from hounsview_vizapp.drawing import Picture  # noqa: E402
from hounsview_vizapp.pictures import picture_of, save_png  # noqa: E402
from jupyter_kit import serving  # noqa: E402

HERE = Path(__file__).parent


def shot(viewer: Desktop, name: str) -> None:
    """Save the window once its 3D picture is fine."""
    viewer.until(lambda seen: seen["scene"] == "final", 120)
    save(viewer.shot(HERE / f"{name}.png"), name)


def save(picture: Picture, name: str) -> None:
    """Save a picture as small as PNG can."""
    cv2.imwrite(
        str(HERE / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_PNG_COMPRESSION, 9],
    )  # fmt: skip


def main() -> None:
    save_png(picture_of(hv.phantom("thorax", noise=12), size=(1000, 1000)), HERE / "thorax.png")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hv.write_dicom(hv.phantom("thorax", noise=12), folder / "thorax")
        with desktop(folder, str(folder / "thorax")) as viewer:
            viewer.until(lambda seen: seen["shape"])
            viewer.click("pane axial", 0.52, 0.62)
            viewer.key("e")
            viewer.drag("pane axial", (0.55, 0.48), (0.68, 0.60))
            viewer.key("d")
            viewer.drag("pane coronal", (0.62, 0.2), (0.62, 0.8))
            viewer.key("Escape")
            viewer.ask("tab", number=4)
            viewer.do("mousemove", 5, 5)
            shot(viewer, "viewer")
            viewer.ask("tab", number=2)
            for key, name in (("b", "bone"), ("l", "lung"), ("s", "skin")):
                viewer.click("pane 3d", 0.5, 0.5)
                viewer.key(key)
                if name == "lung":
                    viewer.key("1")
                viewer.do("mousemove", 5, 5)
                viewer.until(lambda seen, n=name: seen["state"]["rendering"] == n)
                shot(viewer, f"viewer-{name}")


def notebook() -> None:
    """Save JupyterLab with a view in it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving("lab", Path(scratch) / "lab") as lab,
        browsing(size=(1360, 860)) as tab,
    ):
        cell = (
            "import hounsview as hv, hounsview_vizapp as hva\n"
            "view = hva.show(hv.phantom('thorax', noise=12))"
        )
        lab.write("chest.ipynb", [cell])
        tab.open(lab, "chest.ipynb")
        tab.command("application:toggle-left-area")
        tab.run_all()
        axial = tab.one("canvas[data-pane='axial'][data-shown]").bounding_box()
        assert axial is not None
        mouse = tab.page.mouse
        mouse.click(axial["x"] + 0.52 * axial["width"], axial["y"] + 0.62 * axial["height"])
        tab.page.keyboard.press("e")
        mouse.move(axial["x"] + 0.55 * axial["width"], axial["y"] + 0.48 * axial["height"])
        mouse.down()
        mouse.move(axial["x"] + 0.68 * axial["width"], axial["y"] + 0.60 * axial["height"])
        mouse.up()
        tab.page.keyboard.press("Escape")
        tab.page.locator(".hv-controls .lm-TabBar-tab", has_text="Measure").click()
        mouse.move(5, 5)
        tab.page.wait_for_timeout(12_000)
        tab.shot(HERE / "notebook.png")


def slicer() -> None:
    """Save what Slicer's four views show of a scene, drawn by Slicer's own code."""
    volume = hv.phantom("thorax", noise=2)
    heart = Measurement("ruler", ((-30.0, -30.0, -8.0), (78.0, -30.0, -8.0)))
    state = hv.ViewState(rendering="bone", window=hv.Window(40, 400), measurements=(heart,))
    scene = mrml.new_scene()
    node = mrml.volume_node(volume, scene)
    nodes = mrml.show_view(state, node, scene)
    nodes.markups[0].SetName("Heart")
    nodes.markups[0].GetDisplayNode().SetVisibility3D(False)
    mrml.show_in_slices(node, scene)
    shown = ("left_lung", "right_lung", "airways", "fat")
    found = masks.segment(volume).masks
    tissues = masks.Tissues({name: found[name] for name in shown}, {}, ())
    display = mrml.tissue_segmentation(tissues, node, scene).GetDisplayNode()
    display.SetOpacity2DFill(0.35)
    display.SetVisibility3D(False)
    for name in shown[:2]:
        mesh = from_mask(found[name], volume.geometry, name=name)
        mrml.model_node(mesh, scene, color=COLORS[name])
    size = (352, 480)
    view = views.look(
        scene, views.aim_at(volume.geometry, Camera(azimuth=25, elevation=12, zoom=1.1), size)
    )
    view.SetBackgroundColor(0.757, 0.765, 0.910)
    view.SetBackgroundColor2(0.455, 0.471, 0.745)
    planes = {"Red": "axial", "Green": "coronal", "Yellow": "sagittal"}
    for name, plane in planes.items():
        views.place_slice(scene, name, plane_axes(plane), (6, 0, -8), 335)
    panes = {name: views.slice_picture(scene, name, size) for name in planes}
    panes["1"] = views.three_d_picture(scene, size)
    framed = [
        [_framed(panes, name) for name in row] for row in (("Red", "1"), ("Green", "Yellow"))
    ]
    save(np.vstack([np.hstack(row) for row in framed]), "slicer")


def _framed(panes: dict[str, Picture], name: str) -> Picture:
    """Return a pane under a bar in the colour that Slicer gives its view."""
    color = views.SLICE_COLORS.get(name, (116, 131, 233))
    bar = drawing.blank((20, panes[name].shape[1]), color)
    drawing.draw_text(bar, name[0], (10, 12), height=11, color=(255, 255, 255))
    framed = np.vstack([bar, panes[name]])
    framed[:, -2:] = framed[-2:] = (40, 40, 40)
    return framed


if __name__ == "__main__":
    main()
    notebook()
    slicer()
