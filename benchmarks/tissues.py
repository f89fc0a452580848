"""Body, lungs and bone of 512 x 512 x 400 against the same steps in SimpleITK and in scipy.

Run: .venv/bin/python benchmarks/tissues.py [SLICES]

SimpleITK does them twice: on every voxel, and on a grid of 2 mm that is brought up again, as
ours does; scipy.ndimage on every voxel. Their steps are the plain ones (thresholds, opening,
largest pieces, closing, filled holes): they part no sides, take out no airways and know no
contrast. Each way runs in a process of its own; peaks are above what the process held with
the volume loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import hounsview as hv

SPACING = (0.8, 0.6, 0.8203)
STEPS = ("body", "lungs", "bone")
WAYS = ("hounsview", "SimpleITK, 2 mm", "SimpleITK, every voxel", "scipy, every voxel")


def write_volume(file: Path, slices: int) -> None:
    """A thorax of 512 x 512 x `slices` with noise."""
    made = hv.phantom("thorax", spacing=SPACING, noise=20.0).hu
    hu = np.full((slices, 512, 512), -1000, np.int16)
    k, j, i = (min(a, b) for a, b in zip(made.shape, hu.shape, strict=True))
    hu[:k, :j, :i] = made[:k, :j, :i]
    np.save(file, hu)


def ours(hu: np.ndarray) -> Iterator[tuple[str, int]]:
    from hounsview.masks.segmenting import Segmenter

    hu.flags.writeable = False
    volume = hv.Volume(hu, hv.Geometry.from_parts(hu.shape, spacing=SPACING))
    work = Segmenter(volume)
    yield "body", int(work.mask("body").sum())
    yield "lungs", sum(int(work.mask(f"{side}_lung").sum()) for side in ("left", "right"))
    yield "bone", int(work.mask("bone").sum())


def theirs(hu: np.ndarray, step_mm: float | None) -> Iterator[tuple[str, int]]:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(hu)
    image.SetSpacing(SPACING[::-1])
    small = image
    if step_mm:
        factors = [max(1, round(step_mm / mm)) for mm in SPACING[::-1]]
        small = sitk.BinShrink(image, factors)

    def radius(mm: float) -> list[int]:
        return [max(1, round(mm / at)) for at in small.GetSpacing()]

    def largest(mask: sitk.Image, count: int) -> sitk.Image:
        pieces = sitk.RelabelComponent(sitk.ConnectedComponent(mask))
        return sitk.BinaryThreshold(pieces, 1, count)

    def full(mask: sitk.Image) -> sitk.Image:
        if not step_mm:
            return mask
        return sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)

    dense = sitk.BinaryThreshold(small, -300, 4000)
    opened = sitk.BinaryMorphologicalOpening(dense, radius(4.0))
    body = sitk.BinaryFillhole(sitk.BinaryMorphologicalClosing(largest(opened, 1), radius(4.0)))
    filled = full(body)
    yield "body", int(sitk.GetArrayFromImage(filled).sum())
    air = sitk.And(sitk.BinaryThreshold(small, -2000, -400), body)
    lungs = sitk.BinaryMorphologicalClosing(largest(air, 1), radius(8.0))
    found = full(sitk.BinaryFillhole(lungs))
    yield "lungs", int(sitk.GetArrayFromImage(found).sum())
    hard = sitk.And(sitk.BinaryThreshold(image, 200, 4000), filled)
    pieces = sitk.RelabelComponent(sitk.ConnectedComponent(hard), minimumObjectSize=400)
    yield "bone", int(sitk.GetArrayFromImage(pieces > 0).sum())


def scipys(hu: np.ndarray) -> Iterator[tuple[str, int]]:
    from scipy import ndimage

    def grown(mask: np.ndarray, mm: float) -> np.ndarray:
        """Within `mm` of a mask: much faster there than dilating by a large ball."""
        return ndimage.distance_transform_edt(~mask, sampling=SPACING) <= mm

    def shrunk(mask: np.ndarray, mm: float) -> np.ndarray:
        return ndimage.distance_transform_edt(mask, sampling=SPACING) > mm

    def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels, _ = ndimage.label(mask)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        return labels, sizes

    labels, sizes = pieces(shrunk(hu > -300, 4.0))
    opened = grown(labels == sizes.argmax(), 4.0)
    body = ndimage.binary_fill_holes(shrunk(grown(opened, 4.0), 4.0))
    yield "body", int(body.sum())
    labels, sizes = pieces((hu < -400) & body)
    air = labels == sizes.argmax()
    lungs = ndimage.binary_fill_holes(shrunk(grown(air, 8.0), 8.0))
    yield "lungs", int(lungs.sum())
    labels, sizes = pieces((hu > 200) & body)
    yield "bone", int((sizes >= 400)[labels].sum())


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def run(way: str, file: str) -> None:
    """Print for each step of one way: name, seconds, peak in MiB, voxels."""
    hu = np.load(file)
    steps = {
        "hounsview": lambda: ours(hu),
        "SimpleITK, 2 mm": lambda: theirs(hu, 2.0),
        "SimpleITK, every voxel": lambda: theirs(hu, None),
        "scipy, every voxel": lambda: scipys(hu),
    }[way]()
    start, peak, done = resident_mib(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], resident_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = time.perf_counter()
    try:
        for name, voxels in steps:
            now = time.perf_counter()
            print(name, now - before, peak[0] - start, voxels, flush=True)
            before = time.perf_counter()
    finally:
        done.set()
        watcher.join()


def main() -> None:
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "thorax.npy"
        write_volume(file, slices)
        rows = {}
        for way in WAYS:
            done = subprocess.run(
                [sys.executable, __file__, "--run", way, str(file)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            rows[way] = [line.split() for line in done.stdout.splitlines()]
    print("| way | body s | lungs s | bone s | body + lungs over ours | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    base = sum(float(row[1]) for row in rows["hounsview"][:2])
    for way, lines in rows.items():
        seconds = [float(line[1]) for line in lines]
        shown = " | ".join(f"{s:.2f}" for s in seconds)
        peak = max(float(line[2]) for line in lines)
        print(f"| {way} | {shown} | {sum(seconds[:2]) / base:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], sys.argv[3])
    else:
        main()
