"""Tissues over the slices and as surfaces, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from html import escape
from itertools import groupby
from typing import Any

import ipywidgets as widgets

from hounsview.anatomy import SURFACE_LOOKS
from hounsview.viewstate import Surface
from hounsview_vizapp.notebook.controls import base
from hounsview_vizapp.notebook.controls.base import Control
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.tissues import (
    OVERLAYS,
    shown_overlays,
    toggle_overlay,
    toggle_surface,
)

_HINT = (
    "<small>Found from HU alone, in this kernel. Look at the overlay before you trust a "
    "number; for teaching and research.</small>"
)


class SurfaceControls(Control):
    """Surfaces in the 3D picture: of tissues, and of any HU level."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.toggles = {
            name: widgets.ToggleButton(description=name.capitalize(), layout={"width": "76px"})
            for name in SURFACE_LOOKS
        }
        for name, made in self.toggles.items():
            self.when(made, partial(self._toggle, name))
        self.level = widgets.IntText(value=250, layout={"width": "76px"})
        add = base.button("Add level, HU", self._add_level)
        clear = base.button("Remove all", lambda: self.edit(surfaces=()))
        self.opacity = base.number("Opacity", 0, 1, 1, 0.01)
        self.when_moved(self.opacity, self._make_clear, self._opacity)
        yield base.heading("Surfaces")
        yield base.row(*self.toggles.values())
        yield base.row(self.level, add, clear)
        yield self.opacity

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        shown = [each for each in viewer.state.surfaces if each.shown]
        for name, made in self.toggles.items():
            made.disabled = bool(viewer.why_no_3d)
            made.value = any(each.name == name for each in shown)
        if shown:
            base.set_number(self.opacity, self._opacity())

    def _toggle(self, name: str, on: bool) -> None:
        shown = any(each.name == name and each.shown for each in self.screen.state.surfaces)
        if shown != on:
            self.run(partial(toggle_surface, name))

    def _add_level(self) -> None:
        level = float(self.level.value)
        surface = Surface(f"{level:g} HU", level)
        kept = [each for each in self.screen.state.surfaces if each.name != surface.name]
        self.edit(surfaces=(*kept, surface))

    def _opacity(self) -> float:
        shown = [each.opacity for each in self.screen.state.surfaces if each.shown]
        return shown[-1] if shown else float(self.opacity.value)

    def _make_clear(self, opacity: float) -> None:
        """Change the surface that was added last."""
        surfaces = list(self.screen.state.surfaces)
        last = max((n for n, each in enumerate(surfaces) if each.shown), default=None)
        if last is not None:
            surfaces[last] = replace(surfaces[last], opacity=opacity)
            self.edit("surface opacity", surfaces=tuple(surfaces))


class TissueControls(Control):
    """Toggles of the overlays, what could not be found and why, and the numbers."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.toggles = {
            name: widgets.ToggleButton(
                description=name.replace("_", " ").capitalize(),
                layout={"width": "104px", "border_left": f"5px solid {_css(color)}"},
            )
            for name, color in OVERLAYS.items()
        }
        for name, made in self.toggles.items():
            self.when(made, partial(self._toggle, name))
        self.opacity = base.number("Opacity", 0, 1, 0.4, 0.01)
        self.when_moved(self.opacity, self._make_clear, self._opacity)
        self.text = widgets.HTML(_HINT)
        yield base.heading("Tissues over the slices")
        yield base.row(*self.toggles.values())
        yield self.opacity
        self.find = base.button("Find and measure", lambda: self.run(_want))
        yield self.find
        yield self.text

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        shown = shown_overlays(viewer.state)
        unit = viewer.volume.unit
        self.find.disabled = unit != "HU"
        for name, made in self.toggles.items():
            made.disabled = unit != "HU"
            made.value = name in shown
        overlays = viewer.state.overlays
        if overlays:
            base.set_number(self.opacity, self._opacity())
        hint = _HINT if unit == "HU" else f"No tissues: the values are {escape(unit)}, not HU"
        text = hint + _notes(viewer.tissue_notes) + _table(viewer.tissue_numbers)
        if text != self.text.value:
            self.text.value = text

    def _toggle(self, name: str, on: bool) -> None:
        if on != (name in shown_overlays(self.screen.state)):
            self.run(partial(toggle_overlay, name))

    def _opacity(self) -> float:
        overlays = self.screen.state.overlays
        return overlays[0].opacity if overlays else float(self.opacity.value)

    def _make_clear(self, opacity: float) -> None:
        changed = (replace(each, opacity=opacity) for each in self.screen.state.overlays)
        self.edit("overlay opacity", overlays=tuple(changed))


def _want(viewer: Viewer) -> None:
    viewer.want_tissues()


def _css(color: tuple[float, float, float]) -> str:
    return "rgb({:.0f} {:.0f} {:.0f})".format(*(255 * part for part in color))


def _notes(notes: tuple[str, ...]) -> str:
    return "".join(f"<div><small>{escape(note)}</small></div>" for note in notes)


def _table(rows: list[tuple[str, str, str]]) -> str:
    """Return (what, name, value) rows as a table, those of one thing under its heading."""
    lines = []
    for what, members in groupby(rows, key=lambda each: each[0]):
        heading = escape(what.replace("_", " "))
        lines.append(f'<tr><td colspan="2" style="padding-top:6px"><b>{heading}</b></td></tr>')
        lines += [
            f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
            for _, name, value in members
        ]
    return f'<table style="line-height:1.3">{"".join(lines)}</table>' if lines else ""
