"""What front ends share besides the view: lists, jobs, settings, movies, meshes."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import hounsview as hv
from hounsview import viewtissues
from hounsview.histograms import histogram
from hounsview.viewstate import PLANES, Surface, Transfer
from hounsview_vizapp import movies
from hounsview_vizapp.contents import (
    contents,
    first_to_show,
    in_plain_words,
    phantom_entry,
    to_be_told,
)
from hounsview_vizapp.jobs import Job
from hounsview_vizapp.panes import slice_pane
from hounsview_vizapp.settings import OwnPreset, Settings
from scene_kit import needs_opengl
from series_kit import write_series

# What lies under a path.


def test_series_are_listed_and_the_largest_volume_is_shown_first(tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(12, 4, 4)), tmp_path / "few")
    hv.write_dicom(hv.phantom("hu-rods", spacing=(4, 4, 4)), tmp_path / "many")
    (tmp_path / "notes.txt").write_text("no DICOM")
    entries = contents(tmp_path)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    first = first_to_show(entries)
    assert first is not None
    volume = first.load(None)
    assert volume.shape == hv.phantom("hu-rods", spacing=(4, 4, 4)).shape
    assert first.source.series_uid == volume.attributes["SeriesInstanceUID"]
    others = [entry for entry in entries if not entry.can_be_shown]
    assert all(entry.kind == "not CT" for entry in others)


def test_an_image_file_and_a_phantom_are_entries(tmp_path: Path) -> None:
    hv.write(hv.phantom("hu-rods", spacing=(6, 4, 4)), tmp_path / "rods.nii.gz")
    (entry,) = contents(tmp_path / "rods.nii.gz")
    assert entry.can_be_shown
    assert entry.load(None).unit == "HU"
    assert phantom_entry("head").load(None).shape == hv.phantom("head").shape


def test_previewed_slices_lie_where_the_volume_has_them(tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("thorax", spacing=(20, 5, 5)), tmp_path)
    (entry,) = contents(tmp_path)
    volume = entry.load(None)
    assert entry.preview is not None
    previews = entry.preview(3)
    assert len(previews) == 3
    for preview in previews:
        k, j, i = np.rint(volume.geometry.to_index(preview.geometry.to_patient((0, 0, 0))))
        assert (j, i) == (0, 0)
        assert np.array_equal(preview.hu[0], volume.hu[int(k)])


def test_findings_become_sentences_gravest_first() -> None:
    note = hv.Finding("SINGLE_SLICE", "one slice")
    repair = hv.Finding("SLICE_LOST", "slice 4 is lost", action="Filled.")
    refusal = hv.Finding("NOT_HU", "a.dcm: no HU")
    assert to_be_told(hv.Report((note, repair, refusal))) == [refusal, repair]
    assert in_plain_words(repair) == "Slice 4 is lost. Filled."
    assert in_plain_words(refusal) == "a.dcm: no HU."


def test_nothing_to_show_is_no_entry(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    assert first_to_show(contents(tmp_path)) is None


# Jobs.


def test_a_job_ends_in_a_result_or_an_error_and_tells_progress() -> None:
    ended, told = threading.Event(), []
    results: list[object] = []

    def end(value: object) -> None:
        results.append(value)
        ended.set()

    def work(tell) -> int:
        assert tell(1, 2, "half")
        return 5

    job = Job(work, on_done=end, on_error=end, on_progress=lambda *at: told.append(at))
    assert job.wait(10)
    assert results == [5]
    assert told == [(1, 2, "half")]
    failed = Job(lambda tell: 1 / 0, on_done=end, on_error=end)
    assert failed.wait(10)
    assert isinstance(results[1], ZeroDivisionError)


@pytest.mark.parametrize(
    ("ending", "expected"),
    [("returns", "done"), ("raises", "cancelled"), ("CancelledError", "cancelled")],
)
def test_a_cancelled_job_says_what_became_of_it(ending: str, expected: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    said: list[str] = []

    def work(tell) -> None:
        begun.set()
        go_on.wait(10)
        assert tell(1, 2, "half") is False
        if ending == "raises":
            raise ValueError
        if ending == "CancelledError":
            msg = "stopped"
            raise hv.CancelledError(msg)

    job = Job(
        work,
        on_done=lambda _: said.append("done"), on_error=lambda _: said.append("error"),
        on_progress=lambda *_: said.append("progress"),
        on_cancelled=lambda: said.append("cancelled"),
    )  # fmt: skip
    begun.wait(10)
    job.cancel()
    go_on.set()
    assert job.wait(10)
    assert said == [expected]


def test_loading_is_cancelled_by_a_job(tmp_path: Path) -> None:
    hv.write_dicom(hv.phantom("hu-rods", spacing=(1, 4, 4)), tmp_path)
    (entry,) = contents(tmp_path)
    with pytest.raises(hv.CancelledError):
        entry.load(lambda done, total, what: False)


# Settings.


def test_recent_paths_stand_once_the_latest_first(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "new" / "folder")
    assert settings.recent() == []
    for name in ("a", "b", "a"):
        settings.remember(f"/scans/{name}")
    assert settings.recent() == ["/scans/a", "/scans/b"]
    for number in range(30):
        settings.remember(f"/scans/{number}")
    assert len(settings.recent()) == 12
    settings.forget_recent()
    assert settings.recent() == []


def test_own_presets_come_back(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    preset = OwnPreset("bone", Transfer(shift=30, scalar_opacity=((100, 0.0), (400, 0.8))))
    settings.save_preset(" dense bone ", preset)
    assert Settings(tmp_path).own_presets() == {"dense bone": preset}
    settings.remove_preset("dense bone")
    assert settings.own_presets() == {}
    for wrong in ("", "  ", "a\nb", "x" * 300):
        with pytest.raises(hv.ArgumentError):
            settings.save_preset(wrong, preset)


@pytest.mark.parametrize("content", ["{", "[1]", "null", '{"paths": 5}', "\udcff"])
def test_damaged_settings_are_put_aside(tmp_path: Path, content: str) -> None:
    settings = Settings(tmp_path)
    for name in ("recent.json", "presets.json"):
        (tmp_path / name).write_text(content, errors="surrogateescape")
    assert settings.recent() == []
    assert settings.own_presets() == {}
    settings.remember("/scans/a")
    assert settings.recent() == ["/scans/a"]


def test_a_damaged_preset_does_not_take_the_others_along(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    settings.save_preset("good", OwnPreset("bone", Transfer()))
    text = (tmp_path / "presets.json").read_text()
    (tmp_path / "presets.json").write_text(
        text.replace('{\n  "good"', '{"bad": 3, "worse": {"rendering": "x"},\n  "good"')
    )
    assert list(settings.own_presets()) == ["good"]


def test_settings_that_cannot_be_kept_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(hv.WriteError, match="settings cannot be kept"):
        Settings(tmp_path / "file" / "below").remember("/scans/a")


# Histogram, movies, meshes.


def test_the_histogram_counts_measured_voxels() -> None:
    hu = np.array([[[-1000, -1000, 50, 3000]]], np.int16)
    valid = np.array([[[0, 1, 2, 0]]], np.uint8)
    volume = hv.Volume(hu, hv.Geometry.from_parts(hu.shape, spacing=(1, 1, 1)), valid)
    counts, edges = histogram(volume)
    assert counts.sum() == 1
    at = int(np.flatnonzero(counts)[0])
    assert edges[at] <= -1000 < edges[at + 1]


def frames_of(count: int, size: tuple[int, int] = (61, 75)) -> list[np.ndarray]:
    frames = [np.zeros((*size, 3), np.uint8) for _ in range(count)]
    for number, frame in enumerate(frames):
        frame[:, : (number + 1) * size[1] // count] = (200, 90, 30)
    return frames


def test_an_mp4_plays_and_shows_the_frames(tmp_path: Path) -> None:
    frames = frames_of(8)
    movies.write_movie(tmp_path / "a.mp4", frames, 8, fps=10)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    movie = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert movie.get(cv2.CAP_PROP_FPS) == 10
    code = int(movie.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert code in (b"h264", b"avc1")
    shown = []
    while (read := movie.read())[0]:
        shown.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    movie.release()
    assert [frame.shape for frame in shown] == [(62, 76, 3)] * 8
    for number, (wanted, got) in enumerate(zip(frames, shown, strict=True)):
        edge = (number + 1) * 75 // 8
        assert np.abs(got[30, : edge - 4].astype(int) - wanted[30, : edge - 4]).max() < 25
        assert got[30, edge + 4 : 70].max(initial=0) < 40


def test_a_gif_holds_the_frames(tmp_path: Path) -> None:
    movies.write_movie(tmp_path / "a.gif", frames_of(5), 5, fps=10)
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 5
        movie.seek(4)
        assert (
            np.abs(np.asarray(movie.convert("RGB"))[30, 40].astype(int) - (200, 90, 30)).max()
            < 8
        )


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_cancelled_or_failed_movie_leaves_nothing(tmp_path: Path, name: str) -> None:
    def failing():
        yield from frames_of(2)
        msg = "gone"
        raise hv.RenderingUnavailableError(msg)

    with pytest.raises(hv.CancelledError):
        movies.write_movie(tmp_path / name, frames_of(6), 6, progress=lambda done, *_: done < 3)
    with pytest.raises(hv.RenderingUnavailableError):
        movies.write_movie(tmp_path / name, failing(), 6)
    with pytest.raises(hv.ArgumentError, match="at least one frame"):
        movies.write_movie(tmp_path / name, [], 0)
    assert list(tmp_path.iterdir()) == []


def test_a_movie_is_refused_under_another_name(tmp_path: Path) -> None:
    with pytest.raises(hv.ArgumentError, match=r"\.mp4 or \.gif"):
        movies.write_movie(tmp_path / "a.avi", frames_of(1), 1)


@pytest.mark.parametrize("plane", PLANES)
def test_a_run_shows_each_slice_once(plane: str) -> None:
    rng = np.random.default_rng(3)
    geometry = hv.Geometry.from_parts((5, 6, 7), spacing=(2, 1.5, 1))
    volume = hv.Volume(rng.integers(-150, 200, geometry.shape).astype(np.int16), geometry)
    view = hv.ViewState(show_labels=False, show_crosshair=False)
    count = movies.slice_count(volume, view, plane)
    assert count == {"axial": 5, "coronal": 6, "sagittal": 7}[plane]
    frames = list(movies.slice_run(volume, view, plane, (40, 40)))
    assert len({frame.tobytes() for frame in frames}) == len(frames) == count
    centre = geometry.to_patient(np.array(geometry.shape) // 2)
    middle = slice_pane(volume, view.changed(crosshair=centre), plane, (40, 40))
    assert any(np.array_equal(middle, frame) for frame in frames)


@needs_opengl
def test_a_turntable_comes_round() -> None:
    from hounsview_vizapp.rendering import Scene

    volume = hv.phantom("hu-rods", spacing=(8, 4, 4))
    view = hv.ViewState(show_labels=False)
    with Scene(volume) as scene:
        frames = list(movies.turntable(scene, view, (80, 80), 4))
        front = scene.picture(view, (80, 80))
        left = scene.picture(view.changed(camera={"azimuth": 90}), (80, 80))
    assert len(frames) == 4
    assert np.array_equal(frames[0], front)
    assert np.array_equal(frames[1], left)


def ball(letters: str = "SPL") -> hv.Volume:
    geometry = hv.Geometry.from_parts((44, 44, 44), spacing=(1, 1, 1), origin=(10, -40, 100))
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    away = np.linalg.norm(geometry.to_patient(index) - geometry.centre, axis=-1)
    return hv.Volume((1000 - 80 * (away - 12)).astype(np.int16), geometry).reorient(letters)


def test_a_mesh_of_a_level_lies_in_the_patient(tmp_path: Path) -> None:
    mesh = viewtissues.mesh_of(ball("LSP"), Surface("ball", 1000.0))
    assert np.allclose((mesh.box[0] + mesh.box[1]) / 2, ball().geometry.centre, atol=0.1)
    assert mesh.volume_ml == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.03)
    with pytest.raises(hv.ArgumentError, match="nothing here is 20000 HU"):
        viewtissues.mesh_of(ball(), Surface("metal", 20_000.0))


def test_a_mesh_of_a_tissue_is_that_of_its_mask() -> None:
    volume = hv.phantom("thorax", spacing=(5, 3, 3))
    mask = hv.masks.segment(volume, ["bone"]).masks["bone"]
    mesh = viewtissues.mesh_of(volume, Surface("bone"))
    assert mesh.volume_ml == pytest.approx(mask.sum() * 45 / 1000, rel=0.01)
    with pytest.raises(hv.TissueNotFoundError, match="lung"):
        viewtissues.mesh_of(hv.phantom("head", spacing=(6, 4, 4)), Surface("lung"))


def test_a_series_of_the_kit_is_listed(tmp_path: Path) -> None:
    write_series(tmp_path / "series")
    (entry,) = contents(tmp_path)
    assert entry.can_be_shown
