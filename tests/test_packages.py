"""The wheel and the sdist, installed into empty environments, are complete."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow

CHECK = """
import pathlib, sys
import hounsview as hv, hounsview_vizapp
root = pathlib.Path(hv.__file__).parents[1]
assert "site-packages" in str(root), root
assert len(hv.window_presets()) >= 10 and len(hv.rendering_presets()) >= 7
assert (pathlib.Path(hv.__file__).parent / "py.typed").is_file()
volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
hv.write_dicom(volume, sys.argv[1])
again = hv.load(sys.argv[1])
assert (again.hu == volume.hu).all()
print("complete", hv.__version__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_an_installed_package_is_complete(kind: str, built: Path, tmp_path: Path) -> None:
    (archive,) = built.glob(kind)
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lock = str(ROOT / ".ci/requirements.lock")
    if kind == "*.tar.gz":
        subprocess.run([*pip, "--constraint", lock, "hatchling"], check=True)
        pip.append("--no-build-isolation")
    subprocess.run([*pip, "--constraint", lock, str(archive)], check=True)
    done = subprocess.run(
        [str(python), "-I", "-c", CHECK, str(tmp_path / "series")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("complete")
    shown = subprocess.run(
        [str(environment / "bin" / "hounsview"), "info", str(tmp_path / "series")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "volume" in shown.stdout
