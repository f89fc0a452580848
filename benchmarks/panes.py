"""Slice panes, 512 x 512 x 400 in 800 x 800 px, against VTK and pyvista in the same run.

Run: .venv/bin/python benchmarks/panes.py [FRAMES]

Every frame shows another slice, and a whole picture comes back as an array: ours with text
and crosshair, theirs bare. Minimum and median of the frames; ratios of the minima, which
neighbours on the machine disturb least.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np
import pyvista
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - the window's implementation
from series import outside_circle, thorax
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPlane
from vtkmodules.vtkRenderingCore import (
    vtkImageSlice,
    vtkImageSliceMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)
from vtkmodules.vtkRenderingImage import vtkImageResliceMapper

import hounsview as hv
from hounsview.frames import plane_frame
from hounsview.planes import NORMAL, plane_axes
from hounsview_vizapp.panes import slice_pane, step

SIZE = (800, 800)
SPACING = (0.75, 0.7, 0.7)
TURNED = (15.0, -20.0, 30.0)
SLAB = 10.0
Frames = Iterator[Callable[[], np.ndarray]]


def states(volume: hv.Volume, state: hv.ViewState, plane: str) -> Iterator[hv.ViewState]:
    """Slice after slice, from a quarter of the way on."""
    seen = step(volume, step(volume, state, plane, -10_000), plane, 100)
    while True:
        yield seen
        seen = step(volume, seen, plane, 1)


def ours(volume: hv.Volume, state: hv.ViewState, plane: str) -> Frames:
    for seen in states(volume, state, plane):
        yield lambda seen=seen: slice_pane(volume, seen, plane, SIZE)


def image_of(volume: hv.Volume) -> vtkImageData:
    image = vtkImageData()
    image.SetDimensions(*volume.shape[::-1])
    image.SetSpacing(*SPACING[::-1])
    image.SetOrigin(*volume.geometry.origin)
    image.GetPointData().SetScalars(numpy_to_vtk(volume.hu.reshape(-1), deep=False))
    return image


def vtk_slices(volume: hv.Volume, state: hv.ViewState, plane: str) -> Frames:
    """An image slice in an off-screen window, read back."""
    image_slice, cut = vtkImageSlice(), vtkPlane()
    along_array = not (any(state.oblique) or state.slab.thickness)
    mapper = vtkImageSliceMapper() if along_array else vtkImageResliceMapper()
    mapper.SetInputData(image_of(volume))
    if along_array:
        mapper.SetOrientation(NORMAL[plane])
    else:
        mapper.SetSlicePlane(cut)
        mapper.SetSlabTypeToMax()
        mapper.SetSlabThickness(state.slab.thickness)
    image_slice.SetMapper(mapper)
    image_slice.GetProperty().SetColorLevel(state.window.center)
    image_slice.GetProperty().SetColorWindow(state.window.width)
    renderer, window = vtkRenderer(), vtkRenderWindow()
    renderer.AddViewProp(image_slice)
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    right, down = plane_axes(plane, state.oblique)
    normal, camera = np.cross(right, down), renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetViewUp(*-down)
    for seen in states(volume, state, plane):
        point = np.asarray(seen.crosshair)
        frame = plane_frame(volume.geometry, seen, plane, SIZE)
        camera.SetParallelScale(frame.mm_per_pixel * SIZE[0] / 2)

        index = round(volume.geometry.to_index(point)[2 - NORMAL[plane]])

        def draw(point: np.ndarray = point, index: int = index) -> np.ndarray:
            if along_array:
                mapper.SetSliceNumber(index)
            cut.SetOrigin(*point)
            cut.SetNormal(*normal)
            camera.SetFocalPoint(*point)
            camera.SetPosition(*(point - 500 * normal))
            renderer.ResetCameraClippingRange()
            window.Render()
            grab = vtkWindowToImageFilter()
            grab.SetInput(window)
            grab.ReadFrontBufferOff()
            grab.Update()
            return vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars())

        yield draw


def pyvista_slices(volume: hv.Volume, state: hv.ViewState, plane: str) -> Frames:
    """`slice` of a grid, as `slice_orthogonal` does it, in a plotter, and a screenshot."""
    grid = pyvista.wrap(image_of(volume))
    plotter = pyvista.Plotter(off_screen=True, window_size=SIZE)
    right, down = plane_axes(plane, state.oblique)
    normal = np.cross(right, down)
    low = state.window.center - state.window.width / 2
    for seen in states(volume, state, plane):
        point = np.asarray(seen.crosshair)
        half_height = plane_frame(volume.geometry, seen, plane, SIZE).mm_per_pixel * SIZE[0] / 2

        def draw(point: np.ndarray = point, half_height: float = half_height) -> np.ndarray:
            cut = grid.slice(normal=tuple(normal), origin=tuple(point))
            plotter.add_mesh(
                cut, name="slice", cmap="gray", clim=(low, low + state.window.width),
                lighting=False, show_scalar_bar=False,
            )  # fmt: skip
            plotter.enable_parallel_projection()
            plotter.camera_position = (point - 500 * normal, point, -down)
            plotter.camera.parallel_scale = half_height
            return plotter.screenshot(return_img=True)

        yield draw


def milliseconds(frames: Frames, count: int) -> tuple[float, float]:
    """Minimum and median of the frames after the first two, which set things up."""
    times = []
    for draw in islice(frames, count + 2):
        start = time.perf_counter()
        draw()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times[2:]), statistics.median(times[2:])


def main(count: int) -> None:
    hu = thorax(400)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=SPACING)
    volume = hv.Volume(hu, geometry)
    outside = np.broadcast_to(outside_circle(), hu.shape).astype(np.uint8)
    padded = hv.Volume(hu.copy(), geometry, outside)
    plain = hv.ViewState()
    print("| what | plane | hounsview ms, min (median) | with padding | VTK | pyvista |"
          " VTK's over ours | pyvista's over ours |\n" + "| --- " * 8 + "|")  # fmt: skip
    views = {
        "slice": plain,
        "turned": replace(plain, oblique=TURNED),
        "MIP 10 mm": plain.changed(slab=SLAB),
        "MIP 10 mm, turned": replace(plain, oblique=TURNED).changed(slab=SLAB),
    }
    for name, state in views.items():
        for plane in ("axial", "coronal", "sagittal"):
            times = [
                milliseconds(ours(volume, state, plane), count),
                milliseconds(ours(padded, state, plane), count),
                milliseconds(vtk_slices(volume, state, plane), count),
            ]
            if not state.slab.thickness:  # pyvista's slice has no thickness
                few = max(3, count // 6)
                times.append(milliseconds(pyvista_slices(volume, state, plane), few))
            shown = [f"{least:.1f} ({median:.1f})" for least, median in times]
            ratios = [f"{least / times[0][0]:.1f}" for least, _ in times[2:]]
            if state.slab.thickness:
                shown, ratios = [*shown, ""], [*ratios, ""]
            print("|", " | ".join([name, plane, *shown, *ratios]), "|", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
