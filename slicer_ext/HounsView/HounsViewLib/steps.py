"""What the module did to the scene, to be undone step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class Mark:
    """Finds a node again without keeping it, and the voxels of a scan, in memory.

    An ID would not do: a later scene gives the same ones again.
    """

    def __init__(self, node: Any) -> None:
        from vtkmodules.vtkCommonCore import vtkWeakReference

        self._node = vtkWeakReference()
        self._node.Set(node)

    def found(self, scene: Any) -> Any:
        """Return the node; None where it is no longer in the scene."""
        node = self._node.Get()
        return node if node is not None and node.GetScene() is scene else None


@dataclass
class Step:
    """One thing that was done.

    Parameters
    ----------
    name : str
        What it was, for a person.
    added : list of Mark
    back : callable, optional
        Brings back what was changed.
    """

    name: str
    added: list[Mark] = field(default_factory=list)
    back: Callable[[], object] | None = None


class Steps:
    """Steps that can be undone, the last one first."""

    def __init__(self) -> None:
        self._done: list[Step] = []

    @property
    def last(self) -> str:
        """What would be undone; empty when nothing is left."""
        return self._done[-1].name if self._done else ""

    @contextmanager
    def step(
        self,
        name: str,
        scene: Any,
        back: Callable[[], object] | None = None,
        is_changed: Callable[[], bool] = lambda: True,
    ) -> Iterator[None]:
        """Note what is added to a scene meanwhile; where the work fails, take it back.

        What added nothing and changed nothing, as `is_changed` says afterwards, is no step.
        """
        from hounsview import mrml

        with mrml.all_or_nothing(scene) as added:
            yield
        if not added and not is_changed():
            return
        self._done.append(Step(name, [Mark(node) for node in added], back))

    def undo(self, scene: Any) -> str:
        """Undo the last step and return its name; empty when there is none."""
        from hounsview import mrml

        if not self._done:
            return ""
        step = self._done.pop()
        there = [each.found(scene) for each in step.added]
        mrml.remove_all([node for node in there if node is not None], scene)
        if step.back is not None:
            step.back()
        return step.name

    def forget(self) -> None:
        """Forget all: the scene was closed."""
        self._done.clear()
