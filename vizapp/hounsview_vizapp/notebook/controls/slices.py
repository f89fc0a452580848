"""How slices are shown: window, colours, slab, panes, one slider for each plane, cine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets

from hounsview.viewstate import COLORMAPS, LAYOUTS, PLANES, SLAB_KINDS
from hounsview.viewstate.checks import one_of
from hounsview.windows import window_presets
from hounsview_vizapp.notebook.controls import base
from hounsview_vizapp.notebook.controls.base import Control
from hounsview_vizapp.panes import slice_number
from hounsview_vizapp.session import Viewer

_CUSTOM = ""
_LAYOUTS = {"four-up": "Four panes", "3d": "3D"}
_SLABS = {"mip": "Maximum (MIP)", "minip": "Minimum (MinIP)", "mean": "Mean"}
_COLORS = {"gray": "Grey", "inverted": "Grey, inverted"}


class WindowControls(Control):
    """The window: presets, centre and width; colours."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        names = {
            name: f"{name.capitalize()} (C {window.center:g} W {window.width:g})"
            for name, window in window_presets().items()
        }
        self.preset = base.choice("Window", {_CUSTOM: "own", **names}, _CUSTOM)
        self.center = base.number("Centre", -1000, 1500, 40)
        self.width = base.number("Width", 1, 4000, 400)
        shown = {name: _COLORS.get(name, name.capitalize()) for name in COLORMAPS}
        self.colors = base.choice("Colours", shown, "gray")
        yield self.when(self.preset, self._chosen)
        for part, made in (("center", self.center), ("width", self.width)):
            yield self.when_moved(made, partial(self._change, part), partial(self._now, part))
        yield self.when(self.colors, lambda name: self.edit(colormap=name))

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        view = viewer.state.value
        self.preset.value = view.window_name or _CUSTOM
        base.set_number(self.center, view.window.center)
        base.set_number(self.width, view.window.width)
        self.colors.value = view.colormap

    def _chosen(self, name: str) -> None:
        if name != _CUSTOM:
            self.edit(window=name)

    def _now(self, part: str) -> float:
        return float(getattr(self.screen.state.window, part))

    def _change(self, part: str, value: float) -> None:
        self.edit("window", window=replace(self.screen.state.window, **{part: value}))


class SliceSlider(Control):
    """Which slice of a plane is shown.

    Parameters
    ----------
    target : View, SlicePane or VolumePane
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.

    Raises
    ------
    ArgumentError
        If there is no such plane.
    """

    def __init__(self, target: Any, plane: str = "axial") -> None:
        self.plane = one_of(plane, PLANES, "plane")
        super().__init__(target)

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.slider = widgets.IntSlider(
            value=1, min=1, max=1, description=self.plane.capitalize(),
            style={"description_width": "84px"}, layout={"width": "auto"},
        )  # fmt: skip
        yield self.when(self.slider, self._move)

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        shown, total = slice_number(viewer.volume, viewer.state.value, self.plane)
        base.set_range(self.slider, 1, max(total, 1))
        self.slider.value = min(max(shown, 1), self.slider.max)

    def _move(self, wanted: int) -> None:
        viewer = self.screen.viewer
        if viewer is not None:
            shown, _ = slice_number(viewer.volume, viewer.state.value, self.plane)
            if shown != wanted:
                point = viewer.scrolled(self.plane, wanted - shown)
                self.edit(f"scroll {self.plane}", crosshair=point)


class SlabControls(Control):
    """Thickness of the slab and what it shows; panes, crosshair and text."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.thickness = base.number("Slab, mm", 0, 100, 0, 1)
        self.kind = base.choice("Shows", {name: _SLABS[name] for name in SLAB_KINDS}, "mean")
        names = {name: _LAYOUTS.get(name, name.capitalize()) for name in LAYOUTS}
        self.panes = base.choice("Panes", names, "four-up")
        self.crosshair, self.texts = base.check("Crosshair"), base.check("Text")
        yield self.when_moved(
            self.thickness,
            lambda mm: self.edit("slab", slab={"thickness": mm}),
            lambda: self.screen.state.slab.thickness,
        )
        yield self.when(self.kind, lambda name: self.edit(slab={"kind": name}))
        yield self.when(self.panes, lambda name: self.edit(layout=name))
        self.when(self.crosshair, lambda on: self.edit(show_crosshair=on))
        self.when(self.texts, lambda on: self.edit(show_labels=on))
        straight = base.button("Planes straight", lambda: self.edit(oblique=(0, 0, 0)))
        yield base.row(self.crosshair, self.texts, straight)

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        state = viewer.state
        base.set_number(self.thickness, state.slab.thickness)
        self.kind.value, self.panes.value = state.slab.kind, state.layout
        self.crosshair.value, self.texts.value = state.show_crosshair, state.show_labels


class CineControls(Control):
    """Lets the active plane run through its slices."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.play = widgets.ToggleButton(
            description="Play", icon="play", layout={"width": "90px", "margin": "2px"}
        )
        self.speed = base.number("Slices/s", 1, 30, 10)
        self.speed.layout.flex = "1 1 190px"
        self.when(self.play, self._toggle)
        self.when(self.speed, self.screen.set_cine_speed)
        yield base.row(self.play, self.speed)

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        self.play.value = viewer.playing is not None
        self.play.description = "Stop" if viewer.playing else "Play"
        self.play.icon = "stop" if viewer.playing else "play"

    def _toggle(self, on: bool) -> None:
        if (viewer := self.screen.viewer) is not None and on != (viewer.playing is not None):
            viewer.toggle_cine()
