"""The tests' app; where TEST_BUG names a bug, it is planted in every process of the test."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from django.apps import AppConfig

_planted: list[AbstractContextManager[Any]] = []


class TestsConfig(AppConfig):
    """Plants the bug, if there is one, for as long as the process lives; what it forks has it too."""

    name = "tests"

    def ready(self) -> None:
        """Plant it."""
        if bug := os.environ.get("TEST_BUG"):
            from tests.faults.bugs import BUGS

            _planted.append(BUGS[bug].plant())
            _planted[0].__enter__()
