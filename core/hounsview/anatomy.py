"""Names and values of the tissues of `hounsview.masks`, their looks and SNOMED CT codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

Color = tuple[float, float, float]


class Code(NamedTuple):
    """A coded concept (PS3.16 8.1): value, scheme, meaning."""

    value: str
    scheme: str
    meaning: str


TISSUES: Final = (
    "body", "skin", "fat", "soft_tissue", "bone", "left_lung", "right_lung", "airways",
    "contrast", "metal",
)  # fmt: skip
"""Every name, in the order of the label map: a later one lies over an earlier one."""
LABELS: Final[Mapping[str, int]] = MappingProxyType(
    {name: n for n, name in enumerate(TISSUES, start=1)}
)
"""The value of each tissue in a label map, always the same."""
COLORS: Final[Mapping[str, Color]] = MappingProxyType(
    {
        "bone": (1.0, 0.86, 0.55),
        "left_lung": (0.40, 0.75, 1.0),
        "right_lung": (0.45, 0.95, 0.75),
        "airways": (0.75, 0.55, 1.0),
        "fat": (1.0, 0.80, 0.25),
        "soft_tissue": (0.90, 0.40, 0.36),
        "skin": (0.95, 0.65, 0.55),
        "contrast": (1.0, 0.35, 0.75),
        "metal": (0.75, 0.95, 1.0),
    }
)
"""Colour over the slices of each tissue that is drawn there, 0 to 1, in menu order."""

SURFACE_LOOKS: Final[Mapping[str, tuple[Color, float]]] = MappingProxyType(
    {
        "bone": ((0.93, 0.87, 0.75), 1.0),
        "lung": ((0.62, 0.72, 0.86), 0.6),
        "skin": ((0.93, 0.74, 0.62), 0.35),
    }
)
"""Colour and opacity that a tissue's surface begins with."""

CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "body": Code("38266002", "SCT", "Entire body"),
        "skin": Code("39937001", "SCT", "Skin"),
        "fat": Code("55603005", "SCT", "Adipose tissue"),
        "soft_tissue": Code("87784001", "SCT", "Soft tissue"),
        "bone": Code("272673000", "SCT", "Bone"),
        "left_lung": Code("44029006", "SCT", "Left lung"),
        "right_lung": Code("3341006", "SCT", "Right lung"),
        "airways": Code("89187006", "SCT", "Airway structure"),
    }
)
"""One code for each tissue that has one (PS3.16 CID 7150 to 7159, and SNOMED CT itself)."""
