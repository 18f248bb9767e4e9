"""What reads jobs reads them where they are written.

The tests' project sends all reads to a replica (tests/routers.py), so that every test of every room holds
it up as well. Here are the ways a project's own code may read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import router
from django.db.models import Model
from django.db.models.query import prefetch_related_objects
from django.test.testcases import DatabaseOperationForbidden

from django_jobs.models import Attempt, Job
from django_jobs.models.primary import PrimaryQuerySet
from tests import jobs
from tests.engines.conformance.making import NOW

MODELS = list(apps.get_app_config("django_jobs").get_models())


@pytest.fixture
def attempt(db: None) -> Attempt:
    """Return an attempt of a job."""
    job = jobs.add.enqueue(1)
    return Attempt.objects.create(
        job=job, token=1, round=1, number=1, outcome="completed", worker_id="w", finished_at=NOW
    )


def test_the_project_of_the_tests_reads_from_a_replica() -> None:
    assert (router.db_for_read(Job), router.db_for_write(Job)) == ("replica", "default")


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_read_where_it_is_written(model: Any) -> None:
    for manager in (model.objects, model._default_manager, model._base_manager):
        assert isinstance(manager.all(), PrimaryQuerySet)
        assert manager.all().db == "default"


@pytest.mark.parametrize(
    "read",
    [
        lambda job: list(Job.objects.ready()),
        lambda job: Job.objects.find(job.pk),
        lambda job: Job.objects.stats(),
        lambda job: Job.objects.filter(pk=job.pk).exists(),
        lambda job: list(Job.objects.raw("SELECT * FROM django_jobs_job")),
        lambda job: list(Job.objects.filter(attempt__number=1).iterator()),
        lambda job: list(job.attempt_set.all()),
        lambda job: list(job.errors),
        lambda job: job.refresh_from_db(),
        lambda job: job.refresh_from_db(fields=["args"]),
        lambda job: prefetch_related_objects([job], "attempt_set"),
        lambda job: Job.objects.defer("args").get(pk=job.pk).args,
        lambda job: Attempt.objects.get(job=job).job.function,
    ],
)
def test_no_way_of_reading_asks_the_replica(attempt: Attempt, read: Callable[[Job], Any]) -> None:
    for job in (attempt.job, Job.objects.get()):
        read(job)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_who_names_an_alias_is_given_it(model: type[Model]) -> None:
    with pytest.raises(DatabaseOperationForbidden, match="'replica'"):
        model._default_manager.using("replica").exists()


def test_a_handle_read_from_a_replica_asks_the_primary(attempt: Attempt) -> None:
    job = attempt.job
    job._state.db = "replica"
    job.refresh_from_db()
    assert [each.pk for each in job.attempt_set.all()] == [attempt.pk]
    assert job.cancel()
