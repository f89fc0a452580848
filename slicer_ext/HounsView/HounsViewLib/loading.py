"""From a folder or file to a volume node."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def load(path: str, scene: Any) -> Any:
    """Return the volume node of the one CT volume under a path, with window and findings.

    Raises
    ------
    hounsview.HounsviewError
        If nothing can be loaded, or several volumes lie there.
    """
    import hounsview as hv
    from hounsview import mrml

    return mrml.volume_node(hv.load(path), scene, name=Path(path).name or "CT")
