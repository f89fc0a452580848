"""Tools that measure, the table of measurements, undo and redo."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets as widgets

from hounsview_vizapp.notebook.controls import base
from hounsview_vizapp.notebook.controls.base import Control
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools import TOOLS
from hounsview_vizapp.tools.actions import actions
from hounsview_vizapp.tools.measuring import remove_selected

_EMPTY = "<small>Choose a tool, then drag or click in a slice. Padding and filled slices are left out of every number.</small>"  # noqa: E501


class MeasureControls(Control):
    """What the left button does, and the numbers of what was drawn."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.tool = base.choice("Left button", dict(TOOLS), "crosshair")
        self.which = base.choice("Picked", {"": "none"}, "")
        self.table = widgets.HTML(_EMPTY)
        self._shown: list[dict[str, str]] = []
        yield self.when(self.tool, self._choose)
        yield base.row(
            base.button("Undo", lambda: self.run(actions()["undo"].run)),
            base.button("Redo", lambda: self.run(actions()["redo"].run)),
            base.button(
                "Whole view as at first", lambda: self.run(actions()["start again"].run)
            ),
        )
        yield self.when(self.which, self._pick)
        yield base.row(
            base.button("Remove", lambda: self.run(remove_selected)),
            base.button("Remove all", lambda: self.edit(measurements=())),
        )
        yield self.table

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        self.tool.value = viewer.tool
        rows = self.screen.numbers
        if rows != self._shown:
            self._shown = list(rows)
            named = [(f"{each['']} {each['name']}", each[""]) for each in rows]
            self.which.options = [("none", ""), *named]
            self.table.value = _table(rows)
        picked = viewer.selected
        known = picked is not None and picked < len(rows)
        self.which.value = str(picked + 1) if picked is not None and known else ""

    def _choose(self, name: str) -> None:
        def choose(viewer: Viewer) -> None:
            viewer.tool = name

        self.run(choose)

    def _pick(self, number: str) -> None:
        def pick(viewer: Viewer) -> None:
            viewer.selected = int(number) - 1 if number else None

        self.run(pick)


def _table(rows: list[dict[str, str]]) -> str:
    lines = []
    for each in rows:
        values = [
            f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
            for name, value in each.items()
            if name not in ("", "name", "kind")
        ]
        heading = f"<b>{each['']} {escape(each['name'])}</b>"
        lines.append(f'<tr><td colspan="2">{heading}</td></tr>{"".join(values)}')
    return f'<table style="line-height:1.3">{"".join(lines)}</table>' if lines else _EMPTY
