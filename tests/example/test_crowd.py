"""The chapter of jobs that share a process: what is told of them is what their rows say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone

from django_jobs.context import running
from django_jobs.models import Attempt
from django_jobs.notebook import Notebook
from example_project.airports.demo import crowd, stopping
from example_project.hanging import jobs
from tests.test_retries import JOB


@pytest.mark.django_db
def test_eight_jobs_are_for_the_worker_with_threads_alone() -> None:
    made = crowd.enqueue_crowd()
    assert (made.hung.count(), made.neighbours.count(), made.all.count()) == (1, 7, 8)
    assert {job.queue for job in made.all} == {jobs.CROWD}
    assert {job.max_attempts for job in made.all} == {1}


@pytest.mark.django_db
def test_who_was_interrupted_twice_is_counted_once() -> None:
    neighbours = crowd.enqueue_crowd().neighbours
    for token in (1, 2):
        Attempt.objects.create(
            job=neighbours[0],
            token=token,
            round=1,
            number=1,
            outcome="interrupted",
            worker_id="w",
            finished_at=timezone.now(),
        )
    assert crowd.tell(neighbours) == (7, 1, 0, 0)
    assert len(list(crowd.surprises(neighbours))) == 7


@pytest.mark.django_db
def test_what_an_earlier_demo_has_left_of_a_crowd_is_ended() -> None:
    made = crowd.enqueue_crowd()
    stopping.end_leftovers()
    assert {job.status for job in made.all} == {"cancelled"}


def test_a_neighbour_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STEP_SECONDS", 0)
    run = replace(JOB, notebook=Notebook())
    run.meta["done"] = 3
    with running(run):
        assert jobs.work_beside(5) == {"steps": 5, "begun_with": 3}
    assert run.meta["done"] == 5
