"""Change many jobs at a person's wish: in steps, with exact counts, each step with its entries in the log."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils.translation import gettext

from django_jobs.admin.tally import Tally
from django_jobs.admin.trail import Deed, Trail
from django_jobs.admin.verbs import SAID, Verb
from django_jobs.duties import PAUSE
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable.batches import batches
from django_jobs.models import Job
from django_jobs.models.job import STATUS_LABELS

STEP = 500
# The keys of so many jobs are kept in memory, 10 MB; whoever means more does it again.
MOST = 100_000
# A web server gives up a request after 30 seconds, as a rule, and nobody would be told the counts.
SECONDS = 20.0


def forecast(verb: Verb, jobs: QuerySet[Job], *, chosen: int | None = None) -> Tally:
    """Return what a verb would do to these jobs now.

    Args:
        chosen: how many were picked by hand: those that are gone are counted too.
    """
    tally = Tally()
    for status, count in _by_status(jobs.filter(verb.applies)):
        tally.changed[verb.becomes[status]] += count
    for status, count in _by_status(jobs.exclude(verb.applies)):
        tally.skipped[verb.why_not(status, _label(status))] += count
    gone = (chosen or 0) - tally.changed.total() - tally.skipped.total()
    if gone > 0:
        tally.skipped[gettext("gone")] += gone
    return tally


def change(verb: Verb, jobs: QuerySet[Job], *, trail: Trail, chosen: int | None = None) -> Tally:
    """Do a verb to those of these jobs that it is for, as they are now; return what was done.

    Which they are is decided once, at the beginning; what becomes of each meanwhile, under a lock.
    """
    engine, deadline = engine_for(jobs.db), time.monotonic() + SECONDS
    expected = forecast(verb, jobs, chosen=chosen)
    ids = list(jobs.filter(verb.applies).values_list("pk", flat=True)[:MOST])
    done, reached = Tally(skipped=expected.skipped), 0
    for part in batches(ids, size=STEP):
        if reached:
            if time.monotonic() > deadline:
                break
            time.sleep(PAUSE.total_seconds())
        step, trail = engine.repeated(_Step(engine, verb, part, trail))
        done.add(step)
        reached += len(part)
    done.left = max(expected.changed.total() - reached, 0)
    return done


class _Step:
    """One transaction of it; it can be called again where a conflict undid it."""

    def __init__(self, engine: Engine, verb: Verb, ids: Sequence[UUID], trail: Trail) -> None:
        self._engine, self._verb, self._ids, self._trail = engine, verb, ids, trail

    def __call__(self) -> tuple[Tally, Trail]:
        with self._engine.transaction():
            jobs, may = self._locked()
            refused = set(self._verb.refuses([job.pk for job in may]))
            takes = [job for job in may if job.pk not in refused]
            also = self._verb.ask([job.pk for job in takes])
            tally = self._tally(jobs, takes, refused)
            deeds = [Deed(job, self._becomes(job), self._said(job, also.get(job.pk))) for job in takes]
            # In the same transaction: where both are one database, the log tells what was done, no more.
            return tally, self._trail.after(deeds) if deeds else self._trail

    def _locked(self) -> tuple[list[Job], list[Job]]:
        # In id order, as acks lock theirs; from here on nobody else changes them.
        rows = Job.objects.using(self._engine.alias).filter(pk__in=self._ids).order_by("pk")
        jobs = list(rows.select_for_update().only("function", "status"))
        applies = set(rows.filter(self._verb.applies).values_list("pk", flat=True))
        return jobs, [job for job in jobs if job.pk in applies]

    def _tally(self, jobs: Sequence[Job], takes: Sequence[Job], refused: Collection[UUID]) -> Tally:
        tally, left = Tally(), {job.pk for job in jobs} - {job.pk for job in takes} - set(refused)
        for job in takes:
            tally.changed[self._becomes(job)] += 1
        for job in jobs:
            if job.pk in left:
                tally.skipped[self._verb.why_not(job.status, _label(job.status))] += 1
        if refused:
            tally.skipped[str(self._verb.refusal)] += len(refused)
        if gone := len(self._ids) - len(jobs):
            tally.skipped[gettext("gone")] += gone
        return tally

    def _said(self, job: Job, also: object) -> str:
        return str(SAID[self._becomes(job)]).format(also)

    def _becomes(self, job: Job) -> str:
        return self._verb.becomes[job.status]  # type: ignore[index]  # a Status is its text


def _by_status(jobs: QuerySet[Job]) -> list[tuple[Any, int]]:
    return list(jobs.order_by().values_list("status").annotate(count=Count("pk")))


def _label(status: str) -> str:
    return str(dict(STATUS_LABELS).get(status, status))
