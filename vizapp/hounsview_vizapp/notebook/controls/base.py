"""What the controls share."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import ipywidgets as widgets

from hounsview.errors import ArgumentError, HounsviewError
from hounsview_vizapp.notebook.screen import Screen
from hounsview_vizapp.session import Viewer

_NARROW: Final = {"description_width": "84px"}
_FULL: Final = {"width": "auto", "margin": "1px 2px"}


def screen_of(target: Any) -> Screen:
    """Return the screen of a view, or the screen itself.

    Raises
    ------
    ArgumentError
        If it is neither.
    """
    screen = getattr(target, "screen", target)
    if not isinstance(screen, Screen):
        msg = f"controls need a View, a SlicePane or a VolumePane, not {target!r:.80}"
        raise ArgumentError(msg)
    return screen


class Control(widgets.VBox):
    """Controls that follow a view, in a column.

    Parameters
    ----------
    target : View, SlicePane or VolumePane
    """

    def __init__(self, target: Any) -> None:
        screen = screen_of(target)  # refused before anything is made
        super().__init__(layout={"padding": "0 2px", "overflow": "hidden"})
        self.screen = screen
        self._filler: int | None = None
        self.children = tuple(self.make())
        self.follow()
        self.screen.follow_with(self.follow)

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        raise NotImplementedError

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""

    def close(self) -> None:
        """Follow no longer, and go."""
        screen = getattr(self, "screen", None)
        if screen is not None:
            screen.unfollow(self.follow)
        super().close()

    def follow(self) -> None:
        """Show what is true now."""
        viewer = self.screen.viewer
        if viewer is not None:
            with self._quietly():
                self.fill(viewer)

    def edit(self, merge: str | None = None, **changes: Any) -> None:
        """Change the view as a person asked; a refused value is told and taken back."""
        try:
            self.screen.state.change(merge=merge, **changes)
        except HounsviewError as error:
            self.screen.say_error("this value cannot be used", error)
            self.screen.follow_soon()

    def when(self, widget: Any, do: Callable[[Any], object], trait: str = "value") -> Any:
        """Call something with the new value when a person changes a widget; return it."""

        def changed(change: Mapping[str, Any]) -> None:
            # Another thread may set widgets just now: only what this one sets is not heard.
            if self._filler != threading.get_ident():
                self.screen.guarded(lambda: do(change["new"]))

        widget.observe(changed, trait)
        return widget

    def when_moved(
        self, slider: Any, do: Callable[[float], object], now: Callable[[], float]
    ) -> Any:
        """Call something when a person moves a slider away from what it shows; return it."""

        def moved(value: float) -> None:
            if not is_shown(slider, now()):
                do(value)

        return self.when(slider, moved)

    def run(self, do: Callable[[Viewer], object]) -> None:
        """Do something with what is shown; nothing while there is none."""
        viewer = self.screen.viewer
        if viewer is not None:
            self.screen.guarded(lambda: do(viewer))
            self.screen.follow_soon()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._filler = threading.get_ident()
        try:
            yield
        finally:
            self._filler = None


def heading(text: str) -> Any:
    """Return a heading."""
    return widgets.HTML(f"<b>{text}</b>", layout={"margin": "4px 2px 0"})


def choice(label: str, names: Mapping[str, str], value: str) -> Any:
    """Return a choice; `names` is name -> what is shown."""
    options = [(shown, name) for name, shown in names.items()]
    return widgets.Dropdown(
        options=options, value=value, description=label, style=_NARROW, layout=_FULL
    )


def number(label: str, low: float, high: float, value: float, step: float = 1.0) -> Any:
    """Return a number with a slider."""
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=label,
        readout_format=".1f" if step >= 1 else ".2f",
        style=_NARROW, layout=_FULL,
    )  # fmt: skip


def check(label: str, value: bool = False) -> Any:
    """Return a box to tick."""
    return widgets.Checkbox(
        value=value,
        description=label,
        indent=False,
        layout={"width": "auto", "margin": "0 6px"},
    )


def button(label: str, do: Callable[[], object], tip: str = "", width: str = "auto") -> Any:
    """Return a button."""
    made = widgets.Button(
        description=label, tooltip=tip or label, layout={"width": width, "margin": "1px 2px"}
    )
    made.on_click(lambda _: do())
    return made


def set_number(widget: Any, value: float) -> None:
    """Set a number; its range grows where it has to."""
    if not is_shown(widget, value):
        # By whole steps: another grid would make the browser move the value.
        step = widget.step
        set_range(
            widget,
            min(widget.min, math.floor(value / step) * step),
            max(widget.max, math.ceil(value / step) * step),
        )
        widget.value = value


def set_range(slider: Any, low: float, high: float) -> None:
    """Set the range of a slider; before its value, and in a message of its own.

    In one message the browser takes the value first, and cuts it off at the old range.
    """
    if (slider.min, slider.max) != (low, high):
        slider.min, slider.max = min(low, slider.max), high
        slider.min = low


def is_shown(widget: Any, value: float) -> bool:
    """Return whether a number shows a value as well as it can.

    A slider in the browser knows its steps alone, and tells the kernel the step next to what
    it was given: that must not change the view.
    """
    return bool(abs(widget.value - value) <= 0.5 * widget.step * (1 + 1e-9))


def row(*parts: Any) -> Any:
    """Return widgets in a row, or in more than one where it is narrow."""
    return widgets.HBox(parts, layout={"flex_flow": "row wrap", "width": "auto"})
