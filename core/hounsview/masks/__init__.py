"""Tissues from Hounsfield units alone: no network, no weights, no downloads.

Each mask is ``(k, j, i)`` bool in the order that the volume is stored in. The modules below
explain each method in one paragraph, with what it cannot do; docs/tissues.md is the same for
readers. A mask that cannot be made raises `TissueNotFoundError`, whose message is the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsview.anatomy import LABELS, TISSUES
from hounsview.errors import TissueNotFoundError
from hounsview.masks.segmenting import Segmenter, Tissues, segment
from hounsview.volume import Volume

Mask = npt.NDArray[np.bool_]

__all__ = [
    "LABELS", "TISSUES", "Lungs", "Tissues", "body", "bone", "fat", "lungs", "segment",
    "skin", "soft_tissue",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lungs:
    """The lungs of a volume.

    Parameters
    ----------
    left, right : (k, j, i) bool or None
        Of the patient; None where that lung is missing.
    airways : (k, j, i) bool or None
        The air in trachea and main bronchi.
    reasons : mapping of str to str
        Why "left_lung", "right_lung" or "airways" is None.
    notes : tuple of str
    """

    left: Mask | None
    right: Mask | None
    airways: Mask | None
    reasons: dict[str, str]
    notes: tuple[str, ...]

    @property
    def both(self) -> Mask:
        """(k, j, i) bool: whatever lung there is."""
        there = [side for side in (self.left, self.right) if side is not None]
        return np.asarray(np.logical_or.reduce(there), bool)


def _one(volume: Volume, name: str) -> Mask:
    work = Segmenter(volume)
    mask: Mask = work.grid.to_stored(work.mask(name))
    return mask


def body(volume: Volume) -> Mask:
    """Return the body with all that it encloses, without table, cushions and clothes.

    Raises
    ------
    TissueNotFoundError
        If there is none.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    return _one(volume, "body")


def lungs(volume: Volume) -> Lungs:
    """Return the lungs with vessels and nodules, and trachea and main bronchi apart.

    Raises
    ------
    TissueNotFoundError
        If there is neither lung.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    found = segment(volume, ["lungs"])
    if "left_lung" not in found.masks and "right_lung" not in found.masks:
        raise TissueNotFoundError(found.reasons["left_lung"])
    return Lungs(
        found.masks.get("left_lung"),
        found.masks.get("right_lung"),
        found.masks.get("airways"),
        dict(found.reasons),
        found.notes,
    )


def bone(volume: Volume, *, fill_marrow: bool = False) -> Mask:
    """Return cortical bone and spongiosa, without metal and thick contrast.

    Parameters
    ----------
    volume : Volume
    fill_marrow : bool
        Whether the spaces that bone shuts in belong to it (the skull's inside does not).

    Raises
    ------
    TissueNotFoundError
        If there is none.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    work = Segmenter(volume, fill_marrow=fill_marrow)
    mask: Mask = work.grid.to_stored(work.mask("bone"))
    return mask


def skin(volume: Volume) -> Mask:
    """Return the outer 2 mm of the body, at least one voxel.

    Raises
    ------
    TissueNotFoundError
        If there is no body.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    return _one(volume, "skin")


def fat(volume: Volume) -> Mask:
    """Return what lies at -190 to -30 HU in the body, outside the other tissues.

    Raises
    ------
    TissueNotFoundError
        If there is none.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    return _one(volume, "fat")


def soft_tissue(volume: Volume) -> Mask:
    """Return what lies at -29 to 150 HU in the body, outside the other tissues.

    Raises
    ------
    TissueNotFoundError
        If there is none.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    return _one(volume, "soft_tissue")
