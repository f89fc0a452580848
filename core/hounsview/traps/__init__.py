"""Traps: series as they come from real scanners, archives and tools, HU known everywhere.

`write_traps` writes them, `TRAPS` says what is wrong with each, and `known_hu` what is true
at every point of the patient: a reader is right where the HU of a voxel are those of the
point that it claims for it. `slices` makes more of the kind.
"""

from hounsview.traps.catalogue import TRAPS, Trap
from hounsview.traps.slices import known_hu
from hounsview.traps.writing import write_traps

__all__ = ["TRAPS", "Trap", "known_hu", "write_traps"]
