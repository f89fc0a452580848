"""One damaged file: whatever its bytes, an answer or an error of the tree, within limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import hounsview as hv
from differential import by_pydicom, by_walking, plain
from hounsview.dicom.headers import HeaderReader

NAME = "damaged.dcm"


def tighten_limits() -> None:
    """Limits so low that a run beyond them is soon noticed."""
    hv.set_limits(
        frame_bytes=1 << 24, volume_bytes=1 << 26, inflated_bytes=1 << 24, frames=2000
    )


def check(content: bytes, folder: Path, reader: HeaderReader) -> None:
    """Read a file every way there is.

    Parameters
    ----------
    content : bytes
        Of the file.
    folder : Path
        For it alone.
    reader : HeaderReader
        One that knows the layouts of sound files.

    Raises
    ------
    AssertionError, or anything that is no HounsviewError
        If a promise is broken.
    """
    path = folder / NAME
    path.write_bytes(content)
    if b"1.2.840.10008.1.2.1.99" not in content[:2048] and content[:2] != b"PK":
        expected = plain(by_pydicom(path))
        assert plain(by_walking(path)) == expected, "walked and parsed headers differ"
        assert plain(by_walking(path, reader)) == expected, "a learnt layout misleads"
    read_every_way(folder)


def read_every_way(folder: Path) -> None:
    """Load a folder every way there is.

    Raises
    ------
    AssertionError, or anything that is no HounsviewError
        If a promise is broken.
    """
    result = hv.load_all(folder)
    assert result.volumes or result.refused
    for volume in result.volumes:
        assert volume.hu.shape == volume.geometry.shape
        assert volume.report.status != "refused"
        assert np.isfinite(volume.geometry.affine).all()
    for as_stored in (False, True):
        try:
            hv.load(folder, as_stored=as_stored)
        except hv.HounsviewError:
            continue
