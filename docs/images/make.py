"""Draws the pictures of README and docs from the phantoms: `make docs-images`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "vizapp"), str(ROOT / "tests")]

import cv2  # noqa: E402

import hounsview as hv  # noqa: E402
from browser_kit import browsing  # noqa: E402
from desktop_kit import Desktop, desktop  # noqa: E402
from hounsview_vizapp.pictures import picture_of, save_png  # noqa: E402
from jupyter_kit import serving  # noqa: E402

HERE = Path(__file__).parent


def shot(viewer: Desktop, name: str) -> None:
    """Save the window once its 3D picture is fine."""
    viewer.until(lambda seen: seen["scene"] == "final", 120)
    picture = viewer.shot(HERE / f"{name}.png")
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


if __name__ == "__main__":
    main()
    notebook()
