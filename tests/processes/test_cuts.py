"""A connection that is cut every second: nothing is lost, nothing runs twice, and the work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from django_jobs.models import Job
from django_jobs.states import FINAL
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger as Record
from tests.faults.reckoning import broken
from tests.processes.conftest import Start, through
from tests.proxy import Proxy
from tests.tiers import TIER, by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(300, 300, 1800)),
]

# For how long it is cut every second, and for how long before that it is not (seconds).
CUT, UNCUT = by_tier(20, 20, 300), by_tier(3, 3, 60)
# The jobs that are ready at any time. They sleep, so that the machine is not what bounds their number.
BACKLOG, SECONDS = 400, 0.01
LEAST = 0.5
LAST_PATIENCE = 180.0


def _enqueue(record: Record) -> None:
    for job in jobs.run_on_record.enqueue_many([(str(record), SECONDS)] * BACKLOG):
        record.write("ENQUEUED", job.id)


def _work(record: Record, seconds: float, each_second: Callable[[], None]) -> float:
    """Let the worker work for so long; return how many jobs it completes in a second."""
    before, begun = Job.objects.completed().count(), time.monotonic()
    due = begun + 1
    while (now := time.monotonic()) < begun + seconds:
        if now >= due:
            each_second()
            due += 1
        if Job.objects.ready()[:BACKLOG].count() < BACKLOG:
            _enqueue(record)
        time.sleep(0.02)
    return (Job.objects.completed().count() - before) / seconds


def test_a_connection_cut_every_second_loses_nothing_and_half_the_speed_at_most(
    start_worker: Start, record: Record, proxy: Proxy, record_property: Callable[[str, object], None]
) -> None:
    worker = start_worker("--processes", "2", database=through(proxy))
    _enqueue(record)
    worker.until(lambda: Job.objects.completed().exists())
    uncut = _work(record, UNCUT, lambda: None)
    cut = _work(record, CUT, proxy.cut)
    # As slow a machine as may be: the whole backlog is left, and what ran under a lease that was lost.
    worker.until(lambda: not Job.objects.exclude(status__in=FINAL).exists(), patience=LAST_PATIENCE)
    record_property("size", f"cut {CUT} times, once a second")
    record_property("figure", ("part of the speed that is left when cut every second", cut / uncut))
    assert worker.process.poll() is None
    assert worker.stop() == 0
    assert broken(Accounts.read(record)) == []
    assert TIER < 2 or cut >= LEAST * uncut
