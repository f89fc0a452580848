"""The repository keeps its promises about itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hounsview as hv
from hounsview.findings import CODES, Finding, Report
from hounsview_vizapp.tools.actions import actions

ROOT = Path(__file__).resolve().parents[1]


def documented_codes() -> dict[str, str]:
    """Code -> the heading of docs/findings.md that it stands under."""
    heading, found = "", {}
    for line in (ROOT / "docs/findings.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:].strip()
        match = re.match(r"\| `([A-Z_]+)` \|(.*)\|$", line)
        if match:
            cells = [cell.strip() for cell in match[2].split("|")]
            assert len(cells) == 3, match[1]
            assert all(cells), match[1]
            found[match[1]] = heading
    return found


def test_every_finding_code_is_documented_under_its_severity() -> None:
    headings = {"note": "Notes", "warning": "Warnings", "repair": "Repairs"}
    expected = {code: headings.get(str(sev), "Refusals") for code, sev in CODES.items()}
    assert documented_codes() == expected


def test_every_finding_code_is_used_by_the_library() -> None:
    sources = "".join(
        path.read_text()
        for path in (ROOT / "core/hounsview").rglob("*.py")
        if path.name not in ("findings.py", "errors.py")
    )
    built = "GEOMETRY_MISSING"
    assert [code for code in CODES if f'"{code}"' not in sources] == [built]


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        Finding("NO_SUCH_CODE", "words")


def test_the_strongest_finding_decides_the_status() -> None:
    note, repair = Finding("SINGLE_SLICE", "a"), Finding("SLICE_LOST", "b")
    split, refusal = Finding("SERIES_SPLIT", "c"), Finding("NOT_HU", "d")
    assert Report((note,)).status == "ok"
    assert Report((repair, note)).status == "repaired"
    assert Report((repair, split)).status == "split"
    assert Report((refusal, split, repair)).status == "refused"


def test_all_public_names_can_be_had() -> None:
    for name in hv.__all__:
        assert getattr(hv, name) is not None
    assert set(hv.__all__) <= set(dir(hv))
    with pytest.raises(AttributeError, match="no_such_name"):
        hv.no_such_name  # noqa: B018


def test_every_exception_is_in_the_tree_drawn_in_its_module() -> None:
    from hounsview import errors

    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HounsviewError)
    }
    assert drawn == classes - {"HounsviewError"}
    assert classes <= set(hv.__all__)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, hounsview; "
        "heavy = {'numpy', 'pydicom', 'cv2', 'vtkmodules', 'pyvista', 'imagecodecs', 'rich'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_reading_needs_neither_opencv_nor_vtk_nor_imagecodecs() -> None:
    code = (
        "import sys; import hounsview as hv; hv.load, hv.Volume, hv.scan; "
        "heavy = {'cv2', 'vtkmodules', 'pyvista', 'imagecodecs', 'rich'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_version_is_in_the_changelog_or_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert hv.__version__ in changelog or "## Unreleased" in changelog


def test_the_keys_of_the_viewer_are_documented() -> None:
    text = (ROOT / "docs/viewer.md").read_text()
    for action in actions().values():
        keys = ", ".join(f"`{key}`" for key in action.keys)
        assert f"| {keys} | {action.label} |" in text
