"""The plotter of a scene and what stands on it; everything here runs in its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from hounsview.cameras import aim_at
from hounsview.geometry import Geometry
from hounsview.presets import rendering_presets
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import CropBox, Transfer, ViewState
from hounsview.volume import Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.importing import imported
from hounsview_vizapp.rendering import memory
from hounsview_vizapp.rendering.body import Body
from hounsview_vizapp.rendering.labels import draw_labels, label_height
from hounsview_vizapp.rendering.opengl import opengl, prepare
from hounsview_vizapp.rendering.placing import clip_planes
from hounsview_vizapp.rendering.planes3d import Planes
from hounsview_vizapp.rendering.pyramid import COARSE_VOXELS, Pyramid
from hounsview_vizapp.rendering.surfaces import ReadySurface, SurfaceKey, Surfaces
from hounsview_vizapp.rendering.volumes import ReadyVolume, VolumeKey, Volumes
from hounsview_vizapp.rendering.wishes import Wish

FINE_VOXELS: Final = 24_000_000
_MOVING_RATE, _FIRST_RATE, _STILL_RATE = 20.0, 8.0, 0.0001
_BACKGROUND: Final = tuple(channel / 255 for channel in drawing.NOT_MEASURED)
_PEELS: Final = 4
_PEELED_VOXELS: Final = 5_000_000
_GAP: Final = 4
_LIGHTS: Final = (((-0.5, 0.7, 1.0), 1.0), ((0.8, -0.3, 0.8), 0.35))
"""Places around the camera (right, up, towards it) and intensities."""


@dataclass(frozen=True)
class Rung:
    """One step from a quick picture to a fine one.

    Parameters
    ----------
    voxels : int
        Most voxels of the level that is drawn.
    rate : float
        Pictures a second to keep up by leaving out rays; 0 casts one through each pixel.
    """

    voxels: int
    rate: float = 0.0


@dataclass(frozen=True)
class Job:
    """Something to be made ready in another thread before a rung can be drawn."""

    key: VolumeKey | SurfaceKey
    voxels: int = field(compare=False)
    state: ViewState = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture, what its badge says, and the mm that a pixel shows."""

    picture: Picture
    resolution: str
    mm_per_pixel: float


class Stage:
    """The plotter, and the volumes, surfaces and planes of one scene.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU: transfer functions speak of tissue.
    RenderingUnavailableError
        If VTK finds no OpenGL.
    """

    def __init__(self, volume: Volume) -> None:
        volume.require_hu("a volume rendering")
        prepare()
        self.software = opengl().is_software
        self.plotter = _plotter()
        self._window = self.plotter.render_window
        self._renderer = self.plotter.renderer
        self._lights = _light(self._renderer)
        self._pyramid = Pyramid(volume)
        body = Body(self._pyramid.coarse)
        self._box: Geometry = body.box
        self._centre = volume.geometry.centre
        self._volumes = Volumes(self._pyramid, body, self._renderer, software=self.software)
        self._surfaces = Surfaces(self._pyramid, body, self._renderer)
        self._planes = Planes(self._renderer)
        self._cut: tuple[CropBox | None, list[Any]] = (None, [])
        self._interruptible = False
        self._flag = threading.Lock()
        self._interrupted: Callable[[], bool] = lambda: False
        self._observer = self._window.AddObserver("AbortCheckEvent", self._check)

    @cached_property
    def _fine_voxels(self) -> int:
        return memory.affordable(FINE_VOXELS)

    @cached_property
    def _all_voxels(self) -> int:
        return memory.affordable(int(np.prod(self._pyramid.volume.shape)))

    def show_tissues(self, tissues: TissueMap | None) -> None:
        """Take surfaces of tissues from where these are; None: from their HU levels."""
        self._surfaces.tissues = tissues

    def rungs(self, wish: Wish) -> list[Rung]:
        """Return the pictures to draw for a wish, the last one final."""
        if not self.software:
            rung = Rung(memory.GPU_VOXELS, _MOVING_RATE if wish.moving else 0.0)
            return [rung]
        first = Rung(COARSE_VOXELS, _MOVING_RATE if wish.moving else _FIRST_RATE)
        if wish.moving:
            return [first]
        if wish.state.quality == "fast":
            return [first, Rung(COARSE_VOXELS)]
        fine, full = Rung(self._fine_voxels), Rung(self._all_voxels)
        if wish.state.quality == "auto" or self._is_same_level(fine, full):
            return [first, fine]
        return [first, fine, full]

    def _is_same_level(self, one: Rung, other: Rung) -> bool:
        return self._pyramid.factors(one.voxels) == self._pyramid.factors(other.voxels)

    def jobs(self, wish: Wish, rung: Rung) -> list[Job]:
        """Return what must be made ready before a rung can be drawn."""
        found: dict[Job, None] = {}
        for state in _halves(wish.state):
            for key in self._volumes.missing(self._volumes.needed(state, rung.voxels)):
                found.setdefault(Job(key, rung.voxels, state))
            voxels = self._surface_voxels(state, rung)
            for other in self._surfaces.missing(self._surfaces.needed(state, voxels)):
                found.setdefault(Job(other, voxels, state))
        return list(found)

    def _surface_voxels(self, state: ViewState, rung: Rung) -> int:
        """Return most voxels of the level that surfaces are taken from.

        Translucent ones are drawn layer by layer, which cannot be interrupted.
        """
        if self.software and _is_translucent(state) and state.quality != "full":
            return min(rung.voxels, _PEELED_VOXELS)
        return rung.voxels

    def make(self, job: Job, *, warm: bool) -> ReadyVolume | ReadySurface:
        """Return what a job asks for; may run in any thread."""
        if isinstance(job.key, VolumeKey):
            return self._volumes.make(job.key, job.voxels, job.state, warm=warm)
        return self._surfaces.make(job.key, job.voxels)

    def keep(self, job: Job, ready: ReadyVolume | ReadySurface) -> None:
        """Take in what `make` returned."""
        if isinstance(job.key, VolumeKey):
            assert isinstance(ready, ReadyVolume)
            self._volumes.keep(job.key, ready)
        else:
            assert isinstance(ready, ReadySurface)
            self._surfaces.keep(job.key, ready)

    def draw(
        self, wish: Wish, rung: Rung, interrupted: Callable[[], bool] | None = None
    ) -> Drawn | None:
        """Return a picture, or None if it was interrupted.

        Parameters
        ----------
        wish : Wish
        rung : Rung
            Whose jobs are kept, or are done here.
        interrupted : callable, optional
            Says whether something is more urgent; asked now and then.
        """
        for job in self.jobs(wish, rung):
            self.keep(job, self.make(job, warm=False))
        states = _halves(wish.state)
        if len(states) == 1:
            return self._draw_one(replace(wish, state=states[0]), rung, interrupted)
        rows, columns = wish.size
        half = max(1, (columns - _GAP) // 2)
        parts = []
        for state in states:
            part = self._draw_one(
                replace(wish, state=state, size=(rows, half)), rung, interrupted
            )
            if part is None:
                return None
            parts.append(part)
        picture = drawing.blank(wish.size, drawing.FAINT)
        picture[:, :half] = parts[0].picture
        picture[:, columns - half :] = parts[1].picture
        return replace(parts[0], picture=picture)

    def _draw_one(
        self, wish: Wish, rung: Rung, interrupted: Callable[[], bool] | None
    ) -> Drawn | None:
        state = wish.state
        planes = self._cut_planes(state.crop)
        keys = self._volumes.needed(state, rung.voxels)
        coarsely = rung.rate > 0
        self._volumes.show(state, keys[0] if keys else None, planes, coarsely=coarsely)
        voxels = self._surface_voxels(state, rung)
        self._surfaces.show(state, voxels, planes)
        point = self._centre if state.crosshair is None else np.array(state.crosshair)
        finest = rung.voxels if state.show_volume or state.show_planes else voxels
        level = self._pyramid.level(finest)
        self._planes.show(state, level, self._box, point)
        # Peeling takes half a second on software OpenGL: not while it moves.
        self._renderer.SetUseDepthPeeling(_is_translucent(state) and not coarsely)
        solid = state.show_planes or any(surface.shown for surface in state.surfaces)
        self._renderer.SetUseFXAA(solid and not coarsely)
        self._window.SetSize(wish.size[1], wish.size[0])
        self._window.SetDesiredUpdateRate(rung.rate or _STILL_RATE)
        aim = aim_at(self._box, state.camera, wish.size)
        aim.apply(self._renderer)
        if not self._render(interrupted):
            return None
        picture = _pixels(self._window, wish.size)
        badges = drawing.status_badge(self._pyramid.volume)
        if state.show_labels:
            draw_labels(
                picture, state.camera, self._name(state), badges, level.resolution,
                pixel_ratio=wish.pixel_ratio,
            )  # fmt: skip
        else:
            height = label_height(wish.size, wish.pixel_ratio)
            drawing.draw_badges(picture, badges, height=height)
        return Drawn(picture, level.resolution, aim.mm_per_pixel(wish.size[0]))

    def _name(self, state: ViewState) -> str:
        shown = [rendering_presets()[state.rendering].label] if state.show_volume else []
        return ", ".join(shown + self._surfaces.names(state))

    def _render(self, interrupted: Callable[[], bool] | None) -> bool:
        """Render; return whether it came to its end."""
        if interrupted is None:
            self._window.Render()
            return True
        self._interrupted = interrupted
        self._interruptible = True
        try:
            self._window.Render()
        finally:
            with self._flag:
                self._interruptible = False
        return not self._window.GetAbortRender()

    def interrupt(self) -> None:
        """Stop a picture that may be interrupted; the one call for other threads."""
        with self._flag:
            if self._interruptible:
                self._window.SetAbortRender(1)

    def _check(self, *_: object) -> None:
        # VTK asks five times a second. A stop that comes in just before rendering begins
        # is forgotten by VTK, and found here.
        if self._interruptible and self._interrupted():
            self._window.SetAbortRender(1)

    def _cut_planes(self, crop: CropBox | None) -> list[Any]:
        if crop != self._cut[0]:
            self._cut = (crop, clip_planes(crop.low, crop.high) if crop else [])
        return self._cut[1]

    def close(self) -> None:
        """Take everything away and let go of the window."""
        self._planes.remove()
        self._surfaces.close()
        self._volumes.close()
        for light in self._lights:
            self._renderer.RemoveLight(light)
        self._window.RemoveObserver(self._observer)
        self._window.Finalize()
        self.plotter.close()


def _halves(state: ViewState) -> list[ViewState]:
    """Return the state, or the two that are shown side by side.

    What a person changed of the preset belongs to the first one: the second shows its
    preset as it is.
    """
    if state.rendering_beside is None or not state.show_volume:
        return [state]
    beside = replace(
        state, rendering=state.rendering_beside, rendering_beside=None, transfer=Transfer()
    )
    return [replace(state, rendering_beside=None), beside]


def _is_translucent(state: ViewState) -> bool:
    return any(surface.shown and surface.opacity < 1 for surface in state.surfaces)


def _plotter() -> Any:
    plotting = imported("vtkmodules.vtkRenderingVolumeOpenGL2", "pyvista", "pyvista.plotting")
    from vtkmodules.vtkCommonCore import vtkSMPTools

    vtkSMPTools.SetBackend("STDThread")
    plotter = plotting.Plotter(off_screen=True, lighting="none", window_size=(64, 64))
    plotter.renderer.SetBackground(*_BACKGROUND)
    plotter.renderer.SetMaximumNumberOfPeels(_PEELS)
    plotter.render_window.SetMultiSamples(0)
    plotter.render_window.SetAlphaBitPlanes(1)
    return plotter


def _light(renderer: Any) -> list[Any]:
    """Light the scene from the upper left of the camera, and softly from the lower right."""
    from vtkmodules.vtkRenderingCore import vtkLight

    renderer.SetAutomaticLightCreation(False)
    lights = []
    for position, intensity in _LIGHTS:
        light = vtkLight()
        light.SetLightTypeToCameraLight()
        light.SetPosition(*position)
        light.SetFocalPoint(0, 0, 0)
        light.SetIntensity(intensity)
        renderer.AddLight(light)
        lights.append(light)
    return lights


def _pixels(window: Any, size: tuple[int, int]) -> Picture:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

    pixels = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, size[1] - 1, size[0] - 1, 0, pixels, 0)
    picture = vtk_to_numpy(pixels).reshape(size[0], size[1], 3)
    return np.ascontiguousarray(picture[::-1])
