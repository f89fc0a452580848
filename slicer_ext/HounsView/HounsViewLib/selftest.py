"""The module's self test, as Slicer's Reload and Test runs it."""

from __future__ import annotations

from importlib.util import find_spec

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from HounsViewLib.work import Work


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
        """A series is loaded in HU; padding in another volume is found, and a copy repaired."""
        import tempfile

        import hounsview as hv
        from hounsview import mrml

        logic = Work()
        with tempfile.TemporaryDirectory() as folder:
            hv.write_dicom(hv.phantom("hu-rods", spacing=(10, 4, 4)), folder + "/rods")
            node = logic.load(folder + "/rods")
        assert not [line for line in logic.audit(node) if not line.startswith("Note")]
        logic.setWindow(node, "lung")
        display = node.GetDisplayNode()
        assert (display.GetWindow(), display.GetLevel()) == (1500, -600)
        rods = mrml.volume_of(node)
        padded = rods.hu.copy()
        padded[:, :2] = -3024
        spoilt = mrml.volume_node(hv.Volume(padded, rods.geometry), slicer.mrmlScene)
        assert "-3024" in "".join(logic.audit(spoilt))
        assert mrml.volume_of(logic.repair(spoilt)).hu.min() >= -1024
        assert mrml.volume_of(spoilt).hu.min() == -3024
        self.delayDisplay(_("Loaded, checked and repaired."))

    def test_tissues(self):
        """Bone and lungs of the thorax phantom become segments and a closed surface."""
        import hounsview as hv
        from hounsview import mrml

        # While Slicer tests itself it installs nothing.
        if slicer.app.testingEnabled() and find_spec("cv2") is None:
            self.delayDisplay(_("Without OpenCV there are no tissues to test."))
            return
        logic = Work()
        chest = hv.phantom("thorax", spacing=(4, 3, 3))
        node = mrml.volume_node(chest, slicer.mrmlScene, name="chest")
        segments, table, _chart = logic.segment(node)
        assert {"bone", "left_lung", "right_lung"} <= set(mrml.segment_ids(segments))
        assert table.GetNumberOfRows() > 2
        assert not logic.setSurface(node, "bone", True)
        (model,) = mrml.companions_of(node, mrml.SURFACE)
        assert model.GetPolyData().GetNumberOfCells() > 1000
        assert logic.undo()
        assert not mrml.companions_of(node, mrml.SURFACE)
        self.delayDisplay(_("Tissues and a surface."))
