"""What programs and people ask for, each with what is there before it and after it, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import reverse

from django_jobs import client, pause_queue, queue_verbs, resume_queue
from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Job, JobError, Queue
from django_jobs.states import Status
from django_jobs.uuid7 import parse_ids
from tests import jobs_that_misbehave as jobs

MANY = 5
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_ERROR = {"kind": "exception", "exception_type": "ValueError", "message": "no", "fingerprint": "0" * 16}


class Deed(NamedTuple):
    """Something that is asked for.

    Attributes:
        prepare: makes what it is asked of; returns what `do` is given.
        do: asks for it, in a process of its own.
        undone, done: how the database looks before and after it, by `described`.
    """

    prepare: Callable[[str], Any]
    do: Callable[[Any], None]
    undone: str
    done: str


def described() -> str:
    """Return what the database says of all jobs, queues and entries of the admin's history."""
    jobs_ = Counter(
        f"{job.status}{f' round {job.round}' if job.round > 1 else ''}"
        f"{', asked to end' if job.cancel_requested else ''}"
        f"{', replayed' if job.replayed_as else ''}{', a replay' if job.replay_of else ''}"
        for job in Job.objects.all()
    )
    others = {
        "paused": Queue.objects.filter(paused_at__isnull=False).count(),
        "groups": Group.objects.count(),
        "entries": LogEntry.objects.count(),
        "attempts": Attempt.objects.count(),
        "errors": JobError.objects.count(),
    }
    found = [f"{count} {what}" for what, count in sorted(jobs_.items())]
    return "; ".join(found + [f"{count} {what}" for what, count in others.items() if count])


def _nothing(path: str) -> str:
    return path


def _stored(status: Status, **columns: Any) -> Callable[[str], list[str]]:
    def prepare(path: str) -> list[str]:
        made = jobs.run_on_record.enqueue_many([(path,)] * MANY)
        rows = Job.objects.filter(pk__in=[job.pk for job in made])
        rows.update(status=status, run_after=_LONG_AGO, **columns)
        if status is Status.DEAD:
            for job in made:
                run = {"job": job, "token": 1, "round": 1, "number": 1, "worker_id": "w"}
                Attempt.objects.create(**run, outcome="failed", finished_at=_LONG_AGO)
                JobError.objects.create(**run, **_ERROR, failed_at=_LONG_AGO)
        return [str(job.pk) for job in made]

    return prepare


def _paused(path: str) -> str:
    pause_queue("default")
    return path


def _enqueue(path: str) -> None:
    jobs.run_on_record.enqueue(path)


def _enqueue_in_a_transaction(path: str) -> None:
    with transaction.atomic():
        Group.objects.create(name="with it")
        jobs.run_on_record.enqueue(path)


def _enqueue_many(path: str) -> None:
    jobs.run_on_record.enqueue_many([(path,)] * MANY)


def _cancel(ids: list[str]) -> None:
    client.cancel(ids)


def _requeue(ids: list[str]) -> None:
    client.requeue(ids)


def _replay(ids: list[str]) -> None:
    client.replay(ids)


def _purge(ids: list[str]) -> None:
    queue_verbs.purge("default", statuses=list(Status), limit=100)


def _pause(path: str) -> None:
    pause_queue("default")


def _resume(path: str) -> None:
    resume_queue("default")


def _unhold(ids: list[str]) -> None:
    engine_for("default").unhold(parse_ids(ids), now=client.now() + timedelta(days=1))


class _Press:
    """A person presses a button of the admin."""

    def __init__(self, page: str, action: str, **answers: Any) -> None:
        self._page, self._data = page, {"action": action, "index": "0", "select_across": "0", **answers}

    def __call__(self, keys: list[str]) -> None:
        setup_test_environment(debug=False)
        browser = Client()
        browser.force_login(User.objects.get(username="admin"))
        address = reverse(f"admin:django_jobs_{self._page}_changelist")
        answer = browser.post(address, {**self._data, "_selected_action": keys})
        assert answer.status_code == 302, answer.content


def _queue(prepare: Callable[[str], Any]) -> Callable[[str], list[str]]:
    def name(path: str) -> list[str]:
        prepare(path)
        return ["default"]

    return name


_DEAD = _stored(Status.DEAD)
_SCHEDULED = _stored(Status.SCHEDULED)
_RUNNING = _stored(Status.RUNNING, worker_id="w", claim_token=1, lease=client.now() + timedelta(hours=1))
_WAITING = _stored(Status.WAITING, holds=1)
_HISTORY = "5 attempts; 5 errors"
_PURGING = {"confirmed": "yes", "status": ["dead", "scheduled"]}

# By the names of their points. Where a process was lost before its commit all is as before, behind it all is
# done; nothing is ever half done.
DEEDS: dict[str, Deed] = {
    "admin cancel": Deed(_SCHEDULED, _Press("job", "cancel"), "5 scheduled", "5 cancelled; 5 entries"),
    "admin pause": Deed(_queue(_nothing), _Press("queue", "pause"), "", "1 paused; 1 entries"),
    "admin purge": Deed(
        _queue(_DEAD), _Press("queue", "purge", **_PURGING), f"5 dead; {_HISTORY}", "1 entries"
    ),
    "admin replay": Deed(
        _DEAD,
        _Press("job", "replay"),
        f"5 dead; {_HISTORY}",
        f"5 dead, replayed; 5 ready, a replay; 5 entries; {_HISTORY}",
    ),
    "admin requeue": Deed(
        _DEAD,
        _Press("job", "requeue"),
        f"5 dead; {_HISTORY}",
        f"5 ready round 2; 5 entries; {_HISTORY}",
    ),
    "bulk enqueue": Deed(_nothing, _enqueue_many, "", "5 ready"),
    "cancel": Deed(_SCHEDULED, _cancel, "5 scheduled", "5 cancelled"),
    "cancel of a running job": Deed(_RUNNING, _cancel, "5 running", "5 running, asked to end"),
    "enqueue": Deed(_nothing, _enqueue, "", "1 ready"),
    "enqueue in a transaction": Deed(_nothing, _enqueue_in_a_transaction, "", "1 ready; 1 groups"),
    "pause": Deed(_nothing, _pause, "", "1 paused"),
    "purge": Deed(_DEAD, _purge, f"5 dead; {_HISTORY}", ""),
    "replay": Deed(_DEAD, _replay, f"5 dead; {_HISTORY}", f"5 dead, replayed; 5 ready, a replay; {_HISTORY}"),
    "requeue": Deed(_DEAD, _requeue, f"5 dead; {_HISTORY}", f"5 ready round 2; {_HISTORY}"),
    "resume": Deed(_paused, _resume, "1 paused", ""),
    "unhold": Deed(_WAITING, _unhold, "5 waiting", "5 ready"),
}
# One statement, which is its own transaction: there is no middle.
AT_ONCE = frozenset({"enqueue", "resume"})
# Whoever asks for these again has them twice.
ADDING = frozenset({"bulk enqueue", "enqueue", "enqueue in a transaction"})
