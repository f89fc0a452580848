"""Windows: the Standard's formulas, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hounsview as hv

FUNCTIONS = ["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@pytest.mark.parametrize(
    ("hu", "grey"),
    [
        # C.11.2.1.2.1 with c = 2048, w = 4096: (0 - 2047.5) / 4095 + 0.5 = 0.
        (-1, 0),
        (0, 0),
        (1, 0),  # 255 / 4095 = 0.06
        (9, 1),  # 9 * 255 / 4095 = 0.56
        (2048, 128),  # 127.53
        (2047, 127),  # 127.47
        (4094, 255),  # 254.94
        (4095, 255),
        (4096, 255),
    ],
)
def test_linear_follows_the_example_of_the_standard(hu, grey):
    assert hv.Window(2048, 4096).apply(np.array([hu], np.int16))[0] == grey


@pytest.mark.parametrize(("hu", "grey"), [(99, 0), (100, 255)])
def test_linear_of_width_one_is_a_threshold(hu, grey):
    # x <= 100 - 0.5 is black, everything above it white.
    assert hv.Window(100, 1).apply(np.array([hu], np.int16))[0] == grey


@pytest.mark.parametrize(
    ("hu", "grey"),
    [(-100, 0), (-60, 26), (0, 64), (50, 96), (100, 128), (200, 191), (300, 255), (301, 255)],
)
def test_linear_exact_by_hand(hu, grey):
    # c = 100, w = 400: ((x - 100) / 400 + 0.5) * 255; 25.5 and 127.5 round to even.
    assert hv.Window(100, 400, "LINEAR_EXACT").apply(np.array([hu], np.float32))[0] == grey


@pytest.mark.parametrize(
    ("hu", "grey"), [(-32768, 0), (-160, 30), (-60, 69), (40, 128), (140, 186), (32767, 255)]
)
def test_sigmoid_by_hand(hu, grey):
    # c = 40, w = 400: 255 / (1 + exp(-4 (x - 40) / 400)): 30.4, 68.6, 127.5, 186.4.
    assert hv.Window(40, 400, "SIGMOID").apply(np.array([hu], np.int16))[0] == grey


@given(
    st.floats(-3000, 3000),
    st.floats(1, 6000),
    st.sampled_from(FUNCTIONS),
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=50),
)
def test_table_and_direct_formula_agree(center, width, function, values):
    window = hv.Window(center, width, function)
    hu = np.array(values, np.int16)
    grey = window.apply(hu)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, window.apply(hu.astype(np.float32)))
    order = np.argsort(hu)
    assert (np.diff(grey[order].astype(int)) >= 0).all()


def test_apply_keeps_the_shape_and_takes_views():
    hu = np.arange(-500, 500, dtype=np.int16).reshape(10, 20, 5)
    window = hv.window_presets()["abdomen"]
    turned = hu[::-1, ::2].transpose(2, 0, 1)
    np.testing.assert_array_equal(
        window.apply(turned), window.apply(hu)[::-1, ::2].transpose(2, 0, 1)
    )


def test_not_a_number_is_black():
    hu = np.array([np.nan, np.inf, -np.inf], np.float32)
    for function in FUNCTIONS:
        assert hv.Window(0, 100, function).apply(hu).tolist() == [0, 255, 0]


def test_range_is_where_black_ends_and_white_begins():
    assert hv.Window(40, 400).range == (-160, 239)
    assert hv.Window(40, 400, "LINEAR_EXACT").range == (-160, 240)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((40, 0), "at least 1 HU, not 0"),
        ((40, 0.5), "LINEAR_EXACT allows"),
        ((40, 0, "LINEAR_EXACT"), "above 0 HU"),
        ((40, -1, "SIGMOID"), "above 0 HU"),
        ((float("nan"), 1), "center must be a finite"),
        ((0, float("inf")), "width must be a finite"),
        ((0, "wide"), "width must be a finite"),
        ((0, 1, "CUBIC"), "must be one of"),
    ],
)
def test_a_window_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(hv.ArgumentError, match=message):
        hv.Window(*arguments)


def test_presets_are_there_distinct_and_read_only():
    presets = hv.window_presets()
    assert list(presets) == [
        "lung", "mediastinum", "soft tissue", "bone", "brain",
        "subdural", "stroke", "abdomen", "liver", "angio",
    ]  # fmt: skip
    assert len(set(presets.values())) == len(presets)
    assert presets["lung"] == hv.Window(-600, 1500)
    with pytest.raises(TypeError):
        presets["lung"] = hv.Window(0, 1)
    with pytest.raises(ValueError, match="read-only"):
        presets["lung"].table()[0] = 1
