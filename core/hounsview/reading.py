"""Reading the pixels of a stack: every frame decoded, converted and marked, in threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.decoding import read_frame, read_native_into, stored_values
from hounsview.dicom.dicomfile import NATIVE
from hounsview.dicom.frames import Frame, Other
from hounsview.dicom.headers import read_frames
from hounsview.dicom.pixelbytes import encoded_frames, is_encapsulated
from hounsview.dicom.zips import version_of
from hounsview.errors import PixelDataError, name_files
from hounsview.findings import Finding
from hounsview.hounsfield import (
    BELOW_AIR_HU,
    CEILING_HU,
    SliceFacts,
    SliceValues,
    convert,
    is_integral,
    measured_range,
)
from hounsview.inplace import convert_in_place, is_plain, is_simple
from hounsview.scanning import Progress, tell
from hounsview.volume import AIR_HU, Validity

NO_AIR_ABOVE_HU: Final = -500
_TELL_EVERY_S: Final = 0.05


@dataclass
class StackValues:
    """The slices of a stack as stored, before any repair.

    Parameters
    ----------
    values : (frames, rows, columns) int16 or float32
    valid : (frames, rows, columns) uint8
        Bits of `Validity`.
    unreadable : dict of int to str
        Frame number -> why its pixels could not be read.
    findings : list of Finding
    marked : bool
        Whether any bit of `valid` is set.
    """

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8]
    unreadable: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    marked: bool = False


class _DoesNotFitError(Exception):
    """A measured value is out of int16: read again as float32."""


def read_stack(
    frames: Sequence[Frame],
    skip: frozenset[int] = frozenset(),
    *,
    as_stored: bool = False,
    progress: Progress | None = None,
) -> StackValues:
    """Return the values of all frames but those in `skip`.

    Raises
    ------
    CancelledError
        If `progress` returned False.
    UnsupportedSyntaxError
        If nothing installed decodes the transfer syntax.
    """
    whole = as_stored or all(is_integral(frame) for frame in frames)
    for kind in (np.int16, np.float32) if whole else (np.float32,):
        try:
            return _Reader(frames, skip, as_stored, np.dtype(kind)).read(progress)
        except _DoesNotFitError:
            continue
    raise AssertionError


class _Reader:
    """One pass over the frames of a stack into arrays of one dtype."""

    def __init__(
        self,
        frames: Sequence[Frame],
        skip: frozenset[int],
        as_stored: bool,
        dtype: np.dtype[Any],
    ) -> None:
        self.frames = frames
        self.as_stored = as_stored
        layout = frames[0].format
        shape = (len(frames), int(layout.rows or 0), int(layout.columns or 0))
        self.result = StackValues(np.zeros(shape, dtype), np.zeros(shape, np.uint8))
        self.facts: dict[int, SliceFacts] = {}
        self.numbers = [n for n in range(len(frames)) if n not in skip]
        self._streams: dict[Path, list[bytes | memoryview]] = {}
        self._simple = dtype == np.int16 and not as_stored

    def read(self, progress: Progress | None) -> StackValues:
        """Return the stack, its padding and its warnings settled."""
        self._split_multi_frame_files()
        self._read_in_threads(progress)
        if not self.as_stored:
            self._pad_everywhere()
            self._mark_ceiling()
        facts = self.facts.values()
        self.result.marked = any(fact.padded or fact.saturated for fact in facts)
        self.result.findings += _summary(self.frames, self.facts, self.as_stored)
        return self.result

    def _split_multi_frame_files(self) -> None:
        for frame in self.frames:
            if (
                frame.frame_count == 1
                or not is_encapsulated(frame)
                or frame.path in self._streams
            ):
                continue
            try:
                self._streams[frame.path] = encoded_frames(frame)
            except (PixelDataError, OSError) as error:
                affected = [n for n in self.numbers if self.frames[n].path == frame.path]
                self.result.unreadable.update(dict.fromkeys(affected, str(error)))
                self.numbers = [n for n in self.numbers if n not in affected]

    def _read_in_threads(self, progress: Progress | None) -> None:
        total = len(self.numbers)
        waiting = iter(self.numbers)
        done = itertools.count(1)
        reached = 0

        def work() -> None:
            nonlocal reached
            # next() of one iterator is atomic: every slice is read by one thread.
            for n in waiting:
                if stopped.is_set():
                    return
                self._read_one(n)
                reached = next(done)

        stopped = threading.Event()
        # Few workers: decoders let go of the GIL, and each holds one slice in memory.
        workers = min(8, os.cpu_count() or 1, max(total, 1))
        with ThreadPoolExecutor(max_workers=workers) as pool:
            pending = {pool.submit(work) for _ in range(workers)}
            try:
                tell(progress, 0, total, "reading pixels")
                while pending:
                    finished, pending = wait(pending, _TELL_EVERY_S, FIRST_COMPLETED)
                    for future in finished:
                        future.result()
                    if pending:
                        tell(progress, reached, total, "reading pixels")
                tell(progress, total, total, "reading pixels")
            finally:
                stopped.set()

    def _read_one(self, n: int) -> None:
        frame = self.frames[n]
        simple = self._simple and is_simple(frame)
        try:
            if simple and is_plain(frame):
                read_native_into(frame, self.result.values[n])
                if self._converted_in_place(n):
                    return
            streams = self._streams.get(frame.path)
            cells, precision = read_frame(frame, streams[frame.index] if streams else None)
        except (PixelDataError, OSError) as error:
            self.result.unreadable[n] = str(error)
            return
        if simple and not is_plain(frame) and precision is None and cells.itemsize == 2:
            self.result.values[n] = cells.view(np.int16)
            if self._converted_in_place(n):
                return
        converted = convert(cells, frame, as_stored=self.as_stored, precision=precision)
        self._store(n, converted, precision is not None)

    def _converted_in_place(self, n: int) -> bool:
        """Return whether the cells of a slice, in their place already, became HU there."""
        facts = convert_in_place(self.result.values[n], self.result.valid[n], self.frames[n])
        if facts is not None:
            self.facts[n] = facts
        return facts is not None

    def _store(self, n: int, converted: SliceValues, mismatch: bool) -> None:
        values, padding = converted.values, converted.padding
        low, high = measured_range(values, padding)
        target = self.result.values
        if target.dtype == np.int16 and not -32768 <= low <= high <= 32767:
            raise _DoesNotFitError
        if padding.any():
            if not self.as_stored:
                values = np.where(padding, AIR_HU, values)
            elif (
                target.dtype == np.int16 and not -32768 <= values.min() <= values.max() <= 32767
            ):
                raise _DoesNotFitError
        target[n] = values
        bits = self.result.valid[n]
        bits[padding] |= np.uint8(Validity.PADDING)
        bits[converted.saturated] |= np.uint8(Validity.SATURATED)
        below = np.count_nonzero(values < BELOW_AIR_HU) if low < BELOW_AIR_HU else 0
        self.facts[n] = SliceFacts(
            lowest=low,
            highest=high,
            below_air=int(below),
            padding_hu=converted.padding_hu,
            tagged=converted.tagged,
            padded=bool(padding.any()),
            kept_inside=converted.kept_inside,
            saturated=int(np.count_nonzero(converted.saturated)),
            sign_mismatch=mismatch,
            bits_above=converted.bits_above,
        )

    def _pad_everywhere(self) -> None:
        """Mark untagged padding also in slices where it fills no corner."""
        known = {
            f.padding_hu
            for f in self.facts.values()
            if not f.tagged and f.padding_hu is not None
        }
        for n, fact in list(self.facts.items()):
            if fact.padding_hu is not None:
                continue
            for value in known:
                if fact.lowest <= value:
                    mask = self.result.values[n] == value
                    self.result.values[n][mask] = AIR_HU
                    self.result.valid[n][mask] |= np.uint8(Validity.PADDING)
                    self.facts[n] = fact = replace(fact, padded=fact.padded or bool(mask.any()))

    def _mark_ceiling(self) -> None:
        """Mark 3071 HU where no value of the series lies above it."""
        if max((f.highest for f in self.facts.values()), default=0) != CEILING_HU:
            return
        for n, fact in list(self.facts.items()):
            if fact.highest == CEILING_HU:
                mask = self.result.values[n] == CEILING_HU
                self.result.valid[n][mask] |= np.uint8(Validity.SATURATED)
                marked = np.count_nonzero(self.result.valid[n] & Validity.SATURATED)
                self.facts[n] = replace(fact, saturated=int(marked))


def _summary(
    frames: Sequence[Frame], facts: dict[int, SliceFacts], as_stored: bool
) -> list[Finding]:
    """Return the findings that the slices add up to."""
    found = _about_padding(frames, facts)
    saturated = sum(fact.saturated for fact in facts.values())
    if saturated:
        message = (
            f"{saturated:,} voxel(s) at the upper end of what was stored: they may be higher"
        )
        found.append(Finding("SATURATED", message, action="Marked SATURATED."))
    mismatched = tuple(
        frames[n].path for n, fact in sorted(facts.items()) if fact.sign_mismatch
    )
    if mismatched:
        message = (
            "the code stream and PixelRepresentation disagree about the sign: "
            f"{name_files(mismatched)}"
        )
        done = "PixelRepresentation was followed."
        tag = "PixelRepresentation (0028,0103)"
        found.append(Finding("SIGN_MISMATCH", message, mismatched, tag, done))
    found += _about_bits(frames, facts)
    raw = tuple(
        frame.path
        for frame in frames
        if frame.transfer_syntax not in NATIVE and not is_encapsulated(frame)
    )
    if raw:
        message = f"raw pixels under a compressed transfer syntax: {name_files(raw)}"
        found.append(Finding("TRANSFER_SYNTAX_WRONG", message, raw, action="Read as raw."))
    if not as_stored and facts:
        found += _about_air(frames, facts)
    return found


def _about_bits(frames: Sequence[Frame], facts: dict[int, SliceFacts]) -> list[Finding]:
    beyond = tuple(frames[n].path for n, fact in sorted(facts.items()) if fact.bits_above)
    if not beyond:
        return []
    message = (
        f"cells hold bits above BitsStored {frames[0].format.bits_stored} that are neither "
        f"sign nor padding: {name_files(beyond)}"
    )
    action = "They were left out: right for overlays and garbage, wrong for pixel values."
    tag = "BitsStored (0028,0101)"
    return [Finding("BITS_ABOVE_STORED", message, beyond, tag, action)]


def _about_padding(frames: Sequence[Frame], facts: dict[int, SliceFacts]) -> list[Finding]:
    found = []
    padded = {n: fact for n, fact in sorted(facts.items()) if fact.padding_hu is not None}
    tag = "PixelPaddingValue (0028,0120)"
    for tagged, code in ((True, "PADDING_REPLACED"), (False, "PADDING_WITHOUT_TAG")):
        some = {n: fact for n, fact in padded.items() if fact.tagged is tagged and fact.padded}
        if not some:
            continue
        levels = Counter(fact.padding_hu for fact in some.values())
        named = ", ".join(
            f"{level:g}" for level in sorted(x for x in levels if x is not None)[:4]
        )
        announced = "announced by PixelPaddingValue" if tagged else "that no tag announces"
        message = f"padding at {named} HU, {announced}, in {len(some)} of {len(frames)} slices"
        action = f"Shown as {AIR_HU} HU and marked PADDING."
        found.append(Finding(code, message, tag=tag, action=action))
    inside = sum(fact.kept_inside for fact in padded.values())
    if inside:
        level = next(fact.padding_hu for fact in padded.values() if fact.kept_inside)
        message = (
            f"PixelPaddingValue stands for {level:g} HU, which is tissue, and {inside:,} "
            "voxels inside the picture have it"
        )
        action = "Only what reaches the border was taken as padding."
        found.append(Finding("PADDING_LIKE_TISSUE", message, tag=tag, action=action))
    return found


def _about_air(frames: Sequence[Frame], facts: dict[int, SliceFacts]) -> list[Finding]:
    """Return a warning when nothing in a CT is near -1000 HU, or much lies below it."""
    lowest = min(fact.lowest for fact in facts.values())
    layout = frames[0].format
    size = len(facts) * int(layout.rows or 0) * int(layout.columns or 0)
    below = sum(fact.below_air for fact in facts.values()) / max(size, 1)
    action = "Check slope and intercept before trusting a number."
    if lowest > NO_AIR_ABOVE_HU:
        message = (
            f"the lowest value is {lowest:g} HU, and air is -1000: either no air is in the "
            "picture, or the values are offset"
        )
        return [Finding("OFFSET_DATA", message, action=action)]
    if below > 0.01:
        message = f"{below:.1%} of the voxels lie below {BELOW_AIR_HU} HU, and air is -1000"
        return [Finding("OFFSET_DATA", message, action=action)]
    return []


def stored_again(path: Path, index: int) -> npt.NDArray[Any]:
    """Return the stored values of a frame, (rows, columns), read from its file again.

    Raises
    ------
    PixelDataError
        If the file is gone, or holds no such frame any more.
    """
    try:
        version = version_of(path)
    except OSError as error:
        msg = f"{path} changed since it was loaded: {error.strerror or error}"
        raise PixelDataError(msg, files=[path]) from error
    return _stored_of(path.absolute(), index, version)


@lru_cache(maxsize=4)
def _stored_of(path: Path, index: int, version: tuple[int, int]) -> npt.NDArray[Any]:
    frames = read_frames(path)
    if isinstance(frames, Other) or index >= len(frames):
        reason = frames.reason if isinstance(frames, Other) else "has fewer frames than before"
        msg = f"{path} changed since it was loaded: {reason}"
        raise PixelDataError(msg, files=[path])
    frame = frames[index]
    cells, precision = read_frame(frame)
    stored = stored_values(cells, frame.format, precision)
    return np.asarray(stored)
