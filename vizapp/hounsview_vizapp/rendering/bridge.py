"""A volume as a pyvista object, for scripts that go on with pyvista."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsview.errors import GeometryError
from hounsview.volume import Volume

if TYPE_CHECKING:
    import pyvista

VALUES = "HU"
VALID = "valid"


def to_pyvista(volume: Volume) -> pyvista.ImageData:
    """Return the volume as pyvista.ImageData, placed in the patient in LPS mm.

    Points are voxel centres. The direction matrix of the image holds the axes, so points
    that pyvista and VTK give out (`points`, contours, slices, samples) are patient LPS mm.
    Both share memory: values are read-only, as in the volume. Where the stored axes are
    left-handed, the direction has determinant -1, which VTK allows.

    Parameters
    ----------
    volume : Volume

    Returns
    -------
    pyvista.ImageData
        Dimensions (i, j, k); point data ``"HU"`` (or named after the volume's unit), and
        ``"valid"`` (bits of `hounsview.Validity`) where the volume has it.

    Raises
    ------
    GeometryError
        If the axes do not stand at right angles (gantry tilt kept as a shear): VTK images
        cannot say so. Resample first, ``volume.resample_onto(geometry)``.

    Examples
    --------
    >>> import hounsview as hv
    >>> from hounsview_vizapp import to_pyvista
    >>> image = to_pyvista(hv.phantom("hu-rods"))
    >>> image.array_names
    ['HU']
    """
    import pyvista

    geometry = volume.geometry
    if not geometry.is_orthogonal:
        msg = (
            "a pyvista image has axes at right angles, and those of this volume are sheared: "
            f"{np.round(geometry.direction, 4).tolist()}. Resample it first with "
            "volume.resample_onto(geometry)"
        )
        raise GeometryError(msg)
    image = pyvista.ImageData(
        dimensions=volume.shape[::-1],
        spacing=geometry.spacing[::-1],
        origin=tuple(geometry.origin),
    )
    image.direction_matrix = geometry.direction[:, ::-1]
    image.point_data[VALUES if volume.unit == "HU" else volume.unit] = volume.hu.reshape(-1)
    if volume.valid is not None:
        image.point_data[VALID] = volume.valid.reshape(-1)
    image.set_active_scalars(VALUES if volume.unit == "HU" else volume.unit)
    return image
