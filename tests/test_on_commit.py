"""Jobs that wait for a commit on another alias than the queue's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connections, transaction
from django.utils.connection import ConnectionDoesNotExist

from django_jobs import JobNotFound, PayloadTooLarge, SerializationError, job, registry
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable import repeating
from django_jobs.engines.rows import NewJob
from django_jobs.models import Job
from tests import jobs
from tests.payloads import args_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None, tmp_path: Path) -> Iterator[str]:
    """Return the alias of a database that has nothing to do with the queue's."""
    connections.settings["shop"] = {**connections.settings["replica"], "NAME": tmp_path / "shop.sqlite3"}
    # Opened by hand: Django asks on the way to a connection whether the test may have it.
    connections["shop"].connect()
    with connections["shop"].schema_editor() as editor:
        editor.create_model(Group)
    yield "shop"
    connections["shop"].close()
    del connections["shop"], connections.settings["shop"]


def test_a_commit_stores_the_job(shop: str) -> None:
    with transaction.atomic(using=shop):
        handle = jobs.add.enqueue_on_commit(1, b=2, using=shop)
        assert not Job.objects.exists()
    stored = Job.objects.get()
    assert args_of(stored) == ([1], {"b": 2})
    for field in Job._meta.concrete_fields:
        assert getattr(handle, field.attname) == getattr(stored, field.attname), field.attname


def test_a_rollback_leaves_no_job_where_enqueue_leaves_one(shop: str) -> None:
    with transaction.atomic(using=shop):
        jobs.add.enqueue_on_commit(1, using=shop)
        ghost = jobs.add.enqueue(2)
        transaction.set_rollback(True, using=shop)
    assert [each.pk for each in Job.objects.all()] == [ghost.pk]


def test_a_savepoint_that_is_rolled_back_takes_its_own_jobs_along(shop: str) -> None:
    with transaction.atomic(using=shop):
        outer = jobs.add.enqueue_on_commit(1, using=shop)
        with transaction.atomic(using=shop):
            jobs.add.enqueue_on_commit(2, using=shop)
            transaction.set_rollback(True, using=shop)
    assert [each.pk for each in Job.objects.all()] == [outer.pk]


def test_outside_a_transaction_it_is_stored_at_once(shop: str) -> None:
    handle = jobs.add.enqueue_on_commit(1, using=shop)
    assert Job.objects.get() == handle


@pytest.mark.django_db(transaction=True)
def test_on_the_queue_s_own_database_it_does_the_same() -> None:
    with transaction.atomic():
        jobs.add.enqueue_on_commit(1)
        assert not Job.objects.exists()
    assert Job.objects.count() == 1
    with transaction.atomic():
        jobs.add.enqueue_on_commit(2)
        transaction.set_rollback(True)
    assert Job.objects.count() == 1


def test_a_later_change_to_an_argument_does_not_reach_the_job(shop: str) -> None:
    lines = ["one"]
    with transaction.atomic(using=shop):
        jobs.echo.enqueue_on_commit(lines, using=shop)
        lines.append("two")
    assert args_of(Job.objects.get()) == ([["one"]], {})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: jobs.add.enqueue_on_commit(using="shop"), TypeError),
        (lambda: jobs.add.enqueue_on_commit(1, c=2, using="shop"), TypeError),
        (lambda: jobs.echo.enqueue_on_commit({1, 2}, using="shop"), SerializationError),
        (lambda: jobs.echo.enqueue_on_commit("x" * 300_000, using="shop"), PayloadTooLarge),
        (lambda: jobs.add.enqueue_on_commit(1, using="shopp"), ConnectionDoesNotExist),
    ],
)
def test_what_is_wrong_is_an_error_at_the_call(
    shop: str, call: Callable[[], Any], error: type[Exception]
) -> None:
    with transaction.atomic(using=shop):
        with pytest.raises(error):
            call()
        Group.objects.using(shop).create(name="saved all the same")
    assert Group.objects.using(shop).exists()
    assert not Job.objects.exists()


def test_options_are_those_of_the_call(shop: str) -> None:
    with transaction.atomic(using=shop):
        jobs.send.using(priority=3, queue="bulk").enqueue_on_commit("a@b", using=shop)
    assert Job.objects.values_list("priority", "queue", "max_attempts").get() == (3, "bulk", 5)


def test_the_handle_names_a_job_that_is_not_there_yet(shop: str) -> None:
    with transaction.atomic(using=shop):
        handle = jobs.add.enqueue_on_commit(1, using=shop)
        Group.objects.using(shop).create(name=str(handle.id))
        for ask in (handle.cancel, handle.refresh_from_db, lambda: Job.objects.find(handle.id)):
            with pytest.raises((JobNotFound, Job.DoesNotExist)):
                ask()
    assert Job.objects.find(Group.objects.using(shop).get().name).cancel()


def test_a_job_that_cannot_be_stored_is_told_to_whoever_commits(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(engine: object, rows: object) -> None:
        raise IntegrityError("no room")

    monkeypatch.setattr(type(engine_for("default")), "enqueue", refuse)
    with pytest.raises(IntegrityError, match="no room") as caught, transaction.atomic(using=shop):  # noqa: PT012
        Group.objects.using(shop).create(name="kept")
        handle = jobs.add.enqueue_on_commit(1, using=shop)
    assert caught.value.__notes__ == [
        f"the transaction has committed, but its job {handle.id} tests.jobs.add was not stored"
    ]
    assert Group.objects.using(shop).get().name == "kept"


def test_a_deadlock_after_the_commit_costs_another_try_and_not_the_job(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = type(engine_for("default"))
    tries, enqueue = [], engine.enqueue

    def lose_once(self: Engine, rows: Sequence[NewJob]) -> None:
        tries.append(rows)
        if len(tries) == 1:
            raise OperationalError("undone in favour of another")
        enqueue(self, rows)

    monkeypatch.setattr(engine, "enqueue", lose_once)
    monkeypatch.setattr(repeating, "_in_callers_transaction", lambda engine: False)
    monkeypatch.setattr(repeating, "is_conflict", lambda error: True)
    with transaction.atomic(using=shop):
        handle = jobs.add.enqueue_on_commit(1, using=shop)
    assert (Job.objects.get(), len(tries)) == (handle, 2)


def test_a_function_s_own_parameter_called_using_is_not_taken_for_the_alias(
    shop: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    copy = job(_copy_to)
    with pytest.raises(TypeError, match="_copy_to has a parameter of that name"):
        copy.enqueue_on_commit("a", using="shop")
    with django_capture_on_commit_callbacks(execute=True):
        copy.enqueue_on_commit("a", "shop")
    assert args_of(Job.objects.get()) == (["a", "shop"], {})


def _copy_to(name: str, using: str = "default") -> None:
    """Have a parameter that is called as the alias is."""
