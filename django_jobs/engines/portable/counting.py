"""How many runs ended how: written by each worker in rows of its own, added up when a minute is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.constants import OnConflict

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.removing import delete_rows
from django_jobs.engines.rows import Count
from django_jobs.histograms import Histogram
from django_jobs.models import Counter

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

_KEY = ("worker_id", "minute", "function", "queue", "outcome")
_VALUES = tuple(name for name in Count._fields if name not in _KEY)
_FOLDED = ""  # the worker of rows that stand for all of them
# A statement has ten parameters for each.
_ROWS = 50

_Key = tuple[datetime, str, str, str]


def count(engine: Engine, counts: Sequence[Count]) -> None:
    """Send one upsert, written by hand: the ORM takes longer to make it than the database to do it."""
    connection = engine.connection
    ops = connection.ops
    for rows in batches(counts, size=_ROWS):
        values = [value for row in rows for value in (ops.adapt_datetimefield_value(row.minute), *row[1:])]
        with connection.cursor() as cursor:
            cursor.execute(_upsert(engine.alias, len(rows)), values)


@lru_cache
def _upsert(alias: str, rows: int) -> str:
    ops: Any = connections[alias].ops
    columns = ", ".join(map(ops.quote_name, Count._fields))
    places = ", ".join([f"({', '.join(['%s'] * len(Count._fields))})"] * rows)
    fields = [Counter._meta.get_field(name) for name in Count._fields]
    suffix = ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, _VALUES, _KEY)
    return f"INSERT INTO {ops.quote_name(Counter._meta.db_table)} ({columns}) VALUES {places} {suffix}"


def counts(engine: Engine, *, minute: datetime, worker_id: str) -> list[Count]:
    """Read along the unique index."""
    found = _counters(engine).filter(worker_id=worker_id, minute=minute)
    return [Count(*row) for row in found.values_list(*Count._fields)]


def fold(engine: Engine, *, before: datetime, limit: int) -> int:
    """Take the oldest rows of each worker, add them to those without one, delete them."""
    with engine.transaction():
        closed = _counters(engine).filter(worker_id__gt=_FOLDED, minute__lt=before)
        # Of two that fold at once each takes what the other has not: a row is added by whoever deletes it.
        parts = closed.order_by(*_KEY).select_for_update(skip_locked=True).values_list("pk", *Count._fields)
        taken = {pk: Count(*row) for pk, *row in parts[:limit]}
        if taken:
            engine.count(_sums(_locked(engine, list(taken.values())), list(taken.values())))
            for part in batches(list(taken)):
                delete_rows(_counters(engine).filter(pk__in=part))
    return len(taken)


def _locked(engine: Engine, parts: Sequence[Count]) -> list[Count]:
    """Return the folded rows of these parts, locked: another may be adding other parts to them."""
    keys = {_key(part) for part in parts}
    found = _lock(engine, keys)
    if missing := keys - {_key(row) for row in found}:
        # Whoever is second waits here for the first, and then finds what that has added.
        zeros = [Counter(**_zero(key)._asdict()) for key in sorted(missing)]
        Counter.objects.using(engine.alias).bulk_create(zeros, ignore_conflicts=True)
        found += _lock(engine, missing)
    return found


def _lock(engine: Engine, keys: set[_Key]) -> list[Count]:
    minutes, functions = sorted({key[0] for key in keys}), sorted({key[1] for key in keys})
    found = _counters(engine).filter(worker_id=_FOLDED, minute__in=minutes, function__in=functions)
    # In the index's order, as every folder: two of them never wait for each other in a ring.
    locked = found.order_by(*_KEY).select_for_update().values_list(*Count._fields)
    return [row for row in (Count(*values) for values in locked) if _key(row) in keys]


def _zero(key: _Key) -> Count:
    minute, function, queue, outcome = key
    return Count(minute, _FOLDED, function, queue, outcome, 0, 0.0, 0.0, "{}", "{}")


def _key(row: Count) -> _Key:
    return row.minute, row.function, row.queue, row.outcome


def _sums(wholes: Sequence[Count], parts: Sequence[Count]) -> list[Count]:
    sums = {_key(row): row for row in wholes}
    for part in parts:
        sums[_key(part)] = _sum(sums[_key(part)], part)
    return list(sums.values())


def _sum(one: Count, other: Count) -> Count:
    queue = Histogram.from_json(one.queue_histogram, one.queue_seconds)
    queue.merge(Histogram.from_json(other.queue_histogram, other.queue_seconds))
    run = Histogram.from_json(one.run_histogram, one.run_seconds)
    run.merge(Histogram.from_json(other.run_histogram, other.run_seconds))
    return one._replace(
        runs=one.runs + other.runs,
        queue_seconds=queue.seconds,
        run_seconds=run.seconds,
        queue_histogram=queue.to_json(),
        run_histogram=run.to_json(),
    )


def prune(engine: Engine, *, before: datetime, limit: int) -> int:
    """Go along the unique index; what another is deleting is left to it."""
    with engine.transaction():
        old = _counters(engine).filter(worker_id=_FOLDED, minute__lt=before).order_by(*_KEY)
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        return sum(delete_rows(_counters(engine).filter(pk__in=part)) for part in batches(ids))


def _counters(engine: Engine) -> QuerySet[Counter]:
    return Counter.objects.using(engine.alias)
