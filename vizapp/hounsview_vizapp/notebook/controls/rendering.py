"""The 3D picture: presets, what is shown, where it is seen from, the crop box."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np

from hounsview.presets import rendering_presets
from hounsview.viewstate import CropBox, Transfer
from hounsview_vizapp.notebook.controls import base
from hounsview_vizapp.notebook.controls.base import Control
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.actions import actions

_QUALITIES = {"fast": "Quick", "auto": "Refined when still", "full": "Every voxel (slow)"}
_NONE = ""
_STEP = 0.005
_SIDES = ("Right - left", "Front - back", "Feet - head")
_SHOWN = {"show_volume": "Rendering", "show_planes": "Planes", "show_table": "Table"}


class RenderingControls(Control):
    """The rendering preset, its transfer function as a whole, and what is shown."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        names = {name: preset.label for name, preset in rendering_presets().items()}
        self.preset = base.choice("Preset", names, "bone")
        self.beside = base.choice("Beside it", {_NONE: "nothing", **names}, _NONE)
        self.quality = base.choice("Quality", _QUALITIES, "auto")
        self.opacity = base.number("Opacity", 0, 1, 1, 0.01)
        self.shift = base.number("Shift, HU", -500, 500, 0, 10)
        self.shade = base.check("Shaded", True)
        yield self.when(self.preset, self._chosen)
        yield self.when(self.beside, lambda name: self.edit(rendering_beside=name or None))
        yield self.when(self.quality, lambda name: self.edit(quality=name))
        for part, made in (("opacity", self.opacity), ("shift", self.shift)):
            yield self.when_moved(made, partial(self._change, part), partial(self._now, part))
        self.when(self.shade, lambda on: self.edit(transfer={"shade": on}))
        self.shown = {name: base.check(label) for name, label in _SHOWN.items()}
        for name, box in self.shown.items():
            self.when(box, partial(self._show_or_hide, name))
        yield base.row(self.shade, *self.shown.values())
        yield base.row(
            *(
                base.button(name.capitalize(), partial(self._look, name), width="62px")
                for name in ("front", "back", "left", "right", "head", "feet")
            )
        )

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        state = viewer.state
        transfer = state.transfer
        self.preset.value, self.quality.value = state.rendering, state.quality
        self.beside.value = state.rendering_beside or _NONE
        base.set_number(self.opacity, transfer.opacity)
        base.set_number(self.shift, transfer.shift)
        preset = rendering_presets()[state.rendering]
        self.shade.value = preset.shade if transfer.shade is None else transfer.shade
        for name, box in self.shown.items():
            box.value = getattr(state, name)

    def _chosen(self, name: str) -> None:
        self.edit(rendering=name, transfer=Transfer(), show_volume=True)

    def _now(self, part: str) -> float:
        return float(getattr(self.screen.state.transfer, part))

    def _change(self, part: str, value: float) -> None:
        self.edit(part, transfer={part: value})

    def _show_or_hide(self, name: str, on: bool) -> None:
        self.edit(None, **{name: on})

    def _look(self, name: str) -> None:
        self.run(actions()[f"from {name}"].run)


class CropControls(Control):
    """Shows a part of the volume only, LPS mm."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.on = base.check("Crop box: show a part only")
        self.when(self.on, self._toggle)
        self.sides = [
            widgets.FloatRangeSlider(
                value=(0, 1), min=0, max=1, step=_STEP, description=label,
                readout=False, disabled=True, style={"description_width": "84px"},
                layout={"width": "auto"},
            )
            for label in _SIDES
        ]  # fmt: skip
        yield self.on
        for axis, side in enumerate(self.sides):
            yield self.when(side, partial(self._move, axis))

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        crop = viewer.state.crop
        self.on.value = crop is not None
        for side, shares in zip(self.sides, _shares(viewer), strict=True):
            side.disabled = crop is None
            if not np.allclose(shares, side.value, atol=_STEP / 2):
                side.value = shares

    def _toggle(self, on: bool) -> None:
        viewer = self.screen.viewer
        if viewer is not None:
            low, high = _box(viewer)
            self.edit(crop=CropBox(tuple(low), tuple(high)) if on else None)

    def _move(self, axis: int, shares: tuple[float, float]) -> None:
        """Move the ends of one side that a person moved; the others stay to the last digit."""
        viewer = self.screen.viewer
        if viewer is None or viewer.state.crop is None:
            return
        now = _shares(viewer)[axis]
        low, high = _box(viewer)
        crop = viewer.state.crop
        ends = [list(crop.low), list(crop.high)]
        for end, share in enumerate(shares):
            # The browser tells the step next to what it was given.
            if abs(share - now[end]) > _STEP / 2 * (1 + 1e-9):
                ends[end][axis] = float(low[axis] + share * (high[axis] - low[axis]))
        least = _STEP * float(high[axis] - low[axis])
        if ends[1][axis] - ends[0][axis] < least:
            moved = int(abs(shares[1] - now[1]) > abs(shares[0] - now[0]))
            ends[moved][axis] = ends[1 - moved][axis] + (least if moved else -least)
        if ends != [list(crop.low), list(crop.high)]:
            self.edit("crop", crop=CropBox(tuple(ends[0]), tuple(ends[1])))


def _shares(viewer: Viewer) -> list[tuple[float, float]]:
    """Return where both ends of each side lie, 0 to 1."""
    low, high = _box(viewer)
    crop = viewer.state.crop
    ends = (low, high) if crop is None else (crop.low, crop.high)
    shares = [np.clip((np.asarray(end) - low) / (high - low), 0, 1) for end in ends]
    return [(float(a), float(b)) for a, b in zip(*shares, strict=True)]


def _box(viewer: Viewer) -> tuple[Any, Any]:
    corners = viewer.volume.geometry.corners(faces=True)
    return corners.min(axis=0), corners.max(axis=0)
