"""Which database the queue is on, and whether it is configured for one."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, Info, Warning
from django.db import DEFAULT_DB_ALIAS, router

from django_jobs.conf import conf
from django_jobs.engines import engine_for
from django_jobs.models import Job
from django_jobs.router import JobsRouter


def check() -> list[CheckMessage]:
    """Return what is wrong; what its engine says only of the database that is meant."""
    alias = router.db_for_write(Job)
    if wrong := _not_where_it_should_be(alias):
        return wrong
    return [*_idle_router(), *_transactions_apart(alias), *engine_for(alias).check()]


def _not_where_it_should_be(alias: str) -> list[CheckMessage]:
    wanted = conf().DATABASE
    if wanted in (None, alias):
        return []
    message = f"DJANGO_JOBS['DATABASE'] is {wanted!r}, but the project's routers keep jobs on {alias!r}"
    hint = (
        'Add the router that reads this setting: DATABASE_ROUTERS = ["django_jobs.JobsRouter"]. '
        "Where there are others, list it before the one that has another opinion."
    )
    return [Error(message, hint=hint, id="django_jobs.E005")]


def _idle_router() -> list[CheckMessage]:
    if conf().DATABASE or not any(isinstance(each, JobsRouter) for each in router.routers):
        return []
    message = "django_jobs.JobsRouter does nothing: no DJANGO_JOBS['DATABASE'] says where to keep jobs"
    hint = (
        'Name an alias of DATABASES: DJANGO_JOBS = {"DATABASE": "jobs"}. '
        "Or, where jobs are to be in the default database, take the router out of DATABASE_ROUTERS."
    )
    return [Warning(message, hint=hint, id="django_jobs.W003")]


def _transactions_apart(alias: str) -> list[CheckMessage]:
    if alias == DEFAULT_DB_ALIAS:
        return []
    message = (
        f"Jobs are kept on database {alias!r}, so enqueue() is no part of a transaction on another one: what "
        "is rolled back there leaves its job behind"
    )
    hint = (
        "In a transaction on 'default' call enqueue_on_commit(...) instead of enqueue(...), and add "
        'using="alias" for one on another alias. Where all calls do so: '
        'SILENCED_SYSTEM_CHECKS = ["django_jobs.I001"]'
    )
    return [Info(message, hint=hint, id="django_jobs.I001")]
