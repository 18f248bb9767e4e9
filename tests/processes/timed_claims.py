"""Imported by a worker, this has each of its claims write when it was made and how long it took (seconds)."""

from __future__ import annotations

import os
import time
from typing import Any

from django_jobs.engines import engine_for
from django_jobs.engines.rows import ClaimedJob
from tests.jobs_that_misbehave import write_line


def _time_claims(engine: Any) -> None:
    path, really = f"{os.environ['TEST_WORKER']}.claims", engine.claim

    def claim(*args: Any, **kwargs: Any) -> list[ClaimedJob]:
        begun = time.monotonic()
        jobs: list[ClaimedJob] = really(*args, **kwargs)
        write_line(path, begun, time.monotonic() - begun)
        return jobs

    engine.claim = claim


_time_claims(type(engine_for("default")))
