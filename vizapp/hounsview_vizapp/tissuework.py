"""What commands and front ends ask of tissues: a mask, a mesh, all numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import hounsview as hv
from hounsview.viewstate import TISSUES, Surface, ViewState
from hounsview.volume import Volume

if TYPE_CHECKING:
    from hounsview.masks import Tissues
    from hounsview.progress import Progress
    from hounsview.surfaces import Mesh


@dataclass(frozen=True, eq=False)
class Found:
    """Tissues of a volume.

    Parameters
    ----------
    labels : (k, j, i) uint8
        Values as `hounsview.masks.LABELS`.
    notes : tuple of str
    numbers : list of (what, name, value)
    """

    labels: npt.NDArray[np.uint8]
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
    labels = found.labels()[0] if found.masks else np.zeros(volume.shape, np.uint8)
    reasons = [f"{name.replace('_', ' ')}: {why}" for name, why in found.reasons.items()]
    return Found(labels, (*found.notes, *reasons), numbers_of(volume, found))


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


def mesh_of(volume: Volume, surface: Surface, *, progress: Progress | None = None) -> Mesh:
    """Return the mesh of a surface of a view: of a tissue's mask, or of its HU level.

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

    if surface.name not in TISSUES:
        level = surface.level or 0.0
        return surfaces.from_level(volume, level, target=None, name=surface.name)
    found = hv.masks.segment(volume, [mask_name(surface.name)], progress=progress)
    mask = mask_of(found, surface.name)
    return surfaces.from_mask(mask, volume.geometry, name=surface.name)


def labels_for(volume: Volume, state: ViewState) -> npt.NDArray[np.uint8] | None:
    """Return the label map that a view's overlays need; None where none is shown.

    Tissues that cannot be found are left out, as in the window.
    """
    from hounsview.masks import LABELS

    names = [each.name for each in state.overlays if each.shown and each.name in LABELS]
    if not names or volume.unit != "HU":
        return None
    found = hv.masks.segment(volume)
    return found.labels()[0] if found.masks else None


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
