"""A place of its own for what the guide's jobs write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from example_project.settings import STORAGES


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    """Let the example's storage write to a directory of this test."""
    directory = tmp_path / "media"
    with override_settings(STORAGES=STORAGES, MEDIA_URL="/media/", MEDIA_ROOT=directory):
        yield directory
