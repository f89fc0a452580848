"""Meshes as files: STL, PLY and OBJ in millimetres, GLB in metres; whole or not at all."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.surfaces.mesh import Floats, Mesh
from hounsview.writing import atomic_file

LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
LPS_TO_GLTF: Final = np.array(
    [[1e-3, 0, 0, 0], [0, 0, 1e-3, 0], [0, -1e-3, 0, 0], [0, 0, 0, 1.0]]
)
"""glTF 2.0, 3.4: metres, +Y up, the front of a thing towards +Z; so up is superior, the front
anterior, and X the patient's left."""

Color = tuple[float, float, float]
_SPACES: Final = ("LPS", "RAS")


def write_mesh(
    mesh: Mesh,
    path: Path,
    *,
    space: str = "LPS",
    color: Color = (0.93, 0.87, 0.75),
) -> Path:
    """Write a mesh, and return its path.

    Parameters
    ----------
    mesh : Mesh
    path : Path
        Ends in ``.stl`` (binary), ``.ply`` (binary), ``.obj`` or ``.glb``.
    space : str
        ``"LPS"`` or ``"RAS"``, mm, for STL, PLY and OBJ; it is written into their comments.
        GLB has its own: metres, Y up.
    color : (red, green, blue) float
        0 to 1, for PLY and GLB.

    Raises
    ------
    ArgumentError
        If the ending is another, the space unknown, or the mesh empty.
    WriteError
        If it cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        msg = f"{path}: meshes are written as {', '.join(_WRITERS)}"
        raise ArgumentError(msg)
    if space not in _SPACES:
        msg = f"space {space!r} must be one of {', '.join(_SPACES)}"
        raise ArgumentError(msg)
    if not len(mesh.triangles):
        msg = f"{path}: the mesh is empty, nothing was written"
        raise ArgumentError(msg)
    placed = mesh if space == "LPS" else mesh.moved(LPS_TO_RAS)
    with atomic_file(path) as temporary:
        write(temporary, mesh if path.suffix.lower() == ".glb" else placed, space, color)
    return path


def _about(mesh: Mesh, space: str) -> str:
    name = "".join(c if c.isascii() and c.isprintable() else "_" for c in mesh.name)
    return f"hounsview {name[:30]} mm SPACE={space}"


def _write_stl(path: Path, mesh: Mesh, space: str, color: Color) -> None:
    del color  # binary STL has none that readers agree on
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    records = np.zeros(len(mesh.triangles), record)
    corners = mesh.points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    np.divide(normals, lengths, out=normals, where=lengths > 0)
    records["normal"], records["corners"] = normals, corners
    with path.open("wb") as stream:
        stream.write(_about(mesh, space).encode().ljust(80))
        stream.write(struct.pack("<I", len(records)))
        stream.write(records.tobytes())


def _write_ply(path: Path, mesh: Mesh, space: str, color: Color) -> None:
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment {_about(mesh, space)}\n"
        f"element vertex {len(mesh.points)}\n"
        + "".join(f"property float {axis}\n" for axis in "xyz")
        + "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
        + f"element face {len(mesh.triangles)}\nproperty list uchar int vertex_indices\n"
        "end_header\n"
    )
    points = np.zeros(len(mesh.points), [("at", "<f4", 3), ("color", "u1", 3)])
    points["at"], points["color"] = mesh.points, np.rint(np.multiply(color, 255))
    faces = np.zeros(len(mesh.triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.triangles
    path.write_bytes(header.encode("ascii") + points.tobytes() + faces.tobytes())


def _write_obj(path: Path, mesh: Mesh, space: str, color: Color) -> None:
    del color  # needs a second file
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write(f"# {_about(mesh, space)}\no {_about(mesh, space).split()[1]}\n")
        np.savetxt(stream, mesh.points, "v %.5f %.5f %.5f")
        np.savetxt(stream, mesh.triangles + 1, "f %d %d %d")


def _write_glb(path: Path, mesh: Mesh, space: str, color: Color) -> None:
    del space  # glTF fixes its axes
    placed = mesh.moved(LPS_TO_GLTF)
    parts = (
        placed.points.astype("<f4"), placed.vertex_normals.astype("<f4"),
        placed.triangles.astype("<u4"),
    )  # fmt: skip
    # glTF 2.0, 3.6.2.4: accessors lie at multiples of their component's size; all are 4 here.
    binary = b"".join(part.tobytes() for part in parts)
    scene = json.dumps(_gltf(parts, mesh.name, color), separators=(",", ":")).encode()
    scene += b" " * (-len(scene) % 4)
    length = 12 + 8 + len(scene) + 8 + len(binary)
    with path.open("wb") as stream:
        stream.write(struct.pack("<4sII", b"glTF", 2, length))
        stream.write(struct.pack("<I4s", len(scene), b"JSON") + scene)
        stream.write(struct.pack("<I4s", len(binary), b"BIN\0") + binary)


def _gltf(parts: tuple[npt.NDArray[Any], ...], name: str, color: Color) -> dict[str, Any]:
    points, normals, triangles = parts
    sizes = [part.nbytes for part in parts]
    return {
        "asset": {"version": "2.0", "generator": "hounsview"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [
            {
                "name": name,
                "primitives": [
                    {"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}
                ],
            }
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorFactor": [*_linear(color), 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.6,
                }
            }
        ],
        "buffers": [{"byteLength": sum(sizes)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": sum(sizes[:n]), "byteLength": size, "target": target}
            for n, (size, target) in enumerate(zip(sizes, (34962, 34962, 34963), strict=True))
        ],
        "accessors": [
            _accessor(0, 5126, len(points), "VEC3")
            | {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()},
            _accessor(1, 5126, len(normals), "VEC3"),
            _accessor(2, 5125, triangles.size, "SCALAR"),
        ],
    }


def _accessor(view: int, component: int, count: int, kind: str) -> dict[str, Any]:
    return {"bufferView": view, "componentType": component, "count": count, "type": kind}


def _linear(color: Color) -> list[float]:
    """Return linear light of an sRGB colour (IEC 61966-2-1), which glTF wants."""
    srgb: Floats = np.asarray(color, float)
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return [round(float(part), 5) for part in light]


_WRITERS: Final[Mapping[str, Callable[[Path, Mesh, str, Color], None]]] = {
    ".stl": _write_stl,
    ".ply": _write_ply,
    ".obj": _write_obj,
    ".glb": _write_glb,
}
FORMATS: Final = tuple(_WRITERS)
