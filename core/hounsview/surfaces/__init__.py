"""Surfaces: from masks and HU levels to meshes in the patient, to files, to the printer."""

from hounsview.surfaces.extraction import from_level, from_mask
from hounsview.surfaces.files import FORMATS, write_mesh
from hounsview.surfaces.mesh import Mesh
from hounsview.surfaces.printing import PrintCheck, check_print, fit_bed, thin_ml

__all__ = [
    "FORMATS",
    "Mesh",
    "PrintCheck",
    "check_print",
    "fit_bed",
    "from_level",
    "from_mask",
    "thin_ml",
    "write_mesh",
]
