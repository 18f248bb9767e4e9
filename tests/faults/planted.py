"""Bugs to be planted into the engines, one at a time, and the promise that each of them breaks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import F

from django_jobs.engines import Engine
from django_jobs.engines.portable import cancelling, claiming, finishing, removing, replaying, upkeep
from django_jobs.engines.settling import UNCLAIMED
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.models import Job
from django_jobs.states import PENDING, Status
from tests.faults.planting import Plant, put, reworded, wrapped

OLD_TOKEN = "an old token changes nothing"
TRANSITION = "only the table's transitions"
NUMBERED = "attempts are numbered by charged runs"
WISH = "who is asked to end does not run again"


class Bug(NamedTuple):
    """A bug, by what plants it and by what it breaks.

    Attributes:
        verb: the one it is in.
        promise: by its name.
    """

    verb: str
    promise: str
    plant: Plant


def _without_token(engine: Engine, held: Any) -> Any:
    return Job.objects.filter(pk=held.id, status=Status.RUNNING)


def _statement(name: str, old: str, new: str) -> Plant:
    return reworded(WholesaleEngine, name, old, new)


def _renew_by_id(engine: Engine, ids: Any, token: int, lease: Any) -> list[Any]:
    running = Job.objects.filter(pk__in=ids, status=Status.RUNNING)
    running.update(lease=lease)
    return []


def _rescue_early(right: Any, engine: Engine, *, now: Any, limit: int, over: Any = None) -> Any:
    return right(engine, now=now + timedelta(days=1), limit=limit, over=None)


def _place_charged(right: Any, job: Any) -> dict[str, Any]:
    return {**right(job), "attempts": F("attempts") + 1}


def _crash_uncounted(right: Any, job: Any, now: Any, log: Any) -> Any:
    return right(job._replace(started_at=None), now, log)


def _requeue_keeping(right: Any, engine: Engine, ids: Any, from_: Any, **values: Any) -> int:
    kept = {name: value for name, value in values.items() if name not in ("attempts", "interruptions")}
    return right(engine, ids, from_, **kept)


def _ask_anew(engine: Engine, ids: Any, level: Any) -> int:
    return Job.objects.filter(pk__in=ids, status=Status.RUNNING).update(cancel_requested=level)


def _ask_nobody(engine: Engine, ids: Any, level: Any) -> int:
    return 0


def _mark_again(engine: Engine, replay: Any) -> bool:
    dead = Job.objects.filter(status=Status.DEAD, pk=replay.dead)
    return dead.update(replayed_as=replay.job.id) == 1


def _purge_all(engine: Engine, queue: str, *, statuses: Any, limit: int) -> int:
    return removing._remove(engine, Job.objects.filter(queue=queue), limit)


def _unhold_all(right: Any, engine: Engine, ids: Any, now: Any) -> int:
    Job.objects.filter(pk__in=ids, status=Status.WAITING).update(holds=1)
    return right(engine, ids, now)


def _unhold_early(engine: Engine, ids: Any, now: Any) -> int:
    waiting = Job.objects.filter(pk__in=ids, status=Status.WAITING)
    return waiting.update(holds=F("holds") - 1, status=Status.READY)


def _end_keeping_the_claim(engine: Engine, held: Any, values: dict[str, Any]) -> int:
    return claiming.holding(engine, held).update(attempts=F("attempts") + 1)


def _values_uncounted(right: Any, ack: Any) -> dict[str, Any]:
    return {name: value for name, value in right(ack).items() if name != "attempts"}


def _write_silently(right: Any, engine: Engine, ack: Any) -> None:
    right(engine, ack)


def _half_unclaimed() -> dict[str, Any]:
    return {name: value for name, value in UNCLAIMED.items() if name != "claim_token"}


PORTABLE: dict[str, Bug] = {
    "ack without token": Bug("ack", OLD_TOKEN, put(finishing, "holding", _without_token)),
    "start without token": Bug("start", OLD_TOKEN, put(claiming, "holding", _without_token)),
    "renewal without token": Bug("renew", OLD_TOKEN, put(claiming, "_renew", _renew_by_id)),
    "rescue without guard": Bug(
        "rescue", "only a lease that is over is rescued", wrapped(upkeep, "rescue", _rescue_early)
    ),
    "crash not counted": Bug(
        "rescue", "a crash is charged, a lost claim is not", wrapped(upkeep, "_verdict", _crash_uncounted)
    ),
    "often interrupted, never charged": Bug(
        "claim",
        "the next death of what was interrupted often is charged",
        put(claiming, "charge_next_death", lambda engine, jobs: None),
    ),
    "cancel ends a running job in its row": Bug(
        "cancel", TRANSITION, put(cancelling, "PENDING", PENDING | {Status.RUNNING})
    ),
    "purge takes running jobs": Bug("purge", TRANSITION, put(removing, "purge", _purge_all)),
    "wish overwritten by a gentler one": Bug("cancel", WISH, put(cancelling, "_ask_cancel", _ask_anew)),
    "wish not heard": Bug("cancel", "a wish to cancel is heard", put(cancelling, "_ask_cancel", _ask_nobody)),
    "wish forgotten at the end of the run": Bug(
        "ack", WISH, put(finishing, "if_asked", lambda values, moment: values)
    ),
    "release charges": Bug("release", NUMBERED, wrapped(finishing, "_place", _place_charged)),
    "ack does not count": Bug(
        "ack",
        "no job is final without a run, but a cancelled one",
        wrapped(finishing, "_values", _values_uncounted),
    ),
    "ack keeps the claim": Bug(
        "ack", "a claim is acked at most once", put(finishing, "_end", _end_keeping_the_claim)
    ),
    "ack leaves the token behind": Bug(
        "ack", "who runs has a claim, and nobody else", put(finishing, "UNCLAIMED", _half_unclaimed())
    ),
    "ack refused in silence": Bug(
        "ack", "a verb tells how much it wrote", wrapped(finishing, "_write", _write_silently)
    ),
    "attempt not written": Bug(
        "ack", "no run ends unwritten", put(finishing, "_write_history", lambda engine, ack: None)
    ),
    "requeue keeps attempts": Bug(
        "requeue", "a requeued job begins anew", wrapped(finishing, "move", _requeue_keeping)
    ),
    "replay without guard": Bug("replay", "a letter is replayed once", put(replaying, "_mark", _mark_again)),
    "holds fall all at once": Bug(
        "unhold", "one hold falls at a time", wrapped(upkeep, "_unhold", _unhold_all)
    ),
    "ready in spite of a hold": Bug(
        "unhold", "holds hold, and are never below 0", put(upkeep, "_unhold", _unhold_early)
    ),
}
# In the statements of the vendors' engines.
_FENCE, _ANYBODY = "AND claim_token = %s", "AND %s IS NOT NULL"
WHOLESALE: dict[str, Bug] = {
    "ack of many without token": Bug("ack", OLD_TOKEN, _statement("settle", _FENCE, _ANYBODY)),
    "interruption of many without token": Bug("ack", OLD_TOKEN, _statement("interrupt", _FENCE, _ANYBODY)),
    "release of many without token": Bug("release", OLD_TOKEN, _statement("release", _FENCE, _ANYBODY)),
    "release of many charges": Bug(
        "release", NUMBERED, _statement("release", "SET status", "SET attempts = attempts + 1, status")
    ),
    "ack of many forgets the wish": Bug(
        "ack", WISH, _statement("settle", "cancel_requested = 0", "cancel_requested >= 0")
    ),
    "ack of many does not count": Bug("ack", NUMBERED, _statement("settle", "attempts + 1", "attempts + 0")),
}
