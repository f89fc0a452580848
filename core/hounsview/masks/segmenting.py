"""One volume, many tissues: each intermediate result is made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from hounsview.anatomy import LABELS, TISSUES
from hounsview.errors import ArgumentError, TissueNotFoundError
from hounsview.masks.bodymask import Body, body_of
from hounsview.masks.bonemask import BoneParts, bone_of, require_bone, with_marrow
from hounsview.masks.grid import Grid
from hounsview.masks.lungmask import LungParts, lungs_of
from hounsview.masks.softmask import FAT_HU, SOFT_HU, by_hu, skin_of
from hounsview.progress import Progress, tell
from hounsview.volume import Validity, Volume

Mask = npt.NDArray[np.bool_]
Made = TypeVar("Made")

_NEEDS_LUNGS: Final = ("left_lung", "right_lung", "airways")


@dataclass(frozen=True, eq=False)
class Tissues:
    """Masks of one volume.

    Parameters
    ----------
    masks : mapping of str to (k, j, i) bool
        In the order that the volume is stored in. Names are those of `TISSUES`. No voxel is
        in two of them, but for "body", which holds all others, and "skin", the outer layer,
        which bone and metal may reach into.
    reasons : mapping of str to str
        For each tissue asked for that cannot be made: why.
    notes : tuple of str
        What to know about these masks.
    """

    masks: Mapping[str, Mask]
    reasons: Mapping[str, str]
    notes: tuple[str, ...]

    def require(self, name: str) -> Mask:
        """Return a mask.

        Raises
        ------
        TissueNotFoundError
            If it is not there; the message is the reason.
        """
        if name not in self.masks:
            raise TissueNotFoundError(self.reasons.get(name, f"{name} was not asked for"))
        return self.masks[name]

    def labels(self) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
        """Return a label map, (k, j, i) uint8, and the name of each value in it.

        Values are those of `LABELS`; "body" is what no other mask holds.

        Raises
        ------
        TissueNotFoundError
            If there is no mask at all.
        """
        if not self.masks:
            msg = f"there is no mask to draw: {'; '.join(dict.fromkeys(self.reasons.values()))}"
            raise TissueNotFoundError(msg)
        first = next(iter(self.masks.values()))
        labels = np.zeros(first.shape, np.uint8)
        for name in TISSUES:
            if name in self.masks:
                labels[self.masks[name]] = LABELS[name]
        names = {LABELS[name]: name for name in TISSUES if name in self.masks}
        return labels, names


class Segmenter:
    """The tissues of one volume, each made when it is first asked for; upright arrays.

    Parameters
    ----------
    volume : Volume
    fill_marrow : bool

    Raises
    ------
    NotHounsfieldError
        If the volume does not hold HU.
    """

    def __init__(self, volume: Volume, *, fill_marrow: bool = False) -> None:
        volume.require_hu("telling tissues apart")
        self.grid = Grid(volume)
        self._fill_marrow = fill_marrow
        self._failed: dict[str, str] = {}

    @cached_property
    def _body(self) -> Body | None:
        return self._tried("body", lambda: body_of(self.grid))

    @cached_property
    def _lungs(self) -> LungParts | None:
        return self._tried("lungs", lambda: lungs_of(self.grid, self.body))

    def _tried(self, part: str, make: Callable[[], Made]) -> Made | None:
        """Return what is made, or None after noting the reason: no failure is made twice."""
        try:
            return make()
        except TissueNotFoundError as error:
            self._failed[part] = str(error)
            return None

    @property
    def body(self) -> Body:
        """The body; raises where there is none."""
        if self._body is None:
            raise TissueNotFoundError(self._failed["body"])
        return self._body

    @property
    def lungs(self) -> LungParts:
        """Lungs and airways; raises where there is no lung."""
        if self._lungs is None:
            raise TissueNotFoundError(self._failed["lungs"])
        return self._lungs

    @cached_property
    def dense(self) -> BoneParts:
        """Bone, contrast, metal; what is dense within a lung are its vessels."""
        return bone_of(self.grid, self.body, self._air_filled())

    @cached_property
    def bone(self) -> Mask:
        """Bone; raises where there is none."""
        bone = require_bone(self.dense)
        if self._fill_marrow:
            bone = with_marrow(self.grid, bone) & self.body.fine
        return bone

    def _air_filled(self) -> list[Mask]:
        return [] if self._lungs is None else list(self._lungs.sides.values())

    @cached_property
    def skin(self) -> Mask:
        """The outer layer of the body."""
        return skin_of(self.grid, self.body.fine)

    @cached_property
    def soft(self) -> dict[str, Mask]:
        """Fat and soft tissue."""
        others = [self.skin]
        for name in ("bone", "left_lung", "right_lung", "airways", "contrast", "metal"):
            try:
                others.append(self.mask(name))
            except TissueNotFoundError:
                continue
        return by_hu(self.grid, {"fat": FAT_HU, "soft_tissue": SOFT_HU}, self.body.fine, others)

    def mask(self, name: str) -> Mask:
        """Return a tissue, (k, j, i) bool, upright.

        Raises
        ------
        TissueNotFoundError
            If it cannot be made.
        """
        makers: dict[str, Callable[[], Mask | None]] = {
            "body": lambda: self.body.fine,
            "skin": lambda: self.skin,
            "fat": lambda: self.soft["fat"],
            "soft_tissue": lambda: self.soft["soft_tissue"],
            "bone": lambda: self.bone,
            "left_lung": lambda: self.lungs.sides.get("left"),
            "right_lung": lambda: self.lungs.sides.get("right"),
            "airways": lambda: self.lungs.airways,
            "contrast": lambda: self.dense.contrast,
            "metal": lambda: self.dense.metal,
        }
        found = makers[name]()
        if found is None or not found.any():
            raise TissueNotFoundError(self._why_not(name))
        return found

    def _why_not(self, name: str) -> str:
        if name in _NEEDS_LUNGS:
            return self.lungs.reasons[name.removesuffix("_lung")]
        words = {
            "skin": "no skin: the body has no edge inside the field of view",
            "contrast": "no contrast: nothing between 200 and 600 HU is thick and even",
            "metal": "no metal: nothing larger than 0.02 ml is above 2800 HU",
        }
        return words.get(name, f"no {name.replace('_', ' ')}: no voxel of the body has its HU")

    def notes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return what to know about the masks of these names; nothing without a body."""
        if self._body is None:
            return ()
        said = list(filled_note(self.grid.upright))
        said += self._body.notes
        if set(names) & set(_NEEDS_LUNGS):
            said += self._lungs.notes if self._lungs is not None else ()
        if set(names) & {"bone", "contrast", "metal"}:
            said += self.dense.notes
        return tuple(said)


def filled_note(volume: Volume) -> tuple[str, ...]:
    """Return a note on slices that were made from their neighbours."""
    if volume.valid is None:
        return ()
    filled = (volume.valid & np.uint8(Validity.FILLED)) > 0
    count = int(filled.any(axis=(1, 2)).sum())
    if not count:
        return ()
    return (
        f"{count} of {len(filled)} slices hold voxels that were made from their neighbours: "
        "they are in the masks, but in no number",
    )


def segment(
    volume: Volume,
    tissues: Sequence[str] | None = None,
    *,
    fill_marrow: bool = False,
    progress: Progress | None = None,
) -> Tissues:
    """Return the masks of a volume.

    Parameters
    ----------
    volume : Volume
        In HU, of any spacing and stored orientation.
    tissues : sequence of str, optional
        Of `TISSUES`, or "lungs" for both lungs and the airways; all when left out.
    fill_marrow : bool
        Whether bone includes the spaces that it shuts in.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Returns
    -------
    Tissues
        A tissue that cannot be made has a reason in place of a mask.

    Raises
    ------
    ArgumentError
        If there is no tissue of a name.
    NotHounsfieldError
        If the volume does not hold HU.
    CancelledError
        If `progress` returned False.
    """
    names = _names(tissues)
    work = Segmenter(volume, fill_marrow=fill_marrow)
    masks: dict[str, Mask] = {}
    reasons: dict[str, str] = {}
    for done, name in enumerate(names):
        tell(progress, done, len(names), name.replace("_", " "))
        try:
            masks[name] = work.grid.to_stored(work.mask(name))
        except TissueNotFoundError as error:
            reasons[name] = str(error)
    notes = work.notes(names)
    tell(progress, len(names), len(names), "tissues")
    return Tissues(MappingProxyType(masks), MappingProxyType(reasons), notes)


def _names(tissues: Sequence[str] | None) -> list[str]:
    if tissues is None:
        return list(TISSUES)
    wanted: set[str] = set()
    for name in [tissues] if isinstance(tissues, str) else tissues:
        if name == "lungs":
            wanted.update(_NEEDS_LUNGS)
        elif name in TISSUES:
            wanted.add(name)
        else:
            msg = f"there is no tissue {name!r}; there are: lungs, {', '.join(TISSUES)}"
            raise ArgumentError(msg)
    return [name for name in TISSUES if name in wanted]
