"""The command line: `hounsview view | info | render | convert | mesh | ...`.

Exit status: 0 done, 1 refused or failed (the reason on stderr, nothing half-written),
2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import hounsview as hv
from hounsview_vizapp import opening, tissuecommands, viewcommands

if TYPE_CHECKING:
    from rich.console import Console

    from hounsview.scanning import Progress

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EPILOG = """\
examples:
  hounsview view scans/                     look at it
  hounsview info scans/                     what is in a folder, and what is wrong with it
  hounsview render scans/ -o chest.png      axial, coronal, sagittal and 3D in one picture
  hounsview render -o demo.png              the same of the built-in thorax phantom
  hounsview render scans/ --turntable -o chest.mp4
  hounsview mesh scans/ --tissue bone -o bone.stl
  hounsview measure scans/ --csv            volumes and HU of lungs, bone, fat
  hounsview convert scans/ -o chest.nii.gz  the volume for other programs, with a report
  hounsview phantom head -o head/           a phantom as a DICOM series
  hounsview phantom traps -o traps/         broken series to try a reader on
"""

_CONVERT_EPILOG = """\
examples:
  hounsview convert scans/ -o chest.nii.gz
  hounsview convert chest.nrrd -o series/                       a DICOM series
  hounsview convert ct.mha --unit HU -o ct.npz                  the file does not say HU
  hounsview convert scans/ -o chest.mrb                         a scene for 3D Slicer
  hounsview convert scans/ --session view.hounsview.json --tissues -o chest.mrb
  hounsview convert zubal.dat --raw 128x256x256,uint8,1.1x1.1x1.1 -o zubal.nrrd
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names may hold bytes that are no text.
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(opening.with_negative_lists(given))
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        hv.set_limits(**dict(options.limit))
        return command(options)
    except hv.HounsviewError as error:
        print(f"hounsview: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hounsview: interrupted, nothing was written", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hounsview",
        description="CT in Hounsfield units: from the DICOM folder to the picture.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hounsview {hv.__version__}")
    parser.add_argument(
        "--limit",
        type=opening.limit,
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="how much a file may claim, such as volume_bytes=40G or frames=200000",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    info = commands.add_parser("info", help="list what a path holds, with every finding")
    info.add_argument("path", type=Path, help="folder, file, zip, DICOMDIR or image file")
    info.add_argument("--json", action="store_true", help="the whole report as JSON")
    info.set_defaults(command=_info)

    _add_phantom(commands)
    viewcommands.add_view(commands)
    viewcommands.add_render(commands)
    tissuecommands.add_mesh(commands)
    tissuecommands.add_measure(commands)
    tissuecommands.add_segment(commands)
    tissuecommands.add_deface(commands)
    _add_convert(commands)
    return parser


def _add_phantom(commands: _Commands) -> None:
    phantom = commands.add_parser(
        "phantom",
        help="write a phantom as a DICOM series, or broken series of every kind",
        description="Write a phantom as a DICOM series. The name traps writes small broken "
        "series instead, one folder each, and says what is wrong with them.",
    )
    phantom.add_argument(
        "name", nargs="?", default="thorax", help="thorax (default), head, hu-rods or traps"
    )
    phantom.add_argument("-o", "--output", type=Path, required=True, help="new or empty folder")
    phantom.add_argument("--spacing", type=_spacing, metavar="K,J,I", help="mm, slices first")
    phantom.add_argument(
        "--noise", type=float, default=0.0, metavar="HU", help="SD (default 0)"
    )
    phantom.set_defaults(command=_phantom)


def _add_convert(commands: _Commands) -> None:
    convert = commands.add_parser(
        "convert",
        help="write a volume in another format",
        description="Write the CT volume under a path in another format, at the same place "
        "in the patient. Beside x.nii.gz, .nrrd, .mha or .npz goes x.nii.gz.report.json.",
        epilog=_CONVERT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument(
        "path", type=Path, help="DICOM folder, file or zip, or .nii, .nii.gz, .nrrd, .mha, .npz"
    )
    convert.add_argument(
        "-o",
        "--output",
        required=True,
        help="x.nii.gz, .nii, .nrrd, .mha, .npz, .mrb (3D Slicer) or folder/",
    )
    convert.add_argument(
        "--session", type=Path, help=".mrb: the view of a session file of this scan"
    )
    convert.add_argument(
        "--tissues", action="store_true", help=".mrb: with tissues as segments, and numbers"
    )
    opening.add_options(convert)
    convert.set_defaults(command=_convert)


def _spacing(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 3 or not all(0 < value < 1000 for value in values):
        msg = f"{text!r} is not three positive numbers such as 2,1,1"
        raise argparse.ArgumentTypeError(msg)
    return values


def _info(options: argparse.Namespace) -> int:
    with opening.progress_bar() as progress:
        entries = (
            [_entry_of_image(options.path, progress)]
            if hv.is_image_file(options.path)
            else [
                _entry_of_series(one) for one in hv.scan(options.path, progress=progress).series
            ]
        )
    if options.json:
        data = {"path": str(options.path), "series": entries}
        print(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        _print_entries(str(options.path), entries, console)
    if not any(one["shape"] and one["status"] != hv.Status.REFUSED for one in entries):
        print(f"hounsview: nothing in {options.path} can be loaded as CT", file=sys.stderr)
        return 1
    return 0


def _entry_of_series(series: hv.Series) -> dict[str, Any]:
    return {
        "number": series.number,
        "key": series.key,
        "series_uid": series.series_uid,
        "kind": series.kind,
        "description": series.description,
        "modality": series.modality,
        "shape": series.shape,
        "spacing_mm": series.spacing,
        "files": [str(file) for file in series.files],
        **series.report.to_dict(),
    }


def _entry_of_image(path: Path, progress: Progress | None) -> dict[str, Any]:
    volume = hv.load(path, progress=progress)
    return {
        "number": 1,
        "key": path.name,
        "series_uid": volume.attributes.get("SeriesInstanceUID", ""),
        "kind": "image file",
        "description": f"unit: {volume.unit}",
        "modality": volume.attributes.get("Modality", ""),
        "shape": volume.shape,
        "spacing_mm": volume.geometry.spacing,
        "files": [str(path)],
        **volume.report.to_dict(),
    }


_STATUS_STYLES = {"ok": "green", "repaired": "yellow", "split": "yellow", "refused": "red"}
_SEVERITY_STYLES = {"note": "dim", "warning": "yellow", "repair": "yellow", "refusal": "red"}


def _print_entries(path: str, entries: Sequence[dict[str, Any]], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(path), title_justify="left", box=None, pad_edge=False)
    for name in ("", "kind", "status", "size k x j x i", "spacing, mm", "files"):
        table.add_column(
            name, justify="right" if name in ("", "files") else "left", no_wrap=True
        )
    table.add_column("description")
    for one in entries:
        table.add_row(
            str(one["number"]),
            one["kind"],
            Text(one["status"], _STATUS_STYLES[one["status"]]),
            " x ".join(str(n) for n in one["shape"] or ()) or "-",
            " x ".join(f"{mm:.4g}" for mm in one["spacing_mm"] or ()) or "-",
            str(len(one["files"])),
            Text(one["description"] or one["modality"] or "-"),
        )
    console.print(table)
    if not entries:
        console.print("no files")
    for one in entries:
        for finding in one["findings"]:
            line = Text(f"{one['number']}: ", "bold")
            line.append(finding["severity"], _SEVERITY_STYLES[finding["severity"]])
            said = ". ".join(filter(None, (finding["message"], finding["action"])))
            line.append(f" {said} ")
            line.append(f"[{finding['code']}]", "dim")
            console.print(line)


def _phantom(options: argparse.Namespace) -> int:
    if options.name == "traps":
        return _traps(options)
    volume = hv.phantom(options.name, spacing=options.spacing, noise=options.noise)
    with opening.progress_bar() as progress:
        files = hv.write_dicom(volume, options.output, progress=progress)
    print(f"{len(files)} files in {options.output}")
    return 0


def _traps(options: argparse.Namespace) -> int:
    if options.spacing is not None or options.noise:
        msg = "--spacing and --noise are for a phantom: traps are as they are"
        raise hv.ArgumentError(msg)
    with opening.progress_bar() as progress:
        written = hv.write_traps(options.output, progress=progress)

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("folder", "met", "what is wrong"):
        table.add_column(column, no_wrap=column != "what is wrong")
    for name, trap in written.items():
        table.add_row(name, trap.met, trap.wrong)
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, markup=False, width=width).print(table)
    print(f"{len(written)} series in {options.output}: which ones does your reader get right?")
    return 0


def _convert(options: argparse.Namespace) -> int:
    from hounsview.export import checked_target

    if options.output.lower().endswith(".mrb"):
        return _convert_to_scene(options)
    if options.session is not None or options.tissues:
        msg = "--session and --tissues are for .mrb, the scene of 3D Slicer"
        raise hv.ArgumentError(msg)
    checked_target(options.output)
    with opening.progress_bar() as progress:
        volume = opening.load(options, progress)
    with opening.progress_bar() as progress:
        written = hv.write(volume, options.output, progress=progress)
    report = [file.name for file in written if file.name.endswith(".report.json")]
    beside = f" (and {report[0]})" if report else f" ({len(written)} files)"
    print(f"{options.output}{beside}: {volume!r}")
    opening.say_findings(volume)
    return 0


def _convert_to_scene(options: argparse.Namespace) -> int:
    from hounsview import mrml

    target = Path(options.output)
    mrml.check_target(target)
    session = None if options.session is None else hv.read_session(options.session)
    if session is not None and any((options.series, options.unit, options.raw)):
        msg = (
            "--series, --unit and --raw do not go with --session: the file says which series "
            "it shows, in which unit"
        )
        raise hv.ArgumentError(msg)
    with opening.progress_bar() as progress:
        if session is None:
            volume = opening.load(options, progress)
        else:  # as `render` does: a view of one scan would lie in the wrong place on another
            policy: Literal["repair", "strict"] = "strict" if options.strict else "repair"
            volume, _ = hv.load_session(session, options.path, policy=policy, progress=progress)
    state = None if session is None else session.state
    with opening.progress_bar() as progress:
        _, notes = mrml.save_scene(
            volume, target, state=state, tissues=options.tissues, progress=progress
        )
    print(f"{target}: {volume!r}")
    for note in notes:
        print(f"hounsview: note: {note}", file=sys.stderr)
    opening.say_findings(volume)
    return 0


if __name__ == "__main__":
    sys.exit(main())
