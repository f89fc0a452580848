"""What was found in a volume, and a repaired copy of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def sentences(report: Any) -> list[str]:
    """Return the findings of a report, each with its severity, the gravest first."""
    told = sorted(report.findings, key=lambda finding: str(finding.severity) == "note")
    return [f"{str(each.severity).capitalize()}: {each}" for each in told]


def findings_of(node: Any) -> list[str]:
    """Return what was found when a node was loaded by this module."""
    from hounsview import mrml

    return sentences(mrml.volume_of(node).report)


def audit(node: Any) -> list[str]:
    """Return what is doubtful about a volume that was loaded by anything."""
    from hounsview import mrml

    return sentences(mrml.audit(node))


def show_findings(node: Any, scene: Any) -> None:
    """Show the findings of a volume as a table beside the slices.

    Raises
    ------
    ValueError
        If the volume came without: Slicer itself loaded it.
    """
    from hounsview import mrml

    table = mrml.companion(node, mrml.FINDINGS_TABLE)
    if table is None:
        msg = f"{node.GetName()} came without findings: check it, or load it with HounsView"
        raise ValueError(msg)
    mrml.show_table(table, scene)


def is_unit_unknown(node: Any) -> bool:
    """Return whether nobody said what unit the values of a volume have.

    False too where the volume cannot be read: what is asked of it will say why.
    """
    import hounsview as hv
    from hounsview import mrml

    if mrml.unit_of(node) is not None:
        return False
    try:
        return bool(mrml.volume_of(node).unit == "unknown")
    except hv.HounsviewError:
        return False


def say_hounsfield(node: Any) -> None:
    """Let a volume say that its values are HU, as a person knows."""
    from hounsview import mrml

    mrml.say_hu(node)


def unsay(node: Any, scene: Any) -> Callable[[], object]:
    """Return what takes back that a volume says it holds HU."""
    from HounsViewLib.steps import Mark

    mark = Mark(node)

    def back() -> None:
        there = mark.found(scene)
        if there is not None:
            there.SetVoxelValueQuantity(None)
            there.SetVoxelValueUnits(None)

    return back


def repair(node: Any, scene: Any) -> Any:
    """Return a repaired copy of a volume; the original stays as it is."""
    from hounsview import mrml

    return mrml.repaired(node, scene)
