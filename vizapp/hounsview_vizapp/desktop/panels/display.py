"""How slices are shown: window, colours, slab, layout, turned planes, cine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QWidget

from hounsview.viewstate import COLORMAPS, LAYOUTS, SLAB_KINDS
from hounsview.windows import Window, window_presets
from hounsview_vizapp.desktop.controls import (
    button,
    choice,
    number_box,
    set_choice,
    set_number,
)
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.session import Viewer

_LAYOUTS = {"four-up": "Four panes", "3d": "3D"}
_SLABS = {"mip": "Maximum (MIP)", "minip": "Minimum (MinIP)", "mean": "Mean"}
_COLORS = {"gray": "Grey", "inverted": "Grey, inverted"}


class DisplayPanel(Panel):
    """Controls of the slices.

    Parameters
    ----------
    on_error : callable
    on_cine_speed : callable
        Takes frames per second.
    """

    def __init__(
        self,
        on_error: Callable[[str, Exception], object],
        on_cine_speed: Callable[[float], object],
    ) -> None:
        super().__init__(on_error)
        self._add_window()
        self._add_slab()
        self._add_layout()
        self._add_cine(on_cine_speed)
        self.column.addStretch(1)
        self.setEnabled(False)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls."""
        state = viewer.state
        for name, made in self.windows.items():
            made.setChecked(state.value.window_name == name)
        set_number(self.window_center, state.window.center)
        set_number(self.window_width, state.window.width)
        set_choice(self.colormap, state.colormap)
        set_number(self.thickness, state.slab.thickness)
        set_choice(self.slab_kind, state.slab.kind)
        set_choice(self.layout_choice, state.layout)
        for box, degrees in zip(self.angles, state.oblique, strict=True):
            set_number(box, degrees)
        self.crosshair.setChecked(state.show_crosshair)
        self.labels.setChecked(state.show_labels)
        self.play.setChecked(viewer.playing is not None)
        self.play.setText("Stop" if viewer.playing else "Play")

    def _add_window(self) -> None:
        rows = self.group("Window")
        buttons = QGridLayout()
        buttons.setSpacing(4)
        self.windows = {}
        for place, (name, window) in enumerate(window_presets().items()):
            made = button(
                name.capitalize(), partial(self._chosen_window, window), checkable=True,
                tip=f"C {window.center:g}  W {window.width:g} HU, key {(place + 1) % 10}",
            )  # fmt: skip
            buttons.addWidget(made, place // 2, place % 2)
            self.windows[name] = made
        rows.addRow(buttons)
        self.window_center = number_box(
            -1e6, 1e6, step=10, decimals=1, unit="HU", changed=self._change_center
        )
        self.window_width = number_box(
            0.1, 1e6, step=20, decimals=1, unit="HU", changed=self._change_width
        )
        rows.addRow("Centre", self.window_center)
        rows.addRow("Width", self.window_width)
        names = {name: _COLORS.get(name, name.capitalize()) for name in COLORMAPS}
        self.colormap = choice(names, lambda name: self.edit(colormap=name))
        rows.addRow("Colours", self.colormap)

    def _chosen_window(self, window: Window) -> None:
        self.edit(window=window)
        self.follow()  # A button pressed twice must stay down.

    def _change_center(self, value: float) -> None:
        if self.viewer is not None:
            self.edit("window", window=replace(self.viewer.state.window, center=value))

    def _change_width(self, value: float) -> None:
        if self.viewer is not None:
            self.edit("window", window=replace(self.viewer.state.window, width=value))

    def _add_slab(self) -> None:
        rows = self.group("Slab")
        self.thickness = number_box(
            0, 500, decimals=1, unit="mm",
            changed=lambda value: self.edit("slab", slab={"thickness": value}),
        )  # fmt: skip
        self.slab_kind = choice(
            {name: _SLABS[name] for name in SLAB_KINDS},
            lambda name: self.edit(slab={"kind": name}),
        )
        rows.addRow("Thickness", self.thickness)
        rows.addRow("Shows", self.slab_kind)

    def _add_layout(self) -> None:
        rows = self.group("Panes")
        names = {name: _LAYOUTS.get(name, name.capitalize()) for name in LAYOUTS}
        self.layout_choice = choice(names, lambda name: self.edit(layout=name))
        rows.addRow("Show", self.layout_choice)
        self.crosshair = QCheckBox("Crosshair")
        self.crosshair.toggled.connect(lambda on: self.edit(show_crosshair=on))
        self.labels = QCheckBox("Text")
        self.labels.toggled.connect(lambda on: self.edit(show_labels=on))
        checks = QHBoxLayout()
        checks.addWidget(self.crosshair)
        checks.addWidget(self.labels)
        rows.addRow(checks)
        self.angles = [
            number_box(
                -360, 360, step=5, decimals=1, unit="\u00b0",
                changed=partial(self._angle, axis),
            )
            for axis in range(3)
        ]  # fmt: skip
        for name, box in zip(("Pitch", "Roll", "Yaw"), self.angles, strict=True):
            rows.addRow(name, box)
        rows.addRow(button("Planes along the patient", lambda: self.edit(oblique=(0, 0, 0))))

    def _angle(self, axis: int, value: float) -> None:
        if self.viewer is not None:
            degrees = list(self.viewer.state.oblique)
            degrees[axis] = value
            self.edit("turn planes", oblique=tuple(degrees))

    def _add_cine(self, on_cine_speed: Callable[[float], object]) -> None:
        rows = self.group("Cine")
        self.play = button("Play", self._toggle_cine, checkable=True)
        self.speed = number_box(1, 60, unit="frames/s", changed=on_cine_speed)
        self.speed.setValue(10)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.play)
        row.addWidget(self.speed)
        rows.addRow(both)

    def _toggle_cine(self) -> None:
        if self.viewer is not None:
            self.viewer.toggle_cine()
