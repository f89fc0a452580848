"""What the module does, on the scene that is open; each thing that changes it is a step."""

from __future__ import annotations

from functools import partial

import slicer
from slicer.i18n import tr as _

from HounsViewLib import checking, loading, looking, measuring, steps, tissues


class Work:
    """All that the panel asks, usable from scripts; what was done is undone step by step."""

    surfaces = tissues.SURFACES
    markups = tuple(measuring.KINDS)

    def __init__(self):
        self._steps = steps.Steps()
        self._values = measuring.Values()
        self._method = "GPU"

    @property
    def lastStep(self):
        """What would be undone; empty when nothing is left."""
        return self._steps.last

    def undo(self):
        """Take back the last thing that was done; return what it was."""
        return self._steps.undo(slicer.mrmlScene)

    def forget(self):
        """Let go of what belongs to a scene that is closed."""
        self._steps.forget()
        self._values.forget()

    def tidy(self):
        """Remove findings, marks and boxes of volumes that are gone."""
        from hounsview import mrml

        mrml.remove_orphans(slicer.mrmlScene)
        self._values.forget_gone(slicer.mrmlScene)

    def choices(self, path):
        """Return (label, key) of each volume under a path."""
        return loading.choices(path)

    def load(self, path, series=""):
        """Return the volume node of what lies under a path."""
        with self._steps.step(_("loading"), slicer.mrmlScene):
            return loading.load(path, slicer.mrmlScene, series)

    def isMoved(self, file):
        """Return whether the scan of a session file is no longer where it says."""
        return loading.is_moved(file)

    def openSession(self, file, path=""):
        """Return the volume node that a session file shows, and what is not shown of it."""
        with self._steps.step(_("opening a session"), slicer.mrmlScene):
            return loading.open_session(file, slicer.mrmlScene, self._rendering(), path)

    def saveSession(self, node, file):
        """Write the view of a volume node as a session file; return its path."""
        return loading.save_session(node, slicer.mrmlScene, file)

    def findings(self, node):
        """Return what was found when a node was loaded, as sentences."""
        return checking.findings_of(node)

    def showFindings(self, node):
        """Show the findings of a node as a table."""
        checking.show_findings(node, slicer.mrmlScene)

    def audit(self, node):
        """Return what is doubtful about a volume that was loaded by anything, as sentences."""
        return checking.audit(node)

    def isUnitUnknown(self, node):
        """Return whether nobody said what unit the values of a volume have."""
        return checking.is_unit_unknown(node)

    def sayHounsfield(self, node):
        """Let a volume say that its values are HU, as a person knows."""
        back = checking.unsay(node, slicer.mrmlScene)
        with self._steps.step(_("the unit"), slicer.mrmlScene, back):
            checking.say_hounsfield(node)

    def repair(self, node):
        """Return a repaired copy of a volume; the original stays as it is."""
        with self._steps.step(_("repairing a copy"), slicer.mrmlScene):
            return checking.repair(node, slicer.mrmlScene)

    def view(self, node):
        """Return what the scene shows of a node, as a hounsview.ViewState."""
        return looking.view(node, slicer.mrmlScene)

    def described(self, node):
        """Return what a volume is, in a line."""
        return looking.described(node)

    def windowNames(self):
        """Return the names of the window presets."""
        return looking.windows()

    def renderings(self):
        """Return (label, name) of the volume rendering presets."""
        return looking.renderings()

    def layoutNames(self):
        """Return the names of the layouts."""
        return looking.layouts()

    def setWindow(self, node, name):
        """Show a volume in a window preset."""
        with self._looking(_("the window"), node):
            looking.set_window(node, name)

    def setRendering(self, node, name):
        """Show a volume in a rendering preset, "" hides it; return what cannot be shown."""
        with self._looking(_("the volume rendering"), node):
            return looking.set_rendering(node, name, self._rendering(), slicer.mrmlScene)

    def setMethod(self, method, node=None):
        """Draw volume renderings by "GPU" or "CPU"; a node that is rendered is drawn anew."""
        self._method = method
        if node is not None:
            looking.redraw(node, self._rendering(), slicer.mrmlScene)

    def setCrop(self, node, shown):
        """Crop the volume rendering to a box, or show all of it."""
        with self._looking(_("the box"), node):
            looking.set_crop(node, shown, self._rendering(), slicer.mrmlScene)

    def setPlanes(self, shown):
        """Show the three slices in 3D, or hide them."""
        from hounsview import mrml

        mrml.show_slices_in_3d(shown, slicer.mrmlScene)

    def setLayout(self, name):
        """Arrange the views as "four-up", "axial", "coronal", "sagittal" or "3d"."""
        from hounsview import mrml

        mrml.show_layout(name, slicer.mrmlScene)

    def setSurface(self, node, tissue, shown):
        """Show the surface of "bone", "lung" or "skin", or hide it; return what is missing."""
        with self._looking(_("the surface"), node):
            return tissues.set_surface(node, tissue, shown, slicer.mrmlScene)

    def segment(self, node):
        """Return nodes of a volume's tissues: segmentation, table of numbers, chart."""
        back = tissues.way_back(node, slicer.mrmlScene)
        with self._steps.step(_("finding tissues"), slicer.mrmlScene, back):
            return tissues.segment(node, slicer.mrmlScene)

    def showNumbers(self, node):
        """Show the numbers of a volume's tissues as a table."""
        tissues.show_numbers(node, slicer.mrmlScene)

    def showChart(self, node):
        """Show the histogram of a volume's tissues."""
        tissues.show_chart(node, slicer.mrmlScene)

    def place(self, kind):
        """Return a new markups node, "point", "line" or "box", that the next clicks place."""
        scene = slicer.mrmlScene
        back = partial(measuring.stop_placing, scene)
        with self._steps.step(_("placing a markup"), scene, back):
            return measuring.start_placing(kind, scene)

    def markupsOf(self, node):
        """Return the markups that a volume is measured with."""
        return measuring.markups_of(node, slicer.mrmlScene)

    def values(self, node):
        """Return rows of name -> value of what lies under the markups."""
        return self._values.rows(node, slicer.mrmlScene)

    def _rendering(self):
        return looking.rendering_class(self._method)

    def _looking(self, name, node):
        """Return a step that brings back how a volume was shown."""
        before, mark = self.view(node), steps.Mark(node)

        def back():
            there = mark.found(slicer.mrmlScene)
            if there is not None:
                looking.restore(before, there, self._rendering(), slicer.mrmlScene)

        def isChanged():
            # The camera is no part of what is undone.
            return self.view(node).changed(camera=before.camera) != before

        return self._steps.step(name, slicer.mrmlScene, back, isChanged)
