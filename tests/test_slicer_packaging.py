"""The extension for 3D Slicer is complete where CMake installs it, and fit for the index."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = ROOT / "slicer_ext"
MODULES = ("HounsView", "HounsViewDICOMPlugin")
ENTRY = EXTENSION / "HounsView.json"
MODULES_FOLDER = Path("lib/Slicer-0.0/qt-scripted-modules")


def belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def files_of(folder: Path, below: str = "") -> set[str]:
    return {str(below / f.relative_to(folder)) for f in folder.rglob("*") if belongs(f)}


def expected(root: Path) -> set[str]:
    """What must lie in Slicer's folder of modules: both modules and the whole library."""
    found = files_of(root / "core/hounsview", "hounsview")
    for module in MODULES:
        found |= files_of(root / "slicer_ext" / module) - {"CMakeLists.txt"}
    return found


def copy_of_the_sources(target: Path) -> Path:
    """A checkout with what a checkout may have lying about."""
    for name in ("slicer_ext", "core"):
        shutil.copytree(
            ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "CMakeLists.txt", target)
    for folder in ("core/hounsview", "core/hounsview/mrml", "slicer_ext/HounsView"):
        (target / folder / "__pycache__").mkdir()
        (target / folder / "__pycache__/left.cpython-311.pyc").write_bytes(b"old")
    return target


def cmake(*arguments: object) -> subprocess.CompletedProcess[str]:
    folder = pytest.importorskip("cmake", reason="cmake is not installed").CMAKE_BIN_DIR
    return subprocess.run(
        [str(Path(folder) / "cmake"), *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def configured(sources: Path, build: Path) -> subprocess.CompletedProcess[str]:
    """CMake's first step; no compiler is needed, nothing is compiled."""
    if shutil.which("make") is None:
        pytest.skip("CMake's makefiles need make")
    stand_in = shutil.which("true")
    compilers = [
        f"-DCMAKE_{language}_COMPILER{what}"
        for language in ("C", "CXX")
        for what in (f"={stand_in}", "_FORCED=1")
    ]
    return cmake(
        "-S", sources, "-B", build, "-G", "Unix Makefiles", *compilers, "-DBUILD_TESTING=ON",
        f"-DSlicer_DIR={ROOT / 'tests/stub_slicer'}",
    )  # fmt: skip


def built_and_installed(sources: Path, work: Path) -> tuple[Path, Path]:
    """The folders of modules in the build tree and where CMake installed them."""
    steps = (
        configured(sources, work / "build"),
        cmake("--build", work / "build"),
        cmake("--install", work / "build", "--prefix", work / "installed"),
    )
    for done in steps:
        assert done.returncode == 0, done.stdout + done.stderr
    return work / "build" / MODULES_FOLDER, work / "installed/share" / MODULES_FOLDER


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    work = tmp_path_factory.mktemp("extension")
    return built_and_installed(copy_of_the_sources(work / "sources"), work)


@pytest.fixture(scope="module")
def installed(trees: tuple[Path, Path]) -> Path:
    return trees[1]


# What CMake installs.


def test_every_file_of_the_modules_and_the_library_is_installed_and_no_other(
    trees: tuple[Path, Path],
) -> None:
    for tree in trees:
        found = {str(f.relative_to(tree)) for f in tree.rglob("*") if f.is_file()}
        assert found == expected(ROOT)
        assert not list(tree.rglob("__pycache__"))
    assert {"hounsview/data/windows.json", "hounsview/py.typed"} <= expected(ROOT)


def test_nothing_is_installed_outside_slicers_folder_of_modules(installed: Path) -> None:
    prefix = installed.parents[3]
    assert prefix.name == "installed"
    assert all(f.is_relative_to(installed) for f in prefix.rglob("*") if f.is_file())


@pytest.mark.parametrize(
    "forgotten",
    ["slicer_ext/HounsView/HounsViewLib/forgotten.py", "core/hounsview/data/forgotten.bin"],
)
def test_a_file_that_cmake_forgets_is_noticed(tmp_path: Path, forgotten: str) -> None:
    sources = copy_of_the_sources(tmp_path / "sources")
    (sources / forgotten).write_text("")
    for tree in built_and_installed(sources, tmp_path):
        (missing,) = expected(sources) - files_of(tree)
        assert Path(missing).name == Path(forgotten).name


@pytest.mark.parametrize("listed", ["HounsViewLib/loading.py", "Resources/UI/HounsView.ui"])
def test_a_listed_file_that_is_not_there_stops_cmake(tmp_path: Path, listed: str) -> None:
    sources = copy_of_the_sources(tmp_path / "sources")
    (sources / "slicer_ext/HounsView" / listed).unlink()
    done = configured(sources, tmp_path / "build")
    assert done.returncode != 0
    assert Path(listed).name in done.stderr


def test_every_module_has_one_script_of_its_name_and_is_built() -> None:
    text = (ROOT / "CMakeLists.txt").read_text()
    built = re.findall(r"^add_subdirectory\(slicer_ext/(\w+)\)$", text, re.MULTILINE)
    assert tuple(built) == MODULES
    assert {f.name for f in EXTENSION.iterdir() if f.is_dir()} == set(MODULES)
    for module in MODULES:
        assert [f.name for f in (EXTENSION / module).glob("*.py")] == [f"{module}.py"]


def test_installed_the_library_loads_with_numpy_pydicom_and_vtk_alone(
    installed: Path, tmp_path: Path
) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "kept = set(sys.stdlib_module_names) | {'numpy', 'pydicom', 'vtk', 'vtkmodules',\n"
        "    'slicer', 'slicer_core', 'hounsview', 'HounsViewLib', 'DICOMLib'}\n"
        "refused = set()\n"
        "class Nothing:\n"
        "    def find_spec(self, name, *_):\n"
        "        top = name.split('.')[0]\n"
        "        if top not in kept:\n"
        "            refused.add(top)\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Nothing())\n"
        "from HounsViewLib import loading\n"
        "import hounsview as hv; from hounsview import mrml\n"
        "assert sys.argv[1] in hv.__file__, hv.__file__\n"
        "assert len(hv.window_presets()) > 5\n"
        "hv.write_dicom(hv.phantom('hu-rods', spacing=(10, 4, 4)), sys.argv[2])\n"
        "node = loading.load(sys.argv[2], mrml.new_scene())\n"
        "print(mrml.volume_of(node).unit, refused & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(installed), str(tmp_path / "scan")],
        capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "HU set()"


# The entry in Slicer's index of extensions: the rules of its schema 1.0.1 (draft 07; objects
# without further properties) and of the checks that the index runs on every new entry.

TYPES: dict[str, Any] = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = {"$schema", "category", "scm_url"}
SCHEMA = re.compile(
    r"https://raw\.githubusercontent\.com/Slicer/Slicer/main/Schemas/"
    r"slicer-extension-catalog-entry-schema-v1\.0\.1\.json#?"
)
# The categories of the index that could be ours.
CATEGORIES = {"DICOM", "Informatics", "Quantification", "Segmentation", "Utilities"}


def faults_of_entry(entry: dict[str, Any], name: str, cmakelists: str) -> list[str]:
    """What the index would object to."""
    faults = [f"{key} is missing" for key in sorted(REQUIRED - set(entry))]
    faults += [f"{key} is unknown" for key in sorted(set(entry) - set(TYPES))]
    faults += [
        f"{key} is no {TYPES[key].__name__}"
        for key, value in entry.items()
        if key in TYPES and type(value) is not TYPES[key]
    ]
    if faults:
        return faults
    if not SCHEMA.fullmatch(entry["$schema"]):
        faults.append("$schema is none that these rules are of")
    if entry["category"] not in CATEGORIES:
        faults.append("category is not in the index")
    if not re.match(r"(https|git)://[^/]+/.+", entry["scm_url"]):
        faults.append("scm_url is no address that the index takes")
    if entry.get("scm_type", "git") not in ("git", "local"):
        faults.append("scm_type is unknown")
    if not all(isinstance(each, str) for each in entry.get("build_dependencies", [])):
        faults.append("build_dependencies holds more than names")
    if not 1 <= entry.get("tier", 1) <= 5:
        faults.append("tier is not 1 to 5")
    project = re.search(r"project\s*\(\s*([^\s)]+)", cmakelists, re.IGNORECASE)
    if project is None or project[1] != name:
        faults.append("the project of CMakeLists.txt has another name than the entry")
    return faults


def test_the_index_entry_keeps_the_rules_of_the_index() -> None:
    entry, text = json.loads(ENTRY.read_text()), (ROOT / "CMakeLists.txt").read_text()
    assert faults_of_entry(entry, ENTRY.stem, text) == []
    assert f'set(EXTENSION_CATEGORY "{entry["category"]}")' in text
    assert (ROOT / "LICENSE").is_file()
    # What is at the top of the repository is built, by itself.
    assert entry["build_subdirectory"] == "."
    assert entry["build_dependencies"] == []
    assert 'set(EXTENSION_DEPENDS "NA")' in text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"scm_url": None}, "scm_url is no str"),
        ({"homepage": "x"}, "homepage is unknown"),
        ({"tier": 6}, "tier is not"),
        ({"tier": True}, "tier is no int"),
        ({"category": "CT"}, "category is not in"),
        ({"scm_url": "github.com/hounsview"}, "scm_url is no address"),
        ({"build_dependencies": [1]}, "more than names"),
        ({"scm_type": "svn"}, "scm_type is unknown"),
        ({"$schema": "http://json-schema.org/draft-07/schema"}, r"\$schema is none"),
    ],
)
def test_a_broken_entry_is_noticed(change: dict[str, Any], fault: str) -> None:
    text = (ROOT / "CMakeLists.txt").read_text()
    entry = json.loads(ENTRY.read_text()) | change
    (found,) = faults_of_entry(entry, "HounsView", text)
    assert re.search(fault, found)
    del entry["category"]
    assert "category is missing" in faults_of_entry(entry, "HounsView", text)
    whole = json.loads(ENTRY.read_text())
    assert "another name" in faults_of_entry(whole, "Hounsview", text)[0]


def test_pictures_that_the_index_shows_are_files_of_the_repository() -> None:
    text = (ROOT / "CMakeLists.txt").read_text()
    found = re.findall(r'set\(EXTENSION_(?:ICONURL|SCREENSHOTURLS) "([^"]+)"\)', text)
    assert len(found) == 2
    for url in " ".join(found).split():
        assert url.startswith("https://raw.githubusercontent.com/hounsview/hounsview/main/")
        assert (ROOT / url.split("/main/")[1]).is_file(), url


# What must not be in the sources.


@pytest.mark.parametrize("path", sorted(EXTENSION.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_that_slicer_may_lack_is_imported_when_a_module_is_found(path: Path) -> None:
    kept = set(sys.stdlib_module_names) | {"slicer", "DICOMLib", "HounsViewLib"}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= kept
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] in kept


@pytest.mark.parametrize("path", sorted(EXTENSION.rglob("*.py")), ids=lambda path: path.name)
def test_only_plain_text_is_translated(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "_" or isinstance(node.args[0], ast.Constant)
