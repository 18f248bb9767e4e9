"""Rows that something else has spoilt: whatever a database lets stand in the columns of a job, by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from django_jobs.models import Job, JobNote, Queue
from tests.admin.hostile import STRINGS

LONG = "x" * 100_000
JSONS = [
    "no JSON",
    "",
    "null",
    "7",
    "[]",
    "{}",
    "[" * 50_000,
    "1" * 5_000,
    '{"args": 3, "kwargs": {}}',
    '{"args": [], "kwargs": []}',
    '{"args": [1, 2, 3, 4, 5, 6, 7], "kwargs": {}}',
    '{"args": [], "kwargs": {"self": 1, "": 2}}',
    '{"args": [1e999], "kwargs": {}}',
    '{"args": [NaN], "kwargs": {"a": -Infinity}}',
    '{"args": ["\\ud800"], "kwargs": {"\\u0000": "\\u0000"}}',
    '{"args": [{"$datetime": "never"}], "kwargs": {}}',
    '{"args": [{"$model": ["auth.user", 1]}], "kwargs": {}}',
    '{"args": [{"$model": 3}, {"$tuple": 3}, {"$dict": 3}], "kwargs": {}}',
    '{"args": [{"$decimal": "1e9999999999"}, {"$uuid": 0}], "kwargs": {}}',
    '{"args": [{"$unknown": 1}], "kwargs": {}}',
    '{"args": [' + "[" * 5_000 + "]" * 5_000 + '], "kwargs": {}}',
    '{"$too_large": {"size": "much"}}',
    "$cloudpickle$" + "0" * 64 + "$gASVAAA=",
    "$pickle$" + "0" * 64 + "$AA==",
    "$$$",
    '{"retry_delay": {"kind": "nonsense"}}',
    '{"retry_delay": 1e400, "retry_on": 3}',
    '{"max_memory": -1}',
    '{"soft_timeout": "soon", "soft_timeout_raises": 7}',
    '{"result_ttl": -5}',
    '{"result_ttl": 1e300}',
    '{"on_failure": "no such function"}',
    '{"on_failure": {"name": 1}, "follows": 3}',
    '{"sensitive": ["path"]}',
    '{"sensitive": {"path": -1, "word": 10000000000}}',
    LONG,
]
TEXTS = [*STRINGS, "", LONG, "default", "None", "0", "running"]
NUMBERS = [0, -1, 1, 7, 32767, -32768, 32768, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 0.5, -1e308, 1e308]
LIMITS = [-1.0, 0.0, 1e-300, 1e308, float("inf"), float("-inf"), float("nan"), 7.5]
MOMENTS = [
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "1582-10-10 00:00:00",
    "2026-03-29 02:30:00",
    "infinity",
    "-infinity",
    "4713-01-01 00:00:00 BC",
    "294276-12-31 23:59:59",
    "0000-00-00 00:00:00",
]
# Only SQLite stores any type in any column.
ANYTHING = [
    b"",
    b"\xff\xfe",
    b"\x00",
    "",
    "many",
    "\x00",
    "2025-13-45 99:99:99",
    "tomorrow",
    7,
    -0.5,
    2**62,
    1e999,
]
# Keys as they should not be; each gets a number, so that it is the only one.
KEYS = ["no id {}", "F" * 24 + "{:08}", "g" * 24 + "{:08}", "-{:031}", "{}", b"\xff", 7]

COLUMNS: dict[str, list[Any]] = {
    "function": [*TEXTS, "tests.jobs.apply", "os.system"],
    "queue": TEXTS,
    "priority": NUMBERS,
    "run_after": MOMENTS,
    "args": [*JSONS, *STRINGS],
    "options": [*JSONS, *STRINGS],
    "max_attempts": [each for each in NUMBERS if each < 2],  # what fails is not to be run for ever
    "timeout": LIMITS,
    "holds": NUMBERS,
    "reason": TEXTS,
    "round": NUMBERS,
    "attempts": NUMBERS,
    "interruptions": NUMBERS,
    "worker_id": TEXTS,
    "started_at": [None, *MOMENTS],
    "claim_token": [None, *NUMBERS],
    "lease": [None, *MOMENTS],
    "cancel_requested": NUMBERS,
    "result_data": [None, *JSONS, *STRINGS],
    "error": [None, *TEXTS],
    "replayed_as": [None, "0" * 32, "f" * 32],
    "replay_of": [None, "0" * 32, "f" * 32],
}
# What a row has with its status; a job's own are not written by hand.
STATES: dict[str, tuple[str, ...]] = {
    "ready": (),
    "scheduled": ("run_after",),
    "running": ("lease", "claim_token", "started_at", "worker_id"),
    "waiting": ("holds", "reason"),
    "completed": ("result_data", "run_after"),
    "dead": ("error", "run_after"),
    "cancelled": ("cancel_requested", "lease"),
    "nonsense": ("lease", "run_after"),
}
WEIGHTS = [60, 8, 12, 4, 4, 4, 4, 4]


NOTES: dict[str, list[Any]] = {
    "token": NUMBERS,
    "progress_current": [None, *LIMITS],
    "progress_total": [None, *LIMITS],
    "progress_note": TEXTS,
    "meta": [None, *JSONS, *STRINGS],
    "log": [None, *TEXTS],
    "updated_at": MOMENTS,
}


class Spoiler:
    """Writes into rows what should not be there: the same for the same seed and database."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._any_type = connection.vendor == "sqlite"

    def spoil(self, jobs: list[Job]) -> dict[str, Any]:
        """Spoil each of these jobs, and what some say of themselves; return by id what was written."""
        with transaction.atomic():
            return {str(job.pk): self._spoilt(job, number) for number, job in enumerate(jobs)}

    def spoil_queues(self) -> None:
        """Store rows of queues of which no worker has anything to claim."""
        for name in (f"no job's: {string}"[:100] for string in STRINGS[:-1]):
            Queue.objects.create(name=name)
            self._write("queue", "name", name, {"paused_at": self._value([None, *MOMENTS])})

    def _spoilt(self, job: Job, number: int) -> dict[str, Any]:
        key = Job._meta.pk.get_db_prep_value(job.pk, connection)
        (status,) = self._random.choices(list(STATES), WEIGHTS)
        some = self._random.sample(sorted(COLUMNS), self._random.choice([1, 1, 1, 2, 3]))
        written = self._fill("job", "id", key, (*STATES[status], *some), COLUMNS)
        self._write("job", "id", key, {"status": status})
        if self._random.random() < 0.2:
            JobNote.objects.create(job=job, token=1, updated_at=timezone.now())
            said = self._random.sample(sorted(NOTES), 2)
            written |= self._fill("jobnote", "job_id", key, said, NOTES)
        if self._any_type and status in ("ready", "scheduled", "running") and self._random.random() < 0.1:
            name = self._random.choice(KEYS)
            name = name.format(number) if isinstance(name, str) else name
            written["id"] = name if self._write("job", "id", key, {"id": name}) else key
        return {"status": status, **written}

    def _fill(self, table: str, by: str, key: Any, columns: Iterable[str], values: Any) -> dict[str, Any]:
        written = {column: self._value(values[column]) for column in dict.fromkeys(columns)}
        if self._write(table, by, key, written):
            return written
        # Some of them it refuses: each for itself then, until there is one that it takes.
        for column, value in written.items():
            while not self._write(table, by, key, {column: value}):
                value = self._value(values[column])
            written[column] = value
        return written

    def _value(self, usual: list[Any]) -> Any:
        return self._random.choice(ANYTHING if self._any_type and self._random.random() < 0.3 else usual)

    def _write(self, table: str, by: str, key: Any, values: dict[str, Any]) -> bool:
        """Return whether the database took them."""
        columns = ", ".join(f"{column} = %s" for column in values)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE django_jobs_{table} SET {columns} WHERE {by} = %s", [*values.values(), key]
                )
        except Exception:  # drivers refuse values too, each in its own way
            return False
        return True
