"""What is wrong with a volume that Slicer itself loaded, and a repaired copy of it.

Slicer's reader leaves padding at what the scanner stored (-3024 HU, or +62512 where the sign
was lost), which ruins automatic windows and every mean. What a node cannot tell is whether a
slice was missing: that needs the files (`hounsview.scan`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import GeometryError
from hounsview.findings import Finding, Report
from hounsview.hounsfield import BELOW_AIR_HU, untagged_padding
from hounsview.mrml.images import array_of_image
from hounsview.mrml.volumes import own_grid_of, unit_of, volume_node, volume_of, window_of
from hounsview.reading import NO_AIR_ABOVE_HU
from hounsview.volume import AIR_HU, Validity, Volume

HIGHEST_HU: Final = 32767
"""No scanner says more, also with an extended scale; what is above is a lost sign."""
_ONE_PERCENT: Final = 0.01
_CAN_BE: Final = "hounsview.mrml.repaired makes a copy with -1024 HU there"
_IS: Final = "This copy has -1024 HU there"


@dataclass(frozen=True)
class _Seen:
    """What the values of a node are: padding, and the range of the rest."""

    padding: npt.NDArray[np.bool_]
    levels: tuple[float, ...]
    not_finite: int
    lowest: float
    highest: float
    below_air: float


def audit(node: Any) -> Report:
    """Return what is wrong with the values, the unit and the grid of a volume node.

    The node is not changed. Codes: PADDING_WITHOUT_TAG (one value far outside of HU fills the
    corners of slices), NOT_FINITE, OFFSET_DATA (values that cannot be HU), UNIT_UNKNOWN,
    NOT_HU (another unit), GEOMETRY_INVALID (axes that do not stand at
    right angles).

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode

    Raises
    ------
    ArgumentError
        If the node holds no voxels, or several numbers in each.
    """
    values = array_of_image(node.GetImageData(), node.GetName())
    findings = [*_about_grid(node), *_about_unit(node)]
    if unit_of(node) in (None, "HU"):
        findings += _about_values(_seen(values), _CAN_BE)
    return Report(tuple(findings))


def repaired(node: Any, scene: Any, *, name: str = "", unit: str | None = None) -> Any:
    """Return a new volume node with padding at -1024 HU; the given one is not touched.

    What was padding, or not finite, is the segment "Outside FOV" of a segmentation that the
    new node refers to. Window and transform are those of the given node.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    scene : vtkMRMLScene
    name : str
        That of the node and "repaired" when left out.
    unit : str, optional
        "HU" where the node does not say it, and you know it.

    Raises
    ------
    ArgumentError
        If the node holds no voxels, several numbers in each, or says another unit.
    NotHounsfieldError
        If its values are not Hounsfield units, or nobody says so.
    GeometryError
        If the axes do not stand at right angles, or a bent transform is above the node.
    """
    values = array_of_image(node.GetImageData(), node.GetName())
    before = volume_of(node, unit=unit)
    before.require_hu("repairing padding")
    volume = _mended(before, values)
    made = volume_node(
        replace(volume, geometry=own_grid_of(node)),
        scene,
        name=name or f"{node.GetName()} repaired",
        window=window_of(node),
    )
    above = node.GetTransformNodeID()
    for moved in (made, made.GetNodeReference("hounsview.marks")):
        if moved is not None:
            moved.SetAndObserveTransformNodeID(above)
    return made


def _mended(volume: Volume, values: npt.NDArray[Any]) -> Volume:
    """Return the volume with what is padding in its raw values at -1024 HU."""
    seen = _seen(values)
    outside = seen.padding if not seen.not_finite else seen.padding | ~np.isfinite(values)
    if not outside.any():
        return volume
    rest = np.where(outside, values.dtype.type(0), values)
    fits = values.dtype.kind in "iu" and rest.min() >= -32768 and rest.max() <= HIGHEST_HU
    hu = rest.astype(np.int16 if fits else np.float32)
    hu[outside] = AIR_HU
    valid = np.zeros(hu.shape, np.uint8) if volume.valid is None else volume.valid.copy()
    valid[outside] |= np.uint8(Validity.PADDING)
    report = volume.report.adding(_about_values(seen, _IS))
    return replace(volume, hu=hu, valid=valid, report=report)


def _seen(values: npt.NDArray[Any]) -> _Seen:
    padding = np.zeros(values.shape, bool)
    levels: dict[float, None] = {}
    not_finite, below, lowest, highest = 0, 0, np.inf, -np.inf
    for k, plane in enumerate(values):
        usable = np.isfinite(plane) if plane.dtype.kind == "f" else np.ones(plane.shape, bool)
        not_finite += plane.size - int(np.count_nonzero(usable))
        found = _padding_of(np.where(usable, plane, 0))
        if found is not None:
            padding[k] = found & usable
            levels |= dict.fromkeys(float(n) for n in np.unique(plane[padding[k]]))
            usable &= ~found
        measured = plane[usable]
        if measured.size:
            lowest = min(lowest, float(measured.min()))
            highest = max(highest, float(measured.max()))
            below += int(np.count_nonzero(measured < BELOW_AIR_HU))
    share = below / values.size
    return _Seen(padding, tuple(levels), not_finite, lowest, highest, share)


def _padding_of(plane: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Return the padding of a slice, (rows, columns) bool, below all HU or above; or None."""
    found = untagged_padding(plane)
    highest = plane.max()
    if found is not None or highest <= HIGHEST_HU:
        return found
    corners = plane[[0, 0, -1, -1], [0, -1, 0, -1]]
    above: npt.NDArray[np.bool_] = plane == highest
    wide = np.count_nonzero(above) >= _ONE_PERCENT * above.size
    return above if wide and np.count_nonzero(corners == highest) >= 2 else None


def _about_values(seen: _Seen, done: str) -> list[Finding]:
    found = []
    if seen.levels:
        levels = ", ".join(f"{level:g}" for level in seen.levels[:3])
        share = np.count_nonzero(seen.padding) / seen.padding.size
        text = f"{share:.1%} of the voxels, the corners among them, hold {levels}: no HU"
        found.append(Finding("PADDING_WITHOUT_TAG", text, action=done))
    if seen.not_finite:
        text = f"{seen.not_finite:,} voxels hold NaN or infinity"
        found.append(Finding("NOT_FINITE", text, action=done))
    action = "Check slope and intercept before trusting a number."
    if NO_AIR_ABOVE_HU < seen.lowest < np.inf:
        text = f"the lowest value is {seen.lowest:g} HU, and air is -1000"
        found.append(Finding("OFFSET_DATA", text, action=action))
    elif seen.below_air > _ONE_PERCENT:
        text = f"{seen.below_air:.1%} of the voxels lie below {BELOW_AIR_HU} HU"
        found.append(Finding("OFFSET_DATA", f"{text}, and air is -1000", action=action))
    if seen.highest > HIGHEST_HU:
        text = (
            f"the highest value is {seen.highest:g} HU, and scanners say {HIGHEST_HU} at most"
        )
        found.append(Finding("OFFSET_DATA", text, action=action))
    return found


def _about_grid(node: Any) -> list[Finding]:
    try:
        own_grid_of(node)
    except GeometryError as error:
        return [Finding("GEOMETRY_INVALID", str(error))]
    return []


def _about_unit(node: Any) -> list[Finding]:
    unit = unit_of(node)
    if unit == "HU":
        return []
    if unit is None:
        text = f"the node {node.GetName()} does not say what unit its values have"
        action = "Take them as HU only if you know that it is a CT"
        return [Finding("UNIT_UNKNOWN", text, action=action)]
    text = f"the node {node.GetName()} says that its values are {unit!r}, not Hounsfield units"
    return [Finding("NOT_HU", text)]
