"""The shared folder of real CT and what must come out of it; skips where it is absent."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(
    os.environ.get(
        "HOUNSVIEW_TEST_DATA", Path(__file__).resolve().parents[1].parent / "shared" / "data"
    )
)
present = (FOLDER / "truth.json").is_file()
needs_data = pytest.mark.skipif(
    not present, reason=f"real CT data are not in {FOLDER} (set HOUNSVIEW_TEST_DATA)"
)


@cache
def truth() -> dict[str, Any]:
    if not present:
        return {"series": {}, "files": {}}
    content: dict[str, Any] = json.loads((FOLDER / "truth.json").read_text())
    return content
