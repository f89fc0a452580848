"""Every exception that hounsview raises on purpose.

::

    HounsviewError                  .report, .files
    ├── ArgumentError               a caller's value is off (also a ValueError)
    ├── CancelledError              the progress callback asked to stop
    ├── GeometryError               positions, orientation or spacing do not make a grid
    ├── NotHounsfieldError          the values are not Hounsfield units
    ├── RepairNeededError           policy="strict" met what "repair" would have mended
    ├── RenderingUnavailableError   no OpenGL that VTK can use on this machine
    ├── TissueNotFoundError         a tissue cannot be told in this volume; says why
    ├── WriteError                  an output could not be written
    ├── SeriesError
    │   ├── AmbiguousSeriesError    several volumes: say which (.series lists them)
    │   ├── NoSeriesError           no CT image to load
    │   └── SeriesNotFoundError     no stack with that number, key or UID
    └── ReadError
        ├── PathNotFoundError       no such file or folder (also a FileNotFoundError)
        ├── ImageFormatError        a NIfTI, NRRD, MetaImage, npz or raw file is damaged
        ├── NotDicomError           the file is no DICOM file
        │   └── DamagedFileError    empty, not to be opened, or broken before its pixels
        ├── LimitError              a file claims or inflates to more than the limits allow
        ├── PixelDataError          pixels missing, cut off, or damaged
        ├── SessionFileError        a session file is damaged or none
        └── UnsupportedSyntaxError  nothing installed decodes this transfer syntax
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hounsview.findings import Finding, Report

if TYPE_CHECKING:
    from hounsview.series import Series


class HounsviewError(Exception):
    """Root of the tree: names the fact, the values, the files and the way out.

    Parameters
    ----------
    message : str
        For a person; complete without the report.
    report : Report, optional
        What was found before it failed, this failure included.
    files : sequence of Path, optional
        The files at fault.
    """

    def __init__(
        self,
        message: str,
        *,
        report: Report | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        super().__init__(message)
        self.report = report if report is not None else Report()
        self.files = tuple(files)

    @classmethod
    def of(cls, finding: Finding, report: Report | None = None) -> HounsviewError:
        """Return this error in the words of a finding, which joins the report."""
        whole = (report if report is not None else Report()).adding([finding])
        where = ""
        if finding.files and not any(p.name in finding.message for p in finding.files):
            where = f" [{name_files(finding.files)}]"
        tag = f" ({finding.tag})" if finding.tag not in finding.message else ""
        message = f"{finding.message}{where}{tag}"
        if finding.action:
            message = f"{message}. {finding.action}"
        return cls(message, report=whole, files=finding.files)


class ArgumentError(HounsviewError, ValueError):
    """A value handed in by the caller cannot be used."""


class CancelledError(HounsviewError):
    """The progress callback returned False: nothing was returned or written."""


class GeometryError(HounsviewError):
    """Positions, orientation or spacing do not describe a grid in the patient."""


class NotHounsfieldError(HounsviewError):
    """The values are not Hounsfield units, or cannot be shown to be."""


class RepairNeededError(HounsviewError):
    """With policy="strict": the series needs a repair."""


class RenderingUnavailableError(HounsviewError):
    """VTK finds no OpenGL it can draw with."""


class TissueNotFoundError(HounsviewError):
    """A mask cannot be made: the tissue is not there, or HU alone do not tell it."""


class WriteError(HounsviewError):
    """An output could not be written; nothing half-written was left."""


class SeriesError(HounsviewError):
    """The wanted series is not there, or not the only one."""


class AmbiguousSeriesError(SeriesError):
    """Several volumes are there; `.series` lists them."""

    series: Sequence[Series] = ()


class NoSeriesError(SeriesError):
    """There is no CT image to load."""


class SeriesNotFoundError(SeriesError):
    """No stack has the number, key or SeriesInstanceUID asked for."""


class ReadError(HounsviewError):
    """A file could not be read."""


class PathNotFoundError(ReadError, FileNotFoundError):
    """There is no such file or folder."""


class ImageFormatError(ReadError):
    """An image file (NIfTI, NRRD, MetaImage, npz, raw) does not hold what it says."""


class NotDicomError(ReadError):
    """The file is no DICOM file."""


class DamagedFileError(NotDicomError):
    """The file is empty, cannot be opened, or breaks off before its pixels."""


class LimitError(ReadError):
    """A file claims, or inflates to, more than `hounsview.limits` allows."""


class PixelDataError(ReadError):
    """Pixels are missing, cut off, or cannot be decoded."""


class SessionFileError(ReadError):
    """A session file is damaged, none, or from a newer hounsview."""


class UnsupportedSyntaxError(ReadError):
    """No installed package decodes this transfer syntax."""


_ERRORS: Final[dict[str, type[HounsviewError]]] = {
    "NOT_CT": NotHounsfieldError,
    "NOT_HU": NotHounsfieldError,
    "LOCALIZER": NotHounsfieldError,
    "RESCALE_MISSING": NotHounsfieldError,
    "RESCALE_INVALID": NotHounsfieldError,
    "NOT_DICOM": NotDicomError,
    "LIMIT_EXCEEDED": LimitError,
    "PIXEL_FORMAT": PixelDataError,
    "PIXELS_UNDECODABLE": PixelDataError,
    "SYNTAX_UNSUPPORTED": UnsupportedSyntaxError,
    "REPAIR_NOT_ALLOWED": RepairNeededError,
}


def error_of(finding: Finding, report: Report) -> HounsviewError:
    """Return the exception that says a refusal."""
    return _ERRORS.get(finding.code, GeometryError).of(finding, report)


def name_files(files: Sequence[Path], limit: int = 5) -> str:
    """Return file names for a message: the first few, and how many more.

    >>> name_files([Path("a/1.dcm"), Path("a/2.dcm")], limit=1)
    '1.dcm and 1 more'
    """
    names = ", ".join(path.name for path in files[:limit])
    return names if len(files) <= limit else f"{names} and {len(files) - limit} more"
