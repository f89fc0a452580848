"""What lies under the pointer: value, place, stored value, file, validity; in words too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hounsview.errors import HounsviewError
from hounsview.frames import PlaneFrame
from hounsview.measure import value_text
from hounsview.planes import nearest_voxel, patient_text, shown_voxel
from hounsview.volume import Validity, Volume

_WORDS: Final = {
    Validity.PADDING: "not measured",
    Validity.FILLED: "filled from its neighbours",
    Validity.RESAMPLED: "resampled",
    Validity.SATURATED: "saturated",
}
UNREADABLE: Final = "stored value: file not readable"


@dataclass(frozen=True)
class Reading:
    """What was measured at a patient point.

    Parameters
    ----------
    point : (x, y, z) float, LPS mm
    index : (k, j, i) int, or None outside the volume
        The nearest voxel.
    value : float or None, in `unit`
        None outside the volume and in padding.
    unit : str
    stored : int or None
        The value in the file; None where there is none, or `stored_note` says why.
    stored_note : str
    file : str
        Name of the slice's file, never its folder; empty without one.
    words : tuple of str
        What `Volume.valid` says of the voxel; empty for a plain measured one.
    """

    point: tuple[float, float, float]
    index: tuple[int, int, int] | None
    value: float | None
    unit: str
    stored: int | None = None
    stored_note: str = ""
    file: str = ""
    words: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return two lines for a picture: value and place; index, stored value and file."""
        value = "" if self.value is None else value_text(self.value, self.unit)
        first = [text for text in (value, *self.words) if text]
        above = f"{', '.join(first)}   {patient_text(self.point)}"
        below = []
        if self.index is not None:
            below.append("k {}  j {}  i {}".format(*self.index))
        if self.stored is not None:
            below.append(f"stored {self.stored}")
        below += [text for text in (self.stored_note, self.file) if text]
        return (above, "   ".join(below)) if below else (above,)


def reading_at(
    volume: Volume, point: Sequence[float], frame: PlaneFrame | None = None
) -> Reading:
    """Return what was measured at the voxel nearest to a patient point, LPS mm.

    On a frame it is the nearest one of the slice that the frame shows. Never raises because
    of a file: one that is gone or changed is told in `stored_note`. Stored values of the
    last slices are kept, so that a pointer that moves over one slice reads its file once.
    """
    x, y, z = (float(part) for part in point)
    if frame is not None and frame.follows_array:
        index = shown_voxel(volume.geometry, frame.plane, (x, y, z))
    else:
        index = nearest_voxel(volume.geometry, (x, y, z))
    if not volume.geometry.contains(index):
        return Reading((x, y, z), None, None, volume.unit, words=("outside the volume",))
    marks = Validity(0 if volume.valid is None else int(volume.valid[index]))
    stored, note = _stored(volume, index)
    return Reading(
        point=(x, y, z),
        index=index,
        value=None if marks & Validity.PADDING else float(volume.hu[index]),
        unit=volume.unit,
        stored=stored,
        stored_note=note,
        file=_file(volume, index),
        words=tuple(words for bit, words in _WORDS.items() if marks & bit),
    )


def _stored(volume: Volume, index: tuple[int, int, int]) -> tuple[int | None, str]:
    try:
        return volume.stored_value(*index), ""
    except (HounsviewError, OSError):
        return None, UNREADABLE


def _file(volume: Volume, index: tuple[int, int, int]) -> str:
    stored = volume.stored_at(*index)
    if stored is None or stored[0].file is None:
        return ""
    return stored[0].file.name
