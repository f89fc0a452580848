"""Rendering presets: what a volume rendering shows of each tissue, and how.

One file, ``hounsview/data/rendering.json``, serves the desktop viewer, the notebook and
3D Slicer. Its ``"about"`` block explains every key.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, get_args

from hounsview.errors import ArgumentError

Kind = Literal["composite", "mip", "minip"]
OpacityPoints = tuple[tuple[float, float], ...]
ColorPoints = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class RenderingPreset:
    """Transfer functions and light for one way to look at a CT.

    Between points the functions are linear; before the first and after the last point
    they keep that point's value.

    Parameters
    ----------
    name : str
        Key of the preset, such as ``"bone"``.
    label : str
        What a menu shows.
    kind : str
        ``"composite"`` (front to back), ``"mip"`` (the largest value on each ray) or
        ``"minip"`` (the least value inside the body).
    scalar_opacity : sequence of (HU, opacity)
        HU rising; opacity 0 to 1 per `opacity_unit_distance`. For ``"mip"`` and
        ``"minip"`` the brightness: colour times this.
    color : sequence of (HU, red, green, blue)
        HU rising; colours 0 to 1, as shown on the screen.
    gradient_opacity : sequence of (HU/mm, factor)
        The scalar opacity is multiplied by this factor of the gradient's length; in
        HU per mm, so that it means the same on every grid. Empty: always 1.
    opacity_unit_distance : float
        mm of tissue to which `scalar_opacity` refers.
    shade : bool
        Whether surfaces are lit; the four numbers below count only then.
    ambient, diffuse, specular : float
        0 to 1, Phong.
    specular_power : float
        1 to 128.

    Raises
    ------
    ArgumentError
        If a point or a number is outside what is said here.
    """

    name: str
    label: str
    kind: Kind
    scalar_opacity: OpacityPoints
    color: ColorPoints
    gradient_opacity: OpacityPoints = ()
    opacity_unit_distance: float = 1.0
    shade: bool = True
    ambient: float = 0.1
    diffuse: float = 0.9
    specular: float = 0.2
    specular_power: float = 10.0

    def __post_init__(self) -> None:
        if not self.name or not self.label:
            msg = "a rendering preset needs a name and a label"
            raise ArgumentError(msg)
        if self.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            msg = f"preset {self.name!r}: kind must be one of {kinds}, not {self.kind!r}"
            raise ArgumentError(msg)
        for key, width in (("scalar_opacity", 2), ("color", 4), ("gradient_opacity", 2)):
            points = checked_points(getattr(self, key), width, f"preset {self.name!r}: {key}")
            if not points and key != "gradient_opacity":
                msg = f"preset {self.name!r}: {key} needs at least one point"
                raise ArgumentError(msg)
            object.__setattr__(self, key, points)
        for key, low, high in (
            ("ambient", 0, 1),
            ("diffuse", 0, 1),
            ("specular", 0, 1),
            ("specular_power", 1, 128),
            ("opacity_unit_distance", 1e-3, 1e3),
        ):
            value = getattr(self, key)
            if not isinstance(value, (int, float)) or not low <= value <= high:
                msg = f"preset {self.name!r}: {key} must lie in {low}..{high}, not {value!r}"
                raise ArgumentError(msg)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> RenderingPreset:
        """Return the preset of one entry of the JSON file.

        Raises
        ------
        ArgumentError
            If a key is missing or unknown, or a value is off.
        """
        known = {field.name for field in fields(cls)}
        needed = {"name", "label", "kind", "scalar_opacity", "color"}
        name = entry.get("name", "?")
        if missing := needed - entry.keys():
            msg = f"preset {name!r} lacks {', '.join(sorted(missing))}"
            raise ArgumentError(msg)
        if unknown := entry.keys() - known:
            msg = f"preset {name!r} has unknown keys: {', '.join(sorted(unknown))}"
            raise ArgumentError(msg)
        return cls(**entry)


@cache
def rendering_presets() -> Mapping[str, RenderingPreset]:
    """Return the built-in presets by name, in the order of a menu; read-only."""
    text = files("hounsview").joinpath("data/rendering.json").read_text("utf-8")
    presets = [RenderingPreset.from_dict(entry) for entry in json.loads(text)["presets"]]
    return MappingProxyType({preset.name: preset for preset in presets})


def checked_points(values: Sequence[Sequence[float]], width: int, what: str) -> Any:
    """Return the points as a tuple of tuples of float; all but the first number 0 to 1."""
    try:
        points = tuple(tuple(float(number) for number in point) for point in values)
    except (TypeError, ValueError) as error:
        msg = f"{what} must be a list of points of {width} numbers, not {values!r}"
        raise ArgumentError(msg) from error
    for point in points:
        if len(point) != width or not all(math.isfinite(number) for number in point):
            msg = f"{what}: a point has {width} finite numbers, not {point}"
            raise ArgumentError(msg)
        if not all(0 <= number <= 1 for number in point[1:]):
            msg = f"{what}: {point} has a number outside 0..1"
            raise ArgumentError(msg)
    at = [point[0] for point in points]
    if any(b <= a for a, b in pairwise(at)):
        msg = f"{what}: points must rise strictly, not {at}"
        raise ArgumentError(msg)
    return points


def fill_curves(
    preset: RenderingPreset, mean_edge: float, *, color: Any, opacity: Any, gradient: Any
) -> None:
    """Put the points of a preset on VTK's functions, which are handed in empty.

    Parameters
    ----------
    preset : RenderingPreset
    mean_edge : float
        Mean voxel edge, mm: VTK takes gradients per voxel.
    color : vtkColorTransferFunction
    opacity, gradient : vtkPiecewiseFunction
    """
    for point in preset.color:
        color.AddRGBPoint(*point)
    for hu, share in preset.scalar_opacity:
        opacity.AddPoint(hu, share)
    for hu_per_mm, share in preset.gradient_opacity:
        gradient.AddPoint(hu_per_mm * mean_edge, share)


def fill_looks(preset: RenderingPreset, looks: Any) -> None:
    """Set light, interpolation and the unit of opacity of a vtkVolumeProperty."""
    looks.SetScalarOpacityUnitDistance(preset.opacity_unit_distance)
    looks.SetInterpolationTypeToLinear()
    looks.SetShade(preset.shade)
    looks.SetAmbient(preset.ambient)
    looks.SetDiffuse(preset.diffuse)
    looks.SetSpecular(preset.specular)
    looks.SetSpecularPower(preset.specular_power)
