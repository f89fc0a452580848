"""Volumes and states that the tests of 3D pictures share."""

from __future__ import annotations

import numpy as np
import pytest

import hounsview as hv
from hounsview_vizapp.rendering import opengl

BARE = hv.ViewState(show_labels=False, show_crosshair=False, rendering="bone")
SIZE = (160, 160)


def has_opengl() -> bool:
    try:
        opengl.opengl()
    except hv.RenderingUnavailableError:
        return False
    return True


needs_opengl = pytest.mark.skipif(not has_opengl(), reason="VTK finds no OpenGL here")


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as on a machine without a graphics card, also where there is one."""
    monkeypatch.setattr(opengl.OpenGL, "is_software", True)


def marked() -> hv.Volume:
    """Air with a bar along z and a ball to the LEFT of its upper end."""
    shape = (40, 40, 40)
    geometry = hv.Geometry.from_parts(shape, spacing=(2, 2, 2), origin=(-39, -39, -39))
    points = geometry.to_patient(np.stack(np.indices(shape), -1))
    bar = np.hypot(points[..., 0], points[..., 1]) < 7
    bar &= np.abs(points[..., 2]) < 32
    near = np.linalg.norm(points - (22, -8, 22), axis=-1) < 10
    return hv.Volume(np.where(bar | near, 1200, -1000).astype(np.int16), geometry)


def ball(
    radius: float, spacing: float = 1.0, *, inside: int = 1000, outside: int = -1000
) -> hv.Volume:
    """Return a ball around the origin whose edge rises over one voxel.

    Half-way between `inside` and `outside` lies exactly at `radius` mm.
    """
    n = int(np.ceil(1.5 * radius / spacing)) * 2 + 1
    start = -(n - 1) / 2 * spacing
    geometry = hv.Geometry.from_parts((n,) * 3, spacing=(spacing,) * 3, origin=(start,) * 3)
    points = geometry.to_patient(np.stack(np.indices((n,) * 3), -1))
    share = np.clip((radius - np.linalg.norm(points, axis=-1)) / spacing + 0.5, 0, 1)
    return hv.Volume((outside + (inside - outside) * share).astype(np.int16), geometry)
