"""What a view shows of tissues: which ones, and its surfaces as meshes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import hounsview as hv
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import Surface, ViewState
from hounsview.volume import Volume

if TYPE_CHECKING:
    from hounsview.masks import Tissues
    from hounsview.progress import Progress
    from hounsview.surfaces import Mesh


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
    from hounsview.anatomy import LABELS

    shown = {each.name for each in state.overlays if each.shown and each.name in LABELS}
    if state.layout in ("four-up", "3d"):
        shown |= {
            f"{each.tissue} surface" for each in state.surfaces if each.tissue and each.shown
        }
    return shown
