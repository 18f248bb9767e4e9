from __future__ import annotations

import threading

import pytest
from django.db import connections

from django_jobs.engines.rows import Held
from django_jobs.models import Attempt, Job, JobError, JobNote, ResultExpiry
from django_jobs.states import FINAL, Status
from tests.engines.conformance.making import (
    NOW,
    TOKEN,
    after,
    claim,
    done,
    enqueue,
    failed,
    new,
    row,
    running,
    statuses,
)


def family(engine, **values):
    """Return a dead letter with an attempt, an error and an expiring result."""
    job = running(engine, max_attempts=1, **values)
    engine.ack([failed(job)])
    ResultExpiry.objects.bulk_create([ResultExpiry(job_id=job.id, expires_at=NOW)])
    JobNote.objects.bulk_create([JobNote(job_id=job.id, token=TOKEN, updated_at=NOW)])
    return job


def rows_left() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Job, Attempt, JobError, ResultExpiry, JobNote))


def remain(engine, status, *ages):
    """Store jobs that became final so many seconds ago."""
    jobs = [new(run_after=after(-age)) for age in ages]
    engine.enqueue(jobs)
    Job.objects.filter(pk__in=[job.id for job in jobs]).update(status=status)
    return jobs


@pytest.mark.django_db
class TestPrune:
    @pytest.mark.parametrize("status", sorted(FINAL))
    def test_what_has_been_final_since_before_then_is_removed(self, engine, status):
        _old, exact, young = remain(engine, status, 10, 5, 1)
        for other in FINAL - {status}:
            remain(engine, other, 10)
        assert engine.prune(status, before=after(-5), limit=10) == 1
        left = [pk for pk, stands in statuses().items() if stands == status]
        assert sorted(left) == [exact.id, young.id]
        assert Job.objects.count() == 4

    def test_a_job_takes_its_attempts_errors_expiry_and_note_along(self, engine):
        gone, kept = family(engine, queue="a"), family(engine, queue="b")
        Job.objects.filter(pk=kept.id).update(run_after=after(100))
        assert rows_left() == (2, 2, 2, 2, 2)
        assert engine.prune(Status.DEAD, before=after(50), limit=10) == 1
        assert rows_left() == (1, 1, 1, 1, 1)
        assert not Job.objects.filter(pk=gone.id).exists()
        for child in (Attempt, JobError, ResultExpiry, JobNote):
            assert child.objects.get().job_id == kept.id

    def test_those_final_for_longest_are_removed_first_and_no_more_than_the_limit(self, engine):
        young, oldest, middle = remain(engine, Status.COMPLETED, 1, 3, 2)
        assert engine.prune(Status.COMPLETED, before=NOW, limit=1) == 1
        assert not Job.objects.filter(pk=oldest.id).exists()
        assert engine.prune(Status.COMPLETED, before=NOW, limit=1) == 1
        assert sorted(statuses()) == [young.id]
        assert middle.id not in statuses()

    @pytest.mark.parametrize("status", sorted(set(Status) - FINAL))
    def test_only_final_jobs_can_be_pruned(self, engine, status):
        with pytest.raises(ValueError, match="only final jobs"):
            engine.prune(status, before=NOW, limit=1)

    def test_a_requeued_job_is_as_old_as_its_last_end(self, engine):
        (job,) = remain(engine, Status.DEAD, 100)
        engine.requeue([job.id], now=NOW)
        (claimed,) = claim(engine)
        engine.ack([failed(claimed)])
        assert engine.prune(Status.DEAD, before=after(-1), limit=10) == 0
        assert engine.prune(Status.DEAD, before=after(3), limit=10) == 1

    def test_a_thousand_at_once(self, engine):
        remain(engine, Status.COMPLETED, *range(1, 1001))
        assert engine.prune(Status.COMPLETED, before=NOW, limit=2000) == 1000
        assert rows_left() == (0, 0, 0, 0, 0)


@pytest.mark.django_db(transaction=True)
class TestPrunesAtOnce:
    def test_four_at_once_remove_every_job_once_and_no_other(self, engine):
        remain(engine, Status.COMPLETED, *range(1, 401))
        kept = remain(engine, Status.COMPLETED, *[-1] * 5)
        removed: list[int] = []
        together = threading.Barrier(4)

        def prune() -> int:
            return engine.prune(Status.COMPLETED, before=NOW, limit=7)

        def work() -> None:
            try:
                together.wait()
                # Looked at by itself: what another one has locked is left to it, and counts as nothing here.
                while Job.objects.filter(run_after__lt=NOW).exists():
                    # Again after a deadlock, as workers do it.
                    removed.append(engine.repeated(prune))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(removed) == 400
        assert sorted(statuses()) == sorted(job.id for job in kept)


@pytest.mark.django_db
class TestPurge:
    def test_the_jobs_of_one_queue_are_removed_whatever_their_age(self, engine):
        family(engine, queue="mail")
        enqueue(engine, 2, queue="mail")
        enqueue(engine, queue="mail", status=Status.SCHEDULED, run_after=after(99))
        (other,) = enqueue(engine, queue="mail2")
        assert engine.purge("mail", statuses=set(Status), limit=10) == 4
        assert rows_left() == (1, 0, 0, 0, 0)
        assert list(statuses()) == [other.id]

    def test_running_jobs_are_left_alone_and_can_be_acked(self, engine):
        job = running(engine)
        before = row(job)
        enqueue(engine)
        assert engine.purge("default", statuses=set(Status), limit=10) == 1
        assert engine.purge("default", statuses={Status.RUNNING}, limit=10) == 0
        assert row(job) == before
        assert engine.renew([Held(job.id, TOKEN)], lease=after(90)) == []
        assert engine.ack([done(job)]) == []

    def test_only_the_statuses_asked_for(self, engine):
        for status in Status:
            (job,) = enqueue(engine)
            Job.objects.filter(pk=job.id).update(status=status)
        assert engine.purge("default", statuses={Status.DEAD, Status.READY}, limit=10) == 2
        assert set(statuses().values()) == set(Status) - {Status.DEAD, Status.READY}
        assert engine.purge("default", statuses=set(), limit=10) == 0

    def test_no_more_than_the_limit(self, engine):
        enqueue(engine, 5)
        assert engine.purge("default", statuses={Status.READY}, limit=3) == 3
        assert engine.purge("default", statuses={Status.READY}, limit=3) == 2
        assert engine.purge("default", statuses={Status.READY}, limit=3) == 0
