"""Reading 400 slices of 512 x 512, as ratios against peers in the same run.

Run: .venv/bin/python benchmarks/reading.py [SLICES]

Every reader gets the same warm files. Seconds depend on the machine; the ratios hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import hounsview as hv

READERS = {
    "one array of the same bytes (limit)": """
import numpy as np
files = sorted(folder.iterdir())
out = np.empty((len(files), 512, 512), np.int16)
for k, file in enumerate(files):
    out[k] = np.fromfile(file, np.int16, 512 * 512, offset=file.stat().st_size - 2 * 512 * 512
        ).reshape(512, 512)
""",
    "hounsview.load": """
import hounsview as hv
hv.load(folder)
""",
    "hounsview.scan (headers only)": """
import hounsview as hv
hv.scan(folder)
""",
    "pydicom loop": """
import numpy as np, pydicom
slices = [pydicom.dcmread(file) for file in folder.iterdir()]
slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
hu = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    for ds in slices]).astype(np.int16)
""",
    "SimpleITK series reader": """
import SimpleITK as sitk
reader = sitk.ImageSeriesReader()
reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
sitk.GetArrayFromImage(reader.Execute())
""",
}
FRAME = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
{imports}


def peak_mib():  # of this program alone; ru_maxrss would inherit the parent's
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


base = peak_mib()
start = time.perf_counter()
{body}
print(time.perf_counter() - start, peak_mib() - base)
"""


def measure(body: str, folder: Path, repeats: int = 3) -> tuple[float, float]:
    """Return the best seconds and the added peak memory in MiB, imports left out."""
    lines = body.strip().splitlines()
    imports = "\n".join(line for line in lines if line.startswith("import"))
    if "hounsview" in imports:
        imports += "\nhv.load, hv.scan, hv.loading, hv.Volume\nimport pydicom.filereader, pydicom.dataset, imagecodecs"
    rest = "\n".join(line for line in lines if not line.startswith("import"))
    code = FRAME.format(imports=imports, body=rest)
    results = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(folder)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        seconds, memory = map(float, done.stdout.split())
        results.append((seconds, memory))
    return min(results)


def main() -> None:
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    rng = np.random.default_rng(0)
    hu = rng.integers(-1000, 1000, (slices, 512, 512)).astype(np.int16)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(1, 0.7, 0.7))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "series"
        hv.write_dicom(hv.Volume(hu, geometry), folder)
        volume_mib = hu.nbytes / 2**20
        del hu
        results = {name: measure(body, folder) for name, body in READERS.items()}
    limit = results["one array of the same bytes (limit)"][0]
    theirs = results["SimpleITK series reader"][0]
    print(
        f"{slices} slices of 512 x 512, {volume_mib:.0f} MiB of pixels, warm cache, best of 3\n"
    )
    print("| reader | seconds | times the limit | SimpleITK's time over it | peak / volume |")
    print("| --- | --- | --- | --- | --- |")
    for name, (seconds, memory) in results.items():
        print(
            f"| {name} | {seconds:.2f} | {seconds / limit:.1f} | {theirs / seconds:.1f} "
            f"| {memory / volume_mib:.2f} |"
        )


if __name__ == "__main__":
    main()
