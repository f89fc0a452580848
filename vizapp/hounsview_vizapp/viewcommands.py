"""The commands that show: `hounsview view` in a window, `hounsview render` into a file."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import hounsview as hv
from hounsview.sessions import SUFFIX
from hounsview.viewstate import LAYOUTS, PLANES, SLAB_KINDS, Slab
from hounsview_vizapp import opening
from hounsview_vizapp.tissuework import tissues_for

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")

_MOVIES = (".mp4", ".gif")
_TURNS = 72
_X_LIBRARIES: Final = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt's plugin for X loads, with Debian's packages; without one Qt aborts."""

_RENDER_EPILOG = """\
examples:
  hounsview render scans/ -o chest.png --window lung --preset bone
  hounsview render scans/ -o slab.png --pane coronal --slab 10,mip --at -20,5,-130
  hounsview render scans/ -o all.png --pane axial --montage 4x6
  hounsview render scans/ -o turn.mp4 --turntable --preset skin --size 600x600
  hounsview render scans/ -o slices.gif --pane axial --size 512x512
  hounsview render --session view.hounsview.json -o view.png
"""


def add_view(commands: Commands) -> None:
    """Add `view`."""
    view = commands.add_parser(
        "view",
        help="look at a CT in a window",
        description="Open the viewer on a CT; without a path on the built-in thorax phantom.",
    )
    view.add_argument(
        "path", nargs="?", help=f"folder, file, zip, image file or session (*{SUFFIX})"
    )
    view.add_argument("--series", help="number, key or SeriesInstanceUID (see info)")
    view.add_argument(
        "--unit", help="what the values of an image file are, if it does not say: HU"
    )
    colors = view.add_mutually_exclusive_group()
    colors.add_argument("--light", action="store_true", help="light colours")
    colors.add_argument("--dark", action="store_true", help="dark colours")
    view.set_defaults(command=_view)


def add_render(commands: Commands) -> None:
    """Add `render`."""
    render = commands.add_parser(
        "render",
        help="draw a picture or movie, without a display",
        epilog=_RENDER_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    opening.add_path(render)
    render.add_argument(
        "-o", "--output", type=Path, required=True, help="PNG; MP4 or GIF for a movie"
    )
    opening.add_options(render)
    render.add_argument("--session", type=Path, help="the view of a session file")
    render.add_argument("--pane", choices=LAYOUTS, help="default: four-up")
    render.add_argument("--window", help="preset such as lung, or CENTER,WIDTH in HU")
    render.add_argument("--preset", help="volume rendering, such as bone or lung")
    render.add_argument(
        "--slab", type=_slab, metavar="MM[,KIND]", help="KIND is mip (default), minip or mean"
    )
    render.add_argument(
        "--at", type=_point, metavar="X,Y,Z", help="crosshair, patient LPS mm (left, back, up)"
    )
    render.add_argument("--size", type=_size, default=(1200, 1200), metavar="WxH")
    render.add_argument(
        "--turntable", type=_turns, nargs="?", const=_TURNS, metavar="FRAMES",
        help=f"a movie once around the body (default {_TURNS} frames)",
    )  # fmt: skip
    render.add_argument(
        "--montage", type=_grid, metavar="ROWSxCOLS", help="slices of one plane side by side"
    )
    render.set_defaults(command=_render)


def _view(options: argparse.Namespace) -> int:
    check_display()
    try:
        from hounsview_vizapp.desktop.application import run
    except ImportError as error:
        msg = (
            f"the window needs PySide6, which is not usable here ({error}). Install "
            "hounsview[desktop]; `hounsview render` draws pictures without it"
        )
        raise hv.HounsviewError(msg) from error
    mode: Literal["light", "dark"] | None = "light" if options.light else None
    return run(
        options.path,
        series=options.series,
        unit=options.unit,
        phantom=options.path is None,
        mode="dark" if options.dark else mode,
    )


def check_display() -> None:
    """Refuse in words where Qt would end the process.

    Raises
    ------
    HounsviewError
        If there is no display, or a library that Qt needs on X is missing.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        msg = (
            "there is no display to open a window on (DISPLAY is not set). "
            "`hounsview render` draws pictures and movies without one"
        )
        raise hv.HounsviewError(msg)
    missing = [package for name, package in _X_LIBRARIES.items() if not _is_there(name)]
    if missing and not os.environ.get("WAYLAND_DISPLAY"):
        msg = (
            f"a window on X needs system libraries that are missing here; on Debian or Ubuntu "
            f"install {' '.join(missing)}"
        )
        raise hv.HounsviewError(msg)


def _is_there(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _render(options: argparse.Namespace) -> int:
    from hounsview_vizapp import pictures

    suffix = _checked_suffix(options)
    session = None if options.session is None else hv.read_session(options.session)
    state = _state(options, hv.ViewState() if session is None else session.state)
    is_movie = suffix in _MOVIES
    _check_pane(options, state, is_movie)
    with opening.progress_bar() as progress:
        if session is not None:
            policy: Literal["repair", "strict"] = "strict" if options.strict else "repair"
            volume, _ = hv.load_session(session, options.path, policy=policy, progress=progress)
        else:
            volume = opening.load(options, progress)
    if is_movie:
        _write_movie(options, volume, state)
    elif options.montage:
        plane = state.layout if state.layout in PLANES else "axial"
        picture = pictures.montage_of(volume, state, plane, options.montage, options.size)
        pictures.save_png(picture, options.output)
    else:
        pictures.save_png(pictures.picture_of(volume, state, options.size), options.output)
    print(f"{options.output}: {volume!r}")
    opening.say_findings(volume)
    return 0


def _state(options: argparse.Namespace, state: hv.ViewState) -> hv.ViewState:
    """Return the state with what the options say."""
    from hounsview_vizapp import pictures

    changes: dict[str, Any] = {
        "layout": options.pane, "slab": options.slab, "crosshair": options.at,
    }  # fmt: skip
    state = state.changed(**{name: v for name, v in changes.items() if v is not None})
    if options.window:
        state = pictures.with_window(state, options.window)
    if options.preset:
        state = pictures.with_rendering(state, options.preset)
    return state


def _write_movie(options: argparse.Namespace, volume: hv.Volume, state: hv.ViewState) -> None:
    from hounsview_vizapp import movies

    with opening.progress_bar() as progress:
        if options.turntable is None:
            count = movies.slice_count(volume, state, state.layout)
            frames = movies.slice_run(volume, state, state.layout, options.size)
            movies.write_movie(options.output, frames, count, progress=progress)
            return
        from hounsview_vizapp.rendering import Scene

        tissues = tissues_for(volume, replace(state, layout="3d"))
        with Scene(volume, tissues=tissues) as scene:
            frames = movies.turntable(scene, state, options.size, options.turntable)
            movies.write_movie(options.output, frames, options.turntable, progress=progress)


def _checked_suffix(options: argparse.Namespace) -> str:
    """Return the ending of the output; refuse before any work what cannot be written."""
    path: Path = options.output
    suffix = path.suffix.lower()
    if suffix not in (".png", *_MOVIES):
        msg = (
            f"{path}: pictures are written as PNG, movies as MP4 or GIF; name a file that ends "
            "in .png, .mp4 or .gif"
        )
        raise hv.ArgumentError(msg)
    if options.turntable is not None and suffix not in _MOVIES:
        msg = f"{path}: a turntable is a movie; name a file that ends in .mp4 or .gif"
        raise hv.ArgumentError(msg)
    if options.montage and suffix in _MOVIES:
        msg = f"{path}: a montage is a picture; name a file that ends in .png"
        raise hv.ArgumentError(msg)
    named = (options.series, options.raw, options.unit, options.orientation)
    if options.session is not None and any(value is not None for value in named):
        msg = "--session says which series: no --series, --raw, --unit or --orientation with it"
        raise hv.ArgumentError(msg)
    if not path.parent.is_dir():
        msg = f"{path.parent}: no such folder to write {path.name} into"
        raise hv.WriteError(msg, files=[path])
    return suffix


def _check_pane(options: argparse.Namespace, state: hv.ViewState, is_movie: bool) -> None:
    """Refuse a pane that does not go with what is to be drawn."""
    if options.turntable is not None:
        if options.pane not in (None, "3d"):
            msg = f"a turntable shows the 3D picture, not --pane {options.pane}"
            raise hv.ArgumentError(msg)
    elif is_movie and state.layout not in PLANES:
        msg = f"{options.output}: say which movie: --turntable, or --pane {', '.join(PLANES)}"
        raise hv.ArgumentError(msg)
    if options.montage and options.pane not in (None, *PLANES):
        msg = f"a montage shows slices of one plane, not --pane {options.pane}"
        raise hv.ArgumentError(msg)


def _parsed(text: str, parse: Callable[[str], T], expected: str) -> T:
    try:
        return parse(text)
    except (ValueError, hv.HounsviewError) as error:
        msg = f"{text!r} is not {expected}"
        raise argparse.ArgumentTypeError(msg) from error


def _point(text: str) -> tuple[float, ...]:
    def parse(text: str) -> tuple[float, ...]:
        x, y, z = (float(part) for part in text.split(","))
        return hv.ViewState(crosshair=(x, y, z)).crosshair or ()

    return _parsed(text, parse, "a patient point X,Y,Z in mm such as -20,5,-130")


def _slab(text: str) -> Slab:
    def parse(text: str) -> Slab:
        thickness, _, kind = text.partition(",")
        return Slab(float(thickness), kind or SLAB_KINDS[0])

    return _parsed(text, parse, f"MM or MM,KIND such as 10,mip; kinds: {', '.join(SLAB_KINDS)}")


def _turns(text: str) -> int:
    def parse(text: str) -> int:
        if not 2 <= int(text) <= 3600:
            raise ValueError
        return int(text)

    return _parsed(text, parse, "a number of frames from 2 to 3600")


def _pair(text: str) -> tuple[int, int]:
    first, second = text.lower().split("x")
    if not (first.isdecimal() and second.isdecimal()):
        raise ValueError
    return int(first), int(second)


def _grid(text: str) -> tuple[int, int]:
    """Return (rows, columns) of ROWSxCOLS."""
    grid = _parsed(text, _pair, "ROWSxCOLS such as 4x6")
    if not all(1 <= side <= 32 for side in grid):
        msg = f"{text!r}: rows and columns must be from 1 to 32"
        raise argparse.ArgumentTypeError(msg)
    return grid


def _size(text: str) -> tuple[int, int]:
    """Return (rows, columns) of WIDTHxHEIGHT."""
    width, height = _parsed(text, _pair, "WIDTHxHEIGHT such as 1200x1200")
    if not all(64 <= side <= 8192 for side in (width, height)):
        msg = f"{text!r}: each side must be from 64 to 8192 pixels"
        raise argparse.ArgumentTypeError(msg)
    return height, width
