"""A CT in 3D Slicer's scene: ours against Slicer's own reader, and what the panel asks often.

Run: .venv/bin/python benchmarks/slicerscene.py

On slicer-core, without the application. Every reader gets the same warm files, in a process
of its own. Seconds depend on the machine and its neighbours; the ratios hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from reading import measure
from series import thorax, write

OURS = """
import hounsview as hv
from hounsview import mrml
import slicer, slicer.util, vtkmodules.util.numpy_support
hv.load, hv.Volume, mrml.volume_node, mrml.show_fitting
scene = mrml.new_scene()
---
node = mrml.volume_node(hv.load(folder), scene)
mrml.show_fitting(node, scene)
facts = node.GetImageData().GetActualMemorySize() * 1024
"""
THEIRS = """
import slicer
from hounsview import mrml
scene = mrml.new_scene()
files = sorted(folder.iterdir())
---
node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "read by Slicer")
storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
storage.ResetFileNameList()
for file in files:
    storage.AddFileName(str(file))
storage.SetFileName(str(files[0]))
storage.SetSingleFile(False)
assert storage.ReadData(node)
"""
OFTEN = """
import sys, time
import hounsview as hv
from hounsview import mrml
from hounsview.viewstate import Measurement
scene = mrml.new_scene()
volume = hv.load(sys.argv[1])
node = mrml.volume_node(volume, scene)


def best(do, repeats=3):
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        do()
        found.append(time.perf_counter() - start)
    return min(found)


def say(what, seconds):
    print(f"| {what} | {1000 * seconds:.1f} |", flush=True)


x, y, z = volume.geometry.centre
ends = ((x - 60, y, z), (x + 60, y + 10, z))
line = mrml.markups_node(Measurement("ruler", ends), scene)
box = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
box.SetCenter(-x, -y, z)
box.SetSize(60, 60, 60)
say("check (audit)", best(lambda: mrml.audit(node), 1))
say("show a view with the bone preset", best(
    lambda: mrml.show_view(hv.ViewState(rendering="bone"), node, scene)))
say("lung preset, first (the body is found)", best(
    lambda: mrml.show_view(hv.ViewState(rendering="lung"), node, scene), 1))
say("lung preset, again", best(
    lambda: mrml.show_view(hv.ViewState(rendering="lung"), node, scene)))
say("read the view back (each refresh of the panel)", best(lambda: mrml.view_of(node, scene)))
say("values along a line that is dragged", best(lambda: mrml.markups_rows(line, volume)))
say("values in a box of 60 mm that is dragged", best(lambda: mrml.markups_rows(box, volume)))
"""


def main() -> None:
    """Write the series, and print both tables."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "plain"
        write(folder, thorax(400))
        ours, theirs = measure(OURS, folder, 3), measure(THEIRS, folder, 3)
        print("\n400 uncompressed slices of 512 x 512 into a scene\n")
        print(
            "| reader | seconds | Slicer's time over it | peak MiB |\n| --- | --- | --- | --- |"
        )
        for name, (seconds, memory, _) in {
            "**hounsview, findings and window included**": ours,
            "Slicer's own (ITK and GDCM)": theirs,
        }.items():
            print(f"| {name} | {seconds:.2f} | {theirs[0] / seconds:.1f} | {memory:.0f} |")
        print("\nThat volume in the scene\n\n| step | ms |\n| --- | --- |", flush=True)
        subprocess.run([sys.executable, "-W", "ignore", "-c", OFTEN, str(folder)], check=True)


if __name__ == "__main__":
    main()
