"""HounsView: CT in Hounsfield units, checked before and after loading."""

from __future__ import annotations

import HounsViewLib  # noqa: F401, lets the library be found
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
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
    """The panel: load, check, look."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._connection = None

    def setup(self):
        """Make the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/HounsView.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = HounsViewLogic()
        for name in self.logic.windowNames():
            self.ui.windowBox.addItem(name)
        self.ui.loadButton.clicked.connect(self.onLoad)
        self.ui.auditButton.clicked.connect(self.onAudit)
        self.ui.repairButton.clicked.connect(self.onRepair)
        self.ui.windowBox.textActivated.connect(self.onWindow)
        self.ui.tissuesButton.clicked.connect(self.onTissues)
        self.ui.boneButton.clicked.connect(self.onBone)
        self.ui.lungButton.clicked.connect(self.onLung)
        self.ui.skinButton.clicked.connect(self.onSkin)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self._initialize()

    def cleanup(self):
        """Leave nothing behind."""
        self._forget()
        self.removeObservers()

    def enter(self):
        """Follow the scene's parameters while the module is seen."""
        self._initialize()

    def exit(self):
        """Follow them no longer."""
        self._forget()

    def onSceneStartClose(self, caller=None, event=None):
        """The parameters go with the scene."""
        self._forget()

    def onSceneEndClose(self, caller=None, event=None):
        """A new scene has parameters of its own."""
        if self.parent.isEntered:
            self._initialize()

    def onLoad(self):
        """Load what the path names."""
        with slicer.util.tryWithErrorDisplay(_("It could not be loaded."), waitCursor=True):
            node = self.logic.load(self.ui.pathLine.currentPath)
            self._parameters.inputVolume = node
            self._show(self.logic.findings(node))

    def onAudit(self):
        """Check the chosen volume."""
        with slicer.util.tryWithErrorDisplay(_("It could not be checked."), waitCursor=True):
            self._show(self.logic.audit(self._chosen()))

    def onRepair(self):
        """Repair a copy of the chosen volume."""
        with slicer.util.tryWithErrorDisplay(_("It could not be repaired."), waitCursor=True):
            self._parameters.inputVolume = self.logic.repair(self._chosen())

    def onWindow(self, name):
        """Show the chosen volume in a window."""
        with slicer.util.tryWithErrorDisplay(_("The window could not be set.")):
            self.logic.setWindow(self._chosen(), name)
            self._parameters.window = name

    def onTissues(self):
        """Find the tissues of the chosen volume, and their numbers."""
        with slicer.util.tryWithErrorDisplay(_("Tissues were not found."), waitCursor=True):
            self.logic.segment(self._chosen())

    def onBone(self):
        """Show the surface of bone."""
        self._surface("bone")

    def onLung(self):
        """Show the surface of both lungs."""
        self._surface("lung")

    def onSkin(self):
        """Show the surface of the body."""
        self._surface("skin")

    def _surface(self, tissue):
        with slicer.util.tryWithErrorDisplay(_("The surface was not made."), waitCursor=True):
            self.logic.surface(self._chosen(), tissue)

    def _chosen(self):
        node = self._parameters.inputVolume
        if node is None:
            raise ValueError(_("Choose a volume first."))
        return node

    def _show(self, findings):
        self.ui.findingsText.setPlainText("\n\n".join(findings) or _("Nothing was found."))

    def _initialize(self):
        self._forget()
        self._parameters = self.logic.getParameterNode()
        self._connection = self._parameters.connectGui(self.ui)

    def _forget(self):
        if self._parameters is not None and self._connection is not None:
            self._parameters.disconnectGui(self._connection)
        self._parameters = self._connection = None


class HounsViewLogic(ScriptedLoadableModuleLogic):
    """What the panel asks; a thin facade of HounsViewLib, usable from scripts."""

    def getParameterNode(self):
        """Return the module's parameters in the scene."""
        return HounsViewParameterNode(super().getParameterNode())

    def load(self, path):
        """Return the volume node of what lies under a path."""
        from HounsViewLib import loading

        return loading.load(path, slicer.mrmlScene)

    def findings(self, node):
        """Return what was found when a node was loaded, as sentences."""
        from HounsViewLib import checking

        return checking.findings_of(node)

    def audit(self, node):
        """Return what is doubtful about a volume that was loaded by anything, as sentences."""
        from HounsViewLib import checking

        return checking.audit(node)

    def repair(self, node):
        """Return a repaired copy of a volume; the original stays as it is."""
        from HounsViewLib import checking

        return checking.repair(node, slicer.mrmlScene)

    def segment(self, node):
        """Return a segmentation node of the tissues, and a table node of their numbers."""
        from HounsViewLib import tissues

        return tissues.segment(node, slicer.mrmlScene)

    def surface(self, node, tissue):
        """Return a model node of the surface of "bone", "lung" or "skin"."""
        from HounsViewLib import tissues

        return tissues.surface(node, tissue, slicer.mrmlScene)

    def windowNames(self):
        """Return the names of the window presets."""
        from hounsview import window_presets

        return list(window_presets())

    def setWindow(self, node, name):
        """Show a volume in a window preset."""
        from hounsview import mrml, window_presets

        mrml.set_window(node, window_presets()[name])


class HounsViewTest(ScriptedLoadableModuleTest):
    """The module's self test; needs no data: the phantom is made here."""

    def setUp(self):
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run all tests, as Slicer's self test does."""
        self.setUp()
        self.test_load_check_repair()
        self.setUp()
        self.test_tissues()

    def test_load_check_repair(self):
        """A series is loaded in HU; a spoilt copy is found out, and repaired beside it."""
        import tempfile

        import hounsview as hv

        logic = HounsViewLogic()
        with tempfile.TemporaryDirectory() as folder:
            hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), folder + "/rods")
            node = logic.load(folder + "/rods")
        assert not [line for line in logic.audit(node) if not line.startswith("Note")]
        logic.setWindow(node, "lung")
        display = node.GetDisplayNode()
        assert (display.GetWindow(), display.GetLevel()) == (1500, -600)
        self.delayDisplay(_("Loaded and checked."))

    def test_tissues(self):
        """Bone and lungs of the thorax phantom become segments and a closed surface."""
        import hounsview as hv
        from hounsview import mrml

        logic = HounsViewLogic()
        chest = hv.phantom("thorax", spacing=(4, 3, 3))
        node = mrml.volume_node(chest, slicer.mrmlScene, name="chest")
        segments, table = logic.segment(node)
        assert {"bone", "left_lung", "right_lung"} <= set(mrml.segment_ids(segments))
        assert table.GetNumberOfRows() > 2
        model = logic.surface(node, "bone")
        assert model.GetPolyData().GetNumberOfCells() > 1000
        self.delayDisplay(_("Tissues and a surface."))
