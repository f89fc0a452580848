"""What loads a screen's volume, and changes to another series under the same path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hounsview.errors import ArgumentError
from hounsview.sessions import SUFFIX, Source
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.contents import Entry, in_plain_words
from hounsview_vizapp.jobs import Tell
from hounsview_vizapp.opened import Opened, open_entry, open_path
from hounsview_vizapp.pictures import preview_of
from hounsview_vizapp.session import Viewer

if TYPE_CHECKING:
    from hounsview_vizapp.notebook.screen import Screen


class Loader:
    """Loads in a thread, and shows a preview meanwhile.

    Parameters
    ----------
    screen : Screen
    begin : dict
        Fields of the state that a person asked for: they go before a session's.
    keeps_state : bool
        Whether the state is the caller's own: a session then gives its scan alone.
    """

    def __init__(self, screen: Screen, begin: dict[str, Any], *, keeps_state: bool) -> None:
        self.entries: list[Entry] = []
        self.failure: Exception | None = None
        """Why nothing is shown."""
        self._screen = screen
        self._begin, self._keeps_state = begin, keeps_state
        self._put_away: dict[Source, tuple[Any, Any]] = {}

    def load_path(self, path: str, series: str | int | None, unit: str | None) -> None:
        """Load what a person most likely wants of what lies under a path.

        Raises
        ------
        ArgumentError
            If a session file is to be opened as another series or unit.
        """
        if path.endswith(SUFFIX) and (series is not None or unit is not None):
            msg = f"{path}: a session file says its own series and unit; leave them out"
            raise ArgumentError(msg)
        wanted = None if series is None else str(series)
        self._load(
            f"Loading {path}",
            lambda tell: open_path(
                path, tell, series=wanted, unit=unit,
                on_listed=self._listed, on_previewed=self._preview,
            ),
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> None:
        """Load another of `entries`."""
        if not entry.can_be_shown:
            refusals = entry.report.of("refusal")
            words = in_plain_words(refusals[0]) if refusals else f"This is {entry.kind}."
            self._screen.say(words, "bad")
            return
        where, entries = entry.source.path or "", self.entries
        self._load(
            f"Loading {entry.title}",
            lambda tell: open_entry(entry, where, entries, tell, on_previewed=self._preview),
        )

    def forget(self) -> None:
        """Let go of what was listed: each entry could load its series."""
        self.entries = []
        self._put_away.clear()

    def _load(self, what: str, work: Callable[[Tell], Opened | None]) -> None:
        screen = self._screen

        def failed(error: Exception) -> None:
            if screen.viewer is None:
                self.failure = error
            screen.say_failed(what, error)

        self.failure = None
        screen.work.begin(what, work, screen.guarding(self._opened), failed)

    def _listed(self, _: str, entries: list[Entry]) -> None:
        self.entries = entries
        self._screen.follow_soon()

    def _preview(self, volumes: list[Volume]) -> None:
        self._screen.loop.post(partial(self._show_preview, volumes))

    def _show_preview(self, volumes: list[Volume]) -> None:
        screen = self._screen
        if screen.viewer is not None:
            return
        frames = {}
        for pane, volume in zip(screen.panes, volumes, strict=False):
            known = screen.size_of(pane)
            if known is not None:
                frames[pane] = preview_of(volume, *known)
        if frames:
            screen.show(frames, lossless=False)

    def _opened(self, opened: Opened | None) -> None:
        if opened is None:
            return
        screen = self._screen
        self.entries = opened.entries
        before = screen.viewer
        screen.say("")
        if before is not None:
            self._change_series(before, opened)
        elif opened.state is not None and not self._keeps_state:
            screen.state.start_over(opened.state.changed(**self._begin))
        screen.show_volume(opened.volume, opened.source)

    def _change_series(self, before: Viewer, opened: Opened) -> None:
        """Take off what belongs to the series before; it is there again with that series."""
        state, fresh = self._screen.state.value, ViewState()
        self._put_away[before.source] = (state.measurements, state.crosshair)
        measurements, crosshair = self._put_away.get(opened.source, ((), None))
        self._screen.state.start_over(
            replace(
                state, measurements=measurements, crosshair=crosshair, crop=None,
                oblique=fresh.oblique, axial=fresh.axial, coronal=fresh.coronal,
                sagittal=fresh.sagittal,
            )
        )  # fmt: skip
