"""Drives the real window: an X server of its own, real events, questions to the child."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

TESTS = Path(__file__).parent


def _missing() -> str:
    try:
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        return f"PySide6 is not usable here: {error}"
    tools = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
    return f"{' and '.join(tools)} not installed" if tools else ""


needs_screen = pytest.mark.skipif(bool(_missing()), reason=_missing() or "a screen")


@contextmanager
def screen(size: str = "1366x768") -> Iterator[str]:
    """Give the name of a new X display."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


class Desktop:
    """The running viewer."""

    def __init__(self, display: str, settings: Path, path: str | None, **environment: str):
        self._environment = {
            **os.environ,
            "DISPLAY": display,
            "HOUNSVIEW_SETTINGS": str(settings),
            "PYTHONPATH": os.pathsep.join(
                str(TESTS.parent / folder) for folder in ("core", "vizapp")
            ),
            **environment,
        }
        self._environment.pop("WAYLAND_DISPLAY", None)
        command = [sys.executable, str(TESTS / "desktop_child.py"), *([path] if path else [])]
        self.process = subprocess.Popen(
            command, env=self._environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the viewer ended with status {self.process.poll()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def state(self) -> dict[str, Any]:
        return self.ask("look")["state"]

    def until(
        self, holds: Callable[[dict[str, Any]], Any], seconds: float = 60
    ) -> dict[str, Any]:
        """Wait until a look at the viewer shows something; the last look is returned."""
        end = time.monotonic() + seconds
        while True:
            seen = self.ask("look")
            if holds(seen):
                return seen
            assert time.monotonic() < end, f"it did not come to pass: {seen}"
            time.sleep(0.03)

    def do(self, *arguments: object) -> None:
        """Send real events: the arguments of xdotool."""
        subprocess.run(
            ["xdotool", *map(str, arguments)], env=self._environment, check=True, timeout=30
        )

    def key(self, *names: str) -> None:
        for name in names:
            self.do("key", "--clearmodifiers", name)

    def spot(self, widget: str, down: float = 0.5, right: float = 0.5) -> tuple[int, int]:
        """Return (x, y) on the screen of a place in a widget, in shares of its sides."""
        left, top, width, height = self.ask("where", name=widget)["at"]
        return round(left + right * width), round(top + down * height)

    def move(self, widget: str, down: float = 0.5, right: float = 0.5) -> None:
        self.do("mousemove", *self.spot(widget, down, right))

    def click(
        self, widget: str, down: float = 0.5, right: float = 0.5, button: int = 1
    ) -> None:
        self.move(widget, down, right)
        self.do("click", button)

    def drag(
        self,
        widget: str,
        begin: tuple[float, float],
        end: tuple[float, float],
        button: int = 1,
        key: str | None = None,
    ) -> None:
        self.move(widget, *begin)
        if key:
            self.do("keydown", key)
        self.do("mousedown", button)
        for share in (0.25, 0.5, 0.75, 1.0):
            place = [a + (b - a) * share for a, b in zip(begin, end, strict=True)]
            self.move(widget, place[0], place[1])
        self.do("mouseup", button)
        if key:
            self.do("keyup", key)

    def shot(self, path: Path) -> np.ndarray:
        """Return what the window shows, (rows, columns, 3) RGB."""
        self.ask("shot", path=str(path))
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.ask("quit")
        status = self.process.wait(60)
        self.close()
        return status

    def close(self) -> None:
        """Let go of the process, whatever it does."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def desktop(
    folder: Path, path: str | None = None, *, size: str = "1366x768", **environment: str
) -> Iterator[Desktop]:
    """Give a running viewer, on a screen of its own, that fills the screen."""
    with screen(size) as display:
        running = Desktop(display, folder / "settings", path, **environment)
        try:
            running.ask("look")
            width, height = size.split("x")
            running.do(
                "search", "--sync", "--onlyvisible", "--name", "hounsview",
                "windowmove", 0, 0, "windowsize", "--sync", width, height, "windowfocus",
            )  # fmt: skip
            yield running
        finally:
            try:
                if running.process.poll() is None:
                    running.stop()
            finally:
                running.close()
