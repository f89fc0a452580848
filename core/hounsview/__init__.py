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
        "DamagedFileError",
        "GeometryError",
        "HounsviewError",
        "ImageFormatError",
        "LimitError",
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
        "SessionFileError",
        "TissueNotFoundError",
        "UnsupportedSyntaxError",
        "WriteError",
    ),
    "hounsview.dicomwriting": ("write_dicom",),
    "hounsview.export": ("write",),
    "hounsview.faces": ("check_face", "deface", "shifted"),
    "hounsview.findings": ("Finding", "Report", "Severity", "Status"),
    "hounsview.geometry": ("Geometry",),
    "hounsview.images.importing": ("is_image_file", "read_image"),
    "hounsview.islands": ("BrightIsland", "bright_islands"),
    "hounsview.limits": ("Limits", "get_limits", "set_limits"),
    "hounsview.loading": ("LoadResult", "load", "load_all"),
    "hounsview.phantoms": ("phantom",),
    "hounsview.presets": ("RenderingPreset", "rendering_presets"),
    "hounsview.images.rawfiles": ("read_raw",),
    "hounsview.scanning": ("Scan", "scan"),
    "hounsview.series": ("Series",),
    "hounsview.sessions": ("Session", "load_session", "read_session", "write_session"),
    "hounsview.slices": ("OrthogonalSlice", "orthogonal_slice", "thumbnail"),
    "hounsview.tissues": (
        "BodyComposition",
        "LungDensity",
        "TissueNumbers",
        "body_composition",
        "lung_density",
        "tissue_numbers",
    ),
    "hounsview.traps": ("write_traps",),
    "hounsview.viewstate": ("ViewState",),
    "hounsview.volume": ("AIR_HU", "SliceSource", "Validity", "Volume"),
    "hounsview.windows": ("Window", "window_presets"),
}
_MODULES = ("masks", "mrml", "traps")
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *_MODULES, *_MODULE_OF]

if TYPE_CHECKING:
    from hounsview import masks as masks
    from hounsview import mrml as mrml
    from hounsview import traps as traps
    from hounsview.dicomwriting import write_dicom as write_dicom
    from hounsview.errors import (
        AmbiguousSeriesError as AmbiguousSeriesError,
    )
    from hounsview.errors import (
        ArgumentError as ArgumentError,
    )
    from hounsview.errors import (
        CancelledError as CancelledError,
    )
    from hounsview.errors import (
        DamagedFileError as DamagedFileError,
    )
    from hounsview.errors import (
        GeometryError as GeometryError,
    )
    from hounsview.errors import (
        HounsviewError as HounsviewError,
    )
    from hounsview.errors import (
        ImageFormatError as ImageFormatError,
    )
    from hounsview.errors import (
        LimitError as LimitError,
    )
    from hounsview.errors import (
        NoSeriesError as NoSeriesError,
    )
    from hounsview.errors import (
        NotDicomError as NotDicomError,
    )
    from hounsview.errors import (
        NotHounsfieldError as NotHounsfieldError,
    )
    from hounsview.errors import (
        PathNotFoundError as PathNotFoundError,
    )
    from hounsview.errors import (
        PixelDataError as PixelDataError,
    )
    from hounsview.errors import (
        ReadError as ReadError,
    )
    from hounsview.errors import (
        RenderingUnavailableError as RenderingUnavailableError,
    )
    from hounsview.errors import (
        RepairNeededError as RepairNeededError,
    )
    from hounsview.errors import (
        SeriesError as SeriesError,
    )
    from hounsview.errors import (
        SeriesNotFoundError as SeriesNotFoundError,
    )
    from hounsview.errors import (
        SessionFileError as SessionFileError,
    )
    from hounsview.errors import (
        TissueNotFoundError as TissueNotFoundError,
    )
    from hounsview.errors import (
        UnsupportedSyntaxError as UnsupportedSyntaxError,
    )
    from hounsview.errors import (
        WriteError as WriteError,
    )
    from hounsview.export import write as write
    from hounsview.faces import (
        check_face as check_face,
    )
    from hounsview.faces import (
        deface as deface,
    )
    from hounsview.faces import (
        shifted as shifted,
    )
    from hounsview.findings import (
        Finding as Finding,
    )
    from hounsview.findings import (
        Report as Report,
    )
    from hounsview.findings import (
        Severity as Severity,
    )
    from hounsview.findings import (
        Status as Status,
    )
    from hounsview.geometry import Geometry as Geometry
    from hounsview.images.importing import is_image_file as is_image_file
    from hounsview.images.importing import read_image as read_image
    from hounsview.images.rawfiles import read_raw as read_raw
    from hounsview.islands import BrightIsland as BrightIsland
    from hounsview.islands import bright_islands as bright_islands
    from hounsview.limits import (
        Limits as Limits,
    )
    from hounsview.limits import (
        get_limits as get_limits,
    )
    from hounsview.limits import (
        set_limits as set_limits,
    )
    from hounsview.loading import (
        LoadResult as LoadResult,
    )
    from hounsview.loading import (
        load as load,
    )
    from hounsview.loading import (
        load_all as load_all,
    )
    from hounsview.phantoms import phantom as phantom
    from hounsview.presets import (
        RenderingPreset as RenderingPreset,
    )
    from hounsview.presets import (
        rendering_presets as rendering_presets,
    )
    from hounsview.scanning import Scan as Scan
    from hounsview.scanning import scan as scan
    from hounsview.series import Series as Series
    from hounsview.sessions import (
        Session as Session,
    )
    from hounsview.sessions import (
        load_session as load_session,
    )
    from hounsview.sessions import (
        read_session as read_session,
    )
    from hounsview.sessions import (
        write_session as write_session,
    )
    from hounsview.slices import (
        OrthogonalSlice as OrthogonalSlice,
    )
    from hounsview.slices import (
        orthogonal_slice as orthogonal_slice,
    )
    from hounsview.slices import (
        thumbnail as thumbnail,
    )
    from hounsview.tissues import (
        BodyComposition as BodyComposition,
    )
    from hounsview.tissues import (
        LungDensity as LungDensity,
    )
    from hounsview.tissues import (
        TissueNumbers as TissueNumbers,
    )
    from hounsview.tissues import (
        body_composition as body_composition,
    )
    from hounsview.tissues import (
        lung_density as lung_density,
    )
    from hounsview.tissues import (
        tissue_numbers as tissue_numbers,
    )
    from hounsview.traps import write_traps as write_traps
    from hounsview.viewstate import ViewState as ViewState
    from hounsview.volume import (
        AIR_HU as AIR_HU,
    )
    from hounsview.volume import (
        SliceSource as SliceSource,
    )
    from hounsview.volume import (
        Validity as Validity,
    )
    from hounsview.volume import (
        Volume as Volume,
    )
    from hounsview.windows import Window as Window
    from hounsview.windows import window_presets as window_presets


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
