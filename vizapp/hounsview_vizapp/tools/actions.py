"""What a person can do besides pointing: one table for menus, keys and the help.

Keys are written as Qt and browsers do: ``"Ctrl+Z"``, ``"PgUp"``, ``"["``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from hounsview.presets import rendering_presets
from hounsview.viewstate import (
    COLORMAPS,
    LAYOUTS,
    PLANES,
    SLAB_KINDS,
    Camera,
    PlaneView,
    Transfer,
    ViewState,
)
from hounsview.windows import window_presets
from hounsview_vizapp.tools import measuring, pointer
from hounsview_vizapp.tools.scenery import Scenery
from hounsview_vizapp.tools.tissues import OVERLAYS, toggle_overlay, toggle_surface

Run = Callable[[Scenery], None]


@dataclass(frozen=True)
class Action:
    """Something to do.

    Parameters
    ----------
    name : str
        Unique, such as ``"window lung"``.
    group : str
        Heading in menus and in the help.
    label : str
    keys : tuple of str
        The first is shown.
    run : callable
        Takes the scenery.
    """

    name: str
    group: str
    label: str
    keys: tuple[str, ...]
    run: Run


@cache
def actions() -> Mapping[str, Action]:
    """Return all actions by name, in the order of menus."""
    return {action.name: action for action in _all()}


def action_of_key(key: str) -> Action | None:
    """Return the action of a key, or None."""
    return _by_key().get(key)


@cache
def _by_key() -> Mapping[str, Action]:
    return {key: action for action in actions().values() for key in action.keys}


def _all() -> Iterator[Action]:
    yield from _windows()
    yield from _slices()
    yield from _views()
    yield from _rendering()
    yield from _tissues()
    yield from _measuring()
    yield Action("undo", "Edit", "Undo", ("Ctrl+Z",), _undo)
    yield Action("redo", "Edit", "Redo", ("Ctrl+Y", "Ctrl+Shift+Z"), _redo)


def _windows() -> Iterator[Action]:
    for number, (name, window) in enumerate(window_presets().items(), start=1):
        label = f"{name.capitalize()}  (C {window.center:g}  W {window.width:g})"
        run = partial(_set, "window", window)
        yield Action(f"window {name}", "Window", label, (str(number % 10),), run)
    step = 0.05
    for key, label, wider, higher in (
        ("Ctrl+Right", "Wider", step, 0.0),
        ("Ctrl+Left", "Narrower", -step, 0.0),
        ("Ctrl+Up", "Centre higher", 0.0, step),
        ("Ctrl+Down", "Centre lower", 0.0, -step),
    ):
        run = partial(_window_step, wider, higher)
        yield Action(f"window {label.lower()}", "Window", label, (key,), run)
    yield Action("invert", "Window", "Black and white exchanged", ("I",), _invert)
    yield Action("next colours", "Window", "Next colour map", ("Shift+I",), _next_colormap)


def _slices() -> Iterator[Action]:
    for key, label, count in (
        ("Up", "Next slice", 1), ("Down", "Previous slice", -1),
        ("PgUp", "10 slices on", 10), ("PgDown", "10 slices back", -10),
        ("Home", "Last slice", 1_000_000), ("End", "First slice", -1_000_000),
    ):  # fmt: skip
        yield Action(label.lower(), "Slices", label, (key,), partial(_up_down, count))
    for key, label, right, down in (
        ("Left", "Crosshair left; 3D: turn", -1, 0),
        ("Right", "Crosshair right; 3D: turn", 1, 0),
        ("Alt+Up", "Crosshair up", 0, -1), ("Alt+Down", "Crosshair down", 0, 1),
    ):  # fmt: skip
        yield Action(label.lower(), "Slices", label, (key,), partial(_nudge, right, down))
    yield Action("cine", "Slices", "Cine", ("Space",), lambda s: s.toggle_cine())
    yield Action("thicker", "Slices", "Thicker slab (1 mm)", ("]",), _thicker)
    yield Action("thinner", "Slices", "Thinner slab (1 mm)", ("[",), _thinner)
    yield Action("slab kind", "Slices", "Slab: MIP, MinIP, mean", ("\\",), _next_slab)
    for key, label, degrees in (
        (",", "Turn the other planes left", -5.0), (".", "Turn the other planes right", 5.0),
    ):  # fmt: skip
        yield Action(label.lower(), "Slices", label, (key,), partial(_turn_planes, degrees))
    yield Action("straight", "Slices", "Planes along the patient", ("/",), _straight)


def _views() -> Iterator[Action]:
    yield Action("maximise", "View", "This pane alone, or all four", ("F", "Return"), _maximise)
    yield Action("next pane", "View", "Next pane", ("Ctrl+Tab", "Shift+N"), _next_pane)
    labels = {"four-up": "All four panes", "3d": "3D alone"}
    # Browsers keep F5, F6 and Ctrl+Tab for themselves.
    letters = ("F", "A", "C", "G", "D")
    for name, key, letter in zip(LAYOUTS, ("F2", "F3", "F4", "F5", "F6"), letters, strict=True):
        label = labels.get(name, f"{name.capitalize()} alone")
        both = (key, f"Shift+{letter}")
        yield Action(f"layout {name}", "View", label, both, partial(_set, "layout", name))
    for keys, label, factor in ((("+", "="), "Zoom in", 1.15), (("-",), "Zoom out", 1 / 1.15)):
        yield Action(label.lower(), "View", label, keys, partial(_zoom, factor))
    for key, label, right, down in (
        ("Shift+Left", "Move picture left", -1, 0), ("Shift+Right", "Move picture right", 1, 0),
        ("Shift+Up", "Move picture up", 0, -1), ("Shift+Down", "Move picture down", 0, 1),
    ):  # fmt: skip
        yield Action(label.lower(), "View", label, (key,), partial(_pan, right, down))
    yield Action("fit", "View", "Fit this pane", ("R",), _fit)
    yield Action("start again", "View", "Whole view as at first", ("Shift+R",), _start_again)
    for field, key, label in (
        ("show_crosshair", "C", "Crosshair"), ("show_labels", "T", "Text"),
    ):  # fmt: skip
        yield Action(field, "View", f"{label} shown or not", (key,), partial(_toggle, field))


def _rendering() -> Iterator[Action]:
    keys = {
        "bone": "B", "lung": "L", "skin": "S", "muscle and bone": "M", "vessels": "V",
        "airways": "A", "MIP": "X", "MinIP": "N",
    }  # fmt: skip
    for name, preset in rendering_presets().items():
        known = (keys[name],) if name in keys else ()
        run = partial(_render, name)
        yield Action(f"rendering {name}", "3D", preset.label, known, run)
    for key, name, azimuth, elevation in (
        ("Ctrl+1", "front", 0, 0), ("Ctrl+2", "back", 180, 0), ("Ctrl+3", "left", 90, 0),
        ("Ctrl+4", "right", -90, 0), ("Ctrl+5", "head", 0, 90), ("Ctrl+6", "feet", 0, -90),
    ):  # fmt: skip
        run = partial(_look, azimuth, elevation)
        yield Action(f"from {name}", "3D", f"From the {name}", (key,), run)
    for field, key, label in (
        ("show_planes", "O", "Slice planes"), ("show_table", "J", "Table"),
        ("show_volume", "U", "Volume rendering"),
    ):  # fmt: skip
        yield Action(field, "3D", f"{label} shown or not", (key,), partial(_toggle, field))
    for tissue, key in (("bone", "Shift+B"), ("lung", "Shift+L"), ("skin", "Shift+S")):
        run = partial(toggle_surface, tissue)
        yield Action(f"surface {tissue}", "3D", f"{tissue.capitalize()} surface", (key,), run)
    for key, label, hu in (
        (")", "Transfer function up", 10.0), ("(", "Transfer function down", -10.0),
    ):  # fmt: skip
        yield Action(label.lower(), "3D", label, (key,), partial(_shift, hu))
    yield Action("shading", "3D", "Shading on or off", ("H",), _toggle_shading)
    yield Action("full quality", "3D", "Every voxel, or quick again", ("Y",), _toggle_full)
    yield Action("no crop", "3D", "Crop box off", ("Shift+X",), partial(_set, "crop", None))


def _tissues() -> Iterator[Action]:
    keys = {
        "bone": "Alt+B", "left_lung": "Alt+L", "right_lung": "Alt+R", "airways": "Alt+A",
        "fat": "Alt+T", "soft_tissue": "Alt+M", "skin": "Alt+S", "contrast": "Alt+C",
        "metal": "Alt+E",
    }  # fmt: skip
    for name in OVERLAYS:
        label = f"{name.replace('_', ' ').capitalize()} over the slices"
        run = partial(toggle_overlay, name)
        yield Action(f"overlay {name}", "Tissues", label, (keys[name],), run)


def _measuring() -> Iterator[Action]:
    keys = {
        "crosshair": "Esc", "window": "W", "pan": "Z", "zoom": "Shift+Z", "turn": "K",
        "ruler": "D", "angle": "G", "rectangle": "Q", "ellipse": "E", "probe": "P",
    }  # fmt: skip
    for name, label in pointer.TOOLS.items():
        run = partial(choose_tool, name)
        yield Action(f"tool {name}", "Tools", label, (keys[name],), run)
    yield Action("point", "Tools", "Measure: point at the crosshair", ("Ins",), _point)
    yield Action(
        "remove", "Tools", "Remove the measurement", ("Del", "Backspace"),
        measuring.remove_selected,
    )  # fmt: skip
    yield Action("next measurement", "Tools", "Next measurement", ("'",), _next_measurement)


def choose_tool(name: str, scenery: Scenery) -> None:
    """Choose what the left button does."""
    scenery.tool = name
    scenery.draft = None


def start_view(before: ViewState) -> ViewState:
    """Return the view that a person begins with, the measurements kept."""
    fresh = ViewState()
    return replace(
        fresh,
        measurements=before.measurements, overlays=before.overlays, extra=before.extra,
    )  # fmt: skip


def _undo(scenery: Scenery) -> None:
    scenery.cancel_drag()
    scenery.state.undo()


def _redo(scenery: Scenery) -> None:
    scenery.cancel_drag()
    scenery.state.redo()


def _set(field: str, value: object, scenery: Scenery) -> None:
    setattr(scenery.state, field, value)


def _toggle(field: str, scenery: Scenery) -> None:
    setattr(scenery.state, field, not getattr(scenery.state, field))


def _window_step(wider: float, higher: float, scenery: Scenery) -> None:
    width = scenery.state.window.width
    pointer.change_window(scenery, wider * width, higher * width, "window step")


def _invert(scenery: Scenery) -> None:
    now = scenery.state.colormap
    scenery.state.colormap = "gray" if now == "inverted" else "inverted"


def _next_colormap(scenery: Scenery) -> None:
    place = COLORMAPS.index(scenery.state.colormap)
    scenery.state.colormap = COLORMAPS[(place + 1) % len(COLORMAPS)]


def _up_down(count: int, scenery: Scenery) -> None:
    if scenery.active_pane == "3d":
        step = max(min(count, 9), -9) * 5.0
        pointer.turn_camera(scenery, 0, -step, "turn")
    else:
        pointer.scroll(scenery, scenery.active_pane, count)


def _nudge(right: int, down: int, scenery: Scenery) -> None:
    pane = scenery.active_pane
    if pane == "3d":
        pointer.turn_camera(scenery, right * 5.0, down * 5.0, "turn")
        return
    size = scenery.size_of(pane)
    step = max(1.0, 1.0 / scenery.mm_per_pixel(pane, size))
    begin = scenery.point_at(pane, (0, 0), size)
    end = scenery.point_at(pane, (down * step, right * step), size)
    point = np.add(scenery.crosshair(), np.subtract(end, begin))
    scenery.state.change(merge=f"nudge {pane}", crosshair=point.tolist())


def _thicker(scenery: Scenery) -> None:
    pointer.thicken(scenery, 1)


def _thinner(scenery: Scenery) -> None:
    pointer.thicken(scenery, -1)


def _next_slab(scenery: Scenery) -> None:
    slab = scenery.state.slab
    kind = SLAB_KINDS[(SLAB_KINDS.index(slab.kind) + 1) % len(SLAB_KINDS)]
    scenery.state.slab = replace(slab, kind=kind)


def _turn_planes(degrees: float, scenery: Scenery) -> None:
    pane = scenery.active_pane
    if pane in PLANES:
        pointer.turn_planes(scenery, pane, degrees, "turn planes")


def _straight(scenery: Scenery) -> None:
    scenery.state.oblique = (0.0, 0.0, 0.0)


def _maximise(scenery: Scenery) -> None:
    pointer.toggle_maximised(scenery, scenery.active_pane)


def _next_pane(scenery: Scenery) -> None:
    panes = ("axial", "3d", "coronal", "sagittal")
    place = (panes.index(scenery.active_pane) + 1) % len(panes)
    scenery.active_pane = panes[place]
    if scenery.state.layout != "four-up":
        scenery.state.layout = panes[place]


def _zoom(factor: float, scenery: Scenery) -> None:
    pane = scenery.active_pane
    rows, columns = size = scenery.size_of(pane)
    pointer.zoom_at(scenery, pane, ((rows - 1) / 2, (columns - 1) / 2), size, factor)


def _pan(right: int, down: int, scenery: Scenery) -> None:
    pane = scenery.active_pane
    size = scenery.size_of(pane)
    step = 0.05 * min(size) * scenery.mm_per_pixel(pane, size)
    pointer.pan_by(scenery, pane, right * step, down * step, f"pan {pane}")


def _fit(scenery: Scenery) -> None:
    pane = scenery.active_pane
    if pane == "3d":
        scenery.state.camera = Camera()
    else:
        setattr(scenery.state, pane, PlaneView())


def _start_again(scenery: Scenery) -> None:
    scenery.state.value = start_view(scenery.state.value)


def _render(name: str, scenery: Scenery) -> None:
    scenery.state.change(rendering=name, transfer=Transfer(), show_volume=True)


def _look(azimuth: float, elevation: float, scenery: Scenery) -> None:
    camera = scenery.state.camera
    scenery.state.camera = replace(camera, azimuth=azimuth, elevation=elevation)


def _shift(hu: float, scenery: Scenery) -> None:
    transfer = scenery.state.transfer
    scenery.state.change(merge="shift", transfer=replace(transfer, shift=transfer.shift + hu))


def _toggle_shading(scenery: Scenery) -> None:
    state = scenery.state
    now = state.transfer.shade
    if now is None:
        now = rendering_presets()[state.rendering].shade
    state.transfer = replace(state.transfer, shade=not now)


def _toggle_full(scenery: Scenery) -> None:
    scenery.state.quality = "auto" if scenery.state.quality == "full" else "full"


def _point(scenery: Scenery) -> None:
    measuring.add_point(scenery, scenery.active_pane, scenery.crosshair())


def _next_measurement(scenery: Scenery) -> None:
    count = len(scenery.state.measurements)
    if count:
        before = -1 if scenery.selected is None else scenery.selected
        scenery.selected = (before + 1) % count
