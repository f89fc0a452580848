"""One view of a volume as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from hounsview.errors import ArgumentError
from hounsview.presets import rendering_presets
from hounsview.viewstate import checks
from hounsview.viewstate.checks import Point
from hounsview.viewstate.measurements import Measurement
from hounsview.viewstate.parts import (
    PLANES,
    Camera,
    CropBox,
    Overlay,
    Part,
    PlaneView,
    Slab,
    Surface,
    Transfer,
)
from hounsview.viewstate.plaindata import from_plain, to_plain
from hounsview.windows import Window, window_presets

VERSION: Final = 1
"""Version of the JSON; raised when a key changes its meaning, not when one is added."""

LAYOUTS: Final = ("four-up", *PLANES, "3d")
COLORMAPS: Final = ("gray", "inverted", "hot", "bone", "rainbow")
QUALITIES: Final = ("fast", "auto", "full")
_MOST_PARTS: Final = 1000
_DEEPEST: Final = 40


def _part(kind: type) -> dict[str, Any]:
    return {"part": kind}


@dataclass(frozen=True)
class ViewState(Part):
    """One view of a volume. Change it with `changed` or `dataclasses.replace`.

    Parameters
    ----------
    window : Window
        For the slices.
    colormap : str
        ``"gray"``, ``"inverted"``, ``"hot"``, ``"bone"`` or ``"rainbow"``, for the slices.
    crosshair : (x, y, z) float, LPS mm, optional
        The point that all three planes go through; None: the middle of the volume.
    oblique : (pitch, roll, yaw) float, degrees
        How the three planes are turned together about the x (left), y (posterior) and z
        (superior) axis of the patient, in this order; 0, 0, 0: along the patient.
    axial, coronal, sagittal : PlaneView
    slab : Slab
        For all planes.
    layout : str
        ``"four-up"``, one plane's name, or ``"3d"``.
    show_labels, show_crosshair : bool
        Whether text and lines are drawn over the pictures.
    rendering : str
        Name of a preset of `rendering_presets()`.
    rendering_beside : str, optional
        A second preset: the 3D pane shows both side by side.
    transfer : Transfer
        What was changed of the preset.
    quality : str
        Of the 3D picture: ``"fast"`` stays coarse, ``"auto"`` refines when still,
        ``"full"`` shows every voxel.
    camera : Camera
    crop : CropBox, optional
        For the 3D picture.
    show_volume, show_planes, show_table : bool
        Whether the 3D picture has the volume rendering, the three planes, and the table.
    surfaces : sequence of Surface
    measurements : sequence of Measurement
    overlays : sequence of Overlay
        How the values of a label map are drawn.
    extra : mapping
        Keys of a session file that this version does not know; written back as read.

    Raises
    ------
    ArgumentError
        If a value is off.
    """

    window: Window = field(
        default_factory=lambda: window_presets()["soft tissue"], metadata=_part(Window)
    )
    colormap: str = "gray"
    crosshair: Point | None = field(default=None, metadata={"key": "crosshair_lps_mm"})
    oblique: tuple[float, float, float] = field(
        default=(0.0, 0.0, 0.0), metadata={"key": "oblique_degrees"}
    )
    axial: PlaneView = field(default_factory=PlaneView, metadata=_part(PlaneView))
    coronal: PlaneView = field(default_factory=PlaneView, metadata=_part(PlaneView))
    sagittal: PlaneView = field(default_factory=PlaneView, metadata=_part(PlaneView))
    slab: Slab = field(default_factory=Slab, metadata=_part(Slab))
    layout: str = "four-up"
    show_labels: bool = True
    show_crosshair: bool = True
    rendering: str = "muscle and bone"
    rendering_beside: str | None = None
    transfer: Transfer = field(default_factory=Transfer, metadata=_part(Transfer))
    quality: str = "auto"
    camera: Camera = field(default_factory=Camera, metadata=_part(Camera))
    crop: CropBox | None = field(default=None, metadata=_part(CropBox))
    show_volume: bool = True
    show_planes: bool = False
    show_table: bool = True
    surfaces: tuple[Surface, ...] = field(default=(), metadata={"parts": Surface})
    measurements: tuple[Measurement, ...] = field(default=(), metadata={"parts": Measurement})
    overlays: tuple[Overlay, ...] = field(default=(), metadata={"parts": Overlay})

    def __post_init__(self) -> None:
        for each in fields(self):
            kind = each.metadata.get("part")
            if kind is not None and (each.name != "crop" or self.crop is not None):
                checks.is_a(getattr(self, each.name), kind, each.name)
            if each.name.startswith("show_"):
                checks.is_a(getattr(self, each.name), bool, each.name)
        presets = rendering_presets()
        checks.one_of(self.rendering, presets, "rendering preset")
        if self.rendering_beside is not None:
            checks.one_of(self.rendering_beside, presets, "rendering preset beside")
        checks.one_of(self.layout, LAYOUTS, "layout")
        checks.one_of(self.colormap, COLORMAPS, "colormap")
        checks.one_of(self.quality, QUALITIES, "quality")
        values: dict[str, Any] = {
            each.name: checks.all_of(
                getattr(self, each.name), each.metadata["parts"], each.name, _MOST_PARTS
            )
            for each in fields(self)
            if "parts" in each.metadata
        }
        if self.crosshair is not None:
            values["crosshair"] = checks.point(self.crosshair, "crosshair")
        turned = checks.numbers(self.oblique, 3, "oblique (pitch, roll, yaw) degrees", 360)
        self._check(oblique=turned, **values)

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
        view: PlaneView = getattr(self, checks.one_of(name, PLANES, "plane"))
        return view

    def changed(self, **changes: Any) -> ViewState:
        """Return the state with other values, given in full or in short.

        In short: a window as the name of a preset, as (centre, width) or as a width alone;
        a slab as its thickness in mm; any part that has fields as a mapping of those that
        change.

        Raises
        ------
        ArgumentError
            If there is no such field, or a value is off.

        Examples
        --------
        >>> state = ViewState().changed(window="lung", camera={"azimuth": 90})
        >>> state.window.center, state.camera.azimuth
        (-600.0, 90.0)
        """
        known = {each.name: each for each in fields(self)}
        full = {}
        for name, value in changes.items():
            if name not in known:
                msg = f"a view state has no {name!r}; it has: {', '.join(sorted(known))}"
                raise ArgumentError(msg)
            full[name] = self._in_full(name, value, known[name].metadata.get("part"))
        return replace(self, **full)

    def _in_full(self, name: str, value: Any, kind: type | None) -> Any:
        if name == "window":
            return _window(value, self.window)
        if name == "slab" and isinstance(value, (int, float)):
            return replace(self.slab, thickness=value)
        if kind is not None and isinstance(value, Mapping):
            unknown = sorted(value.keys() - {each.name for each in fields(kind)})
            if unknown:
                msg = f"{name} has no {', '.join(map(repr, unknown))}"
                raise ArgumentError(msg)
            before = getattr(self, name)
            return kind(**value) if before is None else replace(before, **value)
        return value

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain data, ready for JSON."""
        return {"version": VERSION, **to_plain(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ViewState:
        """Return the state of plain data; missing keys get their defaults.

        Raises
        ------
        ArgumentError
            If a value is off, or the version is newer than this program's.
        """
        checks.is_a(values, Mapping, "a view state")
        version = values.get("version", VERSION)
        if type(version) is not int or not 1 <= version <= VERSION:
            msg = (
                f"the view state has version {checks.short(version)}, and this hounsview "
                f"reads 1 to {VERSION}: a newer hounsview is needed"
            )
            raise ArgumentError(msg)
        given = {key: value for key, value in values.items() if key != "version"}
        return from_plain(cls, given, "a view state")

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
        return cls.from_dict(parsed_json(text, "a view state"))

    def to_python(
        self,
        path: str | Path | None,
        *,
        series: int | str | None = None,
        unit: str | None = None,
        phantom: str = "thorax",
        size: tuple[int, int] = (1200, 1200),
    ) -> str:
        """Return the script that draws this view of a folder or file into a PNG.

        Parameters
        ----------
        path : str or Path, optional
            What `hounsview.load` takes; None: a phantom.
        series : int or str, optional
        unit : str, optional
            Both as for `hounsview.load`.
        phantom : str
            Its name, where there is no path.
        size : (rows, columns)
            Of the picture, px.
        """
        from hounsview.viewstate.script import script_of

        if path is None:
            source = f"hv.phantom({phantom!r})"
        else:
            given = {"series": series, "unit": unit}
            options = "".join(f", {k}={v!r}" for k, v in given.items() if v is not None)
            source = f"hv.load({str(path)!r}{options})"
        return script_of(self, source, size)


def _window(value: Any, before: Window) -> Window:
    """Return a window given by name, by (centre, width), by width alone, or in full."""
    if isinstance(value, Window):
        return value
    if isinstance(value, str):
        return window_presets()[checks.one_of(value, window_presets(), "window preset")]
    if isinstance(value, Mapping):
        return replace(before, **value)
    if isinstance(value, (int, float)):
        return replace(before, width=value)
    center, width = checks.numbers(value, 2, "window (centre, width) in HU")
    return Window(center, width)


def parsed_json(text: str, what: str) -> Any:
    """Return the plain data of JSON text from a file that nobody vouches for.

    Raises
    ------
    ArgumentError
        If it is no JSON, holds NaN or infinity, or is nested too deep.
    """

    def refuse(constant: str) -> Any:
        msg = f"{what} holds {constant}, which is no JSON number"
        raise ArgumentError(msg)

    try:
        values = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        msg = f"{what} is JSON text, and this is none: {error}"
        raise ArgumentError(msg) from error
    _refuse_depth(values, what)
    return values


def _refuse_depth(values: Any, what: str) -> None:
    level = [values]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        level = below
        if not level:
            return
    msg = f"{what} is nested more than {_DEEPEST} deep"
    raise ArgumentError(msg)
