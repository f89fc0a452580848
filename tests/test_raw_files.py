"""Values without a header, read as the caller says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview as hv


def test_a_raw_block_is_read_as_said(tmp_path: Path) -> None:
    values = np.arange(24, dtype=">i2").reshape(2, 3, 4) - 5
    (tmp_path / "a.raw").write_bytes(b"head" + values.astype(">i2").tobytes())
    volume = hv.read_raw(
        tmp_path / "a.raw", (2, 3, 4), ">i2", (3, 2, 1), offset=4, orientation="IPR", unit="HU"
    )
    assert np.array_equal(volume.hu, values)
    assert volume.geometry.spacing == (3, 2, 1)
    assert volume.geometry.orientation == "IPR"
    assert volume.unit == "HU"
    assert volume.report.has("POSITION_UNKNOWN")
    last = hv.read_raw(tmp_path / "a.raw", (2, 3, 4), ">i2", (3, 2, 1), offset=-1)
    assert np.array_equal(last.hu, values)
    assert last.unit == "unknown"


def test_a_folder_of_raw_slices_is_read_in_the_order_of_counting(tmp_path: Path) -> None:
    for n in (1, 2, 10):
        header = bytes(n)  # of another length in each file
        (tmp_path / f"c_vm{n}.fro").write_bytes(header + np.full(6, n, ">i2").tobytes())
    (tmp_path / ".hidden").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    volume = hv.read_raw(tmp_path, (3, 2, 3), ">i2", (1, 1, 1), offset=-1)
    assert volume.hu[:, 0, 0].tolist() == [1, 2, 10]
    with pytest.raises(hv.ImageFormatError, match="3 files"):
        hv.read_raw(tmp_path, (4, 2, 3), ">i2", (1, 1, 1), offset=-1)
    with pytest.raises(hv.ImageFormatError, match=r"vm2.fro: it has 14 bytes.*offset=2 would"):
        hv.read_raw(tmp_path, (3, 2, 3), ">i2", (1, 1, 1), offset=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": (2, 2, 3)}, r"it has 8 bytes, and 12 bytes.*too large"),
        ({"shape": (2, 2, 1)}, r"it has 8 bytes, and 4 bytes.*offset=4 would fit"),
        ({"offset": 3}, r"8 bytes of values behind 3.*offset=0 would fit"),
        ({"shape": (2, 2)}, "three sizes"),
        ({"shape": (2, 2, 0)}, "three sizes"),
        ({"dtype": "object"}, "object"),
        ({"dtype": "i1,i1"}, "i1,i1"),
        ({"dtype": "c8"}, "c8"),
        ({"dtype": "nonsense"}, "nonsense"),
        ({"spacing": (1, 0, 1)}, "positive"),
        ({"spacing": (1, float("nan"), 1)}, "positive"),
        ({"orientation": "SPP"}, "SPP"),
        ({"offset": -2}, "-2"),
        ({"unit": ""}, "printable"),
    ],
)
def test_a_raw_layout_that_is_off_is_refused_in_words(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(8))
    layout = {"shape": (2, 2, 2), "dtype": "uint8", "spacing": (1, 1, 1)} | changes
    with pytest.raises((hv.ArgumentError, hv.ImageFormatError), match=words):
        hv.read_raw(tmp_path / "a.raw", **layout)
