"""What belongs to a volume node: findings, marks, tissues, surfaces, numbers.

Each is a node reference of the volume node whose role begins with ``hounsview.``, so that it
is found again in a saved scene, is replaced and not made twice, and goes with the volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

PREFIX: Final = "hounsview."
_VOLUME: Final = "vtkMRMLScalarVolumeNode"
_OF: Final = "hounsview.of"
"""Role of a reference from an aid to its volume node, and the attribute that marks an aid."""


def attach(volume_node: Any, role: str, node: Any, *, aid: bool = False) -> None:
    """Let a node be the companion of a volume node in a role; what was before is removed.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    role : str
        Begins with `PREFIX`.
    node : vtkMRMLNode
    aid : bool
        Whether it is of no use without the volume, as findings are, and goes with it
        (`remove_orphans`); what a person asked for, such as tissues, stays.

    Notes
    -----
    A copy of a volume node, as Slicer clones it, refers to what the first one refers to: what
    another volume has as well is let go of and not removed.
    """
    if aid:
        node.SetAttribute(_OF, "1")
        node.SetNodeReferenceID(_OF, volume_node.GetID())
    before = volume_node.GetNodeReference(role)
    volume_node.SetNodeReferenceID(role, node.GetID())
    if before is not None and before is not node:
        let_go(before, volume_node)


def companion(volume_node: Any, role: str) -> Any:
    """Return the node that a volume node has in a role; None where there is none."""
    return volume_node.GetNodeReference(role)


def own_companion(volume_node: Any, role: str) -> Any:
    """Return the companion in a role; None where it is the aid of another volume.

    A copy of a volume node refers to the other's aids: to be read, never to be changed.
    """
    node = volume_node.GetNodeReference(role)
    if node is None or not is_aid(node):
        return node
    owner = node.GetNodeReference(_OF)
    return node if owner is None or owner is volume_node else None


def companions_of(volume_node: Any, role: str = "") -> list[Any]:
    """Return the nodes that a volume node has in a role; all that this package made for it.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    role : str
        Every role of this package when left out.
    """
    roles = [
        volume_node.GetNthNodeReferenceRole(n)
        for n in range(volume_node.GetNumberOfNodeReferenceRoles())
    ]
    held = [
        volume_node.GetNthNodeReference(each, n)
        for each in roles
        if each == role or (not role and each.startswith(PREFIX) and each != _OF)
        for n in range(volume_node.GetNumberOfNodeReferences(each))
    ]
    return [node for node in held if node is not None]


def remove(node: Any) -> None:
    """Remove a node from its scene, with its display and storage nodes."""
    scene = node.GetScene()
    if scene is None:
        return
    parts = []
    if node.IsA("vtkMRMLDisplayableNode"):
        parts += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        parts += [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for part in parts:
        if part is not None and part.GetScene() is scene:
            scene.RemoveNode(part)


def let_go(node: Any, volume_node: Any) -> None:
    """Remove a companion that a volume node no longer wants, unless another one has it."""
    if not any(other is not volume_node for other in _volumes_with(node)):
        remove(node)


def remove_all(nodes: Iterable[Any], scene: Any) -> None:
    """Remove nodes from a scene, in the order in which they were made.

    A display node comes after what it displays, and goes with it: gone before, Slicer would
    make another one for a volume that its slices still show.
    """
    for node in nodes:
        if node.GetScene() is scene:
            remove(node)


def is_aid(node: Any) -> bool:
    """Return whether a node is of no use without the volume that it was made for."""
    return bool(node.GetAttribute(_OF))


def remove_orphans(scene: Any) -> None:
    """Remove the aids of volume nodes that are no longer in the scene.

    Those that a copy of such a volume has as well become that one's. In the middle of a
    change, such as the reading of a scene, nothing is removed.
    """
    if scene.IsBatchProcessing():
        return
    nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    for node in nodes:
        if is_aid(node) and node.GetNodeReference(_OF) is None:
            heirs = _volumes_with(node)
            if heirs:
                node.SetNodeReferenceID(_OF, heirs[0].GetID())
            else:
                remove(node)


def _volumes_with(node: Any) -> list[Any]:
    """Return the volume nodes of a scene that have a node as their companion."""
    scene = node.GetScene()
    if scene is None:
        return []
    volumes = (
        scene.GetNthNodeByClass(n, _VOLUME)
        for n in range(scene.GetNumberOfNodesByClass(_VOLUME))
    )
    return [each for each in volumes if any(held is node for held in companions_of(each))]


@contextmanager
def all_or_nothing(scene: Any) -> Iterator[list[Any]]:
    """Give a list that holds, at the end, the nodes that were added to a scene meanwhile.

    Where the work fails they are removed again: a scene holds nothing half made. Views and
    what else Slicer makes for itself meanwhile are not among them: its windows stand on them.

    Parameters
    ----------
    scene : vtkMRMLScene
    """
    before = _ids(scene)
    added: list[Any] = []
    try:
        yield added
    except BaseException:
        remove_all(_added(scene, before), scene)
        raise
    added += _added(scene, before)


def _ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def _added(scene: Any, before: set[str]) -> list[Any]:
    nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    return [node for node in nodes if node.GetID() not in before and not _is_slicers(node)]


def _is_slicers(node: Any) -> bool:
    """Return whether Slicer keeps a node for itself: views, slices in 3D, the tree of data.

    What it has once in a scene bears a tag, and what it makes anew each time is not saved.
    """
    once = node.GetSingletonTag() is not None or node.IsA("vtkMRMLSubjectHierarchyNode")
    return bool(once or not node.GetSaveWithScene())
