"""Session files: round trip, what is found again, what is refused, and the script."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

import hounsview as hv
from hounsview.sessions import Source, fingerprint
from hounsview.viewstate import Camera, Measurement, PlaneView, Slab
from hounsview_vizapp.pictures import picture_of

VIEW = hv.ViewState(
    window=hv.Window(-600, 1500),
    crosshair=(10.0, -20.0, 30.0),
    axial=PlaneView(2.0, (5.0, 6.0)),
    slab=Slab(10, "mean"),
    layout="axial",
    camera=Camera(30),
    measurements=(Measurement("ruler", ((0, 0, 0), (30, 40, 0)), text="é \"'"),),
)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "scan"
    hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 4)), folder)
    return folder


def session_of(folder: Path, view: hv.ViewState = VIEW) -> hv.Session:
    one = hv.scan(folder).series[0]
    source = Source(str(folder), series_uid=one.series_uid, series_key=one.key)
    return hv.Session(view, source)


def test_a_session_comes_back_with_its_volume(series: Path, tmp_path: Path) -> None:
    file = hv.write_session(session_of(series), tmp_path / "view.hounsview.json")
    again = hv.read_session(file)
    assert again.state == VIEW
    volume, path = hv.load_session(again)
    assert path == series
    assert np.array_equal(volume.hu, hv.load(series).hu)


def test_folder_and_session_moved_together_are_found(series: Path, tmp_path: Path) -> None:
    hv.write_session(session_of(series), tmp_path / "view.hounsview.json")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(str(series), moved / "scan")
    shutil.move(str(tmp_path / "view.hounsview.json"), moved / "view.hounsview.json")
    _, path = hv.load_session(hv.read_session(moved / "view.hounsview.json"))
    assert path is not None
    assert path.resolve() == (moved / "scan").resolve()


def test_a_scan_that_is_gone_is_asked_for(series: Path, tmp_path: Path) -> None:
    session = session_of(series)
    shutil.move(str(series), tmp_path / "new")
    with pytest.raises(hv.PathNotFoundError, match=r"no longer at .*name where it is now"):
        hv.load_session(session)
    _, path = hv.load_session(session, tmp_path / "new")
    assert path == tmp_path / "new"


def test_another_series_in_its_place_is_refused(series: Path, tmp_path: Path) -> None:
    session = session_of(series)
    hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 4)), tmp_path / "other")
    with pytest.raises(hv.SeriesNotFoundError, match=session.source.series_uid):
        hv.load_session(session, tmp_path / "other")


def test_the_right_one_of_two_series_is_found(series: Path, tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(8, 4, 4)), series / "second")
    for one in hv.scan(series).series:
        source = Source(str(series), series_uid=one.series_uid)
        volume, _ = hv.load_session(hv.Session(VIEW, source))
        assert volume.shape == one.shape


def test_another_stack_of_the_same_series_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    one = hv.write_dicom(hv.phantom("hu-rods", spacing=(6, 4, 4)), folder / "a")
    other = hv.write_dicom(hv.phantom("hu-rods", spacing=(9, 4, 4)), folder / "b")
    uid = hv.scan(folder / "a").series[0].series_uid
    for file in other:
        dataset = pydicom.dcmread(file)
        dataset.SeriesInstanceUID = uid
        dataset.save_as(file)
    stacks = [s for s in hv.scan(folder).series if s.kind == "volume"]
    assert len(stacks) == 2
    wanted = next(s for s in stacks if s.shape[0] == len(other))
    volume = hv.load(folder, series=wanted.key)
    source = Source(
        str(folder), series_uid=uid, series_key=wanted.key, fingerprint=fingerprint(volume)
    )
    again, _ = hv.load_session(hv.Session(VIEW, source))
    assert again.shape == volume.shape
    for file in other:
        file.unlink()
    assert one
    with pytest.raises(hv.SeriesNotFoundError, match="not as it was when the session"):
        hv.load_session(hv.Session(VIEW, source))


def test_what_has_no_uid_is_known_by_its_values(tmp_path: Path) -> None:
    volume = hv.phantom("hu-rods", spacing=(6, 4, 4))
    hv.write(volume, tmp_path / "a.nii.gz")
    loaded = hv.load(tmp_path / "a.nii.gz")
    source = Source(str(tmp_path / "a.nii.gz"), fingerprint=fingerprint(loaded))
    hv.load_session(hv.Session(VIEW, source))
    changed = replace(volume, hu=np.where(volume.hu > 500, 501, volume.hu).astype(np.int16))
    hv.write(changed, tmp_path / "a.nii.gz")
    with pytest.raises(hv.SeriesNotFoundError, match="not as it was"):
        hv.load_session(hv.Session(VIEW, source))


def test_fingerprints_differ_where_volumes_do() -> None:
    volume = hv.phantom("hu-rods", spacing=(6, 4, 4))
    moved = volume.geometry.affine.copy()
    moved[0, 3] += 1
    others = [
        replace(volume, geometry=hv.Geometry(volume.shape, moved)),
        replace(volume, hu=(volume.hu + 1).astype(np.int16)),
        replace(volume, unit="stored"),
        volume.flip(0),
        volume.crop(k=(0, 5)),
    ]
    known = {fingerprint(volume), *(fingerprint(other) for other in others)}
    assert len(known) == 6
    assert fingerprint(hv.phantom("hu-rods", spacing=(6, 4, 4))) == fingerprint(volume)


def test_a_file_in_a_zip_is_found_again(series: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for file in series.iterdir():
            archive.write(file, f"CT/{file.name}")
    inside = tmp_path / "scan.zip" / "CT"
    volume, path = hv.load_session(hv.Session(VIEW, Source(str(inside))))
    assert path == inside
    assert volume.shape == hv.load(series).shape


def test_a_path_that_no_system_takes_is_one_that_is_gone() -> None:
    for odd in ("/scans/" + "x" * 300, "/scans/" + "y/" * 1000):
        with pytest.raises(hv.HounsviewError):
            hv.load_session(hv.Session(VIEW, Source(odd)))


def test_an_image_file_is_found_with_its_unit(tmp_path: Path) -> None:
    volume = hv.phantom("hu-rods", spacing=(6, 4, 4))
    hv.write(volume, tmp_path / "x.nrrd")
    (tmp_path / "x.nrrd.report.json").unlink()
    session = hv.Session(VIEW, Source(str(tmp_path / "x.nrrd"), unit="HU"))
    loaded, _ = hv.load_session(session)
    assert loaded.unit == "HU"
    assert np.array_equal(loaded.hu, volume.hu)


def test_without_a_path_it_is_the_phantom() -> None:
    volume, path = hv.load_session(hv.Session(VIEW, Source(phantom="hu-rods")))
    assert path is None
    assert volume.attributes == hv.phantom("hu-rods").attributes


def test_a_path_whose_name_is_no_text_survives(tmp_path: Path) -> None:
    source = Source("/scans/\udce4 ä\n")
    hv.write_session(hv.Session(VIEW, source), tmp_path / "s.hounsview.json")
    assert hv.read_session(tmp_path / "s.hounsview.json").source.path == source.path


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "s.hounsview.json"
    hv.write_session(hv.Session(VIEW, Source()), file)
    content = json.loads(file.read_text())
    content["state"]["camera"]["roll_degrees"] = 3
    content["source"]["pacs"] = "A"
    file.write_text(json.dumps(content))
    hv.write_session(hv.read_session(file), file)
    again = json.loads(file.read_text())
    assert again["state"]["camera"]["roll_degrees"] == 3
    assert again["source"]["pacs"] == "A"


GOOD = {"hounsview_session": 1, "source": {}, "state": {}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[1]", "Mapping"),
        ("{}", "hounsview_session"),
        ('{"hounsview_session": true}', "hounsview_session"),
        (json.dumps({**GOOD, "hounsview_session": 2}), "version 2"),
        (json.dumps({**GOOD, "state": {"version": 9}}), "newer"),
        (json.dumps({**GOOD, "state": []}), "a view state"),
        (json.dumps({**GOOD, "state": {"window": {"center": "x", "width": 1}}}), "center"),
        (json.dumps({**GOOD, "state": {"window": {"center": 0}}}), "width"),
        (json.dumps({**GOOD, "state": {"camera": {"zoom": 1e400}}}), "no JSON number"),
        (json.dumps({**GOOD, "state": {"crosshair_lps_mm": [0, 0, 1e30]}}), "within"),
        (json.dumps({**GOOD, "state": {"layout": ["axial"]}}), "layout"),
        (json.dumps({**GOOD, "state": {"show_labels": "yes"}}), "show_labels"),
        (json.dumps({**GOOD, "state": {"surfaces": {"a": 1}}}), "surfaces"),
        (json.dumps({**GOOD, "state": {"surfaces": [{"name": "bone"}] * 5000}}), "at most"),
        (json.dumps({**GOOD, "state": {"measurements": [{"kind": "exec"}]}}), "points"),
        (json.dumps({**GOOD, "state": {"overlays": [{"value": 10**30}]}}), "label value"),
        (json.dumps({**GOOD, "state": {"rendering": "__import__('os')"}}), "preset"),
        (json.dumps({**GOOD, "state": {"transfer": {"color": [[1, 2]]}}}), "color"),
        (json.dumps({**GOOD, "source": {"path": 5}}), "path"),
        (json.dumps({**GOOD, "state": {"window": {"center": 10**400, "width": 1}}}), "center"),
        (json.dumps({**GOOD, "source": {"path": "a\0b"}}), "path"),
        (json.dumps({**GOOD, "source": {"series_uid": "1\n2"}}), "series_uid"),
        ("[" * 100_000 + "]" * 100_000, "JSON|deep"),
        ('{"a":' * 60 + "1" + "}" * 60, "deep"),
        ('{"hounsview_session": ' + "9" * 5000 + "}", "JSON|version"),
        ('{"hounsview_session": NaN}', "NaN"),
    ],
)
def test_a_hostile_or_damaged_file_is_refused_in_words(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "bad.hounsview.json"
    file.write_text(content)
    with pytest.raises(hv.SessionFileError, match=message) as caught:
        hv.read_session(file)
    assert "bad.hounsview.json" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_no_text_or_too_large_or_no_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.hounsview.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(hv.SessionFileError, match="UTF-8"):
        hv.read_session(file)
    file.write_bytes(b" " * (9 << 20))
    with pytest.raises(hv.SessionFileError, match="larger than 8 MiB"):
        hv.read_session(file)
    with pytest.raises(hv.SessionFileError, match="cannot be read"):
        hv.read_session(tmp_path)
    with pytest.raises(hv.PathNotFoundError):
        hv.read_session(tmp_path / "none")


def test_a_session_holds_no_name(tmp_path: Path) -> None:
    file = hv.write_session(hv.Session(VIEW, Source()), tmp_path / "s.hounsview.json")
    assert set(json.loads(file.read_text())["source"]) == {
        "path", "relative_path", "series_uid", "series_key", "unit", "phantom", "fingerprint",
    }  # fmt: skip


def test_the_script_draws_the_picture_of_the_session(series: Path, tmp_path: Path) -> None:
    script = VIEW.to_python(series, size=(240, 260))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = cv2.cvtColor(cv2.imread(str(tmp_path / "picture.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(drawn, picture_of(hv.load(series), VIEW, (240, 260)))


@pytest.mark.parametrize(
    "path", ["it's", 'quo"te', "back\\slash", "new\nline", "');import os#"]
)
def test_a_path_cannot_break_out_of_the_script(path: str) -> None:
    tree = ast.parse(replace(VIEW, layout="3d").to_python(path, series="1.2'3"))
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert path in literals
    assert "1.2'3" in literals
