"""Panes of one volume in a cell, with what they tell: progress, messages, numbers."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from traitlets import Dict, Instance, Tuple
from traitlets import List as ListTrait

from hounsview.errors import HounsviewError, RenderingUnavailableError
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.contents import Entry, in_plain_words, to_be_told
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.freeing import give_back
from hounsview_vizapp.jobs import Job, Tell
from hounsview_vizapp.measured import measured, rows_of
from hounsview_vizapp.notebook.canvas import Canvas
from hounsview_vizapp.notebook.loop import Later, shared_loop
from hounsview_vizapp.notebook.painting import Painter
from hounsview_vizapp.opened import Opened, open_entry, open_path
from hounsview_vizapp.panes.pointer import Reading
from hounsview_vizapp.pictures import composed, picture_of, preview_of, sentence
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.actions import actions

if TYPE_CHECKING:
    from PIL.Image import Image

Follower = Callable[[], object]

_GRID: Final = (("axial", "3d"), ("coronal", "sagittal"))
_BROWSERS: Final = frozenset({"F5", "F6", "Ctrl+Tab"})
"""Keys that a person expects to mean what they mean in every page."""
_FOLLOW_S: Final = 0.12
"""Controls follow so often while something moves."""


def canvas_keys() -> list[str]:
    """Return the keys that mean something in a notebook's canvas."""
    named = [key for action in actions().values() for key in action.keys]
    return [key for key in named if key not in _BROWSERS]


class Screen(Canvas):
    """Panes of one volume.

    Parameters
    ----------
    volume : Volume or path-like
        What `hounsview_vizapp.opened.open_path` takes is loaded in a thread; see `wait`.
    layout : str, optional
        A pane's name, which stays; by default the panes follow `ViewState.layout`.
    state : ViewState or ViewerState, optional
        Where to begin; a `ViewerState` may be shared by several.
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
        series: str | int | None = None,
        unit: str | None = None,
        height: str = "560px",
    ) -> None:
        super().__init__([[pane]] if pane else _GRID, height=height, wanted=canvas_keys())
        self.state = state if isinstance(state, ViewerState) else ViewerState(state)
        """The view: change it, observe it, link it."""
        self.entries: list[Entry] = []
        """What lies under the path that was opened."""
        self.loop = shared_loop()
        self._pane = pane
        self._painter: Painter | None = None
        self._cine_speed = 10.0
        self._followers: list[Follower] = []
        self._resters: list[Follower] = []
        self._following: Later | None = None
        self._job: Job[Any] | None = None
        self._ticket = object()
        self._failure: Exception | None = None
        self._measured: tuple[Volume | None, Any] = (None, ())
        self.on_msg(self._asked)
        if isinstance(volume, Volume):
            self.show_volume(volume)
        else:
            self._load(str(volume), series, unit)

    # What is shown.

    def show_volume(self, volume: Volume, opened: Opened | None = None) -> None:
        """Show another volume in the view as it is."""
        self._let_go()
        source = None if opened is None else opened.source
        self.findings = volume.report.findings
        viewer = Viewer(volume, self.state, source=source)
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

    def open_entry(self, entry: Entry) -> None:
        """Load another of `entries`."""
        if not entry.can_be_shown:
            refusals = entry.report.of("refusal")
            words = in_plain_words(refusals[0]) if refusals else f"This is {entry.kind}."
            self.say(words, "bad")
            return
        where, entries = entry.source.path or "", self.entries
        self._begin(
            f"Loading {entry.title}",
            lambda tell: open_entry(entry, where, entries, tell, on_previewed=self._preview),
            self._opened,
        )

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what is loaded or looked for is there.

        Raises
        ------
        HounsviewError
            Why it could not be loaded.
        TimeoutError
            If it takes longer.
        """
        job = self._job
        if job is not None and not job.wait(seconds):
            msg = f"still at work after {seconds:g} s: {self.progress.get('text', '')}"
            raise TimeoutError(msg)
        self.loop.settle()
        if self._failure is not None:
            raise self._failure

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
        self.entries, self.findings, self._measured = [], (), (None, ())
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
        if self._job is not None:
            self.say("Something is at work: wait for it, or cancel it.")
            return
        self._begin(what, work, on_done)

    def find_tissues(self) -> None:
        """Look for the tissues that are to be shown, unless that is being done."""
        viewer = self.viewer
        if viewer is None or not viewer.needs_tissues or self._job is not None:
            return

        def ended(found: Any) -> None:
            viewer.show_tissues(found)
            self.follow_soon()

        self._begin("Looking for tissues", viewer.find_tissues, ended, lambda: ended(None))

    # Jobs.

    def _begin(
        self,
        what: str,
        work: Callable[[Tell], Any],
        on_done: Callable[[Any], object],
        on_failed: Callable[[], object] = lambda: None,
    ) -> None:
        if self._job is not None:
            self._job.cancel()
        self._failure = None
        self.progress = {"text": what, "share": 0.0}
        ticket = object()
        self._ticket = ticket

        def tell(done: int, total: int, doing: str) -> None:
            share = round(done / total, 2) if total else 0.0
            if self._ticket is ticket and share != self.progress.get("share"):
                self.progress = {"text": doing or what, "share": share}

        def end(then: Callable[[], object]) -> None:
            if self._ticket is ticket:
                self._job = None
                self.progress = {}
                self.guarded(then)

        def failed(error: Exception) -> None:
            self._failure = error
            on_failed()
            self.say_error(f"{what} failed", error)

        def stopped() -> None:
            on_failed()
            self.say(f"{what}: cancelled.")

        post = self.loop.post
        self._job = Job(
            work,
            on_done=lambda result: post(partial(end, partial(on_done, result))),
            on_error=lambda error: post(partial(end, partial(failed, error))),
            on_progress=tell,
            on_cancelled=lambda: post(partial(end, stopped)),
        )

    def _load(self, path: str, series: str | int | None, unit: str | None) -> None:
        wanted = None if series is None else str(series)
        self._begin(
            f"Loading {path}",
            lambda tell: open_path(
                path, tell, series=wanted, unit=unit,
                on_listed=self._listed, on_previewed=self._preview,
            ),
            self._opened,
        )  # fmt: skip

    def _listed(self, _: str, entries: list[Entry]) -> None:
        self.entries = entries

    def _preview(self, volumes: list[Volume]) -> None:
        self.loop.post(partial(self._show_preview, volumes))

    def _show_preview(self, volumes: list[Volume]) -> None:
        if self.viewer is not None:
            return
        frames = {}
        for pane, volume in zip(self.panes, volumes, strict=False):
            known = self.size_of(pane)
            if known is not None:
                frames[pane] = preview_of(volume, *known)
        if frames:
            self.show(frames, lossless=False)

    def _opened(self, opened: Opened | None) -> None:
        if opened is None:
            return
        self.entries = opened.entries
        if opened.state is not None:
            self.state.start_over(opened.state)
        self.say("")
        self.show_volume(opened.volume, opened)

    def _needed(self) -> Viewer:
        if self.viewer is None:
            msg = "this view shows no volume: it was closed, or loading was cancelled"
            raise RenderingUnavailableError(msg)
        return self.viewer

    def _let_go(self) -> None:
        painter, self._painter = self._painter, None
        viewer, self.viewer = self.viewer, None
        self._ticket = object()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        if painter is not None:
            painter.close()
        if viewer is not None:
            viewer.close()

    # In the loop, around each drawing.

    def _arrange(self) -> None:
        viewer = self.viewer
        if viewer is None:
            return
        if self._pane is None:
            layout = self.state.layout
            grid = [list(row) for row in _GRID] if layout == "four-up" else [[layout]]
            if grid != self.grid:
                self.grid = grid
        if self.active != viewer.active_pane:
            self.active = viewer.active_pane

    def _drawn(self, at_rest: bool) -> None:
        self._take_pointer()
        self.find_tissues()
        if at_rest:
            for follow in list(self._resters):
                self.guarded(follow)
        else:
            self.follow_soon()

    def _follow(self) -> None:
        self._following = None
        self._take_numbers()
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
        if content.get("type") == "cancel" and self._job is not None:
            self._job.cancel()
        elif content.get("type") == "dismiss":
            self.say("")
