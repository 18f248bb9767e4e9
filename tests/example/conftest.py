"""A place of its own for what the guide's jobs write, and for its demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from example_project.settings import STORAGES
from tests.conftest import TEST_DATABASE
from tests.example.guide import Guide
from tests.servers import KINDS, Server, private


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    """Let the example's storage write to a directory of this test."""
    directory = tmp_path / "media"
    with override_settings(STORAGES=STORAGES, MEDIA_URL="/media/", MEDIA_ROOT=directory):
        yield directory


@pytest.fixture(scope="module")
def server() -> Iterator[Server | None]:
    """A server of the module alone; None on SQLite, which needs none."""
    if TEST_DATABASE not in KINDS:
        yield None
        return
    with private(TEST_DATABASE) as server:
        yield server


@pytest.fixture
def guide(tmp_path: Path) -> Iterator[Guide]:
    """A guide in a home of this test, whose demo does not outlive it."""
    guide = Guide(tmp_path)
    yield guide
    guide.end()
