"""Workers that end by themselves, and what they show while they are well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def _state(path: Path) -> Any:
    return path.exists() and json.loads(path.read_text())["state"]


def test_a_worker_ends_in_order_when_its_time_is_over(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    # So long a worker on a busy machine may need before it has begun its first job.
    worker = start_worker("--max-seconds", "4")
    worker.until(lambda: "has worked for its 4 s" in worker.log)
    (tmp_path / "go").touch()
    assert worker.wait() == 0
    job.refresh_from_db()
    assert job.status == "completed"


def test_a_worker_shows_that_it_is_well_until_it_stops(start_worker: Start, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    worker = start_worker("--health-file", str(path), "--worker-id", "w")
    worker.until(lambda: _state(path) == "running")
    assert json.loads(path.read_text())["worker_id"].startswith("w-")
    assert worker.stop() == 0
    assert not path.exists()


def test_an_idle_worker_writes_its_health_file_again_and_again(start_worker: Start, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    worker = start_worker("--health-file", str(path))
    worker.until(lambda: _state(path) == "running")
    before = path.stat().st_mtime_ns
    worker.until(lambda: path.stat().st_mtime_ns > before)


def test_a_health_file_that_cannot_be_written_ends_the_worker_at_once(
    start_worker: Start, tmp_path: Path
) -> None:
    worker = start_worker("--health-file", str(tmp_path / "missing" / "health.json"))
    assert worker.wait() == 1
    assert "missing/health.json: it cannot be written (No such file or directory)" in worker.log
