"""The jobs that `manage.py serve` enqueues for ever."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from django_jobs.models import Job
from example_project.airports.catalogue import catalogue
from example_project.airports.demo import plan
from example_project.airports.demo.trickle import COUNTRIES, LIVE, trickle
from example_project.airports.reading import count_rows

ROUND = 6
pytestmark = pytest.mark.django_db


def test_every_photograph_every_country_and_every_batch_has_its_turn() -> None:
    rounds = max(len(catalogue()), len(COUNTRIES), -(-count_rows("airportsdata") // plan.BATCH))
    jobs = [enqueue() for enqueue in islice(trickle(), ROUND * rounds)]
    kinds = Counter(job.function for job in jobs)
    assert set(kinds.values()) == {rounds}
    assert len(kinds) == ROUND
    by_kind = {kind: {job.args for job in jobs if job.function == kind} for kind in kinds}
    assert len(by_kind["example_project.airports.jobs.make_thumbnail"]) == len(catalogue())
    assert len(by_kind["example_project.weather.jobs.import_weather"]) == len(COUNTRIES)
    assert len(by_kind["example_project.airports.jobs.import_airports"]) == rounds
    assert len(by_kind["example_project.reports.jobs.mail_monthly_report"]) == rounds


def test_no_run_of_the_demo_takes_them_for_its_own() -> None:
    run = plan.fresh_run()
    planned = plan.jobs_of(run).count()
    for enqueue in islice(trickle(), ROUND):
        assert enqueue().queue.startswith(LIVE)
    assert plan.jobs_of(run).count() == planned
    assert Job.objects.count() == planned + ROUND
