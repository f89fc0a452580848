"""The pages of controls beside a view, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import ipywidgets as widgets

from hounsview.viewstate import PLANES
from hounsview_vizapp.notebook.controls.findings import FindingsControls, guide_html
from hounsview_vizapp.notebook.controls.measurements import MeasureControls
from hounsview_vizapp.notebook.controls.rendering import CropControls, RenderingControls
from hounsview_vizapp.notebook.controls.slices import (
    CineControls,
    SlabControls,
    SliceSlider,
    WindowControls,
)
from hounsview_vizapp.notebook.controls.tissues import SurfaceControls, TissueControls
from hounsview_vizapp.notebook.histogram import Histogram
from hounsview_vizapp.notebook.screen import Screen


def _slices(screen: Screen) -> list[Any]:
    sliders = [SliceSlider(screen, plane) for plane in PLANES]
    return [WindowControls(screen), *sliders, SlabControls(screen), CineControls(screen)]


def _body(screen: Screen) -> list[Any]:
    return [
        RenderingControls(screen), Histogram(screen), SurfaceControls(screen),
        CropControls(screen),
    ]  # fmt: skip


_MAKERS: Final[Mapping[str, Callable[[Screen], list[Any]]]] = {
    "slices": _slices,
    "3d": _body,
    "tissues": lambda screen: [TissueControls(screen)],
    "measure": lambda screen: [MeasureControls(screen)],
    "series": lambda screen: [FindingsControls(screen)],
    "help": lambda _: [widgets.HTML(guide_html())],
}
CONTROLS: Final = tuple(_MAKERS)
"""Names of the pages of controls."""


def pages_of(screen: Screen, names: Sequence[str]) -> list[Any]:
    """Return the pages of these names, a column of controls each."""
    return [widgets.VBox(_MAKERS[name](screen)) for name in names]
