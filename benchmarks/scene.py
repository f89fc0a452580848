"""Time of 3D pictures: the scene, and pyvista's add_volume used plainly, in the same run.

    .venv/bin/python benchmarks/scene.py             # all; the plain way takes a minute
    .venv/bin/python benchmarks/scene.py scene       # or: plain

Each part runs in a process of its own, on the thorax phantom with noise, 512 x 512 x 400.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "vizapp")]

SIZE = (600, 600)
PLAIN_LIMIT_S = 300
MOVING_FRAMES = 60


def volume() -> Any:
    import hounsview as hv

    geometry = hv.Geometry.from_parts(
        (400, 512, 512), spacing=(0.9, 0.8, 0.8), origin=(-204, -204, -180)
    )
    thorax = hv.phantom("thorax", spacing=(2.7, 0.8, 0.8)).resample_onto(geometry)
    noise = np.random.default_rng(0).standard_normal(thorax.shape, dtype=np.float32) * 15
    return hv.Volume((thorax.hu + noise).astype(np.int16), geometry)


class Frames:
    """Frames and when they came."""

    def __init__(self) -> None:
        self.came: list[tuple[float, Any]] = []
        self.changed = threading.Condition()

    def __call__(self, frame: Any) -> None:
        with self.changed:
            self.came.append((time.perf_counter(), frame))
            self.changed.notify_all()

    def seconds(self, ask: Callable[[], None], *, final: bool) -> float:
        """Return how long it takes until a (final) frame comes."""
        self.came.clear()
        start = time.perf_counter()
        ask()
        with self.changed:
            self.changed.wait_for(
                lambda: any(frame.is_final or not final for _, frame in self.came)
            )
        return next(t for t, frame in self.came if frame.is_final or not final) - start


class Asker:
    """A scene of the thorax that is asked for frames."""

    def __init__(self, made: Any, frames: Frames) -> None:
        self.made, self.frames = made, frames

    def first(self, azimuth: float, *, moving: bool = False, **changes: Any) -> float:
        """Return the seconds to the first frame."""
        return self._seconds(azimuth, False, moving, changes)

    def final(self, azimuth: float, **changes: Any) -> float:
        """Return the seconds to the final frame."""
        return self._seconds(azimuth, True, False, changes)

    def _seconds(self, azimuth: float, final: bool, moving: bool, changes: Any) -> float:
        from hounsview.viewstate import ViewState

        state = ViewState().changed(camera={"azimuth": azimuth}, **changes)
        return self.frames.seconds(
            lambda: self.made.request(state, SIZE, moving=moving), final=final
        )

    def after(self, wait: float, azimuth: float) -> float:
        """Return the seconds to an answer that is asked for while a picture is refined."""
        self.first(azimuth)
        time.sleep(wait)
        return self.first(azimuth + 100, moving=True)


def scene() -> dict[str, float]:
    from hounsview.viewstate import Surface
    from hounsview_vizapp.rendering import Scene, prepare

    thorax, frames, told = volume(), Frames(), {}
    start = time.perf_counter()
    prepare()
    told["prepare, once in a process"] = time.perf_counter() - start
    start = time.perf_counter()
    with Scene(thorax, on_frame=frames) as made:
        ask = Asker(made, frames)
        told["first picture after the volume is there"] = ask.first(0)
        with frames.changed:
            frames.changed.wait_for(lambda: frames.came[-1][1].is_final)
        told["refined after the volume is there"] = frames.came[-1][0] - start
        moving = [ask.first(6.0 * n, moving=True) for n in range(MOVING_FRAMES)]
        told["moving, a frame (median)"] = float(np.median(moving[5:]))
        told["moving, a frame (longest)"] = max(moving)
        told["refined after moving"] = ask.final(77.0)
        answers = [ask.after(wait, 90 + 50 * wait) for wait in np.linspace(0.05, 1.2, 12)]
        told["answer while refining (longest of 12)"] = max(answers)
        bone = {"show_volume": False, "surfaces": [Surface("bone")]}
        told["bone surface, first picture"] = ask.first(0, **bone)
        told["bone surface, refined"] = ask.final(5, **bone)
        planes = {"show_volume": False, "show_planes": True}
        places = [(float(x), 0.0, 0.0) for x in np.linspace(-90, 90, 20)]
        follow = [ask.first(0, moving=True, crosshair=at, **planes) for at in places]
        told["planes follow the crosshair, a frame (median)"] = float(np.median(follow))
    told["bone surface extracted, half resolution"] = extraction(thorax)
    return told


def extraction(thorax: Any) -> float:
    from hounsview_vizapp.rendering.pyramid import level_of
    from hounsview_vizapp.rendering.surfaces import isosurface

    level = level_of(thorax, 24_000_000)
    start = time.perf_counter()
    isosurface(level, 250.0)
    return time.perf_counter() - start


def plain() -> dict[str, float]:
    from hounsview_vizapp.rendering.opengl import prefer_egl

    thorax = volume()
    prefer_egl()
    import pyvista

    start = time.perf_counter()
    plotter = pyvista.Plotter(off_screen=True, window_size=SIZE[::-1])
    image = pyvista.ImageData(dimensions=thorax.shape[::-1], spacing=(0.8, 0.8, 0.9))
    image["HU"] = thorax.hu.ravel()
    plotter.add_volume(image, scalars="HU", cmap="bone", show_scalar_bar=False)
    plotter.render_window.Render()
    plotter.screenshot(return_img=True)
    told = {"first picture after the volume is there": time.perf_counter() - start}
    start = time.perf_counter()
    plotter.camera.azimuth = 10
    plotter.render_window.Render()
    told["moving, a frame (median)"] = time.perf_counter() - start
    plotter.close()
    return told


def run_apart(part: str, limit: float | None = None) -> dict[str, float]:
    """Return what a part told, from a process of its own; nothing if it took too long."""
    command = [sys.executable, __file__, f"--{part}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        print(f"{part}: not done within {limit:g} s")
        return {}
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main(parts: list[str]) -> None:
    ours = run_apart("scene") if "scene" in parts or not parts else {}
    theirs = run_apart("plain", PLAIN_LIMIT_S) if "plain" in parts or not parts else {}
    print("| what | scene, s | plain add_volume, s | ratio |\n| --- | --- | --- | --- |")
    for what in {**ours, **theirs}:
        own, other = ours.get(what), theirs.get(what)
        cells = [f"{value:.3f}" if value is not None else "" for value in (own, other)]
        ratio = f"{other / own:.0f}" if own and other else ""
        print(f"| {what} | {' | '.join(cells)} | {ratio} |")


if __name__ == "__main__":
    if sys.argv[1:] in (["--scene"], ["--plain"]):
        print(json.dumps({"--scene": scene, "--plain": plain}[sys.argv[1]]()))
    else:
        main(sys.argv[1:])
