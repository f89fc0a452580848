"""The program around the window: one that survives what goes wrong in a handler."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import TracebackType
from typing import Final

import PySide6
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from hounsview.errors import HounsviewError
from hounsview_vizapp.desktop import theme
from hounsview_vizapp.desktop.window import MainWindow
from hounsview_vizapp.freeing import keep_few_arenas
from hounsview_vizapp.rendering import prepare, use_main_loop
from hounsview_vizapp.settings import Settings

_LISTEN_MS: Final = 200
_PROBES: Final = 40


def run(
    path: str | None,
    *,
    series: str | None = None,
    unit: str | None = None,
    phantom: bool = False,
    mode: theme.Mode | None = None,
) -> int:
    """Show the viewer until it is closed; return the exit status.

    Parameters
    ----------
    path : str, optional
        What to open.
    series, unit : str, optional
        As for `hounsview.load`.
    phantom : bool
        Whether to show the thorax phantom when there is no path.
    mode : str, optional
        ``"dark"`` or ``"light"``; None: as the desktop has it.
    """
    keep_few_arenas()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    _check_signals()
    application.setApplicationName("hounsview")
    chosen = theme.system_mode(application) if mode is None else mode
    theme.apply_theme(application, chosen)
    waker = _Waker()
    use_main_loop(waker.woken.emit)
    window = MainWindow(Settings(), chosen)
    with surviving(window), ending_on_interrupt(window):
        window.resize(window.size().boundedTo(window.screen().availableSize()))
        window.show()
        if path is not None:
            window.open_path(path, series=series, unit=unit)
        elif phantom:
            window.open_phantom()
        else:
            # While a person chooses; beside reading it would only delay the first slices.
            Thread(target=prepare, name="hounsview prepare", daemon=True).start()
        return application.exec()


class _Waker(QObject):
    """Gets functions into the main loop, for 3D scenes that must be drawn there."""

    woken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.woken.connect(lambda run: run(), Qt.ConnectionType.QueuedConnection)


class _Probe(QObject):
    sent = Signal()


def _check_signals() -> None:
    """Refuse a PySide6 whose signals lose references to True: it would crash later.

    Raises
    ------
    HounsviewError
    """
    probe, before = _Probe(), sys.getrefcount(True)
    for _ in range(_PROBES):
        probe.sent.emit()
    if before - sys.getrefcount(True) >= _PROBES // 2:
        msg = (
            f"PySide6 {PySide6.__version__} on Python {sys.version.split()[0]} crashes after "
            "some thousand signals (it loses references to True). Install "
            "'PySide6_Essentials<6.12', or use Python 3.12 or newer"
        )
        raise HounsviewError(msg)


@contextmanager
def ending_on_interrupt(window: MainWindow) -> Iterator[None]:
    """Close the window on Ctrl-C in the terminal, which Qt's loop would not hear."""
    before = signal.signal(signal.SIGINT, lambda *_: window.close())
    # Python hears signals only between its own instructions: run some now and then.
    listen = QTimer(window)
    listen.timeout.connect(lambda: None)
    listen.start(_LISTEN_MS)
    try:
        yield
    finally:
        listen.stop()
        signal.signal(signal.SIGINT, before)


@contextmanager
def surviving(window: MainWindow) -> Iterator[None]:
    """Say in the window what a handler raised, instead of a line that nobody sees."""
    before = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        before(kind, error, trace)
        if isinstance(error, Exception):
            window.say_error("this did not work", error)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
