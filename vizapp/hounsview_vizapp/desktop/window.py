"""The main window: puts panes, controls, opening and saving together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

import hounsview as hv
from hounsview.sessions import SUFFIX
from hounsview.viewstate import ViewState
from hounsview_vizapp.contents import (
    Entry,
    in_plain_words,
    phantom_entry,
    sentence_case,
    to_be_told,
)
from hounsview_vizapp.desktop import questions, theme
from hounsview_vizapp.desktop.commands import Commands
from hounsview_vizapp.desktop.events import key_name
from hounsview_vizapp.desktop.grid import PaneGrid
from hounsview_vizapp.desktop.keys import KeysDialog
from hounsview_vizapp.desktop.menus import Menus
from hounsview_vizapp.desktop.messages import START_TEXT, Banner, Page, ProgressStrip
from hounsview_vizapp.desktop.opening import Opener
from hounsview_vizapp.desktop.panels.display import DisplayPanel
from hounsview_vizapp.desktop.panels.measurements import MeasurementsPanel
from hounsview_vizapp.desktop.panels.rendering import RenderingPanel
from hounsview_vizapp.desktop.panels.series import SeriesPanel
from hounsview_vizapp.desktop.panels.surfaces import SurfacesPanel
from hounsview_vizapp.desktop.panels.tissues import TissuesPanel
from hounsview_vizapp.freeing import give_back
from hounsview_vizapp.opened import Opened
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.settings import Settings
from hounsview_vizapp.tools.actions import actions

_PANEL_WIDTH: Final = 350


class MainWindow(QMainWindow):
    """The viewer.

    Parameters
    ----------
    settings : Settings
        Recent scans and own presets.
    mode : str
        ``"dark"`` or ``"light"``.
    """

    def __init__(self, settings: Settings, mode: theme.Mode) -> None:
        super().__init__()
        self.settings = settings
        self.mode: theme.Mode = mode
        self.setWindowTitle("hounsview")
        self.setAcceptDrops(True)
        self.opener = Opener()
        self.banner = Banner()
        self.progress = ProgressStrip(lambda: self.opener.cancel())
        self.saving = ProgressStrip(lambda: self.commands.cancel())
        self.grid = PaneGrid(on_error=self.say_error, on_changed=self._follow)
        self.commands = Commands(self)
        self._make_pages()
        self._make_panels()
        self._make_layout()
        self._keys: KeysDialog | None = None
        self.menus = Menus(self)
        self._connect()
        self.resize(1360, 860)
        self._follow()

    # What is shown.

    @property
    def viewer(self) -> Viewer | None:
        """The opened volume, or None."""
        return self.grid.viewer

    def open_path(
        self, path: str, *, series: str | None = None, unit: str | None = None
    ) -> None:
        """Open a folder, file, zip, image file or session file."""
        if not self._may_close():
            return
        self.banner.hide()
        self.progress.begin(f"Looking into {Path(path).name or path}")
        self.opener.open_path(path, series=series, unit=unit)

    def open_entry(self, entry: Entry, listed: tuple[str, list[Entry]] | None = None) -> None:
        """Load one line of a list; by default of the one that is shown."""
        if not entry.can_be_shown:
            refusals = entry.report.of("refusal")
            words = in_plain_words(refusals[0]) if refusals else f"This is {entry.kind}."
            self.banner.say(words, "bad")
            return
        if not self._may_close():
            return
        self.banner.hide()
        self.progress.begin(f"Loading {entry.title}")
        self.opener.open_entry(entry, *(listed or self.series.listed))

    def open_phantom(self, name: str = "thorax") -> None:
        """Show a built-in phantom."""
        entry = phantom_entry(name)
        self.open_entry(entry, ("Built-in phantom", [entry]))

    def close_volume(self) -> None:
        """Close what is shown, and go back to the start page."""
        if not self._may_close():
            return
        self.opener.cancel()
        self._show_viewer(None)
        self.series.show_entries("", [])
        self.banner.hide()
        self._show_start()

    def _may_close(self) -> bool:
        """Return whether the viewer may go; ask where measurements would be lost."""
        viewer = self.viewer
        if viewer is None or not viewer.has_unsaved_measurements:
            return True
        answer = questions.ask_save_first(self, len(viewer.state.measurements))
        if answer == "save":
            self.commands.save_session()
            self.commands.finish()
        return answer == "discard" or not viewer.has_unsaved_measurements

    def say_error(self, what: str, error: Exception) -> None:
        """Say that something failed; the viewer goes on."""
        text = f"{what[:1].upper()}{what[1:]}: {error}"
        more = None
        if not isinstance(error, hv.HounsviewError):
            text += ". The view is as it was before"
            more = self.commands.details_of(error)
        self.banner.say(text, "bad", more)

    # Set-up.

    def _make_pages(self) -> None:
        self.start = Page("CT in Hounsfield units", START_TEXT)
        self.start.add_button("Open folder", self.commands.ask_folder)
        self.start.add_button("Open file", self.commands.ask_file)
        self.start.add_button("Thorax phantom", self.open_phantom)
        self.start.add_button("Head phantom", lambda: self.open_phantom("head"))
        self.refusal = Page()
        self.refusal.add_button("Open something else", self.commands.ask_folder)
        self.refusal.add_button("Back to the start", self.close_volume)
        self.pages = QStackedWidget()
        for page in (self.start, self.grid, self.refusal):
            self.pages.addWidget(page)

    def _make_panels(self) -> None:
        self.series = SeriesPanel(self.open_entry)
        self.series.use_colors(self.mode)
        self.display = DisplayPanel(self.say_error, self.grid.set_cine_speed)
        self.rendering = RenderingPanel(self.say_error, self.settings)
        self.surfaces = SurfacesPanel(self.say_error)
        self.measurements = MeasurementsPanel(self.say_error)
        self.tissues = TissuesPanel(self.say_error)
        self.followers = (
            self.display, self.rendering, self.surfaces, self.tissues, self.measurements,
        )  # fmt: skip
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        labels = ("Slices", "3D", "Surfaces", "Tissues", "Measure")
        self.tabs.addTab(self.series, "Series")
        for label, panel in zip(labels, self.followers, strict=True):
            self.tabs.addTab(panel, label)
        self.tabs.setMinimumWidth(_PANEL_WIDTH)

    def _make_layout(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.banner, self.pages, self.progress, self.saving):
            column.addWidget(part, int(part is self.pages))
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([1360 - _PANEL_WIDTH, _PANEL_WIDTH])
        split.setCollapsible(0, False)
        self.setCentralWidget(split)

    def _connect(self) -> None:
        self.opener.listed.connect(self._listed)
        self.opener.previewed.connect(self._preview)
        self.opener.opened.connect(self._opened)
        self.opener.failed.connect(self._failed)
        self.opener.cancelled.connect(self._cancelled)
        self.opener.progressed.connect(self.progress.tell)
        self.tabs.currentChanged.connect(lambda _: self._follow())
        self._show_start()

    # Opening.

    def _listed(self, path: str, entries: list[Entry]) -> None:
        """List the entries; beside a volume that is shown only once it gives way."""
        if self.viewer is None:
            self.series.show_entries(path, entries)

    def _preview(self, volumes: list[hv.Volume]) -> None:
        """Show a few slices while the rest loads, unless something else is shown."""
        if not volumes or self.viewer is not None:
            return
        self.pages.setCurrentWidget(self.grid)
        self.grid.show_preview(volumes)

    def _opened(self, opened: Opened) -> None:
        self.progress.hide()
        state = opened.state or ViewState()
        self._show_viewer(Viewer(opened.volume, state, source=opened.source))
        self.series.show_entries(opened.where, opened.entries)
        self.series.mark_shown(opened.entry, opened.volume.report)
        self.setWindowTitle(f"{opened.entry.title} \N{EM DASH} hounsview")
        if opened.source.path is not None:
            self._remember(opened.source.path)
        self._tell_findings(opened.volume, opened.source.path)

    def _tell_findings(self, volume: hv.Volume, path: str | None) -> None:
        """Say what was repaired or is doubtful before anything else."""
        if volume.unit == "unknown" and path is not None:
            words = "This file does not say what its values are: no tissue and no 3D is shown."
            self.banner.say(
                words, "warn", partial(self.open_path, path, unit="HU"), "They are HU"
            )
            return
        told = to_be_told(volume.report)
        if not told:
            return
        words = in_plain_words(told[0])
        if len(told) > 1:
            words += f" And {len(told) - 1} more."
        self.banner.say(words, "warn", lambda: self.tabs.setCurrentWidget(self.series))

    def _failed(self, path: str, error: Exception) -> None:
        self.progress.hide()
        gone = isinstance(error, (hv.PathNotFoundError, hv.SeriesNotFoundError))
        if gone and path.endswith(SUFFIX) and Path(path).exists():
            self._ask_where(path, error)
            return
        if self.viewer is not None:
            self.say_error(f"could not open {Path(path).name or path}", error)
            return
        self.refusal.title.setText(f"{Path(path).name or path} cannot be shown")
        self.refusal.text.setText(sentence_case(str(error)))
        self.pages.setCurrentWidget(self.refusal)
        if not isinstance(error, hv.HounsviewError):
            self.say_error("this was not foreseen", error)

    def _ask_where(self, file: str, error: Exception) -> None:
        """Ask for the scan of a session that is not where it was, until a person gives up."""
        found = questions.ask_where(self, sentence_case(str(error)))
        if found is not None:
            self.progress.begin("Looking for the series")
            self.opener.open_session(file, found)
        else:
            self.banner.say(sentence_case(str(error)), "warn")
            if self.viewer is None:
                self._show_start()

    def _cancelled(self) -> None:
        self.progress.hide()
        if self.viewer is None:
            self._show_start()

    def _show_viewer(self, viewer: Viewer | None) -> None:
        self.setWindowTitle("hounsview")
        self.grid.show_viewer(viewer)
        for panel in self.followers:
            panel.show_viewer(viewer)
        if viewer is not None:
            self.pages.setCurrentWidget(self.grid)
            self.grid.panes["axial"].setFocus()
        self._follow()
        give_back()

    def _show_start(self) -> None:
        self.pages.setCurrentWidget(self.start)
        self.start.set_links(
            {path: partial(self.open_path, path) for path in self.settings.recent()[:6]}
        )

    def _remember(self, path: str) -> None:
        try:
            self.settings.remember(path)
        except hv.HounsviewError as error:
            self.say_error("the list of recent scans was not kept", error)

    # Doing.

    def run_action(self, name: str) -> None:
        """Do an action by its name; nothing without a volume."""
        viewer = self.viewer
        if viewer is not None:
            self.guarded(lambda: actions()[name].run(viewer))
            self._follow()

    def show_keys(self) -> None:
        """Show what mouse and keys do."""
        files = {c.key: c.plain_label for c in self.commands.all() if c is not None}
        files |= {"?": "This help", "Ctrl+D": "Light or dark", "F9": "Side panel"}
        if self._keys is not None:
            self._keys.close()
        self._keys = KeysDialog(self, files, self.mode)
        self._keys.show()

    def change_mode(self) -> None:
        """Change between light and dark."""
        self.mode = "light" if self.mode == "dark" else "dark"
        application = QApplication.instance()
        if isinstance(application, QApplication):
            theme.apply_theme(application, self.mode)
        self.series.use_colors(self.mode)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, Qt's name
        """Do what a key says."""
        name = key_name(event)
        own: dict[str, Callable[[], object]] = {
            "?": self.show_keys, "F1": self.show_keys, "Ctrl+D": self.change_mode,
            "F9": self.toggle_panel,
        }  # fmt: skip
        if name in own:
            own[name]()
        elif self.viewer is not None and self._key(name):
            self._follow()
        else:
            super().keyPressEvent(event)

    def toggle_panel(self) -> None:
        """Show the side panel, or hide it."""
        self.tabs.setVisible(self.tabs.isHidden())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802, Qt's name
        """Take what lies on this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802, Qt's name
        """Open what was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_path(paths[0])
        if len(paths) > 1:
            self.banner.say(f"Of the {len(paths)} things dropped the first was opened.")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802, Qt's name
        """End threads before the window goes."""
        if not self._may_close():
            event.ignore()
            return
        self.opener.wait()
        self.commands.wait()
        self.grid.show_viewer(None)
        super().closeEvent(event)

    def _key(self, name: str) -> bool:
        viewer = self.viewer
        done = False

        def press() -> None:
            nonlocal done
            done = viewer is not None and viewer.key(name)

        if name == "Esc":
            self.grid.panes[viewer.active_pane if viewer else "axial"].setFocus()
        self.guarded(press)
        return done

    def guarded(self, run: Callable[[], object]) -> None:
        """Do something; say in the banner what it raised."""
        try:
            run()
        except Exception as error:  # whatever it is, the viewer goes on
            self.say_error("this did not work", error)

    def _follow(self) -> None:
        """Let controls show what the state says."""
        self.menus.follow()
        self.commands.find_tissues()
        current = self.tabs.currentWidget()
        for panel in self.followers:
            if panel is current:
                panel.follow()
