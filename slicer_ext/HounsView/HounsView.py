"""HounsView: CT in Hounsfield units, checked before and after loading."""

from contextlib import contextmanager
from functools import partial

import slicer
from HounsViewLib import panel
from HounsViewLib.selftest import HounsViewTest  # noqa: F401, Slicer looks for it here
from HounsViewLib.work import Work
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HounsView(ScriptedLoadableModule):
    """What Slicer lists."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "HounsView"
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Informatics")]
        self.parent.dependencies = ["Volumes", "VolumeRendering", "Segmentations", "Markups"]
        self.parent.contributors = ["The hounsview developers"]
        self.parent.helpText = _(
            "Loads CT in Hounsfield units and says what was found, repaired or refused; "
            "checks volumes that Slicer loaded, and repairs a copy."
        )
        self.parent.acknowledgementText = _("MIT licence. Not a medical device.")


# Its annotations are the classes themselves, not text: Slicer reads them while this runs.
@parameterNodeWrapper
class HounsViewParameterNode:
    """What the module keeps in the scene.

    inputVolume : the volume that is checked, shown and measured
    path : the folder or file that was loaded last
    window : name of the window preset that was chosen last
    """

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    path: str = ""
    window: str = ""


class HounsViewWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: load, check, look, find tissues, measure."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._connection = None
        self._series = {}
        self._label = ""
        self._found = None
        self._timer = None

    def setup(self):
        """Make the panel."""
        import qt

        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/HounsView.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = HounsViewLogic()
        self._presets = {_("none"): "", **dict(self.logic.renderings())}
        self._methods = {_("graphics card"): "GPU", _("processor"): "CPU"}
        panel.fill_box(self.ui.windowBox, ["", *self.logic.windowNames()])
        panel.fill_box(self.ui.renderingBox, self._presets)
        panel.fill_box(self.ui.methodBox, self._methods)
        panel.fill_box(self.ui.layoutBox, self.logic.layoutNames())
        self._offerSeries([])
        # Many events while a markup is dragged make one table.
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(100)
        self._timer.timeout.connect(self.onValues)
        self._connect()
        self._initialize()

    def _connect(self):
        clicked = {
            "folderButton": self.onFolder,
            "loadButton": self.onLoad,
            "openButton": self.onOpenSession,
            "saveButton": self.onSaveSession,
            "auditButton": self.onAudit,
            "repairButton": self.onRepair,
            "findingsButton": partial(self.onTable, self.logic.showFindings),
            "tissuesButton": self.onTissues,
            "numbersButton": partial(self.onTable, self.logic.showNumbers),
            "chartButton": partial(self.onTable, self.logic.showChart),
            "undoButton": self.onUndo,
        }
        toggled = {"planesCheck": self.onPlanes, "cropCheck": self.onCrop}
        for each in self.logic.surfaces:
            # Qt looks at a function to know what to hand over; a partial tells it nothing.
            toggled[f"{each}Button"] = lambda on, tissue=each: self.onSurface(tissue, on)
        for each in self.logic.markups:
            clicked[f"{each}Button"] = partial(self.onPlace, each)
        panel.connect(
            self.ui, clicked, toggled, windowBox=self.onWindow, renderingBox=self.onRendering,
            methodBox=self.onMethod, layoutBox=self.onLayout, seriesBox=self.onSeries,
        )  # fmt: skip
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodesChanged)
        self.addObserver(scene, scene.EndBatchProcessEvent, self.onBatchEnd)

    def cleanup(self):
        """Leave nothing behind."""
        self.onSceneStartClose()
        self.removeObservers()

    def enter(self):
        """Follow the scene while the module is seen."""
        self._initialize()

    def exit(self):
        """Follow it no longer."""
        self._forget()

    def onSceneStartClose(self, caller=None, event=None):
        """The parameters go with the scene, and so does what could be undone."""
        self._forget()
        if self.logic is not None:
            self.logic.forget()

    def onSceneEndClose(self, caller=None, event=None):
        """A new scene has parameters of its own, and gives the same IDs again."""
        self._found = None
        self.ui.findingsText.setPlainText("")
        if self.parent.isEntered:
            self._initialize()

    def onNodesChanged(self, caller=None, event=None):
        """Remove what belongs to a volume that is gone; follow new markups."""
        if self._parameters is not None and not slicer.mrmlScene.IsBatchProcessing():
            # Not in the middle of the change: Slicer is still at work on the node.
            self._timer.start()

    def onBatchEnd(self, caller=None, event=None):
        """A scene file was read: Slicer kept its choice before the volume was there."""
        if self._parameters is not None:
            node = self._parameters.parameterNode
            if node.GetNodeReference("inputVolume") is not self._parameters.inputVolume:
                node.Modified()
                self.ui.pathLine.currentPath = self._parameters.path
        self.onNodesChanged()

    def onParameters(self, caller=None, event=None):
        """Another volume was chosen: show what is shown of it."""
        # While a scene is read the volume is there before its voxels are.
        if not slicer.mrmlScene.IsBatchProcessing():
            self._refresh()
            self._timer.start()

    def onFolder(self, checked=False):
        """Choose a folder: the path's own button opens files alone."""
        found = panel.folder(_("Folder with a CT"))
        if found:
            self.ui.pathLine.currentPath = found

    def onLoad(self, checked=False):
        """Load what the path names."""
        path = self.ui.pathLine.currentPath
        with self._doing(_("It could not be loaded.")):
            found = self.logic.choices(path) if path not in self._series else []
            if len(found) > 1:
                self._offerSeries(found, path)
                raise ValueError(_("Several volumes lie there: choose a series, then load."))
            series = self._series.get(path, {}).get(self._label, "")
            self._parameters.inputVolume = self.logic.load(path, series)
            self._parameters.path = path
            self._show(self.logic.findings(self._chosen()))

    def onSeries(self, label):
        """Remember which of several series is to be loaded."""
        self._label = label

    def onOpenSession(self, checked=False):
        """Show the view of a session file; ask where the scan is now, if it was moved."""
        file = panel.file_to_open(_("Open session"))
        if not file:
            return
        message = _("The session could not be opened.")
        with self._doing(message):
            moved = self.logic.isMoved(file)
        # A question is asked without the cursor that says "wait".
        path = panel.folder(_("Where is the scan of this session now?")) if moved else ""
        with self._doing(message):
            node, notes = self.logic.openSession(file, path)
            self._parameters.inputVolume = node
            self._show(notes + self.logic.findings(node))

    def onSaveSession(self, checked=False):
        """Write the view of the chosen volume as a session file."""
        file = panel.file_to_save(_("Save session"))
        if not file:
            return
        with self._doing(_("The session could not be saved.")):
            self.logic.saveSession(self._chosen(), file)
            slicer.util.showStatusMessage(file, 5000)

    def onAudit(self, checked=False):
        """Check the chosen volume."""
        with self._doing(_("It could not be checked.")):
            self._show(self.logic.audit(self._chosen()))

    def onRepair(self, checked=False):
        """Repair a copy of the chosen volume."""
        with self._doing(_("It could not be repaired.")):
            self._parameters.inputVolume = self.logic.repair(self._hounsfield())
            self._show(self.logic.findings(self._chosen()))

    def onWindow(self, name):
        """Show the chosen volume in a window."""
        with self._doing(_("The window could not be set.")):
            if name:
                self.logic.setWindow(self._chosen(), name)
                self._parameters.window = name

    def onRendering(self, label):
        """Show the chosen volume in a volume rendering preset, or none."""
        with self._doing(_("The volume rendering was not made.")):
            self._tell(self.logic.setRendering(self._chosen(), self._presets[label]))

    def onMethod(self, label):
        """Draw volume renderings by the graphics card or the processor."""
        with self._doing(_("The volume rendering was not made.")):
            self.logic.setMethod(self._methods[label], self._parameters.inputVolume)

    def onSurface(self, tissue, shown):
        """Show a surface, or hide it."""
        with self._doing(_("The surface was not made.")):
            self._tell(self.logic.setSurface(self._hounsfield(), tissue, shown))

    def onPlanes(self, shown):
        """Show the three slices in 3D, or hide them."""
        with self._doing(_("The slices could not be shown.")):
            self.logic.setPlanes(shown)

    def onCrop(self, shown):
        """Crop the volume rendering to a box, or show all of it."""
        with self._doing(_("There is no box.")):
            self.logic.setCrop(self._chosen(), shown)

    def onLayout(self, name):
        """Arrange the views."""
        with self._doing(_("The layout could not be set.")):
            self.logic.setLayout(name)

    def onTissues(self, checked=False):
        """Find the tissues of the chosen volume, and their numbers."""
        with self._doing(_("Tissues were not found.")):
            self.logic.segment(self._hounsfield())

    def onTable(self, show, checked=False):
        """Show a table or a chart of the chosen volume beside the slices."""
        with self._doing(_("There is nothing to show.")):
            show(self._chosen())

    def onPlace(self, kind, checked=False):
        """Place a point, a line or a box."""
        with self._doing(_("It cannot be placed.")):
            self._chosen()
            self.logic.place(kind)

    def onMarkups(self, caller=None, event=None):
        """A markup was moved: its values are out of date."""
        self._timer.start()

    def onValues(self):
        """Show what lies under the markups, and follow them."""
        if self._parameters is None or slicer.mrmlScene.IsBatchProcessing():
            return
        node = self._parameters.inputVolume
        self.logic.tidy()
        for markups in self.logic.markupsOf(node):
            for event in (markups.PointModifiedEvent, "ModifiedEvent"):
                if not self.hasObserver(markups, event, self.onMarkups):
                    self.addObserver(markups, event, self.onMarkups)
        panel.fill_table(self.ui.valuesTable, self.logic.values(node))
        self._refresh()

    def onUndo(self, checked=False):
        """Take back the last thing that was done here."""
        with self._doing(_("It could not be undone.")):
            self.logic.undo()

    @contextmanager
    def _doing(self, message):
        """Wait, show errors, and show what is true afterwards, also where it failed."""
        try:
            with slicer.util.tryWithErrorDisplay(message, waitCursor=True):
                yield
        finally:
            self._refresh()

    def _tell(self, notes):
        if notes:
            slicer.util.warningDisplay("\n".join(notes))

    def _chosen(self):
        node = self._parameters.inputVolume
        if node is None:
            raise ValueError(_("Choose a volume first."))
        return node

    def _hounsfield(self):
        """Return the chosen volume; where it does not say its unit, ask what it is."""
        node = self._chosen()
        if self.logic.isUnitUnknown(node) and panel.is_confirmed(
            _("This volume does not say its unit. Is it a CT in Hounsfield units (HU)?")
        ):
            self.logic.sayHounsfield(node)
        return node

    def _show(self, findings):
        text = "\n\n".join(findings) or _("Nothing doubtful was found.")
        self.ui.findingsText.setPlainText(text)
        self._found = self._parameters.inputVolume.GetID()

    def _offerSeries(self, found, path=""):
        """Let a person choose one of several series; none hides the choice."""
        self._series = {path: dict(found)} if found else {}
        self._label = found[0][0] if found else ""
        panel.fill_box(self.ui.seriesBox, dict(found))
        for shown in (self.ui.seriesBox, self.ui.seriesLabel):
            shown.setVisible(bool(found))

    def _refresh(self):
        if self._parameters is None:
            return
        node = self._parameters.inputVolume
        if node is None or node.GetID() != self._found:
            # What was found in another volume would be taken for this one's.
            self._found = None
            self.ui.findingsText.setPlainText("")
        panel.show_state(self.ui, self.logic.view(node), self._presets)
        panel.enable(self.ui, node is not None)
        empty = _("Load a CT folder, or choose a volume under Check.")
        self.ui.statusLabel.setText(empty if node is None else self.logic.described(node))
        self.ui.undoButton.setEnabled(bool(self.logic.lastStep))
        self.ui.undoButton.setText(" ".join((_("Undo"), self.logic.lastStep)).strip())

    def _initialize(self):
        self._forget()
        self._parameters = self.logic.getParameterNode()
        connect = self._parameters.connectParametersToGui
        self._connection = connect({"inputVolume": self.ui.volumeBox})
        # After Slicer's own observers, which keep the values: VTK calls the first of them last.
        node = self._parameters.parameterNode
        self.addObserver(node, "ModifiedEvent", self.onParameters, priority=-1.0)
        self.ui.pathLine.currentPath = self._parameters.path
        self._refresh()
        self._timer.start()

    def _forget(self):
        if self._timer is not None:
            self._timer.stop()
        if self._parameters is not None and self._connection is not None:
            self._parameters.disconnectGui(self._connection)
            node = self._parameters.parameterNode
            self.removeObserver(node, "ModifiedEvent", self.onParameters)
        self._parameters = self._connection = None


class HounsViewLogic(ScriptedLoadableModuleLogic, Work):
    """What the panel asks, and scripts may: `HounsViewLib.work.Work` on the open scene."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        Work.__init__(self)

    def getParameterNode(self):
        """Return the module's parameters in the scene."""
        return HounsViewParameterNode(super().getParameterNode())
