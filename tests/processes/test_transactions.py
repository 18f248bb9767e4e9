"""Jobs enqueued inside transactions, with a worker that looks for them all the time."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from django_jobs.models import Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_rolled_back_never_runs_and_what_committed_runs_once(
    start_worker: Start, ledger: Ledger
) -> None:
    worker = start_worker()
    for number in range(60):
        with transaction.atomic():
            jobs.note.enqueue(str(ledger), f"{number}")
            jobs.note.enqueue_many([(str(ledger), f"{number}a"), (str(ledger), f"{number}b")])
            transaction.set_rollback(number % 3 == 0)
    worker.until_final(*Job.objects.all())
    committed = {f"{number}{letter}" for number in range(60) if number % 3 for letter in ("", "a", "b")}
    assert sorted(ledger.lines) == sorted(committed)
    assert worker.stop() == 0


# On SQLite an open transaction that wrote keeps every worker waiting.
@pytest.mark.only_on("postgresql", "mariadb")
def test_a_worker_runs_others_and_not_the_one_that_is_not_committed_yet(
    start_worker: Start, ledger: Ledger
) -> None:
    worker = start_worker()
    with transaction.atomic():
        first = jobs.note.using(priority=100).enqueue(str(ledger), "first")
        _elsewhere(str(ledger), "second")
        worker.until(lambda: ledger.lines)
        assert ledger.lines == ["second"]
        first.refresh_from_db()
        assert first.status == "ready"
    worker.until_final(first)
    assert ledger.lines == ["second", "first"]


def _elsewhere(path: str, word: str) -> None:
    """Enqueue on a connection of its own, committed at once."""

    def enqueue() -> None:
        try:
            jobs.note.enqueue(path, word)
        finally:
            connections.close_all()

    thread = threading.Thread(target=enqueue)
    thread.start()
    thread.join()
