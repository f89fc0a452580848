"""Commands on files: open, save, copy; with a job for what takes long."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox

from hounsview import surfaces
from hounsview.sessions import SUFFIX, write_session
from hounsview_vizapp.desktop import questions, saving
from hounsview_vizapp.desktop.events import device_size
from hounsview_vizapp.jobs import Job, Tell
from hounsview_vizapp.movies import MovieWish
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tissuework import Found

if TYPE_CHECKING:
    from hounsview_vizapp.desktop.window import MainWindow

T = TypeVar("T")

_OPENABLE = (
    # Files of a scanner mostly have no ending.
    "All files (*);;CT (*.dcm *.ima *.zip DICOMDIR *.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd "
    f"*.npz *{SUFFIX})"
)


@dataclass(frozen=True)
class Command:
    """One line of the File menu."""

    label: str
    key: str
    run: Callable[[], object]
    needs_volume: bool = True

    @property
    def plain_label(self) -> str:
        """The label without the mark of its letter in the menu."""
        return self.label.replace("&", "").removesuffix("...")


class Commands(QObject):
    """The commands of a window.

    Parameters
    ----------
    window : MainWindow
    """

    _said = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job[Any] | None = None
        self._said.connect(lambda run: run(), Qt.ConnectionType.QueuedConnection)

    def all(self) -> Iterator[Command | None]:
        """Yield the commands in the order of the menu; None stands for a line."""
        window = self._window
        yield Command("Open &folder...", "Ctrl+O", self.ask_folder, False)
        yield Command("Open f&ile or session...", "Ctrl+Shift+O", self.ask_file, False)
        yield Command("&Close", "Ctrl+W", window.close_volume)
        yield None
        yield Command("Save &session...", "Ctrl+S", self.save_session)
        yield Command("Save &picture...", "Ctrl+P", self.save_picture)
        yield Command("Save &movie...", "Ctrl+M", self.save_movie)
        yield Command("Save m&esh...", "Ctrl+E", self.save_mesh)
        yield Command("Save as P&ython...", "Ctrl+Shift+S", self.save_script)
        yield Command("Cop&y as Python", "Ctrl+Shift+C", self.copy_script)
        yield Command("Copy measurement &table", "Ctrl+Shift+T", window.measurements.copy)
        yield None
        yield Command("F&ull screen", "F11", self.full_screen, False)
        yield Command("&Quit", "Ctrl+Q", window.close, False)

    # Opening.

    def ask_folder(self) -> None:
        """Ask for a folder, and open it."""
        path = QFileDialog.getExistingDirectory(self._window, "Open a folder with a CT")
        if path:
            self._window.open_path(path)

    def ask_file(self) -> None:
        """Ask for a file, and open it."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open a CT", "", _OPENABLE)
        if path:
            self._window.open_path(path)

    # Saving.

    def save_session(self) -> None:
        """Ask where, and save the session."""
        viewer = self._needed()
        if viewer is None:
            return
        path = questions.ask_target(
            self._window, "Save session", f"view{SUFFIX}", {"Session": SUFFIX}
        )
        if path is not None:
            session = viewer.saved()
            self._run(
                f"Writing {path.name}",
                lambda _: write_session(session, path),
                on_written=lambda: viewer.mark_saved(session.state),
            )

    def save_picture(self) -> None:
        """Ask which and where, and save a picture."""
        viewer = self._needed()
        if viewer is None:
            return
        dialog = saving.PictureDialog(self._window, viewer)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        path = questions.ask_target(self._window, "Save picture", "ct.png", {"PNG": ".png"})
        if path is not None:
            self.write_picture(dialog.wish(), path)

    def write_picture(self, wish: saving.PictureWish, path: Path) -> None:
        """Save a picture."""
        viewer = self._needed()
        if viewer is None:
            return
        ratio = self._window.devicePixelRatioF()
        rows, columns = (round(n / ratio) for n in device_size(self._window.grid))
        draw = partial(
            saving.write_picture, viewer.volume, viewer.state.value, wish, (rows, columns),
            path, tissues=viewer.tissue_map,
        )  # fmt: skip
        self._run(f"Drawing {path.name}", draw)

    def save_movie(self) -> None:
        """Ask which and where, and save a movie."""
        viewer = self._needed()
        if viewer is None:
            return
        dialog = saving.MovieDialog(self._window, viewer)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        path = questions.ask_target(
            self._window, "Save movie", "ct.mp4", {"Movie": ".mp4", "Animation": ".gif"}
        )
        if path is not None:
            self.write_movie(dialog.wish(), path)

    def write_movie(self, wish: MovieWish, path: Path) -> None:
        """Save a movie."""
        viewer = self._needed()
        if viewer is not None:
            draw = partial(
                saving.write_movie, viewer.volume, viewer.state.value, wish, path,
                tissues=viewer.tissue_map,
            )  # fmt: skip
            self._run(f"Drawing {path.name}", draw)

    def save_mesh(self) -> None:
        """Ask where, and save the first surface that is shown."""
        viewer = self._needed()
        if viewer is None:
            return
        shown = [surface for surface in viewer.state.surfaces if surface.shown]
        if not shown:
            self._window.banner.say("No surface is shown: choose one under Surfaces first.")
            return
        kinds = {suffix[1:].upper(): suffix for suffix in surfaces.FORMATS}
        path = questions.ask_target(
            self._window, f"Save the surface {shown[0].name}", "ct.stl", kinds
        )
        if path is not None:
            write = partial(
                saving.write_mesh, viewer.volume, shown[0], path, tissues=viewer.tissue_map
            )
            self._run(f"Writing {path.name}", write)

    def save_script(self) -> None:
        """Ask where, and save the script that draws this view."""
        viewer = self._needed()
        if viewer is None:
            return
        path = questions.ask_target(
            self._window, "Save as Python", "view.py", {"Python": ".py"}
        )
        if path is not None:
            text = viewer.script()
            self._run(f"Writing {path.name}", lambda _: saving.write_text(path, text))

    def copy_script(self) -> None:
        """Copy the script that draws this view."""
        viewer = self._needed()
        if viewer is not None:
            QGuiApplication.clipboard().setText(viewer.script())
            self._window.statusBar().showMessage("The script is in the clipboard.", 4000)

    def full_screen(self) -> None:
        """Fill the screen, or no longer."""
        window = self._window
        if window.isFullScreen():
            window.showNormal()
        else:
            window.showFullScreen()

    def find_tissues(self) -> None:
        """Look for tissues once they are to be shown; again only if a person asks again."""
        viewer = self._window.viewer
        if viewer is None or not viewer.needs_tissues or self._job is not None:
            return

        def work(tell: Tell) -> Found:
            return viewer.find_tissues(tell)

        self._start("Looking for tissues", work, viewer.show_tissues, viewer)

    # Jobs.

    def cancel(self) -> bool:
        """Stop what is being saved; return whether something was."""
        running = self._job is not None
        if self._job is not None:
            self._job.cancel()
        return running

    def finish(self) -> None:
        """Wait for what is being saved to be written."""
        while (job := self._job) is not None:
            job.wait(0.02)
            QCoreApplication.processEvents()

    def wait(self) -> None:
        """Stop, and wait for the end of the thread."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.wait(30)

    @property
    def is_busy(self) -> bool:
        """Whether something is being saved."""
        return self._job is not None

    def details_of(self, error: Exception) -> Callable[[], None]:
        """Return what shows an exception with its traceback, to be sent to the makers."""
        text = "".join(traceback.format_exception(error))

        def show() -> None:
            box = QMessageBox(self._window)
            box.setWindowTitle("Details")
            box.setText(f"{type(error).__name__}: {error}")
            box.setDetailedText(text)
            box.exec()

        return show

    def _needed(self) -> Viewer | None:
        viewer = self._window.viewer
        if viewer is None:
            self._window.banner.say("Nothing is open.")
        return viewer

    def _run(
        self,
        what: str,
        work: Callable[[Tell], Path],
        on_written: Callable[[], object] = lambda: None,
    ) -> None:
        """Write a file in a thread; say how it ended."""
        if self._job is not None:
            self._window.banner.say("Something is being saved: wait for it, or cancel it.")
            return

        def written(path: Path) -> None:
            on_written()
            self._window.statusBar().showMessage(f"Written: {path}", 8000)

        self._start(what, work, written, None)

    def _start(
        self,
        what: str,
        work: Callable[[Tell], T],
        on_done: Callable[[T], object],
        viewer: Viewer | None,
    ) -> None:
        """Do one piece of work in a thread; `viewer` is whose tissues are looked for."""
        window, ended = self._window, self._said.emit
        window.saving.begin(what)

        def done(result: T) -> None:
            ended(partial(self._end, partial(on_done, result)))

        def failed(error: Exception) -> None:
            ended(partial(self._failed, error, viewer))

        self._job = Job(
            work,
            on_done=done,
            on_error=failed,
            on_progress=lambda *told: ended(partial(window.saving.tell, *told)),
            on_cancelled=lambda: ended(partial(self._failed, None, viewer)),
        )

    def _end(self, run: Callable[[], object]) -> None:
        self._job = None
        self._window.saving.hide()
        self._window.guarded(run)

    def _failed(self, error: Exception | None, viewer: Viewer | None) -> None:
        """Say that work failed, or (None) that it was stopped."""
        self._job = None
        window = self._window
        window.saving.hide()
        if viewer is not None:
            # Else it would be looked for again at once.
            viewer.show_tissues(None)
        if error is not None:
            what = "it was not saved" if viewer is None else "tissues were not found"
            window.say_error(what, error)
        else:
            window.statusBar().showMessage("Cancelled, nothing was written.", 8000)
