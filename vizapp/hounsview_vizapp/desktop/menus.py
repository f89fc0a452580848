"""Menus and the tool bar: every action by the mouse, with its key beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolBar

from hounsview_vizapp.desktop.commands import Command
from hounsview_vizapp.tools import TOOLS
from hounsview_vizapp.tools.actions import actions

if TYPE_CHECKING:
    from hounsview_vizapp.desktop.window import MainWindow


class Menus:
    """The menu bar and the tool bar of a window.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._needing: list[QAction] = []
        """Actions that do nothing without a volume."""
        self.tools: dict[str, QAction] = {}
        self._add_file_menu()
        self._add_menus()
        self._add_tool_bar()

    def follow(self) -> None:
        """Show which tool is chosen, and what can be done now."""
        viewer = self._window.viewer
        for action in self._needing:
            action.setEnabled(viewer is not None)
        for name, action in self.tools.items():
            action.setChecked(viewer is not None and viewer.tool == name)
        self.undo.setEnabled(viewer is not None and viewer.state.can_undo)
        self.redo.setEnabled(viewer is not None and viewer.state.can_redo)

    def _add_file_menu(self) -> None:
        window = self._window
        files = window.menuBar().addMenu("&File")
        for command in window.commands.all():
            if command is None:
                files.addSeparator()
                continue
            action = QAction(command.label, window)
            action.setShortcut(command.key)
            action.triggered.connect(partial(self._run_command, command))
            files.addAction(action)
            window.addAction(action)
            if command.needs_volume:
                self._needing.append(action)
        self.recent = QMenu("Open &recent", window)
        files.insertMenu(files.actions()[2], self.recent)
        self.recent.aboutToShow.connect(self._fill_recent)

    def _add_menus(self) -> None:
        window, bar = self._window, self._window.menuBar()
        menus: dict[str, QMenu] = {}
        for each in actions().values():
            if each.group not in menus:
                menus[each.group] = bar.addMenu(each.group)
            key = f"\t{each.keys[0]}" if each.keys else ""
            # The key stands beside the label, but is no shortcut: letters must reach boxes.
            entry = menus[each.group].addAction(each.label.replace("&", "&&") + key)
            entry.triggered.connect(partial(self._run_named, each.name))
            self._needing.append(entry)
        shown = bar.addMenu("&Help")
        shown.addAction("Mouse and keys\t?", window.show_keys)
        shown.addAction("Light or dark\tCtrl+D", window.change_mode)
        shown.addAction("Side panel\tF9", window.toggle_panel)

    def _add_tool_bar(self) -> None:
        window = self._window
        bar = QToolBar("Tools")
        bar.setMovable(False)
        window.addToolBar(bar)
        bar.addAction("Open", window.commands.ask_folder).setToolTip("Open a folder (Ctrl+O)")
        bar.addSeparator()
        for name, label in TOOLS.items():
            action = bar.addAction(label)
            action.setCheckable(True)
            action.setToolTip(f"{label} ({actions()[f'tool {name}'].keys[0]})")
            action.triggered.connect(partial(self._run_named, f"tool {name}"))
            self.tools[name] = action
            self._needing.append(action)
        bar.addSeparator()
        self.undo = bar.addAction("Undo", partial(window.run_action, "undo"))
        self.redo = bar.addAction("Redo", partial(window.run_action, "redo"))
        bar.addSeparator()
        bar.addAction("Keys", window.show_keys).setToolTip("Mouse and keys (?)")

    def _fill_recent(self) -> None:
        window = self._window
        self.recent.clear()
        for path in window.settings.recent():
            self.recent.addAction(path, partial(window.open_path, path))
        self.recent.addSeparator()
        self.recent.addAction("Forget these", window.settings.forget_recent)

    def _run_named(self, name: str, _: bool = False) -> None:
        self._window.run_action(name)

    def _run_command(self, command: Command, _: bool = False) -> None:
        self._window.guarded(command.run)
