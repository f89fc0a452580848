"""Terminology of segments, as Slicer's own lists say it.

Slicer says a side as a modifier of the organ, where `hounsview.anatomy` has one code for
both; its lists call an anatomical structure 123037004.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hounsview.anatomy import CODES, Code

_CONTEXT: Final = "Segmentation category and type - 3D Slicer General Anatomy list"
_REGIONS: Final = "Anatomic codes - DICOM master list"
_STRUCTURE: Final = Code("123037004", "SCT", "Anatomical Structure")
_TISSUE: Final = Code("85756007", "SCT", "Tissue")
_SUBSTANCE: Final = Code("105590001", "SCT", "Substance")
_OBJECT: Final = Code("260787004", "SCT", "Physical object")
_LUNG: Final = Code("39607008", "SCT", "Lung")
_NOTHING: Final = Code("", "", "")

_ENTRIES: Final[Mapping[str, tuple[Code, Code, Code]]] = {
    "body": (_STRUCTURE, CODES["body"], _NOTHING),
    "skin": (_STRUCTURE, CODES["skin"], _NOTHING),
    "fat": (_TISSUE, CODES["fat"], _NOTHING),
    "soft_tissue": (_TISSUE, CODES["soft_tissue"], _NOTHING),
    "bone": (_STRUCTURE, CODES["bone"], _NOTHING),
    "left_lung": (_STRUCTURE, _LUNG, Code("7771000", "SCT", "Left")),
    "right_lung": (_STRUCTURE, _LUNG, Code("24028007", "SCT", "Right")),
    "airways": (_STRUCTURE, CODES["airways"], _NOTHING),
    "contrast": (_SUBSTANCE, Code("385420005", "SCT", "Contrast media"), _NOTHING),
    # What is bright as metal was put there; which thing it is, HU do not tell.
    "metal": (_OBJECT, Code("40388003", "SCT", "Implant"), _NOTHING),
}
"""Category, type and modifier of each tissue of `hounsview.masks`."""


def terminology(tissue: str) -> str:
    """Return the terminology entry of a tissue in the form that segments carry it.

    Parameters
    ----------
    tissue : str
        One of `hounsview.masks.TISSUES`.
    """
    category, kind, modifier = (_triple(code) for code in _ENTRIES[tissue])
    none = _triple(_NOTHING)
    return "~".join((_CONTEXT, category, kind, modifier, _REGIONS, none, none))


def _triple(code: Code) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}"
