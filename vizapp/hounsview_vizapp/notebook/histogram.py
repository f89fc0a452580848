"""How often each value occurs, and over it the transfer function, its points to be dragged."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import cv2
import numpy as np

from hounsview.histograms import histogram
from hounsview.presets import rendering_presets
from hounsview.volume import Volume
from hounsview_vizapp import drawing
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.notebook.canvas import Canvas
from hounsview_vizapp.notebook.controls.base import screen_of
from hounsview_vizapp.notebook.loop import shared_loop
from hounsview_vizapp.notebook.messages import Event, Inbox, KeyEvent
from hounsview_vizapp.notebook.screen import Screen
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.curve import REACH, Curve, CurveArea
from hounsview_vizapp.tools.events import PointerEvent

_PANE: Final = "histogram"
_KEYS: Final = ("N", "Left", "Right", "Up", "Down", "Ins", "Del", "Backspace")
_ARROWS: Final = {
    "Left": (-5.0, 0.0),
    "Right": (5.0, 0.0),
    "Up": (0.0, 0.02),
    "Down": (0.0, -0.02),
}
_BARS: Final = (92, 98, 108)


class Histogram(Canvas):
    """The histogram of a volume; of a view, with its transfer function over it.

    Drag a point; double click adds one; right click or Delete removes it. With the keyboard:
    N the next point, arrows move it, Ins adds one.

    Parameters
    ----------
    target : Volume, View, SlicePane or VolumePane
    height : str
        As CSS has it.
    """

    def __init__(self, target: Any, *, height: str = "190px") -> None:
        super().__init__(
            [[_PANE]], height=height, wanted=_KEYS, label="histogram and transfer function"
        )
        self.hint = ""
        self.loop = shared_loop()
        self.curve = Curve()
        self._inbox = Inbox()
        self._screen: Screen | None = None
        self._counted: Volume | None = None
        self._heights = np.zeros(0)
        self._low, self._high = -1100.0, 2100.0
        self._colors: Any = ()
        self._dragging = False
        self._sent: Any = None
        if isinstance(target, Volume):
            self._count(target)
        else:
            self._screen = screen_of(target)
            self._screen.follow_with(self.follow)
        self.listen(self)

    def close(self) -> None:
        """Take it away, and let go of the volume."""
        self.listen(None)
        self._counted = None
        if self._screen is not None:
            self._screen.unfollow(self.follow)
        super().close()

    # What the canvas tells, in any thread.

    def on_event(self, event: Event) -> None:
        """Take an event."""
        if self._screen is not None and self._inbox.put(event):
            self.loop.post(self._handle)

    def on_pane_changed(self, pane: str) -> None:
        """Draw in the new size."""
        del pane
        self.loop.post(self._draw)

    def on_freed(self) -> None:
        """Go on where a frame had to wait."""
        self.loop.post(self._draw)

    def on_page_loaded(self) -> None:
        """Draw for a page that has nothing yet."""
        self._sent = None
        self.loop.post(self._draw)

    # What follows runs in the loop.

    def follow(self) -> None:
        """Show what the view says now."""
        viewer = None if self._screen is None else self._screen.viewer
        if viewer is None or self._dragging:
            return
        self._count(viewer.volume)
        preset, transfer = rendering_presets()[viewer.state.rendering], viewer.state.transfer
        self.curve.show(transfer.scalar_opacity or preset.scalar_opacity, transfer.shift)
        self._colors = transfer.color or preset.color
        self._draw()

    def _count(self, volume: Volume) -> None:
        if volume is self._counted:
            return
        self._counted = volume
        counts, edges = histogram(volume)
        self._low, self._high = float(edges[0]), float(edges[-1])
        logs = np.log1p(counts)
        self._heights = logs / max(float(logs.max(initial=0)), 1e-9)

    def _draw(self) -> None:
        known = self.size_of(_PANE)
        if known is None or not self.is_visible or not self.flow.is_free:
            return
        curve = self.curve
        shown = (*known, tuple(curve.points), curve.shift, curve.picked, self._colors,
                 id(self._counted))  # fmt: skip
        if shown != self._sent:
            self._sent = shown
            self.show({_PANE: self.picture(*known)}, lossless=True)

    def picture(self, size: tuple[int, int], ratio: float = 1.0) -> Picture:
        """Return the (rows, columns, 3) uint8 RGB picture."""
        picture = drawing.blank(size)
        area, height = self._area(size, ratio), max(6, round(7 * ratio))
        if area.right - area.left < 20 or area.bottom - area.top < 20:
            return picture
        bars = [
            area.place_of(hu, h) for hu, h in zip(self._centres(), self._heights, strict=True)
        ]
        outline = [(area.left, area.bottom), *bars, (area.right, area.bottom)]
        cv2.fillPoly(picture, [_whole(outline)], _BARS, cv2.LINE_AA)
        self._draw_axis(picture, area, height, ratio)
        places = self.curve.places(area)
        if places:
            line = [(area.left, places[0][1]), *places, (area.right, places[-1][1])]
            thick = max(1, round(2 * ratio))
            cv2.polylines(picture, [_whole(line)], False, drawing.BLUE, thick, cv2.LINE_AA)
        for number, at in enumerate(places):
            picked = number == self.curve.picked
            radius = round((6 if picked else 4.5) * ratio)
            cv2.circle(picture, _whole([at])[0].tolist(), radius, drawing.BLUE, -1, cv2.LINE_AA)
        if self.curve.picked is not None:
            hu, opacity = self.curve.points[self.curve.picked]
            text = f"{hu + self.curve.shift:.0f} HU  {opacity:.2f}"
            at = (round(area.top) + height, round(area.right))
            drawing.draw_text(picture, text, at, height=height, anchor="right")
        return picture

    def _draw_axis(self, picture: Picture, area: CurveArea, height: int, ratio: float) -> None:
        top, strip = round(area.bottom + 3 * ratio), round(8 * ratio)
        if self._colors:
            columns = np.arange(round(area.left), round(area.right))
            values = [area.value_at(float(x), 0)[0] - self.curve.shift for x in columns]
            known = np.array(self._colors)
            colors = [np.interp(values, known[:, 0], known[:, n]) * 255 for n in (1, 2, 3)]
            picture[top : top + strip, columns] = np.stack(colors, axis=-1).astype(np.uint8)
        for hu in (-1000, 0, 1000, 2000):
            at = (top + strip + height + round(3 * ratio), round(area.place_of(hu, 0)[0]))
            drawing.draw_text(picture, str(hu), at, height=height, anchor="centre")

    def _centres(self) -> Any:
        edges = np.linspace(self._low, self._high, len(self._heights) + 1)
        return (edges[:-1] + edges[1:]) / 2

    def _area(self, size: tuple[int, int], ratio: float) -> CurveArea:
        side = 14 * ratio
        return CurveArea(
            self._low, self._high, side, 10 * ratio, size[1] - side, size[0] - 34 * ratio
        )

    def _handle(self) -> None:
        screen = self._screen
        viewer = None if screen is None else screen.viewer
        for event in self._inbox.take():
            if screen is not None and viewer is not None:
                screen.guarded(partial(self._do, event, viewer))
        self._draw()

    def _do(self, event: Event, viewer: Viewer) -> None:
        if isinstance(event, KeyEvent):
            self._key(event.key, viewer)
        elif isinstance(event, PointerEvent):
            self._pointed(event, viewer)

    def _pointed(self, event: PointerEvent, viewer: Viewer) -> None:
        area, curve = self._area(event.size, event.pixel_ratio), self.curve
        at = (event.at[1], event.at[0])
        if event.kind == "press":
            curve.picked = curve.near(area, at, REACH * event.pixel_ratio)
            if event.button == "right":
                self._changed(viewer, curve.remove_picked())
            elif curve.picked is not None:
                self._dragging = True
                viewer.state.begin_gesture()
        elif event.kind == "double" and curve.near(area, at, REACH * event.pixel_ratio) is None:
            self._changed(viewer, curve.add(*curve.value_at(area, at)))
        elif event.kind == "move" and self._dragging and curve.picked is not None:
            curve.move_to(curve.picked, *curve.value_at(area, at))
            self._changed(viewer, True)
        elif event.kind == "release" and self._dragging:
            self._dragging = False
            viewer.state.end_gesture()

    def _key(self, key: str, viewer: Viewer) -> None:
        curve = self.curve
        if key == "N":
            curve.pick_next()
        elif key == "Ins":
            self._changed(viewer, curve.add_beside())
        elif key in ("Del", "Backspace"):
            self._changed(viewer, curve.remove_picked())
        elif key in _ARROWS and curve.picked is not None:
            hu, opacity = curve.points[curve.picked]
            right, up = _ARROWS[key]
            curve.move_to(curve.picked, hu + right, opacity + up)
            self._changed(viewer, True)

    def _changed(self, viewer: Viewer, really: bool) -> None:
        if really:
            points = {"scalar_opacity": tuple(self.curve.points)}
            viewer.state.change(merge="transfer points", transfer=points)


def _whole(points: Any) -> Any:
    return np.round(np.array(points)).astype(np.int32)
