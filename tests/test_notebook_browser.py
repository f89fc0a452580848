"""The notebook's front end in real front ends: JupyterLab, Notebook 7 and Voila in Chromium.

No test may reach any host but this one.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_client import BlockingKernelClient

from browser_kit import Tab, browsing
from jupyter_kit import Server
from notebook_kit import eventually
from scene_kit import needs_opengl

pytestmark = [pytest.mark.slow, needs_opengl]

BEGIN = "import hounsview as hv, hounsview_vizapp as hva"
VOLUME = "volume = hv.phantom('thorax', spacing=(4, 2, 2))"
SHOWN = "canvas[data-shown]"


@pytest.fixture
def page(tab: Tab) -> Iterator[Tab]:
    """A tab that asked nothing of other hosts, and in which nothing went wrong."""
    yield tab
    assert tab.outside == []
    assert tab.complaints == []


def pane(tab: Tab, name: str, number: int = 0) -> Any:
    found = tab.page.locator(f"canvas[data-pane='{name}'][data-shown]").nth(number)
    found.wait_for(state="visible")
    return found


def place(found: Any, down: float = 0.5, right: float = 0.5) -> tuple[float, float]:
    box = found.bounding_box()
    return box["x"] + right * box["width"], box["y"] + down * box["height"]


def pixels(found: Any) -> np.ndarray:
    """What a canvas holds, (rows, columns, 3) RGB: not scaled, nothing laid over it."""
    flat = found.evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    size = found.evaluate("c => [c.height, c.width, 4]")
    return np.array(flat, np.uint8).reshape(size)[..., :3]


def drag(tab: Tab, start: tuple[float, float], end: tuple[float, float], button: Any) -> None:
    mouse = tab.page.mouse
    mouse.move(*start)
    mouse.down(button=button)
    for step in range(1, 6):
        share = step / 5
        x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
        mouse.move(x, y)
        time.sleep(0.03)
    mouse.up(button=button)


@contextmanager
def client_of(server: Server) -> Iterator[BlockingKernelClient]:
    """Give a second way into the newest kernel, beside the page's: it moves nothing there."""
    files = (server.home / "runtime").glob("kernel-*.json")
    newest = max(files, key=lambda path: path.stat().st_mtime)
    client = BlockingKernelClient(connection_file=str(newest))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()


def do(server: Server, code: str) -> None:
    """Run statements in the kernel."""
    with client_of(server) as client:
        reply = client.execute_interactive(code, timeout=90, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def ask(server: Server, code: str) -> Any:
    """Return the value of an expression in the kernel: plain data, such as numbers."""
    with client_of(server) as client:
        reply = client.execute_interactive(
            "", user_expressions={"it": f"repr({code})"}, timeout=90,
            output_hook=lambda _: None,
        )  # fmt: skip
    told = reply["content"]["user_expressions"]["it"]
    assert told["status"] == "ok", told
    return ast.literal_eval(ast.literal_eval(told["data"]["text/plain"]))


def begun(server: Server, tab: Tab, *cells: str, name: str = "a.ipynb") -> None:
    # A kernel of its own: views of an earlier test would be closed under the page.
    server.stop_kernels()
    server.write(name, [BEGIN, VOLUME, *cells])
    tab.open(server, name)
    tab.run_all()


def test_the_first_picture_is_what_the_kernel_draws(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume, 'axial', controls=False)")
    axial = pane(page, "axial")
    eventually(lambda: ask(lab, "view.screen.is_settled"))
    shown = pixels(axial)
    rows, columns = shown.shape[:2]
    do(
        lab,
        "from hounsview_vizapp.panes import slice_pane\n"
        f"picture = slice_pane(volume, view.state.value, 'axial', ({rows}, {columns}))\n"
        "import numpy as np; np.save('picture.npy', picture)",
    )
    np.testing.assert_array_equal(shown, np.load(lab.folder / "picture.npy"))


def test_the_wheel_turns_slices_after_a_click_and_the_page_before(
    lab: Server, page: Tab
) -> None:
    begun(lab, page, "view = hva.show(volume)")
    axial = pane(page, "axial")
    page.page.mouse.move(*place(axial))
    page.page.mouse.wheel(0, 100)
    assert page.page.locator(".hv-hint.hv-said").count() == 1
    assert ask(lab, "view.state.crosshair") is None
    axial.scroll_into_view_if_needed()
    page.page.mouse.click(*place(axial))
    eventually(lambda: ask(lab, "view.state.crosshair"))
    start = ask(lab, "view.state.crosshair")
    page.page.mouse.wheel(0, -300)
    eventually(lambda: ask(lab, "view.state.crosshair")[2] == start[2] + 12)


def test_drags_change_window_and_camera(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume)")
    axial, body = pane(page, "axial"), pane(page, "3d")
    drag(page, place(axial, 0.6, 0.4), place(axial, 0.4, 0.7), "right")
    eventually(lambda: ask(lab, "view.state.window.width") > 400)
    body.scroll_into_view_if_needed()
    before = pixels(body)
    drag(page, place(body, 0.5, 0.4), place(body, 0.5, 0.6), "left")
    eventually(lambda: ask(lab, "view.state.camera.azimuth") != 0)
    eventually(lambda: np.abs(pixels(body).astype(int) - before).mean() > 3)


def test_keys_mean_what_they_mean_on_the_desktop_and_not_what_they_mean_to_a_notebook(
    lab: Server, page: Tab
) -> None:
    begun(lab, page, "view = hva.show(volume)")
    page.page.mouse.click(*place(pane(page, "axial")))
    page.page.keyboard.press("x")  # would cut the cell
    page.page.keyboard.press("1")  # would make a heading of it
    page.page.keyboard.press("Alt+ArrowUp")
    shown = "(view.state.rendering, view.state.window.width)"
    eventually(lambda: ask(lab, shown) == ("MIP", 1500.0))
    page.page.keyboard.press("Control+z")  # the nudge
    page.page.keyboard.press("Control+z")
    eventually(lambda: ask(lab, shown) == ("MIP", 400.0))
    assert len(page.page.locator(".jp-Cell").all()) == 3


def test_sliders_and_canvas_follow_each_other(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume)")
    axial = pane(page, "axial")
    readout = page.page.locator(".hv-controls .widget-readout").nth(2)
    eventually(lambda: readout.inner_text() == "41")
    before = pixels(axial)
    readout.click()
    page.page.keyboard.press("Control+a")
    page.page.keyboard.type("20")
    page.page.keyboard.press("Enter")
    eventually(lambda: not np.array_equal(before, pixels(axial)))
    assert ask(lab, "view.state.crosshair")[2] == -84
    do(lab, "view.state.crosshair = (0, 0, 0)")
    eventually(lambda: readout.inner_text() == "41")


def test_a_slider_that_knows_whole_steps_alone_does_not_change_the_view(
    lab: Server, page: Tab
) -> None:
    begun(lab, page, "view = hva.show(volume); view.state.window = (33.37, 412.6)")
    pane(page, "axial")
    time.sleep(1.5)
    window = "(view.state.window.center, view.state.window.width)"
    assert ask(lab, window) == (33.37, 412.6)


def test_linked_views_move_together(lab: Server, page: Tab) -> None:
    begun(
        lab, page,
        "from traitlets import link\nfrom ipywidgets import HBox\n"
        "a, b = hva.SlicePane(volume, 'axial'), hva.SlicePane(volume, 'coronal')\n"
        "link((a.state, 'crosshair'), (b.state, 'crosshair'))\nHBox([a, b])",
    )  # fmt: skip
    axial, coronal = pane(page, "axial"), pane(page, "coronal")
    before = pixels(coronal)
    page.page.mouse.click(*place(axial, 0.4, 0.45))
    eventually(lambda: not np.array_equal(before, pixels(coronal)))
    assert ask(lab, "a.state.crosshair == b.state.crosshair")


def test_a_page_loaded_again_shows_the_view_as_it_was(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume, 'axial')")
    pane(page, "axial")
    do(lab, "view.state.window = 'lung'")
    page.save()
    page.page.goto("about:blank")
    page.open(lab, "a.ipynb")
    shown = pane(page, "axial")
    time.sleep(1)
    page.page.mouse.click(*place(shown))
    page.page.keyboard.press("PageUp")
    told = "(view.state.window.width, view.state.crosshair[2] > 30)"
    eventually(lambda: ask(lab, told) == (1500.0, True))


def test_the_picture_is_there_tomorrow(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume)")
    pane(page, "axial")
    still = page.page.locator("img.hv-still")
    eventually(lambda: ask(lab, "view.screen.is_settled"))
    time.sleep(1.5)
    assert not still.is_visible()
    source = still.get_attribute("src")
    assert source is not None
    page.save()
    page.page.goto("about:blank")
    lab.stop_kernels()
    page.open_without_kernel(lab, "a.ipynb")
    still = page.page.locator("img.hv-still")
    still.wait_for(state="visible")
    assert still.get_attribute("src") == source
    assert page.page.get_by_text("Loading widget").count() == 0 or not (
        page.page.get_by_text("Loading widget").first.is_visible()
    )
    # Four panes and not grey: bones are in it.
    picture = page.pixels("img.hv-still")
    assert (picture.max(axis=2) > 240).mean() > 0.01
    page.complaints.clear()  # JupyterLab's own, about the kernel that is not there


def test_nbconvert_shows_the_picture(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume)", name="b.ipynb")
    pane(page, "axial")
    time.sleep(3)
    page.save()
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "b.ipynb"],
        cwd=lab.folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page.page.goto(f"{lab.url}files/b.html")
    image = page.page.locator("img.hv-still")
    image.wait_for(state="visible")
    assert image.evaluate("i => i.naturalWidth") > 400
    page.outside.clear()
    page.complaints.clear()  # nbconvert's own page asks for its scripts; the picture needs none


def test_without_the_servers_extension_there_is_a_still_picture_and_a_reason(
    lab: Server, page: Tab
) -> None:
    page.page.route("**/extensions/anywidget/**", lambda route: route.abort())
    begun(lab, page, "view = hva.show(volume)", name="c.ipynb")
    page.page.get_by_text("the live view did not start").wait_for(timeout=60_000)
    assert (page.pixels("img.hv-still").max(axis=2) > 240).mean() > 0.01
    page.complaints.clear()


def test_an_interrupt_of_the_kernel_is_harmless(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume, 'axial')")
    shown = pane(page, "axial")
    page.command("notebook:interrupt-kernel")
    page.idle()
    page.page.mouse.click(*place(shown, 0.3, 0.4))
    eventually(lambda: ask(lab, "view.state.crosshair"))
    before = ask(lab, "view.state.crosshair")
    page.page.mouse.click(*place(shown, 0.6, 0.6))
    eventually(lambda: ask(lab, "view.state.crosshair") != before)


def test_a_view_answers_while_a_cell_is_at_work(lab: Server, page: Tab) -> None:
    """Kernels with subshells hear the page meanwhile; older ones hear it afterwards."""
    begun(lab, page, "view = hva.show(volume, 'axial')")
    shown = pane(page, "axial")
    time.sleep(1)
    before = int(shown.get_attribute("data-shown"))
    page.command("notebook:insert-cell-below")
    page.page.evaluate(
        """() => { const panel = window.jupyterapp.shell.currentWidget;
        panel.content.activeCell.model.sharedModel.setSource(
            'import time\\nfor n in range(40):\\n'
            + '    view.state.window = (40 + n, 400); time.sleep(0.1)');
        window.jupyterapp.commands.execute('notebook:run-cell'); }"""
    )
    time.sleep(2)
    meanwhile = int(shown.get_attribute("data-shown"))
    assert meanwhile > before
    page.idle()


def test_a_view_shown_twice_is_distorted_nowhere_and_tells_the_right_place(
    lab: Server, page: Tab
) -> None:
    begun(
        lab, page,
        "from ipywidgets import Box\n"
        "view = hva.View(volume, 'axial', controls=False, height='300px'); view",
        "Box([view], layout={'width': '260px'})",
    )  # fmt: skip
    wide, narrow = pane(page, "axial", 0), pane(page, "axial", 1)
    do(lab, "view.state.show_crosshair = view.state.show_labels = False")
    time.sleep(1.5)
    shapes = []
    for shown in (wide, narrow):
        body = pixels(shown).max(axis=2) > 60
        rows, columns = np.nonzero(body)
        shapes.append((np.ptp(columns) + 1) / (np.ptp(rows) + 1))
    assert shapes[0] == pytest.approx(shapes[1], rel=0.05)
    places = []
    for shown in (wide, narrow):
        shown.scroll_into_view_if_needed()
        # The middle of either view is the middle of the patient.
        page.page.mouse.move(*place(shown, 0.5, 0.5))
        eventually(lambda: ask(lab, "view.pointer and view.pointer.point"))
        time.sleep(0.3)
        places.append(ask(lab, "view.pointer.point"))
    np.testing.assert_allclose(places[0], places[1], atol=3)


def test_after_a_double_click_the_next_drag_counts(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume, 'axial')")
    mouse = page.page.mouse
    x, y = place(pane(page, "axial"), 0.8, 0.8)
    mouse.move(x, y)
    mouse.down()
    mouse.up()
    mouse.down()
    time.sleep(0.4)
    mouse.up()
    eventually(lambda: ask(lab, "view.state.layout") == "four-up")
    axial = pane(page, "axial")
    time.sleep(0.5)
    drag(page, place(axial, 0.5, 0.3), place(axial, 0.5, 0.7), "right")
    eventually(lambda: ask(lab, "view.state.window.width") != 400)


def test_a_height_that_a_person_dragged_stays(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume)")
    pane(page, "axial")
    root = page.page.locator(".hv-canvas").first
    root.evaluate("element => { element.style.height = '420px'; }")
    page.page.mouse.click(*place(pane(page, "coronal")))
    eventually(lambda: ask(lab, "view.screen.active") == "coronal")
    time.sleep(0.5)
    assert root.bounding_box()["height"] == 420


def test_a_message_takes_no_room_of_the_picture_and_its_button_has_its_keys(
    lab: Server, page: Tab
) -> None:
    begun(lab, page, "view = hva.show(volume)")
    axial = pane(page, "axial")
    do(lab, "view.screen.say('Two slices are missing.', 'warn')")
    message = page.page.locator(".hv-message").first
    message.wait_for(state="visible")
    time.sleep(0.5)
    bottom = message.bounding_box()["y"] + message.bounding_box()["height"]
    assert bottom <= axial.bounding_box()["y"] + 1
    page.page.locator(".hv-close").first.focus()
    page.page.keyboard.press("Enter")
    message.wait_for(state="hidden")
    assert ask(lab, "view.state.layout") == "four-up"


def test_a_kernel_that_has_gone_leaves_the_picture_and_says_so(lab: Server, page: Tab) -> None:
    begun(lab, page, "view = hva.show(volume, 'axial')")
    pane(page, "axial")
    time.sleep(1)
    page.page.evaluate("() => { window.jupyterapp.commands.execute('kernelmenu:restart'); }")
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.page.get_by_text("The kernel has gone").first.wait_for(timeout=60_000)
    page.complaints.clear()  # JupyterLab's own


@pytest.mark.parametrize("ratio", [1, 2])
def test_notebook_7_shows_it_sharp_on_any_screen(notebook7: Server, ratio: int) -> None:
    with browsing(size=(1200, 900), pixel_ratio=ratio) as tab:
        begun(notebook7, tab, "view = hva.show(volume)", name=f"d{ratio}.ipynb")
        axial = pane(tab, "axial")
        box = axial.bounding_box()
        size = axial.evaluate("c => [c.width, c.height]")
        assert size == pytest.approx([ratio * box["width"], ratio * box["height"]], abs=1)
        tab.page.mouse.click(*place(axial))
        tab.page.keyboard.press("1")
        eventually(lambda: ask(notebook7, "view.state.window.width") == 1500.0)
        assert tab.outside == tab.complaints == []


def test_voila_shows_a_dashboard_made_of_parts(voila: Server, page: Tab) -> None:
    voila.write(
        "d.ipynb",
        [
            BEGIN, VOLUME,
            "from ipywidgets import HBox\n"
            "a = hva.SlicePane(volume, 'coronal'); b = hva.VolumePane(volume, 'bone')\n"
            "HBox([a, b])",
            "hva.SliceSlider(a, 'coronal')", "hva.Histogram(b)",
        ],
    )  # fmt: skip
    page.open(voila, "d.ipynb")
    coronal = pane(page, "coronal")
    pane(page, "3d")
    pane(page, "histogram")
    before = pixels(coronal)
    handle = page.page.locator(".noUi-handle").first
    handle.focus()
    for _ in range(10):
        page.page.keyboard.press("ArrowRight")
    eventually(lambda: not np.array_equal(before, pixels(coronal)))


def test_a_kernel_without_opengl_survives_and_says_why(lab: Server, page: Tab) -> None:
    begun(
        lab, page,
        "import os; os.environ['__EGL_VENDOR_LIBRARY_DIRS'] = '/nowhere'",
        "view = hva.show(volume)", name="e.ipynb",
    )  # fmt: skip
    pane(page, "axial")
    pane(page, "3d")
    eventually(lambda: ask(lab, "view.screen.is_settled"))
    assert "libegl1" in ask(lab, "view.screen.why_no_3d")


def test_a_volume_shows_its_facts(lab: Server, page: Tab) -> None:
    begun(lab, page, "volume", name="f.ipynb")
    assert page.page.locator(".jp-OutputArea img").count() == 3


def test_what_a_folder_holds_is_shown_while_other_cells_run(
    lab: Server, page: Tab, tmp_path: Path
) -> None:
    cells = [
        f"hv.write_dicom(volume, r'{tmp_path / 'scan'}'); 1",
        f"view = hva.show(r'{tmp_path / 'scan'}')",
        "1 + 1",
    ]
    begun(lab, page, *cells, name="g.ipynb")
    pane(page, "axial")
    assert ask(lab, "view.volume.shape == volume.shape")
