"""The pictures of hounsview: panes, volume rendering and the command line.

Importing this package loads nothing heavy: public names are fetched at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {"hounsview_vizapp.rendering.bridge": ("to_pyvista",)}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [*_MODULE_OF]

if TYPE_CHECKING:
    from hounsview_vizapp.rendering.bridge import to_pyvista as to_pyvista


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
