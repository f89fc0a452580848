"""Volumes, and small image files with wrong fields, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

import hounsview as hv

IMAGES = (".nii", ".nii.gz", ".nrrd", ".mha")
ALL = (*IMAGES, ".npz")
OBLIQUE = np.linalg.qr(np.array([[0.9, 0.2, 0.1], [-0.3, 0.8, 0.3], [0.2, -0.1, 1.0]]))[0]


def volume_of(
    direction: np.ndarray = OBLIQUE, dtype: Any = np.int16, **parts: Any
) -> hv.Volume:
    hu = np.random.default_rng(2).integers(-1024, 3000, (4, 3, 5)).astype(dtype)
    if dtype == np.float32:
        hu += np.float32(0.37)
    geometry = hv.Geometry.from_parts(
        hu.shape, spacing=(2.5, 0.7, 0.9), origin=(-31.25, 12.5, 7), direction=direction
    )
    return hv.Volume(hu, geometry, **parts)


def assert_same(again: hv.Volume, volume: hv.Volume) -> None:
    assert again.hu.dtype == volume.hu.dtype
    assert np.array_equal(again.hu, volume.hu)
    assert again.geometry.is_close(volume.geometry, tolerance=1e-4)
    assert again.unit == volume.unit


def nifti(path: Path, change: Any, values: Any = None) -> Path:
    """A NIfTI of (5, 3, 4) int16 with a header edited in place; no check of nibabel's."""
    values = np.arange(60, dtype=np.int16).reshape(5, 3, 4) if values is None else values
    image = nib.Nifti1Image(values, np.diag([0.9, 0.7, 2.5, 1]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    header = nib.Nifti1Header(path.read_bytes()[:348])
    content = path.read_bytes()[352:]
    change(header)
    path.write_bytes(header.binaryblock + bytes(4) + content)
    return path


def nrrd(path: Path, **fields: str | None) -> Path:
    """An NRRD of (2, 2, 2) uint8, 0 to 7, written by hand."""
    said: dict[str, str | None] = {
        "type": "uint8", "dimension": "3", "space": "left-posterior-superior",
        "sizes": "2 2 2", "space directions": "(2,0,0) (0,3,0) (0,0,4)",
        "encoding": "raw", "space origin": "(10,20,30)",
    }  # fmt: skip
    said |= {name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in said.items() if value is not None]
    path.write_bytes("\n".join(["NRRD0005", *lines, "", ""]).encode() + bytes(range(8)))
    return path


def mha(path: Path, data: bytes = bytes(8), **fields: str | None) -> Path:
    """A MetaImage of (2, 2, 2) uint8 zeros, written by hand; None leaves a field out."""
    said: dict[str, str | None] = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0", "ElementSpacing": "1 1 1",
        "DimSize": "2 2 2", "ElementType": "MET_UCHAR", "ElementDataFile": "LOCAL",
    }  # fmt: skip
    said |= fields
    said["ElementDataFile"] = said.pop("ElementDataFile")  # the last line of a header
    lines = [f"{name} = {value}\n" for name, value in said.items() if value is not None]
    path.write_bytes("".join(lines).encode() + data)
    return path


def npz(path: Path, **fields: Any) -> Path:
    """An npz as of ours, by numpy itself; None leaves a field out."""
    said: dict[str, Any] = {
        "format": "hounsview volume 1", "unit": "HU", "attributes": "{}",
        "report": '{"findings": []}', "affine": np.eye(4), "hu": np.zeros((2, 2, 2), np.int16),
    }  # fmt: skip
    said |= fields
    np.savez(path, **{name: value for name, value in said.items() if value is not None})
    return path
