"""Panes of one volume in a cell, with what they tell: progress, messages, numbers."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from traitlets import Dict, Instance, Tuple
from traitlets import List as ListTrait

from hounsview.errors import (
    CancelledError,
    HounsviewError,
    RenderingUnavailableError,
)
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.contents import in_plain_words, to_be_told
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.freeing import give_back
from hounsview_vizapp.jobs import Tell
from hounsview_vizapp.measured import measured, rows_of
from hounsview_vizapp.notebook.canvas import Canvas
from hounsview_vizapp.notebook.loading import Loader
from hounsview_vizapp.notebook.loop import Later, shared_loop
from hounsview_vizapp.notebook.painting import Painter
from hounsview_vizapp.notebook.work import Work
from hounsview_vizapp.panes.pointer import Reading
from hounsview_vizapp.pictures import composed, picture_of, sentence
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.actions import actions

if TYPE_CHECKING:
    from PIL.Image import Image

    from hounsview.sessions import Source

Follower = Callable[[], object]

_GRID: Final = (("axial", "3d"), ("coronal", "sagittal"))
BROWSER_KEYS: Final = frozenset({"F5", "F6", "Ctrl+Tab"})
"""Keys that a person expects to mean what they mean in every page."""
_FOLLOW_S: Final = 0.12
"""Controls follow so often while something moves."""


def canvas_keys() -> list[str]:
    """Return the keys that mean something in a notebook's canvas."""
    named = [key for action in actions().values() for key in action.keys]
    return [key for key in named if key not in BROWSER_KEYS]


class Screen(Canvas):
    """Panes of one volume.

    Parameters
    ----------
    volume : Volume or path-like
        What `hounsview_vizapp.opened.open_path` takes is loaded in a thread; see `wait`.
    pane : str, optional
        The one pane that is shown; by default the panes follow `ViewState.layout`.
    state : ViewState or ViewerState, optional
        Where to begin; a `ViewerState` may be shared by several. With it a session file
        gives its scan alone.
    begin : dict, optional
        Fields of the state that a person asked for: before what a session file says.
    series, unit : optional
        As for `hounsview.load`, where `volume` is a path.
    height : str
        As CSS has it.
    """

    viewer = Instance(Viewer, allow_none=True)
    """What is shown; None while it is loaded, and when it could not be."""
    pointer = Instance(Reading, allow_none=True)
    """What is under the pointer: its `value` in `unit`, `point` (x, y, z) LPS mm, `index`."""
    numbers: Any = ListTrait()
    """The measurements, a dict of texts for each."""
    message = Dict().tag(sync=True)
    progress = Dict().tag(sync=True)
    findings = Tuple()
    """`hounsview.Finding` of what is shown."""

    def __init__(
        self,
        volume: Volume | Any,
        *,
        pane: str | None = None,
        state: ViewState | ViewerState | None = None,
        begin: dict[str, Any] | None = None,
        series: str | int | None = None,
        unit: str | None = None,
        height: str = "560px",
    ) -> None:
        super().__init__([[pane]] if pane else _GRID, height=height, wanted=canvas_keys())
        self.state = state if isinstance(state, ViewerState) else ViewerState(state)
        if begin:
            self.state.change(**begin)
        self.loop = shared_loop()
        self._pane = pane
        self._painter: Painter | None = None
        self._cine_speed = 10.0
        self._followers: list[Follower] = []
        self._resters: list[Follower] = []
        self._following: Later | None = None
        self.work = Work(self.loop, self._show_progress)
        self.loader = Loader(self, begin or {}, keeps_state=state is not None)
        """What lies under the path that was opened, and what loads it."""
        self._measured: tuple[Volume | None, Any] = (None, ())
        self.on_msg(self._asked)
        if isinstance(volume, Volume):
            self.show_volume(volume)
        else:
            self.loader.load_path(os.fspath(volume), series, unit)

    # What is shown.

    def show_volume(self, volume: Volume, source: Source | None = None) -> None:
        """Show another volume in the view as it is; `source` is for session files."""
        self._let_go()
        self.findings = volume.report.findings
        viewer = Viewer(volume, self.state, source=source)
        if self._pane is not None:
            viewer.active_pane = self._pane
        self.viewer = viewer
        self._painter = Painter(
            self, viewer, self.loop,
            arrange=self._arrange, on_drawn=self._drawn, on_error=self.say_error,
        )  # fmt: skip
        self._painter.cine_speed = self._cine_speed
        told = to_be_told(volume.report)
        if told:
            more = f" And {len(told) - 1} more: see the findings." if told[1:] else ""
            self.say(in_plain_words(told[0]) + more, "warn")
        self.follow_soon()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what is loaded or looked for is there.

        Raises
        ------
        HounsviewError
            Why it could not be loaded.
        TimeoutError
            If it takes longer.
        """
        if not self.work.wait(seconds):
            msg = f"still at work after {seconds:g} s: {self.work.doing}"
            raise TimeoutError(msg)
        if self.loader.failure is not None:
            raise self.loader.failure

    @property
    def volume(self) -> Volume:
        """The volume that is shown; waits until it is loaded.

        Raises
        ------
        HounsviewError
            Why it could not be loaded.
        """
        self.wait()
        return self._needed().volume

    def snapshot(self, size: tuple[int, int] = (800, 800)) -> Image:
        """Return the view, drawn anew and finely, as a `PIL.Image.Image`.

        Parameters
        ----------
        size : (rows, columns), px
        """
        from PIL import Image

        self.wait()
        return Image.fromarray(self.drawn_picture(size))

    def drawn_picture(self, size: tuple[int, int]) -> Picture:
        """Return the view, drawn anew and finely, (rows, columns, 3) uint8 RGB."""
        viewer = self._needed()
        state = self.state.value
        if self._pane is not None:
            state = state.changed(layout=self._pane)
        return picture_of(viewer.volume, state, size, tissues=viewer.tissue_map)

    def quick_picture(self, rows: int) -> Picture | None:
        """Return the view without 3D, for which a sentence stands; None while it is loaded."""
        viewer = self.viewer
        if viewer is None:
            return None
        side = (rows // len(self.grid), round(1.2 * rows) // len(self.grid[0]))
        later = sentence(side, "3D: in the live view")
        frames = {
            pane: later if pane == "3d" else viewer.picture(pane, side) for pane in self.panes
        }
        return composed(self.grid, frames, rows + 8)

    @property
    def is_settled(self) -> bool:
        """Whether what is shown is as fine as it will be."""
        painter = self._painter
        return painter is not None and painter.is_settled

    @property
    def why_no_3d(self) -> str:
        """Why there is no 3D picture; empty where there is one, and before it is known."""
        return "" if self._painter is None else self._painter.why_no_3d

    def last_picture(self, most_rows: int) -> Picture | None:
        """Return the frames shown last as one picture, at most so high; None before any."""
        painter = self._painter
        return None if painter is None else composed(self.grid, painter.still, most_rows)

    def set_cine_speed(self, slices_per_second: float) -> None:
        """Set how fast slices play."""
        self._cine_speed = slices_per_second
        if self._painter is not None:
            self._painter.cine_speed = slices_per_second

    def close(self) -> None:
        """Take the canvas away and let go of the volume."""
        self._let_go()
        self._followers.clear()
        self._resters.clear()
        self.findings, self._measured = (), (None, ())
        self.loader.forget()
        super().close()
        give_back()

    # Telling.

    def say(self, text: str, kind: str = "note") -> None:
        """Show a message over the panes: ``"note"``, ``"warn"`` or ``"bad"``; "" for none."""
        self.message = {"text": text, "kind": kind} if text else {}

    def say_error(self, what: str, error: Exception) -> None:
        """Say that something failed; the view goes on."""
        text = f"{what[:1].upper()}{what[1:]}: {error}"
        if isinstance(error, HounsviewError):
            self.say(text, "bad")
            return
        trace = "".join(traceback.format_exception(error))
        self.message = {"text": text, "kind": "bad", "details": trace}

    def guarded(self, run: Callable[[], object]) -> None:
        """Do something; show in the cell what it raised."""
        try:
            run()
        except Exception as error:  # whatever it is, the view goes on
            self.say_error("this did not work", error)

    def follow_with(self, follow: Follower, *, at_rest: bool = False) -> None:
        """Call something after changes, in the loop; `at_rest`: only when all stands still."""
        (self._resters if at_rest else self._followers).append(follow)
        self.follow_soon()

    def follow_soon(self) -> None:
        """Let followers show what is true now."""
        if self._following is None:
            self._following = self.loop.later(_FOLLOW_S, self._follow)

    def unfollow(self, follow: Follower) -> None:
        """Call it no longer."""
        for kept in (self._followers, self._resters):
            if follow in kept:
                kept.remove(follow)

    def run(
        self, what: str, work: Callable[[Tell], Any], on_done: Callable[[Any], object]
    ) -> None:
        """Do long work in a thread, with progress and a way to stop it, one at a time.

        Parameters
        ----------
        what : str
            Shown over the panes.
        work : callable
            Takes a `Tell`.
        on_done : callable
            Takes the result, in the loop.
        """
        if self.work.is_busy:
            self.say("Something is at work: wait for it, or cancel it.")
            return
        self.work.begin(what, work, self.guarding(on_done), partial(self.say_failed, what))

    def find_tissues(self) -> None:
        """Look for the tissues that are to be shown, unless that is being done."""
        viewer = self.viewer
        if viewer is None or not viewer.needs_tissues or self.work.is_busy:
            return

        def found(tissues: Any) -> None:
            viewer.show_tissues(tissues)
            self.follow_soon()

        def failed(error: Exception) -> None:
            found(None)
            self.say_failed("Looking for tissues", error)

        self.work.begin(
            "Looking for tissues", viewer.find_tissues, self.guarding(found), failed
        )

    def guarding(self, do: Callable[[Any], object]) -> Callable[[Any], object]:
        """Return what does something with a value, and shows in the cell what it raises."""
        return lambda result: self.guarded(partial(do, result))

    def say_failed(self, what: str, error: Exception) -> None:
        """Say how work ended that did not end well."""
        if isinstance(error, CancelledError):
            self.say(f"{what}: cancelled.")
        else:
            self.say_error(f"{what} failed", error)

    def _show_progress(self, shown: dict[str, Any]) -> None:
        self.progress = shown

    def _needed(self) -> Viewer:
        if self.viewer is None:
            msg = "this view shows no volume: it was closed, or loading was cancelled"
            raise RenderingUnavailableError(msg)
        return self.viewer

    def _let_go(self) -> None:
        painter, self._painter = self._painter, None
        viewer, self.viewer = self.viewer, None
        self.work.forget()
        if painter is not None:
            painter.close()
        if viewer is not None:
            viewer.close()

    # In the loop, around each drawing.

    def _arrange(self) -> None:
        viewer = self.viewer
        if viewer is None:
            return
        if self._pane is not None:
            viewer.active_pane = self._pane
        else:
            layout = self.state.layout
            grid = [list(row) for row in _GRID] if layout == "four-up" else [[layout]]
            if grid != self.grid:
                self.grid = grid
                viewer.forget_pointer()
        if self.active != viewer.active_pane:
            self.active = viewer.active_pane

    def _drawn(self, at_rest: bool) -> None:
        self.guarded(self._take_pointer)
        self.find_tissues()
        if at_rest:
            for follow in list(self._resters):
                self.guarded(follow)
        else:
            self.follow_soon()

    def _follow(self) -> None:
        self._following = None
        self.guarded(self._take_numbers)
        for follow in list(self._followers):
            self.guarded(follow)

    def _take_pointer(self) -> None:
        pointed = None if self.viewer is None else self.viewer.pointed()
        if pointed != self.pointer:
            self.pointer = pointed

    def _take_numbers(self) -> None:
        viewer = self.viewer
        if viewer is None:
            return
        known = (viewer.volume, self.state.measurements)
        if known[0] is not self._measured[0] or known[1] != self._measured[1]:
            self._measured = known
            self.numbers = rows_of(measured(*known))

    def _asked(self, _: object, content: dict[str, Any], __: Sequence[Any]) -> None:
        if content.get("type") == "cancel":
            self.work.cancel()
        elif content.get("type") == "dismiss":
            self.say("")
