"""What commands and front ends ask of tissues: a mask, a mesh, all numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import hounsview as hv
from hounsview.viewstate import Surface, ViewState
from hounsview.volume import Volume
from hounsview_vizapp.tissuemap import TissueMap

if TYPE_CHECKING:
    from hounsview.masks import Tissues
    from hounsview.progress import Progress
    from hounsview.surfaces import Mesh


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


def mask_name(tissue: str) -> str:
    """Return what `hounsview.masks` calls a tissue: the skin's surface is that of the body."""
    return {"lung": "lungs", "skin": "body"}.get(tissue, tissue)


def mask_of(found: Tissues, tissue: str) -> Any:
    """Return the (k, j, i) mask of a tissue; ``"lung"`` is whatever lung there is.

    Raises
    ------
    TissueNotFoundError
        If it could not be made.
    """
    if tissue != "lung":
        return found.require(mask_name(tissue))
    sides = [found.masks[s] for s in ("left_lung", "right_lung") if s in found.masks]
    if not sides:
        found.require("left_lung")
    return np.logical_or.reduce(sides)


def mesh_of(
    volume: Volume,
    surface: Surface,
    *,
    tissues: TissueMap | None = None,
    progress: Progress | None = None,
) -> Mesh:
    """Return the mesh of a surface of a view: of a tissue's mask, or of its HU level.

    The tissue is looked for where `tissues` is left out or does not hold it.

    Raises
    ------
    TissueNotFoundError
        If the tissue could not be found.
    NotHounsfieldError
        If the volume does not hold HU.
    ArgumentError
        If the level occurs nowhere.
    CancelledError
        If `progress` returned False.
    """
    from hounsview import surfaces

    if not surface.tissue:
        level = surface.level or 0.0
        return surfaces.from_level(volume, level, target=None, name=surface.name)
    if tissues is not None and tissues.parts_of(surface.tissue):
        mask = tissues.mask_of(surface.tissue)
    else:
        found = hv.masks.segment(volume, [mask_name(surface.tissue)], progress=progress)
        mask = mask_of(found, surface.tissue)
    return surfaces.from_mask(mask, volume.geometry, name=surface.name)


def tissues_shown(state: ViewState) -> set[str]:
    """Return the tissues that a view shows, over its slices or as surfaces."""
    from hounsview.masks import LABELS

    shown = {each.name for each in state.overlays if each.shown and each.name in LABELS}
    if state.layout in ("four-up", "3d"):
        shown |= {
            f"{each.tissue} surface" for each in state.surfaces if each.tissue and each.shown
        }
    return shown


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
