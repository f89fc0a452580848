"""How much memory a picture may take, asked before it is taken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

GPU_VOXELS: Final = 256_000_000
"""512 MiB of texture: what a graphics card of this decade has to spare."""

_SHARE: Final = 0.5
_UNKNOWN_BYTES: Final = 2 << 30
_MEMINFO: Final = Path("/proc/meminfo")
_CPU_BYTES_PER_VOXEL: Final = 12
"""Values (2), smoothing (4), masks (1), gradient normals and lengths (3), and space to work."""


def free_bytes() -> int:
    """Return the memory that can be had without swapping, or 2 GiB where nobody says."""
    try:
        for line in _MEMINFO.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, AttributeError, IndexError):
        return _UNKNOWN_BYTES


def affordable(voxels: int) -> int:
    """Return how many voxels the CPU ray caster may take of so many wanted.

    At most half of what is free goes into one level.
    """
    return max(1, min(voxels, int(_SHARE * free_bytes() / _CPU_BYTES_PER_VOXEL)))
