"""What the module did to the scene, to be undone step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Step:
    """One thing that was done.

    Parameters
    ----------
    name : str
        What it was, for a person.
    added : list of str
        IDs of nodes: the nodes themselves would keep the voxels of scans that a person removed.
    back : callable, optional
        Brings back what was changed.
    """

    name: str
    added: list[str] = field(default_factory=list)
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
        self, name: str, scene: Any, back: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Note what is added to a scene meanwhile; where the work fails, take it back."""
        from hounsview import mrml

        with mrml.all_or_nothing(scene) as added:
            yield
        self._done.append(Step(name, [node.GetID() for node in added], back))

    def undo(self, scene: Any) -> str:
        """Undo the last step and return its name; empty when there is none."""
        from hounsview import mrml

        if not self._done:
            return ""
        step = self._done.pop()
        there = [scene.GetNodeByID(each) for each in step.added]
        mrml.remove_all([node for node in there if node is not None], scene)
        if step.back is not None:
            step.back()
        return step.name

    def forget(self) -> None:
        """Forget all: the scene was closed."""
        self._done.clear()
