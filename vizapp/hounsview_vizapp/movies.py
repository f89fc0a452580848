"""Movies of a volume: a turntable in 3D, or a run through the slices; MP4 and GIF."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from hounsview.errors import ArgumentError, CancelledError, WriteError
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview.writing import atomic_file
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.panes import slice_number, slice_pane, step
from hounsview_vizapp.tissuework import tissues_for

if TYPE_CHECKING:
    from hounsview_vizapp.rendering import Scene

Progress = Callable[[int, int, str], object]

FORMATS: Final = (".mp4", ".gif")
_MOST_COLORS: Final = 255
_SHORTEST_GIF_MS: Final = 20


def write_movie(
    path: Path,
    frames: Iterable[Picture],
    count: int,
    *,
    fps: float = 20.0,
    progress: Progress | None = None,
) -> None:
    """Write frames as a movie: whole, or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.mp4`` (H.264, plays in browsers and slides) or ``.gif``.
    frames : iterable of (rows, columns, 3) uint8 RGB
        All of one size; taken one by one.
    count : int
        How many there are.
    fps : float
        Frames a second; at most 50 for GIF.
    progress : callable, optional
        ``progress(done, count, what)``; returning False cancels.

    Raises
    ------
    ArgumentError
        If the ending is another, or there are no frames.
    CancelledError
        If `progress` returned False; nothing is written.
    WriteError
        If it cannot be written.
    """
    check_movie(path)
    if count < 1:
        msg = f"{path}: a movie needs at least one frame"
        raise ArgumentError(msg)
    told = _told(frames, count, path, progress)
    with atomic_file(path) as temporary:
        write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
        write(temporary, told, fps)


def check_movie(path: Path) -> None:
    """Refuse a name that is no movie's.

    Raises
    ------
    ArgumentError
    """
    if path.suffix.lower() not in FORMATS:
        msg = f"{path}: movies are written as {' or '.join(FORMATS)}"
        raise ArgumentError(msg)


def turntable(
    scene: Scene, state: ViewState, size: tuple[int, int], count: int = 72
) -> Iterator[Picture]:
    """Yield the 3D picture from all around, the first as the camera stands now."""
    for turn in range(count):
        azimuth = state.camera.azimuth + 360 * turn / count
        seen = replace(state, camera=replace(state.camera, azimuth=azimuth))
        yield scene.picture(seen, size)


def slice_count(volume: Volume, state: ViewState, plane: str) -> int:
    """Return how many slices there are across a plane."""
    return slice_number(volume, state, plane)[1]


def slice_run(
    volume: Volume,
    state: ViewState,
    plane: str,
    size: tuple[int, int],
    *,
    tissues: TissueMap | None = None,
) -> Iterator[Picture]:
    """Yield the picture of each slice across a plane, from the first to the last.

    Tissues that the state shows are looked for where `tissues` is left out.

    Raises
    ------
    ArgumentError
        If there is no such plane.
    """
    total = slice_count(volume, state, plane)
    if tissues is None:
        tissues = tissues_for(volume, replace(state, layout=plane))
    labels = None if tissues is None else tissues.labels
    seen = step(volume, state, plane, -total)
    for number in range(total):
        if number:
            seen = step(volume, seen, plane, 1)
        yield slice_pane(volume, seen, plane, size, labels=labels)


def _told(
    frames: Iterable[Picture], count: int, path: Path, progress: Progress | None
) -> Iterator[Picture]:
    for done, frame in enumerate(frames):
        if progress is not None and progress(done, count, f"writing {path.name}") is False:
            msg = f"{path}: cancelled, nothing was written"
            raise CancelledError(msg)
        yield frame


def _write_mp4(path: Path, frames: Iterator[Picture], fps: float) -> None:
    from imageio_ffmpeg import write_frames

    first = _even(next(frames))
    rows, columns = first.shape[:2]
    writer = write_frames(
        str(path), (columns, rows), fps=fps, codec="libx264", quality=None, macro_block_size=2,
        output_params=["-crf", "16", "-f", "mp4", "-movflags", "+faststart"],
    )  # fmt: skip
    try:
        writer.send(None)
        writer.send(first)
        for frame in frames:
            writer.send(_even(frame))
    except OSError as error:
        msg = f"{path.name}: the movie could not be encoded: {error}"
        raise WriteError(msg, files=[path]) from error
    finally:
        writer.close()


def _even(frame: Picture) -> Picture:
    """Return a frame with even sides, which H.264 needs: the last row or column repeated."""
    rows, columns = (n % 2 for n in frame.shape[:2])
    if not rows and not columns:
        return np.ascontiguousarray(frame)
    return np.pad(frame, ((0, rows), (0, columns), (0, 0)), mode="edge")


def _write_gif(path: Path, frames: Iterator[Picture], fps: float) -> None:
    from PIL import Image

    first, *rest = (
        Image.fromarray(frame).quantize(_MOST_COLORS, dither=Image.Dither.NONE)
        for frame in frames
    )
    # Below 20 ms browsers show a frame for 100.
    lasting = max(_SHORTEST_GIF_MS, round(1000 / fps))
    first.save(path, "GIF", save_all=True, append_images=rest, duration=lasting, loop=0)


@dataclass(frozen=True)
class MovieWish:
    """What a person wants of a movie.

    Parameters
    ----------
    pane : str
        ``"3d"`` for a turntable, a plane for a run through its slices.
    rows : int
        Height and width of the movie, px.
    fps : float
    turns : int
        Frames of a turntable.
    """

    pane: str
    rows: int
    fps: float
    turns: int


def write_movie_of(
    volume: Volume,
    state: ViewState,
    wish: MovieWish,
    path: Path,
    *,
    progress: Progress | None = None,
    tissues: TissueMap | None = None,
) -> None:
    """Draw and write the movie of a pane: the slices of a plane, or a turntable of ``"3d"``.

    Parameters
    ----------
    volume : Volume
    state : ViewState
    wish : MovieWish
    path : Path
        As for `write_movie`.
    progress : callable, optional
    tissues : TissueMap, optional
        Looked for, where the state shows any, when left out.

    Raises
    ------
    ArgumentError
        If the ending is none of a movie's, or there is no such pane.
    CancelledError
        If `progress` returned False; nothing is written.
    WriteError
        If it cannot be written.
    """
    check_movie(path)
    size = (wish.rows, wish.rows)
    if wish.pane != "3d":
        count = slice_count(volume, state, wish.pane)
        frames = slice_run(volume, state, wish.pane, size, tissues=tissues)
        write_movie(path, frames, count, fps=wish.fps, progress=progress)
        return
    from hounsview_vizapp.rendering import Scene

    with Scene(volume, tissues=tissues) as scene:
        frames = turntable(scene, state, size, wish.turns)
        write_movie(path, frames, wish.turns, fps=wish.fps, progress=progress)
