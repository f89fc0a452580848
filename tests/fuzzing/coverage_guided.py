"""Coverage-guided fuzzing of scan and load, by atheris (pip install atheris).

Run: python tests/fuzzing/coverage_guided.py CORPUS [-max_total_time=3600 ...]

CORPUS is a folder; it is filled from the generated series where it is empty.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "core")]
with atheris.instrument_imports(include=["hounsview"]):
    pass

from fuzzing.harness import check, tighten_limits
from hounsview.dicom.headers import HeaderReader
from traps import TRAPS


def fill(corpus: Path) -> None:
    """Write two files of every generated series, and a zip, into the corpus."""
    import zipfile

    corpus.mkdir(parents=True, exist_ok=True)
    for number, trap in enumerate(TRAPS.values()):
        with tempfile.TemporaryDirectory() as name:
            trap.build(Path(name))
            files = sorted(path for path in Path(name).rglob("*") if path.is_file())
            for n, path in enumerate(files[:2]):
                (corpus / f"{number:03d}-{n}").write_bytes(path.read_bytes()[:60_000])
            if number == 0:
                with zipfile.ZipFile(corpus / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
                    for path in files[:3]:
                        archive.write(path, path.name)


def main() -> None:
    corpus = Path(next(a for a in sys.argv[1:] if not a.startswith("-")))
    if not corpus.is_dir() or not any(corpus.iterdir()):
        fill(corpus)
    warnings.simplefilter("ignore")
    logging.disable()
    tighten_limits()
    reader = HeaderReader()
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    for path in sorted(corpus.iterdir()):
        reader.read(path)

    def one(content: bytes) -> None:
        check(content, folder, reader)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
