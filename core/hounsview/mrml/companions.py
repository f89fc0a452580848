"""What belongs to a volume node: findings, marks, tissues, surfaces, numbers.

Each is a node reference of the volume node whose role begins with ``hounsview.``, so that it
is found again in a saved scene, is replaced and not made twice, and goes with the volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

PREFIX: Final = "hounsview."


def attach(volume_node: Any, role: str, node: Any) -> None:
    """Let a node be the companion of a volume node in a role; what was before is removed.

    Parameters
    ----------
    volume_node : vtkMRMLScalarVolumeNode
    role : str
        Begins with `PREFIX`.
    node : vtkMRMLNode
    """
    before = volume_node.GetNodeReference(role)
    volume_node.SetNodeReferenceID(role, node.GetID())
    if before is not None and before is not node:
        remove(before)


def companion(volume_node: Any, role: str) -> Any:
    """Return the node that a volume node has in a role; None where there is none."""
    return volume_node.GetNodeReference(role)


def companions(volume_node: Any, role: str = "") -> list[Any]:
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
        if each == role or (not role and each.startswith(PREFIX))
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


def remove_volume(volume_node: Any) -> None:
    """Remove a volume node from its scene with all that this package made for it."""
    for node in companions(volume_node):
        remove(node)
    remove(volume_node)


@contextmanager
def all_or_nothing(scene: Any) -> Iterator[list[Any]]:
    """Give a list that holds, at the end, the nodes that were added to a scene meanwhile.

    Where the work fails they are removed again: a scene holds nothing half made.

    Parameters
    ----------
    scene : vtkMRMLScene
    """
    before = _ids(scene)
    added: list[Any] = []
    try:
        yield added
    except BaseException:
        for node in reversed(_added(scene, before)):
            if node.GetScene() is scene:
                scene.RemoveNode(node)
        raise
    added += _added(scene, before)


def _ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def _added(scene: Any, before: set[str]) -> list[Any]:
    nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    return [node for node in nodes if node.GetID() not in before]
