"""The commands about tissues: `hounsview mesh`, `measure`, `segment` and `deface`."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hounsview as hv
from hounsview import viewtissues
from hounsview_vizapp import opening, tissuework

if TYPE_CHECKING:
    from hounsview.masks import Tissues
    from hounsview.surfaces import Mesh

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_TISSUES = (
    "bone", "lung", "left_lung", "right_lung", "airways", "skin", "body", "fat", "soft_tissue",
    "contrast", "metal",
)  # fmt: skip
_MESH_EPILOG = """\
examples:
  hounsview mesh scans/ --tissue bone -o bone.stl
  hounsview mesh scans/ --tissue lung -o lungs.glb --triangles 100000
  hounsview mesh scans/ --tissue bone --fill-marrow --least-ml 1 --fit-bed 200,200,180 -o b.stl
  hounsview mesh scans/ --level 300 -o level.ply
"""


def add_mesh(commands: Commands) -> None:
    """Add `mesh`."""
    mesh = commands.add_parser(
        "mesh",
        help="write the surface of a tissue, for 3D programs and printers",
        description="Write the surface of a tissue or of a HU level as STL, PLY or OBJ in "
        "patient mm (LPS), or as GLB in metres, and say whether it will print.",
        epilog=_MESH_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    opening.add_path(mesh)
    mesh.add_argument("-o", "--output", type=Path, required=True, help=".stl, .ply, .obj, .glb")
    opening.add_options(mesh)
    what = mesh.add_mutually_exclusive_group()
    what.add_argument("--tissue", choices=_TISSUES, help="default: bone")
    what.add_argument("--level", type=float, metavar="HU", help="a HU level instead")
    mesh.add_argument(
        "--fill-marrow", action="store_true", help="bone without its marrow space"
    )
    mesh.add_argument(
        "--triangles", type=_count, default=300_000, metavar="N", help="at most (300000)"
    )
    mesh.add_argument(
        "--least-ml", type=_positive, default=0.0, metavar="ML", help="drop smaller pieces"
    )
    mesh.add_argument("--space", choices=("LPS", "RAS"), default="LPS", help="default: LPS")
    mesh.add_argument(
        "--fit-bed", type=_bed, metavar="X,Y,Z", help="mm; turn, and shrink if needed, to fit"
    )
    mesh.add_argument(
        "--thin", type=_positive, default=1.0, metavar="MM", help="say what is thinner (1)"
    )
    mesh.set_defaults(command=_mesh)


def add_measure(commands: Commands) -> None:
    """Add `measure`."""
    measure = commands.add_parser(
        "measure",
        help="numbers of the tissues: volumes, HU, lung density, areas",
        description="Numbers of the tissues, over measured voxels alone. For teaching and "
        "research, not for diagnosis.",
    )
    opening.add_path(measure)
    opening.add_options(measure)
    measure.add_argument("--csv", action="store_true", help="as CSV")
    measure.add_argument("-o", "--output", type=Path, help="write to a file")
    measure.add_argument(
        "--at", type=float, metavar="Z", help="height (LPS mm) of the slice for areas"
    )
    measure.set_defaults(command=_measure)


def add_segment(commands: Commands) -> None:
    """Add `segment`."""
    segment = commands.add_parser(
        "segment",
        help="write the tissues as a label map",
        description="Write a label map on the volume's grid: NIfTI, NRRD, MetaImage or npz, "
        "or a DICOM SEG (.dcm, needs hounsview[seg]). The values are named beside it.",
    )
    opening.add_path(segment)
    segment.add_argument(
        "-o", "--output", type=Path, required=True, help="x.nii.gz, .nrrd, .mha, .npz, .dcm"
    )
    opening.add_options(segment)
    segment.add_argument(
        "--tissue", action="append", choices=_TISSUES, help="only this one; may be repeated"
    )
    segment.set_defaults(command=_segment)


def add_deface(commands: Commands) -> None:
    """Add `deface`."""
    deface = commands.add_parser(
        "deface",
        help="cut the face away, and check that none is seen",
        description="Write the volume with its face cut away: in front of it noise like air. "
        "Tells whether a face is seen before and after. It is no guarantee of anonymity.",
    )
    opening.add_path(deface)
    deface.add_argument(
        "-o", "--output", required=True, help="x.nii.gz, .nii, .nrrd, .mha, .npz or folder/"
    )
    opening.add_options(deface)
    deface.add_argument(
        "--shift", type=float, metavar="HU", help="add to every value first (wrong intercept)"
    )
    deface.set_defaults(command=_deface)


def _deface(options: argparse.Namespace) -> int:
    from hounsview.export import checked_target

    checked_target(options.output)
    volume = _loaded(options)
    if options.shift is not None:
        volume = hv.shifted(volume, options.shift, reason="asked for with --shift")
    print(f"before: {hv.check_face(volume).words}")
    without = hv.deface(volume)
    print(f"after: {hv.check_face(without).words}")
    with opening.progress_bar() as progress:
        written = hv.write(without, options.output, progress=progress)
    print(f"{options.output} ({len(written)} files)")
    opening.say_findings(without)
    return 0


def _mesh(options: argparse.Namespace) -> int:
    from hounsview import surfaces

    if options.output.suffix.lower() not in surfaces.FORMATS:
        msg = f"{options.output}: meshes are written as {', '.join(surfaces.FORMATS)}"
        raise hv.ArgumentError(msg)
    _check_folder(options.output)
    volume = _loaded(options)
    mesh, mask = _surface(volume, options)
    scaled = ""
    if options.fit_bed is not None:
        mesh, factor = surfaces.fit_bed(mesh, options.fit_bed)
        scaled = "" if factor == 1 else f", made smaller by {factor:.3f} to fit the bed"
    check = surfaces.check_print(
        mesh, mask=mask, geometry=volume.geometry, thinner_than_mm=options.thin
    )
    surfaces.write_mesh(mesh, options.output, space=options.space)
    print(f"{options.output}: {len(mesh.triangles):,} triangles{scaled}")
    for name, value in check.values().items():
        print(f"  {name}: {value}")
    opening.say_findings(volume)
    return 0


def _surface(volume: hv.Volume, options: argparse.Namespace) -> tuple[Mesh, Any]:
    """Return the mesh that the options ask for, and the mask it was made of."""
    from hounsview import surfaces

    how = {"target": options.triangles, "least_ml": options.least_ml}
    if options.level is not None:
        name = f"{options.level:g} HU"
        mesh = surfaces.from_level(volume, options.level, name=name, **how)
        return mesh, volume.hu >= options.level
    tissue = options.tissue or "bone"
    with opening.progress_bar() as progress:
        found = hv.masks.segment(
            volume,
            [viewtissues.mask_name(tissue)],
            fill_marrow=options.fill_marrow,
            progress=progress,
        )
    mask = viewtissues.mask_of(found, tissue)
    _say_notes(found)
    return surfaces.from_mask(mask, volume.geometry, name=tissue, **how), mask


def _measure(options: argparse.Namespace) -> int:
    if options.output is not None:
        _check_folder(options.output)
    volume = _loaded(options)
    with opening.progress_bar() as progress:
        found = hv.masks.segment(volume, progress=progress)
    rows = tissuework.numbers_of(volume, found, options.at)
    text = _as_csv(rows) if options.csv else _as_text(rows)
    if options.output is None:
        sys.stdout.write(text)
    else:
        from hounsview.writing import atomic_file

        with atomic_file(options.output) as temporary:
            temporary.write_text(text, "utf-8")
        print(options.output)
    _say_notes(found)
    opening.say_findings(volume)
    return 0


def _as_csv(rows: list[tuple[str, str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("what", "name", "value"))
    writer.writerows(rows)
    return text.getvalue()


def _as_text(rows: list[tuple[str, str, str]]) -> str:
    lines, last = [], ""
    for what, name, value in rows:
        if what != last:
            lines.append(what.replace("_", " "))
            last = what
        lines.append(f"  {name}: {value}")
    return "\n".join(lines) + "\n"


def _segment(options: argparse.Namespace) -> int:
    from hounsview.labelmaps import check_target, write_labels

    check_target(options.output)
    _check_folder(options.output)
    volume = _loaded(options)
    names = (
        None
        if options.tissue is None
        else [viewtissues.mask_name(name) for name in options.tissue]
    )
    with opening.progress_bar() as progress:
        found = hv.masks.segment(volume, names, progress=progress)
    labels, named = found.labels()
    written = write_labels(volume, labels, named, options.output)
    print(", ".join(str(path) for path in written))
    for value, name in named.items():
        print(f"  {value}: {name}")
    for name, reason in found.reasons.items():
        print(f"hounsview: {name}: {reason}", file=sys.stderr)
    _say_notes(found)
    opening.say_findings(volume)
    return 0


def _loaded(options: argparse.Namespace) -> hv.Volume:
    with opening.progress_bar() as progress:
        return opening.load(options, progress)


def _say_notes(found: Tissues) -> None:
    for note in found.notes:
        print(f"hounsview: note: {note}", file=sys.stderr)


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        msg = f"{path.parent}: no such folder to write {path.name} into"
        raise hv.WriteError(msg, files=[path])


@contextmanager
def _as_argument(text: str, expected: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        msg = f"{text!r} is not {expected}"
        raise argparse.ArgumentTypeError(msg) from error


def _count(text: str) -> int:
    with _as_argument(text, "a number of triangles from 100 on"):
        if int(text) < 100:
            raise ValueError
        return int(text)


def _positive(text: str) -> float:
    with _as_argument(text, "a number above 0"):
        if not 0 < float(text) < 1e6:
            raise ValueError
        return float(text)


def _bed(text: str) -> tuple[float, float, float]:
    with _as_argument(text, "three lengths X,Y,Z in mm such as 200,200,180"):
        x, y, z = (_positive(part) for part in text.split(","))
        return x, y, z
