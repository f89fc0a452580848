"""The volume rendering in a scene: one mapper for each level and content, kept.

The CPU ray caster takes the gradients of a level once, for about a second in ten million
voxels, and cannot be stopped meanwhile. So a finer level is made ready in another thread,
in a window of eight pixels there, and only then drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hounsview.cameras import aim_at
from hounsview.presets import RenderingPreset
from hounsview.viewstate import Camera, ViewState
from hounsview.viewstate.looks import lowest_shown, preset_of
from hounsview_vizapp.rendering.body import Body, Content, content_of
from hounsview_vizapp.rendering.placing import cut_mapper, image_of
from hounsview_vizapp.rendering.pyramid import COARSE_VOXELS, Level, Pyramid
from hounsview_vizapp.rendering.transfer import property_of

_MOST_KEPT_VOXELS: Final = 100_000_000
"""About 600 MB with gradients; a level that is larger is kept alone."""
_SAMPLE, _SAMPLE_OF_SOLID = 0.5, 0.25
"""Distance of samples along a ray, as shares of the shortest voxel edge: where opacity
rises at once, as at the skin, larger steps are seen as grain."""
_MOST_IMAGE_SAMPLE: Final = 6.0
_TRIAL: Final = (8, 8)


@dataclass(frozen=True)
class VolumeKey:
    """Which level of a volume, and what of it."""

    factors: tuple[int, int, int]
    content: Content


@dataclass(eq=False)
class ReadyVolume:
    """A level that VTK can draw: its actor (vtkVolume), and how it looks now.

    VTK makes its tables anew whenever a look is set, so it is set only when it changes.
    """

    level: Level
    actor: Any
    look: RenderingPreset | None = None
    planes: list[Any] = field(default_factory=list)

    def dress(self, preset: RenderingPreset) -> None:
        """Take a preset as the look."""
        if self.look == preset:
            return
        mapper = self.actor.GetMapper()
        if preset.kind == "mip":
            mapper.SetBlendModeToMaximumIntensity()
        elif preset.kind == "minip":
            mapper.SetBlendModeToMinimumIntensity()
        else:
            mapper.SetBlendModeToComposite()
        mean_edge = float(np.mean(self.level.geometry.spacing))
        self.actor.SetProperty(property_of(preset, mean_edge))
        self.look = preset

    def cut(self, planes: list[Any]) -> None:
        """Cut away what lies behind vtkPlanes."""
        if self.planes is not planes:
            cut_mapper(self.actor.GetMapper(), planes)
            self.planes = planes


class Volumes:
    """What is ready to be drawn, and the one that is in the picture.

    Parameters
    ----------
    pyramid : Pyramid
    body : Body
    renderer : vtkRenderer
    software : bool
        Whether the CPU casts the rays.
    """

    def __init__(self, pyramid: Pyramid, body: Body, renderer: Any, *, software: bool) -> None:
        self._pyramid = pyramid
        self._body = body
        self._renderer = renderer
        self._software = software
        self._ready: dict[VolumeKey, ReadyVolume] = {}
        self._shown: Any = None

    def needed(self, state: ViewState, voxels: int) -> list[VolumeKey]:
        """Return what must be ready to draw a state at a level."""
        if not state.show_volume:
            return []
        content = content_of(preset_of(state), lowest_shown(state), table=state.show_table)
        return [VolumeKey(self._pyramid.factors(voxels), content)]

    def missing(self, keys: Iterable[VolumeKey]) -> list[VolumeKey]:
        """Return those that are not ready."""
        return [key for key in keys if key not in self._ready]

    def make(self, key: VolumeKey, voxels: int, state: ViewState, *, warm: bool) -> ReadyVolume:
        """Return a level made ready; touches nothing that another thread draws with.

        Parameters
        ----------
        key : VolumeKey
        voxels : int
            At most so many has the level of the key.
        state : ViewState
            One that needs it.
        warm : bool
            Whether to take gradients now, and not in the first picture.
        """
        from vtkmodules.vtkRenderingCore import vtkVolume

        level = key.content.of(self._pyramid.level(voxels), self._body)
        image, placement = image_of(level)
        solid = key.content.filled is not None
        mapper = _mapper(level, solid=solid, software=self._software)
        mapper.SetInputData(image)
        actor = vtkVolume()
        actor.SetMapper(mapper)
        actor.SetUserMatrix(placement)
        ready = ReadyVolume(level, actor)
        ready.dress(preset_of(state))
        if warm and self._software:
            _warm(ready)
        return ready

    def keep(self, key: VolumeKey, ready: ReadyVolume) -> None:
        """Take in what `make` returned; of the large ones, the longest unused go."""
        self._ready[key] = ready
        large = {
            key: ready.level.hu.size
            for key, ready in self._ready.items()
            if ready.level.hu.size > COARSE_VOXELS
        }
        while len(large) > 1 and sum(large.values()) > _MOST_KEPT_VOXELS:
            oldest = next(iter(large))
            del large[oldest]
            self._forget(self._ready.pop(oldest))

    def show(
        self, state: ViewState, key: VolumeKey | None, planes: list[Any], *, coarsely: bool
    ) -> Level | None:
        """Put a level into the picture, or none; return it.

        Parameters
        ----------
        state : ViewState
        key : VolumeKey, optional
        planes : list of vtkPlane
            What lies behind them is cut away.
        coarsely : bool
            Whether rays may be left out to keep up the window's desired update rate.
        """
        ready = self._ready.pop(key) if key else None
        if key and ready:
            self._ready[key] = ready  # the last used stands last
        if self._shown is not (ready and ready.actor):
            self.remove()
        if not ready:
            return None
        ready.dress(preset_of(state))
        ready.cut(planes)
        mapper = ready.actor.GetMapper()
        mapper.SetAutoAdjustSampleDistances(coarsely)
        mapper.SetImageSampleDistance(1.0)
        if self._shown is None:
            self._renderer.AddVolume(ready.actor)
            self._shown = ready.actor
        return ready.level

    def remove(self) -> None:
        """Take the volume out of the picture."""
        if self._shown is not None:
            self._renderer.RemoveVolume(self._shown)
            self._shown = None

    def close(self) -> None:
        """Let go of everything."""
        self.remove()
        for ready in self._ready.values():
            self._forget(ready)
        self._ready.clear()

    def _forget(self, ready: ReadyVolume) -> None:
        if self._shown is ready.actor:
            self.remove()
        ready.actor.ReleaseGraphicsResources(self._renderer.GetRenderWindow())


def _mapper(level: Level, *, solid: bool, software: bool) -> Any:
    import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
    from vtkmodules.vtkRenderingVolume import (
        vtkFixedPointVolumeRayCastMapper,
        vtkGPUVolumeRayCastMapper,
    )

    mapper = vtkFixedPointVolumeRayCastMapper() if software else vtkGPUVolumeRayCastMapper()
    step = (_SAMPLE_OF_SOLID if solid else _SAMPLE) * min(level.geometry.spacing)
    mapper.SetSampleDistance(step)
    mapper.SetMaximumImageSampleDistance(_MOST_IMAGE_SAMPLE)
    if software:
        # Otherwise the steps along a ray grow with the steps between rays, and thin
        # bone flickers while the picture moves.
        mapper.SetInteractiveSampleDistance(2 * step)
    return mapper


def _warm(ready: ReadyVolume) -> None:
    """Draw a few rays in a window of this thread, so that gradients are there."""
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

    window, renderer = vtkRenderWindow(), vtkRenderer()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(*_TRIAL)
    window.AddRenderer(renderer)
    renderer.AddVolume(ready.actor)
    aim_at(ready.level.geometry, Camera(), _TRIAL).apply(renderer)
    try:
        window.Render()
    finally:
        renderer.RemoveVolume(ready.actor)
        ready.actor.ReleaseGraphicsResources(window)
        window.RemoveRenderer(renderer)
        window.Finalize()
