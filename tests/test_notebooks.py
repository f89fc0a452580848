"""The teaching notebooks: clean files, and everything they claim holds when they run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest

import hounsview_vizapp

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "examples/notebooks").glob("*.ipynb"))
MACHINE_PATH = re.compile(r"(?<![\w.)}])/(home|root|tmp|work|Users|mnt|opt)/|[A-Z]:\\\\")

pytestmark = pytest.mark.filterwarnings("default")
"""What Jupyter warns of in its own parts is not ours."""


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    return notebook


def code_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_six_in_the_order_of_their_numbers() -> None:
    assert [path.name.partition("-")[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_what_a_run_leaves_in_it(path: Path) -> None:
    notebook = read(path)
    assert (notebook.nbformat, notebook.metadata.kernelspec.name) == (4, "python3")
    for cell in code_of(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_folder_is_named_once_at_the_top_and_nowhere_else(path: Path) -> None:
    notebook = read(path)
    first, *others = code_of(notebook)
    assert first.source.startswith("FOLDER = None")
    assert not any(re.search(r"^\s*FOLDER\s*=", c.source, re.M) for c in others)
    for cell in notebook.cells:
        assert not MACHINE_PATH.search(cell.source), cell.source
        assert not re.search(r"https?://", cell.source), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_checks_itself_and_ends_with_exercises(path: Path) -> None:
    notebook = read(path)
    assert sum(cell.source.count("assert ") for cell in code_of(notebook)) >= 3
    last = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"][-1]
    assert "## Exercises" in last
    assert 2 <= len(re.findall(r"^\d\. ", last, re.M)) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_leaves_nothing_behind(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient")
    notebook = read(path)
    if "hva." in str(notebook) and not hasattr(hounsview_vizapp, "show"):
        pytest.skip("this hounsview has no notebook front end")
    roots = [str(ROOT / "core"), str(ROOT / "vizapp"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, roots)))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    where = tmp_path / "cwd"
    where.mkdir()
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": where}}
    )
    client.execute()
    assert list(where.iterdir()) == []
    outputs = [output for cell in code_of(notebook) for output in cell.outputs]
    said = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not [text for text in said if "Warning" in text or "Error" in text]
    assert any("image/png" in output.get("data", {}) for output in outputs)
