"""Counts the statements of a process, where BENCH_COUNT names a file: a byte each.

Where BENCH_LISTEN is set, it listens to what is completed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_jobs.signals import job_completed


def _hear(**_: Any) -> None:
    """Be told that a job is completed."""


class ProjectConfig(AppConfig):
    """The project that is measured."""

    name = "benchmarks.project"

    def ready(self) -> None:
        """Count from the first connection on."""
        if path := os.environ.get("BENCH_COUNT"):
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
            connection_created.connect(self._count)
        if os.environ.get("BENCH_LISTEN"):
            job_completed.connect(_hear)

    def _count(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if self._counted not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._counted)

    def _counted(self, execute: Callable[..., Any], *call: Any) -> Any:
        os.write(self._file, b".")
        return execute(*call)
