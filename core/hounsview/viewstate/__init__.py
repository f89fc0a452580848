"""How a volume is looked at, as plain data: what a session file holds.

No toolkit, no voxels. The panes draw a function of (volume, state); desktop, notebook
and 3D Slicer read and write the same JSON.
"""

from hounsview.viewstate.measurements import POINTS_OF, Measurement
from hounsview.viewstate.parts import (
    PLANES,
    SLAB_KINDS,
    TISSUES,
    Camera,
    CropBox,
    Overlay,
    PlaneView,
    Slab,
    Surface,
    Transfer,
)
from hounsview.viewstate.state import COLORMAPS, LAYOUTS, QUALITIES, VERSION, ViewState

__all__ = [
    "COLORMAPS",
    "LAYOUTS",
    "PLANES",
    "POINTS_OF",
    "QUALITIES",
    "SLAB_KINDS",
    "TISSUES",
    "VERSION",
    "Camera",
    "CropBox",
    "Measurement",
    "Overlay",
    "PlaneView",
    "Slab",
    "Surface",
    "Transfer",
    "ViewState",
]
