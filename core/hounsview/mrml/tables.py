"""Tables that survive Slicer's own format, which quotes nothing and keeps six digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hounsview.mrml.application import vtk_module


def table_node(scene: Any, name: str, columns: Mapping[str, Sequence[str | float]]) -> Any:
    """Return a new vtkMRMLTableNode: a column of text, or of numbers, for each name.

    Parameters
    ----------
    scene : vtkMRMLScene
    name : str
    columns : mapping of str to a sequence of str or of float
        All of one length; tabs, line ends and double quotes in text become blanks and
        single quotes, because a table file has no way to say them.
    """
    core = vtk_module("vtkCommonCore")
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    for title, values in columns.items():
        of_text = all(isinstance(value, str) for value in values)
        column = core.vtkStringArray() if of_text else core.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(_plain(value) if isinstance(value, str) else float(value))
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def rows_of(node: Any) -> list[dict[str, str]]:
    """Return the rows of a vtkMRMLTableNode as text by column name."""
    table = node.GetTable()
    names = [table.GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    return [
        {name: table.GetValueByName(row, name).ToString() for name in names}
        for row in range(table.GetNumberOfRows())
    ]


def _plain(text: str) -> str:
    return " ".join(text.replace('"', "'").split())
