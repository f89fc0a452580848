"""From the command to the first slices and the first 3D picture, 400 slices of 512 x 512.

    .venv/bin/python benchmarks/starting.py [REPEATS]

The real window on an X server of its own (Xvfb, xdotool), whole process: interpreter,
imports, reading, drawing. The peer is the shortest pyvista script that reads the same folder
and shows three slices off screen. Files are warm; the fastest of the repeats counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from series import thorax, write  # noqa: E402

from desktop_kit import Desktop, screen  # noqa: E402

PLAIN = """
import sys, pyvista
mesh = pyvista.DICOMReader(sys.argv[1]).read()
plotter = pyvista.Plotter(off_screen=True, window_size=(800, 800))
plotter.add_mesh(mesh.slice_orthogonal(), cmap="gray")
plotter.screenshot(sys.argv[2])
"""


def ours(folder: Path, settings: Path, display: str) -> dict[str, float]:
    """Seconds from the command to each event."""
    begin = time.perf_counter()
    running = Desktop(display, settings, str(folder))
    found: dict[str, float] = {}
    try:
        while "3D refined" not in found:
            seen = running.ask("look")
            now = time.perf_counter() - begin
            frames = seen["frames"]
            if frames["axial"] and "preview" not in found:
                found["preview"] = now
            if seen["shape"] and min(frames[p] for p in ("axial", "coronal", "sagittal")) > 1:
                found.setdefault("all slices", now)
            if seen["shape"] and seen["scene"]:
                found.setdefault("first 3D picture", now)
                if seen["scene"] == "final":
                    found["3D refined"] = now
            time.sleep(0.01)
    finally:
        running.stop()
    return found


def plain(folder: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        command = [sys.executable, "-c", PLAIN, str(folder), f"{out}/a.png"]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - begin


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as scratch, screen("1366x768") as display:
        folder = Path(scratch) / "scan"
        write(folder, thorax(400))
        runs = [ours(folder, Path(scratch) / "settings", display) for _ in range(repeats)]
        peer = min(plain(folder) for _ in range(max(1, repeats - 1)))
    best = {name: min(run[name] for run in runs) for name in runs[0]}
    print(f"| from the command to | seconds | the plain script's {peer:.1f} s over it |")
    print("| --- | --- | --- |")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.2f} | {peer / seconds:.1f} |")
    print(json.dumps(runs), file=sys.stderr)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
