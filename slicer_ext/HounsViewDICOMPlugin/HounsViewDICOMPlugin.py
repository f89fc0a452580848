"""HounsView in Slicer's DICOM browser: CT is checked before it is loaded."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path

import slicer
from DICOMLib import DICOMLoadable, DICOMPlugin
from slicer.i18n import tr as _

# Installed, both modules lie in one folder; in a checkout, side by side.
if find_spec("HounsViewLib") is None:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "HounsView"))

import HounsViewLib  # noqa: F401, lets the library be found


class HounsViewDICOMPluginClass(DICOMPlugin):
    """Offers each stack of CT slices with what its headers tell, and loads it in HU."""

    def __init__(self):
        DICOMPlugin.__init__(self)
        self.loadType = _("CT volume (HU checked)")
        self.tags["seriesUID"] = "0020,000E"
        self.tags["instanceUID"] = "0008,0018"
        self.tags["modality"] = "0008,0060"

    def examineForImport(self, fileLists):
        """Return what can be loaded of lists of files, one list for each series."""
        loadables = []
        for files in fileLists:
            known = self.getCachedLoadables(files)
            # An empty list is an answer too: Slicer asks a second time after it.
            if known is None:
                known = self.examineFiles(list(files))
                self.cacheLoadables(files, known)
            loadables += known
        return loadables

    def examineFiles(self, files):
        """Return a loadable for each stack of CT slices in the files of one series."""
        from HounsViewLib import dicom

        if not any(self._value(file, "modality") in ("CT", "") for file in files):
            return []
        name = self.defaultSeriesNodeName(self._value(files[0], "seriesUID"))
        return [self._loadable(offer, files) for offer in dicom.offers(files, name)]

    def load(self, loadable):
        """Return the volume node of a loadable; None, with the reason shown, if there is none.

        Whatever goes wrong, no half-made node stays in the scene.
        """
        try:
            return self._load(loadable, slicer.mrmlScene)
        except Exception as error:
            logging.exception("HounsView could not load %s", loadable.name)
            text = _("{name} was not loaded as {kind}.")
            text = text.format(name=loadable.name, kind=self.loadType)
            slicer.util.errorDisplay(f"{text}\n\n{error}", windowTitle="DICOM")
            return None

    def _loadable(self, offer, files):
        loadable = DICOMLoadable()
        loadable.files = offer.files
        loadable.name = offer.name
        loadable.tooltip = offer.tooltip
        loadable.warning = offer.warning
        loadable.confidence = offer.confidence
        loadable.selected = offer.selected
        loadable.hounsviewFiles = files
        loadable.hounsviewKey = offer.key
        return loadable

    def _load(self, loadable, scene):
        from HounsViewLib import dicom

        from hounsview import mrml

        # A loadable that a script made names its files alone.
        files = getattr(loadable, "hounsviewFiles", loadable.files)
        key = getattr(loadable, "hounsviewKey", None)
        volume = dicom.read(list(files), key)
        with mrml.all_or_nothing(scene):
            with mrml.all_or_nothing(scene) as made:
                node = dicom.node_of(volume, scene, scene.GenerateUniqueName(loadable.name))
                dicom.note_source(node, volume, list(loadable.files), key)
            self.addSeriesInSubjectHierarchy(loadable, node)
            dicom.put_beside(node, made, scene)
            uids = [self._value(file, "instanceUID") or "Unknown" for file in loadable.files]
            node.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
            logic = slicer.app.applicationLogic()
            logic.GetSelectionNode().SetActiveVolumeID(node.GetID())
            logic.PropagateVolumeSelection()
        return node

    def _value(self, file, name):
        return slicer.dicomDatabase.fileValue(file, self.tags[name])


class HounsViewDICOMPlugin:
    """What Slicer loads as a module; it has no panel and only registers the plugin."""

    def __init__(self, parent):
        parent.title = "HounsView DICOM plugin"
        parent.categories = ["Developer Tools.DICOM Plugins"]
        parent.dependencies = ["DICOM"]
        parent.contributors = ["The hounsview developers"]
        parent.helpText = _(
            "Offers CT in the DICOM browser as volumes in Hounsfield units, with what is "
            "missing, uneven or doubtful said before loading. There is no panel."
        )
        parent.acknowledgementText = _("MIT licence. Not a medical device.")
        parent.hidden = True
        # Plugins may be loaded before the DICOM module makes the table.
        if not hasattr(slicer.modules, "dicomPlugins"):
            slicer.modules.dicomPlugins = {}
        slicer.modules.dicomPlugins["HounsViewDICOMPlugin"] = HounsViewDICOMPluginClass
