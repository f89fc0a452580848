"""What the DICOM browser offers of a series' files, and how it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import slicer
from slicer.i18n import tr as _

from HounsViewLib.checking import sentences

# Slicer selects what has the highest confidence in a series, and its own reader of volumes
# says 0.5. Ours goes before it also where the headers are in order: padding shows in the
# pixels alone. Where ours refuses, Slicer's stays selected, with the reason beside it.
READABLE, SLICE_BESIDE_VOLUME, REFUSED = 0.75, 0.45, 0.1


class Offer(NamedTuple):
    """One stack of a series, as a row of the DICOM browser.

    key : names the stack among those of the same files; `read` finds it again
    """

    name: str
    tooltip: str
    warning: str
    confidence: float
    files: list[str]
    key: str

    @property
    def selected(self) -> bool:
        """Whether it is ticked before anyone chooses."""
        return self.confidence == READABLE


def offers(files: list[str], name: str) -> list[Offer]:
    """Return an offer for each stack of CT slices in these files, by their headers alone.

    Localizers and what is no CT are not offered. Only these files are looked at.

    Parameters
    ----------
    files : list of str
        Of one series, as the DICOM database has them.
    name : str
        Of the series.
    """
    import hounsview as hv

    there = _existing(files)
    if not there:
        return []
    stacks = [one for one in hv.scan(there).series if one.kind in ("volume", "single")]
    lost = _lost(len(files) - len(there))
    with_volume = any(one.kind == "volume" and not _is_out(one) for one in stacks)
    return [
        Offer(
            name=_name(name, number, len(stacks)),
            tooltip=_tooltip(one),
            warning="\n".join([*lost, *_told(one, notes=False), *_undecodable(one)]),
            confidence=_confidence(one, with_volume),
            files=[str(file) for file in one.files],
            key=one.key,
        )
        for number, one in enumerate(stacks, start=1)
    ]


def read(files: list[str], key: str | None) -> Any:
    """Return the volume of one offered stack.

    Parameters
    ----------
    files : list of str
        All that were examined, so that the report says again what lies beside the stack.
    key : str or None
        Of the offer; None where the files hold one stack alone.

    Raises
    ------
    hounsview.HounsviewError
        If it cannot become a right volume; the message says why.
    """
    import hounsview as hv

    return hv.load(_existing(files), series=key)


def node_of(volume: Any, scene: Any, name: str) -> Any:
    """Return a volume node, shown with the windows that the files name, the first of them."""
    from hounsview import mrml

    windows = _windows(volume.attributes)
    first = windows[0] if windows else None
    node = mrml.volume_node(volume, scene, name=name, window=first)
    for window in windows:
        node.GetDisplayNode().AddWindowLevelPreset(window.width, window.center)
    return node


def note_source(node: Any, volume: Any, files: list[str], key: str | None) -> None:
    """Let a volume node know the folder of its files, so that it can have a session.

    Only where all of them lie in one folder, as in Slicer's own database: a session names one.
    """
    from hounsview import mrml

    folders = {str(Path(file).parent) for file in files}
    if len(folders) == 1:
        mrml.note_source(node, mrml.source_at(folders.pop(), volume, key=key or ""))


def put_beside(node: Any, others: list[Any], scene: Any) -> None:
    """Put what came with a volume node (findings, marks) under the same study in the tree.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
    others : list of vtkMRMLNode
        Those that the subject hierarchy does not show are left alone.
    scene : vtkMRMLScene
    """
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = tree.GetItemParent(tree.GetItemByDataNode(node))
    for each in others:
        item = 0 if each is node else tree.GetItemByDataNode(each)
        if item:
            tree.SetItemParent(item, study)


def _existing(files: list[str]) -> list[str]:
    """Return the files that are there: the database also knows some that were moved."""
    return [file for file in files if Path(file).is_file()]


def _lost(count: int) -> list[str]:
    if not count:
        return []
    text = _("{count} file(s) of this series that the database knows are not on the disk.")
    return [text.format(count=count)]


def _is_out(series: Any) -> bool:
    """Return whether it is known before loading that a series cannot be loaded."""
    return bool(series.report.of("refusal") or _undecodable(series))


def _undecodable(series: Any) -> list[str]:
    """Return why nothing in this Slicer decodes the pixels, as a sentence, or nothing."""
    from hounsview.dicom.decoding import undecodable

    by_syntax = {frame.transfer_syntax: frame for frame in series.frames}
    reasons = filter(None, map(undecodable, by_syntax.values()))
    hint = _(
        "In Slicer's Python console: slicer.util.pip_install('imagecodecs'); then restart."
    )
    return [f"{_('Refusal')}: {reason} {hint}" for reason in reasons]


def _confidence(series: Any, with_volume: bool) -> float:
    if _is_out(series):
        return REFUSED
    return SLICE_BESIDE_VOLUME if series.kind == "single" and with_volume else READABLE


def _name(name: str, number: int, count: int) -> str:
    # What Slicer's own plugins keep out of node names.
    plain = name.translate({ord(each): "-" for each in "|/\\"}).replace("*", "(star)")
    if count == 1:
        return plain
    text = _("{name} - stack {number} of {count}")
    return text.format(name=plain, number=number, count=count)


def _tooltip(series: Any) -> str:
    lines = []
    if series.shape is not None:
        slices, rows, columns = series.shape
        k, j, i = series.spacing
        text = _("{columns} x {rows} x {slices} voxels of {i:.4g} x {j:.4g} x {k:.4g} mm")
        lines.append(
            text.format(columns=columns, rows=rows, slices=slices, i=i, j=j, k=k),
        )
    text = _("{count} file(s), first file: {file}")
    lines.append(text.format(count=len(series.files), file=series.files[0]))
    return "\n".join([*lines, *_told(series, notes=True)])


def _told(series: Any, *, notes: bool) -> list[str]:
    """Return the notes of a series as sentences, or everything that is more than a note."""
    wanted = [f for f in series.report.findings if (f.severity == "note") == notes]
    return sentences(type(series.report)(tuple(wanted)))


def _windows(attributes: Any) -> list[Any]:
    """Return the windows of WindowCenter and WindowWidth (PS3.3 C.11.2.1.2), if sound."""
    from hounsview import Window

    windows = []
    pairs = (
        attributes.get(keyword, "").split("\\") for keyword in ("WindowCenter", "WindowWidth")
    )
    for center, width in zip(*pairs, strict=False):
        try:
            windows.append(Window(float(center), float(width)))
        except ValueError:
            continue
    return windows
