"""What a notebook shows for a volume: true numbers, safe text, readable in both themes."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

import hounsview as hv
from browser_kit import Tab
from hounsview import summary
from hounsview.findings import Finding, Report
from jupyter_kit import Server
from test_geometry import ALL_48

THORAX = hv.phantom("thorax", spacing=(6, 3, 3))
GRID = hv.Geometry.from_parts((20, 30, 40), spacing=(2.5, 0.7, 0.9))
HOSTILE = "</div><script>alert(1)</script><img src=x onerror='alert(2)'>\"'&amp;\u202egnp"


class Fragment(HTMLParser):
    """The elements, words and pictures of a fragment that must be well formed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.pictures: list[np.ndarray] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            self._open.append(tag)
            return
        source = dict(attrs)["src"] or ""
        assert source.startswith("data:image/png;base64,")
        coded = np.frombuffer(base64.b64decode(source.split(",")[1]), np.uint8)
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert picture is not None
        self.pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " | ".join(self.words)


def shown(volume: hv.Volume) -> Fragment:
    html = volume._repr_html_()
    assert "http" not in html
    fragment = Fragment(html)
    assert set(fragment.tags) <= {"div", "span", "b", "ul", "li", "img"}
    assert fragment.attributes <= {"style", "alt", "width", "height", "src"}
    return fragment


def filled_with(value: int, **more: object) -> hv.Volume:
    return hv.Volume(np.full(GRID.shape, value, np.int16), GRID, **more)  # type: ignore[arg-type]


def test_the_facts_are_those_of_the_volume() -> None:
    text = shown(THORAX).text
    for fact in (
        " x ".join(map(str, THORAX.shape)),
        "Thorax phantom",
        "6 x 3 x 3 mm",
        "SPL: slices rise to superior, rows to posterior, columns to left",
        f"{THORAX.hu.min()} to {THORAX.hu.max()} HU (int16)",
        "every voxel was measured",
        "ok",
    ):
        assert fact in text


def test_the_pictures_are_the_thumbnails() -> None:
    pictures = shown(THORAX).pictures
    for picture, plane in zip(pictures, ("axial", "coronal", "sagittal"), strict=True):
        expected = hv.thumbnail(THORAX, plane, hv.ViewState().window)
        assert np.array_equal(picture, expected)


@pytest.mark.parametrize("letters", ALL_48[::5])
def test_pictures_and_their_letters_do_not_depend_on_how_the_array_was_stored(
    letters: str,
) -> None:
    here, there = shown(THORAX), shown(THORAX.reorient(letters))
    for a, b in zip(here.pictures, there.pictures, strict=True):
        # Sums in another order may round a value of exactly a half the other way.
        assert np.abs(a.astype(int) - b.astype(int)).max() <= 1
    assert here.words[-10:] == there.words[-10:]
    assert [word for word in here.words if word in "LRAP"] == list("RLRLAP")


def test_padding_and_filled_slices_enter_no_number() -> None:
    hu = np.full(GRID.shape, 50, np.int16)
    hu[3, 4, 5], hu[6, 7, 8] = -100, 200
    valid = np.zeros(GRID.shape, np.uint8)
    for n, (bit, value) in enumerate(((1, -3000), (1, 9000), (2, -2000), (2, 8000))):
        hu[10 + n], valid[10 + n] = value, bit
    valid[0, :3, :4] = hv.Validity.SATURATED
    text = shown(hv.Volume(hu, GRID, valid)).text
    assert "-100 to 200 HU" in text
    assert "padding 10.0%, filled 10.0%, saturated under 0.1%" in text
    assert "hatched: filled" in text


def test_hostile_text_stays_text() -> None:
    told = Report((Finding("LOSSY", HOSTILE, action=HOSTILE),))
    attributes = {"SeriesDescription": HOSTILE, "ConvolutionKernel": HOSTILE, "KVP": HOSTILE}
    volume = filled_with(7, report=told, attributes=attributes, unit=HOSTILE)
    fragment = shown(volume)
    assert fragment.text.count("<script>alert(1)</script>") == 6
    assert "\u202e" not in fragment.text
    endless = shown(filled_with(7, attributes={"SeriesDescription": "<" * 100_000}))
    assert len(endless.text) < 2000


def test_no_name_is_shown() -> None:
    named = {"PatientName": "Doe^Jane", "PatientID": "4711", "OperatorsName": "Roe"}
    text = filled_with(7, attributes=named)._repr_html_()
    assert not re.search("Doe|Jane|4711|Roe", text)


def test_findings_are_told_and_notes_are_not() -> None:
    repair = Finding("SLICE_LOST", "slice 41 is missing", action="filled")
    told = Report((Finding("SINGLE_SLICE", "a note"), repair, Finding("LOSSY", "a loss")))
    text = shown(filled_with(7, report=told)).text
    assert "repaired" in text
    assert "repair | : slice 41 is missing. filled" in text
    assert "warning | : a loss" in text
    assert "a note" not in text
    many = Report(tuple(Finding("LOSSY", f"loss {n}") for n in range(30)))
    text = shown(filled_with(7, report=many)).text
    assert "loss 7" in text
    assert "loss 8" not in text
    assert "… and 22 more: print(volume.report)" in text


@pytest.mark.parametrize(
    ("unit", "words"),
    [("stored", "stored values, not HU"), ("unknown", "unit unknown"), ("HU", "HU (int16)")],
)
def test_other_units_are_said_and_shown_from_end_to_end(unit: str, words: str) -> None:
    hu = np.arange(np.prod(GRID.shape), dtype=np.int16).reshape(GRID.shape)
    fragment = shown(hv.Volume(hu, GRID, unit=unit))
    assert words in fragment.text
    ends = "black to white: -160 to 239 HU" if unit == "HU" else "0 to 2.4e+04"
    assert ends in fragment.text
    assert unit == "HU" or np.ptp(fragment.pictures[1]) > 200


def test_a_volume_where_nothing_was_measured_says_so() -> None:
    valid = np.full(GRID.shape, hv.Validity.PADDING, np.uint8)
    for unit in ("HU", "stored"):
        fragment = shown(filled_with(-1024, valid=valid, unit=unit))
        assert "no voxel was measured" in fragment.text
        assert "padding 100.0%" in fragment.text
        for picture in fragment.pictures:
            assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -3e38])
def test_values_beyond_reason_are_shown(value: float) -> None:
    hu = np.full(GRID.shape, 5, np.float32)
    hu[:, 3] = value
    for unit in ("HU", "unknown"):
        text = shown(hv.Volume(hu, GRID, unit=unit)).text
        assert f"{value:g} to 5" in text if np.isfinite(value) else "5 to 5" in text


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 64, 64), (2, 1, 300), (400, 2, 2)])
def test_any_shape_is_shown(shape: tuple[int, int, int]) -> None:
    geometry = hv.Geometry.from_parts(shape, spacing=(3, 1, 1))
    fragment = shown(hv.Volume(np.zeros(shape, np.int16), geometry))
    assert "0 to 0 HU" in fragment.text
    # No picture of a slice from its edge.
    expected = {(1, 1, 1): 3, (1, 64, 64): 1, (2, 1, 300): 1, (400, 2, 2): 1}[shape]
    assert len(fragment.pictures) == expected


def test_a_sliver_is_shown_in_words_alone() -> None:
    geometry = hv.Geometry.from_parts((1, 1, 1), spacing=(1000, 30, 1))
    fragment = shown(hv.Volume(np.zeros((1, 1, 1), np.int16), geometry))
    assert fragment.pictures == []
    assert "black to white" not in fragment.text


def test_of_a_very_large_volume_every_nth_slice_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hu = np.zeros(GRID.shape, np.int16)
    hu[3], hu[4] = 177, 99
    monkeypatch.setattr(summary, "_MOST_VOXELS", hu.size // 2)
    text = shown(hv.Volume(hu, GRID)).text
    assert "0 to 99 HU" in text
    assert "1 in 2 slices" in text


def test_an_oblique_volume_says_by_how_much() -> None:
    turn = np.radians(12)
    tilt = [[0, 0, 1], [-np.sin(turn), np.cos(turn), 0], [np.cos(turn), np.sin(turn), 0]]
    geometry = hv.Geometry.from_parts(GRID.shape, spacing=GRID.spacing, direction=tilt)
    assert "oblique by 12.0°" in shown(hv.Volume(THORAX.hu[:20, :30, :40], geometry)).text


def test_numpy_and_pydicom_are_enough() -> None:
    code = (
        "import sys\n"
        "for name in ('cv2', 'PIL', 'vtk', 'vtkmodules', 'imagecodecs', 'nibabel'):\n"
        "    sys.modules[name] = None\n"
        "import hounsview as hv\n"
        "print(hv.phantom('hu-rods', spacing=(8, 4, 4))._repr_html_().count('<img'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "3", done.stderr


@pytest.mark.slow
def test_a_notebook_shows_it_readably_in_light_and_dark(lab: Server, tab: Tab) -> None:
    code = "import hounsview as hv\nhv.phantom('thorax', spacing=(6, 3, 3))"
    lab.write("volume.ipynb", [code])
    tab.open(lab, "volume.ipynb")
    tab.run_all()
    output = ".jp-OutputArea-output:has(img[alt^=axial])"
    for dark in (False, True):
        tab.theme(dark=dark)
        # The words of the first facts; the pictures lie below.
        words = tab.pixels(output)[:60].mean(axis=2)
        background = np.median(words)
        assert background < 40 if dark else background > 230
        contrast = words.max() - background if dark else background - words.min()
        assert contrast > 150
        # Laid out at fractions of a pixel, so that its edges may be cut.
        axial = tab.pixels(f"{output} img[alt^=axial]").astype(int)
        expected = hv.thumbnail(THORAX, "axial", hv.ViewState().window)
        rows, columns, _ = expected.shape
        apart = [
            np.abs(axial[n : rows + n - 1, : columns - 1] - expected[:-1, :-1]).mean()
            for n in (0, 1)
        ]
        assert min(apart) < 2
    assert tab.outside == []
    assert tab.complaints == []
    lab.stop_kernels()
