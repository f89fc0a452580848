"""Surfaces of tissue in a scene: extracted at a HU level, once for each level of detail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from hounsview.viewstate import Surface, ViewState
from hounsview.volume import AIR_HU
from hounsview_vizapp.rendering.body import INSIDE_MM, Body, Content
from hounsview_vizapp.rendering.placing import cut_mapper, image_of, matrix_of, placement
from hounsview_vizapp.rendering.pyramid import Level, Pyramid

_MOST_KEPT: Final = 12
_FILLED_ABOVE_HU: Final = 200.0
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
    """

    factors: tuple[int, int, int]
    tissue: str
    hu: float
    table: bool


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
        self._ready: dict[SurfaceKey, ReadySurface] = {}
        self._shown: dict[SurfaceKey, Any] = {}

    def needed(self, state: ViewState, voxels: int) -> list[SurfaceKey]:
        """Return what must be ready to draw a state at a level."""
        factors = self._pyramid.factors(voxels)
        return [_key(surface, factors, state) for surface in state.surfaces if surface.shown]

    def missing(self, keys: Iterable[SurfaceKey]) -> list[SurfaceKey]:
        """Return those that are not ready, each once."""
        return [key for key in dict.fromkeys(keys) if key not in self._ready]

    def make(self, key: SurfaceKey, voxels: int) -> ReadySurface:
        """Return a surface; touches nothing that another thread draws with."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        level = _content(key).of(self._pyramid.level(voxels), self._body)
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
        wanted = {_key(s, factors, state): s for s in state.surfaces if s.shown}
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


def _key(surface: Surface, factors: tuple[int, int, int], state: ViewState) -> SurfaceKey:
    tissue = surface.name if surface.name in ("lung", "skin") else ""
    level = surface.level
    assert level is not None  # the state fills it in
    return SurfaceKey(factors, tissue, level, state.show_table or tissue == "lung")


def _content(key: SurfaceKey) -> Content:
    """Return the values that a surface is extracted from, so that it is closed."""
    if key.tissue == "lung":
        return Content(0.0, INSIDE_MM, ends=0.0)
    outside = None if key.table else float(AIR_HU)
    filled = key.hu + _FILLED_ABOVE_HU if key.tissue == "skin" else None
    return Content(outside, filled=filled, ends=float(AIR_HU))


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
