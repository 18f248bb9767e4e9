"""Two workers at once: what their counters come to is what has run, neither more nor less."""

from __future__ import annotations

from collections import Counter as Tallied

import pytest
from django.db.models import Sum
from django.utils import timezone

from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Counter, Job
from django_jobs.states import FINAL
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)

NOTES, FAILURES = 300, 40


def _counted() -> dict[tuple[str, str], int]:
    rows = Counter.objects.values_list("function", "outcome").annotate(Sum("runs")).order_by()
    return {(function, outcome): runs for function, outcome, runs in rows}


def _ran() -> dict[tuple[str, str], int]:
    return dict(Tallied(Attempt.objects.values_list("job__function", "outcome")))


def _both_have_run(ledger: Ledger) -> bool:
    jobs.note.enqueue(str(ledger), "one more, for whoever has had none")
    return Attempt.objects.values("worker_id").distinct().count() == 2


def _all_final() -> bool:
    return not Job.objects.exclude(status__in=FINAL).exists()


def test_the_counters_of_two_workers_come_to_exactly_the_runs(start_worker: Start, ledger: Ledger) -> None:
    jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(NOTES)])
    jobs.raise_unspeakable.using(max_attempts=2, retry_delay=0.01).enqueue_many([() for _ in range(FAILURES)])
    first, second = start_worker("--processes", "2"), start_worker("--processes", "2")
    first.until(lambda: _both_have_run(ledger))
    first.until(_all_final)
    assert (first.stop(), second.stop()) == (0, 0)
    counted = _counted()
    assert counted == _ran()
    assert sorted(counted.values()) == [FAILURES * 2, len(ledger.lines)]
    assert Counter.objects.values("worker_id").distinct().count() == 2
    assert engine_for("default").fold(before=timezone.now(), limit=1000) > 0
    assert _counted() == counted
    assert set(Counter.objects.values_list("worker_id", flat=True)) == {""}
    assert Counter.objects.last_hour().summary().run.count == sum(counted.values())
