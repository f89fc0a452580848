"""What commands that open a volume share: their options, and one way to load it."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import hounsview as hv

if TYPE_CHECKING:
    from hounsview.scanning import Progress


@dataclass(frozen=True)
class RawLayout:
    """What ``--raw`` says: (k, j, i) sizes, numpy dtype, (k, j, i) mm, bytes to skip."""

    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...]
    offset: int = 0


def add_path(command: argparse.ArgumentParser) -> None:
    """Add the path of a command that takes the phantom where there is none."""
    command.add_argument("path", type=Path, nargs="?", help="folder or file (default: phantom)")


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a command that opens one volume."""
    command.add_argument("--series", help="number, key or SeriesInstanceUID (see info)")
    command.add_argument("--strict", action="store_true", help="refuse what needs a repair")
    command.add_argument(
        "--unit", help="what the values of an image or raw file are, if it does not say: HU"
    )
    command.add_argument(
        "--raw",
        type=raw_layout,
        metavar="SHAPE,DTYPE,SPACING[,OFFSET]",
        help="PATH is raw values (in a folder: a file for each slice), slices first, such as "
        "128x256x256,uint8,1.1x1.1x1.1; OFFSET is bytes before them, -1 for whatever is there",
    )
    command.add_argument(
        "--orientation",
        metavar="SPL",
        help="with --raw: where slices, rows and columns rise to (default: SPL)",
    )


def limit(text: str) -> tuple[str, int]:
    """Return name and value of a limit such as ``volume_bytes=40G`` (K, M, G of 1024).

    Raises
    ------
    argparse.ArgumentTypeError

    Examples
    --------
    >>> limit("frame_bytes=2M")
    ('frame_bytes', 2097152)
    """
    name, _, size = text.partition("=")
    power = "KMG".find(size[-1:].upper()) + 1 if size else 0
    digits = size[:-1] if power else size
    known = [field.name for field in fields(hv.Limits)]
    if name not in known or not digits.isdecimal() or int(digits) < 1:
        msg = f"{text!r} is not NAME=SIZE such as volume_bytes=40G; names: {', '.join(known)}"
        raise argparse.ArgumentTypeError(msg)
    return name, int(digits) << 10 * power


def with_negative_lists(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which lists that begin with a minus are taken for values.

    argparse takes ``-20,5,-30`` for an option, unless it is joined to its own by ``=``.

    Examples
    --------
    >>> with_negative_lists(["x", "--at", "-20,5,-30", "-o", "a.png"])
    ['x', '--at=-20,5,-30', '-o', 'a.png']
    """
    joined: list[str] = []
    for argument in arguments:
        is_list = re.match(r"-[\d.]+,", argument) is not None
        if is_list and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def raw_layout(text: str) -> RawLayout:
    """Return the layout that a text such as ``12x512x512,>i2,1x0.5x0.5,3416`` says.

    Raises
    ------
    argparse.ArgumentTypeError

    Examples
    --------
    >>> raw_layout("128x256x256,uint8,1.1x1.1x1.1").shape
    (128, 256, 256)
    """
    try:
        shape, dtype, spacing, *rest = text.split(",")
        sizes = tuple(int(part) for part in shape.lower().split("x"))
        steps = tuple(float(part) for part in spacing.lower().split("x"))
        (offset,) = [int(part) for part in rest] or [0]
    except ValueError:
        sizes, steps, dtype, offset = (), (), "", 0
    if len(sizes) != 3 or len(steps) != 3:
        msg = f"{text!r} is not SHAPE,DTYPE,SPACING such as 128x256x256,uint8,1.1x1.1x1.1"
        raise argparse.ArgumentTypeError(msg)
    return RawLayout(sizes, dtype, steps, offset)


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    ArgumentError
    """
    if options.raw is None and options.orientation is not None:
        msg = "--orientation is for --raw: other files say their own"
        raise hv.ArgumentError(msg)
    if options.raw is not None and (options.path is None or options.series is not None):
        msg = "--raw needs a PATH, and takes no --series"
        raise hv.ArgumentError(msg)
    if options.path is None and options.unit is not None:
        msg = "--unit needs a PATH: the phantom is in HU"
        raise hv.ArgumentError(msg)


def load(options: argparse.Namespace, progress: Progress | None) -> hv.Volume:
    """Return the volume that a command's options name; the phantom without a path."""
    check_options(options)
    path: Path | None = options.path
    if path is None:
        return hv.phantom("thorax")
    if options.raw is not None:
        raw: RawLayout = options.raw
        return hv.read_raw(
            path, raw.shape, raw.dtype, raw.spacing, offset=raw.offset,
            orientation=options.orientation or "SPL", unit=options.unit, progress=progress,
        )  # fmt: skip
    series = options.series
    if series is not None and series.isdecimal() and len(series) < 6:
        series = int(series)
    policy: Literal["strict", "repair"] = "strict" if options.strict else "repair"
    return hv.load(path, series=series, policy=policy, unit=options.unit, progress=progress)


def say_findings(volume: hv.Volume) -> None:
    """Tell on stderr what a person must know of the volume: all but notes."""
    for finding in volume.report.findings:
        if finding.severity != hv.Severity.NOTE:
            print(f"hounsview: {finding.severity}: {finding}", file=sys.stderr)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None] | None]:
    """Give a progress callback that draws a bar on a terminal once a second has passed."""
    if not sys.stderr.isatty():
        yield None
        return
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    started = monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def show(done: int, total: int, what: str) -> None:
        if not bar.live.is_started and monotonic() - started > 1:
            bar.start()
        bar.update(task, completed=done, total=total, description=what[:40])

    try:
        yield show
    finally:
        bar.stop()
