"""Whole pictures from panes: the four-pane picture, one pane alone, and PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from hounsview.errors import ArgumentError, RenderingUnavailableError, WriteError
from hounsview.findings import Severity
from hounsview.presets import rendering_presets
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import PLANES, ViewState
from hounsview.volume import Volume
from hounsview.windows import Window, window_presets
from hounsview.writing import atomic_file
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.lettering import text_width
from hounsview_vizapp.panes import slice_number, slice_pane, step, text_height
from hounsview_vizapp.rendering import volume_pane
from hounsview_vizapp.tissuework import tissues_for

_GAP: Final = 4
_SMALLEST_IN_MONTAGE: Final = 32
_SEAM: Final = (58, 64, 74)


def picture_of(
    volume: Volume,
    state: ViewState | None = None,
    size: tuple[int, int] = (1200, 1200),
    *,
    pixel_ratio: float = 1.0,
    tissues: TissueMap | None = None,
) -> Picture:
    """Return the picture of a volume in the state's layout.

    Parameters
    ----------
    volume : Volume
    state : ViewState, optional
    size : (rows, columns)
        Of the whole picture, px.
    pixel_ratio : float
        Pixels of the picture per point of the screen: text grows with it.
    tissues : TissueMap, optional
        Where the tissues are; looked for, where the state shows any, when left out.

    Returns
    -------
    (rows, columns, 3) uint8 RGB
        A 3D pane without OpenGL, or of values that are not HU, says so in words.
    """
    state = ViewState() if state is None else state
    half = (size[0] // 2, size[1] // 2)
    height = text_height(half, pixel_ratio) or text_height(size, pixel_ratio)
    header = 3 * height if state.show_labels else 0
    whole = drawing.blank(size, _SEAM)
    if header:
        _draw_header(whole[:header], volume, height)
    body = whole[header:]
    if tissues is None:
        tissues = tissues_for(volume, state)
    if state.layout != "four-up":
        body[:] = pane_of(volume, state, state.layout, body.shape[:2], pixel_ratio, tissues)
        return whole
    rows, columns = ((n - _GAP) // 2 for n in body.shape[:2])
    for place, pane in enumerate((*PLANES[:1], "3d", *PLANES[1:])):
        top = (place // 2) * (rows + _GAP)
        left = (place % 2) * (columns + _GAP)
        part = body[top : top + rows + (body.shape[0] - _GAP) % 2 * (place // 2)]
        part = part[:, left : left + columns + (body.shape[1] - _GAP) % 2 * (place % 2)]
        part[:] = pane_of(volume, state, pane, part.shape[:2], pixel_ratio, tissues)
    return whole


def montage_of(
    volume: Volume,
    state: ViewState,
    plane: str,
    grid: tuple[int, int],
    size: tuple[int, int] = (1200, 1200),
) -> Picture:
    """Return slices of one plane side by side, spread evenly over the volume.

    Parameters
    ----------
    volume : Volume
    state : ViewState
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    grid : (rows, columns)
        Of slices; where there are fewer slices the last places stay empty.
    size : (rows, columns)
        Of the whole picture, px.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    ArgumentError
        If there is no such plane, or the picture is too small for so many.
    """
    total = slice_number(volume, state, plane)[1]
    places = min(total, grid[0] * grid[1])
    sides = tuple((n - _GAP * (many - 1)) // many for n, many in zip(size, grid, strict=True))
    if min(sides) < _SMALLEST_IN_MONTAGE:
        msg = (
            f"{grid[0]} x {grid[1]} slices in {size[0]} x {size[1]} pixels leave {min(sides)} "
            f"for each; it needs {_SMALLEST_IN_MONTAGE}: fewer slices, or a larger size"
        )
        raise ArgumentError(msg)
    whole = drawing.blank(size, _SEAM)
    tissues = tissues_for(volume, replace(state, layout=plane))
    labels = None if tissues is None else tissues.labels
    first = step(volume, replace(state, show_crosshair=False), plane, -total)
    for place in range(places):
        # The middles of equal shares: neither end is shown before what lies between.
        shown = step(volume, first, plane, (2 * place + 1) * total // (2 * places))
        top, left = (
            at * (side + _GAP) for at, side in zip(divmod(place, grid[1]), sides, strict=True)
        )
        picture = slice_pane(volume, shown, plane, (sides[0], sides[1]), labels=labels)
        whole[top : top + sides[0], left : left + sides[1]] = picture
    return whole


def pane_of(
    volume: Volume,
    state: ViewState,
    pane: str,
    size: tuple[int, int],
    pixel_ratio: float = 1.0,
    tissues: TissueMap | None = None,
) -> Picture:
    """Return one pane: a plane by its name, or ``"3d"``.

    Raises
    ------
    ArgumentError
        If there is no such pane.
    """
    if pane != "3d":
        labels = None if tissues is None else tissues.labels
        return slice_pane(volume, state, pane, size, pixel_ratio=pixel_ratio, labels=labels)
    if volume.unit != "HU":
        return sentence(size, f"no 3D: the values are {volume.unit}, not HU", pixel_ratio)
    try:
        return volume_pane(volume, state, size, pixel_ratio=pixel_ratio, tissues=tissues)
    except RenderingUnavailableError as error:
        return sentence(size, str(error), pixel_ratio)


def composed(
    grid: Sequence[Sequence[str]], frames: Mapping[str, Picture], most_rows: int
) -> Picture | None:
    """Return frames as one picture, in rows of pane names; None where one is missing.

    Parameters
    ----------
    grid : sequence of rows of pane names
    frames : mapping of pane name -> (rows, columns, 3) uint8 RGB
    most_rows : int
        A higher picture is reduced.
    """
    if not all(pane in frames for row in grid for pane in row):
        return None
    high = [max(frames[pane].shape[0] for pane in row) for row in grid]
    wide = [max(frames[row[n]].shape[1] for row in grid) for n in range(len(grid[0]))]
    size = (sum(high) + _GAP * (len(high) - 1), sum(wide) + _GAP * (len(wide) - 1))
    whole = drawing.blank(size, _SEAM)
    for n, row in enumerate(grid):
        for m, pane in enumerate(row):
            frame = frames[pane]
            top, left = sum(high[:n]) + n * _GAP, sum(wide[:m]) + m * _GAP
            whole[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    if size[0] <= most_rows:
        return whole
    columns = max(1, round(size[1] * most_rows / size[0]))
    reduced = cv2.resize(whole, (columns, most_rows), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def preview_of(
    slice_volume: Volume, size: tuple[int, int], pixel_ratio: float = 1.0
) -> Picture:
    """Return the picture of a volume of one slice, marked as a preview of a larger one."""
    geometry = slice_volume.geometry
    state = ViewState(crosshair=tuple(geometry.centre), show_crosshair=False)
    across = int(np.argmax(np.abs(geometry.direction[:, 0])))
    plane = ("sagittal", "coronal", "axial")[across]
    picture = slice_pane(slice_volume, state, plane, size, pixel_ratio=pixel_ratio)
    height = text_height(size, pixel_ratio)
    if height:
        at = (size[0] // 2, size[1] - 2 * height)
        drawing.draw_badge(picture, "PREVIEW", at, height=height, color=drawing.BLUE)
    return picture


def sentence(size: tuple[int, int], text: str, pixel_ratio: float = 1.0) -> Picture:
    """Return a (rows, columns, 3) picture that says why there is none."""
    picture = drawing.blank(size)
    height = text_height(size, pixel_ratio)
    if height:
        drawing.draw_sentence(picture, text, height=height)
    return picture


def _draw_header(strip: Picture, volume: Volume, height: int) -> None:
    """Write what the picture shows over it; never whose it is."""
    strip[:] = drawing.NOT_MEASURED
    middle, margin = strip.shape[0] // 2, round(1.4 * height)
    k, j, i = volume.shape
    spacing = " x ".join(f"{mm:.4g}" for mm in volume.geometry.spacing)
    told = [f for f in volume.report.findings if f.severity != Severity.NOTE]
    status = str(volume.report.status) + (f", {len(told)} finding(s)" if told else "")
    color = drawing.AMBER if told else drawing.FAINT
    right = strip.shape[1] - margin
    drawing.draw_text(
        strip, status, (middle, right), height=height, color=color, anchor="right"
    )
    end = right - text_width(status, height) - 2 * height
    description = volume.attributes.get("SeriesDescription") or "CT"
    description = drawing.elided(description, end - margin, height)
    drawing.draw_text(strip, description, (middle, margin), height=height)
    size = f"{k} slices of {j} x {i}, {spacing} mm"
    left = margin + text_width(description, height) + 2 * height
    if left + text_width(size, height) < end:
        drawing.draw_text(strip, size, (middle, left), height=height, color=drawing.FAINT)


def with_window(state: ViewState, text: str) -> ViewState:
    """Return the state with a window given as a preset's name or as ``CENTER,WIDTH`` in HU.

    Raises
    ------
    ArgumentError
        If it is neither.
    """
    presets = window_presets()
    if text in presets:
        return replace(state, window=presets[text])
    parts = text.split(",")
    try:
        center, width = (float(part) for part in parts)
    except ValueError as error:
        msg = f"window {text!r} is neither CENTER,WIDTH nor one of: {', '.join(presets)}"
        raise ArgumentError(msg) from error
    return replace(state, window=Window(center, width))


def with_rendering(state: ViewState, name: str) -> ViewState:
    """Return the state with a volume-rendering preset, capitals or not.

    Raises
    ------
    ArgumentError
        If there is no such preset.
    """
    matching = [key for key in rendering_presets() if key.lower() == name.lower()]
    return replace(state, rendering=matching[0] if matching else name)


def save_png(picture: Picture, path: Path) -> None:
    """Write a picture as PNG: whole, or not at all.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    done, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        msg = f"{path} could not be encoded as PNG"
        raise WriteError(msg, files=[path])
    with atomic_file(path) as temporary:
        temporary.write_bytes(np.asarray(encoded).tobytes())
