"""How the header of one file is laid out, to read the next one of its series at once.

A layout knows every byte that says which elements there are (tags, VRs, lengths, items)
and every value that the answer depended on, less the few that differ in each slice. A
file that agrees in all of them has its values at the same places; any other file is read
from the start. So nothing is taken from one file for another that was not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from hounsview.dicomfile import SEQUENCES, DicomFile

T = TypeVar("T")


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
    places : mapping of int to (int, int)
        Where the values lie that differ in each slice.
    """

    example: T
    length: int
    content: int
    compared: int
    places: Mapping[int, tuple[int, int]]

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
            places={tag: found.places[tag] for tag in asked & varying},
        )

    def values_in(self, header: bytes) -> dict[int, bytes] | None:
        """Return the varying values of another header; None if it is laid out otherwise.

        Parameters
        ----------
        header : bytes
            From the first byte of the file on, as much as was read.
        """
        if len(header) < self.length:
            return None
        content = int.from_bytes(header[: self.length], "little")
        if (content ^ self.content) & self.compared:
            return None
        return {tag: header[start:stop] for tag, (start, stop) in self.places.items()}
