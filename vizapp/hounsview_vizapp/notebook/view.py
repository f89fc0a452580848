"""The viewer in a cell: canvas, controls, and a still picture for later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from traitlets import Float, Instance, List, Tuple, dlink

from hounsview.errors import ArgumentError, PathNotFoundError
from hounsview.viewstate import PLANES, ViewState
from hounsview.viewstate.checks import one_of
from hounsview.volume import Volume
from hounsview_vizapp.movies import MovieWish, check_movie, write_movie_of
from hounsview_vizapp.notebook.controls.findings import FindingsControls, guide_html
from hounsview_vizapp.notebook.controls.measurements import MeasureControls
from hounsview_vizapp.notebook.controls.rendering import CropControls, RenderingControls
from hounsview_vizapp.notebook.controls.slices import (
    CineControls,
    SlabControls,
    SliceSlider,
    WindowControls,
)
from hounsview_vizapp.notebook.controls.tissues import SurfaceControls, TissueControls
from hounsview_vizapp.notebook.histogram import Histogram
from hounsview_vizapp.notebook.screen import Screen
from hounsview_vizapp.notebook.still import Still
from hounsview_vizapp.panes.pointer import Reading
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.state import ViewerState

if TYPE_CHECKING:
    from PIL.Image import Image

CONTROLS: Final = ("slices", "3d", "tissues", "measure", "series", "help")
_TITLES: Final = {"3d": "3D"}
"""Names of the pages of controls."""


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

    def __init__(self, screen: Screen, beside: Sequence[Any] = ()) -> None:
        self.screen = screen
        self._displayed_by: object = None
        super().__init__([screen, *beside])
        for name in ("viewer", "pointer", "numbers", "findings"):
            dlink((screen, name), (self, name))
        dlink((screen, "pointer"), (self, "pointer_hu"), _hu_of)

    @property
    def state(self) -> ViewerState:
        """The view: change it, observe it, link it."""
        return self.screen.state

    @property
    def volume(self) -> Volume:
        """The volume that is shown; waits until it is loaded."""
        return self.screen.volume

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what is loaded or looked for is there; raises why it is not."""
        self.screen.wait(seconds)

    def snapshot(self, size: tuple[int, int] = (800, 800)) -> Image:
        """Return the view as a picture of (rows, columns); see `Screen.snapshot`."""
        return self.screen.snapshot(size)

    def close(self) -> None:
        """Take it away, and let go of the volume."""
        screen = getattr(self, "screen", None)
        if screen is not None:  # None: it was refused before it was made.
            screen.close()
            close_parts(self)
        super().close()

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        shell = get_ipython()
        cell = None if shell is None else (id(shell), shell.execution_count)
        if cell is not None and cell == self._displayed_by:
            # `show` did it already: the same view is this cell's last expression too.
            return
        self._displayed_by = cell
        data, metadata = _bundle(self)
        display(data, metadata=metadata, raw=True)
        if self.screen.comm is not None and shell is not None:
            Still(self.screen).display()


class View(Shown):
    """Four linked panes with controls.

    Parameters
    ----------
    volume : Volume or path-like
        A folder, file, zip, DICOMDIR, image or session file is loaded in a thread, while
        other cells can run; see `wait`.
    layout : str
        ``"four-up"``, or the one pane to begin with: ``"axial"``, ``"coronal"``,
        ``"sagittal"``, ``"3d"``.
    state : ViewState or ViewerState, optional
        Where to begin; a `ViewerState` may be shared by several views.
    series, unit : optional
        As for `hounsview.load`.
    height : str
        Of the panes, as CSS has it.
    controls : bool or sequence of str
        Which pages of `CONTROLS`; False for none.

    Raises
    ------
    PathNotFoundError
        If the path does not exist.
    ArgumentError
        If there is no such layout or page.

    Attributes
    ----------
    state : ViewerState
        ``view.state.window = "lung"``; can be observed and linked.
    """

    def __init__(
        self,
        volume: Volume | Any,
        layout: str | None = None,
        *,
        state: ViewState | ViewerState | None = None,
        series: str | int | None = None,
        unit: str | None = None,
        height: str = "600px",
        controls: bool | Sequence[str] = True,
    ) -> None:
        pages = CONTROLS if controls is True else tuple(controls or ())
        unknown = set(pages) - set(CONTROLS)
        if unknown:
            msg = f"there are no controls {sorted(unknown)}; there are {', '.join(CONTROLS)}"
            raise ArgumentError(msg)
        screen = Screen(_checked(volume), state=state, series=series, unit=unit, height=height)
        if layout is not None:
            screen.state.layout = layout
        super().__init__(screen)
        screen.layout.flex = "1 1 420px"
        self._pages = _pages(screen, pages)
        if self._pages:
            beside = widgets.Tab(
                list(self._pages.values()),
                titles=[_TITLES.get(name, name.capitalize()) for name in self._pages],
                layout={"flex": "0 1 350px", "max_height": height, "overflow": "auto"},
            )  # fmt: skip
            beside.add_class("hv-controls")
            row = widgets.HBox(
                [screen, beside], layout={"flex_flow": "row wrap", "width": "100%"}
            )
            self.children = (row,)

    def movie(
        self, path: str | Path, pane: str = "3d", *, rows: int = 480, turns: int = 72
    ) -> Path:
        """Write a movie and return its path: a turntable of ``"3d"``, or slices of a plane.

        Waits; a kernel interrupt ends it, and then nothing is written.

        Raises
        ------
        ArgumentError
            If the ending is neither ``.mp4`` nor ``.gif``, or there is no such pane.
        WriteError
            If it cannot be written.
        """
        target = Path(path)
        check_movie(target)
        volume, state = self.volume, self.state.value
        tissues = None if self.viewer is None else self.viewer.tissue_map
        wish = MovieWish(pane, rows, 20.0, turns)

        def told(done: int, total: int, what: str) -> bool:
            del what
            self.screen.progress = {"text": f"Drawing {target.name}", "share": done / total}
            return True

        try:
            write_movie_of(volume, state, wish, target, progress=told, tissues=tissues)
        finally:
            self.screen.progress = {}
        return target


class SlicePane(Shown):
    """One plane alone.

    Parameters
    ----------
    volume : Volume or path-like
    plane : str
    state : ViewState or ViewerState, optional
        A `ViewerState` may be shared by several panes, which then move together.
    height : str
        As CSS has it.
    """

    def __init__(
        self,
        volume: Volume | Any,
        plane: str = "axial",
        *,
        state: ViewState | ViewerState | None = None,
        height: str = "420px",
    ) -> None:
        one_of(plane, PLANES, "plane")
        super().__init__(Screen(_checked(volume), pane=plane, state=state, height=height))


class VolumePane(Shown):
    """The 3D picture alone.

    Parameters
    ----------
    volume : Volume or path-like
    preset : str, optional
        See `hounsview.rendering_presets`.
    state : ViewState or ViewerState, optional
    height : str
        As CSS has it.
    """

    def __init__(
        self,
        volume: Volume | Any,
        preset: str | None = None,
        *,
        state: ViewState | ViewerState | None = None,
        height: str = "420px",
    ) -> None:
        screen = Screen(_checked(volume), pane="3d", state=state, height=height)
        if preset is not None:
            screen.state.rendering = preset
        super().__init__(screen)


def show(volume: Volume | Any, layout: str | None = None, **options: Any) -> View:
    """Display a view in the cell that runs, and return it; see `View` for the options."""
    view = View(volume, layout, **options)
    view._ipython_display_()
    return view


def _pages(screen: Screen, names: Sequence[str]) -> dict[str, Any]:
    """Return the pages of controls by name."""
    makers = {
        "slices": lambda: [
            WindowControls(screen), *(SliceSlider(screen, plane) for plane in
            ("axial", "coronal", "sagittal")), SlabControls(screen), CineControls(screen),
        ],
        "3d": lambda: [
            RenderingControls(screen), Histogram(screen), SurfaceControls(screen),
            CropControls(screen),
        ],
        "tissues": lambda: [TissueControls(screen)],
        "measure": lambda: [MeasureControls(screen)],
        "series": lambda: [FindingsControls(screen)],
        "help": lambda: [widgets.HTML(guide_html())],
    }  # fmt: skip
    return {name: widgets.VBox(makers[name]()) for name in names}


def _checked(volume: Any) -> Any:
    """Return a volume, or a path that exists.

    Raises
    ------
    PathNotFoundError
    ArgumentError
    """
    if isinstance(volume, Volume):
        return volume
    if not isinstance(volume, (str, Path)):
        msg = f"a view takes a Volume or a path, not {type(volume).__name__}"
        raise ArgumentError(msg)
    path = Path(volume).expanduser()
    if not path.exists():
        msg = f"{path} does not exist (looked for it from {Path.cwd()})"
        raise PathNotFoundError(msg, files=[path])
    return path


def _bundle(shown: Shown) -> tuple[Any, Any]:
    bundle = shown._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return {**data, "text/plain": "hounsview view", "text/html": ""}, metadata


def close_parts(widget: Any) -> None:
    """Close what a widget is made of: ipywidgets keeps each that was not closed."""
    for part in getattr(widget, "children", ()):
        close_parts(part)
        part.close()
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()


def _hu_of(reading: Reading | None) -> float | None:
    return None if reading is None or reading.unit != "HU" else reading.value
