"""CT in Hounsfield units: right volumes from DICOM, and what follows from them.

>>> import hounsview as hv
>>> volume = hv.phantom("hu-rods")
>>> volume.unit, volume.geometry.orientation
('HU', 'SPL')

Importing this package loads nothing heavy: public names are fetched at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "hounsview.errors": (
        "AmbiguousSeriesError",
        "ArgumentError",
        "CancelledError",
        "GeometryError",
        "HounsviewError",
        "NoSeriesError",
        "NotDicomError",
        "NotHounsfieldError",
        "PathNotFoundError",
        "PixelDataError",
        "ReadError",
        "RenderingUnavailableError",
        "RepairNeededError",
        "SeriesError",
        "SeriesNotFoundError",
        "UnsupportedSyntaxError",
        "WriteError",
    ),
    "hounsview.export": ("write_dicom",),
    "hounsview.findings": ("Finding", "Report", "Severity", "Status"),
    "hounsview.geometry": ("Geometry",),
    "hounsview.loading": ("LoadResult", "load", "load_all"),
    "hounsview.phantoms": ("phantom",),
    "hounsview.presets": ("RenderingPreset", "rendering_presets"),
    "hounsview.scanning": ("Scan", "scan"),
    "hounsview.series": ("Series",),
    "hounsview.viewstate": ("ViewState",),
    "hounsview.volume": ("AIR_HU", "SliceSource", "Validity", "Volume"),
    "hounsview.windows": ("Window", "window_presets"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *_MODULE_OF]  # noqa: PLE0604

if TYPE_CHECKING:
    from hounsview.errors import (
        AmbiguousSeriesError as AmbiguousSeriesError,
        ArgumentError as ArgumentError,
        CancelledError as CancelledError,
        GeometryError as GeometryError,
        HounsviewError as HounsviewError,
        NoSeriesError as NoSeriesError,
        NotDicomError as NotDicomError,
        NotHounsfieldError as NotHounsfieldError,
        PathNotFoundError as PathNotFoundError,
        PixelDataError as PixelDataError,
        ReadError as ReadError,
        RenderingUnavailableError as RenderingUnavailableError,
        RepairNeededError as RepairNeededError,
        SeriesError as SeriesError,
        SeriesNotFoundError as SeriesNotFoundError,
        UnsupportedSyntaxError as UnsupportedSyntaxError,
        WriteError as WriteError,
    )
    from hounsview.export import write_dicom as write_dicom
    from hounsview.findings import (
        Finding as Finding,
        Report as Report,
        Severity as Severity,
        Status as Status,
    )
    from hounsview.geometry import Geometry as Geometry
    from hounsview.loading import (
        LoadResult as LoadResult,
        load as load,
        load_all as load_all,
    )
    from hounsview.phantoms import phantom as phantom
    from hounsview.presets import (
        RenderingPreset as RenderingPreset,
        rendering_presets as rendering_presets,
    )
    from hounsview.scanning import Scan as Scan, scan as scan
    from hounsview.series import Series as Series
    from hounsview.viewstate import ViewState as ViewState
    from hounsview.volume import (
        AIR_HU as AIR_HU,
        SliceSource as SliceSource,
        Validity as Validity,
        Volume as Volume,
    )
    from hounsview.windows import Window as Window, window_presets as window_presets


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
