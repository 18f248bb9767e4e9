"""Thousands of rows that something has spoilt, among as many good ones: each harms itself, and no other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import timezone

from django_jobs.admin.paging import WINDOW
from django_jobs.models import Attempt, Job, JobError, Queue
from tests import jobs_that_misbehave as jobs
from tests.admin.pages import list_url, page_url
from tests.faults.spoiling import Spoiler
from tests.processes.conftest import Ledger, Start, ledger, start_worker
from tests.tiers import by_tier

__all__ = ["ledger", "start_worker"]
pytestmark = [pytest.mark.faults, pytest.mark.timeout(by_tier(300, 600, 3600))]

ROWS = by_tier(300, 2_000, 10_000)
# So many pages of each kind are opened.
PAGES = by_tier(5, 50, ROWS)
PATIENCE = by_tier(60.0, 240.0, 1800.0)
FOR_EVER = {"completed": None, "cancelled": None}
LATER = timedelta(hours=1)
AT_WORK = ["ready", "running"]


@pytest.mark.django_db(transaction=True)
def test_spoilt_rows_end_with_a_reason_good_ones_run_and_every_page_opens(
    start_worker: Start,
    ledger: Ledger,
    admin_client: Client,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("size", f"{ROWS:,} spoilt rows among {ROWS:,} good ones")
    bad = jobs.note.using(max_attempts=2, retry_delay=0.1).enqueue_many([(str(ledger), "bad")] * ROWS)
    good = jobs.note.enqueue_many([(str(ledger), f"good{number}") for number in range(ROWS)])
    spoiler = Spoiler(seed)
    written = spoiler.spoil(bad)
    spoiler.spoil_queues()
    worker = start_worker("--processes", "2", LEASE=2, UNKNOWN_FUNCTION_TTL=1, RETENTION=FOR_EVER)
    try:
        worker.until(
            lambda: not Job.objects.filter(status__in=AT_WORK).exists() and not unsettled(), patience=PATIENCE
        )
    finally:
        for job in unsettled()[:20]:
            print(job.pk, job.status, job.run_after, written.get(str(job.pk)))
    assert worker.process.poll() is None
    done = set(Job.objects.completed().values_list("pk", flat=True))
    assert [job.pk for job in good if job.pk not in done] == []
    assert sorted(word for word in set(ledger.lines) if word != "bad") == sorted(
        f"good{number}" for number in range(ROWS)
    )
    assert Job.objects.count() == 2 * ROWS
    for job in without_a_reason():
        assert written.get(str(job.pk), {}).get("status") == "dead", (job.pk, written.get(str(job.pk)))
    assert worker.stop() == 0
    open_pages(admin_client, bad, random.Random(seed), written)


def unsettled() -> list[Job]:
    """Return the jobs that a worker has to do something about; some wait for a day that is far away."""
    pending = Job.objects.filter(status__in=["scheduled", *AT_WORK]).only("status", "run_after")
    later = timezone.now() + LATER
    return [job for job in pending if job.status != "scheduled" or job.run_after < later]


def without_a_reason() -> list[Job]:
    """Return the dead jobs of which no error tells why."""
    why = set(JobError.objects.values_list("job", flat=True))
    return [job for job in Job.objects.dead() if job.pk not in why]


def open_pages(client: Client, bad: list[Job], chance: random.Random, written: dict[str, Any]) -> None:
    """Open the lists, and the pages of some of these jobs and of what belongs to them."""
    urls = [list_url("job"), list_url("queue"), list_url("attempt"), list_url("joberror")]
    urls += [
        list_url("job", f"status={status}&all=") for status in ("dead", "waiting", "running", "nonsense")
    ]
    last = min(2 * PAGES, WINDOW) // 50
    urls += [list_url("job", f"p={number}&all=") for number in range(1, last + 1)]
    # One that had no id has a new one.
    there = set(Job.objects.values_list("pk", flat=True))
    spoilt = {job.pk for job in bad if job.pk in there}
    queues = some_of(
        Queue.objects.exclude(paused_at=None).order_by("pk").values_list("pk", flat=True), chance
    )
    pages = [page_url("queue", quote(name)) for name in queues] + [
        page_url("job", pk) for pk in some_of(sorted(spoilt), chance)
    ]
    urls += [page.replace("/change/", "/history/") for page in pages]
    for name, model in (("attempt", Attempt), ("joberror", JobError)):
        rows = model.objects.order_by("pk").values_list("pk", "job")
        pages += [page_url(name, pk) for pk in some_of((pk for pk, job in rows if job in spoilt), chance)]
    for url in [*urls, *pages]:
        response = client.get(url)
        found = written.get(url.split("/")[-3])
        assert response.status_code == 200, (url, response.status_code, response.get("Location"), found)


def some_of(keys: Iterable[Any], chance: random.Random) -> list[Any]:
    """Return as many of these as there are pages to open, the same ones for the same seed."""
    found = list(keys)
    return chance.sample(found, min(PAGES, len(found)))
