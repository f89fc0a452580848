"""The common case, converted in the memory of the volume, equals the general way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hounsview as hv
from hounsview import inplace, reading
from hounsview.dicom.decoding import read_frame
from hounsview.dicom.frames import Frame
from hounsview.dicom.headers import read_frames
from hounsview.hounsfield import convert, measured_range
from series_kit import make_slice, positions, save, write_series

ROWS, COLUMNS = 8, 9


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    path = tmp_path_factory.mktemp("inplace") / "a.dcm"
    save(make_slice(positions()[0], Rows=ROWS, Columns=COLUMNS, PixelData=bytes(144)), path)
    frames = read_frames(path)
    assert isinstance(frames, tuple)
    return frames[0]


def changed(frame: Frame, bits: int, signed: bool, intercept: int, padding: Any) -> Frame:
    layout = replace(
        frame.format,
        bits_stored=bits,
        high_bit=bits - 1,
        signed=signed,
        rows=ROWS,
        columns=COLUMNS,
    )
    rescale = replace(frame.rescale, intercept=float(intercept))
    common = replace(frame.common, format=layout, rescale=rescale, padding=padding)
    return replace(frame, common=common)


@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.sampled_from([12, 13, 15, 16]),
    signed=st.booleans(),
    intercept=st.sampled_from([0, -1024, -1000, 1, -8192, 32768, -40000]),
    low=st.integers(-33000, 66000),
    width=st.integers(0, 5000),
    pad=st.sampled_from([None, -2000, 63536, 0, 30, 0x8000, 4095]),
    limit=st.sampled_from([None, -1990, 40, 0x8010]),
    share=st.sampled_from([0.0, 0.02, 0.4, 1.0]),
)
@settings(max_examples=500, deadline=None)
def test_both_ways_give_the_same_values_marks_and_facts(
    frame: Frame, seed: int, bits: int, signed: bool, intercept: int, low: int, width: int,
    pad: int | None, limit: int | None, share: float,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    words = rng.integers(low, low + width + 1, (ROWS, COLUMNS))
    if pad is not None:
        words[rng.random((ROWS, COLUMNS)) < share] = pad
        words[0, 0] = words[-1, -1] = pad
    cells = (words & 0xFFFF).astype(np.uint16).view(np.int16)
    padding = () if pad is None else (pad & 0xFFFF,)
    if padding and limit is not None:
        padding = (*padding, limit & 0xFFFF)
    one = changed(frame, bits, signed, intercept, padding if seed % 3 else ())
    assert inplace.is_simple(one)
    values, valid = cells.copy(), np.zeros((ROWS, COLUMNS), np.uint8)
    facts = inplace.convert_in_place(values, valid, one)
    if facts is None:
        assert not valid.any()
        return
    general = convert(cells.view(np.uint16), one, as_stored=False, precision=None)
    expected = np.where(general.padding, -1024, general.values)
    assert np.array_equal(values, expected)
    bits_set = general.padding * np.uint8(1) | general.saturated * np.uint8(8)
    assert np.array_equal(valid, bits_set)
    assert (facts.lowest, facts.highest) == measured_range(general.values, general.padding)
    assert facts.padding_hu == general.padding_hu
    assert facts.tagged == general.tagged
    assert facts.padded == general.padding.any()
    assert facts.saturated == general.saturated.sum()
    assert facts.kept_inside == general.kept_inside == 0


def test_ordinary_slices_take_the_short_way(frame: Frame) -> None:
    for bits, signed, intercept in ((12, False, -1024), (16, True, 0), (16, False, -1024)):
        one = changed(frame, bits, signed, intercept, (63536,))
        cells = np.arange(72, dtype=np.int16).reshape(ROWS, COLUMNS) * 40
        if signed:
            cells[:, 0] = -2000
        facts = inplace.convert_in_place(cells, np.zeros((ROWS, COLUMNS), np.uint8), one)
        assert facts is not None
        assert facts.padded == signed


@pytest.mark.parametrize("pad", [False, True])
def test_a_series_is_the_same_by_both_ways(
    pad: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_series(tmp_path, RescaleIntercept=-1024, PixelRepresentation=0)
    if pad:
        import pydicom

        for file in files:
            ds = pydicom.dcmread(file)
            cells = ds.pixel_array.copy()
            cells[:, :4] = 0
            ds.PixelData = cells.tobytes()
            ds.add_new(0x00280120, "US", 0)
            ds.save_as(file)
    short = hv.load(tmp_path)
    monkeypatch.setattr(reading, "is_simple", lambda _: False)
    general = hv.load(tmp_path)
    assert np.array_equal(short.hu, general.hu)
    assert short.report == general.report
    if general.valid is None:
        assert short.valid is None
    else:
        assert short.valid is not None
        assert np.array_equal(short.valid, general.valid)
    assert read_frame(hv.scan(tmp_path).series[0].frames[0])[0].shape == (20, 24)
