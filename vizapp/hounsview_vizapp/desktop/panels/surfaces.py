"""Surfaces and the crop box of the 3D picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QWidget,
)

from hounsview.viewstate import CropBox, Surface
from hounsview_vizapp.desktop.controls import (
    button,
    clear,
    label,
    number_box,
    set_number,
    set_slider,
    slider,
)
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.tissues import toggle_surface

Floats = npt.NDArray[np.float64]

_CROP_STEPS = 200
_SIDES = (("Right", "Left"), ("Anterior", "Posterior"), ("Inferior", "Superior"))


def _level_name(level: float) -> str:
    return f"{level:g} HU"


class SurfacesPanel(Panel):
    """Controls of surfaces and crop box."""

    def __init__(self, on_error: Callable[[str, Exception], object]) -> None:
        super().__init__(on_error)
        rows = self.group("Surfaces")
        self._list = QWidget()
        self._rows = QGridLayout(self._list)
        self._rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow(self._list)
        buttons = QHBoxLayout()
        for tissue in ("bone", "lung", "skin"):
            buttons.addWidget(button(tissue.capitalize(), partial(self._toggle, tissue)))
        rows.addRow(buttons)
        self.level = number_box(-1024, 4000, step=25, unit="HU", changed=lambda _: None)
        self.level.setValue(250)
        both = QHBoxLayout()
        both.addWidget(self.level)
        both.addWidget(button("Add level", self._add_level))
        rows.addRow(both)
        self._shown: tuple[Surface, ...] | None = None
        self._controls: list[tuple[QCheckBox, QPushButton, QDoubleSpinBox, QSlider]] = []
        self._add_crop()
        self.column.addStretch(1)
        self.setEnabled(False)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls; rows are made anew only when surfaces come or go."""
        surfaces = viewer.state.surfaces
        before = self._shown or ()
        if self._shown is None or [s.name for s in before] != [s.name for s in surfaces]:
            self._make_rows(surfaces)
        self._shown = surfaces
        for surface, (shown, color, level, opacity) in zip(
            surfaces, self._controls, strict=True
        ):
            shown.setChecked(surface.shown)
            red, green, blue = (round(255 * part) for part in surface.color)
            color.setStyleSheet(f"background: rgb({red}, {green}, {blue}); min-width: 14px")
            set_number(level, surface.level or 0)
            set_slider(opacity, round(100 * surface.opacity))
        self._fill_crop(viewer)

    def _make_rows(self, surfaces: tuple[Surface, ...]) -> None:
        clear(self._rows)
        self._controls.clear()
        for row, surface in enumerate(surfaces):
            shown = QCheckBox(surface.name)
            shown.toggled.connect(partial(self._show_or_hide, row))
            name = f"colour of {surface.name}"
            color = button("", partial(self._ask_color, row), tip="Colour", name=name)
            level = number_box(
                -1024, 4000, step=25, unit="HU", changed=partial(self._move_level, row)
            )
            opacity = slider("opacity", 100, partial(self._make_clear, row))
            name = f"remove {surface.name}"
            remove = button("\u00d7", partial(self._remove, row), tip="Remove", name=name)
            remove.setFixedWidth(28)
            for column, widget in enumerate((shown, color, level, opacity, remove)):
                self._rows.addWidget(widget, row, column)
            self._controls.append((shown, color, level, opacity))

    def _toggle(self, tissue: str) -> None:
        if self.viewer is not None:
            toggle_surface(tissue, self.viewer)

    def _add_level(self) -> None:
        if self.viewer is not None:
            level = self.level.value()
            surface = Surface(_level_name(level), level)
            self.edit(surfaces=(*self.viewer.state.surfaces, surface))

    def _show_or_hide(self, row: int, on: bool) -> None:
        self._change(row, shown=on)

    def _move_level(self, row: int, level: float) -> None:
        if self.viewer is None:
            return
        before = self.viewer.state.surfaces[row]
        # A surface that is called by its level keeps being called by it; one of a tissue
        # becomes one of a level.
        named = bool(before.tissue) or before.name == _level_name(before.level or 0)
        name = _level_name(level) if named else before.name
        self._change(row, level=level, name=name)

    def _make_clear(self, row: int, percent: int) -> None:
        self._change(row, opacity=percent / 100)

    def _change(self, row: int, **changes: Any) -> None:
        if self.viewer is None:
            return
        surfaces = list(self.viewer.state.surfaces)
        surfaces[row] = replace(surfaces[row], **changes)
        self.edit(f"surface {row} {' '.join(sorted(changes))}", surfaces=tuple(surfaces))

    def _remove(self, row: int) -> None:
        if self.viewer is not None:
            surfaces = list(self.viewer.state.surfaces)
            del surfaces[row]
            self.edit(surfaces=tuple(surfaces))

    def _ask_color(self, row: int) -> None:
        if self.viewer is None:
            return
        now = QColor.fromRgbF(*self.viewer.state.surfaces[row].color)
        chosen = QColorDialog.getColor(now, self, "Colour of the surface")
        if chosen.isValid():
            self._change(row, color=(chosen.redF(), chosen.greenF(), chosen.blueF()))

    # The crop box.

    def _add_crop(self) -> None:
        rows = self.group("Crop box")
        self.crop = QCheckBox("Show a part only")
        self.crop.toggled.connect(self._toggle_crop)
        rows.addRow(self.crop)
        self.crop_sliders: list[tuple[QSlider, QSlider]] = []
        for axis, (low_name, high_name) in enumerate(_SIDES):
            pair = []
            for side, name in enumerate((low_name, high_name)):
                move = partial(self._move_crop, axis, side)
                made = slider(f"crop {name.lower()}", _CROP_STEPS, move)
                rows.addRow(name, made)
                pair.append(made)
            self.crop_sliders.append((pair[0], pair[1]))
        self.crop_size = label()
        rows.addRow(self.crop_size)

    def _box(self, viewer: Viewer) -> tuple[Floats, Floats]:
        corners = viewer.volume.geometry.corners(faces=True)
        return corners.min(axis=0), corners.max(axis=0)

    def _fill_crop(self, viewer: Viewer) -> None:
        low, high = self._box(viewer)
        crop = viewer.state.crop
        self.crop.setChecked(crop is not None)
        shown = (low, high) if crop is None else (crop.low, crop.high)
        for axis, pair in enumerate(self.crop_sliders):
            for side, made in enumerate(pair):
                made.setEnabled(crop is not None)
                share = (shown[side][axis] - low[axis]) / (high[axis] - low[axis])
                set_slider(made, round(share * _CROP_STEPS))
        size = np.subtract(shown[1], shown[0])
        self.crop_size.setText(" x ".join(f"{mm:.0f}" for mm in size) + " mm")

    def _toggle_crop(self, on: bool) -> None:
        if self.viewer is not None:
            low, high = self._box(self.viewer)
            self.edit(crop=CropBox(tuple(low), tuple(high)) if on else None)

    def _move_crop(self, axis: int, side: int, value: int) -> None:
        viewer = self.viewer
        if viewer is None or viewer.state.crop is None:
            return
        low, high = self._box(viewer)
        step = (high[axis] - low[axis]) / _CROP_STEPS
        ends = [list(viewer.state.crop.low), list(viewer.state.crop.high)]
        moved = float(low[axis] + value * step)
        # The sides never meet.
        other = ends[1 - side][axis]
        ends[side][axis] = min(moved, other - step) if side == 0 else max(moved, other + step)
        self.edit("crop", crop=CropBox(tuple(ends[0]), tuple(ends[1])))
