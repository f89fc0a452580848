"""3D Slicer, or slicer-core, fetched at the first use; scenes outside Slicer."""

from __future__ import annotations

import tempfile
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError, ImageFormatError, PathNotFoundError, WriteError
from hounsview.writing import atomic_file

ENDING: Final = ".mrb"

# A bare vtkMRMLScene does not know these, and drops them in silence, with all control points
# of markups, when it reads a file.
_REGISTERED_BY_MODULES: Final = (
    "vtkMRMLMarkupsJsonStorageNode",
    "vtkMRMLMarkupsPlaneJsonStorageNode",
    "vtkMRMLMarkupsROIJsonStorageNode",
    "vtkMRMLVolumePropertyNode",
    "vtkMRMLVolumePropertyStorageNode",
    "vtkMRMLVolumePropertyJsonStorageNode",
    "vtkMRMLShaderPropertyNode",
    "vtkMRMLShaderPropertyStorageNode",
    "vtkMRMLCPURayCastVolumeRenderingDisplayNode",
    "vtkMRMLGPURayCastVolumeRenderingDisplayNode",
)


def slicer() -> Any:
    """Return the module `slicer`, of the application or of slicer-core, with its `util`.

    Raises
    ------
    ArgumentError
        If neither is there.
    """
    try:
        import_module("slicer.util")
        return import_module("slicer")
    except ImportError as error:
        msg = (
            "MRML nodes and .mrb files need 3D Slicer or slicer-core: install "
            f"hounsview[slicer] ({error})"
        )
        raise ArgumentError(msg) from error


def vtk_module(name: str) -> Any:
    """Return a module of VTK, such as ``"vtkCommonDataModel"``."""
    return import_module(f"vtkmodules.{name}")


def new_scene() -> Any:
    """Return an empty vtkMRMLScene that reads and writes all that this package makes.

    Only outside Slicer: inside it, `slicer.mrmlScene` is the scene to use.

    Raises
    ------
    ArgumentError
        If slicer-core is not there.
    """
    core = slicer()
    scene = core.vtkMRMLScene()
    for name in _REGISTERED_BY_MODULES:
        scene.RegisterNodeClass(getattr(core, name)())
    return scene


def write_scene(scene: Any, path: Path) -> Path:
    """Write a scene with all its data into one .mrb file, whole or not at all.

    Parameters
    ----------
    scene : vtkMRMLScene
        Its nodes get storage nodes, as when Slicer saves them.
    path : Path
        Ends in .mrb; an old file stays until the new one is whole.

    Raises
    ------
    ArgumentError
        If the ending is another.
    WriteError
        If it cannot be written.
    """
    check_target(path)
    # Slicer names the folder in the bundle after the file, so not after `temporary`, and
    # refuses a relative path, which Python 3.11 makes of a relative `dir`.
    with (
        atomic_file(path) as temporary,
        tempfile.TemporaryDirectory(dir=path.parent.absolute(), prefix=".mrb-") as folder,
    ):
        inner = Path(folder) / path.name
        if not scene.WriteToMRB(str(inner)) or not inner.is_file():
            msg = f"{path} could not be written: Slicer's core gave no reason"
            raise WriteError(msg, files=[path])
        inner.replace(temporary)
    return path


def check_target(path: Path) -> None:
    """Refuse before any work a path that `write_scene` could not write.

    Raises
    ------
    ArgumentError
        If the ending is not .mrb, or slicer-core is not there.
    WriteError
        If the folder is missing.
    """
    if path.suffix.lower() != ENDING:
        msg = f"{path}: a scene is written as {ENDING}, not {path.suffix or 'without ending'}"
        raise ArgumentError(msg)
    if not path.parent.is_dir():
        msg = f"{path.parent}: no such folder to write {path.name} into"
        raise WriteError(msg, files=[path])
    if path.is_dir():
        msg = f"{path} is a folder; name a file"
        raise WriteError(msg, files=[path])
    slicer()


def read_scene(path: Path) -> Any:
    """Return a new vtkMRMLScene with what an .mrb file holds; only outside Slicer.

    Keep the scene as long as its nodes are used: without it they find none of the nodes that
    they refer to. Slicer's reader reverses k of left-handed volumes; no voxel moves.

    Raises
    ------
    ArgumentError
        If slicer-core is not there.
    PathNotFoundError
        If there is no such file.
    ImageFormatError
        If it is no scene.
    """
    if not path.is_file():
        msg = f"{path}: no such file"
        raise PathNotFoundError(msg, files=[path])
    scene = new_scene()
    core = slicer()
    with tempfile.TemporaryDirectory() as folder:
        # Without a cache the core refuses to unpack a bundle.
        cache, manager = core.vtkCacheManager(), core.vtkDataIOManager()
        cache.SetRemoteCacheDirectory(folder)
        manager.SetCacheManager(cache)
        scene.SetCacheManager(cache)
        scene.SetDataIOManager(manager)
        # The core refuses a relative path.
        read = zipfile.is_zipfile(path) and scene.ReadFromMRB(str(path.absolute()))
        scene.SetDataIOManager(None)
        scene.SetCacheManager(None)
    if not read:
        msg = f"{path} holds no scene that Slicer's core can read"
        raise ImageFormatError(msg, files=[path])
    return scene


def matrix_of(array: npt.ArrayLike) -> Any:
    """Return a vtkMatrix4x4 of a (4, 4) array."""
    matrix = vtk_module("vtkCommonMath").vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, np.float64).ravel().tolist())
    return matrix


def array_of_matrix(matrix: Any) -> npt.NDArray[np.float64]:
    """Return the (4, 4) float64 array of a vtkMatrix4x4."""
    return np.array(
        [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]
    )
