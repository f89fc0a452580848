"""How the header of one file is laid out, to read the next one of its series at once.

A layout knows every byte that says which elements there are (tags, VRs, lengths, items)
and every value that the answer depended on, less the few that differ in each slice. A
file that agrees in all of them has its values at the same places; any other file is read
from the start. So nothing is taken from one file for another that was not compared.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from hounsview.dicom.dicomfile import SEQUENCES, DicomFile

T = TypeVar("T")
_BINARY: Final = frozenset(("US", "SS", "UL", "SL", "FD", "FL", "UN"))


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """The layout of one header.

    Parameters
    ----------
    example : object
        What was made of the file that it was learnt from.
    length : int
        Bytes before the value of PixelData.
    content, compared : int
        The header as one large integer, and 1 bits where another must equal it: an
        exclusive or and an and compare some thousand bytes in a microsecond.
    varying : tuple of (int, int, int, bytes)
        Tag, start, stop and the example's value of what may differ in each slice.
    """

    example: T
    length: int
    content: int
    compared: int
    varying: tuple[tuple[int, int, int, bytes], ...]

    @classmethod
    def of(cls, file: DicomFile, example: T, varying: Set[int]) -> Layout[T] | None:
        """Return the layout of a file that was walked; None where values lie deeper.

        Parameters
        ----------
        file : DicomFile
            All that the example depends on has been asked of its attributes.
        example : object
        varying : set of int
            Tags whose values are taken anew from each file.
        """
        found = file.walked
        if found is None or any(tag in found.elements for tag in SEQUENCES):
            return None
        if any(found.elements[tag][0] in _BINARY for tag in varying & found.elements.keys()):
            return None
        asked = (file.attributes.asked | file.meta.asked) & found.places.keys()
        compared = bytearray(found.stop)
        for start, stop in [*found.structure, *(found.places[t] for t in asked - varying)]:
            compared[start:stop] = b"\xff" * (stop - start)
        compared[128:132] = b"\xff" * 4
        return cls(
            example=example,
            length=found.stop,
            content=int.from_bytes(found.header, "little"),
            compared=int.from_bytes(compared, "little"),
            varying=tuple(
                (tag, *found.places[tag], found.elements[tag][1])
                for tag in sorted(asked & varying)
            ),
        )

    def fits(self, header: bytes) -> bool:
        """Return whether another header agrees in every byte that matters.

        Parameters
        ----------
        header : bytes
            From the first byte of the file on, as much as was read.
        """
        if len(header) < self.length:
            return False
        content = int.from_bytes(header[: self.length], "little")
        return not (content ^ self.content) & self.compared

    def changed_in(self, header: bytes) -> dict[int, bytes]:
        """Return by tag the values of a header that fits and differs from the example."""
        return {
            tag: header[start:stop]
            for tag, start, stop, value in self.varying
            if header[start:stop] != value
        }
