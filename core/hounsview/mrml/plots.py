"""How the values of each tissue are spread, as a Slicer plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hounsview.anatomy import COLORS
from hounsview.histograms import histogram
from hounsview.mrml.application import slicer
from hounsview.mrml.layouts import show_arrangement
from hounsview.mrml.panes import node_of_view
from hounsview.mrml.tables import table_node
from hounsview.tissues import ml_text, tissue_numbers
from hounsview.volume import Volume

if TYPE_CHECKING:
    from hounsview.masks import Tissues

_VALUE: Final = "value (HU)"
_LOW, _HIGH, _STEP = -1100.0, 2100.0, 10.0


def tissue_histogram(
    volume: Volume, tissues: Tissues, scene: Any, *, name: str = "Tissue histogram"
) -> tuple[Any, Any, list[Any]]:
    """Return nodes of a plot: for each tissue, ml in each 10 HU from -1100 to 2100 HU.

    What is not measured (PADDING, FILLED) is left out. How much of a tissue lies beyond the
    ends stands in the chart's title.

    Parameters
    ----------
    volume : Volume
    tissues : Tissues
        Of that volume.
    scene : vtkMRMLScene
    name : str

    Returns
    -------
    chart : vtkMRMLPlotChartNode
    table : vtkMRMLTableNode
        The middle of each bin in HU, and a column of ml for each tissue.
    series : list of vtkMRMLPlotSeriesNode

    Raises
    ------
    NotHounsfieldError
        If the volume does not hold HU.
    """
    volume.require_hu("a histogram of tissues")
    core = slicer()
    columns, beyond = _columns(volume, tissues)
    table = table_node(scene, f"{name} (values)", columns)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    # A tissue that lies beyond the ends, as metal does, would seem not to be there.
    left_out = ", ".join(f"{ml_text(ml)} of {tissue}" for tissue, ml in beyond.items())
    chart.SetTitle(f"{name} (beyond the ends: {left_out})" if left_out else name)
    chart.SetXAxisTitle(_VALUE)
    chart.SetYAxisTitle(f"ml in {_STEP:g} HU")
    made = []
    for tissue in list(columns)[1:]:
        series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", tissue.replace("_", " "))
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_VALUE)
        series.SetYColumnName(tissue)
        series.SetPlotType(core.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(core.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        series.SetColor(*COLORS[tissue])
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        made.append(series)
    return chart, table, made


def show_chart(chart: Any, scene: Any) -> None:
    """Show a chart in the plot view, beside the slices and 3D."""
    show_arrangement("SlicerLayoutFourUpPlotView", scene)
    view = node_of_view(scene, "vtkMRMLPlotViewNode", "PlotView1")
    view.SetPlotChartNodeID(chart.GetID())


def show_table(table: Any, scene: Any) -> None:
    """Show a table in the table view, beside the slices and 3D."""
    show_arrangement("SlicerLayoutFourUpTableView", scene)
    view = node_of_view(scene, "vtkMRMLTableViewNode", "TableView1")
    view.SetTableNodeID(table.GetID())


def _columns(
    volume: Volume, tissues: Tissues
) -> tuple[Mapping[str, list[float]], dict[str, float]]:
    """Return the columns of the table, and the ml of each tissue that are in no bin."""
    bins = round((_HIGH - _LOW) / _STEP)
    ml = volume.geometry.voxel_volume / 1000
    middles = _LOW + _STEP * (np.arange(bins) + 0.5)
    columns, beyond = {_VALUE: middles.tolist()}, {}
    for tissue in COLORS:
        if tissue not in tissues.masks:
            continue
        mask = tissues.masks[tissue]
        counts, _ = histogram(volume, _LOW, _HIGH, bins, mask=mask)
        columns[tissue] = (counts * ml).tolist()
        missing = tissue_numbers(volume, mask).used - int(counts.sum())
        if missing:
            beyond[tissue] = missing * ml
    return columns, beyond
