"""Values under markups while they are moved."""

from __future__ import annotations

from typing import Any

KINDS = {
    "point": "vtkMRMLMarkupsFiducialNode",
    "line": "vtkMRMLMarkupsLineNode",
    "box": "vtkMRMLMarkupsROINode",
}


class Values:
    """The values of one volume node under markups; its voxels are copied once."""

    def __init__(self) -> None:
        self._known: tuple[Any, ...] = ()
        self._volume: Any = None

    def rows(self, node: Any, scene: Any) -> list[dict[str, str]]:
        """Return a row of name -> value for each thing that is measured in a scene.

        Parameters
        ----------
        node : vtkMRMLScalarVolumeNode or None
        scene : vtkMRMLScene
        """
        import hounsview as hv
        from hounsview import mrml

        there = [] if node is None else mrml.markups_in(node, scene)
        if not there:
            self.forget()
            return []
        try:
            volume = self._volume_of(node)
        except hv.HounsviewError as error:
            return [{"name": node.GetName(), "note": str(error)}]
        rows = []
        for markups in there:
            try:
                rows += mrml.markups_rows(markups, volume)
            except hv.HounsviewError as error:
                rows.append({"name": markups.GetName(), "note": str(error)})
        return rows

    def forget(self) -> None:
        """Let go of the voxels."""
        self._known, self._volume = (), None

    def forget_gone(self, scene: Any) -> None:
        """Let go of the voxels of a node that was removed."""
        if self._known and scene.GetNodeByID(self._known[0]) is None:
            self.forget()

    def _volume_of(self, node: Any) -> Any:
        from hounsview import mrml

        grid = mrml.geometry_of(node)
        marks = mrml.companion(node, mrml.MARKS)
        state = (
            node.GetID(),
            node.GetImageData().GetMTime(),
            grid.affine.tobytes(),
            mrml.unit_of(node),
            None if marks is None else marks.GetSegmentation().GetMTime(),
        )
        if state != self._known:
            self._volume, self._known = mrml.volume_of(node), state
        return self._volume


def markups_of(node: Any, scene: Any) -> list[Any]:
    """Return the markups that a volume node is measured with; none without a node."""
    from hounsview import mrml

    return [] if node is None else mrml.markups_in(node, scene)


def start_placing(kind: str, scene: Any) -> Any:
    """Return a new markups node that the next clicks in a view place: point, line or box."""
    from hounsview import mrml

    return mrml.start_placing(KINDS[kind], scene)


def stop_placing(scene: Any) -> None:
    """Let clicks in the views place nothing more."""
    from hounsview import mrml

    mrml.stop_placing(scene)
