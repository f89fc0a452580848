"""A seeded run of mutated headers: `make fuzz` (ten minutes), or with other numbers.

Run: python tests/fuzzing/seeded.py [--seconds 600] [--seed 1]

Each round damages some files of a generated series and reads the folder every way there
is. It ends with status 1 at the first broken promise, and keeps the folder that broke it.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "core")]

from fuzzing.harness import check, read_every_way, tighten_limits
from hounsview.dicom.headers import HeaderReader
from test_mutations import mutated
from traps import TRAPS

HANG_S = 20
SMALLEST = 500
MEMORY_MIB = 600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    tighten_limits()
    rng = random.Random(options.seed)
    work = Path(tempfile.mkdtemp(prefix="hounsview-fuzz-"))
    end = time.monotonic() + options.seconds
    names, tried = sorted(TRAPS), 0
    base = peak_mib()
    while time.monotonic() < end:
        name = rng.choice(names)
        for _ in range(6):
            try:
                tried += one_round(name, work, rng)
            except BaseException:
                print(f"seed {options.seed}, {name!r}: kept in {work}", file=sys.stderr)
                raise
        if peak_mib() - base > MEMORY_MIB:
            print(f"{name!r} took {peak_mib() - base:.0f} MiB: kept in {work}", file=sys.stderr)
            return 1
    shutil.rmtree(work)
    print(f"{tried:,} damaged files read, seed {options.seed}: every promise kept")
    return 0


def one_round(name: str, work: Path, rng: random.Random) -> int:
    """Damage one series and read it; return the number of damaged files."""
    shutil.rmtree(work)
    series, alone = work / "series", work / "alone"
    alone.mkdir(parents=True)
    TRAPS[name].build(series)
    files = sorted(path for path in series.rglob("*") if path.is_file())
    reader = HeaderReader()
    damaged = 0
    for path in files:
        reader.read(path)
        raw = path.read_bytes()
        if len(raw) < SMALLEST or (len(files) > 1 and rng.random() > 0.3):
            continue
        path.write_bytes(mutated(raw, rng))
        damaged += 1
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    read_every_way(series)
    if files:
        check(rng.choice(files).read_bytes(), alone, reader)
    faulthandler.cancel_dump_traceback_later()
    return damaged


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
