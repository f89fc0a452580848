"""Runs JupyterLab, Notebook 7 and Voila for tests that look at notebooks in a browser.

Servers read and write nothing but a temporary folder, need no internet and end with all
their kernels. Tests take the fixtures of tests/conftest.py:

    def test_it(lab: Server, tab: Tab) -> None:
        lab.write("a.ipynb", ["print(6 * 7)"])
        tab.open(lab, "a.ipynb")
        tab.run_all()
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest

Kind = Literal["lab", "notebook", "voila"]

SOURCES: Final = [str(Path(__file__).parents[1] / name) for name in ("core", "vizapp", "tests")]
LOCAL: Final = ("127.0.0.1", "localhost")
_MODULES: Final = {"lab": "jupyterlab", "notebook": "notebook", "voila": "voila"}
_PATHS: Final = {"lab": "lab/tree", "notebook": "notebooks", "voila": "voila/render"}


def why_no_server(kind: Kind) -> str:
    """Return why a front end cannot be had here; empty if it can."""
    try:
        __import__(_MODULES[kind])
    except ImportError as error:
        return f"{_MODULES[kind]} is not usable here: {error}"
    return ""


class Server:
    """A running Jupyter or Voila server.

    `folder` is where its notebooks lie, `url` ends with a slash.
    """

    def __init__(self, kind: Kind, home: Path, **environment: str):
        self.kind = kind
        self.home = home
        self.folder = home / "notebooks"
        self.folder.mkdir(parents=True)
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}/"
        _write_settings(home)
        with (home / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                self._command(), cwd=self.folder, env={**_environment(home), **environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", _MODULES[self.kind], "--no-browser"]
        if self.kind == "voila":
            return [
                *command, f"--Voila.port={self._port}", "--Voila.port_retries=0",
                "--Voila.ip=127.0.0.1", "--show_tracebacks=True", str(self.folder),
            ]  # fmt: skip
        app = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}[self.kind]
        return [
            *command, f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0",
            "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--allow-root",
            "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={self.folder}",
            "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--{app}.expose_app_in_browser=True",
            f"--{app}.user_settings_dir={self.home / 'settings'}",
            f"--{app}.workspaces_dir={self.home / 'workspaces'}",
        ]  # fmt: skip

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")

    def wait(self, seconds: float = 90) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self.ask("GET", "" if self.kind == "voila" else "api/status")
            except (URLError, OSError):
                time.sleep(0.1)
            else:
                return
        msg = f"{self.kind} did not start ({self.process.poll()}):\n{self.log[-3000:]}"
        raise AssertionError(msg)

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook of code cells and return its path."""
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python 3"},
                "language_info": {"name": "python"},
            },
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{n}",
                    "metadata": {},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for n, source in enumerate(cells)
            ],
        }
        path = self.folder / name
        path.write_text(json.dumps(notebook))
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Return a notebook as it was saved."""
        saved: dict[str, Any] = json.loads((self.folder / name).read_text())
        return saved

    def distrust(self, name: str) -> None:
        """Forget that this user ran a notebook, as if somebody had sent it."""
        import nbformat
        from nbformat.sign import NotebookNotary

        notary = NotebookNotary(data_dir=str(self.home / "data"))
        try:
            notary.unsign(nbformat.read(self.folder / name, as_version=4))
        finally:
            notary.store.close()

    def address(self, name: str) -> str:
        return f"{self.url}{_PATHS[self.kind]}/{quote(name)}"

    def ask(self, method: str, path: str, seconds: float = 20) -> Any:
        """Return the answer of the REST API; None if it is empty or no JSON."""
        request = Request(self.url + path, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=seconds) as answer:
            body = answer.read()
        return json.loads(body) if body[:1] in (b"{", b"[") else None

    def kernels(self) -> list[dict[str, Any]]:
        """Return the running kernels, as the REST API describes them."""
        found: list[dict[str, Any]] = self.ask("GET", "api/kernels")
        return found

    def stop_kernels(self) -> None:
        """End all kernels, and with them what notebooks know of them."""
        for session in self.ask("GET", "api/sessions"):
            self.ask("DELETE", f"api/sessions/{session['id']}")
        for kernel in self.kernels():
            self.ask("DELETE", f"api/kernels/{kernel['id']}")
        assert self.kernels() == []

    def close(self, seconds: float = 15) -> None:
        """End the server and every process that it started."""
        import psutil

        started = []
        if self.process.poll() is None:
            started = psutil.Process(self.process.pid).children(recursive=True)
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(seconds)
        for left in psutil.wait_procs(started, timeout=2)[1]:
            left.kill()
        assert psutil.wait_procs(started, timeout=seconds)[1] == []


@contextmanager
def serving(kind: Kind, home: Path, **environment: str) -> Iterator[Server]:
    """Give a running server whose every file lies in a new folder `home`; else skip."""
    if reason := why_no_server(kind):
        pytest.skip(reason)
    server = Server(kind, home, **environment)
    try:
        server.wait()
        yield server
    finally:
        server.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_settings(home: Path) -> None:
    """Leave the settings of someone who wants no news, no updates and no questions."""
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    path = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(quiet))


def _environment(home: Path) -> dict[str, str]:
    # A proxy where nobody listens: what the server itself asks of other hosts fails at once.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY", "VOILA")) and not name.endswith("_PROXY")
    }
    return {
        **kept,
        **nowhere,
        "no_proxy": ",".join(LOCAL),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(home / "ipython"),
        "HOUNSVIEW_SETTINGS": str(home / "hounsview"),
        "PYTHONPATH": os.pathsep.join([*SOURCES, os.environ.get("PYTHONPATH", "")]).strip(
            os.pathsep
        ),
    }
