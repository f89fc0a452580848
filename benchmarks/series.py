"""Series to read: a noisy thorax with the headers that a scanner writes."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import encapsulate

import hounsview as hv

PADDING = 63536  # -2000 in the words of PS3.3 C.7.5.1.1.2, as some scanners write it


def thorax(slices: int) -> np.ndarray:
    """(slices, 512, 512) int16 HU: the phantom with noise, padded outside a circle."""
    step = 300 / slices
    hu = hv.phantom("thorax", spacing=(step, 0.75, 0.75), noise=12.0).hu
    hu = hu[: min(slices, len(hu))]
    out = np.full((slices, 512, 512), -1000, np.int16)
    rows, columns = min(512, hu.shape[1]), min(512, hu.shape[2])
    for k in range(slices):
        out[k, :rows, :columns] = hu[k % len(hu), :rows, :columns]
    return out


def outside_circle() -> np.ndarray:
    j, i = np.meshgrid(np.arange(512), np.arange(512), indexing="ij")
    return (j - 255.5) ** 2 + (i - 255.5) ** 2 > 256**2


def add_scanner_tags(ds: pydicom.Dataset, n: int) -> None:
    """What a scanner writes beside the geometry: about 180 elements, private ones too."""
    ds.AcquisitionTime = ds.ContentTime = f"1012{n // 60 % 60:02d}.{n % 60:06d}"
    ds.InstanceCreationTime, ds.SliceLocation = ds.ContentTime, f"{n * 0.75:.4f}"
    ds.Manufacturer, ds.ManufacturerModelName = "hounsview", "phantom"
    ds.StationName, ds.InstitutionName = "CT01", "None"
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime = "120", str(200 + n % 40), "500"
    ds.ConvolutionKernel, ds.FilterType = "STANDARD", "BODY FILTER"
    ds.DataCollectionDiameter, ds.ReconstructionDiameter = "500.0", "384.0"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection = "0", "145.5", "CW"
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID = ds.SOPClassUID
    reference.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.7.{n + 1}"
    ds.ReferencedImageSequence = [reference]
    for group in range(0x0009, 0x0029, 2):
        block = ds.private_block(group, f"SCANNER {group:04X}", create=True)
        for element in range(8):
            vr, value = (("LO", f"value {element}"), ("DS", f"{n * 0.5:.3f}"))[element % 2]
            block.add_new(element, vr, value)


def write(folder: Path, hu: np.ndarray, *, padded: bool = False) -> None:
    """Write an uncompressed series."""
    geometry = hv.Geometry.from_parts(hu.shape, spacing=(0.75, 0.75, 0.75))
    with tempfile.TemporaryDirectory() as name:
        files = hv.write_dicom(hv.Volume(hu, geometry), Path(name) / "plain")
        folder.mkdir(parents=True)
        outside = outside_circle() if padded else None
        for n, file in enumerate(files):
            ds = pydicom.dcmread(file)
            add_scanner_tags(ds, n)
            if outside is not None:
                cells = ds.pixel_array.copy()
                cells[outside] = -2000
                ds.PixelData = cells.tobytes()
                ds.add_new(0x00280120, "US", PADDING)
            ds.save_as(folder / f"IM{n:05d}", enforce_file_format=True)


def _jpeg_lossless(folder: Path) -> None:
    """Recompress in place with dcmtk, whose encoder every archive's files come from."""
    for file in folder.iterdir():
        subprocess.run(["dcmcjpeg", "+e1", str(file), str(file)], check=True)


ENCODERS = {
    "JPEG-LS": (uid.JPEGLSLossless, lambda a: imagecodecs.jpegls_encode(a)),
    "JPEG 2000": (
        uid.JPEG2000Lossless,
        lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat="j2k"),
    ),
    "HTJ2K": (uid.HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True)),
}


def compress(source: Path, target: Path, name: str) -> None:
    """Write a series again under a transfer syntax."""
    target.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        ds = pydicom.dcmread(file)
        cells = ds.pixel_array
        # Offset to unsigned, as most scanners store it.
        ds.PixelRepresentation, ds.RescaleIntercept = 0, int(ds.RescaleIntercept) - 1024
        cells = (cells.astype(np.int32) + 1024).clip(0, 65535).astype(np.uint16)
        ds.PixelData = cells.tobytes()
        if name == "deflated":
            ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
        elif name == "RLE":
            ds.compress(uid.RLELossless, cells, generate_instance_uid=False)
        elif name in ENCODERS:
            syntax, encode = ENCODERS[name]
            ds.PixelData = encapsulate([bytes(encode(cells))])
            ds["PixelData"].is_undefined_length = True
            ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(target / file.name, enforce_file_format=True)
    if name == "JPEG lossless":
        _jpeg_lossless(target)
