"""Where the tissues of a volume are, as panes and scenes take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hounsview.masks import Tissues


@dataclass(frozen=True, eq=False)
class TissueMap:
    """Where the tissues of a volume are.

    Parameters
    ----------
    labels : (k, j, i) uint8
        Values as `hounsview.masks.LABELS`.
    names : set of str
        Which tissues were found, as `hounsview.masks.TISSUES` names them.
    """

    labels: npt.NDArray[np.uint8]
    names: frozenset[str]

    @classmethod
    def of(cls, found: Tissues, shape: tuple[int, ...]) -> TissueMap:
        """Return the map of what was found in a volume of a shape; maybe nothing."""
        labels = found.labels()[0] if found.masks else np.zeros(shape, np.uint8)
        return cls(labels, frozenset(found.masks))

    def parts_of(self, tissue: str) -> tuple[str, ...]:
        """Return what of the map makes up a surface's tissue; nothing if it was not found."""
        # All tissues together are a body only where the rest of it was found as well.
        whole = tuple(self.names) if "body" in self.names else ()
        parts = {"lung": ("left_lung", "right_lung"), "skin": whole}
        return tuple(part for part in parts.get(tissue, (tissue,)) if part in self.names)

    def mask_of(self, tissue: str) -> npt.NDArray[np.uint8]:
        """Return (k, j, i) uint8: 255 where a surface's tissue is, 0 elsewhere."""
        from hounsview.anatomy import LABELS

        table = np.zeros(256, np.uint8)
        table[[LABELS[part] for part in self.parts_of(tissue)]] = 255
        return table[self.labels]
