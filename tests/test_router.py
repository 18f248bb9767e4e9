"""The shipped router: the tables of jobs on one alias, and nothing else there."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import router

from django_jobs import JobsRouter
from django_jobs.models import Job
from tests.routers import ReadsFromReplica

MODELS = list(apps.get_app_config("django_jobs").get_models())


@pytest.fixture
def on_replica(settings: Any) -> None:
    """Have the queue on the only other alias the tests' project has."""
    settings.DATABASE_ROUTERS = ["django_jobs.JobsRouter"]
    settings.DJANGO_JOBS = {"DATABASE": "replica"}


@pytest.mark.usefixtures("on_replica")
class TestWithAnAlias:
    @pytest.mark.parametrize("model", MODELS)
    def test_every_model_of_jobs_is_read_written_and_migrated_there_alone(self, model: Any) -> None:
        assert (router.db_for_read(model), router.db_for_write(model)) == ("replica", "replica")
        assert model.objects.all().db == "replica"
        assert router.allow_migrate_model("replica", model)
        assert not router.allow_migrate_model("default", model)

    def test_no_other_model_is(self) -> None:
        assert (router.db_for_read(User), router.db_for_write(User)) == ("default", "default")
        assert router.allow_migrate_model("default", User)
        assert not router.allow_migrate_model("replica", User)

    def test_a_row_of_another_alias_does_not_draw_jobs_there(self) -> None:
        assert router.db_for_write(Job, instance=Job.from_db("default", ["id"], [None])) == "replica"


def test_without_the_setting_it_has_no_opinion(settings: Any) -> None:
    settings.DATABASE_ROUTERS = ["django_jobs.JobsRouter", ReadsFromReplica()]
    assert (router.db_for_read(Job), router.db_for_write(Job)) == ("replica", "default")
    settings.DATABASE_ROUTERS = ["django_jobs.JobsRouter"]
    assert router.allow_migrate_model("replica", User)
    assert router.allow_migrate_model("replica", Job)


def test_the_default_alias_stays_open_to_all(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [JobsRouter()]
    settings.DJANGO_JOBS = {"DATABASE": "default"}
    assert router.allow_migrate_model("default", User)
    assert not router.allow_migrate_model("replica", Job)
    assert (router.db_for_read(Job), router.db_for_write(Job)) == ("default", "default")


def test_a_router_before_it_goes_first(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [ReadsFromReplica(), "django_jobs.JobsRouter"]
    settings.DJANGO_JOBS = {"DATABASE": "replica"}
    assert router.db_for_write(Job) == "default"
