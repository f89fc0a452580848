"""The measurements of a view as a table, each number a column."""

from __future__ import annotations

from collections.abc import Iterable

from hounsview.measure import Measured, measure, table_row
from hounsview.viewstate import Measurement
from hounsview.volume import Volume

Row = dict[str, str]


def measured(
    volume: Volume, measurements: Iterable[Measurement]
) -> list[tuple[Measurement, Measured]]:
    """Return each measurement with its numbers."""
    return [(each, measure(volume, each)) for each in measurements]


def rows_of(numbers: Iterable[tuple[Measurement, Measured]]) -> list[Row]:
    """Return one row for each measurement; the column without a name counts from 1."""
    return [{"": str(number), **table_row(*each)} for number, each in enumerate(numbers, 1)]


def tab_separated(rows: list[Row]) -> str:
    """Return rows as spreadsheets take them, the heading first."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(row.get(name, "") for name in names) for row in rows]
    return "\n".join(["\t".join(names), *lines])
