"""The machine's actions, done by an engine to rows that are built for it, and what they came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from django_jobs.engines import Engine
from django_jobs.engines.rows import MAX_INTERRUPTIONS, Ack, Held, Released, Replay, Started
from django_jobs.models import Attempt, Job
from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome, CancelRequest, Status
from tests.engines.conformance.making import ERROR, LEASE, NOW, after, new
from tests.faults.machine import MAX_ATTEMPTS, Action, Row, Step, Token, Written

OLD = 99
_PLAIN = new()


class Placed(NamedTuple):
    """A row of the machine, with the id of the job that stands for it; jobs have a queue each."""

    id: UUID
    row: Row | None

    @property
    def queue(self) -> str:
        """Where it can be claimed or purged apart from the others."""
        return f"q{self.id.hex}"

    def held(self, token: Token | None) -> Held:
        """Return what a worker comes with."""
        worker = self.row.worker if self.row else None
        return Held(self.id, OLD if token is Token.OLD or worker is None else _token(worker))


def enact(engine: Engine, action: Action, rows: Sequence[Row | None]) -> list[Step]:
    """Have an engine do to all of these at once what the action is; return what each came to.

    Nothing of it stays in the database.
    """
    placed = [Placed(new().id, row) for row in rows]
    with transaction.atomic(using=engine.alias):
        Job.objects.bulk_create([_job(each) for each in placed if each.row])
        before = _stored()
        told = DEEDS[action.verb](engine, action, placed)
        now, attempts = _stored(), _attempts()
        transaction.set_rollback(True, using=engine.alias)
    wrote = [before.get(each.id) != now.get(each.id) for each in placed]
    children = Counter(values["replay_of"] for values in now.values())
    return [
        Step(
            _row(now.get(each.id)),
            wrote=changed,
            attempt=_written(attempts.get(each.id, [])),
            begun=children[each.id] + _rounds(before.get(each.id), now.get(each.id)),
            told=told in (None, sum(wrote)),
        )
        for each, changed in zip(placed, wrote, strict=True)
    ]


def _token(worker: int) -> int:
    return 1000 + worker


def _job(each: Placed) -> Job:
    row = each.row
    assert row is not None
    runs = row.worker is not None
    return Job(
        **_PLAIN._replace(id=each.id, queue=each.queue, status=row.status, holds=row.holds)._asdict(),
        attempts=row.attempts,
        # One below the number that makes it run alone: so that the next one counts.
        interruptions=MAX_INTERRUPTIONS - (not row.alone),
        worker_id=f"w{row.worker}" if runs else "",
        claim_token=each.held(None).token if runs else None,
        lease=(after(-1) if row.lapsed else LEASE) if runs else None,
        started_at=NOW if row.started else None,
        cancel_requested=row.asked,
        replayed_as=_PLAIN.id if row.replayed else None,
    )


def _stored() -> dict[UUID, dict[str, Any]]:
    return {values["id"]: values for values in Job.objects.values()}


def _attempts() -> dict[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = {}
    for attempt in Attempt.objects.all():
        found.setdefault(attempt.job_id, []).append(attempt)
    return found


def _row(values: dict[str, Any] | None) -> Row | None:
    if values is None:
        return None
    return Row(
        status=Status(values["status"]),
        holds=values["holds"],
        attempts=values["attempts"],
        alone=values["interruptions"] >= MAX_INTERRUPTIONS,
        worker=_worker(values),
        started=values["started_at"] is not None,
        asked=CancelRequest(values["cancel_requested"]),
        lapsed=values["lease"] is not None and values["lease"] < NOW,
        replayed=values["replayed_as"] is not None,
    )


def _worker(values: dict[str, Any]) -> int | None:
    """Return whose claim it is; -1 for half a claim."""
    claims = {(f"w{worker}", _token(worker), True): worker for worker in (0, 1)} | {("", None, False): None}
    return claims.get((values["worker_id"], values["claim_token"], values["lease"] is not None), -1)


def _written(attempts: list[Attempt]) -> Written | None:
    if not attempts:
        return None
    (attempt,) = attempts
    token = Token.OLD if attempt.token == OLD else Token.CURRENT
    return Written(AttemptOutcome(attempt.outcome), attempt.number, token)


def _rounds(before: dict[str, Any] | None, now: dict[str, Any] | None) -> int:
    return now["round"] - before["round"] if before and now else 0


def _ids(placed: Sequence[Placed]) -> list[UUID]:
    return [each.id for each in placed]


def _enqueue(engine: Engine, action: Action, placed: Sequence[Placed]) -> None:
    way = action.way
    due = {"status": way.status, "holds": way.holds}
    engine.enqueue([new(id=each.id, queue=each.queue, **due) for each in placed])


def _unhold(engine: Engine, action: Action, placed: Sequence[Placed]) -> None:
    # By the moment: their due time is NOW.
    engine.unhold(_ids(placed), now=NOW if action.way is Status.READY else after(-1))


def _claim(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    # In parts: a claim over very many queues goes another way.
    parts = [placed[start : start + 100] for start in range(0, len(placed), 100)]
    claims = {"worker_id": f"w{action.way}", "token": _token(action.way), "lease": LEASE}
    return sum(len(engine.claim([each.queue for each in part], len(part), **claims)) for part in parts)


def _start(engine: Engine, action: Action, placed: Sequence[Placed]) -> None:
    engine.start([Started(each.held(action.token), after(1)) for each in placed])


def _renew(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    lost = engine.renew([each.held(action.token) for each in placed], lease=after(90))
    return len(placed) - len(lost)


def _release(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    until = None if action.way is Status.READY else after(10)
    return engine.release([Released(each.held(action.token), until) for each in placed]).ours


def _ack(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    amended = engine.ack([_ack_of(each, action) for each in placed])
    return len(placed) - sum(one.outcome is None for one in amended)


def _ack_of(each: Placed, action: Action) -> Ack:
    outcome, retry_in = action.way
    error = ERROR if outcome in (AttemptOutcome.FAILED, AttemptOutcome.CRASHED) else None
    number = each.row.attempts + 1 if each.row else 1
    made = Outcome(*each.held(action.token), outcome, retry_in=retry_in, error=error)
    return Ack(made, 1, number, "w0", NOW, after(2))


def _cancel(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    # As the client does.
    with engine.transaction():
        asked = engine.ask_cancel(_ids(placed), force=action.way is CancelRequest.FORCED)
        return asked + engine.cancel(_ids(placed), now=NOW)


def _prune(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    return engine.prune(action.way, before=after(1), limit=len(placed) + 1)


def _purge(engine: Engine, action: Action, placed: Sequence[Placed]) -> int:
    return sum(engine.purge(each.queue, statuses=list(Status), limit=5) for each in placed)


def _replays(placed: Sequence[Placed]) -> Iterator[Replay]:
    return (Replay(each.id, new()) for each in placed)


# verb → how it is done to all of these; returns how many rows it says it wrote, where it says so.
DEEDS: dict[str, Callable[[Engine, Action, Sequence[Placed]], int | None]] = {
    "enqueue": _enqueue,
    "unhold": _unhold,
    "promote": lambda engine, action, placed: engine.promote(now=NOW, limit=len(placed)),
    "claim": _claim,
    "start": _start,
    "renew": _renew,
    "release": _release,
    "ack": _ack,
    "rescue": lambda engine, action, placed: len(engine.rescue(now=NOW, limit=len(placed))),
    "cancel": _cancel,
    "requeue": lambda engine, action, placed: engine.requeue(_ids(placed), now=NOW),
    "replay": lambda engine, action, placed: len(engine.replay(list(_replays(placed)))),
    "prune": _prune,
    "purge": _purge,
}
assert _PLAIN.max_attempts == MAX_ATTEMPTS
