"""The elements of a dataset as raw bytes, and typed access to them.

Values are converted here and nowhere else, whoever parsed the file, so that a malformed
value is a fact to report, not a warning on the console or an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from struct import unpack
from typing import Any, Final

Elements = Mapping[int, tuple[str, bytes]]
"""Tag -> (VR, value as it lies in the file); the VR is "" under implicit VR."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.I)
_FORMATS: Final = {
    "US": ("H", 2),
    "SS": ("h", 2),
    "UL": ("L", 4),
    "SL": ("l", 4),
    "FD": ("d", 8),
    "FL": ("f", 4),
}
_WORDS: Final = {"US": ("H", 2), "SS": ("H", 2), "UN": ("H", 2), "OW": ("H", 2)}
_CHARACTER_SET: Final = 0x00080005
_LATIN: Final = ("", "ISO_IR 100", "ISO_IR 6", "ISO 2022 IR 6", "ISO 2022 IR 100")

BINARY_TAGS: Final = {
    0x00189241: "FL",
    0x00209128: "UL",
    0x00209156: "US",
    0x00209162: "US",
    0x00209163: "US",
    0x00280002: "US",
    0x00280010: "US",
    0x00280011: "US",
    0x00280100: "US",
    0x00280101: "US",
    0x00280102: "US",
    0x00280103: "US",
    0x00280120: "US",
    0x00280121: "US",
    0x00283002: "US",
    0x00283006: "US",
    0x00189310: "FD",
    0x00181271: "FD",
}
"""Tags with binary values that are asked for, where the file itself gives no VR.

Those that the Standard calls "US or SS" are read by their bits (`Attributes.words`).
"""


class Attributes:
    """Typed access to the elements of one dataset; absent or odd values are None.

    Parameters
    ----------
    elements : mapping of int to (str, bytes)
        Tag -> (VR, raw value).
    items_of : callable, optional
        Returns the items of a sequence by its tag; asked once for each.
    little_endian : bool

    Attributes
    ----------
    asked : set of int
        Every tag that was asked for: two data sets that agree in these answer alike.
    """

    __slots__ = ("_elements", "_items", "_items_of", "_order", "asked")

    def __init__(
        self,
        elements: Elements,
        items_of: Callable[[int], Sequence[Attributes]] | None = None,
        *,
        little_endian: bool = True,
    ) -> None:
        self._elements = elements
        self._items_of = items_of
        self._items: dict[int, Sequence[Attributes]] = {}
        self.asked: set[int] = set()
        self._order = "<" if little_endian else ">"

    def __contains__(self, tag: int) -> bool:
        self.asked.add(tag)
        return tag in self._elements

    def element(self, tag: int) -> tuple[str, bytes]:
        """Return VR and raw value of an element; empty when absent."""
        self.asked.add(tag)
        return self._elements.get(tag, ("", b""))

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the backslash-separated values of an element, stripped.

        Binary numbers are written out, so that they compare as values and not as bytes.
        """
        numbers = self._binary(tag, _FORMATS)
        if numbers is not None:
            return tuple(str(number) for number in numbers)
        return texts_of(self._value(tag))

    def text(self, tag: int) -> str:
        """Return a text element, its values joined by backslashes; "" when absent."""
        return "\\".join(self.texts(tag)).strip("\\")

    def decimals(self, tag: int) -> tuple[float, ...]:
        """Return the numbers of a DS, IS, FD, FL, US or SS element.

        A value that is no number becomes NaN, so that it cannot pass for one.
        """
        numbers = self._binary(tag, _FORMATS)
        if numbers is not None:
            return tuple(float(number) for number in numbers)
        return decimals_of(self._value(tag))

    def decimal(self, tag: int) -> float | None:
        """Return the first number of an element; None when absent or empty."""
        numbers = self.decimals(tag)
        return numbers[0] if numbers else None

    def integer(self, tag: int) -> int | None:
        """Return the first integer of an element; None when absent or no integer."""
        number = self.decimal(tag)
        return int(number) if number is not None and number == number // 1 else None

    def words(self, tag: int) -> tuple[int, ...]:
        """Return the values of a US or SS element as unsigned 16-bit integers.

        The bits count here, not the sign: writers use either VR (PS3.5 A.2).
        """
        numbers = self._binary(tag, _WORDS)
        if numbers is not None:
            return tuple(int(number) for number in numbers)
        return tuple(int(n) & 0xFFFF for n in self.decimals(tag) if n == n // 1)

    def items(self, tag: int) -> Sequence[Attributes]:
        """Return the items of a sequence; empty when absent or unreadable."""
        if tag not in self or self._items_of is None:
            return ()
        if tag not in self._items:
            self._items[tag] = self._items_of(tag)
        return self._items[tag]

    def display(self, tag: int) -> str:
        """Return a descriptive element, decoded by its character set, without controls."""
        value = self._value(tag)
        character_set = self.texts(_CHARACTER_SET)
        plain = value.isascii() and b"\x1b" not in value
        if plain or set(character_set) <= set(_LATIN):
            text = value.decode("latin-1")
        else:
            text = _decoded(value, character_set)
        values = [part.strip(" \0") for part in text.split("\\")]
        shown = "".join(c for c in "\\".join(values) if c.isprintable())
        return shown.strip("\\").strip()

    def _value(self, tag: int) -> bytes:
        return self.element(tag)[1]

    def _binary(
        self, tag: int, formats: Mapping[str, tuple[str, int]]
    ) -> tuple[Any, ...] | None:
        """Return the numbers of an element with a binary VR; None for any other."""
        vr, value = self.element(tag)
        if not value:
            return None
        if vr in ("", "UN"):
            vr = BINARY_TAGS.get(tag, vr)
        if vr not in formats:
            return None
        code, size = formats[vr]
        count = len(value) // size
        return unpack(f"{self._order}{count}{code}", value[: count * size])


def texts_of(value: bytes) -> tuple[str, ...]:
    r"""Return the values of a raw text element, stripped of padding.

    >>> texts_of(b"ORIGINAL\\PRIMARY ")
    ('ORIGINAL', 'PRIMARY')
    """
    if not value:
        return ()
    return tuple(part.strip(" \0\t\r\n") for part in value.decode("latin-1").split("\\"))


def decimals_of(value: bytes) -> tuple[float, ...]:
    r"""Return the numbers of a raw DS or IS element; NaN for what is no number.

    >>> decimals_of(b"-12.50\\3e1 \\x")
    (-12.5, 30.0, nan)
    """
    return tuple(
        float(part) if _NUMBER.fullmatch(part) else float("nan")
        for part in texts_of(value)
        if part
    )


def _decoded(value: bytes, character_set: Sequence[str]) -> str:
    """Return text in one of the character sets of PS3.5 C.12.1.1.2, odd bytes replaced."""
    import warnings

    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import TEXT_VR_DELIMS

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encodings = convert_encodings(list(character_set))
            return str(decode_bytes(value, encodings, TEXT_VR_DELIMS))
    except Exception:
        return value.decode("latin-1")
