"""Fixtures that several test modules share: notebook servers, a browser, Slicer's doubles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from browser_kit import Tab, browsing
from jupyter_kit import Server, serving


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running JupyterLab."""
    with serving("lab", tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Jupyter Notebook 7."""
    with serving("notebook", tmp_path_factory.mktemp("notebook")) as server:
        yield server


@pytest.fixture(scope="session")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Voila."""
    with serving("voila", tmp_path_factory.mktemp("voila")) as server:
        yield server


@pytest.fixture
def tab() -> Iterator[Tab]:
    """A page of a new browser.

    Only for one test: where it lives no other test can run an asyncio loop of its own.
    """
    with browsing() as page:
        yield page


@pytest.fixture
def slicer() -> Iterator[Any]:
    """The double of Slicer's application, with an empty scene of slicer-core."""
    from hounsview import mrml
    from slicer_doubles import application

    with application(mrml.new_scene()) as running:
        yield running


@pytest.fixture
def widget(slicer: Any) -> Iterator[Any]:
    """The panel of the module HounsView, in that application."""
    from slicer_doubles import module_widget

    with module_widget() as made:
        yield made
