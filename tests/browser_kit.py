"""A page of a real Chromium that shows notebooks and reaches nothing but this machine.

Run all cells, save, change the theme, look at pixels: see `Tab`. The servers are those of
tests/jupyter_kit.py, the fixture is `tab` in tests/conftest.py.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from jupyter_kit import LOCAL, Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route, WebSocket

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM: Final = next(filter(None, map(shutil.which, _NAMES)), None)


def why_no_browser() -> str:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        return f"playwright is not usable here: {error}"
    return "" if CHROMIUM else f"none of {', '.join(_NAMES)} is installed"


# The panel is the notebook itself, in JupyterLab and Notebook 7 alike.
_PANEL: Final = """const shell = window.jupyterapp?.shell;
    const panel = !shell ? null : shell.currentWidget?.context ? shell.currentWidget
        : [...shell.widgets('main')].find((widget) => widget.context);"""
_READY: Final = f"""(needsKernel) => {{ {_PANEL}
    if (!panel?.context?.isReady || !panel.content?.widgets?.length) return false;
    const session = panel.sessionContext;
    return !needsKernel || (session.isReady && session.session?.kernel?.status === 'idle');
}}"""
_RUN: Final = f"""() => {{ {_PANEL}
    window.hvRun = {{done: false}};
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(
        () => {{ window.hvRun.done = true; }},
        (error) => {{ window.hvRun = {{done: true, error: String(error)}}; }});
}}"""
_HAS_RUN: Final = f"""() => {{ {_PANEL}
    const cells = [...panel.content.model.cells].filter(
        (cell) => cell.type === 'code' && cell.sharedModel.source.trim());
    const failed = cells.some((cell) => [...Array(cell.outputs.length).keys()].some(
        (n) => cell.outputs.get(n).type === 'error'));
    return window.hvRun.done
        && panel.sessionContext.session?.kernel?.status === 'idle'
        && (window.hvRun.error || failed || cells.every((cell) => cell.executionCount > 0));
}}"""
_ERRORS: Final = f"""() => {{ {_PANEL}
    const found = window.hvRun?.error ? [window.hvRun.error] : [];
    for (const cell of panel.content.model.cells)
        for (const output of cell.type === 'code' ? cell.outputs.toJSON() : [])
            if (output.output_type === 'error') found.push(output.traceback.join('\\n'));
    return found;
}}"""
_COMMAND: Final = """([command, values]) => {
    window.hvCommand = {done: false};
    window.jupyterapp.commands.execute(command, values).then(
        () => { window.hvCommand.done = true; },
        (error) => { window.hvCommand = {done: true, error: String(error)}; });
}"""

# What the front ends themselves do wrong with any notebook, so that no test of ours need hear
# of it: Notebook 7 throws at each start; Voila's page asks for a font, and loads a part of
# Notebook 7 that does not fit it.
_NOTEBOOK_THROWS: Final = "Cannot read properties of undefined (reading 'schema')"
_VOILA_ASKS: Final = "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@"
_VOILA_LOADS: Final = "/voila/labextensions/@jupyter-notebook/lab-extension/"


class Tab:
    """A page of Chromium that reaches nothing but this machine.

    `outside` lists what it asked of other hosts (each was refused), `complaints` what
    went wrong in it: errors on the console, and exceptions.
    """

    def __init__(self, page: Page):
        self.page = page
        self.outside: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(60_000)
        page.context.route("**/*", self._route)
        page.on("websocket", self._socket)
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text, said.location["url"]))

    def _route(self, route: Route) -> None:
        if _is_local(route.request.url):
            route.continue_()
            return
        if not route.request.url.startswith(_VOILA_ASKS):
            self.outside.append(route.request.url)
        route.abort()

    def _socket(self, socket: WebSocket) -> None:
        if not _is_local(socket.url):
            self.outside.append(socket.url)

    def _hear(self, kind: str, text: str, url: str = "") -> None:
        theirs = text == _NOTEBOOK_THROWS or url.startswith(_VOILA_ASKS) or _VOILA_LOADS in text
        if kind == "error" and not theirs:
            self.complaints.append(text)

    def open(self, server: Server, name: str, *, kernel: bool = True) -> None:
        """Show a notebook, and wait until it and its kernel are there.

        `kernel=False` does not wait for a kernel, which may start nevertheless. Voila has
        run all cells when this returns.
        """
        if server.kind == "voila":
            self.page.goto(server.address(name), wait_until="load", timeout=120_000)
            return
        reset = "?reset" if server.kind == "lab" else ""
        self.page.goto(server.address(name) + reset)
        self.page.wait_for_function(_READY, arg=kernel, timeout=90_000)
        self.settle()

    def open_without_kernel(self, server: Server, name: str) -> None:
        """Show a notebook in JupyterLab as someone does who starts no kernel for it."""
        assert server.kind == "lab", "Notebook 7 always starts a kernel"
        self.page.goto(f"{server.url}lab?reset")
        self.page.wait_for_function("() => window.jupyterapp?.docRegistry")
        self.page.wait_for_function(
            "() => window.jupyterapp.docRegistry.getWidgetFactory('Notebook') !== undefined"
        )
        self.page.evaluate(
            "window.jupyterapp.docRegistry.getWidgetFactory('Notebook')._preferKernel = false"
        )
        self.command("docmanager:open", path=name)
        self.page.wait_for_function(_READY, arg=False)
        self.settle()
        assert server.kernels() == []

    def run_all(self, seconds: float = 120, *, may_fail: bool = False) -> list[str]:
        """Run all cells, wait until the kernel rests, and return the errors of cells."""
        self.page.wait_for_function(_READY, arg=True, timeout=90_000)
        self.page.evaluate(_RUN)
        self.page.wait_for_function(_HAS_RUN, timeout=1000 * seconds)
        errors = [re.sub(r"\x1b\[[0-9;]*m", "", error) for error in self.page.evaluate(_ERRORS)]
        assert may_fail or not errors, "\n".join(errors)
        return errors

    def idle(self, seconds: float = 60) -> None:
        """Wait until the kernel rests."""
        self.page.wait_for_function(_READY, arg=True, timeout=1000 * seconds)

    def command(self, name: str, seconds: float = 60, **values: Any) -> None:
        """Carry out a command of the front end, as its menu does, and wait for its end."""
        self.page.evaluate(_COMMAND, [name, values])
        self.page.wait_for_function("() => window.hvCommand.done", timeout=1000 * seconds)
        error = self.page.evaluate("window.hvCommand.error")
        assert not error, f"{name}: {error}"

    def save(self) -> None:
        self.command("docmanager:save")

    def theme(self, *, dark: bool) -> None:
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(
            "dark => document.body.dataset.jpThemeLight === (dark ? 'false' : 'true')", arg=dark
        )
        self.settle()

    def settle(self) -> None:
        """Wait until JupyterLab's splash screen, which every new theme shows too, has faded."""
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def one(self, selector: str) -> Locator:
        """Return the one element that a selector finds, once it is seen."""
        found = self.page.locator(selector)
        found.wait_for(state="visible")
        return found

    def shot(self, path: Path, selector: str | None = None) -> None:
        """Save what is seen, of the page or of one element, as PNG."""
        path.write_bytes(self._png(selector))

    def pixels(self, selector: str | None = None) -> np.ndarray:
        """Return what is seen, of the page or of one element: (rows, columns, 3) RGB."""
        coded = np.frombuffer(self._png(selector), np.uint8)
        return cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def _png(self, selector: str | None) -> bytes:
        return self.page.screenshot() if selector is None else self.one(selector).screenshot()


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in LOCAL


@contextmanager
def browsing(
    *, size: tuple[int, int] = (1280, 900), pixel_ratio: float = 1, dark: bool = False
) -> Iterator[Tab]:
    """Give a page of a new Chromium, `size` is (width, height); else skip."""
    if reason := why_no_browser():
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    # Even what no page asks for (the browser's own questions) finds no other host.
    hosts = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in LOCAL)])
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules={hosts}"],
        )
        try:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                device_scale_factor=pixel_ratio,
                color_scheme="dark" if dark else "light",
                # What a service worker fetched would pass by the routes.
                service_workers="block",
            )
            yield Tab(context.new_page())
        finally:
            browser.close()
