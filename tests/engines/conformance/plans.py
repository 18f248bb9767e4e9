from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.rows import ClaimedJob, Held, Released, Started
from django_jobs.engines.stretches import Place
from django_jobs.models import Job
from django_jobs.states import AttemptOutcome, Status
from tests.engines.conformance.making import LEASE, NOW, TOKEN, after, analyze, claim, done, enqueue, new

ROWS = 20_000


@pytest.mark.django_db(transaction=True)
class TestPlans:
    def test_no_verb_on_the_way_of_a_job_scans_or_sorts_a_long_table(self, engine):
        _fill()
        analyze(Job._meta.db_table)
        _assert_that_scans_and_sorts_are_noticed()
        for name, verb in {
            "claim": lambda: claim(engine, 10),
            "claim of several queues": lambda: claim(engine, 10, "default", "other", "empty"),
            "claim past a place": lambda: _claim_past_the_first(engine, 10),
            "promote": lambda: engine.promote(now=NOW, limit=10),
            "next_due": engine.next_due,
            "ready_queues": engine.ready_queues,
            "outlook": engine.outlook,
            "cancels": lambda: engine.cancels("w1"),
            "claimed_by": lambda: engine.claimed_by("w1"),
            "rescue": lambda: engine.rescue(now=after(61), limit=10),
            "leases": engine.leases,
            "prune": lambda: engine.prune(Status.COMPLETED, before=NOW, limit=10),
        }.items():
            _assert_cheap(name, verb)


@pytest.mark.django_db(transaction=True)
class TestPlansOfWhatWasSmall:
    """For the vendors' own engines: the portable one cannot tell a database which index to take."""

    def test_a_claim_is_as_cheap_where_the_database_still_takes_the_table_for_small(self, engine):
        engine.enqueue([new(status=Status.COMPLETED) for _ in range(200)])
        analyze(Job._meta.db_table)
        engine.enqueue([new(queue="not served") for _ in range(ROWS)])
        engine.enqueue([new(queue=f"q{number % 5}") for number in range(1000)])
        _assert_cheap("claim of one queue", lambda: claim(engine, 10, "q1"))
        _assert_cheap("claim of five", lambda: claim(engine, 10, *(f"q{number}" for number in range(5))))
        _assert_cheap("claim past a place", lambda: _claim_past_the_first(engine, 10, "q1"))
        _assert_cheap("ready_queues", engine.ready_queues)
        _assert_cheap("outlook", engine.outlook)

    def test_what_is_held_is_found_by_its_key_where_the_database_takes_the_running_for_few(self, engine):
        engine.enqueue([new(status=Status.COMPLETED) for _ in range(200)])
        analyze(Job._meta.db_table)
        enqueue(engine, 1000)
        for name, verb in _about_held(engine, claim(engine, 1000)).items():
            for statement, plan in _explained(name, verb):
                assert not _by_status(plan), f"{name}: {statement}\n{plan}"

    def test_what_is_held_is_found_by_its_key_where_the_database_has_not_looked_since_the_table_was_filled(
        self, engine
    ):
        enqueue(engine, ROWS)
        for name, verb in _about_held(engine, claim(engine, 1000)).items():
            for statement, plan in _explained(name, verb):
                assert not _by_status(plan), f"{name}: {statement}\n{plan}"
                assert not _costly(plan), f"{name}: {statement}\n{plan}"


def _about_held(engine: Engine, jobs: list[ClaimedJob]) -> dict[str, Callable[[], object]]:
    """Return the verbs about claimed jobs, each by its name and for 200 of these."""
    held = [Held(job.id, job.token) for job in jobs]
    return {
        "start": lambda: engine.start([Started(one, NOW) for one in held[:200]]),
        "renew": lambda: engine.renew(held[:200], lease=LEASE),
        "release": lambda: engine.release([Released(one) for one in held[:200]]),
        "ack": lambda: engine.ack([done(job) for job in jobs[200:400]]),
        "ack of interrupted ones": lambda: engine.ack(
            [done(job, AttemptOutcome.INTERRUPTED) for job in jobs[400:600]]
        ),
    }


def _explained(name: str, verb: Callable[[], object]) -> list[tuple[str, str]]:
    with _plans() as plans:
        verb()
    assert plans, f"{name} sent nothing to explain"
    return plans


def _assert_cheap(name: str, verb: Callable[[], object]) -> None:
    found: list[object] = []
    for statement, plan in _explained(name, lambda: found.append(verb())):
        assert not _costly(plan), f"{name}: {statement}\n{plan}"
    assert found[0]


def _claim_past_the_first(engine: Engine, n: int, queue: str = "default") -> list[ClaimedJob]:
    (first,) = claim(engine, 1, queue)
    past = [Place(queue, first.priority, first.run_after, first.id)]
    return engine.claim([queue], n, worker_id="w1", token=TOKEN, lease=LEASE, past=past)


def _assert_that_scans_and_sorts_are_noticed() -> None:
    with _plans() as plans:
        list(Job.objects.filter(function="x"))
        list(Job.objects.ready().order_by("max_attempts")[:5])
    assert [bool(_costly(plan)) for _, plan in plans] == [True, True]


def _fill() -> None:
    kinds: list[dict[str, Any]] = [
        {"status": Status.READY},
        {"status": Status.READY, "queue": "other"},
        {"status": Status.SCHEDULED},
        {"status": Status.COMPLETED},
    ]
    engine_for("default").enqueue(
        [
            new(priority=number % 7, run_after=after(-(number % 1000)), **kinds[number % 4])
            for number in range(ROWS)
        ]
    )
    for token in range(20):
        running = claim(engine_for("default"), 1, "other", token=token)
    engine_for("default").ask_cancel([job.id for job in running], force=False)


@contextmanager
def _plans() -> Iterator[list[tuple[str, str]]]:
    """Have every statement explained before it is executed."""
    plans: list[tuple[str, str]] = []
    explain = {"sqlite": "EXPLAIN QUERY PLAN "}.get(connection.vendor, "EXPLAIN ")

    def explained(execute, sql, params, many, context):
        # The tables of attempts and errors are empty here: a scan is the best way through them.
        about_jobs = re.search(r"\bdjango_jobs_job\b", sql)
        if about_jobs and sql.lstrip().upper().startswith(("SELECT", "UPDATE", "WITH")):
            with connection.cursor() as cursor:
                cursor.execute(explain + sql, params[0] if many else params)
                plans.append((sql, "\n".join(map(str, cursor.fetchall()))))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        yield plans


def _costly(plan: str) -> list[str]:
    """Return the words by which this database admits a full scan or a sort of the table.

    To sort the few rows that several probes have found is neither, nor is to read the few of paused queues.
    """
    words = {
        "sqlite": ["SCAN django_jobs_job", r"SEARCH django_jobs_job .*\n.*TEMP B-TREE"],
        "postgresql": [
            r"Seq Scan on (?!django_jobs_queue\b)",
            r"Sort Key: .*\n\W+->  .*Scan .*on django_jobs_job",
            "Parallel",
        ],
        "mysql": ["'ALL'", "'index'", "filesort", "temporary"],
    }
    return [word for word in words[connection.vendor] if re.search(word, plan)]


def _by_status(plan: str) -> bool:
    """Return whether a plan goes by an index that begins with the status."""
    words = {
        "sqlite": r"INDEX django_jobs_(claim|due)",
        "postgresql": r"Scan (using|on) django_jobs_(claim|due)",
        "mysql": r", 'django_jobs_(claim|due)', '\d",  # the key that is taken, and how much of it
    }
    return bool(re.search(words[connection.vendor], plan))
