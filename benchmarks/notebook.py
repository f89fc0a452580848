"""The view in a cell of JupyterLab: first picture, frames and bytes while a person drags.

    .venv/bin/python benchmarks/notebook.py [FOLDER WITH MORE PYTHON PACKAGES]

A real JupyterLab and a real Chromium on this machine, 512 x 512 x 400, panes of 800 x 800.
Peers run in the same JupyterLab where their packages are found: pyvista's trame backend
(pyvista[jupyter]), ipyniivue. What is received is counted at the page's web sockets, for all
alike; a picture is there when a twentieth of its place is no longer the page's white.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402

import jupyter_kit  # noqa: E402
from browser_kit import Tab, browsing  # noqa: E402
from jupyter_kit import Server, serving  # noqa: E402

PREPARE = f"""\
import sys; sys.path.append({str(ROOT / "benchmarks")!r})
from series import thorax
import hounsview as hv, hounsview_vizapp as hva
hu = thorax(400)
volume = hv.Volume(hu, hv.Geometry.from_parts(hu.shape, spacing=(0.75, 0.75, 0.75)))"""
OURS = """\
view = hva.show(volume, {layout!r}, height='800px', controls=False)
view.layout.width = '800px'"""
PYVISTA = """\
import os; os.environ['VTK_DEFAULT_OPENGL_WINDOW'] = 'vtkEGLRenderWindow'
import pyvista
plotter = pyvista.Plotter(window_size=(800, 800))
plotter.add_mesh(hva.to_pyvista(volume).slice_orthogonal(), cmap='gray')
plotter.show(jupyter_backend='server')"""
NIIVUE = """\
from ipyniivue import NiiVue
hv.write(volume, 'volume.nii.gz')
nv = NiiVue(height=800); nv.load_volumes([{'path': 'volume.nii.gz'}])
nv"""
DRAG_S = 5.0
LONGEST_S = 90.0


class Received:
    """Counts what comes in through the page's web sockets."""

    def __init__(self, tab: Tab) -> None:
        self.count = self.bytes = self.pictures = 0
        tab.page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, payload: str | bytes) -> None:
        self.count += 1
        self.bytes += len(payload)
        self.pictures += len(payload) > 3000

    def now(self) -> tuple[int, int]:
        return self.bytes, self.pictures


def first_picture(tab: Tab, place: Any) -> float | None:
    """Seconds until the last cell's output holds a picture; None where it never does."""
    begin = time.perf_counter()
    tab.page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    while (now := time.perf_counter() - begin) < LONGEST_S:
        box = place()
        if box is not None:
            inside = {key: box[key] + (20 if key in "xy" else -40) for key in box}
            coded = tab.page.screenshot(clip=inside, type="jpeg")
            grey = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_GRAYSCALE)
            # Neither a blank page nor a sentence on a plain ground.
            if (np.abs(grey - np.median(grey)) > 25).mean() > 0.05:
                return now
        time.sleep(0.02)
    return None


def dragged(tab: Tab, box: Any, button: Any) -> float:
    """Move a held mouse over a picture for a while; return the seconds it took."""
    mouse = tab.page.mouse
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(*middle)
    mouse.down(button=button)
    begin, step = time.perf_counter(), 0
    while (now := time.perf_counter() - begin) < DRAG_S:
        step += 1
        turn = step / 15
        mouse.move(middle[0] + 60 * np.sin(turn), middle[1] + 40 * np.cos(turn))
        time.sleep(0.012)
    mouse.up(button=button)
    return now


def measure(lab: Server, name: str, cell: str, selector: str, button: str | None) -> list[str]:
    """Return one line of the table."""
    lab.write("a.ipynb", [PREPARE, cell])
    with browsing(size=(1500, 1150)) as tab:
        received = Received(tab)
        tab.open(lab, "a.ipynb")
        tab.page.evaluate(
            "window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')"
        )
        time.sleep(0.5)
        tab.idle(120)

        def place() -> Any:
            found = tab.page.locator(selector)
            return found.first.bounding_box() if found.count() else None

        before = received.now()[0]
        first = first_picture(tab, place)
        if first is None:
            return [name, f"nothing in {LONGEST_S:.0f} s", "", "", ""]
        time.sleep(6)
        sent = (received.now()[0] - before) / 1e6
        line = [name, f"{first:.2f}", f"{sent:.1f}", "", ""]
        if button is not None:
            start = received.now()
            seconds = dragged(tab, place(), button)
            time.sleep(0.2)
            end = received.now()
            frames = end[1] - start[1]
            line[3] = f"{frames / seconds:.1f}"
            line[4] = f"{(end[0] - start[0]) / max(frames, 1) / 1000:.0f}"
        lab.stop_kernels()
        return line


def main(more: str | None) -> None:
    paths = [*jupyter_kit.SOURCES, *([more] if more else [])]
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving("lab", Path(scratch) / "lab", PYTHONPATH=os.pathsep.join(paths)) as lab,
    ):
        print("| view | first picture s | MB until it rests | frames/s | kB a frame |")
        print("| --- | --- | --- | --- | --- |")
        pane = ".hv-canvas canvas"
        for name, cell, selector, button in (
            (
                "**hounsview**, axial 800 x 800, window",
                OURS.format(layout="axial"),
                pane,
                "right",
            ),
            ("**hounsview**, 3D 800 x 800, turned", OURS.format(layout="3d"), pane, "left"),
            (
                "**hounsview**, four panes, crosshair",
                OURS.format(layout="four-up"),
                pane,
                "left",
            ),
            ("pyvista (trame), three slices, turned", PYVISTA, ".jp-OutputArea iframe", "left"),
            ("ipyniivue", NIIVUE, ".jp-OutputArea canvas", None),
        ):
            print(
                "| " + " | ".join(measure(lab, name, cell, selector, button)) + " |", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
