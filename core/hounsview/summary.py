"""What a notebook shows for a volume: facts, findings and three small pictures, as HTML.

It needs numpy alone, reads no patient's name (a volume has none), and takes its colours
from Jupyter's theme.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.findings import Severity
from hounsview.planes import NORMAL, direction_letters, is_aligned, patient_text
from hounsview.slices import OrthogonalSlice, Picture, drawn, orthogonal_slice
from hounsview.viewstate import PLANES, ViewState
from hounsview.volume import Validity, Volume
from hounsview.windows import Window

_SIDE: Final = 160
_THINNEST: Final = 12
"""px: a picture of one slice from its edge shows nothing."""
_MOST_FINDINGS: Final = 8
_LONGEST: Final = 400
_MOST_VOXELS: Final = 1 << 28
"""Beyond, numbers are of every n-th slice: a cell should not take seconds."""

_NAMES: Final = dict(
    zip("LRPASI", "left right posterior anterior superior inferior".split(), strict=True)
)
_DESCRIBING: Final = (("SeriesDescription", ""), ("ConvolutionKernel", "kernel "), ("KVP", ""))
_UNITS: Final = {"KVP": " kV"}
_SHARES: Final = {
    Validity.PADDING: "padding",
    Validity.FILLED: "filled",
    Validity.RESAMPLED: "resampled",
    Validity.SATURATED: "saturated",
}
_STATUS_COLORS: Final = {
    "ok": "var(--jp-success-color1, #388e3c)",
    "refused": "var(--jp-error-color1, #d32f2f)",
}
_OTHER_COLOR: Final = "var(--jp-warn-color1, #e67700)"
_FAINT: Final = "color: var(--jp-content-font-color2, inherit); opacity: .8"
_BOX: Final = (
    "display: inline-block; max-width: 100%; box-sizing: border-box; padding: 8px 12px; "
    "border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .5)); border-radius: 4px; "
    "color: var(--jp-content-font-color1, inherit); line-height: 1.4; "
    "font-family: var(--jp-content-font-family, sans-serif); font-size: 13px"
)
_GRID: Final = (
    "display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 1px 12px; "
    "margin: 6px 0"
)
_ROW: Final = "display: flex; flex-wrap: wrap; gap: 10px; align-items: flex-end"


@dataclass(frozen=True)
class _Values:
    """What is in a volume's array.

    `low` and `high` are of the measured voxels (None: there are none), `shares` 0 to 1 by
    bit of `Validity`, `step` n where every n-th slice was looked at.
    """

    low: float | None
    high: float | None
    shares: dict[Validity, float]
    step: int


def html_of(volume: Volume) -> str:
    """Return the HTML fragment that a notebook shows for a volume."""
    values = _values(volume)
    shape = " x ".join(str(n) for n in volume.shape)
    heading = f"<b>Volume</b> {shape} <span style='{_FAINT}'>(slices, rows, columns)</span>"
    facts = "".join(
        f"<div style='{_FAINT}'>{escape(name)}</div><div>{_text(fact)}</div>"
        for name, fact in _facts(volume, values)
    )
    return (
        f"<div style='{_BOX}'><div>{heading}</div><div style='{_GRID}'>{facts}</div>"
        f"{_report(volume)}{_pictures(volume, values)}</div>"
    )


def _values(volume: Volume) -> _Values:
    step = -(-volume.hu.size // _MOST_VOXELS)
    hu = volume.hu[::step]
    valid = None if volume.valid is None else volume.valid[::step]
    counts = dict.fromkeys(Validity, 0)
    low, high = np.inf, -np.inf
    for k in range(len(hu)):
        measured = hu[k]
        if valid is not None and (bits := int(np.bitwise_or.reduce(valid[k], axis=None))):
            for bit in Validity:
                if bits & bit:
                    counts[bit] += int(np.count_nonzero(valid[k] & np.uint8(bit)))
            out = np.uint8(Validity.PADDING | Validity.FILLED)
            measured = measured[(valid[k] & out) == 0]
        if measured.dtype.kind == "f":
            measured = measured[np.isfinite(measured)]
        if measured.size:
            low, high = min(low, float(measured.min())), max(high, float(measured.max()))
    shares = {bit: count / hu.size for bit, count in counts.items() if count}
    if low > high:
        return _Values(None, None, shares, step)
    return _Values(low, high, shares, step)


def _facts(volume: Volume, values: _Values) -> Iterator[tuple[str, str]]:
    """Yield name and text of each fact, not yet escaped."""
    geometry = volume.geometry
    described = [
        f"{word}{volume.attributes[keyword]}{_UNITS.get(keyword, '')}"
        for keyword, word in _DESCRIBING
        if volume.attributes.get(keyword, "").strip()
    ]
    if described:
        yield "Series", " · ".join(described)
    extent = (n * mm for n, mm in zip(volume.shape, geometry.spacing, strict=True))
    yield (
        "Spacing",
        (
            f"{' x '.join(f'{mm:.4g}' for mm in geometry.spacing)} mm, "
            f"together {' x '.join(f'{mm:.4g}' for mm in extent)} mm"
        ),
    )
    k, j, i = (_NAMES[letter] for letter in geometry.orientation)
    tilt = "" if is_aligned(geometry) else f"; oblique by {_tilt(volume):.1f}°"
    yield (
        "Orientation",
        f"{geometry.orientation}: slices rise to {k}, rows to {j}, columns to {i}{tilt}",
    )
    yield "Values", _range_text(volume, values)
    shares = [f"{_SHARES[bit]} {_percent(share)}" for bit, share in values.shares.items()]
    yield "Marked", ", ".join(shares) or "nothing: every voxel was measured"
    if values.step > 1:
        yield "", f"values and marks are those of 1 in {values.step} slices"


def _range_text(volume: Volume, values: _Values) -> str:
    if values.low is None:
        return "no voxel was measured"
    kinds = {"HU": " HU", "stored": ", stored values, not HU"}
    kind = kinds.get(volume.unit, f", unit {volume.unit}")
    return f"{values.low:g} to {values.high:g}{kind} ({volume.hu.dtype})"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"


def _tilt(volume: Volume) -> float:
    """Return the largest angle between an array axis and its patient axis, degrees."""
    closest = np.abs(volume.geometry.direction).max(axis=0).min()
    return float(np.degrees(np.arccos(min(closest, 1.0))))


def _report(volume: Volume) -> str:
    status = str(volume.report.status)
    color = _STATUS_COLORS.get(status, _OTHER_COLOR)
    told = [f for f in volume.report.findings if f.severity != Severity.NOTE]
    lines = [
        f"<li><b>{escape(str(f.severity))}</b>: {_text(str(f))}</li>"
        for f in told[:_MOST_FINDINGS]
    ]
    if len(told) > _MOST_FINDINGS:
        lines.append(f"<li>… and {len(told) - _MOST_FINDINGS} more: print(volume.report)</li>")
    listed = (
        f"<ul style='margin: 2px 0 6px; padding-left: 20px'>{''.join(lines)}</ul>"
        if lines
        else ""
    )
    badge = (
        f"<b style='color: {color}; border: 1px solid {color}; border-radius: 3px; "
        f"padding: 0 5px'>{escape(status)}</b>"
    )
    return (
        f"<div style='margin: 4px 0'><span style='{_FAINT}'>Report</span> {badge}</div>{listed}"
    )


def _pictures(volume: Volume, values: _Values) -> str:
    window = _window(volume, values)
    figures = []
    for plane in PLANES:
        shown = orthogonal_slice(volume, plane)
        picture = drawn(shown, window, _SIDE)
        if min(picture.shape[:2]) >= _THINNEST:
            figures.append(_figure(shown, picture))
    if not figures:
        return ""
    unit = " HU" if volume.unit == "HU" else ""
    low, high = window.range
    legend = f"black to white: {low:.4g} to {high:.4g}{unit}; slate: not measured"
    if Validity.FILLED in values.shares:
        legend += "; hatched: filled"
    return (
        f"<div style='{_ROW}'>{''.join(figures)}</div>"
        f"<div style='{_FAINT}; font-size: 11px'>{escape(legend)}</div>"
    )


def _window(volume: Volume, values: _Values) -> Window:
    """Return the window of the viewer's first view: for other units, from end to end."""
    if volume.unit == "HU":
        return ViewState().window
    low, high = (0.0, 1.0) if values.low is None else (values.low, values.high or 0.0)
    return Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT")


def _figure(shown: OrthogonalSlice, picture: Picture) -> str:
    left, right = (direction_letters(side) for side in (-shown.right, shown.right))
    place = patient_text(shown.position).removesuffix(" mm").split("  ")[NORMAL[shown.plane]]
    text = f"{shown.plane} {place} mm"
    rows, columns = picture.shape[:2]
    source = b64encode(png_of(picture)).decode("ascii")
    return (
        f"<div><img alt='{escape(text)}' width='{columns}' height='{rows}' "
        f"style='display: block; margin: 0 auto; max-width: none' "
        f"src='data:image/png;base64,{source}'>"
        f"<div style='display: flex; justify-content: space-between; gap: 8px; "
        f"font-size: 11px; min-width: {columns}px'>"
        f"<b>{left}</b><span>{escape(text)}</span><b>{right}</b></div></div>"
    )


def _text(words: str) -> str:
    """Return text of foreign origin, safe in HTML and no longer than a few lines."""
    plain = "".join(c if c.isprintable() else " " for c in words[: _LONGEST + 1])
    return escape(plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…")


def png_of(picture: npt.NDArray[Any]) -> bytes:
    """Return a (rows, columns, 3) uint8 RGB picture as a PNG file (ISO/IEC 15948).

    The library must draw where neither OpenCV nor Pillow is, as inside 3D Slicer.
    """
    rows, columns = picture.shape[:2]
    # Each row begins with its filter type; 0 is none.
    lines = np.zeros((rows, 1 + 3 * columns), np.uint8)
    lines[:, 1:] = picture.reshape(rows, -1)
    header = struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
