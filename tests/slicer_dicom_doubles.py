"""As much of Slicer's DICOMLib and DICOM database as the DICOM plugin asks of it.

The scene, its subject hierarchy, the selection and the application logic are Slicer's own,
from slicer-core; DICOMLib and the database are not in it and stand here in small.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pydicom

from slicer_doubles import ROOT, application

PLUGIN = ROOT / "slicer_ext/HounsViewDICOMPlugin"
NAME = "HounsViewDICOMPlugin"
SERIES_UID = "0020,000E"


class DICOMLoadable:
    """A row of the DICOM browser."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.name = "Unknown"
        self.tooltip = ""
        self.warning = ""
        self.selected = False
        self.confidence = 0.5


class DICOMPlugin:
    """The base of all plugins, with the real subject hierarchy."""

    def __init__(self) -> None:
        self.loadType = "Generic DICOM"
        self.loadableCache: dict[tuple[str, ...], list[DICOMLoadable]] = {}
        self.tags = {"seriesDescription": "0008,103E", "seriesNumber": "0020,0011"}

    def getCachedLoadables(self, files: Sequence[str]) -> list[DICOMLoadable] | None:
        return self.loadableCache.get(tuple(files))

    def cacheLoadables(self, files: Sequence[str], loadables: list[DICOMLoadable]) -> None:
        self.loadableCache[tuple(files)] = loadables

    def examine(self, fileLists: list[Sequence[str]]) -> list[DICOMLoadable]:
        return self.examineForImport(fileLists)

    def examineForImport(self, fileLists: list[Sequence[str]]) -> list[DICOMLoadable]:
        raise NotImplementedError

    def defaultSeriesNodeName(self, seriesUID: str) -> str:
        import slicer

        files = slicer.dicomDatabase.filesForSeries(seriesUID)
        if not files:
            return "Unnamed Series"
        said = [
            slicer.dicomDatabase.fileValue(files[0], self.tags[name])
            for name in ("seriesNumber", "seriesDescription")
        ]
        return ": ".join(filter(None, [said[0], said[1] or "Unnamed Series"]))

    def addSeriesInSubjectHierarchy(self, loadable: DICOMLoadable, node: Any) -> None:
        import slicer

        value = slicer.dicomDatabase.fileValue
        first = loadable.files[0]
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        item = tree.CreateItem(tree.GetSceneItemID(), node)
        series = value(first, SERIES_UID)
        tree.SetItemUID(item, constants.GetDICOMUIDName(), series)
        slicer.vtkSlicerSubjectHierarchyModuleLogic.InsertDicomSeriesInHierarchy(
            tree, value(first, "0010,0020") or "nobody", value(first, "0020,000D"), series
        )


class Database:
    """`slicer.dicomDatabase`, over files that are read when they are asked for."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._known: dict[str, Any] = {}

    def add(self, *paths: Path) -> list[list[str]]:
        """Index files and folders; return one list of files for each series of theirs."""
        found = [f for p in paths for f in (p.rglob("*") if p.is_dir() else [p]) if f.is_file()]
        by_series: dict[str, list[str]] = {}
        for file in sorted(map(str, found)):
            self._known[file] = pydicom.dcmread(file, force=True, stop_before_pixels=True)
            self.files.append(file)
            by_series.setdefault(self.fileValue(file, SERIES_UID), []).append(file)
        return list(by_series.values())

    def filesForSeries(self, uid: str) -> list[str]:
        return [file for file in self.files if self.fileValue(file, SERIES_UID) == uid]

    def fileValue(self, file: str, tag: str) -> str:
        known = self._known.get(file)
        element = None if known is None else known.get(int(tag.replace(",", ""), 16))
        return "" if element is None or element.value is None else str(element.value)


def select_highest_confidence(*plugins_loadables: list[DICOMLoadable]) -> None:
    """Tick what Slicer ticks: in each series, what no other row goes before."""
    import slicer

    rows: dict[str, list[DICOMLoadable]] = {}
    for loadable in (one for each in plugins_loadables for one in each):
        series = slicer.dicomDatabase.fileValue(loadable.files[0], SERIES_UID)
        rows.setdefault(series, []).append(loadable)
    for together in rows.values():
        highest = max(one.confidence for one in together)
        for one in together:
            one.selected = one.confidence == highest


def slicers_own(files: Sequence[str]) -> DICOMLoadable:
    """Return the row of Slicer's own reader of volumes: all files, ticked."""
    row = DICOMLoadable()
    row.files, row.name, row.selected = list(files), "Slicer's own", True
    return row


@contextmanager
def dicom_application(scene: Any) -> Iterator[Any]:
    """Give `slicer` with an empty database, the plugin's module found and registered."""
    with application(scene) as slicer:
        logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(scene)
        slicer.app.applicationLogic = lambda: logic
        had_modules = getattr(slicer, "modules", None)
        slicer.modules, slicer.dicomDatabase = SimpleNamespace(), Database()
        library = ModuleType("DICOMLib")
        vars(library).update(DICOMLoadable=DICOMLoadable, DICOMPlugin=DICOMPlugin)
        sys.modules["DICOMLib"] = library
        sys.path.insert(0, str(PLUGIN))
        try:
            yield slicer
        finally:
            sys.path.remove(str(PLUGIN))
            for name in ("DICOMLib", NAME):
                sys.modules.pop(name, None)
            slicer.modules = had_modules
            del slicer.dicomDatabase
