"""Surfaces of tissue in a scene: extracted at a HU level, once for each level of detail.

Once it is known where a tissue is, its surface is still that of its HU level, so that it stays
as smooth as the values are; but values are put above the level inside the tissue, and below
outside of it (for lung the other way round).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hounsview.tissuemap import TissueMap
from hounsview.viewstate import TISSUES, Surface, ViewState
from hounsview.viewstate.looks import INSIDE_MM
from hounsview.volume import AIR_HU
from hounsview_vizapp.rendering.body import Body, Content
from hounsview_vizapp.rendering.placing import cut_mapper, image_of, matrix_of, placement
from hounsview_vizapp.rendering.pyramid import Level, Pyramid, box_around, level_of, smoothed

_MOST_KEPT: Final = 12
_FILLED_ABOVE_HU: Final = 200.0
_CLEARLY_HU: Final = 200.0
_MOSTLY: Final = 0.75
_HARDLY: Final = 0.25
_AMBIENT, _DIFFUSE, _SPECULAR, _POWER = 0.12, 0.85, 0.22, 18.0


@dataclass(frozen=True)
class SurfaceKey:
    """A surface at a level of detail: what it depends on, and colour is not among it.

    Parameters
    ----------
    factors : (k, j, i) int
    tissue : str
        ``"lung"``: inside the body alone. ``"skin"``: outside alone. Otherwise both.
    hu : float
    table : bool
        Whether the table may be a part of it.
    found : bool
        Whether it is known where the tissue is.
    """

    factors: tuple[int, int, int]
    tissue: str
    hu: float
    table: bool
    found: bool = False


@dataclass(eq=False)
class ReadySurface:
    """A surface that VTK can draw (vtkActor), and what cuts it."""

    actor: Any
    planes: list[Any] = field(default_factory=list)


class Surfaces:
    """What is ready to be drawn, and what of it is in the picture.

    Parameters
    ----------
    pyramid : Pyramid
    body : Body
    renderer : vtkRenderer
    """

    def __init__(self, pyramid: Pyramid, body: Body, renderer: Any) -> None:
        self._pyramid = pyramid
        self._body = body
        self._renderer = renderer
        self.tissues: TissueMap | None = None
        self._ready: dict[SurfaceKey, ReadySurface] = {}
        self._shown: dict[SurfaceKey, Any] = {}

    def needed(self, state: ViewState, voxels: int) -> list[SurfaceKey]:
        """Return what must be ready to draw a state at a level."""
        factors = self._pyramid.factors(voxels)
        return list(self._keys(state, factors))

    def names(self, state: ViewState) -> list[str]:
        """Return what to call the surfaces that are shown, and what was not found."""
        return [self._name(surface) for surface in state.surfaces if surface.shown]

    def _name(self, surface: Surface) -> str:
        if surface.name in TISSUES and (not surface.tissue or self.tissues is None):
            return f"{surface.name} ({surface.level:g} HU)"
        if self.tissues is None or not surface.tissue:
            return surface.name
        found = self.tissues.parts_of(surface.tissue)
        return surface.name if found else f"no {surface.name} found"

    def _keys(
        self, state: ViewState, factors: tuple[int, int, int]
    ) -> dict[SurfaceKey, Surface]:
        keys: dict[SurfaceKey, Surface] = {}
        for surface in state.surfaces:
            if not surface.shown:
                continue
            level = surface.level
            assert level is not None  # the state fills it in
            if not surface.tissue or self.tissues is None:
                tissue = surface.tissue if surface.tissue in ("lung", "skin") else ""
                table = state.show_table or tissue == "lung"
                keys[SurfaceKey(factors, tissue, level, table)] = surface
            elif self.tissues.parts_of(surface.tissue):
                keys[SurfaceKey(factors, surface.tissue, level, False, found=True)] = surface
        return keys

    def missing(self, keys: Iterable[SurfaceKey]) -> list[SurfaceKey]:
        """Return those that are not ready, each once."""
        return [key for key in dict.fromkeys(keys) if key not in self._ready]

    def make(self, key: SurfaceKey, voxels: int) -> ReadySurface:
        """Return a surface; touches nothing that another thread draws with."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        level = self._pyramid.level(voxels)
        tissues = self.tissues
        if key.found and tissues is not None:
            share = level_of(self._pyramid.volume, voxels, tissues.mask_of(key.tissue))
            level = bounded(level, share, key.hu, low_inside=key.tissue == "lung")
            if key.tissue == "skin":
                level = smoothed(level)  # rings are seen most on it
        else:
            level = _content(key).of(level, self._body)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(isosurface(level, key.hu))
        mapper.ScalarVisibilityOff()
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.SetUserMatrix(matrix_of(placement(level.geometry)))
        look = actor.GetProperty()
        look.SetAmbient(_AMBIENT)
        look.SetDiffuse(_DIFFUSE)
        look.SetSpecular(_SPECULAR)
        look.SetSpecularPower(_POWER)
        return ReadySurface(actor)

    def keep(self, key: SurfaceKey, ready: ReadySurface) -> None:
        """Take in what `make` returned."""
        self._ready[key] = ready

    def show(self, state: ViewState, voxels: int, planes: list[Any]) -> None:
        """Put the state's surfaces into the picture, and no others."""
        factors = self._pyramid.factors(voxels)
        wanted = self._keys(state, factors)
        for key in [key for key in self._shown if key not in wanted]:
            self._renderer.RemoveActor(self._shown.pop(key))
        for key, surface in wanted.items():
            ready = self._ready.pop(key)
            self._ready[key] = ready  # the last used stands last
            look = ready.actor.GetProperty()
            look.SetColor(*surface.color)
            look.SetOpacity(surface.opacity)
            if ready.planes is not planes:
                cut_mapper(ready.actor.GetMapper(), planes)
                ready.planes = planes
            if key not in self._shown:
                self._renderer.AddActor(ready.actor)
                self._shown[key] = ready.actor
        # Those drawn now stand last; of the others, the longest unused go.
        for key in list(self._ready)[: max(0, len(self._ready) - len(wanted) - _MOST_KEPT)]:
            self._forget(key)

    def close(self) -> None:
        """Let go of everything."""
        for key in list(self._ready):
            self._forget(key)

    def _forget(self, key: SurfaceKey) -> None:
        actor = self._ready.pop(key).actor
        if self._shown.pop(key, None) is not None:
            self._renderer.RemoveActor(actor)
        actor.ReleaseGraphicsResources(self._renderer.GetRenderWindow())


def _content(key: SurfaceKey) -> Content:
    """Return the values that a surface is extracted from, so that it is closed."""
    if key.tissue == "lung":
        return Content(0.0, INSIDE_MM, ends=0.0)
    outside = None if key.table else float(AIR_HU)
    filled = key.hu + _FILLED_ABOVE_HU if key.tissue == "skin" else None
    return Content(outside, filled=filled, ends=float(AIR_HU))


def bounded(level: Level, share: Level, hu: float, *, low_inside: bool) -> Level:
    """Return a level that crosses a HU value only around a tissue; smoothed, padded.

    Parameters
    ----------
    level : Level
    share : Level
        On the same grid: how much of each voxel is of the tissue, 0 to 255.
    hu : float
    low_inside : bool
        Whether the tissue is what lies below the value.
    """
    low, high = (level.hu.dtype.type(hu + step) for step in (-_CLEARLY_HU, _CLEARLY_HU))
    mostly, hardly = share.hu >= _MOSTLY * 255, share.hu <= _HARDLY * 255
    above, below = (hardly, mostly) if low_inside else (mostly, hardly)
    values = level.hu.copy()
    np.maximum(values, high, out=values, where=above)
    np.minimum(values, low, out=values, where=below)
    box = box_around(share.hu[::2, ::2, ::2] > 0, values.shape)
    part = smoothed(Level(values, level.geometry, level.factors).part(box))
    return part.padded(float(high if low_inside else low))


def isosurface(level: Level, hu: float) -> Any:
    """Return vtkPolyData where a level crosses a HU value.

    Points are mm along i, j, k from the first voxel; normals point to lower values.
    """
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image, _ = image_of(level)
    filter_ = vtkFlyingEdges3D()
    filter_.SetInputData(image)
    filter_.SetValue(0, hu)
    filter_.ComputeNormalsOn()
    filter_.ComputeScalarsOff()
    filter_.Update()
    return filter_.GetOutput()
