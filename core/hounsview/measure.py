"""The numbers of measurements: from (Volume, Measurement), never from a picture.

PADDING was not measured and FILLED was made up, so neither enters a number; RESAMPLED and
SATURATED voxels count, and their number is said. Standard deviations are those of a sample
(divided by n - 1), as for the noise of a scanner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.planes import is_aligned, nearest_voxel, patient_text, shown_voxel
from hounsview.regions import Contents, Shape, contents_of, lies_inside
from hounsview.viewstate import Measurement
from hounsview.volume import Validity, Volume

Floats = npt.NDArray[np.float64]

_LEFT_OUT: Final = Validity.PADDING | Validity.FILLED


@dataclass(frozen=True)
class Probe:
    """The value at a point: that of the nearest voxel of the slice it was put on.

    Parameters
    ----------
    point : (x, y, z) float, LPS mm
    index : (k, j, i) int, or None outside the volume
    value : float or None, in `unit`
        None where nothing was measured; `note` says why.
    unit : str
    note : str
    """

    point: tuple[float, float, float]
    index: tuple[int, int, int] | None
    value: float | None
    unit: str
    note: str = ""

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        shown = {"value": _with_unit(self.value, self.unit), "place": patient_text(self.point)}
        if self.index is not None:
            shown["index (k, j, i)"] = "{} {} {}".format(*self.index)
        return {name: text for name, text in (shown | {"note": self.note}).items() if text}

    def lines(self) -> tuple[str, ...]:
        """Return what a picture shows beside the point."""
        said = (_with_unit(self.value, self.unit), self.note)
        return (", ".join(text for text in said if text),)


@dataclass(frozen=True)
class Ruler:
    """The distance between two points.

    Parameters
    ----------
    length : float, mm
    """

    length: float

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        return {"length": f"{self.length:.1f} mm"}

    def lines(self) -> tuple[str, ...]:
        """Return what a picture shows beside the line."""
        return (f"{self.length:.1f} mm",)


@dataclass(frozen=True)
class Angle:
    """The angle at the vertex.

    Parameters
    ----------
    degrees : float or None
        0 to 180; None where an end lies on the vertex.
    """

    degrees: float | None

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        return {"angle": self.lines()[0]}

    def lines(self) -> tuple[str, ...]:
        """Return what a picture shows beside the vertex."""
        if self.degrees is None:
            return ("no angle: two points coincide",)
        return (f"{self.degrees:.1f}°",)


@dataclass(frozen=True)
class Region:
    """The values in a rectangle or an ellipse.

    Parameters
    ----------
    mean, deviation, low, high : float or None, in `unit`
        Of the voxels used; None where there is none. The deviation is that of a sample
        (n - 1) and needs two.
    unit : str
    area : float, mm2
        Of the shape, whatever it covers.
    used, padding, filled : int
        Voxels that entered the numbers, and those left out because they were never
        measured, or made up for a lost slice.
    resampled, saturated : int
        How many of those used were interpolated by a repair, or are at the end of what
        the scanner stores: the true mean may be higher.
    interpolated : bool
        The plane does not lie along the array: the voxels are trilinear samples on a
        square grid of the smallest spacing, and each counts as resampled.
    outside : bool
        Whether any part of the shape lies outside the volume.
    """

    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    unit: str
    area: float
    used: int
    padding: int
    filled: int
    resampled: int
    saturated: int
    interpolated: bool
    outside: bool = False

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        numbers = {
            "mean": self.mean, "SD (n - 1)": self.deviation,
            "minimum": self.low, "maximum": self.high,
        }  # fmt: skip
        shown = {name: _with_unit(value, self.unit) for name, value in numbers.items()}
        shown |= {
            "area": f"{self.area:.1f} mm²",
            "voxels": str(self.used),
            "note": self._note(),
        }
        return {name: text for name, text in shown.items() if text}

    def lines(self) -> tuple[str, ...]:
        """Return what a picture shows beside the shape, at most three lines."""
        first = ""
        if self.mean is not None:
            first = f"mean {_with_unit(self.mean, self.unit)}"
        if self.deviation is not None:
            first += f"  SD {_number(self.deviation, self.unit)}"
        second = f"{_area(self.area)}  {self.used} voxels"
        if self.low is not None and self.high is not None:
            ends = (_number(end, self.unit) for end in (self.low, self.high))
            second += "  {} to {}".format(*ends)
        return tuple(line for line in (first, second, self._note()) if line)

    def _note(self) -> str:
        counts = {
            f"{self.padding} padding left out": self.padding,
            f"{self.filled} filled left out": self.filled,
            f"{self.resampled} resampled": self.resampled and not self.interpolated,
            f"{self.saturated} saturated": self.saturated,
            "interpolated": self.interpolated and self.used,
            "part of it lies outside the volume": self.outside,
        }
        note = ", ".join(text for text, said in counts.items() if said)
        if self.used:
            return note
        if self.outside and not (self.padding or self.filled):
            return "no measured voxel in it (outside the volume)"
        return f"no measured voxel in it ({note or 'no voxel centre'})"


Measured = Probe | Ruler | Angle | Region


def measure(volume: Volume, measurement: Measurement) -> Measured:
    """Return the numbers of a measurement.

    A region of interest counts the voxels of the slice that its middle lies on (the one
    that a picture through it shows) whose centres lie in the shape or on its outline. Where
    the plane was turned, or the array does not follow the patient axes, it counts trilinear
    samples instead; a sample made of more than half of padding is padding, and one that any
    filled voxel contributed to is filled.

    Parameters
    ----------
    volume : Volume
    measurement : Measurement

    Returns
    -------
    Probe, Ruler, Angle or Region
        By the kind of the measurement; each has `values()` for a table and `lines()` for
        a picture.
    """
    points = np.asarray(measurement.points, float)
    if measurement.kind == "probe":
        return _probe(volume, points[0], measurement)
    if measurement.kind == "ruler":
        return Ruler(float(np.linalg.norm(points[1] - points[0])))
    if measurement.kind == "angle":
        return Angle(_angle(points))
    shape = Shape.of(measurement)
    region = _region(contents_of(volume, shape), shape.area, volume.unit)
    return replace(region, outside=not lies_inside(volume.geometry, shape))


def table_row(measurement: Measurement, measured: Measured) -> dict[str, str]:
    """Return a row of a table: "name", "plane", then each value with its unit."""
    turned = " turned {:g} {:g} {:g} degrees".format(
        *(round(angle, 1) + 0.0 for angle in measurement.oblique)
    )
    plane = measurement.plane + (turned if any(measurement.oblique) else "")
    name = measurement.text or measurement.kind
    return {"name": name, "kind": measurement.kind, "plane": plane, **measured.values()}


def _probe(volume: Volume, point: Floats, measurement: Measurement) -> Probe:
    x, y, z = (float(part) for part in point)
    if is_aligned(volume.geometry) and not any(measurement.oblique):
        index = shown_voxel(volume.geometry, measurement.plane, point)
    else:
        index = nearest_voxel(volume.geometry, point)
    if not volume.geometry.contains(index):
        return Probe((x, y, z), None, None, volume.unit, "outside the volume")
    marks = Validity(0 if volume.valid is None else int(volume.valid[index]))
    notes = {
        Validity.PADDING: "not measured (padding)", Validity.FILLED: "not measured (filled)",
        Validity.RESAMPLED: "resampled", Validity.SATURATED: "saturated",
    }  # fmt: skip
    note = ", ".join(text for bit, text in notes.items() if marks & bit)
    value = None if marks & _LEFT_OUT else float(volume.hu[index])
    return Probe((x, y, z), index, value, volume.unit, note)


def _angle(points: Floats) -> float | None:
    first, second = points[0] - points[1], points[2] - points[1]
    if not first.any() or not second.any():
        return None
    # The arc tangent keeps its digits near 0 and 180 degrees, the arc cosine does not.
    across = np.linalg.norm(np.cross(first, second))
    return math.degrees(math.atan2(float(across), float(first @ second)))


def _region(contents: Contents, area: float, unit: str) -> Region:
    values, marks, interpolated = contents
    padding = (marks & Validity.PADDING) > 0
    filled = ((marks & Validity.FILLED) > 0) & ~padding
    kept = ~(padding | filled)
    used = values[kept].astype(np.float64)
    count = len(used)
    resampled = np.count_nonzero(marks[kept] & Validity.RESAMPLED)
    return Region(
        mean=float(used.mean()) if count else None,
        deviation=float(used.std(ddof=1)) if count > 1 else None,
        low=float(used.min()) if count else None,
        high=float(used.max()) if count else None,
        unit=unit,
        area=area,
        used=count,
        padding=int(np.count_nonzero(padding)),
        filled=int(np.count_nonzero(filled)),
        resampled=count if interpolated else int(resampled),
        saturated=int(np.count_nonzero(marks[kept] & Validity.SATURATED)),
        interpolated=interpolated,
    )


def value_text(value: float, unit: str) -> str:
    """Return a value with its unit: HU with one decimal, others with five digits.

    >>> value_text(41.0, "HU"), value_text(0.123456, "unknown")
    ('41 HU', '0.12346 (unknown unit)')
    """
    said = {"unknown": "(unknown unit)", "stored": "(stored values)"}
    return f"{_number(value, unit)} {said.get(unit, unit)}"


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else value_text(value, unit)


def _number(value: float, unit: str) -> str:
    if unit != "HU":
        return f"{value:.5g}"
    # Adding 0 turns the -0 that rounding leaves of small negative numbers into 0.
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _area(area: float) -> str:
    return f"{area:.1f} mm²" if area < 1000 else f"{area / 100:.1f} cm²"
