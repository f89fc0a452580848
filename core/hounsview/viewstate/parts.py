"""The parts of a view that have several numbers: planes, slab, camera, surfaces and so on.

Each is frozen and checks its values; `extra` keeps the keys of a file that this version
does not know. The metadata of a field is its key in JSON, where that has a unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hounsview.errors import ArgumentError
from hounsview.presets import ColorPoints, OpacityPoints, checked_points
from hounsview.viewstate import checks
from hounsview.viewstate.checks import Color, Point

PLANES: Final = ("axial", "coronal", "sagittal")
SLAB_KINDS: Final = ("mip", "minip", "mean")
TISSUES: Final = {"bone": 250.0, "lung": -500.0, "skin": -300.0}
"""Surfaces by name and the HU level of each: between air and tissue for lung and skin."""

_MOST_HU: Final = 70_000


@dataclass(frozen=True, kw_only=True)
class Part:
    """What all parts share: keys of a file that this version does not know."""

    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    def _check(self, **values: Any) -> None:
        """Put checked values in place of the given ones."""
        for name, value in values.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "extra", checks.mapping(self.extra, "extra"))


@dataclass(frozen=True)
class PlaneView(Part):
    """How one plane lies in its pane.

    Parameters
    ----------
    zoom : float
        1 fits the volume into the pane; 0.05 to 200.
    pan : (right, down) float, mm
        How far the picture is moved in its pane.
    """

    zoom: float = 1.0
    pan: tuple[float, float] = field(default=(0.0, 0.0), metadata={"key": "pan_mm"})

    def __post_init__(self) -> None:
        self._check(
            zoom=checks.within(self.zoom, 0.05, 200, "zoom"),
            pan=checks.numbers(self.pan, 2, "pan (right, down) in mm", checks.FARTHEST_MM),
        )


@dataclass(frozen=True)
class Slab(Part):
    """What a plane shows of the tissue before and behind it.

    Parameters
    ----------
    thickness : float, mm
        0 shows the plane alone; at most 500.
    kind : str
        ``"mip"`` (greatest value), ``"minip"`` (least) or ``"mean"``.
    """

    thickness: float = field(default=0.0, metadata={"key": "thickness_mm"})
    kind: str = "mip"

    def __post_init__(self) -> None:
        self._check(
            thickness=checks.within(self.thickness, 0, 500, "slab thickness in mm"),
            kind=checks.one_of(self.kind, SLAB_KINDS, "slab kind"),
        )


@dataclass(frozen=True)
class Camera(Part):
    """Where the 3D picture is seen from; parallel projection.

    Parameters
    ----------
    azimuth : float, degrees
        0 from the front (anterior), 90 from the patient's left, 180 from behind.
    elevation : float, degrees
        -90 from the feet to 90 from above the head.
    zoom : float
        1 fits the body into the pane; 0.05 to 200.
    pan : (right, down) float, mm
        How far the picture is moved in its pane.
    """

    azimuth: float = field(default=0.0, metadata={"key": "azimuth_degrees"})
    elevation: float = field(default=0.0, metadata={"key": "elevation_degrees"})
    zoom: float = 1.0
    pan: tuple[float, float] = field(default=(0.0, 0.0), metadata={"key": "pan_mm"})

    def __post_init__(self) -> None:
        self._check(
            azimuth=checks.within(self.azimuth, -1e6, 1e6, "camera azimuth in degrees"),
            elevation=checks.within(self.elevation, -90, 90, "camera elevation in degrees"),
            zoom=checks.within(self.zoom, 0.05, 200, "zoom"),
            pan=checks.numbers(self.pan, 2, "pan (right, down) in mm", checks.FARTHEST_MM),
        )


@dataclass(frozen=True)
class Transfer(Part):
    """What a person changed of the rendering preset.

    Parameters
    ----------
    shift : float, HU
        Moves all points of opacity and colour.
    opacity : float
        Factor of the opacity, 0 to 1.
    scalar_opacity : sequence of (HU, opacity), optional
        In place of the preset's (see `hounsview.RenderingPreset`).
    color : sequence of (HU, red, green, blue), optional
        In place of the preset's.
    shade : bool, optional
        In place of the preset's.
    """

    shift: float = field(default=0.0, metadata={"key": "shift_hu"})
    opacity: float = 1.0
    scalar_opacity: OpacityPoints | None = None
    color: ColorPoints | None = None
    shade: bool | None = None

    def __post_init__(self) -> None:
        points = {}
        for name, width in (("scalar_opacity", 2), ("color", 4)):
            given = getattr(self, name)
            if given is not None:
                points[name] = checked_points(given, width, f"transfer function: {name}")
                if not points[name]:
                    msg = f"transfer function: {name} needs at least one point"
                    raise ArgumentError(msg)
        if self.shade is not None:
            checks.is_a(self.shade, bool, "shade")
        self._check(
            shift=checks.within(self.shift, -_MOST_HU, _MOST_HU, "shift in HU"),
            opacity=checks.within(self.opacity, 0, 1, "opacity"),
            **points,
        )


@dataclass(frozen=True)
class Surface(Part):
    """A surface in the 3D picture.

    Parameters
    ----------
    name : str
        ``"bone"``, ``"lung"`` or ``"skin"``, or any other word for a plain HU level.
    level : float, HU
        Where the surface lies; None takes that of the tissue. Any other level makes it the
        surface of that level, under whatever name.
    color : (red, green, blue) float
        0 to 1.
    opacity : float
        0 to 1.
    shown : bool
    """

    name: str
    level: float | None = field(default=None, metadata={"key": "level_hu"})
    color: Color = (0.93, 0.87, 0.75)
    opacity: float = 1.0
    shown: bool = True

    def __post_init__(self) -> None:
        name = checks.text(self.name, "surface name")
        level = TISSUES.get(name) if self.level is None else self.level
        if level is None:
            msg = f"surface {name!r} needs a level in HU; only {', '.join(TISSUES)} have one"
            raise ArgumentError(msg)
        self._check(
            level=checks.within(level, -_MOST_HU, _MOST_HU, "surface level in HU"),
            color=checks.color(self.color, "surface color"),
            opacity=checks.within(self.opacity, 0, 1, "surface opacity"),
            shown=checks.is_a(self.shown, bool, "surface shown"),
        )

    @property
    def tissue(self) -> str:
        """The tissue whose surface this is; empty for that of a HU level."""
        return self.name if self.level == TISSUES.get(self.name) else ""


@dataclass(frozen=True)
class CropBox(Part):
    """The part of the patient that the 3D picture shows: a box along the patient axes.

    Parameters
    ----------
    low, high : (x, y, z) float, LPS mm
        Opposite corners; each of `low` below that of `high`.
    """

    low: Point = field(metadata={"key": "low_lps_mm"})
    high: Point = field(metadata={"key": "high_lps_mm"})

    def __post_init__(self) -> None:
        low, high = checks.point(self.low, "crop low"), checks.point(self.high, "crop high")
        if not all(a < b for a, b in zip(low, high, strict=True)):
            msg = f"a crop box needs each of low below high, not {low} and {high}"
            raise ArgumentError(msg)
        self._check(low=low, high=high)


@dataclass(frozen=True)
class Overlay(Part):
    """How one value of a label map is drawn over the slices.

    Parameters
    ----------
    value : int
        In the label map, 1 to 255.
    name : str
    color : (red, green, blue) float
        0 to 1.
    opacity : float
        0 to 1.
    shown : bool
    """

    value: int
    name: str = ""
    color: Color = (0.95, 0.35, 0.30)
    opacity: float = 0.4
    shown: bool = True

    def __post_init__(self) -> None:
        self._check(
            value=int(
                checks.within(checks.is_a(self.value, int, "label"), 1, 255, "label value")
            ),
            name=checks.text(self.name, "label name"),
            color=checks.color(self.color, "label color"),
            opacity=checks.within(self.opacity, 0, 1, "label opacity"),
            shown=checks.is_a(self.shown, bool, "label shown"),
        )
