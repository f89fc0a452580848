"""Tissues of a volume as segments, their numbers as a table, their surfaces as models."""

from __future__ import annotations

from typing import Any

_SURFACES = {"bone": "bone", "lung": "lungs", "skin": "body"}


def require_opencv() -> None:
    """Install OpenCV, which tissues need, where it is not there; asks the person first."""
    from importlib.util import find_spec

    if find_spec("cv2") is not None:
        return
    import slicer.util

    wanted = "opencv-python-headless>=4.11,<5"
    try:
        from slicer.packaging import pip_ensure
    except ImportError:  # before Slicer 5.12
        slicer.util.pip_install(wanted)
    else:
        pip_ensure([wanted])


def segment(node: Any, scene: Any) -> tuple[Any, Any]:
    """Return a segmentation node of the tissues found, and a table of their numbers."""
    require_opencv()
    import hounsview as hv
    from hounsview import mrml

    volume = mrml.volume_of(node)
    found = hv.masks.segment(volume)
    name = node.GetName()
    segments = mrml.tissue_segmentation(found, node, scene, name=f"{name} tissues")
    table = mrml.tissue_table(volume, found, scene, name=f"{name} tissue numbers")
    return segments, table


def surface(node: Any, tissue: str, scene: Any) -> Any:
    """Return a model node of the surface of ``"bone"``, ``"lung"`` or ``"skin"``."""
    require_opencv()
    import hounsview as hv
    from hounsview import mrml, surfaces

    volume = mrml.volume_of(node)
    mask = getattr(hv.masks, _SURFACES[tissue])(volume)
    mask = mask.both if tissue == "lung" else mask
    mesh = surfaces.from_mask(mask, volume.geometry, name=tissue)
    return mrml.model_node(mesh, scene, name=f"{node.GetName()} {tissue}")
