"""npz of our own: a whole volume in a file that `numpy.load` opens without pickle."""

from __future__ import annotations

import json
import tokenize
import warnings
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.findings import CODES, Finding, Report
from hounsview.images.imagefiles import check_claim, geometry_of, open_regular, wrong
from hounsview.images.rawvalues import batches, slices_of
from hounsview.images.sidecar import report_without_folders
from hounsview.scanning import Progress, tell
from hounsview.volume import Validity, Volume

_VERSION: Final = "hounsview volume 1"
_NEEDED: Final = ("format", "hu", "affine", "unit", "attributes", "report")
_MOST_MEMBERS: Final = 32
_LONGEST_TEXT: Final = 16 * 2**20
_LONGEST_NPY_HEADER: Final = 4096
_DTYPES: Final = {"hu": ("<i2", "<f4"), "affine": ("<f8",), "valid": ("|u1",)}
_ENCRYPTED: Final = 0x1


def write_npz(volume: Volume, path: Path, name: str, progress: Progress | None = None) -> None:
    """Write everything but the sources of a volume to `path`.

    Raises
    ------
    CancelledError
        If `progress` returned False.
    """
    texts = {
        "format": _VERSION,
        "unit": volume.unit,
        "attributes": json.dumps(dict(volume.attributes)),
        "report": report_without_folders(volume).to_json(indent=None),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for field, text in texts.items():
            _write_array(archive, field, np.array(text))
        _write_array(archive, "affine", volume.geometry.affine.astype("<f8"))
        if volume.valid is not None:
            _write_array(archive, "valid", volume.valid)
        with _member(archive, "hu", volume.hu.dtype.newbyteorder("<"), volume.shape) as member:
            for part in slices_of(volume, progress, name):
                member.write(part)


def _write_array(archive: zipfile.ZipFile, field: str, array: npt.NDArray[Any]) -> None:
    with _member(archive, field, array.dtype, array.shape) as member:
        member.write(array.tobytes())


def _member(
    archive: zipfile.ZipFile, field: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> IO[bytes]:
    """Return an open member behind its .npy header."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    member = archive.open(f"{field}.npy", "w", force_zip64=True)
    np.lib.format.write_array_header_1_0(member, header)
    return member


def read_npz(path: Path, progress: Progress | None = None) -> Volume:
    """Return the volume of a file that `write_npz` wrote.

    Raises
    ------
    PathNotFoundError, ImageFormatError
        If it is not there, damaged, or no volume of ours; pickles are never read.
    GeometryError
        If its affine is no grid.
    CancelledError
        If `progress` returned False.
    """
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _Reader(path, archive, progress).volume()
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise wrong(path, f"it is no whole npz file: {error}") from error


class _Reader:
    """The members of one archive, each held against what it claims before it is read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, progress: Progress | None) -> None:
        self._path, self._archive, self._progress = path, archive, progress
        infos = archive.infolist()
        self._infos = {info.filename.removesuffix(".npy"): info for info in infos}
        if len(infos) > _MOST_MEMBERS or len(self._infos) != len(infos):
            raise wrong(path, f"it has {len(infos)} members, too many or some twice")
        missing = [name for name in _NEEDED if name not in self._infos]
        if missing:
            raise wrong(
                path,
                f"it has no {', '.join(missing)}: only npz files that hounsview wrote are "
                "volumes. Use hv.read_raw or hv.Volume for other arrays",
            )

    def volume(self) -> Volume:
        """Return the whole volume."""
        if self._text("format") != _VERSION:
            raise wrong(self._path, "it was written by another version of hounsview")
        report = self._report()
        attributes = self._json("attributes")
        if not isinstance(attributes, dict) or not all(
            isinstance(value, str) for value in attributes.values()
        ):
            raise wrong(self._path, "its attributes are no mapping of words to words")
        affine = self._array("affine", 2)
        hu = self._array("hu", 3)
        valid = self._array("valid", 3) if "valid" in self._infos else None
        self._check(hu, valid)
        geometry = geometry_of(self._path, hu.shape, affine)
        unit = self._text("unit")
        return Volume(hu, geometry, valid, (), report, unit, attributes)

    def _check(self, hu: npt.NDArray[Any], valid: npt.NDArray[Any] | None) -> None:
        if hu.dtype == np.float32 and not np.isfinite(hu).all():
            raise wrong(self._path, "hu holds values that are NaN or infinite")
        if valid is None:
            return
        if valid.shape != hu.shape or int(valid.max()) > sum(Validity):
            raise wrong(self._path, f"valid does not fit hu: {valid.shape} and {hu.shape}")

    def _report(self) -> Report:
        plain = self._json("report")
        entries = plain.get("findings") if isinstance(plain, dict) else None
        listed = entries if isinstance(entries, list) else []
        unknown = [e for e in listed if isinstance(e, dict) and str(e.get("code")) not in CODES]
        if unknown:
            plain = {"findings": [entry for entry in listed if entry not in unknown]}
        try:
            report = Report.from_dict(plain)
        except ValueError as error:
            raise wrong(self._path, f"its report is damaged: {error}") from error
        if report.status == "refused":
            raise wrong(self._path, "its report says that the series was refused")
        if not unknown:
            return report
        said = "; ".join(f"{str(e.get('message'))[:120]!r}" for e in unknown[:5])
        message = (
            f"{len(unknown)} finding(s) in {self._path.name} have codes that this version "
            f"does not know: {said}"
        )
        return report.adding([Finding("FINDINGS_DROPPED", message, (self._path,))])

    def _json(self, field: str) -> Any:
        try:
            return json.loads(self._text(field))
        except (ValueError, RecursionError) as error:
            raise wrong(self._path, f"its member {field!r} is no JSON: {error}") from error

    def _text(self, field: str) -> str:
        with self._open(field) as member:
            shape, dtype = self._npy_header(field, member)
            if shape or dtype.kind != "U" or not 0 < dtype.itemsize <= _LONGEST_TEXT:
                raise wrong(self._path, f"its member {field!r} is {dtype} {shape}, and no text")
            self._check_claim(field, member, dtype.itemsize)
            raw = self._exactly(field, member, dtype.itemsize)
        try:
            return str(np.frombuffer(raw, dtype)[0])
        except ValueError as error:
            raise wrong(self._path, f"its member {field!r} is no text") from error

    def _array(self, field: str, axes: int) -> npt.NDArray[Any]:
        """Return one array, of the axes and dtypes that it must have.

        Raises
        ------
        ImageFormatError
        """
        with self._open(field) as member:
            shape, dtype = self._npy_header(field, member)
            if len(shape) != axes or min(shape) < 1 or dtype.str not in _DTYPES[field]:
                raise wrong(
                    self._path,
                    f"its member {field!r} is {dtype} of shape {shape}, none of ours",
                )
            claimed = prod(shape) * dtype.itemsize
            self._check_claim(field, member, claimed)
            array = np.empty(shape, dtype.newbyteorder("="))
            for box in batches(shape[0], claimed // shape[0]):
                if axes == 3:
                    tell(self._progress, box.start, shape[0], f"reading {self._path.name}")
                part = claimed // shape[0] * (box.stop - box.start)
                raw = self._exactly(field, member, part)
                array[box] = np.frombuffer(raw, dtype).reshape(-1, *shape[1:])
        return array

    def _open(self, field: str) -> IO[bytes]:
        info = self._infos[field]
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not plain or info.flag_bits & _ENCRYPTED:
            raise wrong(self._path, f"its member {field!r} is encrypted or not deflated")
        return self._archive.open(info)

    def _check_claim(self, field: str, member: IO[bytes], claimed: int) -> None:
        """Hold the size of an array against what the archive says and can hold."""
        info = self._infos[field]
        there = info.file_size - member.tell()
        if claimed != there:
            raise wrong(
                self._path,
                f"its member {field!r} claims {claimed:,} bytes of values and has {there:,}",
            )
        check_claim(self._path, claimed, info.compress_size, deflated=True)

    def _exactly(self, field: str, member: IO[bytes], count: int) -> bytes:
        raw = member.read(count)
        if len(raw) < count:
            raise wrong(self._path, f"its member {field!r} is cut off")
        return raw

    def _npy_header(self, field: str, member: IO[bytes]) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype; never those of a pickle."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                version = np.lib.format.read_magic(member)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[version]
                shape, fortran, dtype = read(member, max_header_size=_LONGEST_NPY_HEADER)
        except (
            ValueError,
            KeyError,
            TypeError,
            SyntaxError,
            tokenize.TokenError,
            UserWarning,
            MemoryError,
        ) as error:
            raise wrong(self._path, f"its member {field!r} is no plain array") from error
        if dtype.hasobject or fortran or any(n < 0 for n in shape):
            raise wrong(self._path, f"its member {field!r} holds objects, which are not read")
        return shape, dtype
