"""The 3D picture: presets and the transfer function, a person's own presets, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QInputDialog

from hounsview.errors import HounsviewError
from hounsview.histograms import histogram
from hounsview.presets import OpacityPoints, rendering_presets
from hounsview.viewstate import Transfer
from hounsview_vizapp.desktop.controls import (
    button,
    choice,
    number_box,
    set_choice,
    set_number,
    set_slider,
    slider,
)
from hounsview_vizapp.desktop.panels.panel import Panel
from hounsview_vizapp.desktop.panels.transfer import TransferEditor
from hounsview_vizapp.desktop.questions import ask_sure
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.settings import OwnPreset, Settings

_QUALITIES = {"fast": "Quick", "auto": "Refined when still", "full": "Every voxel (slow)"}
_NONE = "(none)"


class RenderingPanel(Panel):
    """Controls of the volume rendering.

    Parameters
    ----------
    on_error : callable
    settings : Settings
        Where own presets are kept.
    """

    def __init__(
        self, on_error: Callable[[str, Exception], object], settings: Settings
    ) -> None:
        super().__init__(on_error)
        self._settings = settings
        self._add_preset()
        self._add_transfer()
        self._add_own()
        self._add_shown()
        self.column.addStretch(1)
        self.setEnabled(False)

    def show_viewer(self, viewer: Viewer | None) -> None:
        """Follow another viewer, and count its values."""
        if viewer is not None:
            self.editor.show_histogram(*histogram(viewer.volume))
        super().show_viewer(viewer)

    def fill(self, viewer: Viewer) -> None:
        """Set the controls."""
        state = viewer.state
        preset, transfer = rendering_presets()[state.rendering], state.transfer
        set_choice(self.preset, state.rendering)
        set_choice(self.beside, state.rendering_beside or _NONE)
        self.editor.show_points(
            transfer.scalar_opacity or preset.scalar_opacity,
            transfer.color or preset.color,
            transfer.shift,
        )
        set_number(self.shift, transfer.shift)
        set_slider(self.opacity, round(100 * transfer.opacity))
        self.shade.setChecked(preset.shade if transfer.shade is None else transfer.shade)
        set_choice(self.quality, state.quality)
        for name, box in self.shown.items():
            box.setChecked(getattr(state, name))

    def _add_preset(self) -> None:
        rows = self.group("Volume rendering")
        names = {name: preset.label for name, preset in rendering_presets().items()}
        self.preset = choice(names, self._chosen)
        self.beside = choice(
            {_NONE: "nothing", **names},
            lambda name: self.edit(rendering_beside=None if name == _NONE else name),
        )
        rows.addRow("Preset", self.preset)
        rows.addRow("Beside it", self.beside)
        self.quality = choice(_QUALITIES, lambda name: self.edit(quality=name))
        rows.addRow("Quality", self.quality)

    def _chosen(self, name: str) -> None:
        self.edit(rendering=name, transfer=Transfer(), show_volume=True)

    def _add_transfer(self) -> None:
        rows = self.group("Transfer function")
        self.editor = TransferEditor(
            on_begin=self._begin, on_points=self._points, on_end=self._end
        )
        rows.addRow(self.editor)
        self.shift = number_box(
            -5000, 5000, step=10, unit="HU",
            changed=lambda value: self.edit("shift", transfer={"shift": value}),
        )  # fmt: skip
        rows.addRow("Shift", self.shift)
        self.opacity = slider(
            "opacity",
            100,
            lambda value: self.edit("opacity", transfer={"opacity": value / 100}),
        )
        rows.addRow("Opacity", self.opacity)
        self.shade = QCheckBox("Shaded")
        self.shade.toggled.connect(lambda on: self.edit(transfer={"shade": on}))
        back = button("As the preset says", lambda: self.edit(transfer=Transfer()))
        rows.addRow(self.shade, back)

    def _show_or_hide(self, name: str, on: bool) -> None:
        self.edit(None, **{name: on})

    def _make_clear(self, percent: int) -> None:
        self.edit("opacity", transfer={"opacity": percent / 100})

    def _begin(self) -> None:
        if self.viewer is not None:
            self.viewer.state.begin_gesture()

    def _end(self) -> None:
        if self.viewer is not None:
            self.viewer.state.end_gesture()
            self.follow()

    def _points(self, points: OpacityPoints) -> None:
        self.edit("transfer points", transfer={"scalar_opacity": points})

    def _add_own(self) -> None:
        rows = self.group("Own presets")
        self.own = QComboBox()
        self.own.setAccessibleName("own presets")
        self.own.setPlaceholderText("none saved yet")
        self._list_own()
        buttons = QHBoxLayout()
        for made in (
            button("Use", self._use_own),
            button("Save...", self._ask_name),
            button("Delete", self._delete_own),
        ):
            buttons.addWidget(made)
        rows.addRow(self.own)
        rows.addRow(buttons)

    def _list_own(self, chosen: str | None = None) -> None:
        self.own.clear()
        self.own.addItems(sorted(self._settings.own_presets()))
        if chosen is not None:
            self.own.setCurrentText(chosen)

    def _use_own(self) -> None:
        own = self._settings.own_presets().get(self.own.currentText())
        if own is not None:
            self.edit(rendering=own.rendering, transfer=own.transfer, show_volume=True)

    def _ask_name(self) -> None:
        name, given = QInputDialog.getText(
            self, "Save preset", "Name of the preset:", text=self.own.currentText()
        )
        exists = name.strip() in self._settings.own_presets()
        text = f"A preset {name.strip()!r} exists. Replace it?"
        if given and (not exists or ask_sure(self, "Save preset", text)):
            self.save_own(name)

    def save_own(self, name: str) -> None:
        """Save what is shown as a preset of the person's own."""
        if self.viewer is None:
            return
        state = self.viewer.state
        try:
            self._settings.save_preset(name, OwnPreset(state.rendering, state.transfer))
        except HounsviewError as error:
            self.on_error("the preset was not saved", error)
        self._list_own(name.strip())

    def _delete_own(self) -> None:
        name = self.own.currentText()
        if not name or not ask_sure(self, "Delete preset", f"Delete the preset {name!r}?"):
            return
        try:
            self._settings.remove_preset(name)
        except HounsviewError as error:
            self.on_error("the preset was not deleted", error)
        self._list_own()

    def _add_shown(self) -> None:
        rows = self.group("Shown in 3D")
        self.shown = {}
        for name, label in (
            ("show_volume", "Volume rendering"), ("show_planes", "Slice planes"),
            ("show_table", "Table"),
        ):  # fmt: skip
            box = QCheckBox(label)
            box.toggled.connect(partial(self._show_or_hide, name))
            rows.addRow(box)
            self.shown[name] = box
