"""What commands and front ends ask of tissues: where they are, all numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import hounsview as hv
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import ViewState
from hounsview.viewtissues import mask_of, tissues_shown
from hounsview.volume import Volume

if TYPE_CHECKING:
    from hounsview.masks import Tissues
    from hounsview.progress import Progress


@dataclass(frozen=True, eq=False)
class Found:
    """Tissues of a volume.

    Parameters
    ----------
    where : TissueMap
    notes : tuple of str
    numbers : list of (what, name, value)
    """

    where: TissueMap
    notes: tuple[str, ...]
    numbers: list[tuple[str, str, str]]


def find_tissues(volume: Volume, progress: Progress | None = None) -> Found:
    """Return the tissues of a volume and their numbers; takes seconds.

    Raises
    ------
    NotHounsfieldError
        If the volume does not hold HU.
    CancelledError
        If `progress` returned False.
    """
    found = hv.masks.segment(volume, progress=progress)
    missing: dict[str, list[str]] = {}
    for name, why in found.reasons.items():
        missing.setdefault(why, []).append(name.replace("_", " "))
    reasons = [f"{', '.join(names)}: {why}" for why, names in missing.items()]
    where = TissueMap.of(found, volume.shape)
    return Found(where, (*found.notes, *reasons), numbers_of(volume, found))


def tissues_for(volume: Volume, state: ViewState) -> TissueMap | None:
    """Return the tissues that a view shows; None where it shows none.

    Those that cannot be found are left out, as in the window.
    """
    if volume.unit != "HU" or not tissues_shown(state):
        return None
    return TissueMap.of(hv.masks.segment(volume), volume.shape)


def numbers_of(
    volume: Volume, found: Tissues, z: float | None = None
) -> list[tuple[str, str, str]]:
    """Return (what, name, value with its unit) of all tissues, or why one is missing.

    Parameters
    ----------
    volume : Volume
    found : Tissues
    z : float, LPS mm, optional
        Height of the slice for areas; the middle when left out.
    """
    from hounsview import islands, tissues

    rows = [(name, "not found", reason) for name, reason in found.reasons.items()]
    for name, mask in found.masks.items():
        values = tissues.tissue_numbers(volume, mask).values()
        rows += [(name, key, value) for key, value in values.items()]
    if any(side in found.masks for side in ("left_lung", "right_lung")):
        lung = mask_of(found, "lung")
        values = tissues.lung_density(volume, lung).values()
        rows += [("lung density", key, value) for key, value in values.items()]
        for number, island in enumerate(islands.bright_islands(volume, lung), start=1):
            what = f"candidate {number} (for teaching)"
            rows += [(what, key, value) for key, value in island.values().items()]
    if "body" in found.masks:
        values = tissues.body_composition(volume, z, tissues=found).values()
        rows += [("slice", key, value) for key, value in values.items()]
    return rows
