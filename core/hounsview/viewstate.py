"""How a volume is looked at, as plain data: what a session file holds.

No toolkit, no voxels. The panes draw a function of (volume, state); desktop, notebook
and 3D Slicer read and write the same JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from hounsview.errors import ArgumentError
from hounsview.presets import rendering_presets
from hounsview.windows import Window, window_presets

VERSION: Final = 1
"""Version of the JSON; raised when a key changes its meaning, not when one is added."""

PLANES: Final = ("axial", "coronal", "sagittal")
LAYOUTS: Final = ("four-up", *PLANES, "3d")


@dataclass(frozen=True)
class PlaneView:
    """How one plane lies in its pane.

    Parameters
    ----------
    zoom : float
        1 fits the volume into the pane; 0.05 to 200.
    pan : (right, down) float, mm
        How far the picture is moved in its pane.
    """

    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zoom", _within(self.zoom, 0.05, 200, "zoom"))
        object.__setattr__(self, "pan", _numbers(self.pan, 2, "pan (right, down) in mm"))


@dataclass(frozen=True)
class Camera:
    """Where the 3D picture is seen from; parallel projection.

    Parameters
    ----------
    azimuth : float, degrees
        0 from the front (anterior), 90 from the patient's left, 180 from behind.
    elevation : float, degrees
        -90 from the feet to 90 from above the head.
    zoom : float
        1 fits the body into the pane; 0.05 to 200.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    zoom: float = 1.0

    def __post_init__(self) -> None:
        azimuth = _within(self.azimuth, -1e6, 1e6, "camera azimuth in degrees")
        elevation = _within(self.elevation, -90, 90, "camera elevation in degrees")
        object.__setattr__(self, "azimuth", azimuth)
        object.__setattr__(self, "elevation", elevation)
        object.__setattr__(self, "zoom", _within(self.zoom, 0.05, 200, "zoom"))


@dataclass(frozen=True)
class ViewState:
    """One view of a volume. Change it with `dataclasses.replace`.

    Parameters
    ----------
    window : Window
        For the slices.
    crosshair : (x, y, z) float, LPS mm, optional
        The point that all three planes go through; None: the middle of the volume.
    axial, coronal, sagittal : PlaneView
    rendering : str
        Name of a preset of `rendering_presets()`.
    camera : Camera
    layout : str
        ``"four-up"``, one plane's name, or ``"3d"``.
    show_labels, show_crosshair : bool
        Whether text and lines are drawn over the pictures.
    extra : mapping
        Keys of a session file that this version does not know; written back as read.

    Raises
    ------
    ArgumentError
        If a value is off.
    """

    window: Window = field(default_factory=lambda: window_presets()["soft tissue"])
    crosshair: tuple[float, float, float] | None = None
    axial: PlaneView = field(default_factory=PlaneView)
    coronal: PlaneView = field(default_factory=PlaneView)
    sagittal: PlaneView = field(default_factory=PlaneView)
    rendering: str = "muscle and bone"
    camera: Camera = field(default_factory=Camera)
    layout: str = "four-up"
    show_labels: bool = True
    show_crosshair: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _is(self.window, Window, "window")
        for plane in PLANES:
            _is(getattr(self, plane), PlaneView, plane)
        _is(self.camera, Camera, "camera")
        _is(self.show_labels, bool, "show_labels")
        _is(self.show_crosshair, bool, "show_crosshair")
        if self.crosshair is not None:
            point = _numbers(self.crosshair, 3, "crosshair (x, y, z) in LPS mm")
            object.__setattr__(self, "crosshair", point)
        _one_of(self.rendering, tuple(rendering_presets()), "rendering preset")
        _one_of(self.layout, LAYOUTS, "layout")
        object.__setattr__(self, "extra", MappingProxyType(dict(self.extra)))

    @property
    def window_name(self) -> str:
        """Name of the window preset with these values; empty when it is none of them."""
        for name, window in window_presets().items():
            if window == self.window:
                return name
        return ""

    def plane(self, name: str) -> PlaneView:
        """Return the view of a plane by its name.

        Raises
        ------
        ArgumentError
            If there is no such plane.
        """
        _one_of(name, PLANES, "plane")
        view: PlaneView = getattr(self, name)
        return view

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain data, ready for JSON."""
        window, camera = self.window, self.camera
        known: dict[str, Any] = {
            "version": VERSION,
            "window": {
                "center": window.center,
                "width": window.width,
                "function": window.function,
            },
            "crosshair_lps_mm": None if self.crosshair is None else list(self.crosshair),
            "rendering": self.rendering,
            "camera": {
                "azimuth_degrees": camera.azimuth,
                "elevation_degrees": camera.elevation,
                "zoom": camera.zoom,
            },
            "layout": self.layout,
            "show_labels": self.show_labels,
            "show_crosshair": self.show_crosshair,
        }
        for name in PLANES:
            view = self.plane(name)
            known[name] = {"zoom": view.zoom, "pan_mm": list(view.pan)}
        return _merged(known, self.extra)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ViewState:
        """Return the state of plain data; missing keys get their defaults.

        Raises
        ------
        ArgumentError
            If a value is off, or the version is newer than this program's.
        """
        _is(values, Mapping, "a view state")
        version = values.get("version", VERSION)
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            msg = (
                f"the view state has version {version!r}, and this hounsview reads "
                f"1 to {VERSION}: a newer hounsview is needed"
            )
            raise ArgumentError(msg)
        given = _merged(cls().to_dict(), values)
        window = _is(given["window"], Mapping, "window")
        camera = _is(given["camera"], Mapping, "camera")
        views = {name: _is(given[name], Mapping, name) for name in PLANES}
        return cls(
            window=Window(window["center"], window["width"], window["function"]),
            crosshair=given["crosshair_lps_mm"],
            rendering=given["rendering"],
            camera=Camera(
                camera["azimuth_degrees"], camera["elevation_degrees"], camera["zoom"]
            ),
            layout=given["layout"],
            show_labels=given["show_labels"],
            show_crosshair=given["show_crosshair"],
            extra=_unknown(values, cls().to_dict()),
            **{name: PlaneView(view["zoom"], view["pan_mm"]) for name, view in views.items()},
        )

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the state as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ViewState:
        """Return the state of JSON text.

        Raises
        ------
        ArgumentError
            If the text is no JSON, or no view state.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            msg = f"a view state is JSON text, and this is none: {error}"
            raise ArgumentError(msg) from error
        return cls.from_dict(values)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`, nested mappings merged alike."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _unknown(values: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `values` holds under keys that `known` lacks, nested ones too."""
    left: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            left[key] = value
            continue
        if isinstance(value, Mapping) and isinstance(known[key], Mapping):
            below = _unknown(value, known[key])
            if below:
                left[key] = below
    return left


def _is(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        msg = f"{name} must be of type {kind.__name__}, not {value!r}"
        raise ArgumentError(msg)
    return value


def _one_of(value: Any, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        msg = f"{name} {value!r} must be one of {', '.join(allowed)}"
        raise ArgumentError(msg)


def _within(value: Any, low: float, high: float, name: str) -> float:
    (number,) = _numbers((value,), 1, name)
    if not low <= number <= high:
        msg = f"{name} must lie in {low:g}..{high:g}, not {number:g}"
        raise ArgumentError(msg)
    return number


def _numbers(values: Any, count: int, name: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        msg = f"{name} must be {count} finite number{'s' * (count > 1)}, not {values!r}"
        raise ArgumentError(msg)
    return numbers
