"""The pictures of hounsview: panes, volume rendering, notebook widgets and command line.

Importing this package loads nothing heavy: public names are fetched at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "hounsview_vizapp.rendering.bridge": ("to_pyvista",),
    "hounsview_vizapp.notebook.view": ("SlicePane", "View", "VolumePane", "show"),
    "hounsview_vizapp.notebook.histogram": ("Histogram",),
    "hounsview_vizapp.notebook.controls.slices": (
        "CineControls",
        "SlabControls",
        "SliceSlider",
        "WindowControls",
    ),
    "hounsview_vizapp.notebook.controls.rendering": ("CropControls", "RenderingControls"),
    "hounsview_vizapp.notebook.controls.tissues": ("SurfaceControls", "TissueControls"),
    "hounsview_vizapp.notebook.controls.measurements": ("MeasureControls",),
    "hounsview_vizapp.notebook.controls.findings": ("FindingsControls",),
}
_NOTEBOOK = "hounsview_vizapp.notebook."
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [*_MODULE_OF]

if TYPE_CHECKING:
    from hounsview_vizapp.notebook.controls.findings import (
        FindingsControls as FindingsControls,
    )
    from hounsview_vizapp.notebook.controls.measurements import (
        MeasureControls as MeasureControls,
    )
    from hounsview_vizapp.notebook.controls.rendering import (
        CropControls as CropControls,
    )
    from hounsview_vizapp.notebook.controls.rendering import (
        RenderingControls as RenderingControls,
    )
    from hounsview_vizapp.notebook.controls.slices import (
        CineControls as CineControls,
    )
    from hounsview_vizapp.notebook.controls.slices import (
        SlabControls as SlabControls,
    )
    from hounsview_vizapp.notebook.controls.slices import (
        SliceSlider as SliceSlider,
    )
    from hounsview_vizapp.notebook.controls.slices import (
        WindowControls as WindowControls,
    )
    from hounsview_vizapp.notebook.controls.tissues import (
        SurfaceControls as SurfaceControls,
    )
    from hounsview_vizapp.notebook.controls.tissues import (
        TissueControls as TissueControls,
    )
    from hounsview_vizapp.notebook.histogram import Histogram as Histogram
    from hounsview_vizapp.notebook.view import SlicePane as SlicePane
    from hounsview_vizapp.notebook.view import View as View
    from hounsview_vizapp.notebook.view import VolumePane as VolumePane
    from hounsview_vizapp.notebook.view import show as show
    from hounsview_vizapp.rendering.bridge import to_pyvista as to_pyvista


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        value = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if module.startswith(_NOTEBOOK) and error.name in ("ipywidgets", "anywidget"):
            error.add_note("The notebook's widgets need: pip install 'hounsview[notebook]'")
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
