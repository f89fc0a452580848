"""The kit that drives notebooks does what the tests of the widget rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hounsview
from browser_kit import Tab, browsing, why_no_browser
from jupyter_kit import Server, serving

pytestmark = pytest.mark.slow
psutil = pytest.importorskip("psutil", exc_type=ImportError)

COUNTER = """
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = '''
    function render({ model, el }) {
        const button = document.createElement("button");
        button.id = "counter";
        button.style = "background: rgb(200, 30, 40); color: white; width: 200px";
        const show = () => { button.textContent = model.get("answer"); };
        button.onclick = () => model.send({ kind: "click" });
        model.on("change:answer", show);
        show();
        el.appendChild(button);
    }
    export default { render };
    '''
    answer = traitlets.Unicode("nothing yet").tag(sync=True)

    def __init__(self):
        super().__init__()
        self.clicks = 0
        self.on_msg(self._clicked)

    def _clicked(self, widget, content, buffers):
        self.clicks += 1
        self.answer = f"{content['kind']} {self.clicks}"

counter = Counter()
counter
"""


def count(tab: Tab) -> None:
    button = tab.one("#counter")
    assert button.text_content() == "nothing yet"
    for clicks in (1, 2):
        button.click()
        tab.page.wait_for_function(
            f"document.querySelector('#counter').textContent === 'click {clicks}'"
        )
    middle = np.median(tab.pixels("#counter").reshape(-1, 3), axis=0)
    assert middle.tolist() == [200, 30, 40]
    assert tab.outside == []


@pytest.mark.parametrize("front_end", ["lab", "notebook7"])
def test_a_click_in_a_notebook_reaches_the_kernel_and_comes_back(
    front_end: str, tab: Tab, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(front_end)
    here = "import hounsview, hounsview_vizapp; print(hounsview.__file__)"
    server.write("counter.ipynb", [here, COUNTER])
    tab.open(server, "counter.ipynb")
    tab.run_all()
    count(tab)
    assert tab.complaints == []
    tab.save()
    printed = server.read("counter.ipynb")["cells"][0]["outputs"][0]["text"]
    assert printed == [f"{hounsview.__file__}\n"]
    server.stop_kernels()


def test_a_click_in_voila_reaches_the_kernel_and_comes_back(voila: Server, tab: Tab) -> None:
    voila.write("counter.ipynb", [COUNTER])
    tab.open(voila, "counter.ipynb")
    count(tab)
    assert tab.complaints == []


def test_a_saved_notebook_opens_again_with_its_kernel_with_a_new_one_and_without(
    lab: Server, tab: Tab
) -> None:
    lab.write("again.ipynb", [COUNTER, "print(6 * 7)"])
    tab.open(lab, "again.ipynb")
    tab.run_all()
    tab.save()
    outputs = [cell["outputs"] for cell in lab.read("again.ipynb")["cells"]]
    assert outputs[1][0]["text"] == ["42\n"]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0][0]["data"]

    tab.open(lab, "again.ipynb")
    count(tab)
    lab.stop_kernels()
    tab.open_without_kernel(lab, "again.ipynb")
    assert "42" in (tab.one(".jp-OutputArea-output pre:has-text('42')").text_content() or "")
    assert tab.page.locator("#counter").count() == 0
    tab.open(lab, "again.ipynb")
    assert tab.page.locator("#counter").count() == 0
    lab.stop_kernels()


def test_what_a_cell_raises_is_told(lab: Server, tab: Tab) -> None:
    lab.write("wrong.ipynb", ["1 / 0", "print('never')"])
    tab.open(lab, "wrong.ipynb")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        tab.run_all()
    assert len(tab.run_all(may_fail=True)) == 1


def test_a_notebook_from_elsewhere_is_not_trusted(lab: Server, tab: Tab) -> None:
    cell = "from IPython.display import HTML\nHTML('<p id=marked style=\"color:red\">x</p>')"
    lab.write("sent.ipynb", [cell])
    tab.open(lab, "sent.ipynb")
    tab.run_all()
    tab.save()
    trusted = "[...window.jupyterapp.shell.currentWidget.content.model.cells][0].trusted"
    tab.open(lab, "sent.ipynb")
    assert tab.page.evaluate(trusted) is True
    lab.distrust("sent.ipynb")
    tab.open(lab, "sent.ipynb")
    assert tab.page.evaluate(trusted) is False


@pytest.mark.parametrize("front_end", ["lab", "notebook7"])
def test_the_theme_changes(front_end: str, tab: Tab, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(front_end)
    server.write("theme.ipynb", ["1"])
    tab.open(server, "theme.ipynb")
    tab.theme(dark=True)
    dark = tab.pixels().mean()
    tab.theme(dark=False)
    assert dark < 100 < 200 < tab.pixels().mean()


def test_the_page_reaches_no_other_host_and_tells_of_each_attempt(tmp_path: Path) -> None:
    asked = ["https://example.org/a.js", "http://192.0.2.1/b.png", "ws://example.org/c"]
    with browsing(size=(300, 200), pixel_ratio=2) as tab:
        tab.page.goto("about:blank")
        for url in asked[:2]:
            failed = f"fetch({json.dumps(url)}).then(() => 'reached', () => 'refused')"
            assert tab.page.evaluate(failed) == "refused"
        refused = (
            f"new Promise(end => {{ const s = new WebSocket({json.dumps(asked[2])});"
            "s.onerror = () => end('refused'); s.onopen = () => end('reached'); })"
        )
        assert tab.page.evaluate(refused) == "refused"
        assert tab.outside == asked
        assert tab.pixels().shape == (400, 600, 3)
        tab.shot(tmp_path / "page.png")
        assert (tmp_path / "page.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser() or "a browser")
def test_nothing_runs_on_after_a_failure(tmp_path: Path) -> None:
    here = psutil.Process()
    before = set(here.children(recursive=True))

    def fail() -> None:
        with serving("lab", tmp_path / "lab") as server, browsing() as tab:
            server.write("stuck.ipynb", ["import time; time.sleep(600)"])
            tab.open(server, "stuck.ipynb")
            kernels.extend(set(here.children(recursive=True)) - before)
            with pytest.raises(Exception, match="Timeout"):
                tab.run_all(seconds=1)
            msg = "the test failed"
            raise RuntimeError(msg)

    kernels: list[Any] = []
    with pytest.raises(RuntimeError, match="the test failed"):
        fail()
    assert len(kernels) > 3
    # Where nobody waits for orphans, they stay as zombies.
    assert not [
        process
        for process in kernels
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
    assert set(here.children(recursive=True)) == before
