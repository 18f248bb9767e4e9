"""Rows of killed workers go, however the list came to have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from django_jobs.duties import Done
from django_jobs.duties.forget_workers import ForgetWorkers
from django_jobs.engines import engine_for
from django_jobs.models import WorkerProcess
from tests.engines.conformance.presence import worker

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_a_worker_is_forgotten_when_it_was_not_seen_for_so_long() -> None:
    for name, ago in {"here": 0, "late": 100, "lost": 101}.items():
        moment = NOW - timedelta(seconds=ago)
        engine_for("default").appear(worker(name), started_at=moment, now=moment)
    assert ForgetWorkers(interval=5, unseen=100).run(engine_for("default"), now=NOW) == Done()
    assert set(WorkerProcess.objects.values_list("pk", flat=True)) == {"here", "late"}
