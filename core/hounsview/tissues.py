"""The numbers of tissues: from (Volume, mask), never from a picture.

PADDING was not measured and FILLED was made up, so neither enters a number, and the share of
the mask that was left out is said. Volumes and areas are those of the voxels that entered.
Masks come from `hounsview.masks` or from anywhere else: ``(k, j, i)`` bool on the volume's
grid. Standard deviations are those of a sample (n - 1), as in `hounsview.measure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.masks.segmenting import Tissues, segment
from hounsview.measure import value_text
from hounsview.planes import patient_text, slice_at, slice_middle
from hounsview.volume import Validity, Volume

Mask = npt.NDArray[np.bool_]

PERCENTILES: Final = (5, 15, 25, 50, 75, 85, 95)
EMPHYSEMA_HU: Final = -950
"""Below it lung is emphysema (Gevenois et al., Am J Respir Crit Care Med 154, 1996, 187)."""
PERC: Final = 15
"""The percentile that follows emphysema best (Perc15; Parr et al., Respir Res 7, 2006)."""
BIN_HU: Final = 10
HISTOGRAM_HU: Final = (-1030, 110)
_CHUNK: Final = 1 << 20
COMPOSITION: Final = ("fat", "soft_tissue", "bone", "skin")


@dataclass(frozen=True)
class TissueNumbers:
    """How much of a tissue there is, and its HU.

    Parameters
    ----------
    volume : float, ml
        Of the measured voxels.
    mean, deviation : float or None, HU
        None where no voxel was measured; the deviation needs two.
    percentiles : mapping of int to float, HU
    used : int
        Voxels that entered.
    left_out : float, 0 to 1
        Share of the mask that is PADDING or FILLED.
    """

    volume: float
    mean: float | None
    deviation: float | None
    percentiles: Mapping[int, float]
    used: int
    left_out: float

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        shown = {"volume": ml_text(self.volume)}
        numbers = {"mean": self.mean, "SD (n - 1)": self.deviation}
        numbers |= {f"P{p}": self.percentiles[p] for p in (5, 50, 95) if p in self.percentiles}
        shown |= {n: value_text(v, "HU") for n, v in numbers.items() if v is not None}
        return shown | {"voxels": str(self.used)} | _left_out_text(self.left_out)


@dataclass(frozen=True)
class LungDensity:
    """Densitometry of lung: for teaching, since HU of lung depend on breath and scanner.

    Parameters
    ----------
    volume : float, ml
    mean : float or None, HU
    emphysema_percent : float or None
        LAA-950: share of the voxels below -950 HU.
    perc15 : float or None, HU
        15 % of the voxels lie below it.
    histogram : (n,) int
        Voxels in each bin of 10 HU; those beyond the ends are in the first and last bin.
    edges : (n + 1,) float, HU
    left_out : float, 0 to 1
    """

    volume: float
    mean: float | None
    emphysema_percent: float | None
    perc15: float | None
    histogram: npt.NDArray[np.int64] = field(repr=False, compare=False)
    edges: npt.NDArray[np.float64] = field(repr=False, compare=False)
    left_out: float = 0.0

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        shown = {"volume": ml_text(self.volume)}
        if self.mean is not None and self.perc15 is not None:
            shown |= {
                "mean": value_text(self.mean, "HU"),
                "LAA-950": f"{self.emphysema_percent:.1f} %",
                "Perc15": value_text(self.perc15, "HU"),
            }
        return shown | _left_out_text(self.left_out)


@dataclass(frozen=True)
class BodyComposition:
    """Areas of tissues on one slice across the body.

    Parameters
    ----------
    point : (x, y, z) float, LPS mm
        The middle of the slice.
    body, fat, soft_tissue, bone, skin : float, cm2
        Soft tissue is muscle together with organs and blood: HU do not tell them apart.
    left_out : float, 0 to 1
        Share of the body's voxels on the slice that is FILLED.
    """

    point: tuple[float, float, float]
    body: float
    fat: float
    soft_tissue: float
    bone: float
    skin: float
    left_out: float

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        areas = {
            "body": self.body,
            "fat (-190 to -30 HU)": self.fat,
            "muscle and organs (-29 to 150 HU)": self.soft_tissue,
            "bone": self.bone,
            "skin": self.skin,
        }
        shown = {"place": patient_text(self.point)}
        shown |= {name: f"{area:.1f} cm²" for name, area in areas.items()}
        return shown | _left_out_text(self.left_out)


def tissue_numbers(volume: Volume, mask: Mask) -> TissueNumbers:
    """Return the numbers of one tissue.

    Parameters
    ----------
    volume : Volume
    mask : (k, j, i) bool

    Raises
    ------
    ArgumentError
        If the mask does not fit the volume.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    values, left_out = _measured_in(volume, mask)
    count = len(values)
    mean, deviation, found = _spread(values) if count else (None, None, ())
    return TissueNumbers(
        volume=count * volume.geometry.voxel_volume / 1000,
        mean=mean,
        deviation=deviation if count > 1 else None,
        percentiles=dict(zip(PERCENTILES, map(float, found), strict=bool(count))),
        used=count,
        left_out=left_out,
    )


def _spread(values: npt.NDArray[Any]) -> tuple[float, float | None, npt.NDArray[np.float64]]:
    """Return mean, deviation (n - 1) and `PERCENTILES` of (n,) values, HU.

    Integers are counted: the same numbers, without sorting a hundred million of them.
    """
    if values.dtype != np.int16:
        wide = values.astype(np.float64)
        deviation = float(wide.std(ddof=1)) if len(wide) > 1 else None
        return float(wide.mean()), deviation, np.percentile(wide, PERCENTILES)
    low, count = int(values.min()), len(values)
    counts = np.zeros(int(values.max()) - low + 1, np.int64)
    for start in range(0, count, _CHUNK):
        part = values[start : start + _CHUNK].astype(np.intp) - low
        counts += np.bincount(part, minlength=len(counts))
    levels = np.arange(low, low + len(counts), dtype=np.float64)
    mean = float(counts @ levels) / count
    apart = float(counts @ (levels - mean) ** 2)
    # Linear between the two values next to a place, as numpy.percentile has it.
    places = np.asarray(PERCENTILES) / 100 * (count - 1)
    below = np.floor(places)
    ends = np.cumsum(counts)
    at, after = (
        levels[np.searchsorted(ends, np.minimum(n, count - 1), side="right")]
        for n in (below, below + 1)
    )
    deviation = float(np.sqrt(apart / (count - 1))) if count > 1 else None
    return mean, deviation, at + (places - below) * (after - at)


def lung_density(volume: Volume, lung: Mask) -> LungDensity:
    """Return the densitometry of a lung, or of both: of all its voxels, vessels included.

    Parameters
    ----------
    volume : Volume
    lung : (k, j, i) bool

    Raises
    ------
    ArgumentError
        If the mask does not fit the volume.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    values, left_out = _measured_in(volume, lung)
    edges = np.arange(HISTOGRAM_HU[0], HISTOGRAM_HU[1] + BIN_HU, BIN_HU, dtype=np.float64)
    inside = np.clip(values, edges[0], edges[-1] - 1)
    histogram, _ = np.histogram(inside, edges)
    count = len(values)
    emphysema = np.count_nonzero(values < EMPHYSEMA_HU)
    return LungDensity(
        volume=count * volume.geometry.voxel_volume / 1000,
        mean=float(values.mean(dtype=np.float64)) if count else None,
        emphysema_percent=100 * emphysema / count if count else None,
        perc15=float(np.percentile(values, PERC)) if count else None,
        histogram=histogram.astype(np.int64),
        edges=edges,
        left_out=left_out,
    )


def body_composition(
    volume: Volume, z: float | None = None, *, tissues: Tissues | None = None
) -> BodyComposition:
    """Return the areas of tissues on the slice across the body nearest to a height.

    Parameters
    ----------
    volume : Volume
    z : float, LPS mm, optional
        Height in the patient; the middle of the volume when left out.
    tissues : Tissues, optional
        Masks already made of this volume; else they are made.

    Raises
    ------
    ArgumentError
        If the height is outside the volume.
    TissueNotFoundError
        If there is no body.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    geometry = volume.geometry
    centre = geometry.centre
    if z is not None:
        centre[2] = z
    shown = slice_at(geometry, "axial", centre)
    if not shown.inside:
        msg = f"height {centre[2]:.1f} mm (LPS z) is outside the volume"
        raise ArgumentError(msg)
    made = segment(volume, ["body", *COMPOSITION]) if tissues is None else tissues
    made.require("body")
    across = [n for n in range(3) if n != shown.axis]
    pixel = float(np.linalg.norm(np.cross(*geometry.affine[:3, across].T))) / 100
    measured = volume.measured().take(shown.index, axis=shown.axis)

    def area(name: str) -> float:
        if name not in made.masks:
            return 0.0
        plane = made.masks[name].take(shown.index, axis=shown.axis)
        return float(np.count_nonzero(plane & measured)) * pixel

    whole = made.masks["body"].take(shown.index, axis=shown.axis)
    count = max(1, int(np.count_nonzero(whole)))
    x, y, height = (float(n) for n in slice_middle(geometry, shown))
    return BodyComposition(
        (x, y, height),
        body=area("body"),
        **{name: area(name) for name in COMPOSITION},
        left_out=float(np.count_nonzero(whole & ~measured)) / count,
    )


def ml_text(volume: float) -> str:
    """Return a volume with its unit: three digits below 100 ml, whole ml above.

    >>> ml_text(0.4567), ml_text(4321.0)
    ('0.457 ml', '4321 ml')
    """
    return f"{volume:.3g} ml" if volume < 100 else f"{volume:.0f} ml"


def _measured_in(volume: Volume, mask: Mask) -> tuple[npt.NDArray[Any], float]:
    """Return (n,) the measured values in a mask, and the share of it left out."""
    volume.require_hu("numbers of a tissue")
    if mask.shape != volume.shape:
        msg = f"a mask of shape {mask.shape} does not fit a volume of shape {volume.shape}"
        raise ArgumentError(msg)
    inside = mask.astype(bool, copy=False)
    values = volume.hu[inside]
    if volume.valid is None or not len(values):
        return values, 0.0
    made = np.uint8(Validity.PADDING | Validity.FILLED)
    kept = (volume.valid[inside] & made) == 0
    return values[kept], 1 - np.count_nonzero(kept) / len(kept)


def _left_out_text(share: float) -> dict[str, str]:
    return {"left out (not measured)": f"{100 * share:.1f} %"} if share else {}
