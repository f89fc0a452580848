"""The real viewer in a process of its own, that also answers questions on its standard input.

Each line is a question in JSON, each answer a line of JSON. The window is driven by real X
events from outside; the questions only look.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from hounsview_vizapp.desktop import application
from hounsview_vizapp.desktop.panels.transfer import TransferEditor
from hounsview_vizapp.desktop.window import MainWindow


class Questions(QObject):
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self.asked.emit(line)
        self.asked.emit('{"do": "quit"}')

    def _answer(self, line: str) -> None:
        question = json.loads(line)
        answer = getattr(self, f"_{question.pop('do')}")(**question)
        print(json.dumps(answer), flush=True)

    def _look(self) -> dict[str, Any]:
        window = window_of()
        viewer, banner = window.viewer, window.banner
        return {
            "page": window.pages.indexOf(window.pages.currentWidget()),
            "state": None if viewer is None else viewer.state.value.to_dict(),
            "tool": None if viewer is None else viewer.tool,
            "active": None if viewer is None else viewer.active_pane,
            "playing": None if viewer is None else viewer.playing,
            "shape": None if viewer is None else viewer.volume.shape,
            "can_undo": viewer is not None and viewer.state.can_undo,
            "banner": banner.text.text() if banner.isVisible() else "",
            "refusal": window.refusal.text.text(),
            "title": window.windowTitle(),
            "busy": window.opener.is_busy or window.commands.is_busy,
            "frames": {pane: w.frames_shown for pane, w in window.grid.panes.items()},
            "scene": window.grid.scene_shown,
            "sizes": {
                pane: None if w.picture is None else w.picture.shape[:2]
                for pane, w in window.grid.panes.items()
            },
            "series": [
                [item.text(column) for column in range(3)] for item in window.series._items
            ],
            "findings": window.series.findings.toPlainText(),
            "table": window.measurements.text(),
            "status": window.statusBar().currentMessage(),
        }

    def _where(self, name: str) -> dict[str, Any]:
        """Where a widget lies on the screen: left, top, width, height."""
        window = window_of()
        widget = window if name == "window" else window.findChild(QWidget, name)
        corner = widget.mapToGlobal(QPoint(0, 0))
        return {"at": [corner.x(), corner.y(), widget.width(), widget.height()]}

    def _shot(self, path: str) -> dict[str, Any]:
        window_of().grab().save(path)
        return {}

    def _open(self, path: str) -> dict[str, Any]:
        window_of().open_path(path)
        return {}

    def _close(self) -> dict[str, Any]:
        window_of().close_volume()
        return {}

    def _tab(self, number: int) -> dict[str, Any]:
        window_of().tabs.setCurrentIndex(number)
        return {}

    def _memory(self) -> dict[str, Any]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "bytes": pages * resource.getpagesize(),
            "threads": sorted(t.name for t in threading.enumerate()),
        }

    def _break(self) -> dict[str, Any]:
        """Let a handler of Qt's own events raise from now on."""

        def broken(*_: object) -> None:
            msg = "a bug in a handler"
            raise RuntimeError(msg)

        TransferEditor.mousePressEvent = broken
        return {}

    def _quit(self) -> dict[str, Any]:
        window = window_of()
        if window.viewer is not None:
            window.viewer.mark_saved(window.viewer.state.value)
        window.close()
        return {}


def window_of() -> MainWindow:
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))


if __name__ == "__main__":
    program = QApplication(sys.argv[:1])
    questions = Questions()
    path = sys.argv[1] if len(sys.argv) > 1 else None
    mode = "light" if os.environ.get("HOUNSVIEW_TEST_MODE") == "light" else "dark"
    sys.exit(application.run(path, phantom=False, mode=mode))
