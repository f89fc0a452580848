"""The viewer in a cell: canvas, controls, and a still picture for later."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from traitlets import Float, Instance, List, Tuple, dlink

from hounsview.errors import ArgumentError, PathNotFoundError
from hounsview.presets import rendering_presets
from hounsview.viewstate import LAYOUTS, PLANES, ViewState
from hounsview.viewstate.checks import one_of
from hounsview.volume import Volume
from hounsview_vizapp.dirty import PANES
from hounsview_vizapp.movies import MovieWish, check_movie, write_movie_of
from hounsview_vizapp.notebook import cells
from hounsview_vizapp.notebook.pages import CONTROLS, pages_of
from hounsview_vizapp.notebook.screen import Screen
from hounsview_vizapp.notebook.still import Still
from hounsview_vizapp.panes.pointer import Reading
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.state import ViewerState

if TYPE_CHECKING:
    from PIL.Image import Image

AnyState = ViewState | ViewerState | None
AnyPath = str | PathLike[str]

_TITLES: Final = {"3d": "3D"}


class Shown(widgets.VBox):
    """A screen with what stands beside it; displayed with a still picture for later.

    What a person asks of the screen can be asked of this as well.
    """

    viewer = Instance(Viewer, allow_none=True)
    """What is shown; None while it is loaded, and when it could not be."""
    pointer = Instance(Reading, allow_none=True)
    """What is under the pointer: its `value` in `unit`, `point` (x, y, z) LPS mm, `index`."""
    pointer_hu = Float(allow_none=True, default_value=None)
    """The HU under the pointer; None over padding, and where it is over no plane."""
    numbers: Any = List()
    """The measurements, a dict of texts for each."""
    findings = Tuple()
    """`hounsview.Finding` of what is shown."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.shown_in: dict[str, set[int]] = {}
        """Which cells display it, and in which of their runs."""
        self._still = Still(screen)
        super().__init__([screen])
        for name in ("viewer", "pointer", "numbers", "findings"):
            dlink((screen, name), (self, name))
        dlink((screen, "pointer"), (self, "pointer_hu"), _hu_of)

    @property
    def state(self) -> ViewerState:
        """The view: change it, observe it, link it."""
        return self.screen.state

    @property
    def volume(self) -> Volume:
        """The volume that is shown; waits until it is loaded, and raises why it is not."""
        return self.screen.volume

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what is loaded or looked for is there; see `Screen.wait`."""
        self.screen.wait(seconds)

    def snapshot(self, size: tuple[int, int] = (800, 800)) -> Image:
        """Return the view as a picture of (rows, columns); see `Screen.snapshot`."""
        return self.screen.snapshot(size)

    def display(self) -> None:
        """Display it in the cell that runs, with a still picture for later.

        A view that this cell displayed when it ran before is closed.
        """
        from IPython import get_ipython
        from IPython.display import display

        cells.displayed(self)
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data = {**data, "text/plain": "hounsview view", "text/html": ""}
        display(data, metadata=metadata, raw=True)
        if get_ipython() is not None:
            self._still.display()

    def close(self) -> None:
        """Take it away, and let go of the volume."""
        screen = getattr(self, "screen", None)
        if screen is not None:  # None: it was refused before it was made.
            screen.close()
            close_parts(self)
        super().close()

    def _ipython_display_(self) -> None:
        if not cells.is_again(self):
            self.display()


class View(Shown):
    """Four linked panes with controls.

    Parameters
    ----------
    volume : Volume or path-like
        A folder, file, zip, DICOMDIR, image or session file is loaded in a thread, while
        other cells can run; see `wait`.
    layout : str, optional
        ``"four-up"``, or the one pane to begin with: ``"axial"``, ``"coronal"``,
        ``"sagittal"``, ``"3d"``.
    state : ViewState or ViewerState, optional
        Where to begin; a `ViewerState` may be shared by several views. With it a session
        file gives its scan alone.
    series, unit : optional
        As for `hounsview.load`; not for session files.
    height : str or int
        Of the panes, as CSS has it; a number is of pixels.
    controls : bool, str or sequence of str
        Which pages of `CONTROLS`; False for none.

    Raises
    ------
    PathNotFoundError
        If the path does not exist.
    ArgumentError
        If any other argument is off.

    Attributes
    ----------
    state : ViewerState
        ``view.state.window = "lung"``; can be observed and linked.
    """

    def __init__(
        self,
        volume: Volume | AnyPath,
        layout: str | None = None,
        *,
        state: AnyState = None,
        series: str | int | None = None,
        unit: str | None = None,
        height: str | int = "600px",
        controls: bool | str | Sequence[str] = True,
    ) -> None:
        names = _page_names(controls)
        begin = {} if layout is None else {"layout": one_of(layout, LAYOUTS, "layout")}
        screen = _screen(volume, state, height, begin=begin, series=series, unit=unit)
        super().__init__(screen)
        screen.layout.flex = "1 1 420px"
        if names:
            beside = widgets.Tab(
                pages_of(screen, names),
                titles=[_TITLES.get(name, name.capitalize()) for name in names],
                layout={"flex": "0 1 350px", "max_height": screen.height, "overflow": "auto"},
            )
            beside.add_class("hv-controls")
            row = widgets.HBox([screen, beside], layout={"flex_flow": "row wrap"})
            self.children = (row,)

    def movie(
        self, path: AnyPath, pane: str = "3d", *, rows: int = 480, turns: int = 72
    ) -> Path:
        """Write a movie and return its path: a turntable of ``"3d"``, or slices of a plane.

        Waits; a kernel interrupt, or Cancel in the view, ends it, and nothing is written.

        Parameters
        ----------
        path : path-like
            Ends in ``.mp4`` or ``.gif``.
        pane : str
        rows : int
            Height and width, px.
        turns : int
            Frames of a turntable.

        Raises
        ------
        ArgumentError
            If the ending is another, or there is no such pane.
        CancelledError
            If Cancel was pressed.
        WriteError
            If it cannot be written.
        """
        target = Path(path)
        check_movie(target)
        wish = MovieWish(one_of(pane, PANES, "pane"), rows, 20.0, turns)
        volume, state = self.volume, self.state.value
        tissues = None if self.viewer is None else self.viewer.tissue_map
        work = self.screen.work
        try:
            tell = work.here(f"Drawing {target.name}")
            write_movie_of(volume, state, wish, target, progress=tell, tissues=tissues)
        finally:
            work.done_here()
        return target


class SlicePane(Shown):
    """One plane alone.

    Parameters
    ----------
    volume : Volume or path-like
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    state : ViewState or ViewerState, optional
        A `ViewerState` may be shared by several panes, which then move together.
    series, unit : optional
        As for `hounsview.load`; not for session files.
    height : str or int
        As CSS has it; a number is of pixels.

    Raises
    ------
    PathNotFoundError
        If the path does not exist.
    ArgumentError
        If any other argument is off.
    """

    def __init__(
        self,
        volume: Volume | AnyPath,
        plane: str = "axial",
        *,
        state: AnyState = None,
        series: str | int | None = None,
        unit: str | None = None,
        height: str | int = "420px",
    ) -> None:
        pane = one_of(plane, PLANES, "plane")
        super().__init__(_screen(volume, state, height, pane=pane, series=series, unit=unit))


class VolumePane(Shown):
    """The 3D picture alone.

    Parameters
    ----------
    volume : Volume or path-like
    preset : str, optional
        See `hounsview.rendering_presets`.
    state : ViewState or ViewerState, optional
    series, unit : optional
        As for `hounsview.load`; not for session files.
    height : str or int
        As CSS has it; a number is of pixels.

    Raises
    ------
    PathNotFoundError
        If the path does not exist.
    ArgumentError
        If any other argument is off.
    """

    def __init__(
        self,
        volume: Volume | AnyPath,
        preset: str | None = None,
        *,
        state: AnyState = None,
        series: str | int | None = None,
        unit: str | None = None,
        height: str | int = "420px",
    ) -> None:
        begin = {}
        if preset is not None:
            begin["rendering"] = one_of(preset, rendering_presets(), "rendering preset")
        super().__init__(
            _screen(volume, state, height, pane="3d", begin=begin, series=series, unit=unit)
        )


def show(volume: Volume | AnyPath, layout: str | None = None, **options: Any) -> View:
    """Display a view in the cell that runs, and return it; see `View` for the options.

    Running the cell again closes the view that it showed before.
    """
    view = View(volume, layout, **options)
    view.display()
    cells.expect_again(view)
    return view


def close_parts(widget: Any) -> None:
    """Close what a widget is made of: ipywidgets keeps each that was not closed."""
    for part in getattr(widget, "children", ()):
        close_parts(part)
        part.close()
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()


def _screen(volume: Any, state: Any, height: Any, **options: Any) -> Screen:
    """Return a screen; every argument is looked at before anything is made or loaded."""
    if not isinstance(state, (ViewState, ViewerState, type(None))):
        msg = f"state must be a ViewState or a ViewerState, not {state!r:.60}"
        raise ArgumentError(msg)
    if isinstance(height, bool) or not isinstance(height, (str, int)):
        msg = f"height must be as CSS has it, such as '600px', or whole pixels, not {height!r}"
        raise ArgumentError(msg)
    shown = f"{height}px" if isinstance(height, int) else height
    return Screen(_checked(volume), state=state, height=shown, **options)


def _page_names(controls: bool | str | Sequence[str]) -> tuple[str, ...]:
    if controls is True:
        return CONTROLS
    names = (controls,) if isinstance(controls, str) else tuple(controls or ())
    for name in names:
        one_of(name, CONTROLS, "page of controls")
    return names


def _checked(volume: Any) -> Volume | Path:
    """Return a volume, or a path that exists."""
    if isinstance(volume, Volume):
        return volume
    if not isinstance(volume, (str, PathLike)):
        msg = f"a view takes a Volume or a path, not {type(volume).__name__}"
        raise ArgumentError(msg)
    path = Path(volume).expanduser()
    if not path.exists():
        msg = f"{path} does not exist (looked for it from {Path.cwd()})"
        raise PathNotFoundError(msg, files=[path])
    return path


def _hu_of(reading: Reading | None) -> float | None:
    return None if reading is None or reading.unit != "HU" else reading.value
