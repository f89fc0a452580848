"""All traps, the classic and the rare ones."""

from __future__ import annotations

from rare_traps import RARE
from trap_series import TRAPS as CLASSIC
from trap_series import Trap

TRAPS: dict[str, Trap] = {**CLASSIC, **RARE}
