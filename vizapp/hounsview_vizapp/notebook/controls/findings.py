"""What was opened, what was found in it, and what mouse and keys do."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets as widgets

from hounsview.findings import Finding, Severity
from hounsview_vizapp.contents import in_plain_words
from hounsview_vizapp.notebook.controls import base
from hounsview_vizapp.notebook.controls.base import Control
from hounsview_vizapp.notebook.screen import BROWSER_KEYS
from hounsview_vizapp.session import Viewer
from hounsview_vizapp.tools.guide import guide

_TONES = {Severity.REFUSAL: "#d64545", Severity.REPAIR: "#c77700", Severity.WARNING: "#c77700"}


class FindingsControls(Control):
    """The series that lie under the path, and the findings of the one that is shown."""

    def make(self) -> Iterator[Any]:
        """Yield the widgets."""
        self.series = base.choice("Series", {"": "-"}, "")
        self.text = widgets.HTML("")
        self._listed: list[Any] = []
        yield self.when(self.series, self._open)
        yield self.text

    def follow(self) -> None:
        """Show what is true now, also while nothing is shown."""
        with self._quietly():
            entries = self.screen.loader.entries
            if entries != self._listed:
                self._listed = list(entries)
                self.series.options = [
                    (f"{e.number}: {e.title}, {e.slices} slices", str(n))
                    for n, e in enumerate(entries)
                ] or [("-", "")]
            viewer = self.screen.viewer
            if viewer is not None:
                self.fill(viewer)
            elif entries:
                # What was found says why nothing is shown.
                self._show("".join(findings_html(each.report.findings) for each in entries))

    def fill(self, viewer: Viewer) -> None:
        """Set the widgets as the view is."""
        source = viewer.source
        shown = [n for n, each in enumerate(self._listed) if each.source == source]
        if shown:
            self.series.value = str(shown[0])
        spacing = " x ".join(f"{mm:.4g}" for mm in viewer.volume.geometry.spacing)
        size = " x ".join(map(str, viewer.volume.shape))
        facts = f"<div>{size} (slices, rows, columns), {spacing} mm</div>"
        text = facts + findings_html(self.screen.findings)
        self._show(text)

    def _show(self, text: str) -> None:
        if text != self.text.value:
            self.text.value = text

    def _open(self, number: str) -> None:
        if number and self._listed:
            self.screen.loader.open_entry(self._listed[int(number)])


def findings_html(findings: tuple[Finding, ...]) -> str:
    """Return findings as HTML, the gravest first."""
    if not findings:
        return "<p>Nothing was found: the series is as it should be.</p>"
    order = list(Severity)
    lines = [
        f'<li><b style="color:{_TONES.get(each.severity, "inherit")}">'
        f"{escape(str(each.severity).capitalize())}</b> {escape(in_plain_words(each))}</li>"
        for each in sorted(findings, key=lambda f: order.index(f.severity), reverse=True)
    ]
    return f'<ul style="padding-left:18px;line-height:1.35">{"".join(lines)}</ul>'


def guide_html() -> str:
    """Return what mouse and keys do, as HTML."""
    parts = []
    for heading, rows in guide(without=BROWSER_KEYS).items():
        lines = "".join(
            f"<tr><td><b>{escape(key)}</b></td><td>{escape(label)}</td></tr>"
            for key, label in rows.items()
        )
        parts.append(f"<b>{heading}</b><table>{lines}</table>")
    return f'<div style="line-height:1.3;font-size:11px">{"".join(parts)}</div>'
