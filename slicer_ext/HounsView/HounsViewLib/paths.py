"""Where the library is: installed beside the module, or in a checkout."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def add() -> None:
    """Let `hounsview` be imported; from a checkout it is found in ``core/``."""
    if find_spec("hounsview") is None:
        core = Path(__file__).resolve().parents[3] / "core"
        if (core / "hounsview").is_dir():
            sys.path.insert(0, str(core))
