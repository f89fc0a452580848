"""The main window: puts panes, controls, opening and saving together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QToolBar,
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
from hounsview_vizapp.desktop import theme
from hounsview_vizapp.desktop.commands import Command, Commands
from hounsview_vizapp.desktop.events import device_size, key_name
from hounsview_vizapp.desktop.grid import PaneGrid
from hounsview_vizapp.desktop.keys import KeysDialog
from hounsview_vizapp.desktop.messages import Banner, Page, ProgressStrip
from hounsview_vizapp.desktop.opening import Opened, Opener, plane_of_slice
from hounsview_vizapp.desktop.panels.display import DisplayPanel
from hounsview_vizapp.desktop.panels.measurements import MeasurementsPanel
from hounsview_vizapp.desktop.panels.rendering import RenderingPanel
from hounsview_vizapp.desktop.panels.series import SeriesPanel
from hounsview_vizapp.desktop.panels.surfaces import SurfacesPanel
from hounsview_vizapp.drawing import BLUE, draw_badge
from hounsview_vizapp.freeing import give_back
from hounsview_vizapp.panes import slice_pane, text_height
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.settings import Settings
from hounsview_vizapp.tools import TOOLS
from hounsview_vizapp.tools.actions import actions

_PANEL_WIDTH: Final = 330
_START_TEXT: Final = (
    "Open a folder, a file or a zip with a CT, or drop one here. DICOM series in any order "
    "and of any name, also beside other files; NIfTI, NRRD, MetaImage and npz too."
)


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
        self.progress = ProgressStrip(self._cancel)
        self.grid = PaneGrid(on_error=self.say_error, on_changed=self._follow)
        self.commands = Commands(self)
        self._make_pages()
        self._make_panels()
        self._make_layout()
        self._make_menus()
        self._make_toolbar()
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
        self.banner.hide()
        self.progress.begin(f"Loading {entry.title}")
        self.opener.open_entry(entry, *(listed or self.series.listed))

    def open_phantom(self, name: str = "thorax") -> None:
        """Show a built-in phantom."""
        entry = phantom_entry(name)
        self.open_entry(entry, ("Built-in phantom", [entry]))

    def close_volume(self) -> None:
        """Close what is shown, and go back to the start page."""
        self.opener.cancel()
        self._show_viewer(None)
        self.series.show_entries("", [])
        self.banner.hide()
        self._show_start()

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
        self.start = Page("CT in Hounsfield units", _START_TEXT)
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
        self.display = DisplayPanel(self.say_error, self.grid.set_cine_speed)
        self.rendering = RenderingPanel(self.say_error, self.settings)
        self.surfaces = SurfacesPanel(self.say_error)
        self.measurements = MeasurementsPanel(self.say_error)
        self.followers = (self.display, self.rendering, self.surfaces, self.measurements)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for label, panel in (
            ("Series", self.series), ("Slices", self.display), ("3D", self.rendering),
            ("Surfaces", self.surfaces), ("Measure", self.measurements),
        ):  # fmt: skip
            self.tabs.addTab(panel, label)
        self.tabs.setMinimumWidth(_PANEL_WIDTH)

    def _make_layout(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        column.addWidget(self.progress)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([1360 - _PANEL_WIDTH, _PANEL_WIDTH])
        split.setCollapsible(0, False)
        self.setCentralWidget(split)

    def _make_menus(self) -> None:
        bar = self.menuBar()
        files = bar.addMenu("&File")
        for command in self.commands.all():
            if command is None:
                files.addSeparator()
                continue
            action = QAction(command.label, self)
            action.setShortcut(command.key)
            action.triggered.connect(partial(self._run_command, command))
            files.addAction(action)
            self.addAction(action)
        self.recent = QMenu("Open &recent", self)
        files.insertMenu(files.actions()[2], self.recent)
        self.recent.aboutToShow.connect(self._fill_recent)
        menus: dict[str, QMenu] = {}
        for each in actions().values():
            menu = menus.get(each.group) or menus.setdefault(
                each.group, bar.addMenu(each.group)
            )
            key = f"\t{each.keys[0]}" if each.keys else ""
            # The key stands beside the label, but is no shortcut: letters must reach boxes.
            entry = menu.addAction(each.label.replace("&", "&&") + key)
            entry.triggered.connect(partial(self._run_named, each.name))
        shown = bar.addMenu("&Help")
        shown.addAction("Mouse and keys\t?", self.show_keys)
        shown.addAction("Light or dark\tCtrl+D", self.change_mode)

    def _make_toolbar(self) -> None:
        bar = QToolBar("Tools")
        bar.setMovable(False)
        self.addToolBar(bar)
        bar.addAction("Open", self.commands.ask_folder).setToolTip("Open a folder (Ctrl+O)")
        bar.addSeparator()
        self.tool_actions = {}
        for name, label in TOOLS.items():
            action = bar.addAction(label)
            action.setCheckable(True)
            action.setToolTip(f"{label} ({actions()[f'tool {name}'].keys[0]})")
            action.triggered.connect(partial(self._run_named, f"tool {name}"))
            self.tool_actions[name] = action
        bar.addSeparator()
        self.undo = bar.addAction("Undo", lambda: self.run_action("undo"))
        self.redo = bar.addAction("Redo", lambda: self.run_action("redo"))
        bar.addSeparator()
        bar.addAction("Keys", self.show_keys).setToolTip("Mouse and keys (?)")

    def _connect(self) -> None:
        self.opener.listed.connect(self._listed)
        self.opener.previewed.connect(self._preview)
        self.opener.opened.connect(self._opened)
        self.opener.failed.connect(self._failed)
        self.opener.cancelled.connect(self._cancelled)
        self.opener.progressed.connect(self.progress.tell)
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
        shown = {}
        for (pane, widget), volume in zip(self.grid.panes.items(), volumes, strict=False):
            state = ViewState(crosshair=tuple(volume.geometry.centre), show_crosshair=False)
            size, ratio = device_size(widget), widget.devicePixelRatioF()
            picture = slice_pane(volume, state, plane_of_slice(volume), size, pixel_ratio=ratio)
            height = text_height(size, ratio)
            if height:
                at = (size[0] // 2, size[1] - 2 * height)
                draw_badge(picture, "PREVIEW", at, height=height, color=BLUE)
            shown[pane] = picture
        self.grid.show_pictures(shown)

    def _opened(self, opened: Opened) -> None:
        self.progress.hide()
        state = opened.state or ViewState()
        self._show_viewer(Viewer(opened.volume, state, source=opened.source))
        self.series.show_entries(opened.where, opened.entries)
        self.series.mark_shown(opened.entry, opened.volume.report)
        if opened.source.path is not None:
            self._remember(opened.source.path)
        self._tell_findings(opened.volume)

    def _tell_findings(self, volume: hv.Volume) -> None:
        """Say what was repaired or is doubtful before anything else."""
        told = to_be_told(volume.report)
        if not told:
            return
        words = in_plain_words(told[0])
        if len(told) > 1:
            words += f" And {len(told) - 1} more."
        self.banner.say(words, "warn", lambda: self.tabs.setCurrentWidget(self.series))

    def _failed(self, path: str, error: Exception) -> None:
        self.progress.hide()
        if isinstance(error, hv.PathNotFoundError) and path.endswith(SUFFIX):
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
        """Ask for the scan of a session that is no longer where it was."""
        self.banner.say(str(error), "warn")
        found = QFileDialog.getExistingDirectory(self, "Where is the scan of this session now?")
        if found:
            self.banner.hide()
            self.progress.begin("Looking for the series")
            self.opener.open_session(file, found)
        elif self.viewer is None:
            self._show_start()

    def _cancel(self) -> None:
        if not self.commands.cancel():
            self.opener.cancel()

    def _cancelled(self) -> None:
        self.progress.hide()
        if self.viewer is None:
            self._show_start()

    def _show_viewer(self, viewer: Viewer | None) -> None:
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

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self.settings.recent():
            self.recent.addAction(path, partial(self.open_path, path))
        self.recent.addSeparator()
        self.recent.addAction("Forget these", self.settings.forget_recent)

    # Doing.

    def run_action(self, name: str) -> None:
        """Do an action by its name; nothing without a volume."""
        viewer = self.viewer
        if viewer is not None:
            self._guarded(lambda: actions()[name].run(viewer))
            self._follow()

    def _run_named(self, name: str, _: bool = False) -> None:
        self.run_action(name)

    def _run_command(self, command: Command, _: bool = False) -> None:
        self._guarded(command.run)

    def show_keys(self) -> None:
        """Show what mouse and keys do."""
        files = {c.key: c.plain_label for c in self.commands.all() if c is not None}
        files |= {"?": "This help", "Ctrl+D": "Light or dark", "F9": "Side panel"}
        KeysDialog(self, files, self.mode).show()

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
            "F9": self._toggle_panel,
        }  # fmt: skip
        if name in own:
            own[name]()
        elif self.viewer is not None and self._key(name):
            self._follow()
        else:
            super().keyPressEvent(event)

    def _toggle_panel(self) -> None:
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
        self._guarded(press)
        return done

    def _guarded(self, run: Callable[[], object]) -> None:
        try:
            run()
        except Exception as error:  # whatever it is, the viewer goes on
            self.say_error("this did not work", error)

    def _follow(self) -> None:
        """Let controls show what the state says."""
        viewer = self.viewer
        for name, action in self.tool_actions.items():
            action.setEnabled(viewer is not None)
            action.setChecked(viewer is not None and viewer.tool == name)
        self.undo.setEnabled(viewer is not None and viewer.state.can_undo)
        self.redo.setEnabled(viewer is not None and viewer.state.can_redo)
        current = self.tabs.currentWidget()
        for panel in self.followers:
            if panel is current:
                panel.follow()
