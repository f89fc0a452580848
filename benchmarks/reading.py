"""Reading CT series, as ratios against peers in the same run, printed as tables.

Run: .venv/bin/python benchmarks/reading.py [native | compressed | growth | many | whole] ...

Every reader gets the same warm files, in a process of its own that has imported what it
needs. Seconds depend on the machine and its neighbours; the ratios hold.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from series import compress, thorax, write

HOUNSVIEW = """
import hounsview as hv
hv.load, hv.scan, hv.loading, hv.Volume
import imagecodecs
---
volume = hv.load(folder)
facts = volume.hu.nbytes + (0 if volume.valid is None else volume.valid.nbytes)
"""
SCAN = """
import hounsview as hv
hv.load, hv.scan
---
hv.scan(folder)
"""
LIMIT = """
import numpy as np, os
---
files = sorted(os.listdir(folder))
out = np.empty((len(files), 512, 512), np.int16)
for k, name in enumerate(files):
    path = os.path.join(folder, name)
    size = 2 * 512 * 512
    out[k] = np.fromfile(path, np.int16, size // 2, offset=os.stat(path).st_size - size
        ).reshape(512, 512)
"""
PYDICOM = """
import numpy as np, pydicom, pydicom.pixels
---
slices = [pydicom.dcmread(file) for file in folder.iterdir()]
slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
hu = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    for ds in slices]).astype(np.int16)
"""
SIMPLEITK = """
import SimpleITK as sitk
---
reader = sitk.ImageSeriesReader()
reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
hu = sitk.GetArrayViewFromImage(reader.Execute())
"""
FRAME = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
facts = 0
{imports}


def peak_mib():  # of this program alone; ru_maxrss would inherit the parent's
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


base = peak_mib()
start = time.perf_counter()
{body}
print(time.perf_counter() - start, peak_mib() - base, facts / 2**20)
"""
SYNTAXES = ("RLE", "HTJ2K", "JPEG lossless", "JPEG-LS", "JPEG 2000", "deflated")


def measure(code: str, folder: Path, repeats: int = 5) -> tuple[float, float, float]:
    """Return the best seconds, the added peak memory and the volume's size in MiB."""
    imports, body = code.split("---\n")
    program = FRAME.format(imports=imports, body=body)
    results = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, str(folder)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        seconds, memory, size = map(float, done.stdout.split())
        results.append((seconds, memory, size))
    return min(results)


def dcm2niix(folder: Path) -> float:
    """Return the best seconds of the whole program, uncompressed output."""
    best = float("inf")
    for _ in range(2):
        with tempfile.TemporaryDirectory() as out:
            command = ["dcm2niix", "-z", "n", "-o", out, str(folder)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best = min(best, time.perf_counter() - start)
    return best


def native(work: Path) -> None:
    for padded in (False, True):
        folder = work / ("padded" if padded else "plain")
        write(folder, thorax(400), padded=padded)
        readers = {
            "one array of the same bytes (the limit)": LIMIT,
            "**hounsview.load**": HOUNSVIEW,
            "hounsview.scan (headers only)": SCAN,
            "pydicom loop": PYDICOM,
            "SimpleITK series reader": SIMPLEITK,
        }
        results = {name: measure(code, folder) for name, code in readers.items()}
        if shutil.which("dcm2niix"):
            results["dcm2niix (whole program)"] = (dcm2niix(folder), 0, 0)
        limit, theirs = results["one array of the same bytes (the limit)"][0], results[
            "SimpleITK series reader"][0]  # fmt: skip
        print(f"\n400 uncompressed slices of 512 x 512, {folder.name}, 200 MiB of pixels\n")
        print("| reader | seconds | times the limit | SimpleITK's time over it | peak MiB |")
        print("| --- | --- | --- | --- | --- |")
        for name, (seconds, memory, _) in results.items():
            ratios = f"{seconds / limit:.1f} | {theirs / seconds:.1f}"
            print(f"| {name} | {seconds:.3f} | {ratios} | {memory or '':.0f} |" if memory else
                  f"| {name} | {seconds:.3f} | {ratios} | |")  # fmt: skip
        _, memory, size = results["**hounsview.load**"]
        print(f"\nPeak over (hu + valid), {size:.0f} MiB: {memory / size:.2f}")


def compressed(work: Path) -> None:
    if not (work / "plain").is_dir():
        write(work / "plain", thorax(400))
    print("\n400 compressed slices of 512 x 512, thorax phantom with noise\n")
    print("| transfer syntax | hounsview s | SimpleITK s | SimpleITK's over ours | peak |")
    print("| --- | --- | --- | --- | --- |")
    for name in SYNTAXES:
        if name == "JPEG lossless" and not shutil.which("dcmcjpeg"):
            print(f"| {name} | dcmtk is not installed | | | |")
            continue
        compress(work / "plain", work / name, name)
        ours, theirs = measure(HOUNSVIEW, work / name, 3), measure(SIMPLEITK, work / name, 1)
        peak = ours[1] / ours[2]
        ratio = theirs[0] / ours[0]
        print(f"| {name} | {ours[0]:.2f} | {theirs[0]:.2f} | {ratio:.1f} | {peak:.2f} |")
        shutil.rmtree(work / name)


def growth(work: Path) -> None:
    print("\nGrowth with the number of slices (512 x 512, uncompressed)\n")
    print("| slices | hounsview.load s | ms a slice | times the limit | scan s |")
    print("| --- | --- | --- | --- | --- |")
    base = thorax(400)
    for slices in (100, 400, 1600):
        folder = work / f"growth{slices}"
        write(folder, base[[k % 400 for k in range(slices)]])
        ours, limit = measure(HOUNSVIEW, folder, 3)[0], measure(LIMIT, folder, 3)[0]
        scan = measure(SCAN, folder, 3)[0]
        each = 1000 * ours / slices
        print(f"| {slices} | {ours:.3f} | {each:.3f} | {ours / limit:.1f} | {scan:.3f} |")
        shutil.rmtree(folder)


def many(work: Path) -> None:
    import numpy as np

    folder = work / "many"
    write(folder, np.zeros((5000, 16, 16), np.int16))
    print("\n5,000 files of 16 x 16\n\n| step | seconds |\n| --- | --- |")
    print(f"| hounsview.scan | {measure(SCAN, folder, 3)[0]:.2f} |")
    print(f"| hounsview.load | {measure(HOUNSVIEW, folder, 3)[0]:.2f} |")
    imported = "---\nimport hounsview\n"
    print(f"| import hounsview | {measure(imported, folder)[0]:.4f} |")


def whole(work: Path) -> None:
    if not (work / "plain").is_dir():
        write(work / "plain", thorax(400))
    program = str(Path(sys.executable).parent / "hounsview")
    print("\nWhole commands, 400 slices of 512 x 512\n\n| command | seconds |\n| --- | --- |")
    picture = str(work / "picture.png")
    for name, command in {
        "hounsview info": [program, "info", str(work / "plain")],
        "hounsview render": [program, "render", str(work / "plain"), "-o", picture],
    }.items():
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best = min(best, time.perf_counter() - start)
        print(f"| {name} | {best:.2f} |")


PARTS: dict[str, Callable[[Path], None]] = {
    "native": native,
    "compressed": compressed,
    "growth": growth,
    "many": many,
    "whole": whole,
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for part in sys.argv[1:] or PARTS:
            PARTS[part](Path(name))


if __name__ == "__main__":
    main()
