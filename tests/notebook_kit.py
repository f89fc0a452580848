"""A page that shows a canvas, without a browser: takes frames and confirms them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np


class Page:
    """What a browser does with a canvas, and what it has seen.

    `confirm=False` leaves it to the test to say that frames were shown.
    """

    def __init__(
        self, canvas: Any, size: tuple[int, int] = (300, 360), *, confirm: bool = True
    ) -> None:
        self.canvas = canvas
        self.size = size
        self.confirm = confirm
        self.batches: list[dict[str, str]] = []
        self.frames: dict[str, np.ndarray] = {}
        self.last = 0
        canvas.send = self._take

    def load(self) -> Page:
        """Show the canvas, as a page does that was just opened."""
        self.tell(type="ready")
        for pane in self.canvas.panes:
            self.resize(pane, self.size)
        self.tell(type="visible", visible=True)
        return self

    def resize(self, pane: str, size: tuple[int, int], ratio: float = 1.0) -> None:
        self.tell(type="size", pane=pane, rows=size[0], columns=size[1], ratio=ratio)

    def tell(self, **message: Any) -> None:
        self.canvas._handle_custom_msg(message, [])

    def pointer(
        self, kind: str, pane: str, at: tuple[float, float], button: str = "", *held: str
    ) -> None:
        self.tell(
            type="pointer", kind=kind, pane=pane, row=at[0], column=at[1], rows=self.size[0],
            columns=self.size[1], button=button, modifiers=list(held), ratio=1.0,
        )  # fmt: skip

    def drag(
        self, pane: str, start: tuple[float, float], end: tuple[float, float], button: str
    ) -> None:
        self.pointer("press", pane, start, button)
        self.pointer("move", pane, end, button)
        self.pointer("release", pane, end, button)

    def wheel(self, pane: str, steps: float, *held: str) -> None:
        middle = (self.size[0] / 2, self.size[1] / 2)
        self.tell(
            type="wheel", pane=pane, row=middle[0], column=middle[1], rows=self.size[0],
            columns=self.size[1], steps=steps, modifiers=list(held), ratio=1.0,
        )  # fmt: skip

    def key(self, name: str) -> None:
        self.tell(type="key", key=name)

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        assert message["type"] == "frames"
        assert len(message["frames"]) == len(buffers)
        for told, data in zip(message["frames"], buffers, strict=True):
            coded = np.frombuffer(data, np.uint8)
            bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
            self.frames[told["pane"]] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        self.batches.append({told["pane"]: told["mime"] for told in message["frames"]})
        self.last = message["number"]
        if self.confirm:
            self.canvas.loop.post(lambda: self.tell(type="shown", number=self.last))


def eventually(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
