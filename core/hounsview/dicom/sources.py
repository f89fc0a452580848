"""Bytes of a file, wherever it lies: a regular file, a member of a zip, a deflated part.

Everything that reads goes through a `Source`, which never returns more than is there and
never opens what is no regular file (a FIFO would hang, a device would not end).
"""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path
from typing import Final, Protocol

from hounsview.errors import DamagedFileError, LimitError, NotDicomError
from hounsview.limits import DEFLATE_RATIO, MIB, get_limits, in_words

_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_STEP: Final = 1 << 20
_ONE_READ: Final = 1 << 30
_AHEAD: Final = 1 << 14
_WORTH_A_LIBRARY: Final = 1 << 17
_BEHIND_PIXELS: Final = 1 << 16
MOST_READS: Final = 300_000
"""Reads that pydicom may take for one header: about two for each element."""
LARGEST_HEADER: Final = 64 * MIB
"""Bytes before the pixels; a thousand times what is usual."""
_HAS_PREAD: Final = hasattr(os, "preadv")


def check_header_size(size: int) -> None:
    """Refuse a header that goes on beyond any real one.

    Raises
    ------
    LimitError
        If it does.
    """
    if size > LARGEST_HEADER:
        msg = f"its header is longer than {in_words(LARGEST_HEADER)}"
        raise LimitError(msg)


class Source(Protocol):
    """Bytes that can be read at any place.

    Attributes
    ----------
    size : int
        Bytes in all; of a compressed source what it claims, or an upper bound.
    """

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        ...

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from `offset` and return how many bytes there were."""
        ...

    def verify(self) -> None:
        """Hold the whole to its checksum, where there is one.

        Raises
        ------
        DamagedFileError
            If they differ.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class FileSource:
    """A regular file.

    Raises
    ------
    NotDicomError
        If the path is no regular file.
    OSError
        If it cannot be opened.
    """

    __slots__ = ("_descriptor", "size")

    def __init__(self, path: str | Path) -> None:
        # Not blocking, and looked at after it was opened: nothing can be exchanged between.
        self._descriptor = os.open(path, _OPEN_FLAGS)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            msg = "not a regular file"
            raise NotDicomError(msg, files=[Path(path)])
        self.size = status.st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        if _HAS_PREAD and length < _ONE_READ:
            return os.pread(self._descriptor, length, offset)
        found = bytearray(length)
        return bytes(memoryview(found)[: self.read_into(offset, memoryview(found))])

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from `offset` and return how many bytes there were."""
        done = 0
        while done < len(buffer) and 0 <= offset < self.size:
            if _HAS_PREAD:
                got = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            else:
                os.lseek(self._descriptor, offset + done, os.SEEK_SET)
                chunk = os.read(self._descriptor, len(buffer) - done)
                got = len(chunk)
                buffer[done : done + got] = chunk
            if got == 0:
                break
            done += got
        return done

    def verify(self) -> None:
        """Do nothing: a file has no checksum."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class MemorySource:
    """Bytes in memory."""

    __slots__ = ("content", "size")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        return self.content[offset : offset + max(length, 0)]

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from `offset` and return how many bytes there were."""
        found = self.read(offset, len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def verify(self) -> None:
        """Do nothing: memory has no checksum."""

    def close(self) -> None:
        """Do nothing: memory needs no closing."""


class PartSource:
    """A part of another source, which is closed together with it.

    Parameters
    ----------
    inner : Source
    start, length : int
    checksum : int, optional
        CRC-32 of the part.
    """

    __slots__ = ("_checksum", "_inner", "_start", "size")

    def __init__(
        self, inner: Source, start: int, length: int, *, checksum: int | None = None
    ) -> None:
        self._inner, self._start, self._checksum = inner, start, checksum
        self.size = max(min(length, inner.size - start), 0)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        return self._inner.read(self._start + offset, min(length, self.size - offset))

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from `offset` and return how many bytes there were."""
        wanted = max(min(len(buffer), self.size - offset), 0)
        return self._inner.read_into(self._start + offset, buffer[:wanted])

    def verify(self) -> None:
        """Hold the whole to its checksum, a step at a time."""
        found = 0
        for offset in range(0, self.size, _STEP):
            found = zlib.crc32(self.read(offset, _STEP), found)
        _check_sum(found, self._checksum, "it")

    def close(self) -> None:
        """Close the inner source."""
        self._inner.close()


class InflatedSource:
    """A part of another source that is compressed by deflate, inflated as far as is asked.

    Parameters
    ----------
    inner : Source
        Closed together with this one.
    start, length : int
        Of the compressed part.
    size : int, optional
        Bytes that it claims to hold; the most that they could hold when left out.
    checksum : int, optional
        CRC-32 of the whole, compared once that is known.
    name : str
        For messages.

    Raises
    ------
    DamagedFileError
        When the stream breaks off or is no deflate stream.
    LimitError
        When more than `Limits.inflated_bytes` is asked for.
    """

    def __init__(
        self,
        inner: Source,
        start: int,
        length: int,
        *,
        size: int | None = None,
        checksum: int | None = None,
        name: str,
    ) -> None:
        most = DEFLATE_RATIO * length
        self.size = most if size is None else min(size, most)
        self._inner = inner
        self._start = self._place = start
        self._stop = min(start + length, inner.size)
        self._name, self._checksum = name, checksum
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._found = bytearray()
        self._exact = size is not None
        self._tried_at_once = self._complete = False

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end."""
        self._inflate_to(min(offset + length, self.size))
        return bytes(memoryview(self._found)[offset : offset + length])

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from `offset` and return how many bytes there were."""
        self._inflate_to(min(offset + len(buffer), self.size))
        found = memoryview(self._found)[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def verify(self) -> None:
        """Hold the whole to its checksum, and what it lies in to that one's."""
        if self._checksum is None:
            self._inner.verify()
        else:
            self._inflate_to(self.size)

    def close(self) -> None:
        """Close the inner source."""
        self._inner.close()

    def _inflate_to(self, wanted: int) -> None:
        limit = get_limits().inflated_bytes
        if wanted > limit:
            msg = (
                f"{self._name} inflates to {in_words(wanted)} or more, and the limit is "
                f"{in_words(limit)}. Raise it with hounsview.set_limits(inflated_bytes=...)"
            )
            raise LimitError(msg)
        if wanted - len(self._found) > _WORTH_A_LIBRARY and not self._tried_at_once:
            self._inflate_at_once(wanted)
        while len(self._found) < wanted and not (self._complete or self._inflater.eof):
            packed = self._inflater.unconsumed_tail
            if not packed:
                packed = self._inner.read(self._place, min(_STEP, self._stop - self._place))
                self._place += len(packed)
            if not packed:
                break
            try:
                self._found += self._inflater.decompress(packed, wanted - len(self._found))
            except zlib.error as error:
                msg = f"{self._name} cannot be inflated: {error}"
                raise DamagedFileError(msg) from error
        if self._checksum is not None and len(self._found) == self.size:
            _check_sum(zlib.crc32(self._found), self._checksum, self._name)
            self._checksum = None

    def _inflate_at_once(self, wanted: int) -> None:
        """Inflate with libdeflate, about twice as fast; leave it to zlib where that fails."""
        self._tried_at_once = True
        try:
            from imagecodecs import deflate_decode
        except ImportError:
            return
        room = self.size if self._exact else min(self.size, wanted + _BEHIND_PIXELS)
        if room > min(2 * wanted + _BEHIND_PIXELS, get_limits().inflated_bytes):
            return
        packed = self._inner.read(self._start, self._stop - self._start)
        try:
            self._found = bytearray(deflate_decode(packed, raw=True, out=room))
        except Exception:
            return
        self.size, self._complete = len(self._found), True


def _check_sum(found: int, wanted: int | None, name: str) -> None:
    if wanted is not None and found != wanted:
        msg = f"{name} does not match its checksum: the zip is damaged"
        raise DamagedFileError(msg)


class SourceStream:
    """What pydicom reads a source through: bounded in every way.

    Parameters
    ----------
    source : Source
    name : str
        For pydicom's messages.
    """

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._place = 0
        self._reads = 0
        self._window, self._window_at = b"", 0
        self.name = name

    def read(self, length: int = -1) -> bytes:
        """Return bytes from the current place; a claimed length takes no memory."""
        self._reads += 1
        if self._reads > MOST_READS:
            msg = f"the header has more than {MOST_READS:,} elements"
            raise LimitError(msg)
        rest = max(self._source.size - self._place, 0)
        length = rest if length < 0 else min(length, rest)
        check_header_size(self._place + length)
        at = self._place - self._window_at
        if at < 0 or at + length > len(self._window):
            self._window = self._source.read(self._place, max(length, min(_AHEAD, rest)))
            self._window_at, at = self._place, 0
        found = self._window[at : at + length]
        self._place += len(found)
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as a file does."""
        self._place = offset + (0, self._place, self._source.size)[whence]
        return self._place

    def tell(self) -> int:
        """Return the current place."""
        return self._place
